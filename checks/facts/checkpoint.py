"""`Checkpoint`: what lies where `Global.checkpoints` points, and which epoch it was saved after."""

from __future__ import annotations

import contextlib
import os
import re
import stat

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.model import Location

SUFFIXES = (".pdparams", ".pdopt", ".pdstates", ".pdema")
"""Weights, state of the optimizer, metric and epoch, and (with EMA on) the other set of weights."""

MAX_STATES_BYTES = 1 << 20
"""The largest `.pdstates` that is looked into; PaddleClas writes 44 bytes."""
LATEST_EPOCH = 1_000_000


class SavedFile(msgspec.Struct, frozen=True):
    """One file of a checkpoint; bytes."""

    suffix: str
    size: int


class Checkpoint(Fact, frozen=True):
    """The files that a checkpoint's prefix has.

    `prefix` is the path as the config writes it, `path` the same where PaddleClas would open it. `epoch` is the number in `.pdstates` (or, where
    that cannot be read, in a name like `epoch_12`): training goes on with the next one. `prefixes` are the checkpoints of a folder, where
    the path is one.
    """

    prefix: str
    path: str
    source: Location
    files: tuple[SavedFile, ...]
    is_folder: bool
    prefixes: tuple[str, ...]
    epoch: int | None

    def has(self, suffix: str) -> bool:
        """Whether the file with this suffix is there."""
        return any(file.suffix == suffix for file in self.files)


@collects(Checkpoint, deadline=5.0)
def collect_checkpoint(config: TrainingConfig, world: World) -> Checkpoint:
    """Look beside the prefix that the config names; nothing is unpickled.

    Raises:
        Unreadable: the config names no checkpoint, or one that cannot be seen from here.
    """
    if config.checkpoints is None:
        raise Unreadable("no-checkpoint")
    prefix = config.checkpoints.value
    path = config.resolve(prefix)
    files = tuple(_files(path))
    folder = _is_folder(path)
    if not files and not folder and world.unseen(path):
        raise Unreadable("path-not-seen", file=prefix)
    return Checkpoint(
        prefix=prefix,
        path=path,
        source=config.checkpoints.location,
        files=files,
        is_folder=folder,
        prefixes=tuple(_prefixes(path)) if folder else (),
        epoch=_epoch(path),
    )


def _files(prefix: str) -> list[SavedFile]:
    found = []
    for suffix in SUFFIXES:
        with contextlib.suppress(OSError, ValueError):
            found.append(SavedFile(suffix, os.stat(prefix + suffix).st_size))
    return found


def _is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:
        return False


def _prefixes(folder: str) -> list[str]:
    """The checkpoints of a folder, `latest` first; at most 50."""
    names: list[str] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".pdopt") and len(names) < 50:
                names.append(entry.name.removesuffix(".pdopt"))
    return sorted(names, key=lambda name: (name != "latest", name))


def _epoch(prefix: str) -> int | None:
    try:
        found = os.stat(prefix + ".pdstates")
        if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_STATES_BYTES:
            epoch = epoch_of(prefix + ".pdstates")
            if epoch is not None:
                return epoch
    except (OSError, ValueError):
        pass
    match = re.search(r"(?:^|[/\\])epoch_(\d{1,7})$", prefix)
    return int(match.group(1)) if match else None


def epoch_of(path: str) -> int | None:
    """The number that a `.pdstates` file keeps under `epoch`; None where there is none, or the file is none. Nothing of it is run."""
    from checks.tensors.formats import NotTensors, look_into  # few configs name a checkpoint

    try:
        pickled = look_into(path).pickled
    except NotTensors:
        return None
    epoch = pickled.scalars.get("epoch") if pickled is not None else None
    return epoch if type(epoch) is int and 0 <= epoch <= LATEST_EPOCH else None
