"""`StoredWeights`: what the files of weights hold that the config or the command line names."""

from __future__ import annotations

import os
from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.facts.weight_files import SUFFIX, WeightFile, WeightFiles
from checks.model import Location
from checks.tensors.model import Contents

Role = Literal["global", "arch", "checkpoint"]

COMPANIONS = (".pdopt", ".pdstates", ".pdema", ".ema.pdparams")
"""What lies beside the weights of a checkpoint: the optimizer's state, metric and epoch, and the other set of weights where an average is kept
(`.pdema` in develop, `.ema.pdparams` in 2.5 to 2.5.2)."""


class Companion(msgspec.Struct, frozen=True):
    """A file beside the weights; `suffix` is its end. Of `contents` and `problem` one is None."""

    suffix: str
    path: str
    contents: Contents | None
    problem: str | None


class StoredFile(msgspec.Struct, frozen=True):
    """One file of weights that is there.

    `role` is `global` for `Global.pretrained_model` (or `--weights`), `arch` for a `pretrained` below `Arch`, `checkpoint` for
    `Global.checkpoints`. `contents` is None where `problem` says in one word why: see `NotTensors`; `unread` is a file in a container whose
    content is not known. `companions` are the files with the same prefix.
    """

    role: Role
    key: str
    written: str
    path: str
    source: Location
    contents: Contents | None
    problem: str | None
    companions: tuple[Companion, ...] = ()

    def _companion(self, suffix: str) -> Contents | None:
        return next((item.contents for item in self.companions if item.suffix == suffix), None)

    @property
    def optimizer(self) -> Contents | None:
        """The optimizer's state, where it can be read."""
        return self._companion(".pdopt")

    @property
    def states(self) -> Contents | None:
        """Metric and epoch, where they can be read."""
        return self._companion(".pdstates")

    @property
    def ema(self) -> Contents | None:
        """The other set of weights where an average is kept."""
        return self._companion(".pdema")


class StoredWeights(Fact, frozen=True):
    """Every file of weights that is named and there."""

    files: tuple[StoredFile, ...]

    @property
    def main(self) -> StoredFile | None:
        """The weights of the whole model."""
        return self.of("global")

    @property
    def checkpoint(self) -> StoredFile | None:
        """The weights that a training goes on from."""
        return self.of("checkpoint")

    def of(self, role: Role) -> StoredFile | None:
        """The first file of a role."""
        return next((file for file in self.files if file.role == role), None)


@collects(StoredWeights, deadline=20.0)
def collect_stored_weights(config: TrainingConfig, weights: WeightFiles, world: World) -> StoredWeights:
    """Read names, shapes and places; no values, and nothing is unpickled.

    Raises:
        Unreadable: no weights are named, or what is named is not there.
    """
    found = [
        _stored(item.role, item.key, item.written, place, item.source, world) for item in weights.files if (place := _place(config, item))
    ]
    named = config.checkpoints
    if named is not None:
        path = config.resolve(named.value) + SUFFIX
        if os.path.isfile(path):
            found.append(_stored("checkpoint", named.location.key or "", named.value, path, named.location, world))
    if not found:
        raise Unreadable("no-weights-named" if not weights.files and named is None else "no-weights-found")
    return StoredWeights(tuple(found))


def _place(config: TrainingConfig, item: WeightFile) -> str | None:
    if item.state in ("file", "suffixed"):
        return item.path
    if item.state == "folder" and config.generation == "legacy" and config.tree.raw("load_static_weights"):
        return item.nearest  # weights of 1.x: a file for each parameter
    return None


def _stored(role: Role, key: str, written: str, path: str, source: Location, world: World) -> StoredFile:
    contents, problem = _read(path, world)
    prefix = path.removesuffix(SUFFIX)
    beside = tuple(
        Companion(suffix, prefix + suffix, *_read(prefix + suffix, world))
        for suffix in COMPANIONS
        if path.endswith(SUFFIX) and os.path.isfile(prefix + suffix)
    )
    return StoredFile(role, key, written, path, source, contents, problem, beside)


def _read(path: str, world: World) -> tuple[Contents | None, str | None]:
    if world.unread(path):
        return None, "unread"
    from checks.tensors.read import NotTensors, read_contents  # 4 ms, and most checks name no weights

    try:
        return read_contents(path), None
    except NotTensors as problem:
        return None, problem.reason
