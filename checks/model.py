"""The words every check is written in: severities, stages, locations, findings and fixes."""

from __future__ import annotations

import enum
from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Severity(enum.Enum):
    """How bad a finding is. The default stands in the rule's page and can be set by the user."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst, so that sorting by rank puts errors first."""
        return _RANK[self]


_RANK = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class Stage(enum.Flag):
    """What the user is about to run; a rule applies to some of them."""

    TRAIN = enum.auto()
    EVAL = enum.auto()
    EXPORT = enum.auto()
    INFER = enum.auto()
    DEPLOY = enum.auto()
    ANY = TRAIN | EVAL | EXPORT | INFER | DEPLOY


TRAIN, EVAL, EXPORT, INFER, DEPLOY = Stage.TRAIN, Stage.EVAL, Stage.EXPORT, Stage.INFER, Stage.DEPLOY
ANY = Stage.ANY

OVERRIDE_FILE = "-o"
"""The file name of a location that is an override on the command line."""


class Location(msgspec.Struct, frozen=True):
    """A place in the user's own material.

    `line` and `column` count from 1. For an override `file` is `-o` and `line` its place among the overrides. `key` is the
    dotted path of a config value, list indexes as numbers (`DataLoader.Train.loader.num_workers`).
    """

    file: str
    line: int | None = None
    column: int | None = None
    key: str | None = None


class Value(msgspec.Struct, Generic[T], frozen=True):
    """A config value that knows where it stands."""

    value: T
    location: Location


class Unavailable(msgspec.Struct, frozen=True):
    """A fact that could not be had, and why: a phrase of `knowledge.phrases` with its values."""

    reason: str
    values: dict[str, Any] = {}


class Fix(msgspec.Struct, frozen=True):
    """A way out of a finding. Its title stands in the rule's page under `id`.

    `edit` names a value of the config to be set (`at`, `value`); `command` is something to run; `advice` is text or a `snippet` of
    YAML to copy. `safe` means: it changes nothing but what the finding is about and cannot lose anything.
    """

    id: str
    kind: Literal["edit", "command", "advice"]
    safety: Literal["safe", "unsafe"]
    at: Location | None = None
    value: Any = None
    command: str | None = None
    snippet: str | None = None
    values: dict[str, Any] = {}


class Finding:
    """One problem, as a check yields it: where, and the measured numbers. The sentence is the rule page's.

    `via` is the place in the config that led to a location elsewhere (the `cls_label_path` of a label file), so that a suppression
    there holds too. `case` picks one of the page's messages, and with it the severity.
    """

    __slots__ = ("at", "case", "evidence", "fixes", "via")

    def __init__(
        self,
        *,
        at: Location,
        via: Location | None = None,
        case: str | None = None,
        fixes: tuple[Fix, ...] = (),
        **evidence: Any,
    ) -> None:
        self.at = at
        self.via = via
        self.case = case
        self.fixes = fixes
        self.evidence = evidence

    def __repr__(self) -> str:
        return f"Finding(at={self.at}, case={self.case}, {self.evidence})"


class NotApplicable(Exception):  # a verdict of a check, not an error
    """Raised by a check that has nothing to say about this config; carries a phrase of `knowledge.phrases`."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        self.values = values
