"""The compiler's pass that makes LLVM's instructions of a kernel."""

from typing import Any

from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

from solvers.kernel_indices import Indexing
from solvers.kernel_linking import Library
from solvers.kernel_references import Lending


class _Lower(Lending, Indexing):
    """Numba's way, with the savings of both."""


@register_pass(mutates_CFG=True, analysis_only=False)
class Lowering(NativeLowering):  # type: ignore[misc]
    """Numba's pass with that way, into a library whose closures are its own."""

    _name = "lowering_of_kernels"

    def run_pass(self, state: Any) -> bool:
        """Make LLVM's instructions of numba's."""
        state.library = Library(state.targetctx.codegen(), state.func_id.func_qualname)
        return bool(super().run_pass(state))

    @property
    def lowering_class(self) -> type[Lower]:
        """What numba's pass makes LLVM's instructions with."""
        return _Lower
