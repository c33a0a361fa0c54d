"""ENV: does the machine have what the config asks for?"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from checks.facts.label_survey import Labels
from checks.facts.machine import Container, Host, SharedMemory
from checks.facts.training_config import Loader, TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

PREFETCH = 2
"""`prefetch_factor` of `paddle.io.DataLoader`; PaddleClas never passes another (`python/paddle/io/reader.py`, 2.x and 3.x)."""


STALE_SHARE = 0.1
"""Left behind files that take at least this part of /dev/shm are worth a warning."""
STALE_WORTH = 1 << 20
"""Bytes from which they are worth a word; a mebibyte is less than two images of 224 px."""


def queued_batches(num_workers: int, batches: int | None) -> int:
    """How many batches lie in /dev/shm at the worst moment: `2 × workers` in the queue and one being filled, never more than there are."""
    most = PREFETCH * num_workers + 1
    return most if batches is None else min(most, batches)


def count_batches(samples: int, batch_size: int, drop_last: bool) -> int:
    """Batches of one epoch in one process."""
    return samples // batch_size if drop_last else math.ceil(samples / batch_size)


@check("ENV101", name="shared-memory-too-small", stages=TRAIN | EVAL)
def shared_memory_too_small(
    config: TrainingConfig, shm: SharedMemory, labels: Labels | None, container: Container | None, host: Host | None
) -> Iterator[Finding]:
    """The batches that wait in /dev/shm need more than there is (FAQ 1.3).

    Need of one loader in one process: `min(2 × num_workers + 1, batches) × batch_size × channels × height × width × 4` bytes. Checked against
    real containers of 64 MB: 4 workers hold 12 images of 224 px in a batch and die with 13.
    """
    loaders = [loader for loader in config.used_loaders() if _uses_shm(loader)]
    if not loaders:
        raise NotApplicable("no-shm-loader")
    if not any(loader.batch_bytes for loader in loaders):
        raise NotApplicable("shape-unknown")
    on_gpu = config.tree.raw("Global.device") in (None, "gpu") and config.tree.raw("use_gpu") is not False
    processes = max(1, host.gpu_count) if host and on_gpu else 1
    for loader in loaders:
        if not (loader.batch_bytes and loader.batch_size and loader.num_workers):
            continue
        workers, per_batch = loader.num_workers.value, loader.batch_bytes
        samples = labels.samples(loader) if labels else None
        drop_last = bool(loader.drop_last and loader.drop_last.value)
        batches = None if samples is None else count_batches(samples, loader.batch_size.value, drop_last)
        need = queued_batches(workers, batches) * per_batch
        if loader.split.startswith("Eval") and need <= shm.free:
            yield from _beside_training(config, loader, shm, labels, need - per_batch)
        # a legacy batch is the total of all cards already, so more cards do not need more
        cards = 1 if loader.batch_is_total else processes
        if need * cards <= shm.free:
            continue
        if need <= shm.free:
            case = "all-cards"
        elif batches is None and not shm.assumed:
            case = "bound"  # a short list would queue fewer batches
        else:
            case = "in-use" if shm.size >= need else "default"
        count = cards if case == "all-cards" else 1
        share = shm.free // count
        safe_workers = max(0, (share // per_batch - 1) // PREFETCH)
        safe_batch = share * loader.batch_size.value // (queued_batches(workers, None) * per_batch)
        yield Finding(
            at=loader.num_workers.location,
            case=case,
            fixes=tuple(_shm_fixes(config, loader, shm, container, need * count, safe_workers, safe_batch)),
            split=loader.split,
            need_bytes=need * count,
            have_bytes=shm.free,
            size_bytes=shm.size,
            num_workers=workers,
            batch_size=loader.batch_size.value,
            batch_bytes=per_batch,
            queued_batches=queued_batches(workers, batches),
            batches=batches,
            processes=count,
            safe_num_workers=safe_workers,
            safe_batch_size=safe_batch,
            stale_bytes=sum(f.size for f in shm.stale),
            assumed=shm.assumed,
        )


def _beside_training(config: TrainingConfig, loader: Loader, shm: SharedMemory, labels: Labels | None, need: int) -> Iterator[Finding]:
    """From 2.5.1 on the workers of the training sleep through the evaluation, each with a batch of its own in /dev/shm.

    `need` is what the evaluation surely holds, `2 × num_workers` batches. With 2 and 2 workers and equal batches 7 were measured at once, with
    1 and 4 nine.
    """
    other = config.loader("Train")
    if config.stage != "train" or config.generation != "modern" or other is None or not _uses_shm(other):
        return
    if not other.batch_bytes or other.num_workers is None or other.batch_size is None:
        return
    samples = labels.samples(other) if labels else None
    drop_last = bool(other.drop_last and other.drop_last.value)
    batches = other.num_workers.value if samples is None else count_batches(samples, other.batch_size.value, drop_last)
    held = min(other.num_workers.value, batches) * other.batch_bytes
    if held + need <= shm.free or loader.num_workers is None:
        return
    docker = _docker_size(held + need)
    yield Finding(
        at=loader.num_workers.location,
        case="beside-training",
        fixes=(
            Fix("enlarge", "advice", "safe", snippet=f"docker run --shm-size={docker} ...", values={"docker": docker}),
            Fix("no-shared-memory", "edit", "safe", config.tree.at(f"{loader.key}.loader.use_shared_memory"), False),
        ),
        split=loader.split,
        need_bytes=need + held,
        held_bytes=held,
        have_bytes=shm.free,
        num_workers=loader.num_workers.value,
        train_workers=other.num_workers.value,
    )


def _shm_fixes(
    config: TrainingConfig,
    loader: Loader,
    shm: SharedMemory,
    container: Container | None,
    need: int,
    safe_workers: int,
    safe_batch: int,
) -> Iterator[Fix]:
    if shm.stale:
        yield Fix("remove-stale", "command", "unsafe", command=shlex.join(["rm", "--", *(f"/dev/shm/{f.name}" for f in shm.stale[:20])]))
    docker = _docker_size(need)
    if container is None or container.inside or shm.assumed:
        yield Fix("enlarge", "advice", "safe", snippet=f"docker run --shm-size={docker} ...", values={"docker": docker})
    else:
        command = f"sudo mount -o remount,size={docker} /dev/shm"
        yield Fix("remount", "command", "unsafe", command=command, values={"docker": docker})
    if loader.num_workers:
        yield Fix("fewer-workers", "edit", "safe", loader.num_workers.location, safe_workers, values={"workers": safe_workers})
    if loader.batch_size and safe_batch >= 1:
        yield Fix("smaller-batch", "edit", "unsafe", loader.batch_size.location, safe_batch, values={"batch": safe_batch})
    if config.generation == "modern":
        yield Fix("no-shared-memory", "edit", "safe", config.tree.at(f"{loader.key}.loader.use_shared_memory"), False)


def _uses_shm(loader: Loader) -> bool:
    return loader.shared_memory and loader.num_workers is not None and loader.num_workers.value > 0


def _docker_size(need: int) -> str:
    """A size for `--shm-size`: the need and a quarter more for the device's double buffer, in whole steps that people write."""
    wanted = need * 1.25
    for step in (128, 256, 512):
        if wanted <= step << 20:
            return f"{step}m"
    return f"{math.ceil(wanted / (1 << 30))}g"


