"""`ExportTarget`: the folder that the export writes to, and whether it can."""

from __future__ import annotations

import os

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.model import Location


class ExportTarget(Fact, frozen=True):
    """`Global.save_inference_dir`.

    `blocked` is the file that stands where a folder is needed, `unwritable` the existing folder in which nothing can be made; `holds` are model files
    of an earlier export that will be overwritten or will stay beside the new ones.
    """

    written: str
    path: str
    source: Location
    blocked: str | None
    unwritable: str | None
    holds: tuple[str, ...]


@collects(ExportTarget, deadline=5.0)
def collect_export_target(config: TrainingConfig, world: World) -> ExportTarget:
    """Look at the nearest part of the path that exists.

    Raises:
        Unreadable: the config names no folder.
    """
    value = config.tree.get("Global.save_inference_dir")
    if config.generation != "modern" or value is None or not isinstance(value.value, str) or "\0" in value.value:
        raise Unreadable("no-export-target")
    path = config.resolve(value.value)
    nearest = path
    while not os.path.lexists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    blocked = nearest if not os.path.isdir(nearest) else None
    writable = world.writable(nearest) and not _read_only(world, nearest)
    holds: tuple[str, ...] = ()
    if nearest == path and blocked is None:
        try:
            holds = tuple(sorted(name for name in os.listdir(path) if name.startswith("inference")))[:20]
        except OSError:
            holds = ()
    return ExportTarget(value.value, path, value.location, blocked, None if writable or blocked else nearest, holds)


def _read_only(world: World, folder: str) -> bool:
    # root may write everywhere but to a file system that is mounted read-only
    try:
        return world.disk(folder)[2]
    except (OSError, AttributeError):
        return False
