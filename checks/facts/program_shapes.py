"""Shapes and convolutions of an exported program, read from its file: PIR JSON (Paddle 3) and the `ProgramDesc` message (`.pdmodel`).

Nothing is run or imported. Of the JSON only the names of operators and what `data` and `fetch` say are looked at; of the message only the types of
operators, and the variables that `feed` and `fetch` name (`paddle/fluid/framework/framework.proto`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import msgspec

Shape = tuple[int, ...]
_CONVOLUTIONS = ("conv2d", "depthwise_conv2d")
_NORMALISATIONS = ("batch_norm", "batch_norm_")
MAX_BYTES = 64 << 20
"""The largest program that is read; ResNet152's has about 2 MB."""


class Shapes(msgspec.Struct, frozen=True):
    """Shapes of the inputs and outputs, -1 where the program leaves a size open. `version` is the format's number of a PIR file.

    `convolutions` counts conv2d and depthwise_conv2d, `normalisations` batch_norm.
    """

    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    version: int | None = None
    convolutions: int = 0
    normalisations: int = 0


def pir_shapes(content: bytes) -> Shapes | None:
    """Shapes in a PIR JSON file, or None if it is none."""
    try:
        data = msgspec.json.decode(content)
        base = data["base_code"]
        operators = data["program"]["regions"][0]["blocks"][0]["ops"]
        if base.get("magic") != "pir" or not isinstance(operators, list):
            return None
        version = base.get("version")
        names = [(str(op.get("#", "")).rpartition(".")[2], op) for op in operators if isinstance(op, dict)]
    except (msgspec.DecodeError, ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return None
    return Shapes(
        inputs=tuple(_pir_output(op) for name, op in names if name == "data"),
        outputs=tuple(_pir_output(op) for name, op in names if name == "fetch"),
        version=version if type(version) is int else None,
        convolutions=sum(name in _CONVOLUTIONS for name, _ in names),
        normalisations=sum(name in _NORMALISATIONS for name, _ in names),
    )


def _pir_output(operator: dict[str, Any]) -> Shape:
    with contextlib.suppress(KeyError, IndexError, TypeError):
        shape = operator["O"][0]["TT"]["D"][1]
        if isinstance(shape, list) and all(type(side) is int for side in shape):
            return tuple(shape)
    return ()


def program_shapes(content: bytes) -> Shapes | None:
    """Shapes in a `.pdmodel` file, or None if it is none."""
    try:
        block = next((body for number, body in _fields(content) if number == 1 and isinstance(body, bytes)), None)
        if block is None:
            return None
        dims: dict[bytes, Shape] = {}
        fed: list[bytes] = []
        fetched: list[bytes] = []
        kinds: list[str] = []
        for number, body in _fields(block):
            if number == 3 and isinstance(body, bytes):
                name, shape = _variable(body)
                dims[name] = shape
            elif number == 4 and isinstance(body, bytes):
                kind, inputs, outputs = _operator(body)
                kinds.append(kind.decode("ascii", "replace"))
                if kind == b"feed":
                    fed += outputs
                elif kind == b"fetch":
                    fetched += inputs
    except ValueError:
        return None
    if not dims:
        return None
    return Shapes(
        inputs=tuple(dims.get(name, ()) for name in fed),
        outputs=tuple(dims.get(name, ()) for name in fetched),
        convolutions=sum(kind in _CONVOLUTIONS for kind in kinds),
        normalisations=sum(kind in _NORMALISATIONS for kind in kinds),
    )


def _variable(body: bytes) -> tuple[bytes, Shape]:
    """VarDesc: 1 name, 2 type → VarType: 3 lod_tensor → 1 tensor → 2 dims."""
    name, dims = b"", []
    for number, value in _fields(body):
        if number == 1 and isinstance(value, bytes):
            name = value
        elif number == 2 and isinstance(value, bytes):
            for tensor in _nested(_nested(iter([value]), 3), 1):
                dims = [_signed(v) for n, v in _fields(tensor) if n == 2 and isinstance(v, int)]
    return name, tuple(dims)


def _operator(body: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    """OpDesc: 1 inputs, 2 outputs (2 arguments), 3 type."""
    kind = b""
    names: dict[int, list[bytes]] = {1: [], 2: []}
    for number, value in _fields(body):
        if number == 3 and isinstance(value, bytes):
            kind = value
        elif number in names and isinstance(value, bytes):
            names[number] += [v for n, v in _fields(value) if n == 2 and isinstance(v, bytes)]
    return kind, names[1], names[2]


def _nested(messages: Iterator[bytes], wanted: int) -> Iterator[bytes]:
    for message in messages:
        for number, value in _fields(message):
            if number == wanted and isinstance(value, bytes):
                yield value


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: number, and a number or bytes.

    Raises:
        ValueError: it is not a message.
    """
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        number, wire = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("field 0")
        if wire == 0:
            value, at = _varint(content, at)
            yield number, value
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            if at + size > len(content):
                raise ValueError("cut off")
            yield number, content[at : at + size]
            at += size
        elif wire == 2:
            size, at = _varint(content, at)
            if at + size > len(content):
                raise ValueError("cut off")
            yield number, content[at : at + size]
            at += size
        else:
            raise ValueError("unknown wire type")


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
