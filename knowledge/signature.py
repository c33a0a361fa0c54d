"""The keywords that a constructor takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Rest = Literal["error", "ignored", "open"]
"""What becomes of any other keyword: TypeError, nothing at all, or something that cannot be told from the source."""


class Signature(NamedTuple):
    """The keywords of a constructor: those it must get, those it may, and what it does with others."""

    required: frozenset[str]
    optional: frozenset[str]
    rest: Rest

    @property
    def names(self) -> frozenset[str]:
        """All keywords that mean something to it."""
        return self.required | self.optional

    def without(self, names: Iterable[str]) -> Signature:
        """The same where some parameters are filled already."""
        gone = frozenset(names)
        return Signature(self.required - gone, self.optional - gone, self.rest)


NOTHING = Signature(frozenset(), frozenset(), "error")
UNKNOWN = Signature(frozenset(), frozenset(), "open")
