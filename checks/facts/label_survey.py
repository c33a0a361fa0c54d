"""`Labels`: a survey of every label file that the config names. What needs all paths is `LabelPaths`, a pass of its own."""

from __future__ import annotations

import os

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.cache import cache_of, stamp_of
from checks.facts.label_format import LabelFormat
from checks.facts.label_kind import other_kind
from checks.facts.label_scan import LARGE, VERSION, Scan, scan_file
from checks.facts.training_config import Dataset, Loader, TrainingConfig
from checks.model import Location, Unavailable, Value


class BadLine(msgspec.Struct, frozen=True):
    """A line that the dataset class cannot read; `text` is shortened, invisible characters written as code points.

    `label` is the text that stands where the label should, likewise; None where the line has no such column.
    """

    line: int
    reason: str
    text: str
    label: str | None = None


class ForeignByte(msgspec.Struct, frozen=True):
    """The first byte that is not UTF-8, its line, and the encoding that the line seems to have (empty if none fits)."""

    line: int
    byte: int
    encoding: str


class ClassTally(msgspec.Struct, frozen=True, array_like=True):
    """How many samples a class has, and the line of the first."""

    samples: int
    first_line: int


class LabelSurvey(Fact, frozen=True):
    """One label file, read by the rule of its dataset class.

    `file` is the path as the config writes it, `path` where it was found, `source` the place in the config. `per_class` maps a label to its
    tally. `missing` are the first ids absent between 0 and `max`, `missing_count` all of them. `bad_counts` counts unreadable lines by
    reason. `extra_columns` counts lines with more columns than the class reads, `first_extra` is the first of them. `double_separators`
    counts lines in which the separator stands twice in a row.

    Of multi-label rows: `widths` counts them by their number of values, `width_lines` gives the first line of each width, `positives` how many
    rows have a 1 in each column, and `values` how often each value stands anywhere (at most 100 different ones).
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
    first_extra: int | None
    double_separators: int
    widths: dict[int, int]
    width_lines: dict[int, int]
    positives: tuple[int, ...]
    values: dict[int, int]
    bom: bool
    crlf: bool
    invisible: tuple[tuple[int, str], ...]
    invisible_lines: int
    not_utf8: ForeignByte | None

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


class Labels(Fact, frozen=True):
    """All label files of the stage: what was read, and what could not be."""

    surveys: tuple[LabelSurvey, ...]
    unread: tuple[UnreadList, ...]

    def of(self, split: str) -> list[LabelSurvey]:
        """The surveys of one split."""
        return [survey for survey in self.surveys if survey.split == split]

    def at(self, split: str, source: Location) -> LabelSurvey | None:
        """The survey of the list of a split that stands at this place of the config."""
        return next((survey for survey in self.surveys if (survey.split, survey.source) == (split, source)), None)

    def samples(self, loader: Loader) -> int | None:
        """How many samples a loader has; None if any of its lists could not be read, or it reads none."""
        lists = sum(len(dataset.lists) for dataset in loader.datasets)
        found = self.of(loader.split)
        if not lists or len(found) != lists or any(dataset.format is None for dataset in loader.datasets):
            return None
        return sum(survey.samples for survey in found)


@collects(Labels, deadline=120.0)
def collect_labels(config: TrainingConfig, request: Request, world: World) -> Labels:
    """Survey every label file of the loaders that the stage uses, each file once.

    Raises:
        Cancelled: the run was given up.
    """
    jobs = [
        (loader, dataset, item, config.resolve(item.value))
        for loader in config.used_loaders()
        for dataset in loader.datasets
        for item in dataset.lists
        if dataset.format is not None
    ]
    large = sum(_size(path) for *_, path in jobs) >= LARGE
    scans: dict[tuple[str, LabelFormat], Scan | Unavailable] = {}
    surveys: list[LabelSurvey] = []
    unread: list[UnreadList] = []
    for loader, dataset, item, path in jobs:
        assert dataset.format is not None
        scan = scans.get((path, dataset.format))
        if scan is None:
            try:
                scan = _scan(path, dataset.format, large, request, world)
                kind = other_kind(scan)
                if kind is not None:
                    scan = Unavailable(kind, {"lines": scan.lines, "unread": sum(scan.bad_counts.values()), "text": _first_text(scan)})
            except Unreadable as error:
                scan = error.unavailable
                if scan.reason == "file-missing" and world.unseen(path):
                    scan = Unavailable("path-not-seen")
            scans[path, dataset.format] = scan
        if isinstance(scan, Unavailable):
            why = Unavailable(scan.reason, {**scan.values, "file": item.value})
            unread.append(UnreadList(loader.split, item.value, path, item.location, why))
        else:
            surveys.append(_survey(loader.split, dataset, item, path, scan))
    return Labels(tuple(surveys), tuple(unread))


def _first_text(scan: Scan) -> str:
    return next((text for _, reason, text, _ in sorted(scan.bad) if reason != "blank"), "")


def _scan(path: str, rule: LabelFormat, large: bool, request: Request, world: World) -> Scan:
    def told(lines: int, total: int) -> None:
        world.progress("Labels", lines, total)

    if world.unread(path):  # in a container, and too large to be copied
        raise Unreadable("path-not-seen", file=path)
    if _size(path) < LARGE or not os.access(path, os.R_OK):
        return scan_file(path, rule, large, told)
    cache, key = cache_of(request, world), f"{path}\0{rule}"
    try:
        stamp = stamp_of(path, VERSION)
    except OSError:  # gone this very moment
        return scan_file(path, rule, large, told)
    scan = cache.read("label-survey", key, stamp, Scan)
    if scan is None:
        scan = scan_file(path, rule, large, told)
        cache.write("label-survey", key, stamp, scan)
    return scan


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except (OSError, ValueError):
        return 0


def _survey(split: str, dataset: Dataset, item: Value[str], path: str, scan: Scan) -> LabelSurvey:
    assert dataset.format is not None
    known = {label for label in scan.per_class if label >= 0}
    top = max(known, default=-1)
    missing = _first_missing(sorted(known), 20)
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
        first_extra=scan.first_extra,
        double_separators=scan.double_separators,
        widths=dict(sorted(scan.widths.items())),
        width_lines=dict(sorted(scan.width_lines.items())),
        positives=tuple(scan.positives),
        values=dict(sorted(scan.values.items())),
        bom=scan.bom,
        crlf=scan.crlf,
        invisible=tuple(scan.invisible),
        invisible_lines=scan.invisible_lines,
        not_utf8=ForeignByte(*scan.not_utf8) if scan.not_utf8 else None,
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
