"""Facts of the machine: `SharedMemory`, `Container` and `Host`, read from `/proc`, `/sys` and marker files."""

from __future__ import annotations

import os
import re
import sys
from typing import Literal

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.cgroups import cgroup_folders, memory_of, positive, total_memory
from checks.facts.container_settings import ContainerSettings
from checks.facts.shm_holders import ShmHolder, holders_of, still_runs

Runtime = Literal["docker", "podman", "containerd", "kubernetes", "lxc", "unknown"]


SMALLEST_SHM = 4096
"""Bytes of a page; a size below that is a slip of the unit (ENV113) and no size to judge by."""


class StaleFile(msgspec.Struct, frozen=True):
    """A file that PaddlePaddle left in /dev/shm: its process is gone."""

    name: str
    pid: int
    size: int


class SharedMemory(Fact, frozen=True):
    """The mount at /dev/shm: sizes in bytes. `option` is its `size=` mount option; `assumed` means the user told us (then `free` = `size`).

    `holders` are the living processes that have most of it, where more than a little is taken. Where there is none on a system that has them
    (`--ipc=none`), `filesystem` is "none" and both sizes are 0. `told` means that the settings of a container tell the size and nothing was
    measured. `free_known` is False where only the size is known, and `free` is then the most that can be free.
    """

    mount: str
    size: int
    free: int
    filesystem: str
    option: str | None = None
    stale: tuple[StaleFile, ...] = ()
    holders: tuple[ShmHolder, ...] = ()
    assumed: bool = False
    told: bool = False
    free_known: bool = True


NONE = SharedMemory("/dev/shm", 0, 0, "none")
"""No /dev/shm where there should be one."""

HELD_WORTH = 1 << 20
"""Bytes taken from which it is worth asking by whom, if they are a tenth of what there is."""


class Container(Fact, frozen=True):
    """Whether this process runs in a container, told by marker files, cgroups and mounts; `evidence` names what told it."""

    inside: bool
    runtime: Runtime | None
    evidence: tuple[str, ...]


class Gpu(msgspec.Struct, frozen=True):
    """One GPU as `nvidia-smi` names it; memory in bytes."""

    index: int
    name: str
    memory: int


class Host(Fact, frozen=True):
    """What this process may use, or the container that was asked for.

    `cpus` is the smallest of the processors there are, the affinity mask and the cgroup quota; `memory` in bytes,
    the smaller of what is there and the cgroup's limit; `cpu_limit` and `memory_limit` say which of them decided. Both numbers are None where
    nothing tells them (a node of a cluster). `gpus_assumed` is for what is not this machine's; `gpus_known` is False where nothing tells how many
    there are, and `gpu_count` is then 0. `memory_left` is what of the memory is not taken and cannot be freed (page cache can), None where that
    cannot be told.
    """

    cpus: float | None
    cpu_limit: Literal["processors", "affinity", "cgroup", "assumed"]
    memory: int | None
    memory_limit: Literal["physical", "cgroup", "assumed"] | None
    gpus: tuple[Gpu, ...]
    gpu_count: int
    gpus_assumed: bool = False
    platform: str = ""
    gpus_known: bool = True
    memory_left: int | None = None


