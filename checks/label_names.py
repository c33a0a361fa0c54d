"""LAB: what classes are called: the label map against the folders of the images."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from checks.facts.label_map import LabelMap, LabelMaps
from checks.facts.label_paths import LabelPaths
from checks.facts.label_survey import Labels
from checks.facts.label_tables import together
from checks.label_numbering import classes_by_folder
from checks.labels import training
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check


@check("LAB125", name="label-map-names-other-classes", stages=TRAIN | EVAL)
def label_map_names_other_classes(labels: Labels, paths: LabelPaths, maps: LabelMaps) -> Iterator[Finding]:
    """The label map gives the class of the folder `cat` the name `dog`, and `cat` to another: predictions are printed with wrong names.

    Only where the names of more than half of the folders stand in the map, each of them once: then map and folders speak of the same classes.
    """
    if not any(item.names for item in maps.maps):
        raise NotApplicable("no-label-map")
    train = training(labels)
    if any(survey.relabel for survey in train):
        raise NotApplicable("no-train-labels")
    named = _folders(labels, paths)
    if not named:
        raise NotApplicable("folders-name-no-classes")
    start = min(min(survey.per_class) for survey in train)
    for item in maps.maps:
        ids = _ids(item)
        both = {folder: label for folder, label in named.items() if _plain(folder) in ids}
        differing = sorted((f for f, label in both.items() if ids[_plain(f)] != label), key=lambda f: both[f])
        if 2 * len(both) <= len(named) or len(differing) < 2:
            continue
        shifts = {both[folder] - ids[_plain(folder)] for folder in differing}
        shift = shifts.pop() if len(shifts) == 1 and len(differing) == len(both) else None
        if shift is not None and shift == start > 0:
            continue  # a list that begins above 0, which LAB102 or LAB104 says
        folder = differing[0]
        line = item.lines.get(both[folder])
        yield Finding(
            at=Location(item.file, line) if line else item.source,
            via=item.source,
            case="default" if shift is None else "shifted",
            fixes=(Fix("write-map", "advice", "unsafe"),),
            file=item.file,
            folders=len(both),
            differing=len(differing),
            folder=folder,
            label=both[folder],
            name=item.names.get(both[folder], ""),
            map_id=ids[_plain(folder)],
            shift=None if shift is None else abs(shift),
        )


def _folders(labels: Labels, paths: LabelPaths) -> dict[str, int]:
    """Folder → label, where the folders of the training lists name their classes; figures are no names."""
    lists = (listed for survey, listed in zip(labels.surveys, paths.lists, strict=True) if survey.split == "Train")
    merged = together(row for listed in lists for row in (listed.folders or {}).items())
    found = classes_by_folder(merged) if merged else None
    if not found or len(set(found.values())) < len(found):
        return {}
    return {folder: label for folder, label in found.items() if not folder.isdigit()}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _ids(item: LabelMap) -> dict[str, int]:
    """Name → id of the names that the map has once."""
    names = {number: _plain(name) for number, name in item.names.items()}
    often = Counter(names.values())
    return {name: number for number, name in names.items() if often[name] == 1}
