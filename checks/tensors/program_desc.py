"""The message `ProgramDesc` of an exported program (`.pdmodel`, `__model__`, `model`; paddle/fluid/framework/framework.proto)."""

from __future__ import annotations

from checks.tensors.graphs import Graph, Node, Variable
from checks.tensors.pir import Parsed
from checks.tensors.static import TYPES

TENSOR = 7
"""`VarType.Type.LOD_TENSOR`; of the persistable variables those of other types are the feed and fetch lists."""
MOST_FIELDS = 3_000_000
"""Fields that are looked at; ResNet152 has 60,000."""

Field = tuple[int, "int | bytes"]


def parse_program_desc(content: bytes) -> Parsed | None:
    """The program in a `ProgramDesc`, or None if it is none."""
    try:
        return _Reader().program(content)
    except (ValueError, RecursionError):
        return None


class _Described:
    """What a VarDesc says."""

    __slots__ = ("is_tensor", "persistable", "variable")

    def __init__(self, variable: Variable, is_tensor: bool, persistable: bool) -> None:
        self.variable = variable
        self.is_tensor = is_tensor
        self.persistable = persistable


class _Reader:
    """Reads the messages and counts their fields."""

    def __init__(self) -> None:
        self._left = MOST_FIELDS
        self._values: dict[bytes, int] = {}
        self._number = 0

    def program(self, content: bytes) -> Parsed | None:
        """ProgramDesc: 1 blocks, 4 version → 1 version."""
        blocks: list[bytes] = []
        version = None
        for number, value in self._fields(content):
            if number == 1 and isinstance(value, bytes):
                blocks.append(value)
            elif number == 4 and isinstance(value, bytes):
                version = next((v for n, v in self._fields(value) if n == 1 and isinstance(v, int)), None)
        if not blocks:
            return None
        parsed = Parsed(Graph(), version, [], [], [], {})
        variables: dict[bytes, _Described] = {}
        for place, block in enumerate(blocks):
            operators: list[bytes] = []
            for number, value in self._fields(block):
                if number == 3 and isinstance(value, bytes) and place == 0:
                    name, described = self._variable(value)
                    variables[name] = described
                elif number == 4 and isinstance(value, bytes):
                    operators.append(value)
            for operator in operators:
                self._operator(operator, parsed, variables, place == 0)
        if not variables:
            return None
        kept = [d.variable for d in variables.values() if d.persistable and d.is_tensor]
        parsed.parameters = kept
        return parsed

    def _operator(self, body: bytes, parsed: Parsed, variables: dict[bytes, _Described], outermost: bool) -> None:
        """OpDesc: 1 inputs, 2 outputs (2 arguments), 3 type."""
        kind = ""
        taken: list[bytes] = []
        made: list[bytes] = []
        for number, value in self._fields(body):
            if number == 3 and isinstance(value, bytes):
                kind = value.decode("ascii", "replace")
            elif number in (1, 2) and isinstance(value, bytes):
                (taken if number == 1 else made).extend(v for n, v in self._fields(value) if n == 2 and isinstance(v, bytes))
        parsed.operators[kind] = parsed.operators.get(kind, 0) + 1
        if not outermost:
            return
        values = [self._value(name) for name in taken]
        if kind == "feed":
            for name in made:
                parsed.inputs.append(_named(name, variables))
                parsed.graph.fed.append(self._new(name))
        elif kind == "fetch":
            for name, number in zip(taken, values, strict=True):
                parsed.outputs.append(_named(name, variables))
                parsed.graph.fetched.append(number)
        else:
            parsed.graph.nodes.append(Node(kind, values, [self._new(name) for name in made]))

    def _value(self, name: bytes) -> int:
        """The number of a name's present value: a name may be written more than once."""
        return self._values[name] if name in self._values else self._new(name)

    def _new(self, name: bytes) -> int:
        self._number += 1
        self._values[name] = self._number
        return self._number

    def _variable(self, body: bytes) -> tuple[bytes, _Described]:
        """VarDesc: 1 name, 2 type → VarType: 1 type, 3 lod_tensor → 1 tensor → 1 data_type, 2 dims; 3 persistable."""
        name, persistable, is_tensor = b"", False, False
        dtype, sides = "", []
        for number, value in self._fields(body):
            if number == 1 and isinstance(value, bytes):
                name = value
            elif number == 3:
                persistable = value == 1
            elif number == 2 and isinstance(value, bytes):
                for inner, held in self._fields(value):
                    if inner == 1:
                        is_tensor = held == TENSOR
                    elif inner == 3 and isinstance(held, bytes):
                        for code, side in self._tensor(held):
                            if code == 1:
                                dtype = TYPES[side][0] if side in TYPES else ""
                            else:
                                sides.append(side - (1 << 64) if side >> 63 else side)
        return name, _Described(Variable(name.decode("utf-8", "replace"), dtype, tuple(sides)), is_tensor, persistable)

    def _tensor(self, body: bytes) -> list[tuple[int, int]]:
        return [
            (code, side)
            for number, tensor in self._fields(body)
            if number == 1 and isinstance(tensor, bytes)
            for code, side in self._fields(tensor)
            if code in (1, 2) and isinstance(side, int)
        ]

    def _fields(self, content: bytes) -> list[Field]:
        """The fields of a message: number, and a number or bytes.

        Raises:
            ValueError: it is not a message, or there are too many.
        """
        found: list[Field] = []
        at, end = 0, len(content)
        while at < end:
            tag = content[at]
            at += 1
            if tag > 0x7F:
                tag, at = _varint(content, at - 1)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise ValueError("field 0")
            if wire == 0:
                value, at = _varint(content, at)
                found.append((number, value))
            elif wire == 2:
                size, at = _varint(content, at)
                if at + size > end:
                    raise ValueError("cut off")
                found.append((number, content[at : at + size]))
                at += size
            elif wire in (1, 5):
                size = 8 if wire == 1 else 4
                if at + size > end:
                    raise ValueError("cut off")
                found.append((number, content[at : at + size]))
                at += size
            else:
                raise ValueError("unknown wire type")
            if len(found) > self._left:
                raise ValueError("too many fields")
        self._left -= len(found)
        return found


def _named(name: bytes, variables: dict[bytes, _Described]) -> Variable:
    described = variables.get(name)
    return described.variable if described is not None else Variable(name.decode("utf-8", "replace"), "", ())


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(content) and shift < 64:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), at
        shift += 7
    raise ValueError("cut off")
