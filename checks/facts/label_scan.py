"""Counting a label file: small ones with nothing but Python, large ones a mebibyte at a time with numpy.

Both ways give the same counts (a property test holds them together); the second is there for lists of the size of ImageNet, and keeps nothing of a
line but its label's count. Usual lines (see `label_rows` and `label_columns`) are read many at a time, every other by `parse_line`, the dataset
class's own rule.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from checks.facts import label_lines
from checks.facts.label_format import LabelFormat, Parsed, guess_separator, parse_line
from checks.facts.label_lines import INVISIBLE, PREVIEW, LabelFile, Told, has_numpy, plain, visible
from checks.facts.label_rows import UsualLines, runs, too_long

if TYPE_CHECKING:
    from checks.facts.label_columns import Piece

LARGE = 1 << 20
"""From 1 MiB of label files on, numpy's 80 ms of import are won back."""
VERSION = 1
"""Of what a scan finds: one more whenever the same file would give another result, so that kept results are not used."""
MAX_BAD = 11
"""How many bad lines of one kind are kept with their text; one more than the report shows, so that it can say there are more."""
MAX_VALUES = 100
"""How many different values of multi-label rows are counted one by one."""
_INT64 = 2**63
_COUNTED = 1 << 20
"""Labels below are counted in arrays, which grow with the largest; above, one by one."""


class Scan(msgspec.Struct):
    """What one pass over a label file found. Line numbers count from 1."""

    rule: LabelFormat
    size: int = 0
    lines: int = 0
    samples: int = 0
    per_class: dict[int, tuple[int, int]] = {}
    bad: list[tuple[int, str, str, str | None]] = []
    bad_counts: dict[str, int] = {}
    guesses: dict[str, int] = {}
    extra_columns: int = 0
    first_extra: int | None = None
    double_separators: int = 0
    widths: dict[int, int] = {}
    width_lines: dict[int, int] = {}
    positives: list[int] = []
    values: dict[int, int] = {}
    invisible: list[tuple[int, str]] = []
    invisible_lines: int = 0
    bom: bool = False
    crlf: bool = False
    not_utf8: tuple[int, int, str] | None = None

    def note_bad(self, line: int, reason: str, text: str) -> None:
        """Count a line that the dataset class cannot read; the first ones are kept with their text."""
        self.bad_counts[reason] = self.bad_counts.get(reason, 0) + 1
        if self.bad_counts[reason] <= MAX_BAD:
            self.bad.append((line, reason, visible(text), self._label_text(text)))
        if reason == "wrong-separator":
            guess = guess_separator(text, self.rule)
            if guess is not None:
                self.guesses[guess] = self.guesses.get(guess, 0) + 1

    def _label_text(self, text: str) -> str | None:
        parts = text.strip().split(self.rule.separator or None) if text.strip() else []
        return visible(parts[self.rule.label_column]) if len(parts) > self.rule.label_column else None

    def note_too_long(self, line: int, start: bytes) -> None:
        """Count a line that is no `path label`; `start` is as much of it as was kept."""
        self.note_bad(line, "too-long", start[: 4 * (PREVIEW + 1)].decode("utf-8", "replace"))

    def note_invisible(self, first: int, text: str) -> None:
        """Remember the characters of some lines that nobody sees, as code points; `first` is the first line's number."""
        for number, line in enumerate(text.split("\n"), first):
            points = sorted({f"U+{ord(c):04X}" for c in INVISIBLE.findall(line)})
            if points:
                self.invisible_lines += 1
                if len(self.invisible) < MAX_BAD:
                    self.invisible.append((number, " ".join(points)))

    def read_exactly(self, number: int, text: str) -> Parsed | None:
        """One line by the dataset class's own rule; what is wrong with it is noted, and what it holds beside the label is counted."""
        parsed = parse_line(text, self.rule)
        if self.rule.separator and 2 * self.rule.separator in text.strip():
            self.double_separators += 1
        if isinstance(parsed, str):
            self.note_bad(number, parsed, text)
            return None
        if parsed is None:
            return None
        if not in_range(parsed, self.rule):
            self.note_bad(number, "not-integer", text)
            return None
        if parsed.columns > max(self.rule.image_column, self.rule.label_column) + 1:
            self.note_extra(number)
        if parsed.values:
            self.note_width(len(parsed.values), number)
            self.positives += [0] * (len(parsed.values) - len(self.positives))
            for column, value in enumerate(parsed.values):
                self.positives[column] += value == 1
                self.note_value(value, 1)
        self.samples += 1
        return parsed

    def note_extra(self, number: int, lines: int = 1) -> None:
        """Count lines with more columns than the class reads; `number` is the first one's."""
        self.extra_columns += lines
        self.first_extra = number if self.first_extra is None else min(number, self.first_extra)

    def note_width(self, width: int, number: int, rows: int = 1) -> None:
        """Count multi-label rows with so many values; `number` is the first one's."""
        self.widths[width] = self.widths.get(width, 0) + rows
        self.width_lines[width] = min(number, self.width_lines.get(width, number))

    def note_value(self, value: int, times: int) -> None:
        """Count a value of multi-label rows."""
        if value in self.values or len(self.values) < MAX_VALUES:
            self.values[value] = self.values.get(value, 0) + times


