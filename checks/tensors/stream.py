"""`Source`: a file read in small windows, with the values seeked over.

Imports nothing but `os`, so that the shapes of a file cost little more than the start of Python.
"""

from __future__ import annotations

import os

WINDOW = 8192
"""Bytes of one read: what lies between two arrays of a pickle is some 400 bytes."""

MAX_KEPT = 16 << 20
"""Bytes of names and texts that are kept of one file; those of the largest networks are 0.3 MB."""

MAX_SCANNED = 1 << 30
"""Bytes that are searched for ends of lines; only protocol 0 keeps values in lines."""


class Flaw(Exception):
    """What is wrong with a file's structure, in one word."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Oddity(Exception):
    """What NumPy, or a limit of pickle's own, would not take; the walk goes on, for a reader that stops where pickle does not can be led astray."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Source:
    """Part of an open file, from `start` to `stop`; positions are those in the file.

    `kept` counts the bytes that were handed out to be kept, so that a file full of texts cannot fill the memory.
    """

    __slots__ = ("_at", "_base", "_fd", "_window", "kept", "scanned", "start", "stop")

    def __init__(self, fd: int, start: int = 0, stop: int | None = None) -> None:
        self._fd = fd
        self.start = start
        self.stop = os.fstat(fd).st_size if stop is None else stop
        self._window = b""
        self._base = start
        self._at = 0
        self.kept = 0
        self.scanned = 0

    def part(self, start: int, stop: int) -> Source:
        """Another part of the same file."""
        return Source(self._fd, start, min(stop, self.stop))

    @property
    def position(self) -> int:
        """Where the next byte lies in the file."""
        return self._base + self._at

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self.stop - self._base - self._at

    def _fill(self, count: int) -> None:
        position = self._base + self._at
        wanted = min(max(count, WINDOW), self.stop - position)
        try:
            self._window = os.pread(self._fd, wanted, position) if wanted > 0 else b""
        except OSError as error:  # a bad disk, a network file system that went away
            raise Flaw("unreadable") from error
        self._base = position
        self._at = 0
        if len(self._window) < count:
            raise Flaw("cut")

    def byte(self) -> int:
        """The next byte."""
        if self._at >= len(self._window):
            self._fill(1)
        value = self._window[self._at]
        self._at += 1
        return value

    def take(self, count: int) -> bytes:
        """The next bytes, at most some 64 KB."""
        if self._at + count > len(self._window):
            self._fill(count)
        value = self._window[self._at : self._at + count]
        self._at += count
        return value

    def number(self, count: int, signed: bool = False) -> int:
        """The next `count` bytes as a little-endian number."""
        return int.from_bytes(self.take(count), "little", signed=signed)

    def keep(self, count: int) -> bytes:
        """The next bytes, counted as kept.

        Raises:
            Flaw: more is kept than any file of weights has in names.
        """
        self._count(count)
        return self.take(count)

    def kept_at(self, position: int, count: int) -> bytes:
        """The same of bytes elsewhere in the file."""
        self._count(count)
        return self.at(position, count)

    def _count(self, count: int) -> None:
        self.kept += count + 64
        if self.kept > MAX_KEPT:
            raise Flaw("excess")

    def skip(self, count: int) -> int:
        """Seek over bytes; the place where they begin."""
        position = self._base + self._at
        if count < 0 or position + count > self.stop:
            raise Flaw("cut")
        self._at += count
        if self._at > len(self._window):
            self._base = position + count
            self._window = b""
            self._at = 0
        return position

    def line(self, limit: int) -> bytes:
        """The text up to the next end of a line, without it."""
        start, length = self.span_of_line()
        if length > limit:
            raise Flaw("excess")
        return self.kept_at(start, length)

    def span_of_line(self) -> tuple[int, int]:
        """Where the next line begins and how many bytes it has without its end; the source then stands behind it."""
        start = self.position
        while True:
            found = self._window.find(b"\n", self._at)
            if found >= 0:
                self._at = found + 1
                return start, self._base + found - start
            self.scanned += len(self._window) - self._at
            if self.scanned > MAX_SCANNED:
                raise Flaw("excess")
            self._at = len(self._window)
            self._fill(1 if self.position - start < WINDOW else min(1 << 20, max(self.left, 1)))

    def at(self, position: int, count: int) -> bytes:
        """Bytes elsewhere in the file; fewer where it ends."""
        offset = position - self._base
        if offset >= 0 and offset + count <= len(self._window):
            return self._window[offset : offset + count]
        try:
            return os.pread(self._fd, max(0, min(count, self.stop - position)), position)
        except OSError as error:
            raise Flaw("unreadable") from error
