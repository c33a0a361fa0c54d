"""`Labels`: a survey of every label file that the config names, and what its splits share."""

from __future__ import annotations

import os
from typing import Any

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.label_format import LabelFormat
from checks.facts.label_scan import LARGE, Scan, read_lines, scan_file, visible
from checks.facts.training_config import Dataset, Loader, TrainingConfig
from checks.model import Location, Unavailable, Value

EXAMPLES = 5


class BadLine(msgspec.Struct, frozen=True):
    """A line that the dataset class cannot read; `text` is shortened, invisible characters written as code points."""

    line: int
    reason: str
    text: str


class ForeignByte(msgspec.Struct, frozen=True):
    """The first byte that is not UTF-8, its line, and the encoding that the line seems to have (empty if none fits)."""

    line: int
    byte: int
    encoding: str


class RepeatedPath(msgspec.Struct, frozen=True):
    """One image on two lines, of one list or of two."""

    path: str
    first_line: int
    second_line: int
    same_label: bool = True


class ClassTally(msgspec.Struct, frozen=True, array_like=True):
    """How many samples a class has, and the line of the first."""

    samples: int
    first_line: int


class LabelSurvey(Fact, frozen=True):
    """One label file, read by the rule of its dataset class.

    `file` is the path as the config writes it, `path` where it was found, `source` the place in the config. `per_class` maps a label to its
    tally. `missing` are the first ids absent between 0 and `max`, `missing_count` all of them. `bad_counts` counts unreadable lines by
    reason. `widths` counts multi-label rows by their number of values. `repeats` are lines too many, `conflicts` those that also disagree.
    """

    split: str
    file: str
    path: str
    source: Location
    dataset: str
    image_root: str | None
    format: LabelFormat
    relabel: bool
    size: int
    lines: int
    samples: int
    per_class: dict[int, ClassTally]
    missing: tuple[int, ...]
    missing_count: int
    bad: tuple[BadLine, ...]
    bad_counts: dict[str, int]
    separator_seen: str | None
    extra_columns: int
    widths: dict[int, int]
    bom: bool
    crlf: bool
    invisible: tuple[tuple[int, str], ...]
    invisible_lines: int
    not_utf8: ForeignByte | None
    repeats: int
    conflicts: int
    repeat_examples: tuple[RepeatedPath, ...]

    @property
    def min(self) -> int | None:
        """The smallest label, or None where there is none."""
        return min(self.per_class, default=None)

    @property
    def max(self) -> int | None:
        """The largest label, or None where there is none."""
        return max(self.per_class, default=None)

    @property
    def classes(self) -> int:
        """The number of different labels."""
        return len(self.per_class)

    @property
    def needed_class_num(self) -> int | None:
        """The smallest class count that holds these labels: the largest + 1, or their number where `relabel` renumbers them."""
        if not self.per_class:
            return None
        return self.classes if self.relabel else max(self.per_class) + 1


class UnreadList(msgspec.Struct, frozen=True):
    """A label file that could not be read, and why."""

    split: str
    file: str
    path: str
    source: Location
    why: Unavailable


class Overlap(msgspec.Struct, frozen=True):
    """Images that stand in a training list and in an evaluation list; `first_line` is the training list's."""

    train: int
    other: int
    shared: int
    examples: tuple[RepeatedPath, ...]


class Labels(Fact, frozen=True):
    """All label files of the stage: what was read, what could not be, and what train and eval share (indexes into `surveys`)."""

    surveys: tuple[LabelSurvey, ...]
    unread: tuple[UnreadList, ...]
    overlaps: tuple[Overlap, ...]

    def of(self, split: str) -> list[LabelSurvey]:
        """The surveys of one split."""
        return [survey for survey in self.surveys if survey.split == split]

    def samples(self, loader: Loader) -> int | None:
        """How many samples a loader has; None if any of its lists could not be read, or it reads none."""
        lists = sum(len(dataset.lists) for dataset in loader.datasets)
        found = self.of(loader.split)
        if not lists or len(found) != lists or any(dataset.format is None for dataset in loader.datasets):
            return None
        return sum(survey.samples for survey in found)


@collects(Labels, deadline=120.0)
def collect_labels(config: TrainingConfig) -> Labels:
    """Survey every label file of the loaders that the stage uses, each file once per split."""
    jobs = [
        (loader, dataset, item)
        for loader in config.used_loaders()
        for dataset in loader.datasets
        for item in dataset.lists
        if dataset.format is not None
    ]
    large = sum(_size(config.resolve(item.value)) for _, _, item in jobs) >= LARGE
    base = _common_root(config, jobs)
    surveys: list[LabelSurvey] = []
    scans: list[Scan] = []
    unread: list[UnreadList] = []
    for loader, dataset, item in jobs:
        path = config.resolve(item.value)
        try:
            scan = _scan(path, dataset, _prefix(config, dataset, base), large)
        except Unreadable as error:
            values = {**error.unavailable.values, "file": item.value}
            why = Unavailable(error.unavailable.reason, values)
            unread.append(UnreadList(loader.split, item.value, path, item.location, why))
            continue
        surveys.append(_survey(loader.split, dataset, item, path, scan))
        scans.append(scan)
    overlaps = []
    for a, train in enumerate(surveys):
        for b, other in enumerate(surveys):
            if train.split == "Train" and other.split == "Eval" and scans[a].paths and scans[b].paths:
                overlaps.append(_overlap(a, b, train, other, scans[a], scans[b]))
    return Labels(tuple(surveys), tuple(unread), tuple(o for o in overlaps if o.shared))


