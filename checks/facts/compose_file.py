"""The settings of one service of a Compose file, read as a file: nothing is started, and no daemon is asked.

The Compose specification (`05-services.md`, `deploy.md`), of which versions 2 and 3 are a part. What Docker makes of the settings was read
off containers of Docker 20.10: a mount over /dev/shm comes before the IPC mode, and that before `shm_size`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from checks.facts.base import Unreadable
from checks.facts.compose_model import Project
from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings, sharing
from checks.facts.container_sizes import HALF, TmpfsSize, count_cpus, tmpfs_size
from checks.facts.settings_files import Part, chosen, part_of

SHM = "/dev/shm"


class _Mount(NamedTuple):
    """Something mounted in the container: `tmpfs`, `bind`, `volume` or another type; `at` is the value that tells its size."""

    kind: str
    target: str
    at: Part
    source: str = ""
    size: TmpfsSize = TmpfsSize()
    written: str | None = None
    read_only: bool = False


def read_compose(path: str, service: str | None, environ: Mapping[str, str], cwd: str) -> ContainerSettings:
    """The settings of a service; without a name those of the only one. `path` is the file's, relative to `cwd`, as the user gave it.

    Raises:
        Unreadable: no file, no Compose file, no such service, or values that Compose refuses too; a phrase of one line.
    """
    return _Reader(Project(path, environ, cwd)).settings(service)


class _Reader:
    """What the services of one project are started with."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.places = project.services(project.main)
        self.value, self.text, self.size = project.value, project.text, project.size

    def settings(self, wanted: str | None) -> ContainerSettings:
        """Those of the service of a name, or of the only one."""
        return self._settings(chosen(self.places, wanted, self.project.name, "compose"), ())

    def _settings(self, name: str, trail: tuple[str, ...]) -> ContainerSettings:
        service = self.project.merged(self.places[name], name)
        limits = ("deploy", "resources", "limits")
        memory = service.get(*limits, "memory") or service.get("mem_limit")
        found = ContainerSettings(
            source="compose",
            name=name,
            file=self.project.name,
            image=self.text(service.get("image")) or None,
            ipc=self.text(service.get("ipc")) or "private",
            memory=self.size(memory),
            memory_location=memory.location if memory else None,
            cpus=self._cpus(service),
            gpus=self._gpus(service),
            user=self.text(service.get("user")) or None,
            read_only=self.value(service.get("read_only")) in (True, "true"),
            workdir=self.text(service.get("working_dir")) or None,
            build_shm=self.size(service.get("build", "shm_size")),
        )
        given = service.get("shm_size")
        size = self.size(given)
        mount = next((mount for mount in reversed(list(self._mounts(service))) if mount.target == SHM), None)
        hidden = given.location if given and size else None
        if mount is not None:
            return msgspec.structs.replace(self._mounted(found, mount), shm_hidden=hidden)
        ipc = service.get("ipc")
        if found.ipc == "host" and ipc:
            return _with(found, shm_origin="host", shm_location=ipc.location, shm_host_path=SHM, shm_hidden=hidden)
        if found.ipc == "none" and ipc:
            return _with(found, shm_origin="none", shm_location=ipc.location, shm_hidden=hidden)
        if found.ipc.startswith("service:") and ipc:
            return _with(self._joined(found, found.ipc.removeprefix("service:"), ipc, (*trail, name)), shm_hidden=hidden)
        if found.ipc.startswith("container:") and ipc:
            return _with(found, shm_origin="container", shm_location=ipc.location, shm_hidden=hidden)
        at = service.place("shm_size")
        if given is not None and size is not None:
            return _with(found, shm=size, shm_origin="shm-size", shm_location=at, shm_written=self.text(given))
        return _with(found, shm=DEFAULT_SHM, shm_location=at)

    def _mounted(self, found: ContainerSettings, mount: _Mount) -> ContainerSettings:
        at = mount.at.location
        found = _with(found, shm_location=at, shm_written=mount.written, shm_read_only=mount.read_only)
        if mount.kind == "bind":
            return _with(found, shm_origin="bind", shm_host_path=mount.source)
        sized = mount.size != TmpfsSize()
        if mount.kind == "tmpfs" or sized:
            kind = "tmpfs" if mount.kind == "tmpfs" else "volume"
            return _with(found, shm_origin=kind, shm=mount.size.size, shm_share=mount.size.share)
        return _with(found, shm_origin="volume", shm_on_disk=mount.kind == "volume")

    def _joined(self, found: ContainerSettings, other: str, ipc: Part, trail: tuple[str, ...]) -> ContainerSettings:
        """With /dev/shm that of another service, whose IPC namespace this one joins."""
        at = ipc.location
        if other not in self.places:
            names = ", ".join(list(self.places)[:20])
            raise Unreadable("compose-ipc-wrong", file=at.file, line=at.line, column=at.column, name=other, names=names)
        if other in trail:
            raise Unreadable("compose-ipc-cycle", file=at.file, line=at.line, column=at.column, name=other)
        theirs = self._settings(other, trail)
        return _with(
            sharing(found, theirs),
            # a namespace is shared only with `shareable`, and by no container that has a mount of its own over /dev/shm
            unshared_ipc=other if theirs.ipc == "private" or theirs.shm_origin in ("tmpfs", "bind", "volume") else None,
        )

    def _mounts(self, service: Part) -> Iterator[_Mount]:
        volumes = service.get("volumes")
        for item in volumes.items() if volumes else []:
            yield from self._long_mount(item) if item.entries() else self._short_mount(item)
        tmpfs = service.get("tmpfs")
        for item in (tmpfs.items() or [tmpfs]) if tmpfs else []:
            target, _, options = self.text(item).partition(":")
            size = tmpfs_size(options) if posixpath.normpath(target) == SHM else TmpfsSize()
            if size is None:
                at = item.location
                raise Unreadable("compose-tmpfs-wrong", file=at.file, line=at.line, column=at.column, text=self.text(item)[:100])
            yield _Mount("tmpfs", posixpath.normpath(target), item, "", size, self.text(item), "ro" in options.split(","))

    def _short_mount(self, item: Part) -> Iterator[_Mount]:
        fields = self.text(item).split(":")
        if len(fields) > 1 and len(fields[0]) == 1 and fields[0].isalpha() and fields[1][:1] in ("\\", "/"):
            fields[:2] = [":".join(fields[:2])]  # a drive of Windows
        source, target = (fields[0], fields[1]) if len(fields) > 1 else ("", fields[0])
        read_only = "ro" in fields[2].split(",") if len(fields) > 2 else False
        if source.startswith((".", "/", "~", "\\\\")) or (source[1:2] == ":" and source[:1].isalpha()):
            yield from self._bound(source, target, item, read_only)
        else:
            yield self._volume(source, target, item, read_only)

    def _long_mount(self, item: Part) -> Iterator[_Mount]:
        kind, target = self.text(item.get("type")) or "volume", self.text(item.get("target"))
        read_only = self.value(item.get("read_only")) in (True, "true")
        if kind == "tmpfs":
            part = item.get("tmpfs", "size")
            size = self.size(part) if posixpath.normpath(target) == SHM else None
            written = self.text(part) if part and size else None
            yield _Mount(kind, posixpath.normpath(target), part or item, "", TmpfsSize(size) if size else HALF, written, read_only)
        elif kind == "bind":
            yield from self._bound(self.text(item.get("source")), target, item, read_only)
        elif kind == "volume":
            yield self._volume(self.text(item.get("source")), target, item, read_only)
        else:
            yield _Mount(kind, posixpath.normpath(target), item, "", TmpfsSize(), None, read_only)

    def _bound(self, source: str, target: str, item: Part, read_only: bool) -> Iterator[_Mount]:
        source, target = posixpath.normpath(source), posixpath.normpath(target)
        if not source.startswith(("/", "~")) and source[1:2] != ":":
            source = os.path.normpath(os.path.join(self.project.cwd, item.folder, source))
        if (source, target) == ("/dev", "/dev"):
            source, target = SHM, SHM  # it hides the container's own
        yield _Mount("bind", target, item, source, read_only=read_only)

    def _volume(self, source: str, target: str, item: Part, read_only: bool) -> _Mount:
        """A volume; one of the local driver may be a tmpfs."""
        target = posixpath.normpath(target)
        for file in tuple(self.project.files.values()) if source and target == SHM else ():
            options = part_of(file.tree, ("volumes", source), file.modes).get("driver_opts")
            if options is not None and self.text(options.get("type")) == "tmpfs":
                size = tmpfs_size(self.text(options.get("o")))
                part = options.get("o") or options
                if size is None:
                    at = part.location
                    raise Unreadable("compose-tmpfs-wrong", file=at.file, line=at.line, column=at.column, text=self.text(part)[:100])
                return _Mount("volume", target, part, source, size, self.text(options.get("o")) or None, read_only)
        return _Mount("volume", target, item, source, read_only=read_only)

    def _cpus(self, service: Part) -> float | None:
        found = []
        for part in (service.get("deploy", "resources", "limits", "cpus"), service.get("cpus")):
            found.append(_number(self.value(part)))
        quota, period = _number(self.value(service.get("cpu_quota"))), _number(self.value(service.get("cpu_period")))
        if quota is not None:
            found.append(quota / (period or 100_000))
        named = count_cpus(self.text(service.get("cpuset")))
        return min((number for number in (*found, float(named) if named else None) if number), default=None)

    def _gpus(self, service: Part) -> int | None:
        """How many GPUs are asked for; None where all are, or nothing is told: an image may ask for them by a variable of its own."""
        requests = []
        gpus = service.get("gpus")
        if gpus is not None:
            if not gpus.items():
                return None
            requests += gpus.items()
        devices = service.get("deploy", "resources", "reservations", "devices")
        for device in devices.items() if devices else []:
            capabilities = device.get("capabilities")
            names = {self.text(item) for item in capabilities.items()} if capabilities else set()
            if names & {"gpu", "nvidia", "nvidia-compute", "compute", "utility"} or self.text(device.get("driver")) == "nvidia":
                requests.append(device)
        if not requests:
            return self._visible(service) if self.text(service.get("runtime")) == "nvidia" else None
        total = 0
        for request in requests:
            ids, count = request.get("device_ids"), self.text(request.get("count"))
            if ids is not None:
                total += len(ids.items())
            elif count.isascii() and count.isdigit() and len(count) < 5:
                total += int(count)
            else:
                return None
        return total

    def _visible(self, service: Part) -> int | None:
        """What NVIDIA_VISIBLE_DEVICES lets the NVIDIA runtime show; None where it is `all`, or not said here."""
        environment = service.get("environment")
        if environment is None:
            return None
        texts = [self.text(item) for item in environment.items()]
        texts += [f"{key}={self.text(part)}" for key, part in environment.entries().items()]
        for text in reversed(texts):
            key, equals, value = text.partition("=")
            if key == "NVIDIA_VISIBLE_DEVICES" and equals:
                value = value.strip()
                return 0 if value in ("none", "void") else None if value in ("all", "") else len(value.split(","))
        return None


def _with(found: ContainerSettings, **changes: Any) -> ContainerSettings:
    return msgspec.structs.replace(found, **changes)


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
