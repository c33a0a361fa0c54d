"""A mirror of the few files of a container that matter, at the container's own paths below a folder of ours.

Files come through the daemon's archive API, which works for running and stopped containers alike. The mirror has plain files and folders only:
links are followed in the container, by its daemon, and none is ever made here, so nothing in a hostile container can lead a write out of the folder.
"""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from checks.facts.base import Cancelled, Unreadable
from checks.facts.docker_daemon import PathStat

MOST_BYTES = 2 << 30
"""The largest file that is copied, and the most that is copied in all."""

ENDS_ONLY = (".pdparams", ".pdopt", ".pdema", ".pdiparams", ".onnx", ".nb", ".index")
"""Large files of which rules look at the first and last bytes alone: the middle is left as a hole."""
HEAD, TAIL = 1 << 20, 1 << 16
MOST_STREAMED = 1 << 30
"""Larger ones are not even read through: their size is known, their content is not."""

LARGEST_HOLE = 1 << 40
"""File systems have their limits; a file in a container may say that it is any size."""

SOURCE_BYTES = 1 << 20
"""The largest source file that is copied from a checkout."""
TREE_BYTES = 256 << 20
LINKS = 40
LONGEST = 4096
"""Characters of a path; the kernel takes no longer one."""


class Files(Protocol):
    """Where the files come from."""

    def stat(self, path: str) -> PathStat | None:
        """What lies at an absolute path."""
        ...

    def archive(self, path: str) -> Iterator[bytes]:
        """It, as the pieces of a tar."""
        ...

    def covered(self, path: str) -> bool:
        """Whether something is mounted over a path that the archives look beneath, as a tmpfs."""
        ...

    def hidden(self, path: str) -> PathStat | None:
        """What the container's own shell found at a path."""
        ...

    def unseen(self, path: str) -> bool:
        """Whether nobody has looked at a path: the archives do not show it, and the container's shell was not asked, or not let in."""
        ...

    def content(self, path: str) -> bytes | None:
        """The content of such a file."""
        ...


