"""What every fact shares: the request it answers, the world it looks at, and how its collector is registered."""

from __future__ import annotations

import os
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from checks.model import Unavailable

if TYPE_CHECKING:
    from checks.facts.container_settings import ContainerSettings

StageName = Literal["train", "eval", "export", "infer", "deploy"]

ImageDepth = Literal["off", "exists", "quick", "full"]
"""How closely listed images are looked at: not at all, whether they are there, their first and last bytes too, or decoded."""


class Fact(msgspec.Struct, frozen=True):
    """Something measured: frozen, and the same after a round trip through JSON."""


class Assumed(msgspec.Struct, frozen=True):
    """What the user told us of the machine that the config is for; None where ours is to be measured. Sizes in bytes."""

    shm: int | None = None
    cpus: float | None = None
    memory: int | None = None
    gpus: int | None = None


class ParityRequest(msgspec.Struct, frozen=True):
    """That both sides be run over `images` (files and folders; empty: those that the configs name), at most `limit` of them where folders are.

    `outputs` are two files of results to be compared instead, `scripts` two commands that print them: training side, deploy side.

    `seconds` is what one step of one side may take. `arrays` is a file (`.npz`) to be written for a picture.
    """

    images: tuple[str, ...] = ()
    limit: int = 1000
    seconds: float = 120.0
    arrays: str | None = None
    outputs: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()


class Request(Fact, frozen=True):
    """What the user asked for: the config, the overrides, and where PaddleClas would be started.

    `deploy_config`, `weights` and `inference_model` are the companions of the config, None where those that it names are meant. `synthetic`
    holds glob patterns of generated images (FAQ 4.1), `images` how closely images are looked at, `cache` whether results of slow scans may be
    kept. `probe` lets the user's own PaddleClas run over a few samples, in the interpreter `python` (None: this one); `parity` lets it run the
    training side and the deploy side. `container` names the one that is looked into from outside.
    """

    config: str
    overrides: tuple[str, ...] = ()
    root: str | None = None
    stage: StageName = "train"
    assumed: Assumed = Assumed()
    deploy_config: str | None = None
    weights: str | None = None
    inference_model: str | None = None
    synthetic: tuple[str, ...] = ()
    images: ImageDepth = "quick"
    cache: bool = True
    probe: bool = False
    python: str | None = None
    container: str | None = None
    parity: ParityRequest | None = None


