"""The PIR JSON of an exported program (`inference.json`, PaddlePaddle 3; paddle/fluid/pir/serialize_deserialize)."""

from __future__ import annotations

from typing import Any

import msgspec

from checks.tensors.graphs import Graph, Node, Variable

DTYPES = {
    "t_bool": "bool",
    "t_i8": "int8",
    "t_ui8": "uint8",
    "t_i16": "int16",
    "t_i32": "int32",
    "t_i64": "int64",
    "t_f16": "float16",
    "t_bf16": "bfloat16",
    "t_f32": "float32",
    "t_f64": "float64",
    "t_c64": "complex64",
    "t_c128": "complex128",
    "t_f8e4m3fn": "float8_e4m3fn",
    "t_f8e5m2": "float8_e5m2",
}
MOST_KEYS = 2_000_000
"""Operators, types and attributes, each of which has a key `#`, and uses of values with their `%`; ResNet152 has 14,000 and 4,000."""


class _Result(msgspec.Struct, gc=False):
    id: int = msgspec.field(name="%", default=0)
    type: msgspec.Raw = msgspec.field(name="TT", default=msgspec.Raw(b""))


class _Use(msgspec.Struct, gc=False):
    id: int = msgspec.field(name="%")


class _Operator(msgspec.Struct):
    kind: str = msgspec.field(name="#")
    attributes: msgspec.Raw = msgspec.field(name="A", default=msgspec.Raw(b""))
    taken: list[_Use] = msgspec.field(name="I", default_factory=list)
    made: list[_Result] | _Result = msgspec.field(name="O", default_factory=list)
    regions: list[_Region] = []


class _Block(msgspec.Struct):
    ops: list[_Operator]


class _Region(msgspec.Struct):
    blocks: list[_Block]


class _Base(msgspec.Struct):
    magic: str
    version: int | None = None


class _Program(msgspec.Struct):
    regions: list[_Region]


class _File(msgspec.Struct):
    base_code: _Base
    program: _Program


class Parsed(msgspec.Struct):
    """A program as it stands in its file; `operators` counts kinds, those of inner blocks too."""

    graph: Graph
    version: int | None
    inputs: list[Variable]
    outputs: list[Variable]
    parameters: list[Variable]
    operators: dict[str, int]


def parse_pir(content: bytes) -> Parsed | None:
    """The program in a PIR JSON file, or None if it is none."""
    if any(content.count(key) > MOST_KEYS for key in (b'"#"', b'"%"', b'"ops"', b'"blocks"')):
        return None
    try:
        file = msgspec.json.decode(content, type=_File)
        if file.base_code.magic != "pir":
            return None
        operators = file.program.regions[0].blocks[0].ops
        parsed = Parsed(Graph(), file.base_code.version, [], [], [], {})
        for operator in operators:
            _add(operator, parsed)
    except (msgspec.DecodeError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return parsed


def _add(operator: _Operator, parsed: Parsed) -> None:
    kind = operator.kind.rpartition(".")[2]
    results = operator.made if isinstance(operator.made, list) else [operator.made]
    taken, made = [use.id for use in operator.taken], [result.id for result in results if result.id > 0]
    if kind in ("p", "parameter"):
        if results:
            parsed.parameters.append(_variable(_parameter_name(operator.attributes), results[0]))
        return
    kind = kind.rstrip("_")
    parsed.operators[kind] = parsed.operators.get(kind, 0) + 1
    _count_inner(operator, parsed.operators)
    if kind in ("data", "feed"):
        parsed.inputs.append(_variable(_attribute(operator.attributes, "name"), results[0] if results else _Result()))
        parsed.graph.fed += made
    elif kind == "fetch":
        parsed.outputs.append(_variable(_attribute(operator.attributes, "name"), results[0] if results else _Result()))
        parsed.graph.fetched += taken[:1]
    else:
        parsed.graph.nodes.append(Node(kind, taken, made))


def _count_inner(operator: _Operator, counts: dict[str, int]) -> None:
    waiting = [inner for region in operator.regions for block in region.blocks for inner in block.ops]
    while waiting:
        inner = waiting.pop()
        kind = inner.kind.rpartition(".")[2].rstrip("_")
        counts[kind] = counts.get(kind, 0) + 1
        waiting += [one for region in inner.regions for block in region.blocks for one in block.ops]


def _parameter_name(attributes: msgspec.Raw) -> str:
    """Three flags and the name."""
    values = _decoded(attributes)
    return next((value for value in values if isinstance(value, str)), "")


def _attribute(attributes: msgspec.Raw, name: str) -> str:
    for item in _decoded(attributes):
        if isinstance(item, dict) and item.get("N") == name and isinstance(item.get("AT"), dict):
            value = item["AT"].get("D")
            return value if isinstance(value, str) else ""
    return ""


def _decoded(attributes: msgspec.Raw) -> list[Any]:
    values = msgspec.json.decode(attributes) if len(bytes(attributes)) else []
    return values if isinstance(values, list) else []


def _variable(name: str, result: _Result) -> Variable:
    """`TT`: {"#": "0.t_dtensor", "D": [{"#": "0.t_f32"}, [-1, 3, 224, 224], "NCHW", …]}."""
    dtype, shape = "", ()
    described = msgspec.json.decode(result.type) if len(bytes(result.type)) else None
    parts = described.get("D") if isinstance(described, dict) else None
    if isinstance(parts, list) and len(parts) > 1:
        if isinstance(parts[0], dict) and isinstance(parts[0].get("#"), str):
            dtype = DTYPES.get(parts[0]["#"].rpartition(".")[2], "")
        if isinstance(parts[1], list) and all(type(side) is int for side in parts[1]):
            shape = tuple(parts[1])
    return Variable(name, dtype, shape)
