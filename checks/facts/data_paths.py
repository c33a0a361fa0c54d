"""`DataPaths`: the image roots and label files that the config names, and where else they would be found."""

from __future__ import annotations

import itertools
import os

import msgspec

from checks.facts.base import Fact, Request, World, collects
from checks.facts.training_config import TrainingConfig
from checks.model import Location


class DataPath(msgspec.Struct, frozen=True):
    """A path of the config and what is there.

    `nearest` is the longest part of it that exists; `elsewhere` a folder that, as `--root`, would make it exist. What is `unseen` was not found, and
    may be there in the container that is judged.
    """

    split: str
    written: str
    path: str
    source: Location
    exists: bool
    is_folder: bool
    nearest: str
    elsewhere: str | None
    unseen: bool = False


class DataPaths(Fact, frozen=True):
    """The image roots (`roots`) and label files (`lists`) of the loaders that the stage uses, each named place once."""

    roots: tuple[DataPath, ...]
    lists: tuple[DataPath, ...]


def places_around(request: Request, world: World) -> tuple[str, ...]:
    """Folders that a relative path might have been meant from: the current one, the config's own and those above it."""
    above = world.above(os.path.dirname(os.path.abspath(world.locate(request.config))))
    return (world.cwd, *itertools.islice(above, 8))


@collects(DataPaths, deadline=10.0)
def collect_data_paths(config: TrainingConfig, request: Request, world: World) -> DataPaths:
    """Look at each named path."""
    candidates = places_around(request, world)
    roots, lists = [], []
    for loader in config.used_loaders():
        for dataset in loader.datasets:
            if dataset.image_root is not None:
                roots.append(_look(config, world, loader.split, dataset.image_root.value, dataset.image_root.location, candidates))
            lists += [_look(config, world, loader.split, item.value, item.location, candidates) for item in dataset.lists]
    return DataPaths(tuple(roots), tuple(lists))


def _look(config: TrainingConfig, world: World, split: str, written: str, source: Location, candidates: tuple[str, ...]) -> DataPath:
    path = config.resolve(written)
    exists = _exists(path)
    nearest = path
    while not _exists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    elsewhere = None
    if not exists and not os.path.isabs(written):
        elsewhere = next((c for c in candidates if c != config.root and _exists(os.path.join(c, written))), None)
    folder, unseen = exists and os.path.isdir(path), not exists and world.unseen(path)
    return DataPath(split, written, path, source, exists, folder, nearest, elsewhere, unseen)


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL in the path
        return False