def in_range(parsed: Parsed, rule: LabelFormat) -> bool:
    """Whether numpy's int64, which the dataset classes make of a label, can hold it."""
    return all(-_INT64 <= value < _INT64 for value in (parsed.label, parsed.label - rule.offset, *parsed.values))


def scan_file(path: str, rule: LabelFormat, large: bool, told: Told | None = None) -> Scan:
    """Read a label file once.

    Args:
        path: the file.
        rule: how its dataset class reads a line.
        large: read with numpy, where it is installed.
        told: hears how far it is.

    Raises:
        Unreadable: missing, a folder, a device, without permission, or binary.
    """
    scan = Scan(rule)
    with LabelFile(path, told) as file:
        counts = _scan_large(file, scan) if large and has_numpy() else _scan_small(file, scan)
        scan.size, scan.lines, scan.bom, scan.crlf, scan.not_utf8 = file.size, file.lines, file.bom, file.crlf, file.not_utf8
    if rule.labels == "class":
        scan.per_class = dict(sorted(counts.items()))
    return scan


def _scan_small(file: LabelFile, scan: Scan) -> dict[int, tuple[int, int]]:
    counts: dict[int, int] = {}
    firsts: dict[int, int] = {}
    for piece in file.pieces():
        if not plain(piece):
            text = file.decode(file.lines + 1, piece)
            if INVISIBLE.search(text):
                scan.note_invisible(file.lines + 1, text)
        for run in runs(piece, scan.rule):
            if isinstance(run, UsualLines):
                scan.samples += len(run)
                _count(run.labels, file.lines + 1, counts, firsts)
                file.lines += len(run)
                continue
            for line in run:
                file.lines += 1
                if too_long(line):
                    scan.note_too_long(file.lines, line.encode("utf-8", "surrogateescape"))
                elif (parsed := scan.read_exactly(file.lines, line)) is not None:
                    counts[parsed.label] = counts.get(parsed.label, 0) + 1
                    firsts.setdefault(parsed.label, file.lines)
    return {label: (count, firsts[label]) for label, count in counts.items()}


def _count(labels: list[int], first: int, counts: dict[int, int], firsts: dict[int, int]) -> None:
    """Count the labels of lines in a row, the first of which has the number `first`."""
    here = dict(zip(reversed(labels), range(first + len(labels) - 1, first - 1, -1), strict=True))
    for label, count in Counter(labels).items():
        counts[label] = counts.get(label, 0) + count
        firsts.setdefault(label, here[label])


def _scan_large(file: LabelFile, scan: Scan) -> dict[int, tuple[int, int]]:
    import numpy as np

    from checks.facts.label_columns import Columns, take_apart

    shape = Columns(scan.rule)
    tally = _Tally(np, scan.rule.offset)
    for data in file.pieces():
        first, piece = file.lines + 1, take_apart(np, data, shape)
        file.lines += len(piece.ends)
        text = "" if piece.ascii else file.decode(first, data)
        if piece.controls or (piece.wide and INVISIBLE.search(text)):
            scan.note_invisible(first, text or data.decode("ascii"))
        if shape.multilabel:
            _count_rows(np, piece, scan, first)
        if piece.count:
            if piece.doubled is not None:
                scan.double_separators += int(np.count_nonzero(piece.doubled))
            if piece.columns > shape.wanted + 1:
                scan.note_extra(first + piece.first_good(), piece.count)
            if not shape.multilabel:
                tally.add(piece.labels, first, piece.good)
            scan.samples += piece.count
        starts = None
        for index in piece.odd(np):
            if starts is None:
                starts, ends = [0, *(piece.ends + 1).tolist()], piece.ends.tolist()
            raw = data[starts[index] : ends[index]]
            if len(raw) >= label_lines.MAX_LINE:
                scan.note_too_long(first + index, raw)
                continue
            parsed = scan.read_exactly(first + index, raw.decode("utf-8", "surrogateescape"))
            if parsed is not None:
                tally.add_one(parsed.label - scan.rule.offset, first + index)
    return tally.result()


