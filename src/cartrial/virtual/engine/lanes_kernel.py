"""How are several patients solved side by side, with the equations written for one?

A lane is one patient's place in a vector of the processor. A `Lane` holds one number of each of several patients; what is done to it is
done to each of them alone, so a patient's bits do not depend on who stands beside. A table has a row for each quantity and a column for
each patient: `y[3]` is a `Lane`, and `y[3] = ...` writes one. The same source, given plain arrays, is compiled for one patient: `y[3]` is
then a number.

LLVM has vectors of its own, so that nothing depends on whether a loop is recognised as one. A table is an address: whoever made the
array keeps it alive, and no index is checked.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numba.extending
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.typeconv.castgraph import Conversion
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, lower_cast, overload, register_model
from numpy.typing import NDArray

__all__ = [
    "Flags",
    "Floats",
    "Integers",
    "Lanes",
    "Singles",
    "anywhere",
    "borrow",
    "intrinsic",
    "pick",
    "row",
    "span",
    "table",
    "vector",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]
Singles = NDArray[np.float32]
Lanes = Any
"""One number, or a `Lane`."""

intrinsic: Any = numba.extending.intrinsic
"""Numba's, whose annotation wants the context that it gives itself."""
COLUMNS = 17
"""Columns of a table of two indexes: derivatives and factors by state."""
_DOUBLE = ir.DoubleType()


class Lane(types.Type):
    """One number of each of `width` patients."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Lane({width})")

    def unify(self, _: Any, other: types.Type) -> types.Type | None:
        """Return what a variable is that holds a lane here and a number there."""
        return self if isinstance(other, types.Float) else None

    def can_convert_from(self, _: Any, other: types.Type) -> Any:
        """Return how a number becomes a lane: all patients have it."""
        return Conversion.promote if isinstance(other, types.Float) else None


class Mask(types.Type):
    """One yes or no of each of `width` patients."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Mask({width})")


class Table(types.Type):
    """Address of rows of lanes, in an array of float64 whose last axis is the patients."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Table({width})")


def vector(width: int, bits: int = 0) -> ir.VectorType:
    """Return the vector of float64, or of integers of some bits."""
    return ir.VectorType(ir.IntType(bits) if bits else _DOUBLE, width)


@register_model(Lane)
class _LaneModel(models.PrimitiveModel):
    def __init__(self, manager: Any, lane: Lane) -> None:
        super().__init__(manager, lane, vector(lane.width))


@register_model(Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, mask: Mask) -> None:
        super().__init__(manager, mask, vector(mask.width, 1))


@register_model(Table)
class _TableModel(models.PrimitiveModel):
    def __init__(self, manager: Any, rows: Table) -> None:
        super().__init__(manager, rows, _DOUBLE.as_pointer())


@lower_cast(types.Float, Lane)
def _spread(context: Any, builder: Any, given: types.Type, lane: Lane, value: Any) -> Any:
    """Give all patients the same number."""
    number = context.cast(builder, value, given, types.float64)
    if isinstance(number, ir.Constant):
        return ir.Constant(vector(lane.width), [number] * lane.width)
    spread = ir.Constant(vector(lane.width), ir.Undefined)
    for column in range(lane.width):
        spread = builder.insert_element(spread, number, ir.Constant(ir.IntType(32), column))
    return spread


def _lane_of(arguments: tuple[types.Type, ...]) -> Lane | None:
    """Return the lane among lanes and numbers; none where something else stands among them."""
    if all(isinstance(one, Lane | types.Float) for one in arguments):
        return next((one for one in arguments if isinstance(one, Lane)), None)
    return None


def _operator(python: Callable[..., Any], emit: Callable[..., Any], size: int = 2, mask: bool = False) -> None:
    """Let an operator work on lanes, and on a lane and a number; `mask` where the answer is yes or no."""

    class Template(AbstractTemplate):
        def generic(self, arguments: Any, _: Any) -> Any:
            lane = _lane_of(arguments) if len(arguments) == size else None
            return lane and signature(Mask(lane.width) if mask else lane, *[lane] * size)

    infer_global(python)(Template)

    @lower_builtin(python, *[Lane] * size)
    def lower(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return emit(builder, *arguments)


def _two(name: str) -> Callable[..., Any]:
    """Return what emits an instruction of two numbers."""
    return lambda builder, a, b: getattr(builder, name)(a, b)


def _compared(symbol: str) -> Callable[..., Any]:
    """Return what emits a comparison, no where a number is none."""
    return lambda builder, a, b: builder.fcmp_ordered(symbol, a, b)


for _emit, _pair in {
    "fadd": (operator.add, operator.iadd),
    "fsub": (operator.sub, operator.isub),
    "fmul": (operator.mul, operator.imul),
    "fdiv": (operator.truediv, operator.itruediv),
}.items():
    for _python in _pair:
        _operator(_python, _two(_emit))
for _symbol, _python in {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}.items():
    _operator(_python, _compared(_symbol), mask=True)
_operator(operator.ne, lambda builder, a, b: builder.fcmp_unordered("!=", a, b), mask=True)
_operator(operator.neg, lambda builder, a: builder.fneg(a), size=1)


def pick(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b; both are worked out before."""
    return a if condition else b


