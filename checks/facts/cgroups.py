"""What the control groups of a process let it have: their folders, and memory, which the pages of /dev/shm count against."""

from __future__ import annotations

import re
from typing import Literal

from checks.facts.base import World


def cgroup_folders(world: World, controller: str) -> list[str]:
    """The cgroup folders of this process for a controller, innermost first; both hierarchies, seen from inside or outside."""
    folders = []
    for line in (world.read("/proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if number == "0" and not names:
            base = "/sys/fs/cgroup"
        elif controller in names.split(","):
            base = f"/sys/fs/cgroup/{controller}"
        else:
            continue
        while path and path != "/":
            folders.append(base + path)
            path = path.rpartition("/")[0]
        folders.append(base)
    return folders


def total_memory(world: World) -> int | None:
    """Bytes of memory in this machine."""
    return _of_machine(world)[0]


def _of_machine(world: World) -> tuple[int | None, int | None]:
    """Bytes of memory in this machine, and how many of them can be had."""
    found = dict(re.findall(r"^(MemTotal|MemAvailable):\s+(\d+) kB", world.read("/proc/meminfo") or "", re.MULTILINE))
    if "MemTotal" in found:
        return int(found["MemTotal"]) * 1024, int(found["MemAvailable"]) * 1024 if "MemAvailable" in found else None
    if world.root != "/":
        return None, None
    import psutil  # only where there is no /proc

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


def memory_of(world: World) -> tuple[int | None, Literal["physical", "cgroup", "assumed"] | None, int | None]:
    """How many bytes there are, what says so, and how many of them are left: the least that a group or the machine has."""
    total, left = _of_machine(world)
    limit: int | None = None
    for folder in cgroup_folders(world, "memory"):
        for name, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            text = (world.read(f"{folder}/{name}") or "").strip()
            if not positive(text) or (total is not None and int(text) >= total):
                continue
            limit = int(text) if limit is None else min(limit, int(text))
            taken = _taken(world, folder, used)
            if taken is not None:
                free = max(0, int(text) - taken)
                left = free if left is None else min(left, free)
    if limit is not None:
        return limit, "cgroup", left
    return total, "physical" if total is not None else None, left


def _taken(world: World, folder: str, name: str) -> int | None:
    """What a cgroup holds, without the page cache that the kernel takes back first."""
    text = (world.read(f"{folder}/{name}") or "").strip()
    if not text.isdigit():
        return None
    cache = re.search(r"^(?:total_)?inactive_file (\d+)$", world.read(f"{folder}/memory.stat") or "", re.MULTILINE)
    return max(0, int(text) - (int(cache[1]) if cache else 0))


def positive(text: str) -> bool:
    """Whether a file of the kernel holds a number above 0."""
    return text.isdigit() and int(text) > 0
