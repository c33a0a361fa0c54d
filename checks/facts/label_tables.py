"""Which paths of label files stand on two lines, of one list or of two: exactly, with every path in a table."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable
from itertools import repeat

import msgspec

from checks.facts.label_format import LabelFormat, Parsed, parse_line
from checks.facts.label_lines import LabelFile
from checks.facts.label_rows import UsualLines, runs, too_long
from checks.facts.label_scan import in_range

Repeat = tuple[int, int, bool]
"""First line, second line, and whether both have the same label."""
Folders = dict[str, dict[int, int]]
_TO_BE_NORMALISED = ("\n/", "\n.", "/.", "//", "/\n")
"""What stands in lines of paths one of which is absolute or not in its normal form."""


class Repeats:
    """Lines too many, those of them with another label than the first, and the first few, conflicts before the others."""

    def __init__(self) -> None:
        self.count = 0
        self.conflicts = 0
        self.rows: list[Repeat] = []

    def add(self, rows: list[Repeat], most: int) -> None:
        """Count more of them; at most `most` are kept."""
        self.count += len(rows)
        self.conflicts += sum(not same for _, _, same in rows)
        self.rows = sorted(self.rows + rows, key=lambda row: (row[2], row[1]))[:most]


class Shared:
    """Paths that stand in two lists: how many, those of them with another label, examples in order of the second list, and pairs of labels."""

    def __init__(self) -> None:
        self.count = 0
        self.conflicts = 0
        self.rows: list[Repeat] = []
        self.labels: dict[tuple[int, int], int] = {}

    def add(self, here: PathTable, there: PathTable, most: int) -> None:
        """Count what two tables share; of repeats the first line counts."""
        rows = []
        for path in here.seen.keys() & there.seen.keys():
            (first, label_here), (line, label) = here.seen[path], there.seen[path]
            rows.append((first, line, label == label_here))
            self.labels[label_here, label] = self.labels.get((label_here, label), 0) + 1
        self.count += len(rows)
        self.conflicts += sum(not same for _, _, same in rows)
        self.rows = sorted(self.rows + rows, key=lambda row: row[1])[:most]


class PathTable:
    """Paths with the line and label of their first sample, and the repeats of them."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[int, int]] = {}
        self.repeats: list[Repeat] = []

    def add(self, path: str, line: int, label: int) -> None:
        """Add a sample; lines come in order."""
        first, other = self.seen.setdefault(path, (line, label))
        if first != line:
            self.repeats.append((first, line, label == other))

    def extend(self, paths: list[str], line: int, labels: list[int]) -> None:
        """Add samples of lines in a row, the first of which has the number `line`."""
        rows = dict(zip(paths, zip(range(line, line + len(paths)), labels, strict=True), strict=True))
        if len(rows) == len(paths) and self.seen.keys().isdisjoint(rows):
            self.seen.update(rows)
            return
        for number, (path, label) in enumerate(zip(paths, labels, strict=True), line):
            self.add(path, number, label)


class Source(msgspec.Struct, frozen=True):
    """A label file of so many lines, how its dataset class reads a line, and what stands before its relative paths under a common root.

    `base` is that root where absolute paths below it are to be compared with relative ones, else empty.
    """

    path: str
    rule: LabelFormat
    prefix: str
    lines: int
    base: str = ""

    def read(self, line: str) -> Parsed | None:
        """The sample of a line, or None where the dataset class reads none."""
        if too_long(line):
            return None
        parsed = parse_line(line, self.rule)
        return parsed if isinstance(parsed, Parsed) and in_range(parsed, self.rule) else None

    def key(self, path: str) -> str:
        """The path under the common root, normalised; an absolute one that is not below `base` stays what it is."""
        if path.startswith("/"):
            prefix = ""
            if self.base and path.startswith(self.base + "/"):
                path = path[len(self.base) :].lstrip("/")
        else:
            prefix = self.prefix
        if prefix or path[:1] in ("", ".") or path[-1] == "/" or "/." in path or "//" in path:
            return posixpath.normpath(prefix + path)
        return path

    def keys(self, paths: list[str]) -> list[str]:
        """The paths under the common root."""
        joined = "\n".join(("", *paths, ""))
        if any(mark in joined for mark in _TO_BE_NORMALISED):
            return [self.key(path) for path in paths]
        return [self.prefix + path for path in paths] if self.prefix else paths


def label_of(parsed: Parsed) -> int:
    """The label, as one number."""
    return hash(parsed.values) if parsed.values else parsed.label


def read_table(source: Source, most: int) -> tuple[PathTable, Folders | None]:
    """All paths of a small list, and its samples per folder and label (None past `most` folders, and for multi-label rows).

    Raises:
        Unreadable: as `LabelFile`.
    """
    table = PathTable()
    folders: Folders = {}
    counted = source.rule.labels == "class"
    with LabelFile(source.path) as file:
        for piece in file.pieces():
            for run in runs(piece, source.rule):
                if isinstance(run, UsualLines):
                    table.extend(source.keys(run.paths), file.lines + 1, run.labels)
                    paths, labels = run.paths, run.labels
                else:
                    read = [(file.lines + number, source.read(line)) for number, line in enumerate(run, 1)]
                    parsed = [(number, found) for number, found in read if found is not None]
                    for number, found in parsed:
                        table.add(source.key(found.path), number, label_of(found))
                    paths, labels = [found.path for _, found in parsed], [found.label for _, found in parsed]
                if counted:
                    _count(folders, paths, labels)
                file.lines += len(run)
            counted = counted and len(folders) <= most
    return table, printable(folders) if counted else None


def _count(folders: Folders, paths: list[str], labels_of: list[int]) -> None:
    parts = map(str.rpartition, paths, repeat("/"))
    rows = Counter(zip([folder for folder, _, _ in parts], labels_of, strict=True))
    for (folder, label), samples in rows.items():
        labels = folders.setdefault(folder, {})
        labels[label] = labels.get(label, 0) + samples


Comparison = tuple[list[Repeats], list[Shared], list[Folders | None]]
"""Repeats of each list, what each pair of lists shares, and samples per folder and label of each list."""


def compare_small(sources: list[Source], pairs: list[tuple[int, int]], examples: int, most: int) -> Comparison:
    """Compare lists, all of whose paths fit into memory; `most` folders are told apart, `examples` kept.

    Raises:
        Unreadable: as `LabelFile`.
    """
    read = [read_table(source, most) for source in sources]
    repeats, shared = [Repeats() for _ in sources], [Shared() for _ in pairs]
    for found, (table, _) in zip(repeats, read, strict=True):
        found.add(table.repeats, examples)
    for both, (a, b) in zip(shared, pairs, strict=True):
        both.add(read[a][0], read[b][0], examples)
    return repeats, shared, [folders for _, folders in read]


def printable(folders: Folders) -> Folders:
    """Folders whose names can be written as JSON: bytes that are not UTF-8 become U+FFFD."""
    return together(
        (name if name.isascii() else name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), labels)
        for name, labels in folders.items()
    )


def together(rows: Iterable[tuple[str, dict[int, int]]]) -> Folders:
    """Name → label → samples, of folders some of which have one name."""
    found: Folders = {}
    for name, labels in rows:
        into = found.setdefault(name, {})
        for label, samples in labels.items():
            into[label] = into.get(label, 0) + samples
    return found
