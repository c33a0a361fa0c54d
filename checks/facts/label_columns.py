"""Where the cells of usual lines stand: a piece of a label file taken apart with numpy, a line `path<separator>digits` being the usual one.

A line counts as usual only where the dataset class surely reads it as it is read here; all others are left to `parse_line`, the class's own rule.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from checks.facts import label_lines
from checks.facts.label_format import LabelFormat

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Indexes = npt.NDArray[np.int64]

_WIDE_SPACE = re.compile(rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80")
"""What `str.isspace` counts as white space beyond ASCII, in UTF-8."""
_NEWLINE, _SLASH, _MINUS, _ZERO = 10, 47, 45, 48


class Columns:
    """How a rule's usual lines look; `usable` is False where it has none that are surely read right."""

    def __init__(self, rule: LabelFormat) -> None:
        separator = " " if rule.separator is None else rule.separator
        self.any_space = rule.separator is None
        self.separator = separator.encode("utf-8", "replace")
        self.image, self.label, self.integer = rule.image_column, rule.label_column, rule.integer_column
        self.wanted = max(self.image, self.label)
        self.multilabel = rule.labels == "multilabel"
        self.most = self.wanted if rule.exact else None
        self.header = rule.header.encode() + self.separator if rule.header is not None else None
        own = "," if self.multilabel else ""
        self.usable = bool(separator) and not any(c.isdigit() or c in f"\r\n-{own}" for c in separator) and b"?" not in self.separator
        self.strips = separator.isspace()


class Piece:
    """One piece of a file with its usual lines: `good` are their indexes (None for all lines), the other arrays are theirs.

    Spans are half open. `labels` are the numbers in the label column (not offset), empty for multi-label rows, whose `label_starts` and
    `label_ends` are to be read by the caller. `controls` says whether there are control characters in the piece, `wide` whether there may be
    white space or invisible characters beyond ASCII. `columns` is the number of cells of each good line,
    `doubled` whether its separator stands twice in a row (None: in none of them).
    """

    __slots__ = (
        *("ascii", "buffer", "columns", "controls", "data", "doubled", "ends", "good", "label_ends", "label_starts", "labels"),
        *("path_ends", "path_starts", "wide"),
    )

    def __init__(self, np: Any, data: bytes) -> None:
        self.data = data
        self.buffer = np.frombuffer(data, np.uint8)
        self.ascii = data.isascii()
        self.wide = not self.ascii and _wide_spaces(data)
        self.controls = b"\x7f" in data
        self.ends: Indexes = np.zeros(0, np.int64)
        self.columns = 0
        self.doubled: Any = None
        self.good: Indexes | None = None
        self.labels: Any = None
        self.path_starts: Any = None
        self.path_ends: Any = None
        self.label_starts: Any = None
        self.label_ends: Any = None

    def odd(self, np: Any) -> list[int]:
        """Indexes of the lines that are not usual."""
        if self.good is None:
            return []
        odd = np.ones(len(self.ends), bool)
        odd[self.good] = False
        return [int(index) for index in np.flatnonzero(odd)]

    @property
    def count(self) -> int:
        """How many lines are good."""
        return len(self.ends) if self.good is None else len(self.good)

    def first_good(self) -> int:
        """Index of the first good line."""
        return 0 if self.good is None else int(self.good[0])

    def narrow(self, fine: Any) -> None:
        """Keep some of the good lines; `fine` is a mask over them."""
        self.good = fine.nonzero()[0] if self.good is None else self.good[fine]
        for name in ("doubled", "labels", "path_starts", "path_ends", "label_starts", "label_ends"):
            values = getattr(self, name)
            if values is not None:
                setattr(self, name, values[fine])


def folder_ends(np: Any, piece: Piece) -> Any:
    """Where the folder of each good line's path ends: behind its last "/", or at its start where it has none."""
    starts = piece.path_starts
    slashes = np.flatnonzero(piece.buffer == _SLASH)
    if not len(slashes):
        return starts
    last = slashes[np.maximum(np.searchsorted(slashes, piece.path_ends) - 1, 0)]
    return np.where((last >= starts) & (last < piece.path_ends), last + 1, starts)


