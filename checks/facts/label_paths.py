"""`LabelPaths`: what only the paths of the label files tell: repeats, conflicts, folders, and what two splits share.

A pass of its own over the same files: it has to remember every path, and a check that needs counts alone does not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.label_format import LabelFormat
from checks.facts.label_scan import LARGE, Scan, count_folders, read_lines, scan_file, visible
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.training_config import TrainingConfig
from checks.model import Unavailable

EXAMPLES = 5
MOST_FOLDERS = 100_000
MOST_PAIRS = 1_000


class RepeatedPath(msgspec.Struct, frozen=True):
    """One image on two lines, of one list or of two."""

    path: str
    first_line: int
    second_line: int
    same_label: bool = True


class LabelPair(msgspec.Struct, frozen=True, array_like=True):
    """Images with one label in the training list and another, or the same, in the evaluation list."""

    train: int
    other: int
    images: int


class ListPaths(Fact, frozen=True):
    """The paths of one label file.

    `repeats` are lines too many, `conflicts` those of them whose label differs from the first line's; examples of conflicts come first.
    `folders` maps the folder of an image, as the list writes it ("" for none), to its samples per label; None where there are more than
    100,000 folders or labels have no single number (multi-label rows).
    """

    repeats: int
    conflicts: int
    repeat_examples: tuple[RepeatedPath, ...]
    folders: dict[str, dict[int, int]] | None
    unavailable: Unavailable | None = None

    @property
    def class_folders(self) -> dict[str, dict[int, int]] | None:
        """`folders` by their last component alone, which is what names the class: `train/cat` and `val/cat` are both `cat`."""
        if self.folders is None:
            return None
        found: dict[str, dict[int, int]] = {}
        for folder, labels in self.folders.items():
            into = found.setdefault(folder.replace("\\", "/").rstrip("/").rpartition("/")[2], {})
            for label, samples in labels.items():
                into[label] = into.get(label, 0) + samples
        return found


class Overlap(msgspec.Struct, frozen=True):
    """Images that stand in a training list and in an evaluation list (indexes into `Labels.surveys`).

    `conflicts` are those of the `shared` whose label differs; `first_line` of an example is the training list's. `labels` counts images by
    their two labels, the most frequent pairs first, at most 1,000 of them; empty for multi-label rows.
    """

    train: int
    other: int
    shared: int
    conflicts: int
    examples: tuple[RepeatedPath, ...]
    labels: tuple[LabelPair, ...]


class LabelPaths(Fact, frozen=True):
    """The paths of all lists (`lists` stands beside `Labels.surveys`), and what train and eval share."""

    lists: tuple[ListPaths, ...]
    overlaps: tuple[Overlap, ...]


@collects(LabelPaths, deadline=120.0)
def collect_label_paths(config: TrainingConfig, labels: Labels) -> LabelPaths:
    """Read the paths of every list that was surveyed."""
    surveys = labels.surveys
    base = _common_root(config, surveys)
    large = sum(survey.size for survey in surveys) >= LARGE
    scans: list[Scan | None] = []
    lists = []
    for survey in surveys:
        try:
            scan = scan_file(survey.path, survey.format, _prefix(config, survey, base), large)
            folders = count_folders(survey.path, survey.format, MOST_FOLDERS)
        except Unreadable as error:  # gone since the survey
            scans.append(None)
            lists.append(ListPaths(0, 0, (), None, error.unavailable))
            continue
        scans.append(scan)
        assert scan.paths is not None
        repeats, conflicts, rows = scan.paths.duplicates(EXAMPLES)
        lists.append(ListPaths(repeats, conflicts, _examples(survey, rows), folders))
    overlaps = []
    for a, train in enumerate(surveys):
        for b, other in enumerate(surveys):
            here, there = scans[a], scans[b]
            if train.split == "Train" and other.split == "Eval" and here and there:
                overlap = _overlap(a, b, other, here, there)
                if overlap.shared:
                    overlaps.append(overlap)
    return LabelPaths(tuple(lists), tuple(overlaps))


def _root_of(config: TrainingConfig, survey: LabelSurvey) -> str:
    return config.resolve(survey.image_root) if survey.image_root is not None else config.root


def _common_root(config: TrainingConfig, surveys: tuple[LabelSurvey, ...]) -> str:
    roots = {_root_of(config, survey) for survey in surveys}
    try:
        return os.path.commonpath(roots) if roots else ""
    except ValueError:  # different drives on Windows
        return ""


def _prefix(config: TrainingConfig, survey: LabelSurvey, base: str) -> str:
    """What stands between the common root of all lists and the root of this one, with "/" at its end."""
    relative = os.path.relpath(_root_of(config, survey), base).replace(os.sep, "/") if base else "."
    return "" if relative == "." else relative + "/"


def _examples(survey: LabelSurvey, rows: list[tuple[int, int, bool]]) -> tuple[RepeatedPath, ...]:
    lines: Mapping[int, str] = read_lines(survey.path, {second for _, second, _ in rows}) if rows else {}
    return tuple(RepeatedPath(_path_of(lines.get(b, ""), survey.format), a, b, same) for a, b, same in rows)


def _overlap(a: int, b: int, other: LabelSurvey, here: Scan, there: Scan) -> Overlap:
    assert here.paths is not None
    shared, conflicts, rows, pairs = here.paths.shared(there.paths, EXAMPLES)
    if not shared:
        return Overlap(a, b, 0, 0, (), ())
    lines = read_lines(other.path, {line for _, line, _ in rows})
    examples = tuple(RepeatedPath(_path_of(lines.get(line, ""), other.format), first, line, same) for first, line, same in rows)
    most = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS] if other.format.labels == "class" else []
    return Overlap(a, b, shared, conflicts, examples, tuple(LabelPair(first, second, images) for (first, second), images in most))


def _path_of(line: str, rule: LabelFormat) -> str:
    parts = line.strip().split(rule.separator) if rule.separator != "" else [line.strip()]
    return visible(parts[rule.image_column]) if len(parts) > rule.image_column else visible(line)
