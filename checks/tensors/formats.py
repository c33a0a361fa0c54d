"""Which format a file of tensors has, and what is in it, as plain values.

Like all below it, this module imports neither msgspec nor `typing`: names and shapes of a large file (`shapes_of`) then cost little more than
the start of Python. `read.py` makes records of it.
"""

from __future__ import annotations

import os
import stat

from checks.tensors.built import Array, Blob
from checks.tensors.gather import Gathered, gather
from checks.tensors.pickles import Walk, walk
from checks.tensors.stream import Flaw, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from checks.tensors.model import Format

MAX_FILES = 20_000
"""Files of a folder with one for each parameter."""

ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ")


class NotTensors(Exception):
    """It is no file of tensors; `reason` is one word: missing, unreadable, empty, folder, archive, other."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Found:
    """What was found: the tensors as (name, array, places, file in a folder), and of a pickle what else there is."""

    __slots__ = ("behind", "flaw", "format", "notes", "others", "pickled", "tensors", "trailing", "walked")

    def __init__(self, format: Format, flaw: str | None) -> None:
        self.format = format
        self.flaw = flaw
        self.tensors: list[tuple[str, Array, tuple[Blob, ...], str | None]] = []
        self.notes: dict[str, str] = {}
        self.others: list[str] = []
        self.pickled: Gathered | None = None
        self.walked: Walk | None = None
        self.behind: Walk | None = None
        self.trailing = 0


def shapes_of(path: str) -> dict[str, tuple[int, ...]]:
    """Name → shape of the tensors in a file.

    Raises:
        NotTensors: there are none.
    """
    return {name: array.shape for name, array, _, _ in look_into(path).tensors}


def look_into(path: str) -> Found:
    """Read names, types and shapes of a pickle of `paddle.save`, of a static graph's parameters (a file or a folder), or of safetensors.

    The order is that of `paddle.load`, which hands every file to pickle first: what a file would run is told whatever else it may be.

    Raises:
        NotTensors: nothing of this is in the file.
    """
    try:
        if os.path.isdir(path):
            return _folder(path)
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        raise NotTensors("missing") from None
    except (OSError, ValueError):  # a NUL in the path is a ValueError
        raise NotTensors("unreadable") from None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotTensors("unreadable")
        return _file(fd)
    except Flaw:  # a read that fails outside of the walkers
        raise NotTensors("unreadable") from None
    finally:
        os.close(fd)


def _file(fd: int) -> Found:
    source = Source(fd)
    if not source.left:
        raise NotTensors("empty")
    head = source.at(0, 264)
    walked = walk(source)
    if walked.flaw == "unreadable":
        raise NotTensors("unreadable")
    if walked.flaw in (None, "excess") or walked.calls:
        return _pickled(walked, source)
    found = _safe(fd) or _static(fd)
    if found is not None:
        return found
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return _pickled(walked, source)
    raise NotTensors("archive" if head.startswith(ARCHIVES) or head[257:262] == b"ustar" else "other")


def _pickled(walked: Walk, source: Source) -> Found:
    found = Found("pickle", walked.flaw)
    found.walked = walked
    found.pickled = gather(walked.root, source)
    found.tensors = [(name, array, spans, None) for name, (array, spans) in found.pickled.tensors.items()]
    found.others = found.pickled.others
    if walked.end is not None:
        found.trailing = source.stop - walked.end
        if found.trailing > 1:
            found.behind = walk(source.part(walked.end, source.stop))
    return found


def _safe(fd: int) -> Found | None:
    source = Source(fd)
    if source.left < 10 or source.at(8, 1) != b"{":
        return None
    from checks.tensors.safetensors import read_safetensors

    try:
        tensors, notes, flaw = read_safetensors(source)
    except Flaw:
        return None
    found = Found("safetensors", flaw)
    found.tensors = [(name, array, (array.data,), None) for name, array in tensors.items()]
    found.notes = notes
    return found


def _static(fd: int) -> Found | None:
    from checks.tensors.static import read_static

    try:
        tensors, flaw = read_static(Source(fd))
    except Flaw:
        return None
    if not tensors:
        return None
    found = Found("static", flaw)
    found.tensors = [("", array, (array.data,), None) for array in tensors]
    return found


def _folder(path: str) -> Found:
    """A file for each parameter, named as it is (`fluid.io.save_persistables` without a file name)."""
    from checks.tensors.static import read_static

    found = Found("static", None)
    with os.scandir(path) as entries:
        names = sorted(entry.name for entry, _ in zip(entries, range(MAX_FILES), strict=False) if entry.is_file())
    for name in names:
        flaw: str | None = "unreadable"
        tensors: list[Array] = []
        try:
            fd = os.open(os.path.join(path, name), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError:
            found.others.append(name)
            continue
        try:
            tensors, flaw = read_static(Source(fd))
        except Flaw as problem:
            flaw = problem.word
        finally:
            os.close(fd)
        if len(tensors) == 1 and flaw is None:
            found.tensors.append((name, tensors[0], (tensors[0].data,), name))
        else:
            found.others.append(name)
    if not found.tensors:
        raise NotTensors("folder")
    return found