def _count_rows(np: Any, piece: Piece, scan: Scan, first: int) -> None:
    """Multi-label rows `0,1,0`: those of one figure a value and of the commonest width are counted here, other rows are made odd ones."""
    starts, lengths = piece.label_starts, piece.label_ends - piece.label_starts
    if not len(starts):
        return
    usual = int(np.bincount(np.minimum(lengths, 4096)).argmax())
    fine = lengths == usual
    if usual % 2 == 0 or usual >= 4096:
        fine[:] = False
    else:
        cells = np.ndarray((len(piece.buffer) - usual + 1, usual), np.uint8, piece.buffer, 0, (1, 1))[starts[fine]]
        figures = cells[:, ::2] - np.uint8(48)
        right = (figures <= 9).all(axis=1) & (cells[:, 1::2] == 44).all(axis=1)
        fine[fine] = right
        figures = figures[right]
        if len(figures):
            width = (usual + 1) // 2
            good = np.flatnonzero(fine)
            scan.note_width(width, first + int(good[0] if piece.good is None else piece.good[good[0]]), len(figures))
            for value, times in enumerate(np.bincount(figures.ravel()).tolist()):
                if times:
                    scan.note_value(value, times)
            scan.positives += [0] * (width - len(scan.positives))
            for column, positives in enumerate((figures == 1).sum(axis=0).tolist()):
                scan.positives[column] += positives
    if not bool(fine.all()):
        piece.narrow(fine)


class _Tally:
    """Samples and first line of each label, kept in arrays as long as the largest label, and one by one where that is too long."""

    def __init__(self, np: Any, offset: int) -> None:
        self.np = np
        self.offset = offset
        self.counts: Any = np.zeros(0, np.int64)
        self.firsts: Any = np.zeros(0, np.int64)
        self.others: dict[int, tuple[int, int]] = {}

    def add(self, labels: Any, first: int, good: Any) -> None:
        """Count the labels of a piece, whose first line has the number `first`; `good` are their lines' indexes (None for all)."""
        np = self.np
        if int(labels.min()) < 0 or int(labels.max()) >= _COUNTED:
            within = (labels >= 0) & (labels < _COUNTED)
            lines = np.arange(len(labels)) if good is None else good
            ids, index, counts = np.unique(labels[~within], return_index=True, return_counts=True)
            for label, line, count in zip(ids.tolist(), lines[~within][index].tolist(), counts.tolist(), strict=True):
                self.add_one(label, first + line, count)
            labels, good = labels[within], lines[within]
            if not len(labels):
                return
        counts = np.bincount(labels)
        missing = len(counts) - len(self.counts)
        if missing > 0:
            self.counts = np.concatenate((self.counts, np.zeros(missing, np.int64)))
            self.firsts = np.concatenate((self.firsts, np.zeros(missing, np.int64)))
        self.counts[: len(counts)] += counts
        if bool(((self.firsts[: len(counts)] == 0) & (counts > 0)).any()):
            found = np.zeros(len(counts), np.int64)
            lines = np.arange(len(labels)) if good is None else good
            found[labels[::-1]] = first + lines[::-1]  # the last write is the smallest line
            new = self.firsts[: len(counts)] == 0
            self.firsts[: len(counts)][new] = found[new]

    def add_one(self, label: int, number: int, count: int = 1) -> None:
        """Count one label at a line."""
        before, first = self.others.get(label, (0, number))
        self.others[label] = (before + count, min(first, number))

    def result(self) -> dict[int, tuple[int, int]]:
        """Label → (samples, first line), offset applied."""
        np = self.np
        ids = np.flatnonzero(self.counts)
        rows = zip(ids.tolist(), self.counts[ids].tolist(), self.firsts[ids].tolist(), strict=True)
        found = {label: (count, first) for label, count, first in rows}
        for label, (count, first) in self.others.items():
            before, earlier = found.get(label, (0, first))
            found[label] = (before + count, min(first, earlier))
        return {label + self.offset: tally for label, tally in found.items()}
