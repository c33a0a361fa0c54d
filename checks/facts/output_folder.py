"""`OutputFolder`: the place where a run writes its log and its checkpoints."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import Literal

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.model import Location

Problem = Literal["read-only", "no-permission", "not-a-folder"]

MAX_ENTRIES = 20_000
_SAVED = re.compile(r"\.(?:pdparams|pdopt|pdstates|pdema)$")


class OutputFolder(Fact, frozen=True):
    """Where checkpoints will lie, or would be made. Sizes in bytes.

    `name` is the path as the config writes it. `nearest` is the folder itself, or the nearest parent that exists; `problem` says why nothing can be
    written there. `free` is what this user may still write on that file system, `replaced` the size of checkpoints that a run would overwrite.
    """

    name: str
    path: str
    source: Location
    nearest: str
    problem: Problem | None
    free: int | None
    total: int | None
    replaced: int


@collects(OutputFolder, deadline=5.0)
def collect_output_folder(config: TrainingConfig, world: World) -> OutputFolder:
    """Look at `Global.output_dir` (legacy: `model_save_dir`) without writing anything.

    Raises:
        Unreadable: the config names none.
    """
    if config.output_dir is None:
        raise Unreadable("no-output-dir")
    path = config.resolve(config.output_dir.value)
    nearest = path
    while not os.path.lexists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    free = total = None
    read_only = False
    with contextlib.suppress(OSError, AttributeError):
        total, free, read_only = world.disk(nearest)
    places = _places(path, config.architecture.value if config.architecture else None)
    problem: Problem | None = None
    if read_only:
        problem = "read-only"
    elif not os.path.isdir(nearest):
        problem = "not-a-folder"
    elif not world.writable(nearest) and sys.platform != "win32":
        problem = "no-permission"
    return OutputFolder(
        name=config.output_dir.value,
        path=path,
        source=config.output_dir.location,
        nearest=nearest,
        problem=problem,
        free=None if any(map(world.unlisted, places)) else free,  # how much a run would overwrite is not known
        total=total or None,  # pseudo file systems have none
        replaced=_checkpoints(places),
    )


def _places(folder: str, architecture: str | None) -> list[str]:
    """Where the checkpoints of a run lie: in its folder, in `best_model/` below it and in the architecture's own (2.5 and before)."""
    own = architecture if architecture and os.sep not in architecture and architecture not in (".", "..") else None
    return [folder, os.path.join(folder, "best_model"), *([os.path.join(folder, own)] if own else [])]


def _checkpoints(places: list[str]) -> int:
    """Bytes of the checkpoints in some folders."""
    size = 0
    for place in places:
        with contextlib.suppress(OSError, ValueError), os.scandir(place) as entries:
            for number, entry in enumerate(entries):
                if number > MAX_ENTRIES:
                    break
                if _SAVED.search(entry.name):
                    with contextlib.suppress(OSError):
                        size += entry.stat().st_size
    return size
