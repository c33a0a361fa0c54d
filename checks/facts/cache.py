"""What slow scans found, kept between runs in the user's cache folder.

A result is kept under a name (`label-survey` and the file's path, say) with a stamp: size and mtime of what was read, and the version of the rule
that read it. It is given back only while the stamp is the same. The folder may be deleted at any time; whatever fails here costs time, nothing else.
"""

from __future__ import annotations

import contextlib
import os
from typing import TypeVar

import msgspec

from checks.facts.base import Request, World

T = TypeVar("T")

MAX_BYTES = 256 << 20
"""The most that is kept in all; the results that were not used for the longest time go first."""


class Cache:
    """Results by kind and key. With `folder` None nothing is kept and nothing is found."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder

    def read(self, kind: str, key: str, stamp: tuple[int | str, ...], type: type[T]) -> T | None:
        """The result kept for a key, if its stamp is still the same."""
        if self.folder is None:
            return None
        path = self._path(kind, key)
        try:
            with open(path, "rb") as stream:
                content = stream.read()
            kept, body = msgspec.msgpack.decode(content, type=tuple[list[int | str], msgspec.Raw])
            if tuple(kept) != stamp:
                return None
            found = msgspec.msgpack.decode(body, type=type)
            os.utime(path)
        except (OSError, ValueError, msgspec.MsgspecError):  # absent, damaged, or of another version of ours
            return None
        return found

    def write(self, kind: str, key: str, stamp: tuple[int | str, ...], value: object) -> None:
        """Keep a result; a run at the same time may do the same, the last one stays."""
        if self.folder is None:
            return
        import tempfile  # 4 ms, and most runs keep nothing

        with contextlib.suppress(OSError, ValueError, TypeError):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            content = msgspec.msgpack.encode((stamp, value))
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(content)
                os.replace(temporary, self._path(kind, key))
            except BaseException:  # Ctrl-C as well: nothing half written stays behind
                os.unlink(temporary)
                raise
            self._prune()

    def _path(self, kind: str, key: str) -> str:
        import hashlib  # 3 ms, and most runs look for nothing here

        name = hashlib.blake2b(f"{kind}\0{key}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return os.path.join(self.folder or "", f"{kind}-{name}")

    def _prune(self) -> None:
        with os.scandir(self.folder or ".") as entries:
            kept = sorted(((e.stat().st_mtime, e.stat().st_size, e.path) for e in entries if e.is_file()), reverse=True)
        total = 0
        for _, size, path in kept:
            total += size
            if total > MAX_BYTES:
                os.unlink(path)


def cache_of(request: Request, world: World) -> Cache:
    """The cache of this run: `PADDLE_DOCTOR_CACHE`, else the platform's folder for caches; none with `--no-cache`."""
    if not request.cache:
        return Cache(None)
    folder = world.environ.get("PADDLE_DOCTOR_CACHE")
    if not folder:
        import platformdirs  # 3 ms, and most runs have nothing to keep

        folder = platformdirs.user_cache_dir("paddle-doctor", appauthor=False)
    return Cache(folder)


def stamp_of(path: str, version: int) -> tuple[int | str, ...]:
    """Size and mtime of a file, and the version of the rule that reads it.

    Raises:
        OSError: the file cannot be looked at.
    """
    found = os.stat(path)
    return (version, found.st_size, found.st_mtime_ns)
