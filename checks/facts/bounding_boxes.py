"""`BoundingBoxes`: the files with the boxes that CompCars cuts images by (`bbox_crop`)."""

from __future__ import annotations

import os
import time
from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.image_scan import exists
from checks.facts.label_rows import listed_paths
from checks.facts.label_survey import Labels
from checks.facts.training_config import Dataset, TrainingConfig
from checks.model import Location

SECONDS = 2.0
"""For so long the files of one list are looked at."""
EXAMPLES = 5

BoxFault = Literal["missing", "unreadable", "short", "empty"]


class BadBox(msgspec.Struct, frozen=True):
    """A line of a list whose box cannot be used: the file of the box as PaddleClas builds its name, and what is wrong with it."""

    line: int
    path: str
    fault: BoxFault
    text: str = ""


class BoxList(msgspec.Struct, frozen=True):
    """The boxes of one label file.

    `root` is None where the config gives no `label_root`; `faults` counts lines by fault. `images_exist` says that list and image root are
    there: where the whole data set is absent, its boxes are as well.

    `missing`: no such file; `unreadable`: its last line is not whole numbers, or it has none; `short`: fewer than four; `empty`: nothing is
    between x1 and x2 or y1 and y2.
    """

    split: str
    file: str
    source: Location
    root: str | None
    root_source: Location
    root_exists: bool
    images_exist: bool
    listed: int = 0
    looked: int = 0
    faults: dict[BoxFault, int] = {}
    examples: tuple[BadBox, ...] = ()


class BoundingBoxes(Fact, frozen=True):
    """All lists whose images are cut by boxes."""

    lists: tuple[BoxList, ...]


@collects(BoundingBoxes, deadline=20.0)
def collect_bounding_boxes(config: TrainingConfig, labels: Labels) -> BoundingBoxes:
    """Look at the box of each line, as CompCars does at start.

    Source: `CompCars._load_anno` in `ppcls/data/dataloader/vehicle_dataset.py` (2.2 to develop).
    """
    found = []
    for loader in config.used_loaders():
        for dataset in loader.datasets:
            if dataset.name == "CompCars" and config.tree.raw(f"{dataset.key}.bbox_crop"):
                found += [_boxes(config, labels, loader.split, dataset, place) for place in range(len(dataset.lists))]
    return BoundingBoxes(tuple(found))


def _boxes(config: TrainingConfig, labels: Labels, split: str, dataset: Dataset, place: int) -> BoxList:
    item = dataset.lists[place]
    written = config.tree.raw(f"{dataset.key}.label_root")
    where = config.tree.at(f"{dataset.key}.label_root" if isinstance(written, str) else f"{dataset.key}.bbox_crop")
    root = written if isinstance(written, str) else None
    there = root is not None and exists(config.resolve(root))
    survey = labels.at(split, item.location)
    images = survey is not None and dataset.image_root is not None and exists(config.resolve(dataset.image_root.value))
    bare = BoxList(split, item.value, item.location, root, where, there, images)
    if root is None or not there or survey is None:
        return bare
    until, faults, examples, looked = time.monotonic() + SECONDS, dict[BoxFault, int](), list[BadBox](), 0
    folder = config.resolve(root)
    try:
        for line, path in listed_paths(survey.path, survey.format):
            looked += 1
            bad = _box(line, os.path.join(folder, path.split(".")[0] + ".txt"))
            if bad is not None:
                faults[bad.fault] = faults.get(bad.fault, 0) + 1
                if faults[bad.fault] <= EXAMPLES:
                    examples.append(bad)
            if looked % 64 == 0 and time.monotonic() > until:
                break
    except Unreadable:
        return bare
    return msgspec.structs.replace(bare, listed=survey.samples, looked=looked, faults=faults, examples=tuple(examples))


def _box(line: int, path: str) -> BadBox | None:
    try:
        size = os.stat(path).st_size
        with open(path, encoding="utf-8", errors="replace") as stream:
            rows = stream.read(1 << 16).splitlines() if size < 1 << 16 else [""]
    except (OSError, ValueError):
        return BadBox(line, path, "missing")
    text = rows[-1].strip() if rows else ""
    try:
        box = [int(part) for part in text.split()]
    except ValueError:
        return BadBox(line, path, "unreadable", text[:60])
    if not rows:
        return BadBox(line, path, "unreadable", "")
    if len(box) < 4:
        return BadBox(line, path, "short", text[:60])
    cut = min(box[:4]) >= 0 and (box[2] <= box[0] or box[3] <= box[1])
    return BadBox(line, path, "empty", text[:60]) if cut else None
