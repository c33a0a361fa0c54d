"""`LabelPaths`: what only the paths of the label files tell: repeats, conflicts, folders, and what two splits share.

A pass of its own over the same files: it has to remember every path, and a check that needs counts alone does not pay for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.cache import cache_of, stamp_of
from checks.facts.label_format import LabelFormat
from checks.facts.label_lines import has_numpy, read_lines, visible
from checks.facts.label_scan import LARGE, VERSION
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.label_tables import Comparison, Source, compare_small
from checks.facts.training_config import TrainingConfig

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


class Overlap(msgspec.Struct, frozen=True):
    """Images that stand in a training list and in an evaluation list (indexes into `Labels.surveys`).

    `conflicts` are those of the `shared` whose label differs; `first_line` of an example is the training list's. `labels` counts images by
    their two labels, the most frequent pairs first, at most 1,000 of them; empty for multi-label rows, and where both lists
    are one file.
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
def collect_label_paths(config: TrainingConfig, labels: Labels, request: Request, world: World) -> LabelPaths:
    """Read the paths of every list that was surveyed.

    Raises:
        Unreadable: a list is gone since the survey.
        Cancelled: the run was given up.
    """
    surveys = labels.surveys
    base = _common_root(config, surveys)
    lists = [Source(survey.path, survey.format, _prefix(config, survey, base), survey.lines, base) for survey in surveys]
    if sum(survey.size for survey in surveys) < LARGE or not has_numpy():
        return _compare(surveys, lists, compare_small)
    cache = cache_of(request, world)
    key = repr([(survey.split, source) for survey, source in zip(surveys, lists, strict=True)])
    try:
        stamp = tuple(part for survey in surveys for part in stamp_of(survey.path, VERSION))
    except OSError as error:
        raise Unreadable("file-unreadable", file=surveys[0].file, error=error.strerror or str(error)) from None
    kept = cache.read("label-paths", key, stamp, LabelPaths)
    if kept is None:
        from checks.facts.label_hashes import compare_large

        def told(done: int, total: int) -> None:
            world.progress("LabelPaths", done, total)

        kept = _compare(surveys, lists, partial(compare_large, told=told))
        cache.write("label-paths", key, stamp, kept)
    return kept


def _compare(surveys: tuple[LabelSurvey, ...], lists: list[Source], compare: Callable[..., Comparison]) -> LabelPaths:
    """Compare each file once, whatever it is used for; one that is train and eval at once shares all it has."""
    sources = list(dict.fromkeys(lists))
    places = [sources.index(source) for source in lists]
    splits = [survey.split for survey in surveys]
    pairs = [(a, b) for a, train in enumerate(splits) for b, other in enumerate(splits) if (train, other) == ("Train", "Eval")]
    distinct = list(dict.fromkeys((places[a], places[b]) for a, b in pairs if places[a] != places[b]))
    repeats, shared, folders = compare(sources, distinct, EXAMPLES, MOST_FOLDERS)
    overlaps = []
    for a, b in pairs:
        survey, own = surveys[b], repeats[places[b]]
        if places[a] == places[b]:
            overlaps.append(Overlap(a, b, survey.samples - own.count, 0, _first_lines(survey), ()))
            continue
        both = shared[distinct.index((places[a], places[b]))]
        most = sorted(both.labels.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS] if survey.format.labels == "class" else []
        labels = tuple(LabelPair(first, second, images) for (first, second), images in most)
        overlaps.append(Overlap(a, b, both.count, both.conflicts, _examples(survey, both.rows), labels))
    found = (
        ListPaths(repeats[place].count, repeats[place].conflicts, _examples(survey, repeats[place].rows), folders[place])
        for survey, place in zip(surveys, places, strict=True)
    )
    return LabelPaths(tuple(found), tuple(overlap for overlap in overlaps if overlap.shared))


def _first_lines(survey: LabelSurvey) -> tuple[RepeatedPath, ...]:
    """The first samples of a list that is train and eval at once, as examples of what both have."""
    first = sorted(tally.first_line for tally in survey.per_class.values())[:1] or [1]
    return _examples(survey, [(line, line, True) for line in first])


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


def _path_of(line: str, rule: LabelFormat) -> str:
    parts = line.strip().split(rule.separator) if rule.separator != "" else [line.strip()]
    return visible(parts[rule.image_column]) if len(parts) > rule.image_column else visible(line)
