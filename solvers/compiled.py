"""The one way a function is compiled: numba, cached on disk, no fast-math.

Without fast-math the compiled floating-point operations are the ones written, in that order, so
compiled and plain code agree to the last bit.  Compiled code leaves Python's lock to other threads:
whoever waits for it hears the clock and Ctrl-C.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import BuiltinFunctionType
from typing import Any, ClassVar, TypeVar, cast

import numba
from llvmlite.binding import ffi
from numba.core import typed_passes, types, untyped_passes
from numba.core.compiler import Compiler, Flags
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher
from numba.core.sigutils import normalize_signature
from numba.core.types.misc import unliteral
from numba.core.typing.context import Context

from solvers.kernel_cache import KernelCache
from solvers.kernel_entry import entry_to
from solvers.kernel_linking import name_also, separate
from solvers.kernel_lowering import Lowering

# What is computed has integers of 64 bits that wrap, and plain Python has others: where numba is
# switched off (NUMBA_DISABLE_JIT), this package is compiled all the same.
numba.config.DISABLE_JIT = False

F = TypeVar("F", bound=Callable[..., object])


# Python's thresholds of garbage collection while something is compiled: a twelfth less time.
SELDOM = 30_000, 10, 30


# The compiler's passes for what kernels do not contain: closures, contexts, literals to unroll,
# branches on the types of arguments, functions to be inlined before their types are known,
# expressions of whole arrays; for what later passes do again; and for a reader.
UNUSED = {
    untyped_passes.IRProcessing,
    untyped_passes.WithLifting,
    untyped_passes.InlineClosureLikes,
    untyped_passes.RewriteSemanticConstants,
    untyped_passes.DeadBranchPrune,
    untyped_passes.RewriteDynamicRaises,
    untyped_passes.MakeFunctionToJitFunction,
    untyped_passes.InlineInlinables,
    untyped_passes.FindLiterallyCalls,
    untyped_passes.LiteralUnroll,
    typed_passes.InlineOverloads,
    typed_passes.NopythonRewrites,
    typed_passes.AnnotateTypes,
    typed_passes.NoPythonSupportedFeatureValidation,
    typed_passes.DumpParforDiagnostics,
}


class _Settings(Flags):  # type: ignore[misc]
    """The compiler's settings, by which it finds what it has typed before, compared faster."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Settings) and self._values == other._values

    def __hash__(self) -> int:
        return 0  # there are two or three in a process


class _Typing(Context):  # type: ignore[misc]
    """Numba's typing of calls, which remembers what a call of one of numba's own functions is.

    A kernel adds integers a hundred times, and numba asks each time of every kind of addition that
    it knows whether it is the one.
    """

    known: ClassVar[dict[tuple[Any, tuple[Any, ...]], Any]] = {}

    __slots__ = ("_shared",)

    def __init__(self, shared: Any) -> None:
        self.__dict__ = shared.__dict__  # type: ignore[misc]  # it is the one that is shared
        self._shared = shared

    # Numba finds what it has compiled by the context that it was typed in.

    def __eq__(self, other: object) -> bool:
        return other is self._shared or (isinstance(other, _Typing) and other == self._shared)

    def __hash__(self) -> int:
        return hash(self._shared)

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        """The signature of a call."""
        if kws or not isinstance(func, types.Function | BuiltinFunctionType):
            return super().resolve_function_type(func, args, kws)
        found = self.known.get((func, args))
        if found is None:
            found = super().resolve_function_type(func, args, kws)
            self.known[func, args] = found
        return found


class _Compiler(Compiler):  # type: ignore[misc]
    """The compiler with those settings, that typing and no more passes than kernels need."""

    def __init__(
        self,
        typing: Any,
        target: Any,
        library: Any,
        args: Any,
        returned: Any,
        flags: Any,
        kinds: Any,
    ) -> None:
        settings = _Settings(flags)
        super().__init__(_Typing(typing), target, library, args, returned, settings, kinds)

    def define_pipelines(self) -> list[Any]:
        """Numba's passes without those that kernels do not need, and one of our own."""
        managers: list[Any] = super().define_pipelines()
        for manager in managers:
            manager.passes = [
                (Lowering if each is typed_passes.NativeLowering else each, name)
                for each, name in manager.passes
                if each not in UNUSED
            ]
        return managers