def _wide_spaces(piece: bytes) -> bool:
    """Whether there may be white space or invisible characters beyond ASCII: a quick look that never misses any."""
    return b"\xc2" in piece or b"\xe2" in piece or b"\xe1" in piece or b"\xef" in piece or (b"\xe3" in piece and b"\xe3\x80\x80" in piece)


def take_apart(np: Any, data: bytes, shape: Columns) -> Piece:
    """The usual lines of some data, which ends with a line end.

    Args:
        np: numpy.
        data: whole lines.
        shape: of the rule.
    """
    found = Piece(np, data)
    buffer, wide = found.buffer, found.wide
    separator = shape.separator
    if shape.any_space and b"\t" in data[: data.find(b"\n")]:
        separator = b"\t"
    starts, grid, others = _cells(np, found, separator, shape)
    if grid is None:
        found.good = np.zeros(0, np.int64)
        found.labels = found.path_starts = found.path_ends = found.label_starts = found.label_ends = found.good
        return found
    good = found.good
    first = starts if good is None else starts[good]
    last = found.ends if good is None else found.ends[good]
    width, gap = grid.shape[1], len(separator)
    if shape.strips and width > shape.wanted and bool(np.all(grid[:, width - 1] + gap == last)):
        last, width = grid[:, width - 1], width - 1  # a blank or a tab at the end of every line
    found.columns = width + 1

    def cell(column: int) -> tuple[Any, Any]:
        return first if column == 0 else grid[:, column - 1] + gap, grid[:, column] if column < width else last

    found.path_starts, found.path_ends = cell(shape.image)
    found.label_starts, found.label_ends = cell(shape.label)
    head = buffer[first]
    fine = (found.path_ends > found.path_starts) & (head > 32)
    if wide:
        fine &= head < 127
    if shape.label != width:  # the label's last figure is not the line's last character
        tail = buffer[last - 1]
        fine &= (tail > 32) & (tail < 127) if wide else tail > 32
    if width > 1 and not shape.any_space:
        adjacent = grid[:, 1:width] - grid[:, : width - 1]
        overlapping, touching = adjacent < gap, adjacent == gap
        if bool(overlapping.any()):
            fine &= ~overlapping.any(axis=1)
        if bool(touching.any()):
            found.doubled = touching.any(axis=1)
    unsure = _unsure_lines(np, data, found.ends, shape, others, wide)
    longest = int((found.ends - starts).max(initial=0))
    if len(unsure) or longest >= label_lines.MAX_LINE:
        plain = found.ends - starts < label_lines.MAX_LINE
        plain[unsure] = False
        fine &= plain if good is None else plain[good]
    if not shape.multilabel:
        found.labels, right = whole_numbers(np, buffer, found.label_starts, found.label_ends)
        fine &= right
        if shape.integer is not None and width >= shape.integer:
            fine &= whole_numbers(np, buffer, *cell(shape.integer))[1]
    if shape.most is not None and width > shape.most:
        fine[:] = False
    if not bool(fine.all()):
        found.narrow(fine)
    return found


