"""A container as a `World`: every collector then measures there what it measures here.

The world is a mirror: a folder of ours, for this user's eyes only, with copies of what matters at the container's own paths, filled by the
daemon's archive API and by one run of `sh` inside. Where nothing can be run (paused, stopped, no shell), the kernel's own view of the container's
first process is used if it is ours to see, and else the daemon's settings alone.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable

from checks.facts.base import World
from checks.facts.container_mirror import Mirror
from checks.facts.container_probe import Probe
from checks.facts.container_settings import ContainerSettings
from checks.facts.container_sizes import count_cpus
from checks.facts.docker_daemon import Machine

Runner = Callable[[tuple[str, ...], float], "str | None"]


class ContainerWorld(World):
    """One container. Relative paths count from its working folder, in which its programs are started."""

    def __init__(self, mirror: Mirror, settings: ContainerSettings, environ: dict[str, str]) -> None:
        self.workdir = settings.workdir or "/"
        super().__init__(mirror.folder, environ, mirror.place(self.workdir), mirror.folder)
        self.settings = settings
        self.search_path = []
        self.python = ("", "")
        self.mirror = mirror
        self.probe: Probe | None = None
        self.machine: Machine | None = None
        """The daemon's, where nothing could be asked inside."""
        self.runner: Runner | None = None
        """Runs a program in the container."""

    def learn(self, probe: Probe) -> None:
        """Take over what was found out inside."""
        self.probe = probe
        for name, text in probe.files.items():
            if name.startswith(("/proc/", "/sys/")) and ".." not in name.split("/"):
                self.mirror.put(name, text)
        for marker in probe.exists:
            self.mirror.put(marker, "")
        if probe.init:
            self.mirror.put("/proc/1/environ", f"container={probe.init}\0")
        # a process of another container is not in this one's /proc, and may well be alive
        joined = self.settings is not None and self.settings.ipc.startswith(("container:", "host"))
        for file in probe.shared:
            match = re.match(r"paddle_(\d{1,10})_", file.name)
            if match and (file.alive or joined):
                self.mirror.make(f"/proc/{match[1]}")
        for pid, process in probe.processes.items():
            self.mirror.put(f"/proc/{pid}/status", f"PPid:\t{process.parent}\n")
            self.mirror.put(f"/proc/{pid}/cmdline", "\0".join(process.words))
            self.mirror.put(f"/proc/{pid}/maps", process.maps)
        if probe.home and "HOME" not in self.environ:
            self.environ["HOME"] = probe.home
        self._find_python(probe)

    def _find_python(self, probe: Probe) -> None:
        """The interpreter: the first that has PaddlePaddle, else the first."""
        wanted = {"paddle", "paddleclas", "paddlex"}
        for folder, names in probe.packages.items():
            self.mirror.make(folder)
            for name in names:
                if "/" not in name and name not in (".", ".."):
                    self.mirror.make(posixpath.join(folder, name))
            for name, file in (("paddle", "version/__init__.py"), ("paddleclas", "deploy/utils/predictor.py")):
                if name in names:
                    self.mirror.take(posixpath.join(folder, name, file))
        by_folder = {folder: bool(wanted & set(names)) for folder, names in probe.packages.items()}
        order = sorted(probe.python, key=lambda path: not any(by_folder.get(folder) for folder in probe.python[path]))
        if not order or not probe.python[order[0]]:
            return
        folders = probe.python[order[0]]
        self.search_path = [self.mirror.place(folder) for folder in folders]
        version = next((match[1] for folder in folders if (match := re.search(r"/python(3\.\d+)/", folder))), "3")
        self.python = (version, order[0])

    @property
    def measured(self) -> bool:
        return self.probe is not None

    def space(self, absolute: str) -> tuple[int, int]:
        space = self.probe.spaces.get(absolute) if self.probe else None
        if space is not None:
            return space
        if self.probe is None and self.machine is not None and self.machine.here:
            stats = os.statvfs(absolute)  # a folder of this machine that is the container's /dev/shm
            return stats.f_blocks * stats.f_frsize, stats.f_bavail * stats.f_frsize
        raise OSError(f"{absolute} was not measured")

    def processors(self) -> tuple[int, int | None]:
        online = count_cpus((self.read("/sys/devices/system/cpu/online") or "").strip())
        allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", self.read("/proc/self/status") or "", re.MULTILINE)
        if online is None:
            online = self.machine.processors if self.machine else 1
        return online, count_cpus(allowed[1]) if allowed else None

    def shared_files(self) -> list[tuple[str, int]]:
        return [(file.name, file.size or 0) for file in self.probe.shared] if self.probe else []

    def disk(self, path: str) -> tuple[int, int, bool]:
        inside = self._inside(path)
        space = self.probe.spaces.get(inside) if self.probe else None
        if space is None:
            raise OSError(f"{inside} was not measured")
        return space.size, space.free, mounted_read_only(self.read("/proc/self/mountinfo") or "", inside)

    def writable(self, folder: str) -> bool:
        look = self.probe.looks.get(self._inside(folder)) if self.probe else None
        return look is None or (look.writable and look.enterable)

    def unlisted(self, folder: str) -> bool:
        return os.path.isdir(folder) and self._inside(folder) not in self.mirror.listed

    def unread(self, path: str) -> bool:
        return self._inside(path) in self.mirror.unread

    def unseen(self, path: str) -> bool:
        return self.mirror.files.unseen(self._inside(path))

    def run(self, *command: str, timeout: float = 5.0) -> str | None:
        return self.runner(command, timeout) if self.runner is not None else None

    def _inside(self, path: str) -> str:
        """The container's path of a place in the mirror."""
        return os.path.normpath(path.removeprefix(self.sysroot) or "/")


def mounted_read_only(mountinfo: str, path: str) -> bool:
    """Whether the file system that holds a path is mounted read-only, told by the longest mount point above it (of equals the last)."""
    best, read_only = "", False
    for line in mountinfo.splitlines():
        left, dash, right = line.partition(" - ")
        fields = left.split()
        if not dash or len(fields) < 6:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            whole = right.split()
            best = point
            read_only = "ro" in fields[5].split(",") or (len(whole) > 2 and "ro" in whole[2].split(","))
    return read_only
