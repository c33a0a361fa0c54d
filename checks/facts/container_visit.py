"""Going into a container from outside: finding it, asking what its daemon and its own shell tell, and filling its world.

A name that is no container's but an image's stands for what `docker run` would make of that image: then there are settings and no files.
"""

from __future__ import annotations

import contextlib
import json
import os
import posixpath
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from checks.facts import container_probe, container_proc
from checks.facts.base import Request, Unreadable, World
from checks.facts.container_inspect import environment, mounts, settings_of_container, settings_of_image, shares_with
from checks.facts.container_mirror import Mirror
from checks.facts.container_paths import CHECKOUT_FILES, CHECKOUT_SOURCES, Text, above, texts, wanted
from checks.facts.container_settings import DEFAULT_SHM, ContainerSettings, sharing
from checks.facts.container_sizes import docker_bytes
from checks.facts.container_world import ContainerWorld
from checks.facts.deploy_config import collect_deploy_config
from checks.facts.docker_daemon import Daemon, PathStat, in_time
from checks.facts.docker_endpoints import endpoints
from checks.facts.training_config import collect_training_config
from checks.facts.yaml_tree import MAX_BYTES

WITHIN = 60.0
"""Seconds for looking through a container, its files included."""

RUN_WITHIN = 20.0
SETTLES_WITHIN = 8.0
"""Seconds to wait for a container that is restarting to run."""

DAEMON_SETTINGS = "/etc/docker/daemon.json"
PODMAN_SHM = 65_536_000
"""Its own default is written `65536k`, of which Podman 4 makes thousands, not powers of two: 62.5 MiB, measured with 4.3."""

MOST_HIDDEN = 64 << 20
"""The largest file that is read by `cat`, from a folder that the archives do not show."""

Tell = Callable[[int, int], None]


class Found(NamedTuple):
    """A container or an image, the daemon that has it, and what that tells of it."""

    daemon: Daemon
    told: dict[str, Any]
    settings: ContainerSettings


@contextlib.contextmanager
def visit(
    name: str, request: Request, environ: Mapping[str, str], docker_host: str | None = None, tell: Tell | None = None
) -> Iterator[World]:
    """The world of a container, or the settings of an image beside this machine's files; the mirror is gone at the end of the block.

    Raises:
        Unreadable: no daemon can be asked, it knows no such container, or the config is not in it.
    """
    found = find(name, environ, docker_host)
    try:
        if found.settings.state == "image":
            world = World(environ=environ)
            world.settings = found.settings
            if not os.path.exists(world.locate(request.config)):
                raise Unreadable("image-config-missing", file=request.config, name=name)
            yield world
            return
        with _folder() as folder:
            mirror = Mirror(folder, _Archives(found), time.monotonic() + WITHIN, tell)
            visitor = _Visitor(found, mirror)
            try:
                in_time(WITHIN + 1, lambda: visitor.fill(request), lambda: Unreadable("container-late"))
            except Unreadable as error:
                if error.unavailable.reason == "container-late":
                    raise Unreadable("container-slow", name=found.settings.name, seconds=WITHIN) from None
                if error.unavailable.reason == "container-no-room":
                    raise Unreadable("container-no-room", **{**error.unavailable.values, "name": found.settings.name}) from None
                raise
            finally:
                mirror.cancelled.set()
            yield visitor.world
    finally:
        found.daemon.close()


def find(name: str, environ: Mapping[str, str], docker_host: str | None = None) -> Found:
    """Ask each daemon there may be for a container of this name, then for an image.

    Raises:
        Unreadable: none can be asked (the first one's reason, where none was named), or none knows it.
    """
    trouble: list[Unreadable] = []
    asked: list[Daemon] = []
    for endpoint in endpoints(environ, docker_host):
        try:
            daemon = Daemon.connect(endpoint, environ)
        except Unreadable as error:
            trouble.append(error)
            continue
        told = daemon.container(name)
        if told is not None:
            return Found(daemon, told, _settings(daemon, told))
        asked.append(daemon)
    for daemon in asked:
        told = daemon.image(name)
        if told is not None:
            return Found(daemon, told, settings_of_image(told, name, _default_shm(daemon)))
    if not asked:
        # a socket that is there and fails says more than one that is not
        raise min(trouble, key=lambda error: error.unavailable.reason == "daemon-no-socket")
    similar = _similar(name, [known for daemon in asked for known in daemon.names()])
    socket = ", ".join(daemon.endpoint.socket for daemon in asked)
    for daemon in asked:
        daemon.close()
    if similar:
        raise Unreadable("container-unknown-similar", name=name, socket=socket, similar=similar)
    raise Unreadable("container-unknown", name=name, socket=socket)


