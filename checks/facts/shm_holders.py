"""Who has /dev/shm: the living processes that have most of what lies there, by what they have mapped."""

from __future__ import annotations

import os
import re

import msgspec

from checks.facts.base import World

MOST_PROCESSES = 4096
"""Processes whose maps are read at most; 10 µs each, if they have nothing there."""
NAMED = 5
"""How many are told of."""
_MAPPED = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ (\S+) (\d+) +/dev/shm/", re.MULTILINE)
_MOUNTED = re.compile(r"^\S+ \S+ (\d+):(\d+) \S+ /dev/shm ", re.MULTILINE)


class ShmHolder(msgspec.Struct, frozen=True):
    """A process and what it and its workers have of /dev/shm. `command` is the program, and the script that it runs."""

    pid: int
    command: str
    bytes: int


def holders_of(world: World) -> tuple[ShmHolder, ...]:
    """The largest holders, largest first.

    A file that several processes have mapped counts for the one with the lowest number, with all that is mapped of it. Files that are unlinked
    already (semaphores, PaddlePaddle's after an evaluation) take their pages all the same, and are seen here alone. Each container on a host has
    a /dev/shm of its own, whose files have the same path here: the device tells them apart.
    """
    held: dict[int, int] = {}
    device = _device(world)
    seen: set[str] = set()
    for pid in _processes(world):
        for begin, end, file_system, inode in _MAPPED.findall(world.read(f"/proc/{pid}/maps") or ""):
            if inode not in seen and device in (None, file_system):
                seen.add(inode)
                held[pid] = held.get(pid, 0) + int(end, 16) - int(begin, 16)
    found: dict[int, int] = {}
    for pid, size in held.items():
        main = _main(world, pid)
        found[main] = found.get(main, 0) + size
    largest = sorted(found.items(), key=lambda item: -item[1])[:NAMED]
    return tuple(ShmHolder(pid, _command(world, pid), size) for pid, size in largest)


def still_runs(folder: str) -> bool:
    """Whether the process of a folder of `/proc` is alive.

    One that ended stays there as a zombie until its parent asks after it. The first process of a container often never does so for the workers
    of a training that was killed; they have no memory any more, and their files in /dev/shm belong to nobody.
    """
    try:
        with open(os.path.join(folder, "stat"), encoding="utf-8", errors="replace") as stream:
            state = stream.read(4096).rpartition(")")[2].split()
    except OSError:
        return os.path.exists(folder)
    return not (state and state[0] in "ZXx")


def _device(world: World) -> str | None:
    """The device of /dev/shm as the maps of processes write it, `00:2e`; the last mount is the one that is seen."""
    mounted = _MOUNTED.findall(world.read("/proc/self/mountinfo") or "")
    return "{:02x}:{:02x}".format(*map(int, mounted[-1])) if mounted else None


def _processes(world: World) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(world.path("/proc")) if name.isdigit())[:MOST_PROCESSES]
    except OSError:
        return []


def _main(world: World, pid: int) -> int:
    """The process that started a worker: the furthest parent with the same command line."""
    line = world.read(f"/proc/{pid}/cmdline")
    for _ in range(16):
        status = re.search(r"^PPid:\s+(\d+)$", world.read(f"/proc/{pid}/status") or "", re.MULTILINE)
        parent = int(status[1]) if status else 0
        if not line or parent < 2 or world.read(f"/proc/{parent}/cmdline") != line:
            break
        pid = parent
    return pid


def _command(world: World, pid: int) -> str:
    parts = [os.path.basename(part) for part in (world.read(f"/proc/{pid}/cmdline") or "").split("\0") if part]
    script = next((part for part in parts[1:] if part.endswith(".py")), None)
    text = " ".join(filter(None, (parts[0] if parts else "?", script)))
    return "".join(c if c.isprintable() else "?" for c in text)[:60]