class World:
    """The one door to the machine: files below `root`, the environment, and programs with a deadline.

    `root` is "/" in earnest and a folder in tests: `/proc`, `/sys` and `/dev` are then read from below it. The user's own files
    are opened by their own paths, below `sysroot`: empty in earnest, the folder of a mirror where the files are those of a container.
    `settings` are those of the container that was asked for, `lost` says why nothing but the config can be had. `python` is the version and the
    path of the interpreter, `search_path` where it looks for packages.
    """

    def __init__(self, root: str = "/", environ: Mapping[str, str] | None = None, cwd: str | None = None, sysroot: str = "") -> None:
        self.root = root
        self.sysroot = sysroot
        self.search_path = list(sys.path)
        self.python = (".".join(map(str, sys.version_info[:3])), sys.executable or "")
        self.settings: ContainerSettings | None = None
        self.lost: Unavailable | None = None
        self.environ = dict(os.environ if environ is None else environ)
        self.cwd = cwd or os.getcwd()
        self.on_progress: Callable[[str, int, int], None] | None = None
        self.cancelled = False

    def progress(self, fact: str, done: int, total: int) -> None:
        """Tell whoever watches how far a long measurement is: `done` of `total` lines or images.

        Raises:
            Cancelled: the run was given up meanwhile.
        """
        if self.cancelled:
            raise Cancelled
        if self.on_progress is not None:
            self.on_progress(fact, done, total)

    def locate(self, path: str, folder: str | None = None) -> str:
        """Where a path of the user's is opened; a relative one counts from `folder`, by default the current one."""
        return within(self.sysroot, self.cwd if folder is None else folder, path)

    def above(self, folder: str) -> Iterator[str]:
        """A folder and those above it, up to the top of the user's files."""
        while True:
            yield folder
            parent = os.path.dirname(folder)
            if folder in (parent, self.sysroot):
                return
            folder = parent

    def space(self, absolute: str) -> tuple[int, int]:
        """Size and free bytes of the file system of a system folder, as `statvfs` tells them.

        Raises:
            OSError: it is not there.
            AttributeError: the platform has no `statvfs`.
        """
        stats = os.statvfs(self.path(absolute))
        return stats.f_blocks * stats.f_frsize, stats.f_bavail * stats.f_frsize

    @property
    def measured(self) -> bool:
        """Whether the machine that was asked for can be looked at; else there are but the settings of a container."""
        return self.settings is None

    def processors(self) -> tuple[int, int | None]:
        """How many there are, and how many of them this process may run on (None where the platform does not tell)."""
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
        return os.cpu_count() or 1, allowed

    def shared_files(self) -> list[tuple[str, int]]:
        """Name and bytes of each file in /dev/shm."""
        try:
            with os.scandir(self.path("/dev/shm")) as entries:
                return [(entry.name, entry.stat(follow_symlinks=False).st_blocks * 512) for entry in entries]
        except OSError:
            return []

    def disk(self, path: str) -> tuple[int, int, bool]:
        """Size and free bytes of the file system at a place that `locate` gave, and whether it is mounted read-only.

        Raises:
            OSError: it is not there, or cannot be told.
            AttributeError: the platform has no `statvfs`.
        """
        stats = os.statvfs(path)
        return stats.f_blocks * stats.f_frsize, stats.f_bavail * stats.f_frsize, bool(stats.f_flag & os.ST_RDONLY)

    def writable(self, folder: str) -> bool:
        """Whether files can be made in a folder, as far as its permissions say."""
        return os.access(folder, os.W_OK | os.X_OK)

    def unlisted(self, folder: str) -> bool:
        """Whether a folder is there and what is in it is not known, so that what seems to be missing may be there."""
        return False

    def unread(self, path: str) -> bool:
        """Whether a file is there and its content is not known."""
        return False

    def unseen(self, path: str) -> bool:
        """Whether what is not found at a place that `locate` gave may be there all the same, in a container that cannot be looked into."""
        return self.settings is not None and self.settings.state in ("image", "file")

    def path(self, absolute: str) -> str:
        """The place of a system file, such as `/proc/self/mountinfo`."""
        return os.path.join(self.root, absolute.lstrip("/"))

    def read(self, absolute: str) -> str | None:
        """The text of a small system file, or None if it cannot be had."""
        try:
            with open(self.path(absolute), encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except OSError:
            return None

    def run(self, *command: str, timeout: float = 5.0) -> str | None:
        """Standard output of a program, or None if it is not there, fails, or takes longer than `timeout` seconds."""
        folders = self.environ.get("PATH", os.defpath).split(os.pathsep)
        if not any(os.access(os.path.join(folder, command[0]), os.X_OK) for folder in folders):
            return None
        import subprocess  # costs 4 ms, and most runs start no program

        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env=self.environ, check=False, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None


def within(sysroot: str, folder: str, path: str) -> str:
    """Join a path to a folder. What is absolute, or climbs above the top with `..`, stays below `sysroot`, if there is one."""
    if not sysroot:
        return os.path.join(folder, path)
    inside = os.path.join("/", folder.removeprefix(sysroot), path)
    return sysroot + os.path.normpath(inside).replace("//", "/") + ("/" if path.endswith("/") else "")


def no_images(request: Request, world: World) -> Unavailable | None:
    """Why images are not looked at, None where they are."""
    if world.sysroot:
        return Unavailable("images-in-container")
    return Unavailable("images-off") if request.images == "off" else None


class Need:
    """A fact that a check or a collector takes: its type, and whether it can do without."""

    __slots__ = ("fact", "optional")

    def __init__(self, fact: type, optional: bool) -> None:
        self.fact = fact
        self.optional = optional


def needs_of(function: Callable[..., Any]) -> dict[str, Need]:
    """What a function takes, by parameter: `X` or `X | None`, read from its annotations.

    Raises:
        TypeError: an annotation names no fact, or more than one.
    """
    needs = {}
    names = function.__code__.co_varnames[: function.__code__.co_argcount + function.__code__.co_kwonlyargcount]
    for name in names:
        annotation = function.__annotations__.get(name)
        # a string under `from __future__ import annotations`; typing.get_type_hints would compile each, 3 ms for all rules
        parts = [p.strip() for p in annotation.split("|")] if isinstance(annotation, str) else []
        facts = [function.__globals__.get(p) for p in parts if p != "None"]
        if not facts or not all(isinstance(fact, type) for fact in facts):
            hint = typing.get_type_hints(function).get(name)
            facts = [a for a in typing.get_args(hint) if a is not type(None)] or [hint]
            parts = ["None"] if type(None) in typing.get_args(hint) else []
        if len(facts) != 1 or not isinstance(facts[0], type):
            raise TypeError(f"{function.__qualname__}: the parameter {name} must name one fact, not {annotation}")
        needs[name] = Need(facts[0], "None" in parts)
    return needs


class Collector:
    """How one fact is measured. `needs` are its parameters: the request, the world, or other facts. `touches`: it looks at files or the machine."""

    __slots__ = ("_needs", "deadline", "fact", "function", "touches")

    def __init__(self, fact: type, function: Callable[..., Any], deadline: float, touches: bool = True) -> None:
        self.fact = fact
        self.function = function
        self.deadline = deadline
        self.touches = touches
        self._needs: dict[str, type] | None = None

    @property
    def needs(self) -> dict[str, type]:
        """Parameter name → type of what it takes."""
        if self._needs is None:
            self._needs = {name: need.fact for name, need in needs_of(self.function).items()}
        return self._needs


COLLECTORS: dict[type, Collector] = {}
"""Every fact's collector; a fact is registered when its module is imported, and a check cannot name a fact without importing it."""


def collects(fact: type, *, deadline: float, touches: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the function below as the collector of `fact`; past `deadline` seconds the fact is unavailable.

    Without `touches` it derives the fact from others alone, which goes also where the world is lost.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        COLLECTORS[fact] = Collector(fact, function, deadline, touches)
        return function

    return register


class Cancelled(Exception):
    """Raised out of `World.progress` once the run is given up, so that a long measurement ends early."""


class Unreadable(Exception):  # becomes an Unavailable, or the one line the user sees
    """Raised by a collector that cannot measure its fact; carries a phrase of `knowledge.phrases`."""

    def __init__(self, reason: str | Unavailable, **values: Any) -> None:
        self.unavailable = reason if isinstance(reason, Unavailable) else Unavailable(reason, values)
        super().__init__(self.unavailable.reason)
