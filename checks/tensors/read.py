"""`read_contents`: what a file of tensors holds, whatever its format, without running anything of it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from checks.tensors.built import Array, Blob
from checks.tensors.gather import gather
from checks.tensors.model import Call, Contents, Span, Tensor
from checks.tensors.pickles import Walk, walk
from checks.tensors.safetensors import read_safetensors
from checks.tensors.static import read_static
from checks.tensors.stream import Flaw, Source

MAX_FILES = 20_000
"""Files of a folder with one for each parameter."""


class NotTensors(Exception):
    """It is no file of tensors; `reason` is one word: missing, unreadable, empty, folder, other, archive."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_contents(path: str) -> Contents:
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
        import stat

        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise NotTensors("unreadable")
        return _file(fd)
    finally:
        os.close(fd)


def _file(fd: int) -> Contents:
    source = Source(fd)
    if not source.left:
        raise NotTensors("empty")
    head = source.at(0, 8)
    found = walk(source)
    if found.flaw is None or found.calls:
        return _pickled(found, fd)
    plain = _safe(fd) or _static(fd)
    if plain is not None:
        return plain
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return _pickled(found, fd)
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ")):
        raise NotTensors("archive")
    raise NotTensors("other")


def _pickled(found: Walk, fd: int) -> Contents:
    source = Source(fd)
    gathered = gather(found.root, source)
    trailing = source.stop - found.end if found.end is not None else 0
    behind = walk(source.part(found.end, source.stop)) if found.end is not None and trailing > 1 else None
    return Contents(
        "pickle",
        tuple(_tensor(name, *kept) for name, kept in gathered.tensors.items()),
        nested=gathered.nested,
        scalars=gathered.scalars,
        others=tuple(gathered.others[:1000]),
        parameter_names=gathered.names,
        calls=_calls(found),
        protocol=found.protocol,
        flaw=found.flaw,
        groups={key: tuple(_tensor(name, *kept) for name, kept in group.items()) for key, group in gathered.groups.items()},
        tables=gathered.tables,
        behind=_calls(behind) if behind is not None else (),
        trailing=trailing,
    )


def _calls(found: Walk) -> tuple[Call, ...]:
    return tuple(Call(function, argument, position, kind) for kind, function, argument, position in found.calls)


def _tensor(name: str, array: Array, spans: Iterable[Blob], file: str | None = None) -> Tensor:
    dtype = array.dtype
    assert dtype is not None
    assert dtype.name is not None
    nbytes = array.size * dtype.itemsize
    spans = tuple(spans)
    simple = len(spans) == 1 and spans[0].coding in ("raw", "latin-1") and spans[0].offset >= 0
    if simple and not array.fortran and not dtype.swapped and file is None:
        return Tensor(name, dtype.name, array.shape, nbytes, spans[0].offset)
    places = tuple(Span(span.offset, span.length, span.coding, file) for span in spans)
    return Tensor(name, dtype.name, array.shape, nbytes, None, places, array.fortran, dtype.swapped)


def _safe(fd: int) -> Contents | None:
    try:
        found, notes, flaw = read_safetensors(Source(fd))
    except Flaw:
        return None
    tensors = tuple(_tensor(name, array, (array.data,)) for name, array in found.items())
    return Contents("safetensors", tensors, scalars=dict(notes), flaw=flaw)


def _static(fd: int) -> Contents | None:
    try:
        found, flaw = read_static(Source(fd))
    except Flaw:
        return None
    if not found:
        return None
    return Contents("static", tuple(_tensor("", array, (array.data,)) for array in found), flaw=flaw)


def _folder(path: str) -> Contents:
    """A file for each parameter, named as it is (`fluid.io.save_persistables` without a file name)."""
    tensors: list[Tensor] = []
    others: list[str] = []
    with os.scandir(path) as entries:
        names = sorted(entry.name for entry, _ in zip(entries, range(MAX_FILES), strict=False) if entry.is_file())
    for name in names:
        fd = os.open(os.path.join(path, name), os.O_RDONLY)
        try:
            source = Source(fd)
            found, flaw = read_static(source) if source.left else ([], "empty")
        except Flaw:
            found, flaw = [], "other"
        finally:
            os.close(fd)
        if len(found) == 1 and flaw is None:
            tensors.append(_tensor(name, found[0], (found[0].data,), name))
        else:
            others.append(name)
    if not tensors:
        raise NotTensors("folder")
    return Contents("static", tuple(tensors), others=tuple(others))
