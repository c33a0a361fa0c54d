"""Whether the training and the evaluation list number the same classes alike, by the folders of their images."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from checks.facts.label_paths import LabelPaths
from checks.facts.label_survey import Labels
from checks.facts.label_tables import together

PURE = 0.95
"""The share of a folder's samples that must have one label for the folder to be that class's."""


def numbered_apart(labels: Labels, paths: LabelPaths | None, shifted: bool = False) -> set[tuple[int, int]]:
    """The pairs of a training and an evaluation list (places in `Labels.surveys`) that give a folder different labels; `shifted`: all by as much."""
    found = set()
    for a, b, here, there in compared_folders(labels, paths) if paths is not None else ():
        apart = {there[name] - here[name] for name in here.keys() & there.keys()}
        if apart - {0} and (len(apart) == 1 or not shifted):
            found.add((a, b))
    return found


def compared_folders(labels: Labels, paths: LabelPaths) -> Iterator[tuple[int, int, dict[str, int], dict[str, int]]]:
    """The pairs of a training and an evaluation list whose folders name the classes of both: their places, folder → label in each."""
    for a, train in enumerate(labels.surveys):
        for b, other in enumerate(labels.surveys):
            if (train.split, other.split) != ("Train", "Eval") or train.relabel or other.relabel or train.path == other.path:
                continue
            named = _classes_by_folder(paths.lists[a].folders, paths.lists[b].folders)
            if named is not None:
                yield a, b, *named


def _classes_by_folder(
    here: dict[str, dict[int, int]] | None, there: dict[str, dict[int, int]] | None
) -> tuple[dict[str, int], dict[str, int]] | None:
    """Folder → label in both lists, by as few of the last parts of the folders as name a class in both; None where none do."""
    if not here or not there:
        return None
    here, there = _without_common_end(here), _without_common_end(there)
    for fold in (str, str.casefold):  # `Cat` and `cat` are one class where no name is the same
        for depth in (1, 2, 3):
            one, other = _labels_of(here, depth, fold), _labels_of(there, depth, fold)
            if one and other and _speak_of_classes(one, other):
                return one, other
    return None


def classes_by_folder(folders: dict[str, dict[int, int]]) -> dict[str, int] | None:
    """Last part of a folder → label, without parts that all folders end in; None where a folder has several labels."""
    return _labels_of(_without_common_end(folders), 1, str)


def _speak_of_classes(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether folders of the same name are the same class: each has a label of its own in both lists, or most have the same in both."""
    shared = one.keys() & other.keys()
    if len(shared) < 2:
        return False
    if len(set(one.values())) == len(one) and len(set(other.values())) == len(other):
        return True
    same = [folder for folder in shared if one[folder] == other[folder]]
    return len({one[folder] for folder in same}) > 1 and 2 * len(same) >= len(shared)


def _without_common_end(folders: dict[str, dict[int, int]]) -> dict[str, dict[int, int]]:
    """Without last parts that all folders have, as in `cat/train`, `dog/train`."""
    split = {tuple(folder.replace("\\", "/").rstrip("/").split("/")): labels for folder, labels in folders.items()}
    cut = 0
    while len(split) > 1 and all(len(parts) > cut + 1 for parts in split) and len({parts[-1 - cut] for parts in split}) == 1:
        cut += 1
    return {"/".join(parts[:-cut]): labels for parts, labels in split.items()} if cut else folders


def _labels_of(folders: dict[str, dict[int, int]], depth: int, fold: Callable[[str], str]) -> dict[str, int] | None:
    merged = together(
        (fold("/".join(folder.replace("\\", "/").rstrip("/").split("/")[-depth:])), labels) for folder, labels in folders.items()
    )
    found = {}
    for folder, labels in merged.items():
        label, samples = max(labels.items(), key=lambda item: item[1])
        if samples < PURE * sum(labels.values()):
            return None
        found[folder] = label
    return found if len(set(found.values())) > 1 else None
