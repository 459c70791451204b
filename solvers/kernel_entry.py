"""What Python calls of a kernel whose machine code was made for other compiled code.

It takes the arguments out of Python's objects, and calls that machine code where it is.
"""

from copy import copy
from typing import Any

from llvmlite import ir
from numba.core.callwrapper import PyCallWrapper
from numba.core.environment import Environment

from solvers.kernel_linking import Library


def entry_to(code: Any, name: str) -> Any:
    """Machine code that Python can call; it has a name and constants of its own.

    Parameters
    ----------
    code : numba.core.compiler.CompileResult
        A kernel's machine code, which takes no objects.
    name : str
        What it can be called by; the same in every process, and of no other code.
    """
    # Machine code that was read comes without what it was made with: memory that is counted,
    # without which an array that the kernel makes would not become an object.
    context, own = code.target_context.subtarget(enable_nrt=True), copy(code.fndesc)
    own.mangled_name += name
    own.env_name += name
    library = Library(context.codegen(), own.mangled_name)
    module = context.create_module("wrapper")
    kind = context.call_conv.get_function_type(own.restype, own.argtypes)
    function = ir.Function(module, kind, name)
    environment = Environment.from_fndesc(own)
    PyCallWrapper(context, module, function, own, environment, None, release_gil=True).build()
    library.add_ir_module(module)
    library.finalize()
    return code._replace(
        entry_point=context.get_executable(library, own, environment),
        fndesc=own,
        environment=environment,
        library=library,
    )
