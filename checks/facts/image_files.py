"""`ImageFiles`: is every listed image there, and if not, what was probably meant?"""

from __future__ import annotations

import os
import stat
from typing import Any

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects, no_images
from checks.facts.image_near import Relocation, find_root, near_match, without_folders
from checks.facts.image_scan import MissingImage, look
from checks.facts.label_rows import listed_paths
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.training_config import Dataset, TrainingConfig
from checks.model import Location, Value

EXAMPLES = 11
"""Missing images that are kept by name."""
LARGE = 4 << 20
"""From this size on a list is read with numpy: 8 bytes a line instead of a name."""

NOT_LISTS = frozenset({"Market1501", "MSMT17", "DukeMTMC"})


class NearMatch(msgspec.Struct, frozen=True):
    """Why so many of the missing images were not found (`kind`: case, suffix, blank, quotes, slash, backslash, url, unicode), with one example."""

    kind: str
    count: int
    line: int
    path: str
    found: str


class ImageList(msgspec.Struct, frozen=True):
    """The images of one label file. `root` is where their paths count from, `root_source` the place in the config.

    `missing` of `listed` lines name no file; `looked` of those were looked at closer, `near` says what most of them nearly match, `moved` under
    which root they would be found.
    """

    split: str
    file: str
    path: str
    source: Location
    dataset: str
    root: str
    root_written: str | None
    root_source: Location | None
    root_exists: bool
    checked_at_start: bool
    listed: int
    missing: int
    examples: tuple[MissingImage, ...]
    looked: int
    near: NearMatch | None
    moved: Relocation | None


class ImageFiles(Fact, frozen=True):
    """Every label file of the stage, looked through for images that are not there."""

    lists: tuple[ImageList, ...]

    def of(self, survey: LabelSurvey) -> ImageList | None:
        """The images of a label file."""
        return next((item for item in self.lists if (item.split, item.source) == (survey.split, survey.source)), None)


@collects(ImageFiles, deadline=600.0)
def collect_image_files(config: TrainingConfig, labels: Labels, request: Request, world: World) -> ImageFiles:
    """Look for each listed image of the stage's loaders.

    Raises:
        Unreadable: images are not to be looked at (`--images off`).
    """
    unseen = no_images(request, world)
    if unseen is not None:
        raise Unreadable(unseen)
    total = sum(survey.samples for survey in labels.surveys)
    done = 0
    found: list[ImageList] = []
    seen: dict[tuple[Any, ...], tuple[int, list[MissingImage], int]] = {}
    for survey in labels.surveys:
        dataset = dataset_of(config, survey.split, survey.source)
        if dataset is None or not survey.samples or survey.dataset in NOT_LISTS:
            continue
        root = root_of(config, dataset)
        before = done

        def tell(lines: int, before: int = before) -> None:
            world.progress("ImageFiles", before + lines, total)

        key = (survey.path, root, survey.format)
        if key not in seen:  # train and eval may name one file
            try:
                seen[key] = look(survey.path, survey.format, root, survey.size >= LARGE, tell)
            except Unreadable:
                continue  # it went away since it was surveyed
        listed, missing, count = seen[key]
        done += survey.samples
        found.append(_list(config, survey, dataset, root, listed, missing, count))
    found = [_without_others(config, labels, item) for item in found]
    return ImageFiles(tuple(found))


def dataset_of(config: TrainingConfig, split: str, source: Location) -> Dataset | None:
    """The dataset of a split that names a label file at this place of the config."""
    for loader in config.used_loaders():
        for dataset in loader.datasets:
            if loader.split == split and any(item.location == source for item in dataset.lists):
                return dataset
    return None


def root_of(config: TrainingConfig, dataset: Dataset) -> str:
    """Where the image paths of a dataset count from."""
    return config.resolve(dataset.image_root.value) if dataset.image_root else config.root


def _without_others(config: TrainingConfig, labels: Labels, item: ImageList) -> ImageList:
    """Without a root under which the paths of a list would name images of another split: `val/0/1.jpg` is not `train/0/1.jpg`."""
    moved = item.moved
    if moved is None:
        return item
    meant = {os.path.normpath(os.path.join(moved.root, rest)) for e in item.examples if (rest := without_folders(e.path, moved.strip))}
    for other in labels.surveys:
        dataset = dataset_of(config, other.split, other.source)
        if other.split == item.split or other.path == item.path or dataset is None:
            continue
        root = root_of(config, dataset)
        try:
            taken = {os.path.normpath(os.path.join(root, path)) for _, path in listed_paths(other.path, other.format)}
        except Unreadable:
            continue
        if 2 * len(meant & taken) > len(meant):
            return msgspec.structs.replace(item, moved=None)
    return item


def _list(
    config: TrainingConfig, survey: LabelSurvey, dataset: Dataset, root: str, listed: int, missing: list[MissingImage], count: int
) -> ImageList:
    missing, count = _not_the_encoding(survey, missing, count)
    written: Value[str] | None = dataset.image_root
    near: NearMatch | None = None
    moved: Relocation | None = None
    if missing:
        if _nearly_all(count, listed):
            moved = find_root(root, written.value if written else None, config.root, survey.path, [item.path for item in missing])
        near = None if moved else _near(root, missing)
    return ImageList(
        split=survey.split,
        file=survey.file,
        path=survey.path,
        source=survey.source,
        dataset=survey.dataset,
        root=root,
        root_written=written.value if written else None,
        root_source=written.location if written else None,
        root_exists=_is_folder(root),
        checked_at_start=not survey.format.forgiving and survey.dataset not in ("AdaFaceDataset", "CompCars"),
        listed=listed,
        missing=count,
        examples=tuple(missing[:EXAMPLES]),
        looked=len(missing),
        near=near,
        moved=moved,
    )


def _not_the_encoding(survey: LabelSurvey, missing: list[MissingImage], count: int) -> tuple[list[MissingImage], int]:
    """Without the images that are missing for a byte order mark or another encoding: those lines are the encoding rule's to report."""
    if not survey.bom and survey.not_utf8 is None:
        return missing, count
    kept = [item for item in missing if not (item.line == 1 and item.path.startswith("\ufeff")) and _is_utf8(item.path)]
    return kept, count - (len(missing) - len(kept)) if kept else 0


def _is_utf8(path: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def _nearly_all(missing: int, listed: int) -> bool:
    return missing >= 0.9 * listed


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _near(root: str, missing: list[MissingImage]) -> NearMatch | None:
    kinds: dict[str, list[tuple[MissingImage, str]]] = {}
    listings: dict[str, list[str]] = {}
    for item in missing:
        match = near_match(root, item.path, listings)
        if match:
            kinds.setdefault(match[0], []).append((item, match[1]))
    if not kinds:
        return None
    kind, items = max(kinds.items(), key=lambda pair: len(pair[1]))
    first, found = items[0]
    return NearMatch(kind, len(items), first.line, first.path, found)