def _scan(path: str, dataset: Dataset, prefix: str, large: bool) -> Scan:
    assert dataset.format is not None
    if large:
        try:
            import numpy  # noqa: F401 - 80 ms, and only large lists are worth it
        except ImportError:
            large = False
    return scan_file(path, dataset.format, prefix, large)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _root_of(config: TrainingConfig, dataset: Dataset) -> str:
    return config.resolve(dataset.image_root.value) if dataset.image_root else config.root


def _common_root(config: TrainingConfig, jobs: list[tuple[Loader, Dataset, Value[str]]]) -> str:
    roots = {_root_of(config, dataset) for _, dataset, _ in jobs}
    try:
        return os.path.commonpath(roots) if roots else ""
    except ValueError:  # different drives on Windows
        return ""


def _prefix(config: TrainingConfig, dataset: Dataset, base: str) -> str:
    """What stands between the common root of all lists and the root of this one, with "/" at its end."""
    relative = os.path.relpath(_root_of(config, dataset), base).replace(os.sep, "/") if base else "."
    return "" if relative == "." else relative + "/"


def _survey(split: str, dataset: Dataset, item: Value[str], path: str, scan: Scan) -> LabelSurvey:
    assert dataset.format is not None
    known = {label for label in scan.per_class if label >= 0}
    top = max(known, default=-1)
    missing = _first_missing(sorted(known), 20)
    repeats, conflicts, rows = scan.paths.duplicates(EXAMPLES) if scan.paths else (0, 0, [])
    return LabelSurvey(
        split=split,
        file=item.value,
        path=path,
        source=item.location,
        dataset=dataset.name,
        image_root=dataset.image_root.value if dataset.image_root else None,
        format=dataset.format,
        relabel=dataset.relabel,
        size=scan.size,
        lines=scan.lines,
        samples=scan.samples,
        per_class={label: ClassTally(*tally) for label, tally in scan.per_class.items()},
        missing=tuple(missing),
        missing_count=top + 1 - len(known),
        bad=tuple(BadLine(*row) for row in sorted(scan.bad)),
        bad_counts=dict(sorted(scan.bad_counts.items())),
        separator_seen=max(scan.guesses, key=lambda s: scan.guesses[s], default=None),
        extra_columns=scan.extra_columns,
        widths=dict(sorted(scan.widths.items())),
        bom=scan.bom,
        crlf=scan.crlf,
        invisible=tuple(scan.invisible),
        invisible_lines=scan.invisible_lines,
        not_utf8=ForeignByte(*scan.not_utf8) if scan.not_utf8 else None,
        repeats=repeats,
        conflicts=conflicts,
        repeat_examples=_examples(path, dataset.format, [(a, b, same) for a, b, same in rows]),
    )


def _first_missing(known: list[int], most: int) -> list[int]:
    missing: list[int] = []
    expected = 0
    for label in known:
        while expected < label and len(missing) < most:
            missing.append(expected)
            expected += 1
        if len(missing) == most:
            break
        expected = label + 1
    return missing


def _examples(path: str, rule: LabelFormat, rows: list[tuple[int, int, bool]]) -> tuple[RepeatedPath, ...]:
    if not rows:
        return ()
    lines = read_lines(path, {second for _, second, _ in rows})
    return tuple(RepeatedPath(_path_of(lines.get(b, ""), rule), a, b, same) for a, b, same in rows)


def _overlap(a: int, b: int, train: LabelSurvey, other: LabelSurvey, here: Scan, there: Scan) -> Overlap:
    paths: Any = here.paths
    shared, rows = paths.shared(there.paths, EXAMPLES)
    if not shared:
        return Overlap(a, b, 0, ())
    lines = read_lines(other.path, {line for _, line in rows})
    examples = tuple(RepeatedPath(_path_of(lines.get(line, ""), other.format), first, line) for first, line in rows)
    return Overlap(a, b, shared, examples)


def _path_of(line: str, rule: LabelFormat) -> str:
    parts = line.strip().split(rule.separator) if rule.separator != "" else [line.strip()]
    return visible(parts[rule.image_column]) if len(parts) > rule.image_column else visible(line)
