"""Styled text in lines of a given width, for a terminal: counts cells, not characters, and breaks Chinese where Chinese may break.

rich wraps only at blanks, so a Chinese sentence would break before its first Latin word. Colours are left to rich, which is loaded only when there
are any (25 ms); the width of a character is rich's too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TextIO

from rich.cells import cell_len, get_character_cell_size

Segment = tuple[str, str]
"""A piece of text and its style, as rich names styles ("bold red"); "" for none."""

NOT_FIRST = frozenset("，。、；：？！）】》」』”’…,.;:?!)]}%")
"""Characters that do not begin a line (the rules of GB/T 15834)."""
NOT_LAST = frozenset("（【《「『“‘([{")
"""Characters that do not end one."""


def wrap(segments: list[Segment], width: int) -> list[list[Segment]]:
    """Break a styled text into lines of at most `width` cells; a word longer than a line is cut."""
    lines: list[list[Segment]] = [[]]
    used = 0
    for pieces in _units(segments):
        cells = sum(cell_len(text) for text, _ in pieces)
        blank = all(text.isspace() for text, _ in pieces)
        if used + cells > width and used:
            lines.append([])
            used = 0
        if blank and not used and len(lines) > 1:
            continue  # a line does not begin with the blank it was broken at
        while cells > width:
            head, pieces = _cut(pieces, width - used)
            lines[-1] += head
            lines.append([])
            used, cells = 0, sum(cell_len(text) for text, _ in pieces)
        lines[-1] += pieces
        used += cells
    for line in lines:
        while line and line[-1][0].isspace():
            line.pop()
    return lines


def write(lines: list[list[Segment]], out: TextIO, color: bool) -> None:
    """Write lines as they are, however long; with their styles if `color` and `out` is a terminal without NO_COLOR."""
    if not color or not out.isatty() or os.environ.get("NO_COLOR"):
        out.write("".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines))
        return
    from rich.console import Console

    console = Console(file=out, highlight=False, emoji=False, markup=False)
    console.print(to_rich(lines), soft_wrap=True, end="")


def to_rich(lines: list[list[Segment]]) -> object:
    """The lines as one rich Text."""
    from rich.text import Text

    page = Text()
    for line in lines:
        for text, style in line:
            page.append(text, style=style or None)
        page.append("\n")
    return page


def _units(segments: list[Segment]) -> Iterator[list[Segment]]:
    """What must stay together: Latin words, single wide characters with the punctuation that belongs to them, runs of blanks."""
    unit: list[Segment] = []
    last = ""
    for text, style in segments:
        start = 0
        for index, char in enumerate(text):
            if last and _may_break(last, char):
                if index > start:
                    unit.append((text[start:index], style))
                if unit:
                    yield unit
                unit, start = [], index
            last = char
        if start < len(text):
            unit.append((text[start:], style))
    if unit:
        yield unit


def _may_break(before: str, after: str) -> bool:
    if before.isspace() or after.isspace():
        return before.isspace() != after.isspace()
    if after in NOT_FIRST or before in NOT_LAST:
        return False
    return get_character_cell_size(before) == 2 or get_character_cell_size(after) == 2


def _cut(pieces: list[Segment], width: int) -> tuple[list[Segment], list[Segment]]:
    head: list[Segment] = []
    room = max(1, width)
    for index, (text, style) in enumerate(pieces):
        count = 0
        while count < len(text) and (cells := get_character_cell_size(text[count])) <= room:
            room -= cells
            count += 1
        if count < len(text):
            if count:
                head.append((text[:count], style))
            return head, [(text[count:], style), *pieces[index + 1 :]]
        head.append((text, style))
    return head, []