def _cells(np: Any, piece: Piece, separator: bytes, shape: Columns) -> tuple[Any, Any, Any]:
    """Line starts; the separators of the good lines, one row each (None if there are no such lines); marks of other blanks."""
    buffer = piece.buffer
    gap, code = len(separator), separator[0] if separator else 0
    blank = separator in (b" ", b"\t")
    low = np.flatnonzero(buffer < (33 if blank else 32))
    kinds = buffer[low]
    width = int((kinds == _NEWLINE).argmax())
    if blank and width and width >= shape.wanted and len(low) % (width + 1) == 0:
        rows, marks = kinds.reshape(-1, width + 1), low.reshape(-1, width + 1)
        # all of them as one number a line where there is one separator: four times as fast as column by column
        alike = (
            kinds.view("<u2") == 256 * _NEWLINE + code
            if width == 1
            else (rows[:, width] == _NEWLINE) & (rows[:, :width] == code).all(axis=1)
        )
        if bool(alike.all()):
            piece.ends = np.ascontiguousarray(marks[:, width])
            return _starts(np, piece.ends), marks[:, :width], low[:0]
    ends = piece.ends = low[kinds == _NEWLINE]
    starts = _starts(np, ends)
    others = low[(kinds != _NEWLINE) & (kinds != code)] if blank else low[kinds != _NEWLINE]
    piece.controls = piece.controls or bool(np.any((buffer[others] < 32) & (buffer[others] != 9)))
    if not shape.usable:
        return starts, None, others
    if blank:
        places = low[kinds == code]
    elif gap == 1:
        places = np.flatnonzero(buffer == code)
    else:
        match = buffer[: len(buffer) - gap + 1] == code
        for place in range(1, gap):
            match &= buffer[place : len(buffer) - gap + 1 + place] == separator[place]
        places = np.flatnonzero(match)
    upto = np.searchsorted(places, ends)
    counts = np.diff(upto, prepend=0)
    enough = counts[counts >= max(shape.wanted, 1)]
    if not len(enough):
        return starts, None, others
    width = int(np.bincount(np.minimum(enough, 64)).argmax())
    if len(places) != width * len(ends) or len(enough) != len(ends) or not bool((counts == width).all()):
        piece.good = np.flatnonzero(counts == width)
        if not len(piece.good):
            return starts, None, others
    if piece.good is None:
        return starts, places.reshape(-1, width), others
    return starts, places[(upto[piece.good] - width)[:, None] + np.arange(width)], others


def _starts(np: Any, ends: Any) -> Any:
    starts = np.empty_like(ends)
    starts[:1] = 0
    np.add(ends[:-1], 1, out=starts[1:])
    return starts


def _unsure_lines(np: Any, data: bytes, ends: Any, shape: Columns, others: Any, wide: bool) -> Any:
    """Indexes of lines that are to be read by the exact rule whatever they look like: other white space, and headers."""
    spots = others if shape.any_space else others[:0]
    if shape.any_space and wide:
        spots = np.concatenate((spots, np.array([match.start() for match in _WIDE_SPACE.finditer(data)], np.int64)))
    if shape.header is not None and (data.startswith(shape.header) or b"\n" + shape.header in data):
        heads = [match.end() - 1 for match in re.finditer(b"(?:^|\n)" + re.escape(shape.header), data)]
        spots = np.concatenate((spots, np.array(heads, np.int64)))
    return np.searchsorted(ends, spots)


def whole_numbers(np: Any, buffer: Any, starts: Any, ends: Any) -> tuple[Any, Any]:
    """The numbers in spans of bytes, and which spans are one to nine figures with or without a minus; the rest is left to `int`.

    Shapes: spans `(n,)`; numbers `(n,)` int32, 0 where a span is none; which `(n,)` bool.
    """
    numbers, right = _figures(np, buffer, starts, ends)
    if not bool(right.all()):
        minus = ~right & (buffer[np.minimum(starts, len(buffer) - 1)] == _MINUS)
        if bool(minus.any()):
            some = np.flatnonzero(minus)
            negative, fine = _figures(np, buffer, starts[some] + 1, ends[some])
            numbers[some], right[some] = -negative, fine
    return numbers, right


def _figures(np: Any, buffer: Any, starts: Any, ends: Any) -> tuple[Any, Any]:
    lengths = ends - starts
    shortest, longest = int(lengths.min(initial=9)), int(lengths.max(initial=0))
    right = np.ones(len(lengths), bool) if shortest > 0 and longest < 10 else (lengths > 0) & (lengths < 10)
    numbers = np.zeros(len(lengths), np.int32)
    place = ends - 1
    scale = 1
    for done in range(min(longest, 9)):
        figures = buffer.take(place, mode="wrap") - np.uint8(_ZERO)  # what is below "0" wraps and is above 9
        if done >= shortest:
            figures *= lengths > done
        right &= figures <= 9
        numbers += figures.astype(np.int32) * np.int32(scale)
        place -= 1
        scale *= 10
    if not bool(right.all()):
        numbers[~right] = 0
    return numbers, right
