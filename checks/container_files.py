"""ENV: does the file that starts the container give it the /dev/shm that it seems to?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.facts.container_settings import ContainerSettings
from checks.facts.machine import SMALLEST_SHM
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.shm_fragments import VOLUME, kubernetes_mount


@check("ENV113", name="container-file-shm", stages=TRAIN | EVAL)
def container_file_shm(config: TrainingConfig, settings: ContainerSettings) -> Iterator[Finding]:
    """What a Compose file or a Kubernetes manifest says of /dev/shm, where it fails, or has no effect (FAQ 1.3).

    The cases with an error were started with Docker 20.10 and PaddlePaddle 3.3: workers need semaphores in /dev/shm, shared memory or not.
    """
    if settings.state != "file" or settings.shm_location is None:
        raise NotApplicable("no-container-file")
    loaders = [loader for loader in config.used_loaders() if loader.num_workers and loader.num_workers.value > 0]
    absent, tiny = settings.shm_origin == "none", settings.shm is not None and settings.shm < SMALLEST_SHM and settings.shm_written
    # the queues between the processes need semaphores there, shared memory or not
    if not (loaders if absent or tiny or settings.shm_read_only else any(loader.shared_memory for loader in loaders)):
        raise NotApplicable("no-shm-loader")
    at, name = settings.shm_location, settings.name
    without = Fix("no-workers", "advice", "safe", snippet="num_workers: 0\n")
    if absent:
        yield Finding(at=at, case="none", fixes=(Fix("drop-ipc", "advice", "safe"), without), name=name)
    elif settings.shm_read_only:
        yield Finding(at=at, case="read-only", fixes=(Fix("mount-writable", "advice", "safe"), without), name=name)
    elif tiny:
        yield from _thousandths(settings, tiny)
    elif settings.shm_on_disk:
        snippet = "medium: Memory\n" if settings.shm_origin == "empty-dir" else None
        yield Finding(at=at, case="on-disk", fixes=(Fix("in-memory", "advice", "safe", snippet=snippet),), name=name)
    if settings.unshared_ipc is not None:
        fix = Fix("share-ipc", "advice", "safe", snippet="ipc: shareable\n", values={"other": settings.unshared_ipc})
        yield Finding(at=at, case="unshared", fixes=(fix,), name=name, other=settings.unshared_ipc)
    if settings.spare_volume is not None:
        snippet = kubernetes_mount(settings.shm_volume or VOLUME)
        yield Finding(at=settings.spare_volume, case="unmounted", fixes=(Fix("mount", "advice", "safe", snippet=snippet),), name=name)
    if settings.shm_hidden is not None:
        yield Finding(at=settings.shm_hidden, case="hidden", name=name, decides=_deciding(settings))
    yield from _beyond_memory(settings)


def _thousandths(settings: ContainerSettings, written: str) -> Iterator[Finding]:
    """A size of less than a page: mostly `512m`, which is half a byte to Kubernetes."""
    unit = re.fullmatch(r"([0-9]+)m", written)
    meant = f"{unit.group(1)}Mi" if unit and settings.source == "kubernetes" else None
    fixes = (Fix("write-mebibytes", "advice", "safe", snippet=f"sizeLimit: {meant}\n", values={"meant": meant}),) if meant else ()
    assert settings.shm_location is not None
    at = settings.shm_location
    yield Finding(
        at=at, case="page" if meant is None else "default", fixes=fixes, written=written, shm_bytes=settings.shm, name=settings.name
    )


def _beyond_memory(settings: ContainerSettings) -> Iterator[Finding]:
    """A /dev/shm that the container may not fill: its pages count towards the memory limit, and the kernel kills what goes beyond."""
    size = settings.shm
    if settings.source == "kubernetes" and settings.shm_origin == "empty-dir":
        from checks.facts.container_sizes import whole_quantity  # with exact fractions, which few runs need

        size = whole_quantity(settings.shm_written)
    if size is None or settings.memory is None or settings.memory > size or not settings.shm_written or settings.memory_location is None:
        return
    fix = Fix("more-memory", "advice", "safe")
    yield Finding(
        at=settings.memory_location, case="memory", fixes=(fix,), name=settings.name, memory_bytes=settings.memory, shm_bytes=size
    )


def _deciding(settings: ContainerSettings) -> str:
    """The setting that decides about /dev/shm, as the file calls it."""
    if settings.shm_origin in ("host", "none", "container"):
        return f"ipc: {settings.ipc.replace('container:', 'service:', 1)}" if settings.shm_origin == "container" else f"ipc: {settings.ipc}"
    return settings.shm_written or {"bind": "volumes", "volume": "volumes"}.get(settings.shm_origin, "tmpfs")
