"""The result of one image as a program printed it, and all of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from checks.facts.parity import Ranked

Form = Literal[
    "list-of-dicts", "predict-cls", "attributes", "score", "infer-2.1", "infer-2.0", "infer-static", "predict-2.0", "predict-static",
    "wheel", "cpp", "cpp-old",
]  # fmt: skip
"""Whose lines they are."""

Kind = Literal["ranked", "attributes", "score"]
"""What the numbers are: classes by score, attributes (`ids` are those that are on), or bare scores without classes."""

FULL = 17
"""Decimals of a number that is printed whole."""


class Printed(msgspec.Struct, frozen=True):
    """The result of one image. `decimals` of the scores were printed; `line` counts from 1; `file` is None where the program does not say it."""

    file: str | None
    result: Ranked
    kind: Kind = "ranked"
    decimals: int = FULL
    form: Form = "list-of-dicts"
    line: int = 0

    @property
    def name(self) -> str:
        """The file's name without folders: some programs print only that."""
        return base_name(self.file or "")


class Results(msgspec.Struct, frozen=True):
    """All that was found in a text. `unread` are images that the program could not read, with what it said (`file`, `error`)."""

    printed: tuple[Printed, ...]
    unread: tuple[tuple[str, str], ...] = ()
    lines: int = 0

    @property
    def decimals(self) -> int:
        """The decimals of the scores: most of all that were printed, for a whole number has none."""
        return max((one.decimals for one in self.printed if one.result.scores), default=FULL)


def base_name(path: str) -> str:
    """The last part of a path of either system."""
    return path.rstrip("/\\").replace("\\", "/").rpartition("/")[2]
