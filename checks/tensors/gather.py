"""What a pickle's values are to a reader of weights: tensors by name, numbers, texts, and the rest."""

from __future__ import annotations

from checks.tensors.built import Array, Blob, Mapping, Scalar, plain, shape_of
from checks.tensors.stream import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Top = Literal["mapping", "tensor", "sequence", "other"]

NAME_TABLE = "StructuredToParameterName@@"
SLICES = "UnpackBigParamInfor@@"
"""Keys that `paddle.save` adds: parameters' names, and how arrays of more than 1 GB were cut in pieces (protocol 2 and 3)."""

NESTED = ("model", "state_dict", "model_state_dict", "params", "net", "network", "weights", "module")
"""Keys below which trainings with other tools put the weights, the usual ones first."""

MAX_DEPTH = 3
MAX_ITEMS = 200_000


class Gathered:
    """Plain values; the tensors as (name, array, spans)."""

    __slots__ = ("groups", "left", "names", "nested", "others", "scalars", "tables", "tensors", "top")

    def __init__(self) -> None:
        self.tensors: dict[str, tuple[Array, tuple[Blob, ...]]] = {}
        self.groups: dict[str, dict[str, tuple[Array, tuple[Blob, ...]]]] = {}
        self.scalars: dict[str, Any] = {}
        self.tables: dict[str, dict[str, Any]] = {}
        self.others: list[str] = []
        self.names: dict[str, str] = {}
        self.nested: str | None = None
        self.left = MAX_ITEMS
        self.top: Top = "other"

    def spend(self, count: int) -> int:
        """How many of so many items may still be looked at: a file can name one mapping a thousand times."""
        given = min(count, self.left)
        self.left -= given
        return given


def gather(root: Any, source: Source) -> Gathered:
    """Sort what lies at the top, and one or two levels below it."""
    found = Gathered()
    if isinstance(root, Mapping):
        found.top = "mapping"
        _sort(found, root, "", source, MAX_DEPTH)
    elif (named := _tensor(root)) is not None:
        name, array = named
        found.top = "tensor"
        found.tensors[name or ""] = (array, _spans(array))
    elif isinstance(root, list | tuple):
        found.top = "sequence"
        made = Mapping()
        made.pairs = [(str(place), item) for place, item in enumerate(root[:MAX_ITEMS])]
        _sort(found, made, "", source, MAX_DEPTH)
    if not found.tensors and found.groups:
        _descend(found)
    return found


def _descend(found: Gathered) -> None:
    """Nothing but mappings at the top: the weights are below one of them."""
    last = {key: key.rpartition(".")[2] for key in found.groups}
    usual = [key for word in NESTED for key in found.groups if last[key] == word]
    largest = max(found.groups, key=lambda key: (-key.count("."), len(found.groups[key])))
    found.nested = usual[0] if usual else largest
    found.tensors = found.groups.pop(found.nested)
    prefix = f"{found.nested}."
    found.names = {name.removeprefix(prefix): own for name, own in found.names.items()}
    # PaddleClas saves the states of its optimizers as a list; what lies beside the tensors is then found as in a single one
    found.groups = {name.removeprefix(prefix): group for name, group in found.groups.items()}
    found.tables = {name.removeprefix(prefix): table for name, table in found.tables.items()}


def _sort(found: Gathered, mapping: Mapping, prefix: str, source: Source, depth: int) -> None:
    tensors = found.tensors if not prefix else {}
    table: dict[str, Any] = {}
    slices: Mapping | None = None
    for key, value in mapping.pairs[: found.spend(len(mapping.pairs))]:
        name = str(key) if isinstance(key, str) or type(key) in (int, bool) else None
        if name is None:
            found.others.append(f"{prefix}?")
        elif name == NAME_TABLE and isinstance(value, Mapping):
            for structured, own in value.pairs[: found.spend(len(value.pairs))]:
                if isinstance(structured, str) and isinstance(own, str):
                    found.names[prefix + structured] = str(own)
        elif name == SLICES and isinstance(value, Mapping):
            slices = value
        elif (named := _tensor(value)) is not None:
            own_name, array = named
            tensors[name] = (array, _spans(array))
            if own_name is not None:
                found.names[prefix + name] = own_name
        elif (scalar := _scalar(value, source)) is not _NONE:
            table[name] = scalar
        elif isinstance(value, Mapping) and depth > 0:
            _sort(found, value, f"{prefix}{name}.", source, depth - 1)
        else:
            found.others.append(prefix + name)
    if slices is not None:
        _join(found, tensors, slices)
    if not prefix:
        found.scalars = table
        return
    path = prefix[:-1]
    if tensors:
        found.groups[path] = tensors
    if table or not mapping.pairs:
        found.tables[path] = table


def _join(found: Gathered, tensors: dict[str, tuple[Array, tuple[Blob, ...]]], slices: Mapping) -> None:
    """Put together what was cut in pieces (python/paddle/framework/io_utils.py, _pack_loaded_dict)."""
    for key, told in slices.pairs[: found.spend(len(slices.pairs))]:
        shape, parts = (told.get("OriginShape"), told.get("slices")) if isinstance(told, Mapping) and len(told.pairs) < 10 else (None, None)
        sides = shape_of(shape)
        if (
            not isinstance(key, str)
            or sides is None
            or not isinstance(parts, list | tuple)
            or not parts
            or found.spend(len(parts)) < len(parts)
        ):
            continue
        pieces = [tensors.get(part) for part in parts if isinstance(part, str)]
        known = [piece for piece in pieces if piece is not None]
        if len(known) != len(parts):
            continue
        whole = Array()
        whole.shape, whole.dtype = sides, known[0][0].dtype
        if sum(piece[0].size for piece in known) != whole.size:
            continue
        for part in parts:
            tensors.pop(part, None)
        tensors[str(key)] = (whole, tuple(span for piece in known for span in piece[1]))


def _spans(array: Array) -> tuple[Blob, ...]:
    return (array.data,) if isinstance(array.data, Blob) else ()


def _tensor(value: Any) -> tuple[str | None, Array] | None:
    """An array of numbers, or what `paddle.save` makes of a Tensor: its name and its array."""
    name = None
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        name, value = str(value[0]), value[1]
    if isinstance(value, Array) and value.dtype is not None and value.dtype.name is not None:
        return name, value
    return None


_NONE = object()
_CODES = {"float16": "e", "float32": "f", "float64": "d", "bool": "?"}


def _scalar(value: Any, source: Source) -> Any:
    if value is None or type(value) in (bool, int, float):
        return value
    if isinstance(value, str):
        return str(value)
    if not isinstance(value, Scalar) or value.dtype.name is None:
        return _NONE
    name, order = value.dtype.name, ">" if value.dtype.swapped else "<"
    try:
        raw = plain(value.data, source.at(value.data.offset, value.data.length))[:16]
        if name in _CODES:
            import struct

            return struct.unpack(order + _CODES[name], raw)[0]
        if "int" in name and len(raw) == value.dtype.itemsize:
            return int.from_bytes(raw, "big" if value.dtype.swapped else "little", signed=name.startswith("int"))
    except (ValueError, ArithmeticError):  # struct.error is a ValueError
        pass
    return _NONE
