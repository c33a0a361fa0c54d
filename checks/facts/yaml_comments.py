"""Comments of a YAML file that speak to this program."""

from __future__ import annotations

import re

import msgspec

_SUPPRESSION = re.compile(r"(?:^|\s)#\s*paddle-doctor:\s*(ignore-file|ignore)(?![\w-])\s*(?:\[([^\]]*)\])?[ \t:]*([^\n]*)")


class Suppression(msgspec.Struct, frozen=True):
    """A `# paddle-doctor: ignore[...] reason` comment; `covers` is the line it speaks of, or None for the whole file."""

    line: int
    covers: int | None
    rules: tuple[str, ...]
    reason: str


def find_suppressions(text: str, scalars: list[tuple[int, int, int, int]]) -> tuple[Suppression, ...]:
    """The suppressions of a text; `scalars` are the places (first line, column, last line, column, from 0) where a "#" is part of a string."""
    if "paddle-doctor" not in text:
        return ()
    lines = text.split("\n")
    found = []
    for number, line in enumerate(lines):
        match = _SUPPRESSION.search(line)
        if not match:
            continue
        column = line.index("#", match.start())
        if any((a, b) <= (number, column) < (c, d) for a, b, c, d in scalars):
            continue  # the text of a string, not a comment
        scope, rules, reason = match.group(1), match.group(2) or "", match.group(3).strip()
        covers: int | None = number + 1
        if scope == "ignore-file":
            covers = None
        elif not line[:column].strip():  # a line of its own speaks of the next line that is not a comment
            following = (n for n in range(number + 1, len(lines)) if lines[n].strip() and not lines[n].lstrip().startswith("#"))
            covers = next(following, number) + 1
        names = tuple(name.strip() for name in rules.split(",") if name.strip())
        found.append(Suppression(number + 1, covers, names, reason))
    return tuple(found)
