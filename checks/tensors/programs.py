"""Exported programs, read without PaddlePaddle: inputs, outputs, parameters, operators, how the graph ends and what was left unfused.

Nothing is run or imported: a PIR JSON file is decoded into records, of a `ProgramDesc` message the fields are walked.
"""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from checks.tensors.graphs import CONVOLUTIONS, DECISIONS, NORMALISATIONS, PROBABILITIES, Variable

MAX_BYTES = 64 << 20
"""The largest program that is read; ResNet152's has about 2 MB."""

HALF = ("float16", "bfloat16")


class Program(msgspec.Struct, frozen=True):
    """What an exported program says of itself.

    `version` is `base_code.version` of a PIR file (3.0.0 writes 1, 3.3.1 writes 4), or the PaddlePaddle that wrote a `ProgramDesc` as
    major·10⁶ + minor·10³ + patch; None where there is none. `parameters` stand in the order of the file of values: sorted by name, as
    PaddlePaddle 2.6.2, 3.0.0 and 3.3.1 write it (`load_combine` sorts the same way). `operators` counts kinds, without the dialect and the `_`
    of in-place ones. `endings` are, for each output, the last operators in the order of their running, beginning with the one that is neither an
    activation nor a change of shape alone. `branched` counts sums of parallel convolutions.
    """

    format: Literal["pir", "program"]
    version: int | None = None
    inputs: tuple[Variable, ...] = ()
    outputs: tuple[Variable, ...] = ()
    parameters: tuple[Variable, ...] = ()
    operators: dict[str, int] = {}
    endings: tuple[tuple[str, ...], ...] = ()
    branched: int = 0

    def count(self, *kinds: str) -> int:
        """How many operators are of these kinds."""
        return sum(self.operators.get(kind, 0) for kind in kinds)

    @property
    def convolutions(self) -> int:
        """How many convolutions it has, depthwise ones among them."""
        return self.count(*CONVOLUTIONS)

    @property
    def normalisations(self) -> int:
        """How many BatchNorms it has."""
        return self.count(*NORMALISATIONS)

    @property
    def activations(self) -> tuple[str, ...]:
        """The softmaxes and sigmoids, and what picks the best class, at the end of its only output, in the order of their running."""
        if len(self.endings) != 1:
            return ()
        return tuple(kind for kind in self.endings[0] if kind in PROBABILITIES or kind in DECISIONS)

    @property
    def half(self) -> str | None:
        """The 16-bit type of its parameters, if any has one."""
        return next((item.dtype for item in self.parameters if item.dtype in HALF), None)

    @property
    def quantised(self) -> bool:
        """Whether values are quantised within."""
        return any("quantize" in kind for kind in self.operators)


def parse_program(content: bytes) -> Program | None:
    """The program in the bytes of a file, or None where they hold none."""
    from checks.tensors.pir import parse_pir  # with its records some milliseconds, and only where an export is named
    from checks.tensors.program_desc import parse_program_desc

    text = content.lstrip()[:1] == b"{"
    parsed = parse_pir(content) if text else parse_program_desc(content)
    if parsed is None:
        return None
    linked = parsed.graph.link()
    return Program(
        format="pir" if text else "program",
        version=parsed.version,
        inputs=tuple(parsed.inputs),
        outputs=tuple(parsed.outputs),
        parameters=tuple(sorted(parsed.parameters, key=lambda item: item.name.encode("utf-8", "surrogatepass"))),
        operators=parsed.operators,
        endings=tuple(linked.ending(value) for value in parsed.graph.fetched),
        branched=linked.branched(),
    )


def read_program(path: str) -> Program | None:
    """The program in a file, or None where it cannot be read or holds none."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > MAX_BYTES:
            return None
        with open(path, "rb") as stream:
            return parse_program(stream.read(MAX_BYTES + 1))
    except (OSError, ValueError):
        return None