class Mirror:
    """Fills a folder. `unread` are the container's paths of files whose content is not, or not wholly, in the mirror."""

    def __init__(self, folder: str, files: Files, until: float, tell: Callable[[int, int], None] | None = None) -> None:
        self.folder = folder
        self.unread: set[str] = set()
        self.listed: set[str] = set()
        self.cancelled = threading.Event()
        self.files = files
        self._until = until
        self._tell = tell
        self._found: dict[str, tuple[str, PathStat] | None] = {}
        self._copied = 0

    def place(self, path: str) -> str:
        """Where a path of the container lies in the mirror."""
        return self.folder + plain(path).rstrip("/")

    def find(self, path: str) -> tuple[str, PathStat] | None:
        """What a path leads to in the container, with links followed; None where that is nothing."""
        path = plain(path)
        if path not in self._found:
            above = "/"
            for part in ("", *path.strip("/").split("/")):
                here = posixpath.join(above, part)
                if here not in self._found:
                    self._check()
                    upper = self._found.get(above)
                    there = here == "/" or (upper is not None and upper[1].kind == "folder")
                    self._found[here] = self._follow(here) if there else None
                above = here
        return self._found[path]

    def kind(self, path: str) -> str | None:
        """`file`, `folder`, `other`, or None for nothing."""
        found = self.find(path)
        return found[1].kind if found else None

    def nearest(self, path: str) -> str:
        """The longest part of a path that is there."""
        path = plain(path)
        while self.find(path) is None and path != "/":
            path = posixpath.dirname(path)
        return path

    def take(self, path: str, most: int = MOST_BYTES) -> str | None:
        """Have what lies at a path in the mirror, or else the nearest part of the path that is there; returns its kind.

        A file of more than `most` bytes is there with its size and without its content.

        Raises:
            Unreadable: the time is over, there is no room, or the daemon fails.
        """
        if "\0" in path or len(path) > LONGEST or any(len(os.fsencode(part)) > 255 for part in path.split("/")):
            return None
        found = self.find(path)
        place = self.place(path)
        if found is None:
            near = self.nearest(path)
            if self.kind(near) == "folder":
                self._make(self.place(near))
            elif near != "/":
                self.take(near)
            return None
        real, stat = found
        if stat.kind == "folder":
            self._make(place)
        elif os.path.lexists(place) and path not in self.unread:
            pass  # it is there already
        elif stat.kind == "other":
            self._make(os.path.dirname(place))
            with contextlib.suppress(OSError):
                os.mkfifo(place, 0o600)
        else:
            self._make(os.path.dirname(place))
            self._copy(real, stat.size, place, plain(path), most)
        return stat.kind

    def list(self, folder: str, names: dict[str, bool], everything: bool) -> None:
        """Have the names of a folder: folders as such (what is in them stays unknown), files of which only the name is known as empty ones."""
        if self.kind(folder) != "folder":
            return
        place = self.place(folder)
        self._make(place)
        for name, is_folder in names.items():
            if name in ("", ".", "..") or "/" in name or "\0" in name or len(os.fsencode(name)) > 255:
                continue
            path = posixpath.join(plain(folder), name)
            if is_folder:
                self._make(os.path.join(place, name))
            elif not os.path.lexists(os.path.join(place, name)):
                self.unread.add(path)
                size = stat.size if name.endswith(ENDS_ONLY) and (stat := self._size(path)) else 0
                self._hole(os.path.join(place, name), size)
        if everything:
            self.listed.add(plain(folder))

    def forget_missing(self) -> None:
        """Look anew, the next time, for what was not there: more is known of what archives do not show."""
        self._found = {path: found for path, found in self._found.items() if found is not None}

    def take_sources(self, folder: str) -> None:
        """Have all Python sources below a folder."""
        found = self.find(folder)
        if found is None or found[1].kind != "folder":
            return
        inside = 0
        top = posixpath.basename(found[0])
        with _tar(self._watched(self.files.archive(found[0]))) as archive:
            for member in archive:
                inside += member.size
                if inside > TREE_BYTES:
                    break
                relative = posixpath.normpath(member.name).removeprefix(top).lstrip("/")
                if not member.isreg() or member.size > SOURCE_BYTES or not relative.endswith(".py") or ".." in relative.split("/"):
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    place = os.path.join(self.place(folder), *relative.split("/"))
                    self._make(os.path.dirname(place))
                    self._write(place, content.read())

    def put(self, path: str, text: str) -> None:
        """Write a file of our own at a path of the mirror."""
        place = self.place(path)
        self._make(os.path.dirname(place))
        self._write(place, text.encode("utf-8", "surrogateescape"))

    def make(self, path: str) -> None:
        """Make a folder of the mirror."""
        self._make(self.place(path))

    def _follow(self, path: str) -> tuple[str, PathStat] | None:
        real = path
        for _ in range(LINKS):
            stat = None if self.files.covered(real) else self.files.stat(real)
            if stat is None:
                return next(((place, found) for place in (real, path) if (found := self.files.hidden(place)) is not None), None)
            if stat.kind != "link":
                return real, stat
            if not stat.target:
                return None
            real = posixpath.normpath(posixpath.join(posixpath.dirname(real), stat.target))
        return None

    def _size(self, path: str) -> PathStat | None:
        found = self.find(path)
        return found[1] if found and found[1].kind == "file" else None

    def _copy(self, real: str, size: int, place: str, path: str, most: int) -> None:
        ends = real.endswith(ENDS_ONLY) or path.endswith(ENDS_ONLY)
        if size > min(most, MOST_STREAMED if ends else MOST_BYTES) or (not ends and self._copied + size > MOST_BYTES):
            self.unread.add(path)
            self._hole(place, size)
            return
        if self.files.hidden(real) is not None and (self.files.covered(real) or self.files.stat(real) is None):
            content_of_hidden = self.files.content(real)
            if content_of_hidden is None:  # too large for `cat`, not readable, or there is no `cat`
                self.unread.add(path)
            self._write(place, content_of_hidden or b"")
            return
        with _tar(self._watched(self.files.archive(real), size)) as archive:
            member = next(iter(archive), None)
            content = archive.extractfile(member) if member is not None and member.isreg() else None
            if content is None:
                return  # it changed its kind meanwhile
            with self._room(), open(place, "wb") as target:
                if ends:
                    _ends(content, target)
                else:
                    while (piece := content.read(1 << 20)) and target.tell() < MOST_BYTES:
                        target.write(piece)
        self.unread.discard(path)
        self._copied += 0 if ends else size

    def _watched(self, pieces: Iterator[bytes], total: int = 0) -> Iterator[bytes]:
        done = 0
        for piece in pieces:
            self._check()
            done += len(piece)
            if self._tell is not None and total > HEAD:
                self._tell(min(done, total), total)
            yield piece

    def _check(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled
        if time.monotonic() > self._until:
            raise Unreadable("container-late")

    def _make(self, place: str) -> None:
        # what is a file in the container cannot be a folder, so a path through it stays away
        with self._room(), contextlib.suppress(FileExistsError, NotADirectoryError):
            os.makedirs(place, mode=0o700, exist_ok=True)

    def _write(self, place: str, content: bytes) -> None:
        with self._room(), contextlib.suppress(NotADirectoryError, IsADirectoryError), open(place, "wb") as target:
            target.write(content)

    def _hole(self, place: str, size: int) -> None:
        with self._room(), contextlib.suppress(NotADirectoryError, IsADirectoryError), open(place, "wb") as target:
            target.truncate(min(size, LARGEST_HOLE))

    @contextlib.contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unreadable("container-no-room", folder=self.folder, error=error.strerror or str(error)) from None


def plain(path: str) -> str:
    """A path of the container without `.`, `..` and doubled slashes; one that is relative counts from the top."""
    return posixpath.normpath("/" + path).replace("//", "/")


def _ends(content: IO[bytes], target: IO[bytes]) -> None:
    """The first and last bytes of a stream, and a hole of the right size between."""
    target.write(content.read(HEAD))
    done, tail = target.tell(), b""
    while piece := content.read(1 << 20):
        done += len(piece)
        tail = (tail + piece)[-TAIL:]
    target.seek(done - len(tail))
    target.write(tail)


class _Download(io.RawIOBase):
    """The pieces of a download as a file that can only be read on."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextlib.contextmanager
def _tar(pieces: Iterator[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Download(pieces), 1 << 20), mode="r|") as archive:
            yield archive
    except tarfile.TarError as error:
        raise Unreadable("container-archive-damaged", error=str(error)) from None