def _similar(name: str, known: list[str]) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(name, known, 1, 0.6)), None) or next((k for k in known if name in k), None)


def _settings(daemon: Daemon, told: Mapping[str, Any]) -> ContainerSettings:
    default = _default_shm(daemon)
    settings = settings_of_container(told, default)
    seen = {str(told.get("Id"))}
    owner = settings
    while (other := shares_with(owner)) is not None:
        theirs = daemon.container(other)
        if theirs is None or str(theirs.get("Id")) in seen:
            return msgspec.structs.replace(settings, shm=None, shm_origin="container")
        seen.add(str(theirs.get("Id")))
        owner = settings_of_container(theirs, default)
    return settings if owner is settings else sharing(settings, owner)


def _default_shm(daemon: Daemon) -> int:
    """What a daemon gives where nobody says otherwise: Docker 64 MiB, or on this machine what its file of settings says; Podman a little less."""
    if daemon.podman:
        return PODMAN_SHM
    if daemon.endpoint.local:
        with contextlib.suppress(OSError, ValueError, AttributeError), open(DAEMON_SETTINGS, encoding="utf-8") as stream:
            return docker_bytes(json.load(stream).get("default-shm-size")) or DEFAULT_SHM
    return DEFAULT_SHM


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    folder = os.path.realpath(tempfile.mkdtemp(prefix="paddle-doctor-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # a thread that was left behind may have been at its last file


class _Archives:
    """The files of a container, through its daemon; those on a tmpfs, which archives do not show, through `cat` inside."""

    def __init__(self, found: Found) -> None:
        self._daemon = found.daemon
        self._id = str(found.told.get("Id") or found.settings.name)
        self._name = found.settings.name
        self.looks: Mapping[str, container_probe.Look] = {}
        """What the container's own shell found; without it nobody knows of hidden files."""
        # Podman's archives show a running container's own view
        self._mounts = {} if found.daemon.podman and found.settings.state == "running" else mounts(found.told)

    def stat(self, path: str) -> PathStat | None:
        return self._daemon.stat(self._id, path)

    def archive(self, path: str) -> Iterator[bytes]:
        return self._daemon.archive(self._id, path)

    def covered(self, path: str) -> bool:
        top = next((folder for folder in above(path, 64) if folder in self._mounts), "/")
        return not self._mounts.get(top, True)

    def hidden(self, path: str) -> PathStat | None:
        look = self.looks.get(path)
        if look is None or look.kind not in ("file", "folder", "other"):
            return None
        return PathStat("folder" if look.kind == "folder" else "file" if look.kind == "file" else "other", 0, "")

    def unseen(self, path: str) -> bool:
        if not self.covered(path):
            return False
        shut = any(look.kind == "folder" and not look.enterable for folder in above(path, 64)[1:] if (look := self.looks.get(folder)))
        return path not in self.looks or shut

    def content(self, path: str) -> bytes | None:
        done = self._daemon.execute(self._id, ["cat", path], RUN_WITHIN, MOST_HIDDEN)
        return done.output if done is not None and done.status == 0 else None


class _Visitor:
    """One visit. `world` is what comes of it."""

    def __init__(self, found: Found, mirror: Mirror) -> None:
        self.daemon = found.daemon
        self.machine = found.daemon.machine()
        self.settings = self._here(found.settings)
        self.id = str(found.told.get("Id") or found.settings.name)
        self.mirror = mirror
        self.world = ContainerWorld(mirror, self.settings, environment(found.told))

    def _here(self, settings: ContainerSettings) -> ContainerSettings:
        """Without the process, where that is another machine's (of a virtual machine, or a far daemon): commands for it would meet one of ours."""
        return settings if self.machine.here else msgspec.structs.replace(settings, pid=None)

    def fill(self, request: Request) -> None:
        """Have in the mirror what the rules may ask for.

        Raises:
            Unreadable: the config is not there, the time is over, there is no room, or the daemon fails.
        """
        world, mirror = self.world, self.mirror
        mirror.take(world.workdir)
        config = self._path(request.config)
        if mirror.take(config, MAX_BYTES) is None and not self._see(config):
            why = "container-config-unseen" if mirror.files.unseen(config) else "container-config-missing"
            raise Unreadable(why, file=request.config, name=self.settings.name, folder=world.workdir)
        bases = list(dict.fromkeys([world.workdir, *above(posixpath.dirname(config))]))
        if request.root is not None:
            bases.insert(0, self._path(request.root))
            mirror.take(bases[0])
        self._checkouts(bases)
        found, architecture = self._named(request)
        places = wanted(found, [*bases, *(posixpath.join(base, "deploy") for base in bases)], architecture)
        home = world.environ.get("HOME") or "/root"
        weights = posixpath.join(home, ".paddleclas", "weights")
        listed = [path for path in dict.fromkeys((*places.listed, weights)) if mirror.kind(path) == "folder"]
        written = [folder for path in places.written for folder in above(path, 64)]
        self._probe([*places.paths, *written], [*listed, weights], written)
        for path in places.paths:
            mirror.take(path)
        probe = world.probe
        for folder, names in (probe.names if probe else {}).items():
            mirror.list(folder, names.folders, names.all)
        if probe and weights not in probe.names and mirror.kind(weights) is None:
            mirror.take(weights)

    def _path(self, path: str) -> str:
        return posixpath.normpath(posixpath.join(self.world.workdir, path))

    def _see(self, config: str) -> bool:
        """Whether the config lies where archives do not show it, and could be read by the container's own shell."""
        self._probe([config], [], [])
        return self.mirror.take(config, MAX_BYTES) is not None

    def _checkouts(self, bases: list[str]) -> None:
        """Have the sources of a checkout of PaddleClas, where one of the folders is one (or the `deploy/` of one)."""
        mirror = self.mirror
        for base in dict.fromkeys([*bases, *(posixpath.dirname(base) for base in bases if posixpath.basename(base) == "deploy")]):
            if mirror.kind(posixpath.join(base, "ppcls")) == "folder" and mirror.kind(posixpath.join(base, "tools/train.py")) == "file":
                mirror.take(posixpath.join(base, "ppcls"))
                mirror.take(posixpath.join(base, "deploy"))
                for folder in CHECKOUT_SOURCES:
                    mirror.take_sources(posixpath.join(base, folder))
                for file in CHECKOUT_FILES:
                    mirror.take(posixpath.join(base, file))
                return  # the nearest one counts

    def _named(self, request: Request) -> tuple[list[Text], str | None]:
        """What the config and its companions name; a config that cannot be read is the reader's to complain of."""
        found: list[Text] = []
        for key, path in (
            ("deploy", request.deploy_config),
            ("weights", request.weights),
            ("inference_model_dir", request.inference_model),
        ):
            if path is not None:
                found.append(Text(key, self._path(path)))
        architecture = None
        with contextlib.suppress(Unreadable):
            plain = msgspec.structs.replace(request, root=None)
            config = collect_training_config(plain, self.world)
            found += texts(config.tree.data)
            architecture = config.architecture.value if config.architecture else None
            if request.deploy_config is not None:
                self.mirror.take(self._path(request.deploy_config))
                found += texts(collect_deploy_config(config, plain, self.world).tree.data)
        return found, architecture

    def _probe(self, look: list[str], names: list[str], measure: list[str]) -> None:
        """Ask inside; where that does not go, the kernel; where that does not either, the daemon's settings remain."""
        world = self.world
        probe = self._inside(look, names, measure)
        if probe is None and self.settings.pid is not None:
            probe = container_proc.look(self.settings.pid, self.id)
        world.settings = self.settings
        if probe is not None:
            files = self.mirror.files
            if isinstance(files, _Archives):
                files.looks = {**files.looks, **probe.looks}
                self.mirror.forget_missing()
            world.learn(probe)
            return
        world.machine = self.machine
        if world.machine.memory is not None:
            self.mirror.put("/proc/meminfo", f"MemTotal: {world.machine.memory // 1024} kB\n")

    def _inside(self, look: list[str], names: list[str], measure: list[str]) -> container_probe.Probe | None:
        parents = (folder for path in look for folder in above(path, 64))
        command, token = container_probe.command(*(list(dict.fromkeys(asked)) for asked in ((*look, *parents), names, measure)))
        until = time.monotonic() + SETTLES_WITHIN
        while self.settings.state in ("running", "restarting"):
            done = self.daemon.execute(self.id, command, RUN_WITHIN)
            probe = container_probe.parse(done.output, token) if done is not None else None
            if probe is not None and probe.complete:
                self.world.runner = self._run
                return probe
            told = self.daemon.container(self.id)
            if told is None:
                raise Unreadable("container-gone", name=self.settings.name)
            now = settings_of_container(told)
            steady = now.state == self.settings.state == "running"
            self.settings = self._here(msgspec.structs.replace(self.settings, state=now.state, pid=now.pid))
            if steady or time.monotonic() > until:
                return None  # it has no shell
            time.sleep(0.1)
        return None

    def _run(self, command: tuple[str, ...], seconds: float) -> str | None:
        try:
            done = self.daemon.execute(self.id, list(command), seconds)
        except Unreadable:
            return None
        return done.output.decode("utf-8", "replace") if done is not None and done.status == 0 else None
