"""`ProbedBatches`: batches as the user's own PaddleClas really makes them, measured only when the user asks for it (`--probe`)."""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig

SECONDS = 60.0
"""What all loaders together may take; importing PaddlePaddle takes some of it."""


class ProbedArray(msgspec.Struct, frozen=True):
    """One array of a batch; the workers put each into a file of its own in /dev/shm."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int


class ProbedBatch(msgspec.Struct, frozen=True):
    """The largest batch of a loader in one process.

    `batch_size` is what the sampler hands out at most, `batches` how many in an epoch (None where it does not count them), `samples` the length
    of the dataset, `seen` how many of them were put through. `shared_memory` is what became of the switch in the loader.
    """

    split: str
    arrays: tuple[ProbedArray, ...]
    batch_size: int
    batches: int | None
    samples: int
    seen: int
    num_workers: int
    shared_memory: bool

    @property
    def bytes(self) -> int:
        """All of its arrays together."""
        return sum(array.bytes for array in self.arrays)


Kind = Literal["no-python", "no-paddle", "no-ppcls", "ppcls-raised", "late", "ended", "raised", "unequal"]
"""What can go wrong: the interpreter, its PaddlePaddle, PaddleClas, time, the process, a dataset, or samples that make no batch."""


class ProbeTrouble(msgspec.Struct, frozen=True):
    """Why a loader has no batch; `values` are those of the kind, all of them text or numbers."""

    kind: Kind
    values: dict[str, Any]


class ProbedBatches(Fact, frozen=True):
    """What the loaders of the stage make. `troubles` says, by split, why a loader has no batch here."""

    python: str
    paddle: str | None
    ppcls: str | None
    batches: tuple[ProbedBatch, ...]
    troubles: dict[str, ProbeTrouble]

    def of(self, split: str) -> ProbedBatch | None:
        """The batch of a split."""
        return next((batch for batch in self.batches if batch.split == split), None)


@collects(ProbedBatches, deadline=SECONDS + 15)
def collect_probed_batches(config: TrainingConfig, request: Request, world: World) -> ProbedBatches:
    """Put a few samples of every loader of the stage through the user's PaddleClas.

    Raises:
        Unreadable: it was not asked for, there is no loader, or the files are not on this machine. What goes wrong with the user's code
            becomes the loader's entry in `troubles`.
    """
    if not request.probe:
        raise Unreadable("probe-not-asked")
    if config.sysroot:
        raise Unreadable("probe-elsewhere")
    if config.generation not in ("modern", "legacy") or not hasattr(os, "killpg"):
        raise Unreadable("no-shm-loader")
    dali = config.tree.raw("Global.use_dali") is True or config.tree.raw("use_dali") is True
    splits = [loader.split for loader in config.used_loaders() if not dali]
    if not splits:
        raise Unreadable("no-shm-loader")
    from checks.facts.probe_run import Probe  # a check that is not asked for it goes without

    return Probe(config, request, world, splits, SECONDS).run()
