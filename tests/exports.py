"""Exported programs for tests: a graph is built operator by operator and written as PaddlePaddle writes it, both formats and the values beside it."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Shape = Sequence[int]

CODES = {"float32": 5, "float16": 4, "int64": 3, "uint8": 20}
PIR_TYPES = {"float32": "t_f32", "float16": "t_f16", "int64": "t_i64", "uint8": "t_ui8"}
SIZES = {"float32": 4, "float16": 2, "int64": 8, "uint8": 1}
OLD_NAMES = {"add": "elementwise_add", "matmul": "matmul_v2", "batch_norm_": "batch_norm"}


class Net:
    """A program in the making; a value is a number. Names of operators are those of PIR."""

    def __init__(self, image: Shape = (-1, 3, 64, 64), dtype: str = "float32") -> None:
        self.values: list[tuple[str, Shape, str]] = []
        self.parameters: list[tuple[str, Shape, str]] = []
        self.operators: list[tuple[str, list[int | str], list[int]]] = []
        self.fetched: list[int] = []
        self.fed = [self._value("x", image, dtype)]

    def _value(self, name: str, shape: Shape, dtype: str = "float32") -> int:
        self.values.append((name, shape, dtype))
        return len(self.values) - 1

    def op(
        self, kind: str, *taken: int, shape: Shape = (-1, 8, 8, 8), parameters: Sequence[tuple[str, Shape]] = (), dtype: str = "float32"
    ) -> int:
        """Add an operator with one result; each parameter gets its number put behind its name."""
        names: list[int | str] = []
        for name, sides in parameters:
            names.append(f"{name}_{len(self.parameters)}")
            self.parameters.append((str(names[-1]), sides, dtype))
        made = self._value(f"tmp_{len(self.values)}", shape, dtype)
        self.operators.append((kind, [*taken, *names], [made]))
        return made

    def conv(self, value: int, kind: str = "conv2d") -> int:
        return self.op(kind, value, parameters=[("conv.w", (8, 8, 3, 3))])

    def norm(self, value: int) -> int:
        return self.op("batch_norm_", value, parameters=[(f"bn.{part}", (8,)) for part in ("w_1", "w_2", "w_0", "b_0")])

    def head(self, value: int, output: Shape) -> int:
        """A fully connected layer."""
        flat = self.op("flatten", value, shape=(-1, 16))
        product = self.op("matmul", flat, shape=output, parameters=[("linear.w", (16, abs(output[-1]) if output else 1))])
        return self.op("add", product, shape=output, parameters=[("linear.b", (abs(output[-1]) if output else 1,))])

    def fetch(self, value: int) -> Net:
        self.fetched.append(value)
        return self

    @property
    def sorted_parameters(self) -> list[tuple[str, Shape, str]]:
        return sorted(self.parameters)

    def pir(self, version: int = 4) -> bytes:
        """As `paddle/fluid/pir/serialize_deserialize` writes it."""
        ids = {name: number for number, (name, _, _) in enumerate(self.parameters, 1)}
        first = len(ids) + 1

        def result(number: int, shape: Shape, dtype: str) -> dict[str, Any]:
            return {"%": number, "TT": {"#": "0.t_dtensor", "D": [{"#": f"0.{PIR_TYPES[dtype]}"}, list(shape), "NCHW", [], 0]}}

        def text(name: str, value: str) -> dict[str, Any]:
            return {"AT": {"#": "0.a_str", "D": value}, "N": name}

        ops: list[dict[str, Any]] = [
            {"#": "p", "A": [0, 1, 1, name], "DA": [], "O": result(ids[name], shape, dtype), "OA": [1, 0, 1], "QA": []}
            for name, shape, dtype in reversed(self.parameters)
        ]
        for number in self.fed:
            name, shape, dtype = self.values[number]
            ops.append({"#": "1.data", "A": [text("name", name)], "I": [], "O": [result(number + first, shape, dtype)]})
        for kind, taken, made in self.operators:
            uses = [{"%": ids[item] if isinstance(item, str) else item + first} for item in taken]
            ops.append({"#": f"1.{kind}", "A": [], "I": uses, "O": [result(n + first, *self.values[n][1:]) for n in made]})
        for number in self.fetched:
            _, shape, dtype = self.values[number]
            last = first + len(self.values) + number
            ops.append(
                {"#": "1.fetch", "A": [text("name", "fetch_name_0")], "I": [{"%": number + first}], "O": [result(last, shape, dtype)]}
            )
        base = {"magic": "pir", "trainable": True, "version": version}
        return json.dumps({"base_code": base, "program": {"regions": [{"blocks": [{"args": [], "ops": ops}]}]}}).encode()

    def program(self, version: int = 2006002) -> bytes:
        """As `paddle/fluid/framework/framework.proto` says."""

        def variable(name: str, shape: Shape, dtype: str, kept: bool) -> bytes:
            tensor = field(1, CODES[dtype]) + b"".join(field(2, side) for side in shape)
            kind = field(1, 7) + field(3, field(1, tensor))
            return field(3, field(1, name.encode()) + field(2, kind) + field(3, int(kept)))

        def operator(kind: str, taken: Sequence[int | str], made: Sequence[int]) -> bytes:
            names = [item if isinstance(item, str) else self.values[item][0] for item in taken]
            inputs = b"".join(field(1, field(1, b"X") + field(2, name.encode())) for name in names)
            outputs = field(2, field(1, b"Out") + b"".join(field(2, self.values[number][0].encode()) for number in made))
            attribute = field(4, field(1, b"op_role") + field(2, 0) + field(3, 0))
            return field(4, inputs + outputs + field(3, kind.encode()) + attribute)

        body = field(1, 0) + field(2, -1)
        for name, kind in ((b"feed", 9), (b"fetch", 10)):  # lists, persistable as well
            body += field(3, field(1, name) + field(2, field(1, kind)) + field(3, 1))
        body += b"".join(variable(*item, True) for item in self.parameters) + b"".join(variable(*item, False) for item in self.values)
        body += b"".join(operator("feed", ["feed"], [number]) for number in self.fed)
        body += b"".join(operator(OLD_NAMES.get(kind, kind), taken, made) for kind, taken, made in self.operators)
        body += b"".join(operator("fetch", [number], []) for number in self.fetched)
        return field(1, body) + field(4, field(1, version))

    def stored(self) -> bytes:
        """The values, all zero, as `save_combine` writes them: sorted by name."""
        return b"".join(stored_tensor(shape, dtype) for _, shape, dtype in self.sorted_parameters)

    def write(self, folder: Path, model: str = "json", prefix: str = "inference") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{prefix}.{model}").write_bytes(self.pir() if model == "json" else self.program())
        (folder / f"{prefix}.pdiparams").write_bytes(self.stored())


def stored_tensor(shape: Shape, dtype: str = "float32") -> bytes:
    """One tensor of a static graph (`SerializeToStream`)."""
    described = field(1, CODES[dtype]) + b"".join(field(2, side) for side in shape)
    count = 1
    for side in shape:
        count *= side
    return struct.pack("<IQIi", 0, 0, 0, len(described)) + described + bytes(count * SIZES[dtype])


def field(number: int, content: bytes | int) -> bytes:
    """One field of a protobuf message."""

    def varint(value: int) -> bytes:
        value &= (1 << 64) - 1
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])

    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def classifier(
    output: Shape = (-1, 5), image: Shape = (-1, 3, 64, 64), ending: Sequence[str] = ("softmax",), dtype: str = "float32"
) -> Net:
    """A classifier of one layer and what stands behind it."""
    net = Net(image, dtype)
    value = net.head(net.fed[0], output)
    for kind in ending:
        value = net.op(kind, value, shape=output)
    return net.fetch(value)


def repvgg(blocks: int = 3) -> Net:
    """Blocks of a 3x3 and a 1x1 convolution and an identity, each with a BatchNorm, summed."""
    net = Net()
    value = net.conv(net.fed[0])
    for _ in range(blocks):
        value = net.op("relu", value)
        total = net.op("add", net.norm(net.conv(value)), net.norm(net.conv(value)))
        value = net.op("add", total, net.norm(value))
    return net.fetch(net.op("softmax", net.head(value, (-1, 5)), shape=(-1, 5)))
