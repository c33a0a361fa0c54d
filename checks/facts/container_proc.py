"""What the kernel shows of a container's first process to the host's root: for containers in which no command can be run."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

from checks.facts.container_probe import CGROUP_FILES, MARKERS, Probe, SharedFile, Space
from checks.facts.shm_holders import still_runs

_MOST = 1 << 20


def look(pid: int, container: str, proc: str = "/proc", cgroups: str = "/sys/fs/cgroup") -> Probe | None:
    """Read `/proc/PID`, if that process is the container's (its cgroup or its mounts name the id), else None.

    Args:
        pid: the first process, as the daemon counts; behind a virtual machine another process of ours may have it.
        container: the whole id, 64 hexadecimal digits.
        proc: where the host's processes are.
        cgroups: where the host's control groups are.
    """
    here = os.path.join(proc, str(pid))
    cgroup, mounts = _read(f"{here}/cgroup"), _read(f"{here}/mountinfo")
    if cgroup is None or mounts is None or len(container) < 32 or container not in cgroup + mounts:
        return None
    shm = f"{here}/root/dev/shm"
    try:
        if os.path.islink(shm) or not os.path.isdir(shm):
            return None
        stats = os.statvfs(shm)
    except (OSError, AttributeError):  # not root
        return None
    files = {"/proc/self/cgroup": cgroup, "/proc/self/mountinfo": mounts}
    for name in ("status", "mounts", "net/route", "net/ipv6_route"):
        _add(files, f"/proc/self/{name}" if name == "status" else f"/proc/{name}", f"{here}/{name}")
    _add(files, "/proc/meminfo", os.path.join(proc, "meminfo"))
    _add(files, "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/online")
    for folder in _cgroup_folders(cgroup):
        for name in CGROUP_FILES:
            _add(files, f"/sys/fs/cgroup{folder}/{name}", f"{cgroups}{folder}/{name}")
    exists = frozenset(marker for marker in MARKERS if os.path.lexists(f"{here}/root{marker}"))
    shared = []
    with contextlib.suppress(OSError), os.scandir(shm) as entries:
        for entry in entries:
            match = re.match(r"paddle_(\d+)_", entry.name)
            if match:
                with contextlib.suppress(OSError):
                    size = entry.stat(follow_symlinks=False).st_blocks * 512
                    shared.append(SharedFile(entry.name, size, still_runs(f"{here}/root/proc/{match[1]}")))
    space = Space(stats.f_blocks * stats.f_frsize, stats.f_bavail * stats.f_frsize)
    return Probe(files, exists, {"/dev/shm": space}, tuple(shared), {}, {}, {}, {})


def _cgroup_folders(cgroup: str) -> Iterator[str]:
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if ".." in path.split("/"):
            continue
        bases = [""] if number == "0" and not names else [f"/{name}" for name in ("memory", "cpu") if name in names.split(",")]
        for base in bases:
            inner = path.rstrip("/")
            while inner:
                yield base + inner
                inner = inner.rpartition("/")[0]
            yield base


def _add(files: dict[str, str], name: str, path: str) -> None:
    text = _read(path)
    if text is not None:
        files[name] = text


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_MOST)
    except OSError:
        return None