@check("ENV102", name="workers-exceed-cpus", stages=TRAIN | EVAL)
def workers_exceed_cpus(config: TrainingConfig, host: Host) -> Iterator[Finding]:
    """More loader processes than processors: `num_workers` counts per card in every generation (FAQ 5.1)."""
    loaders = [loader for loader in config.used_loaders() if loader.num_workers and loader.num_workers.value > 0]
    if not loaders:
        raise NotApplicable("no-workers")
    if host.cpus is None:
        raise NotApplicable("cpus-not-told")
    on_gpu = config.tree.raw("Global.device") in (None, "gpu") and config.tree.raw("use_gpu") is not False
    cards = max(1, host.gpu_count) if on_gpu else 1
    for loader in loaders:
        assert loader.num_workers is not None
        total = loader.num_workers.value * cards
        if total <= host.cpus:
            continue
        best = int(host.cpus // cards)
        total_batch = None
        if loader.batch_size:
            total_batch = loader.batch_size.value * (1 if loader.batch_is_total else cards)
        yield Finding(
            at=loader.num_workers.location,
            # 0 would load in the main process, which is slower still
            fixes=(Fix("fewer-workers", "edit", "safe", at=loader.num_workers.location, value=best, values={"workers": best}),)
            if best
            else (),
            split=loader.split,
            num_workers=loader.num_workers.value,
            cards=cards,
            total_workers=total,
            cpus=host.cpus,
            cpu_limit=host.cpu_limit,
            total_batch_size=total_batch,
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
    names = " ".join(shlex.quote(f"/dev/shm/{file.name}") for file in shm.stale[:20])
    yield Finding(
        at=Location(config.file),
        case="default" if share >= STALE_SHARE else "little",
        fixes=(Fix("remove-stale", "command", "unsafe", command=f"rm -- {names}"),),
        files=len(shm.stale),
        taken_bytes=taken,
        size_bytes=shm.size,
        free_bytes=shm.free,
        percent=round(100 * share, 1),
        pids=sorted({file.pid for file in shm.stale})[:11],
    )
