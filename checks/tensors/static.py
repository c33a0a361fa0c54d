"""Tensors of a static graph: one after the other in a file (`.pdiparams`, `params`), or a folder with a file for each.

Each is what `SerializeToStream` writes (paddle/phi/core/framework/dense_tensor_serialize.cc, tensor_util.cc): version 0 (u32),
levels of LoD (u64) and for each its bytes (u64) and offsets, version 0 (u32), the length of a description (i32), the description (a protobuf
message `TensorDesc`: type, sides), the values. No names.
"""

from __future__ import annotations

from checks.tensors.built import Array, Blob, Dtype, shape_of
from checks.tensors.stream import Flaw, Source

TYPES = {
    0: ("bool", 1),
    1: ("int16", 2),
    2: ("int32", 4),
    3: ("int64", 8),
    4: ("float16", 2),
    5: ("float32", 4),
    6: ("float64", 8),
    19: ("uint64", 8),
    20: ("uint8", 1),
    21: ("int8", 1),
    22: ("bfloat16", 2),
    23: ("complex64", 8),
    24: ("complex128", 16),
    32: ("float8_e4m3fn", 1),
    33: ("float8_e5m2", 1),
}
"""`VarType.Type` of paddle/fluid/framework/framework.proto → NumPy's name and bytes."""

MAX_LEVELS = 16
MAX_DESCRIPTION = 1024
MAX_TENSORS = 100_000


def read_static(source: Source) -> tuple[list[Array], str | None]:
    """The tensors of a file in their order, each with the place of its values, and what is wrong behind them.

    Raises:
        Flaw: it does not begin with a tensor.
    """
    found: list[Array] = []
    while source.left:
        try:
            found.append(_one(source))
        except Flaw as flaw:
            if not found and flaw.word != "cut":
                raise
            return found, flaw.word
        if len(found) > MAX_TENSORS:
            return found, "excess"
    return found, None


def _one(source: Source) -> Array:
    if source.number(4) != 0:
        raise Flaw("version")
    levels = source.number(8)
    if levels > MAX_LEVELS:
        raise Flaw("levels")
    for _ in range(levels):
        source.skip(source.number(8))
    if source.number(4) != 0:
        raise Flaw("version")
    length = source.number(4, signed=True)
    if not 0 < length <= MAX_DESCRIPTION:
        raise Flaw("description")
    array = _described(source.take(length))
    assert array.dtype is not None
    count = array.size * array.dtype.itemsize
    array.data = Blob(source.skip(count), count)
    return array


def _described(message: bytes) -> Array:
    """A `TensorDesc`: field 1 the type, field 2 the sides, packed or not."""
    array = Array()
    sides: list[int] = []
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag == 0x08:
            code, at = _varint(message, at)
            if code not in TYPES:
                raise Flaw("description")
            array.dtype = Dtype(*TYPES[code])
        elif tag == 0x10:
            side, at = _varint(message, at)
            sides.append(side)
        elif tag == 0x12:
            length, at = _varint(message, at)
            end = at + length
            if end > len(message):
                raise Flaw("description")
            while at < end:
                side, at = _varint(message, at)
                sides.append(side)
        else:
            raise Flaw("description")
    shape = shape_of(tuple(sides))
    if array.dtype is None or shape is None:
        raise Flaw("description")
    array.shape = shape
    return array


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise Flaw("description")
