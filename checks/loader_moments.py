"""What each loader needs, and the moments of a stage at which most lies in /dev/shm.

Sources: `ppcls/engine/engine.py`, `ppcls/engine/train`, `ppcls/engine/evaluation` of 2.2 to develop; measured with develop and PaddlePaddle 3.3.1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal, NamedTuple

from checks.facts.label_survey import Labels
from checks.facts.pipelines import Pipelines
from checks.facts.probed_batches import ProbedBatches
from checks.facts.training_config import Loader, TrainingConfig
from checks.loader_batches import BatchFields, fields_of
from checks.shm_sizes import PREFETCH, Need, count_batches, file_bytes, need

_EVEN_SAMPLERS = frozenset({None, "DistributedBatchSampler", "BatchSampler", "PKSampler"})
"""Samplers that go once through the list in batches of one size."""


class Wanted(NamedTuple):
    """What one loader needs, in one process.

    `first` is its need in the first epoch, `sure` says that nothing makes it smaller (the number of samples is known, or beyond doubt large
    enough), `counted` that the list was. `batches` and `last` are the batches of an epoch and the bytes of the last: at most so many where the
    sampler draws sizes, None where they are not known.
    """

    loader: Loader
    fields: BatchFields
    batch: int
    workers: int
    batches: int | None
    sure: bool
    first: Need
    last: int
    counted: bool

    @property
    def asleep(self) -> int:
        """What its workers hold while it is not asked for more: each the batch that it made last."""
        held = self.workers if self.batches is None else min(self.workers, self.batches)
        return max(0, held - 1) * self.first.batch_bytes + (self.last if held else 0) + self.first.semaphore_bytes

    @property
    def full(self) -> int:
        """What it holds in the middle of an epoch while it is not asked for more: a full queue."""
        return PREFETCH * self.workers * self.first.batch_bytes + self.first.semaphore_bytes

    @property
    def left_over(self) -> int:
        """What stays of it after its epoch: the last batch, which its thread has for up to 5 s, and whoever is forked meanwhile for all its life."""
        return self.last + self.first.semaphore_bytes


class Moment(NamedTuple):
    """What lies in /dev/shm of one process at some moment of the stage, in bytes; `blamed` is the loader whose workers then write.

    `shares` are the bytes beside its queue by the loaders that they belong to, of which `other` has most. `again` says that the last batch of the
    same loader's epoch before is still there; `left` are the bytes that are left of the epoch before, of all loaders.
    """

    name: Literal["train", "together", "next-epoch", "eval", "after-gallery", "beside-training"]
    need: int
    blamed: Wanted
    shares: tuple[tuple[Wanted, int], ...] = ()
    other: Wanted | None = None
    again: bool = False
    left: int = 0

    @property
    def beside(self) -> int:
        """The bytes beside the queue of the loader whose workers write."""
        return sum(size for _, size in self.shares)

    def need_without(self, splits: Collection[str]) -> int:
        """What is needed when the loaders of these splits have nothing there."""
        return self.need - sum(size for w, size in self.shares if w.loader.split in splits)


def workers_of(loader: Loader) -> int:
    """How many worker processes it has."""
    return max(0, loader.num_workers.value) if loader.num_workers else 0


def is_iterated(config: TrainingConfig, loader: Loader) -> bool:
    """Whether the stage asks the loader for batches: some are built and never used (`ppcls/engine/train`, 2.5.1 to develop)."""
    mode = config.tree.raw("Global.train_mode")
    if loader.split == "UnLabelTrain":
        return isinstance(mode, str) and mode.startswith("fixmatch")
    return mode == "metabin" if loader.split.endswith(".Train") else True


def wanted_of(
    config: TrainingConfig,
    loader: Loader,
    pipelines: Pipelines,
    labels: Labels | None,
    probed: ProbedBatches | None,
    cards: int,
) -> Wanted | None:
    """The need of a loader in one of so many processes; None where its batches are not known."""
    fields = fields_of(config, loader, pipelines, labels, probed, cards)
    if fields is None or loader.batch_size is None or loader.batch_size.value < 1:
        return None
    batch, workers = loader.batch_size.value, workers_of(loader)
    size = fields.bytes_of(batch)
    samples = labels.samples(loader) if labels else None
    put_through = probed.of(loader.split) if probed and cards == 1 and fields.origin == "probe" else None
    mine = None if samples is None else -(-samples // cards)
    in_process = max(1, batch // fields.share)
    batches: int | None = None
    sure, last = False, size
    if put_through is not None:
        batches = put_through.batches
        sure = batches is not None
        size = last = sum(file_bytes(array.bytes) for array in put_through.arrays) or size
    elif mine is not None and loader.sampler in _EVEN_SAMPLERS:
        drop_last = bool(loader.drop_last and loader.drop_last.value)
        batches, sure = count_batches(mine, in_process, drop_last), True
        if not drop_last and mine % in_process:
            last = fields.bytes_of(mine % in_process * fields.share)
            size = last if batches == 1 else size  # the list is shorter than a batch
    elif mine is not None:
        sure = mine >= 4 * (PREFETCH * workers + 1) * batch
        if fields.scales:
            batches = -(-mine // min(fields.counts_of(batch)))
    first = need(workers, size, batches=batches)
    on_cpu, mode = config.tree.raw("Global.device") == "cpu", config.tree.raw("Global.eval_mode")
    if on_cpu and config.generation == "modern" and loader.split == "Eval" and mode in (None, "classification"):
        # on a CPU the evaluation copies the images of its batch first of all, and gives the file back (`evaluation/classification.py`)
        queued = PREFETCH * workers if batches is None else min(PREFETCH * workers, batches)
        first = Need(workers, queued, size)
    return Wanted(loader, fields, batch, workers, batches, sure, first, last, mine is not None)


def moments_of(config: TrainingConfig, wanted: list[Wanted], keeps: bool) -> Iterator[Moment]:
    """The moments of a stage at which most lies in /dev/shm, those first that need no other loader.

    `keeps` says that the training keeps its iterator through the evaluation (2.5.1 to develop); before, it made one for each epoch.
    """
    train = [w for w in wanted if not w.loader.split.startswith("Eval")]
    evals = [w for w in wanted if w not in train]
    for w in train:
        yield Moment("train", w.first.per_process, w)
    for w in evals:
        yield Moment("eval", w.first.per_process, w)
    gallery = next((w for w in evals if w.loader.split == "Eval.Gallery"), None)
    query = next((w for w in evals if w.loader.split == "Eval.Query"), None)
    after_gallery = ((gallery, gallery.left_over),) if gallery and query else ()
    if gallery and query:
        yield Moment("after-gallery", query.first.per_process + gallery.left_over, query, after_gallery, gallery)
    if not train:
        return
    main = train[0]
    queues = sum(w.first.per_process for w in train)
    if len(train) > 1:
        yield Moment("together", queues, main, tuple((w, w.first.per_process) for w in train[1:]), train[1])
    left: tuple[tuple[Wanted, int], ...] = ()
    if config.epochs and config.epochs.value > 1:
        last_eval = query or (evals[-1] if evals else None)
        left = tuple((w, w.left_over) for w in (*train, last_eval) if w)
        size = sum(bytes_left for _, bytes_left in left)
        others = (*((w, w.first.per_process) for w in train[1:]), *left[1:])
        yield Moment("next-epoch", queues + size, main, others, None, True, size)
    if keeps:
        iterations = config.tree.raw("Global.iter_per_epoch")
        held = (*((w, _held(w, iterations)) for w in train), *left)  # which the same workers keep, being forked while it was mapped
        for w in evals:
            # the evaluation is not sure to have more than this at once
            queued = PREFETCH * w.workers if w.batches is None else min(PREFETCH * w.workers, w.batches)
            shares = (*held, *(after_gallery if w is query else ()))
            beside = sum(size for _, size in shares)
            yield Moment("beside-training", queued * w.first.batch_bytes + w.first.semaphore_bytes + beside, w, shares, main)


def _held(train: Wanted, iterations: Any) -> int:
    """What a loader of the training holds while the evaluation runs (2.5.1 to develop, which keep its iterator)."""
    if type(iterations) is int and iterations > 0 and (train.batches is None or iterations < train.batches):
        return train.full
    return train.asleep
