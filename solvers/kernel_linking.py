"""Which machine code a kernel contains, and which it calls where it is.

The compiler copies what a function calls into the function's own machine code and optimises the
copy again: what lies ten layers deep is made, kept and loaded ten times.  A copy is of use where it
is small enough to be inlined.  What is larger is called where it is: it is made once, and loaded
wherever one of its callers is.

Numba counts the functions of a process, and that number is all that tells two closures apart which
one function of numba's own made, as the parts of its sorts are.  Machine code of several processes
has different ones of one name, of which the loader would take the first for all.  So each kernel
keeps those that it contains to itself.
"""

import sys
from itertools import islice
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core.codegen import JITCodeLibrary

# A function of more instructions, beside one for each argument, is called: the compiler inlines
# none of more than about fifty, or of some more where arguments are constants.
INLINED = 150


# What the name of a function that was made inside another contains.
CLOSURE = "_3clocals_3e"


class Library(JITCodeLibrary):  # type: ignore[misc]
    """Machine code that can be kept, and shares no closure with other code."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.enable_object_caching()

    def _optimize_final_module(self) -> None:
        super()._optimize_final_module()
        for function in self._final_module.functions:
            if CLOSURE in function.name and function.linkage == llvm.Linkage.linkonce_odr:
                function.linkage = "internal"


class Part(NamedTuple):
    """Machine code that other code calls: where its kernel is found, for which types, its name."""

    module: str
    kernel: str
    types: tuple[Any, ...]
    symbol: str


# By numba's library of machine code: which part it is, if it is called where it is, and which parts
# those kernels call that it contains.
_PART: WeakKeyDictionary[Any, Part] = WeakKeyDictionary()
_CALLED: WeakKeyDictionary[Any, tuple[Part, ...]] = WeakKeyDictionary()


def separate(kernel: Any, code: Any) -> None:
    """Have callers of new machine code call it rather than contain it, if it is large."""
    function, library, symbol = kernel.py_func, code.library, code.fndesc.mangled_name
    if library in _CALLED or _found(function.__module__, function.__name__) is not kernel:
        return
    body = library.get_function(symbol)
    lines = (line for block in body.blocks for line in block.instructions)
    if next(islice(lines, INLINED + len(list(body.arguments)), None), None) is not None:
        part = Part(function.__module__, function.__name__, tuple(code.signature.args), symbol)
        note(library, called_by(library), part)
        # What numba links into the code of callers.
        library._shared_module = _without_code(library, code.fndesc.llvm_cpython_wrapper_name)


def part_of(library: Any) -> Part | None:
    """The part that a library is; None if its callers contain it."""
    return _PART.get(library)


def called_by(library: Any) -> tuple[Part, ...]:
    """All that has to be loaded before a library."""
    if library in _CALLED:
        return _CALLED[library]
    found: dict[Part, None] = {}
    for other in library._linking_libraries:
        part = part_of(other)
        found.update(dict.fromkeys(called_by(other) if part is None else (part,)))
    return tuple(found)


def note(library: Any, called: tuple[Part, ...], part: Part | None) -> None:
    """Take note of a library and of what it calls."""
    _CALLED[library] = called
    if part is not None:
        _PART[library] = part


def provide(parts: tuple[Part, ...]) -> bool:
    """Load the machine code of parts, for code that calls it; whether all of it can be had.

    The names that it is called by are those that one process gave it.  Another may have made it
    anew, or with what takes Python's objects, under another name: both are then its names.
    """
    for part in parts:
        kernel = _found(part.module, part.kernel)
        if kernel is None:
            return False
        code = kernel.code_of(part.types)
        if code.fndesc.mangled_name != part.symbol:
            name_also(code, part.symbol)
    return True


def name_also(code: Any, symbol: str) -> None:
    """Let machine code that is loaded from now on call this by another name."""
    engine = code.library.codegen._engine
    llvm.add_symbol(symbol, engine.get_function_address(code.fndesc.mangled_name))


def _found(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


def _without_code(library: Any, wrapper: str) -> Any:
    """What is linked into callers in place of a library: nothing.

    It has the function that takes Python's objects, by which numba knows that there is one; the
    linker leaves it out since no compiled code calls it.
    """
    module = ir.Module(library.name)
    module.triple, module.data_layout = llvm.get_process_triple(), str(library.codegen.target_data)
    if library.get_pointer_to_function(wrapper):
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), ()), wrapper)
        function.linkage = "linkonce_odr"
        ir.IRBuilder(function.append_basic_block()).unreachable()
    return llvm.parse_assembly(str(module))