class Kernel(CPUDispatcher):  # type: ignore[misc]
    """A compiled function.

    What takes the arguments of a call by Python out of their objects is more machine code than
    most functions of a whole run have themselves.  So a function that other compiled code asks for
    is compiled without, and gets it when Python calls it.

    Parameters
    ----------
    function : callable
        The plain function.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        options = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True}
        super().__init__(function, targetoptions=options, pipeline_class=_Compiler)
        self._cache = KernelCache(function)
        self._entries: dict[Any, Any] = {}  # where Python calls what was made for other code
        self._asked = 0  # by how much compiled code at present

    @classmethod
    def _rebuild(cls, py_func: Any, **_: Any) -> "Kernel":
        """In the process where a kernel arrives: the one that is there, if its module is."""
        found = getattr(sys.modules.get(py_func.__module__), py_func.__name__, None)
        return found if isinstance(found, Kernel) else cls(py_func)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """The types of a call by compiled code; a constant is any number, so that one code does."""
        self._asked += 1
        try:
            plain = {name: unliteral(kind) for name, kind in kws.items()}
            return super().get_call_template(tuple(map(unliteral, args)), plain)
        finally:
            self._asked -= 1

    @global_compiler_lock  # type: ignore[untyped-decorator]
    def compile(self, sig: Any) -> Any:
        """The entry point for a signature, whose machine code is made where there is none."""
        python = self._asked == 0
        types = tuple(normalize_signature(sig)[0])
        if types not in self.overloads:
            kind = "whole" if python else "inner"
            with self._cache.by_one_process(sig, self.targetctx, kind), _undisturbed():
                self._make(sig)
        code = self.overloads[types]
        if not python or _takes_objects(code):
            return code.entry_point
        if types not in self._entries:
            with self._cache.by_one_process(sig, self.targetctx, "entry"), _undisturbed():
                self._entries[types] = self._entry(sig, code)
            self._insert([kind._code for kind in types], self._entries[types].entry_point, False)
        return self._entries[types].entry_point

    def _make(self, sig: Any) -> None:
        """Read machine code, or make and keep it: numba's way, without timing each call of LLVM."""
        _load_numba()
        code = self._cache.load_overload(sig, self.targetctx)
        if code is not None:
            self._cache_hits[sig] += 1
            self.targetctx.insert_user_function(code.entry_point, code.fndesc, [code.library])
            self.add_overload(code)
            return
        self._cache_misses[sig] += 1
        self.targetoptions["no_cpython_wrapper"] = self._asked > 0
        with self._compiling_counter:
            code = self._compiler.compile(*normalize_signature(sig))
            self.add_overload(code)
        self._cache.save_overload(sig, code)

    def _entry(self, sig: Any, code: Any) -> Any:
        """Read the entry of machine code that takes no objects, or make and keep it."""
        name = self._cache.symbol(sig, self.targetctx)
        name_also(code, name)
        entry = self._cache.load_overload(sig, self.targetctx)
        if entry is None:
            entry = entry_to(code, name)
            self._cache.save_overload(sig, entry)
        return entry

    def code_of(self, types: tuple[Any, ...]) -> Any:
        """The machine code for these types, made or read, that other compiled code can call."""
        self._asked += 1
        try:
            self.compile(types)
        finally:
            self._asked -= 1
        return self.overloads[types]

    def add_overload(self, cres: Any) -> None:
        """Take up machine code, and offer it to Python if it takes objects."""
        # Without the types of all its variables, which take more memory than the code itself.
        cres = cres._replace(type_annotation="", metadata=None)
        separate(self, cres)
        if _takes_objects(cres):
            super().add_overload(cres)
        else:
            self.overloads[tuple(cres.signature.args)] = cres


@cache
def _load_numba() -> None:
    """Load numba's own functions without SciPy's BLAS, a tenth of a start.

    Numba loads it there only to see that it is installed, as it is where we are; what multiplies
    matrices loads it again.
    """
    from numba.np import linalg

    see, linalg.ensure_blas = linalg.ensure_blas, lambda: None
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = arraymath.ensure_blas = see


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Look for garbage less often, since little is, and tell nobody of each call of LLVM.

    Numba offers its calls of LLVM to listeners; this takes a twentieth of the time, and nobody
    listens.
    """
    before = gc.get_threshold()
    gc.set_threshold(*map(max, before, SELDOM))
    heard, ffi.lib._lock._cblist = ffi.lib._lock._cblist, []
    try:
        yield
    finally:
        ffi.lib._lock._cblist = heard
        gc.set_threshold(*before)


def _takes_objects(code: Any) -> bool:
    return bool(code.library.get_pointer_to_function(code.fndesc.llvm_cpython_wrapper_name))


def compiled(function: F) -> F:
    """Compile a function of numbers and arrays; the machine code is cached between runs.

    The machine code contains that of the compiled functions it calls and the constants it names,
    so these must be imported at the head of the module: a change of any of their files then
    invalidates the cache (:mod:`solvers.kernel_cache`).  An index that is computed counts from the
    start, and a negative one lies outside (:mod:`solvers.kernel_indices`).
    """
    return cast("F", Kernel(function))
