"""ENV101, ENV108: does /dev/shm hold what the loaders put there, and what ended processes left?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, NamedTuple

from checks.facts.checkout import Checkout
from checks.facts.container_settings import ContainerSettings
from checks.facts.label_survey import Labels
from checks.facts.machine import Container, Host, SharedMemory
from checks.facts.pipelines import Pipelines
from checks.facts.probed_batches import ProbedBatches
from checks.facts.training_config import Loader, TrainingConfig
from checks.loader_moments import Moment, Wanted, is_iterated, moments_of, wanted_of, workers_of
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.shm_fragments import compose_line, kubernetes_fragment, settings_fragment
from checks.shm_sizes import docker_size, fitting_pairs, largest_batch, need, sensible_workers

STALE_SHARE = 0.1
"""Left behind files that take at least this part of /dev/shm are worth a warning."""
STALE_WORTH = 1 << 20
"""Bytes from which they are worth a word; a mebibyte is less than two images of 224 px."""
PAIRS = 6
"""How many pairs of workers and batch size are told."""


@check("ENV101", name="shared-memory-too-small", stages=TRAIN | EVAL)
def shared_memory_too_small(
    config: TrainingConfig,
    pipelines: Pipelines,
    shm: SharedMemory,
    labels: Labels | None,
    container: Container | None,
    host: Host | None,
    settings: ContainerSettings | None,
    probed: ProbedBatches | None,
    checkout: Checkout | None,
) -> Iterator[Finding]:
    """The batches that wait in /dev/shm need more than there is (FAQ 1.3). The arithmetic is that of `checks.shm_sizes`."""
    alive = [loader for loader in config.used_loaders() if workers_of(loader) and is_iterated(config, loader)]
    if shm.filesystem == "none":
        if settings is not None and settings.state == "file":
            raise NotApplicable("no-shared-memory-file")  # ENV113 blames the file
        yield from _absent(shm, alive)
        return
    loaders = [loader for loader in alive if loader.shared_memory]
    if not loaders:
        raise NotApplicable("no-shm-loader")
    on_gpu = config.tree.raw("Global.device") in (None, "gpu") and config.tree.raw("use_gpu") is not False
    cards = max(1, host.gpu_count) if host and on_gpu else 1
    each = [wanted_of(config, loader, pipelines, labels, probed, 1) for loader in loaders]
    wanted = [w for w in each if w]
    keeps = config.generation == "modern" and (checkout is None or checkout.first("kept-iterator") is not None)
    moments = list(moments_of(config, wanted, keeps))
    judge = _Judge(config, shm, container, host, settings)
    short: set[str] = set()
    for moment in moments:
        # a loader that has a finding of its own is to be changed: what it has there is no fault of another
        if moment.blamed.loader.split not in short and moment.need_without(short) > shm.free:
            short.add(moment.blamed.loader.split)
            yield judge.finding(moment, judge.case(moment), moments, 1)
    if cards > 1:
        # a legacy batch is the total of all cards, and each has its share of it
        shares = [w for loader in loaders if (w := wanted_of(config, loader, pipelines, labels, probed, cards))]
        spread = list(moments_of(config, shares, keeps))
        for moment in spread:
            if moment.blamed.loader.split not in short and moment.need_without(short) * cards > shm.free:
                short.add(moment.blamed.loader.split)
                yield judge.finding(moment, "all-cards", spread, cards)
    if short:
        return
    if wanted:
        yield from judge.memory(moments)
    unknown = [loader.split for loader, w in zip(loaders, each, strict=True) if w is None or w.fields.origin == "least"]
    if unknown:
        raise NotApplicable("batch-unknown", split=unknown[0])


def _absent(shm: SharedMemory, alive: list[Loader]) -> Iterator[Finding]:
    """There is no /dev/shm: Python cannot make the semaphores of the queues between processes, shared memory or not."""
    if not alive:
        raise NotApplicable("no-shm-loader")
    for loader in alive:
        assert loader.num_workers is not None
        where = loader.num_workers.location
        yield Finding(
            at=where,
            case="absent",
            fixes=(
                Fix("private-ipc", "advice", "safe", snippet="docker run --ipc=private ..."),
                Fix("fewer-workers", "edit", "safe", where, 0, values={"workers": 0}),
            ),
            split=loader.split,
            num_workers=loader.num_workers.value,
            size_bytes=shm.size,
            shared_memory=loader.shared_memory,
        )


class _Fitting(NamedTuple):
    """What fits of a loader: the most workers with its batch size, the largest batch size with its workers, and pairs of both."""

    workers: int
    batch: int
    pairs: tuple[tuple[int, int], ...]


def _fitting(moment: Moment, have: int) -> _Fitting:
    """What the blamed loader of a moment may have, in one process that finds so many bytes."""
    w, room, epochs = moment.blamed, have - moment.beside, 2 if moment.again else 1
    return _Fitting(
        max((n for n in range(1, w.workers) if need(n, w.first.batch_bytes, epochs=epochs).total <= room), default=0),
        largest_batch(room, w.workers, w.fields.bytes_of, most=w.batch, epochs=epochs),
        fitting_pairs(room, w.fields.bytes_of, workers=sensible_workers(w.workers), most=w.batch, epochs=epochs)[-PAIRS:],
    )


def _remove_stale(shm: SharedMemory) -> Fix:
    """The command that removes what ended processes left, or the first files of it."""
    return Fix("remove-stale", "command", "unsafe", command=shlex.join(["rm", "--", *(f"/dev/shm/{f.name}" for f in shm.stale[:20])]))


def _in_file(settings: ContainerSettings, size: int, text: str) -> Iterator[Fix]:
    """The lines to write, and where, in the file that starts the container; none where no line of it decides."""
    fragment, at = settings_fragment(settings, size), settings.shm_location
    if settings.build_shm is not None and settings.shm_origin == "default":
        yield Fix("build-only", "advice", "safe", values={"build_bytes": settings.build_shm})
    if fragment is not None and at is not None:
        kind = "enlarge-in-manifest" if settings.source == "kubernetes" else "enlarge-in-file"
        yield Fix(kind, "advice", "safe", at, snippet=fragment, values={"size": text, "place": f"{at.file}:{at.line}"})


class _Judge:
    """What a moment's need means on this machine, and the ways out."""

    def __init__(
        self,
        config: TrainingConfig,
        shm: SharedMemory,
        container: Container | None,
        host: Host | None,
        settings: ContainerSettings | None,
    ) -> None:
        self.config = config
        self.shm = shm
        self.container = container
        self.host = host
        self.settings = settings

    def case(self, moment: Moment) -> str:
        """The case of a need that one process has and that does not fit."""
        if moment.name in ("after-gallery", "beside-training"):
            return moment.name
        if any(not w.sure and (w.counted or not self.shm.assumed) for w in (moment.blamed, moment.other) if w):
            return "bound"  # a short list would queue fewer batches
        if moment.name in ("together", "next-epoch"):
            return moment.name
        if self.shm.size < moment.need:
            return "least" if moment.blamed.fields.origin == "least" else "default"
        return "in-use"

    def finding(self, moment: Moment, case: str, moments: list[Moment], processes: int) -> Finding:
        """A need that does not fit, with the numbers of its loader."""
        w = moment.blamed
        assert w.loader.num_workers is not None
        worst = max(moments, key=lambda item: item.need)
        size = docker_size(worst.need * processes, w.first.batch_bytes, processes)
        # what is proposed has to hold at every moment
        hardest = max((item for item in moments if item.blamed is w), key=lambda item: item.need)
        fitting = _fitting(hardest, self.shm.free // processes)
        values: dict[str, Any] = {
            "split": w.loader.split,
            "need_bytes": moment.need * processes,
            "have_bytes": self.shm.free,
            "margin_bytes": self.shm.free - moment.need * processes,
            "size_bytes": self.shm.size,
            "num_workers": w.workers,
            "batch_size": w.batch,
            "batch_bytes": w.first.batch_bytes,
            "queued_batches": w.first.queued,
            "batches": w.batches,
            "processes": processes,
            "beside_bytes": moment.beside,
            "left_bytes": moment.left,
            "worst_moment": worst.name,
            "worst_bytes": worst.need * processes,
            "loaders": {item.blamed.loader.split: item.need * processes for item in moments if item.name in ("train", "eval")},
            "largest_that_fit": [list(pair) for pair in fitting.pairs],
            "safe_num_workers": fitting.workers,
            "safe_batch_size": fitting.batch,
            "shm_size": size.text,
            "stale_bytes": sum(file.size for file in self.shm.stale),
            "holders": [{"pid": h.pid, "command": h.command, "bytes": h.bytes} for h in self.shm.holders],
            "sizes_from": w.fields.origin,
            "assumed": self.shm.assumed,
        }
        if moment.other is not None:
            values["other"] = moment.other.loader.split
            values["other_workers"] = moment.other.workers
        if case == "in-use" and self.shm.holders:
            case, largest = "held", self.shm.holders[0]
            values |= {"holder": largest.command, "holder_pid": largest.pid, "holder_bytes": largest.bytes}
        fixes = (*self.enlarge(size.bytes, size.text), *self.smaller(w, fitting))
        return Finding(at=w.loader.num_workers.location, case=case, fixes=fixes, **values)

    def enlarge(self, size: int, text: str) -> Iterator[Fix]:
        """The ways to more of it, by what the container is."""
        shm, settings = self.shm, self.settings
        if shm.stale:
            yield _remove_stale(shm)
        shared = settings is not None and settings.shm_origin == "host"
        runtime = settings.source if settings else self.container.runtime if self.container else None
        if settings is not None and settings.state == "file":
            yield from _in_file(settings, size, text)
        elif runtime == "kubernetes":
            yield Fix("enlarge-kubernetes", "advice", "safe", snippet=kubernetes_fragment(size), values={"size": text})
        elif not shared and (settings is not None or self.container is None or self.container.inside or shm.assumed):
            yield Fix("enlarge", "advice", "safe", snippet=f"docker run --shm-size={text} ...", values={"size": text})
            yield Fix("enlarge-compose", "advice", "safe", snippet=compose_line(size), values={"size": text})
        if shm.assumed or (self.container is not None and self.container.inside and settings is None):
            return  # a container cannot mount, and who asks from inside cannot reach the host
        if settings is None or shared:
            command = f"sudo mount -o remount,size={text} /dev/shm"
        elif settings.pid:
            command = f"sudo nsenter --target {settings.pid} --mount mount -o remount,size={text} /dev/shm"
        else:
            return
        yield Fix("remount", "command", "unsafe", command=command, values={"size": text})

    def smaller(self, w: Wanted, fitting: _Fitting) -> Iterator[Fix]:
        """The ways to need no more of it than fits."""
        if w.loader.num_workers:
            values = {"workers": fitting.workers}
            yield Fix("fewer-workers", "edit", "safe", w.loader.num_workers.location, fitting.workers, values=values)
        pairs = ", ".join(f"{count} × {most}" for count, most in fitting.pairs)
        if w.loader.batch_size and 1 <= fitting.batch < w.batch:
            at, batch = w.loader.batch_size.location, fitting.batch
            yield Fix("smaller-batch", "edit", "unsafe", at, batch, values={"batch": batch, "pairs": pairs})
        if self.config.generation == "modern":
            yield Fix("no-shared-memory", "edit", "safe", self.config.tree.at(f"{w.loader.key}.loader.use_shared_memory"), False)

    def memory(self, moments: list[Moment]) -> Iterator[Finding]:
        """/dev/shm is large enough, and the memory that its pages count against is not."""
        worst = max(moments, key=lambda moment: moment.need)
        w, host = worst.blamed, self.host
        if host is None or host.memory is None or not w.sure or (self.shm.assumed and host.memory_limit != "assumed"):
            return
        left = host.memory_left
        have = host.memory if left is None else min(left, host.memory)
        if worst.need <= have:
            return
        case = "memory" if worst.need > host.memory else "memory-left"
        assert w.loader.num_workers is not None
        fitting = _fitting(worst, have)
        yield Finding(
            at=w.loader.num_workers.location,
            case=case,
            fixes=tuple(fix for fix in self.smaller(w, fitting) if fix.id != "no-shared-memory"),
            split=w.loader.split,
            need_bytes=worst.need,
            have_bytes=self.shm.free,
            memory_bytes=host.memory,
            left_bytes=left,
            memory_limit=host.memory_limit,
            num_workers=w.workers,
            batch_size=w.batch,
            safe_num_workers=fitting.workers,
            safe_batch_size=fitting.batch,
        )


@check("ENV108", name="stale-shared-memory", stages=TRAIN | EVAL)
def stale_shared_memory(config: TrainingConfig, shm: SharedMemory) -> Iterator[Finding]:
    """What ended processes left in /dev/shm: the workers of a killed run do not clean up, and their batches take space until the next boot."""
    if shm.assumed:
        raise NotApplicable("machine-assumed")
    if not shm.stale or not shm.size:
        return
    taken = sum(file.size for file in shm.stale)
    if taken < STALE_WORTH:
        return
    share = taken / shm.size
    yield Finding(
        at=Location(config.file),
        case="default" if share >= STALE_SHARE else "little",
        fixes=(_remove_stale(shm),),
        files=len(shm.stale),
        taken_bytes=taken,
        size_bytes=shm.size,
        free_bytes=shm.free,
        percent=round(100 * share, 1),
        pids=sorted({file.pid for file in shm.stale})[:11],
    )
