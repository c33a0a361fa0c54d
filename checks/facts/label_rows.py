"""Small label lists without numpy: usual lines many at a time, the others as they are, for the exact rule.

A usual line is `path<separator>digits` with no other white space. Whether lines are usual is seen from the white space and the separators alone,
in one pass of C over their bytes; a piece with an odd line in it is halved until what is left of it is short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from checks.facts import label_lines
from checks.facts.label_format import LabelFormat, Parsed, parse_line
from checks.facts.label_lines import LabelFile

FEW = 2048
"""So many bytes with an odd line in them are read line by line."""
_BLANKS = b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f "
_WIDE_BLANK = re.compile(r"[^\S\t\n ]")


class UsualLines:
    """Lines in a row that are `path<separator>digits`: their paths, and their labels with the offset of the rule."""

    __slots__ = ("labels", "paths")

    def __init__(self, paths: list[str], labels: list[int]) -> None:
        self.paths = paths
        self.labels = labels

    def __len__(self) -> int:
        return len(self.paths)


def runs(piece: bytes, rule: LabelFormat) -> Iterator[UsualLines | list[str]]:
    """Whole lines in order: usual ones taken apart, odd ones as text."""
    separator = _separator(piece, rule)
    parts = [piece] if piece else []
    while parts:
        part = parts.pop()
        found = _usual_lines(part, separator, rule.offset) if separator else None
        if found is not None:
            yield found
            continue
        cut = part.find(b"\n", len(part) // 2) + 1 if separator and len(part) > FEW else 0
        if 0 < cut < len(part):
            parts += [part[cut:], part[:cut]]
        else:
            yield part.decode("utf-8", "surrogateescape").split("\n")[:-1]


def too_long(line: str) -> bool:
    """Whether a line has `MAX_LINE` bytes or more."""
    return 4 * len(line) >= label_lines.MAX_LINE and len(line.encode("utf-8", "surrogateescape")) >= label_lines.MAX_LINE


def exact_path(line: str, rule: LabelFormat) -> str | None:
    """The image path of one line by the dataset class's own rule, or None where it has none."""
    if too_long(line):
        return None
    parsed = parse_line(line, rule)
    return parsed.path if isinstance(parsed, Parsed) else None


def listed_paths(path: str, rule: LabelFormat) -> Iterator[tuple[int, str]]:
    """(line number, image path) of every sample of a list, as its dataset class would open them.

    Raises:
        Unreadable: the list cannot be read.
    """
    with LabelFile(path) as file:
        for piece in file.pieces():
            for run in runs(piece, rule):
                first = file.lines + 1
                file.lines += len(run)
                if isinstance(run, UsualLines):
                    yield from enumerate(run.paths, first)
                    continue
                for number, line in enumerate(run, first):
                    name = exact_path(line, rule)
                    if name is not None:
                        yield number, name


def _separator(piece: bytes, rule: LabelFormat) -> str | None:
    """The separator of usual lines, None where the rule has none that can be told from paths and figures."""
    if (rule.image_column, rule.label_column, rule.header, rule.labels) != (0, 1, None, "class"):
        return None
    if rule.separator is None:
        return "\t" if b"\t" in piece[: piece.find(b"\n")] else " "
    one = rule.separator
    return one if one in (" ", "\t") or (len(one) == 1 and one.isascii() and one.isprintable() and not one.isalnum()) else None


@lru_cache(maxsize=8)
def _others(separator: str) -> bytes:
    """All bytes but white space and the separator."""
    return bytes(set(range(256)) - set(_BLANKS) - set(separator.encode()))


def _usual_lines(data: bytes, separator: str, offset: int) -> UsualLines | None:
    if data.translate(None, _others(separator)) != (separator.encode() + b"\n") * data.count(b"\n"):
        return None
    text = data.decode("utf-8", "surrogateescape")
    if not text.isascii() and _WIDE_BLANK.search(text):
        return None
    cells = text.replace(separator, "\n").split("\n")
    cells.pop()
    paths, figures = cells[::2], cells[1::2]
    joined = "".join(figures)
    # int() takes more than these, and numpy's int64 less than int(): both are left to the exact rule
    if not (all(cells) and joined.isdigit() and joined.isascii() and max(map(len, figures)) < 19):
        return None
    if len(data) >= label_lines.MAX_LINE and 4 * max(map(len, paths)) >= label_lines.MAX_LINE - 80:
        return None
    labels = list(map(int, figures))
    return UsualLines(paths, [label + offset for label in labels] if offset else labels)