def anywhere(condition: Any) -> bool:
    """Return whether a condition holds for any patient."""
    return bool(condition)


@infer_global(pick)
class _Pick(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        if isinstance(arguments[0], Mask):
            lane = Lane(arguments[0].width)
            return signature(lane, arguments[0], lane, lane)
        return signature(types.float64, types.boolean, types.float64, types.float64)


@infer_global(anywhere)
class _Anywhere(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        return signature(types.boolean, arguments[0])


@lower_builtin(pick, Mask, Lane, Lane)
@lower_builtin(pick, types.Boolean, types.Float, types.Float)
def _select(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
    return builder.select(*arguments)


@lower_builtin(anywhere, types.Boolean)
def _itself(_: Any, __: Any, ___: Any, arguments: Any) -> Any:
    return arguments[0]


@lower_builtin(anywhere, Mask)
def _any(_: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    bits = ir.IntType(sig.args[0].width)
    return builder.icmp_unsigned("!=", builder.bitcast(arguments[0], bits), ir.Constant(bits, 0))


def _row(context: Any, builder: Any, index_type: Any, index: Any, rows: Table) -> Any:
    """Return the place of a row, or of row and column, in numbers from the table's start."""
    intp = context.get_value_type(types.intp)
    if not isinstance(index_type, types.Integer):
        of_row, of_column = tuple(index_type)
        i = context.cast(builder, builder.extract_value(index, 0), of_row, types.intp)
        j = context.cast(builder, builder.extract_value(index, 1), of_column, types.intp)
        index = builder.add(builder.mul(i, ir.Constant(intp, COLUMNS)), j)
    else:
        index = context.cast(builder, index, index_type, types.intp)
    return builder.mul(index, ir.Constant(intp, rows.width))


def _address(builder: Any, start: Any, place: Any, width: int) -> Any:
    return builder.bitcast(builder.gep(start, [place]), vector(width).as_pointer())


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        rows, index = arguments
        return signature(Lane(rows.width), rows, index) if isinstance(rows, Table) else None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        rows, index, _value = arguments
        return signature(types.none, rows, index, Lane(rows.width)) if isinstance(rows, Table) else None


@lower_builtin(operator.getitem, Table, types.Integer)
@lower_builtin(operator.getitem, Table, types.BaseTuple)
def _load(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    place = _row(context, builder, sig.args[1], arguments[1], sig.args[0])
    return builder.load(_address(builder, arguments[0], place, sig.args[0].width), align=8)


@lower_builtin(operator.setitem, Table, types.Integer, Lane)
@lower_builtin(operator.setitem, Table, types.BaseTuple, Lane)
def _store(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
    place = _row(context, builder, sig.args[1], arguments[1], sig.args[0])
    builder.store(arguments[2], _address(builder, arguments[0], place, sig.args[0].width), align=8)
    return context.get_dummy_value()


@intrinsic
def table(_: Any, array: Any, lanes: Any) -> Any:
    """Return the table of an array of float64 whose last axis is as long as `lanes`, a tuple."""

    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, arguments[0]).data

    return Table(len(lanes))(array, lanes), emit


@intrinsic
def _row_of_table(_: Any, rows: Any, i: Any) -> Any:
    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        size = ir.Constant(context.get_value_type(types.intp), COLUMNS * sig.args[0].width)
        return builder.gep(arguments[0], [builder.mul(context.cast(builder, arguments[1], sig.args[1], types.intp), size)])

    return rows(rows, i), emit


def row(rows: Any, i: int) -> Any:
    """Return a row of a table of two indexes."""
    return rows[i]


@overload(row, strict=False)
def _row_of(rows: Any, i: Any) -> Any:
    if isinstance(rows, Table):
        return lambda rows, i: _row_of_table(rows, i)
    return lambda rows, i: rows[i]


@intrinsic
def span(_: Any, array: Any, start: Any, lanes: Any) -> Any:
    """Return as many numbers in a row as `lanes`, a tuple, has, from a position of an array of float64 on."""

    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = context.make_array(sig.args[0])(context, builder, arguments[0]).data
        place = context.cast(builder, arguments[1], sig.args[1], types.intp)
        return builder.load(_address(builder, data, place, len(sig.args[2])), align=8)

    return Lane(len(lanes))(array, start, lanes), emit


@intrinsic
def borrow(_: Any, arrays: Any) -> Any:
    """Return a named tuple of arrays as one of the same arrays that are not counted as used: whoever calls keeps them alive.

    Numba counts who uses an array, atomically, wherever one is named: a third of the time of a step.
    """

    def emit(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        found = arguments[0]
        for i, one in enumerate(sig.args[0].types):
            array = context.make_array(one)(context, builder, builder.extract_value(found, i))
            array.meminfo = cgutils.get_null_value(array.meminfo.type)
            array.parent = cgutils.get_null_value(array.parent.type)
            found = builder.insert_value(found, array._getvalue(), i)
        return found

    return arrays(arrays), emit
