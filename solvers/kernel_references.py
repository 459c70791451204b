"""Kernels count no references of arrays that whoever calls them holds until they return.

Numba counts the references of every argument, and of every array that is taken out of one, up and
down again, and leaves out what it can pair where the code runs straight on.  In a function that
loops twice, or may raise, that is little: one that is given a whole run would count each of its
arrays at every call, which takes an eighth of the time of small steps.

Numba also loads and clears each variable where it is used last, and loads it where it is set again,
to count what it held.  Of numbers, which are most, the compiler would only have to remove it.
"""

from collections import Counter
from typing import Any

from numba.core import ir
from numba.core.lowering import Lower
from numba.core.types.containers import BaseNamedTuple, BaseTuple


def lent(blocks: dict[int, Any], type_of: dict[str, Any]) -> set[str]:
    """The variables that are, wherever they have a value, an argument or a member of one.

    Parameters
    ----------
    blocks : dict of int to numba.core.ir.Block
        A function.
    type_of : dict of str to numba.types.Type
        Types of the variables, and of ``arg.NAME``.
    """
    assigned = [each for block in blocks.values() for each in block.find_insts(ir.Assign)]
    times = Counter(each.target.name for each in assigned)
    once = [each for each in assigned if times[each.target.name] == 1]
    found: set[str] = set()
    before = -1
    while before < len(found):
        before = len(found)
        for each in once:
            name, value = each.target.name, each.value
            if isinstance(value, ir.Arg):
                kind = type_of["arg." + value.name]
            elif (source := _source(value)) is not None and source.name in found:
                kind = _kind(value, type_of[source.name])
            else:
                continue
            if kind == type_of[name]:
                found.add(name)
    return found


def _source(value: Any) -> Any:
    """The variable that a value is taken from as it is; None if it is made."""
    if isinstance(value, ir.Var):
        return value
    if isinstance(value, ir.Expr) and value.op in ("getattr", "static_getitem", "exhaust_iter"):
        return value.value
    return None


def _kind(value: Any, source: Any) -> Any:
    """The type of a value that is taken from one of type ``source``; None if that makes one."""
    if isinstance(value, ir.Var):
        return source
    if not isinstance(source, BaseTuple):
        return None
    if value.op == "exhaust_iter":
        return source
    place = _place(value, source)
    return None if place is None else source.types[place]


def _place(value: Any, source: Any) -> int | None:
    """Which member of a tuple a value is; None if it is none."""
    if value.op == "getattr":
        fields = source.fields if isinstance(source, BaseNamedTuple) else ()
        return fields.index(value.attr) if value.attr in fields else None
    known = isinstance(value.index, int) and 0 <= value.index < len(source)
    return value.index if known else None


class Lending(Lower):  # type: ignore[misc]
    """Numba's way from its instructions to LLVM's, which counts nothing of what is lent."""

    _counts = True

    def pre_lower(self) -> None:
        """Called before all blocks."""
        super().pre_lower()
        self._lent = lent(self.blocks, self.fndesc.typemap)

    def lower_inst(self, inst: Any) -> None:
        """One instruction."""
        if isinstance(inst, ir.Del) and not self._owns(inst.value):
            return
        self._counts = not isinstance(inst, ir.Assign) or inst.target.name not in self._lent
        super().lower_inst(inst)
        self._counts = True

    def _owns(self, name: str) -> bool:
        """Whether a variable may hold an array that is not lent."""
        model = self.context.data_model_manager[self.typeof(name)]
        return name not in self._lent and bool(model.contains_nrt_meminfo())

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Set a variable."""
        if argidx is not None or name in self._singly_assigned_vars or self._owns(name):
            super().storevar(value, name, argidx)
        else:
            self.builder.store(value, self.getvar(name))

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        """The value of an assignment."""
        value = inst.value
        if not self._counts and isinstance(value, ir.Expr) and value.op != "exhaust_iter":
            source = value.value.name
            place = _place(value, self.typeof(source))
            return self.builder.extract_value(self.loadvar(source), place)
        return super().lower_assign(ty, inst)

    def incref(self, typ: Any, val: Any) -> None:
        """Count a reference."""
        if self._counts:
            super().incref(typ, val)

    def decref(self, typ: Any, val: Any) -> None:
        """Count one less."""
        if self._counts:
            super().decref(typ, val)