@collects(SharedMemory, deadline=5.0)
def collect_shared_memory(request: Request, world: World) -> SharedMemory:
    """Measure the mount at /dev/shm, or take the size that the user assumed or the container's settings tell.

    Raises:
        Unreadable: there is none (macOS, Windows), or its size is not told.
    """
    if request.assumed.shm is not None:
        return SharedMemory("/dev/shm", request.assumed.shm, request.assumed.shm, "tmpfs", assumed=True)
    settings = None if world.measured else world.settings
    place = "/dev/shm"
    if settings is not None:
        place = settings.shm_host_path or (place if settings.shm_origin == "host" else "")
        if not place or not _would_run_here(world):
            return _told(settings, world)
    filesystem, option = _mount_of(world.read("/proc/self/mountinfo") or "", place)
    free_known = True
    try:
        size, free = world.space(place)
    except (OSError, AttributeError) as error:
        if world.settings is None and sys.platform == "linux" and isinstance(error, FileNotFoundError):
            return NONE
        found = None
        if option and world.settings is not None:
            from checks.facts.container_sizes import tmpfs_size  # 4 ms, and only a container without `stat` and `df` needs it

            found = tmpfs_size(f"size={option}")
        if found is None or found.size is None:
            if world.settings is not None:
                return _told(world.settings, world)
            raise Unreadable("no-shared-memory", platform=sys.platform) from None
        size, free, free_known = found.size, found.size, False  # a container without a program that could measure it
    return SharedMemory(
        mount="/dev/shm",
        size=size,
        free=free,
        filesystem=filesystem or "unknown",
        option=option,
        stale=_stale_files(world) if place == "/dev/shm" else (),
        holders=holders_of(world) if size - free >= max(HELD_WORTH, size // 10) and free_known else (),
        free_known=free_known,
    )


def _told(settings: ContainerSettings, world: World) -> SharedMemory:
    """What the settings of a container tell of its /dev/shm."""
    if settings.shm_origin == "none":
        return msgspec.structs.replace(NONE, told=True)
    size = settings.shm
    if size is None and settings.shm_share is not None and _would_run_here(world):
        total = total_memory(world)
        size = int(total * settings.shm_share) if total else None
    if size is None or size < SMALLEST_SHM:
        why = "disk" if settings.shm_on_disk else settings.shm_origin if size is None else "page"
        raise Unreadable("shm-not-told" if settings.source == "docker" else f"shm-not-told-{why}", name=settings.name, origin=why)
    alive = settings.state in ("running", "paused", "restarting")  # others begin with an empty one
    return SharedMemory("/dev/shm", size, size, "tmpfs", told=True, free_known=not alive)


def _would_run_here(world: World) -> bool:
    """Whether the container that was asked for is, or would be, on this machine: in no cluster, and by no daemon elsewhere."""
    settings = world.settings
    if settings is None or settings.source == "kubernetes" or sys.platform != "linux":
        return False
    if settings.source == "docker":
        return True
    return world.environ.get("DOCKER_HOST", "unix://").startswith("unix://") and not _container_signs(world)


@collects(Container, deadline=5.0)
def collect_container(world: World) -> Container:
    """Look for what container runtimes leave behind: Docker, Podman, containerd, Kubernetes, LXC; cgroup v1 and v2.

    Where a container was asked for and cannot be looked into, its settings say what it is.
    """
    if world.settings is not None and not world.measured:
        return Container(True, "kubernetes" if world.settings.source == "kubernetes" else "docker", (world.settings.name,))
    found = _container_signs(world)
    order: tuple[Runtime, ...] = ("kubernetes", "podman", "docker", "containerd", "lxc", "unknown")
    runtime = min((r for r, _ in found), key=order.index, default=None)
    return Container(runtime is not None, runtime, tuple(dict.fromkeys(evidence for _, evidence in found)))


def _container_signs(world: World) -> list[tuple[Runtime, str]]:
    """The runtimes that this process seems to be run by, each with what tells it."""
    found: list[tuple[Runtime, str]] = []
    if world.environ.get("KUBERNETES_SERVICE_HOST"):
        found.append(("kubernetes", "KUBERNETES_SERVICE_HOST"))
    if os.path.exists(world.path("/var/run/secrets/kubernetes.io")):
        found.append(("kubernetes", "/var/run/secrets/kubernetes.io"))
    if os.path.exists(world.path("/run/.containerenv")):
        found.append(("podman", "/run/.containerenv"))
    if os.path.exists(world.path("/.dockerenv")):
        found.append(("docker", "/.dockerenv"))
    variable = world.environ.get("container") or _init_variable(world)
    if variable:
        named: dict[str, Runtime] = {"podman": "podman", "docker": "docker", "lxc": "lxc", "oci": "unknown"}
        found.append((named.get(variable, "unknown"), f"container={variable}"))
    patterns: tuple[tuple[Runtime, str], ...] = (
        ("kubernetes", r"/kubepods"),
        ("docker", r"/docker[/-][0-9a-f]{12}"),
        ("podman", r"/libpod-[0-9a-f]{12}"),
        ("containerd", r"cri-containerd|/containerd/"),
        ("lxc", r"/lxc[/.]"),
    )
    for source in ("/proc/self/cgroup", "/proc/self/mountinfo"):
        text = world.read(source) or ""
        if source.endswith("mountinfo"):
            # under cgroup v2 the process sees only "0::/": the files that the runtime mounts over /etc tell its name
            text = "\n".join(line for line in text.splitlines() if re.search(r" /etc/(hostname|hosts|resolv\.conf) ", line))
            text += "\n" + _overlay_root(world)
            patterns = (
                ("kubernetes", r"/kubelet/pods/"),
                ("docker", r"/docker/(containers|overlay2|vfs|image|rootfs)"),
                ("podman", r"/containers/storage/|/overlay-containers/"),
                ("containerd", r"io\.containerd\.|/containerd/"),
            )
        found += [(runtime, source) for runtime, pattern in patterns if re.search(pattern, text)]
    return found


@collects(Host, deadline=10.0)
def collect_host(request: Request, world: World) -> Host:
    """Count processors, memory and GPUs as far as this process may use them, or as far as the settings of a container let it."""
    assumed = request.assumed
    cpus: float | None
    cpus, cpu_limit = _cpus(world)
    memory, memory_limit, memory_left = memory_of(world)
    gpus = () if assumed.gpus is not None else _gpus(world)
    count: int | None = len(gpus)
    settings = None if world.measured else world.settings
    if settings is not None and settings.source == "kubernetes":
        cpus = memory = memory_limit = memory_left = count = None  # those of a node, and which one is not known
        gpus = ()
    if settings is not None and settings.cpus is not None and (cpus is None or settings.cpus < cpus):
        cpus, cpu_limit = settings.cpus, "cgroup"
    if settings is not None and settings.memory is not None and (memory is None or settings.memory < memory):
        memory, memory_limit, memory_left = settings.memory, "cgroup", None
    if settings is not None and settings.gpus is not None:
        gpus, count = gpus[: settings.gpus], settings.gpus
    if assumed.cpus is not None:
        cpus, cpu_limit = assumed.cpus, "assumed"
    if assumed.memory is not None:
        memory, memory_limit, memory_left = assumed.memory, "assumed", None
    if assumed.gpus is not None:
        count = assumed.gpus
    elsewhere = settings is not None and settings.state == "file"
    return Host(
        cpus=cpus,
        cpu_limit=cpu_limit,
        memory=memory,
        memory_limit=memory_limit,
        gpus=gpus,
        gpu_count=count or 0,
        gpus_assumed=assumed.gpus is not None or elsewhere,
        platform=sys.platform,
        gpus_known=count is not None,
        memory_left=memory_left,
    )


def _mount_of(mountinfo: str, place: str) -> tuple[str | None, str | None]:
    """Filesystem and `size=` option of the last mount at a place (the last one hides the others)."""
    found: tuple[str | None, str | None] = (None, None)
    for line in mountinfo.splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split()
        if dash and len(fields) > 4 and fields[4] == place:
            kind, *more = right.split()
            size = re.search(r"(?:^|,)size=([^,]+)", more[-1] if more else "")
            found = (kind, size.group(1) if size else None)
    return found


def _overlay_root(world: World) -> str:
    lines = (world.read("/proc/self/mountinfo") or "").splitlines()
    return "\n".join(line for line in lines if len(line.split()) > 4 and line.split()[4] == "/" and " - overlay " in line)


def _init_variable(world: World) -> str | None:
    text = world.read("/proc/1/environ") or ""
    match = re.search(r"(?:^|\0)container=([^\0]+)", text)
    return match.group(1) if match else None


def _own_shared_memory(world: World) -> bool:
    """Whether /dev/shm is not one that was made outside of this container.

    Docker, containerd and Podman mount a container's own under the name `shm`, and a tmpfs that was asked for with `noexec`; a Kubernetes volume in
    memory has a size. What else is mounted there is the host's (`--ipc=host`, a bind).
    """
    signs = _container_signs(world)
    if not signs:
        return True
    own = True
    for line in (world.read("/proc/self/mountinfo") or "").splitlines():
        left, _, right = line.partition(" - ")
        fields, told = left.split(), right.split()
        if fields[4:5] == ["/dev/shm"] and len(fields) > 5 and len(told) > 2:
            own = told[1] == "shm" or "noexec" in fields[5].split(",")
            own = own or (any(runtime == "kubernetes" for runtime, _ in signs) and "size=" in told[2])
    return own


def _stale_files(world: World) -> tuple[StaleFile, ...]:
    """Files `paddle_<pid>_…` (`paddle/fluid/memory/allocation/mmap_allocator.cc`) whose process has ended: kill -9 leaves them behind.

    None where /dev/shm is the host's and the processes are not: whose they are is alive and cannot be seen.
    """
    if not _own_shared_memory(world):
        return ()
    stale = []
    for name, size in world.shared_files():
        match = re.match(r"paddle_(\d+)_", name)
        if match and not still_runs(world.path(f"/proc/{match.group(1)}")):
            stale.append(StaleFile(name, int(match.group(1)), size))
    return tuple(sorted(stale, key=lambda s: s.name))


def _cpus(world: World) -> tuple[float, Literal["processors", "affinity", "cgroup", "assumed"]]:
    total, allowed = world.processors()
    best: tuple[float, Literal["processors", "affinity", "cgroup", "assumed"]] = (float(total), "processors")
    if allowed is not None and allowed < total:
        best = (float(allowed), "affinity")
    quota = _cpu_quota(world)
    if quota is not None and quota < best[0]:
        best = (quota, "cgroup")
    return best


def _cpu_quota(world: World) -> float | None:
    limits = []
    for folder in cgroup_folders(world, "cpu"):
        parts = (world.read(f"{folder}/cpu.max") or "").split()
        if len(parts) == 2 and parts[0] != "max" and positive(parts[0]) and positive(parts[1]):
            limits.append(int(parts[0]) / int(parts[1]))
        quota = (world.read(f"{folder}/cpu.cfs_quota_us") or "").strip()
        period = (world.read(f"{folder}/cpu.cfs_period_us") or "").strip()
        if positive(quota) and positive(period):
            limits.append(int(quota) / int(period))
    return min(limits, default=None)


def _gpus(world: World) -> tuple[Gpu, ...]:
    """The GPUs that `nvidia-smi` lists, less those that CUDA_VISIBLE_DEVICES hides."""
    text = world.run("nvidia-smi", "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits", timeout=8.0)
    gpus = []
    for line in (text or "").splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 3 and parts[0].isdigit():
            gpus.append(Gpu(int(parts[0]), parts[1], int(parts[2]) << 20 if parts[2].isdigit() else 0))
    visible = world.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # as CUDA reads it: everything from the first id that does not exist is hidden
        wanted = []
        for item in visible.split(","):
            if not item.strip().isdigit() or int(item) not in {g.index for g in gpus}:
                break
            wanted.append(int(item))
        if not visible.strip() or wanted or not visible.strip()[0].isalpha():
            gpus = [g for g in gpus if g.index in wanted]
    return tuple(gpus)
