"""Safetensors: the length of a header (u64), the header as JSON, the values. `paddle.save(…, safetensors=True)` of 3.x writes it too."""

from __future__ import annotations

from checks.tensors.built import Array, Blob, Dtype, shape_of
from checks.tensors.stream import Flaw, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TYPES = {
    "BOOL": ("bool", 1),
    "U8": ("uint8", 1),
    "I8": ("int8", 1),
    "I16": ("int16", 2),
    "U16": ("uint16", 2),
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "I32": ("int32", 4),
    "U32": ("uint32", 4),
    "F32": ("float32", 4),
    "I64": ("int64", 8),
    "U64": ("uint64", 8),
    "F64": ("float64", 8),
    "C64": ("complex64", 8),
    "F8_E4M3": ("float8_e4m3fn", 1),
    "F8_E5M2": ("float8_e5m2", 1),
}

MAX_HEADER = 4 << 20
"""Bytes; some 100 for each tensor."""


def read_safetensors(source: Source) -> tuple[dict[str, Array], dict[str, str], str | None]:
    """The tensors by name, the metadata, and what is wrong.

    Raises:
        Flaw: it is no such file.
    """
    length = source.number(8)
    if not 2 <= length <= MAX_HEADER:
        raise Flaw("header")
    start = source.position + length
    raw = source.take(min(length, source.left))
    if not raw.startswith(b"{"):
        raise Flaw("header")
    if len(raw) < length:
        return {}, {}, "cut"
    import json  # 3 ms

    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        raise Flaw("header") from None
    found: dict[str, Array] = {}
    notes: dict[str, str] = {}
    flaw = None
    for name, told in header.items():
        if name == "__metadata__":
            notes = {key: value for key, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}
            continue
        array = _described(told, start)
        if array is None:
            flaw = flaw or "header"
        elif array.data.offset + array.data.length > source.stop:
            found[name], flaw = array, "cut"
        else:
            found[name] = array
    return found, notes, flaw


def _described(told: Any, start: int) -> Array | None:
    if not isinstance(told, dict) or not isinstance(told.get("shape"), list) or told.get("dtype") not in TYPES:
        return None
    shape = shape_of(tuple(told["shape"]))
    places = told.get("data_offsets")
    if shape is None or not isinstance(places, list) or len(places) != 2 or not all(type(place) is int for place in places):
        return None
    array = Array()
    array.shape, array.dtype = shape, Dtype(*TYPES[told["dtype"]])
    first, last = places
    if first < 0 or last - first != array.size * array.dtype.itemsize:
        return None
    array.data = Blob(start + first, last - first)
    return array
