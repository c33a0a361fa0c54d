"""Label files as streams of whole lines: a mebibyte at a time, line ends normalised, hostile files refused."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from checks.facts.base import Unreadable

CHUNK = 1 << 20
"""A mebibyte and the arrays that numpy makes of it: half and twice as much take 8 % longer."""
MAX_LINE = 1 << 16
"""A line longer than 64 KiB is no `path label` (Linux paths end at 4 KiB); it is reported and skipped, not kept in memory."""
PREVIEW = 60

INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u2064\u3000\ufeff]")
"""Characters that nobody sees, or takes for a plain blank; a tab is not one of them."""

_PLAIN = bytes([9, 10, *range(32, 127)])

Told = Callable[[int, int], None]
"""Hears how far a file is read: lines so far, and about how many there are."""


class LabelFile:
    """A label file that is being read, piece by piece; what its bytes tell is known when it has been read.

    `position` counts the bytes that were read, `lines` is counted up by whoever reads the pieces.
    """

    def __init__(self, path: str, told: Told | None = None) -> None:
        self.path = path
        self.size = 0
        self.lines = 0
        self.position = 0
        self.bom = False
        self.crlf = False
        self.not_utf8: tuple[int, int, str] | None = None
        self._told = told
        self._stream: Any = None

    def __enter__(self) -> LabelFile:
        """Open the file.

        Raises:
            Unreadable: missing, a folder, a device, without permission.
        """
        self._stream = _open(self.path)
        self.size = os.fstat(self._stream.fileno()).st_size
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.close()

    def pieces(self) -> Iterator[bytes]:
        """Whole lines, each with `\\n` at its end; `\\r\\n` and `\\r` end a line as well. Of a line longer than `MAX_LINE` only so much is given.

        Raises:
            Unreadable: the file cannot be read, or is binary.
        """
        rest, skipping, first = b"", False, True
        while True:
            block = self._read()
            self.position += len(block)
            if first:
                first = False
                self.bom = block.startswith(b"\xef\xbb\xbf")
                if b"\0" in block[:8192]:
                    raise Unreadable("file-binary", file=self.path)
            held = b""
            if b"\r" in block or b"\r" in rest or not block:
                data, held = self._normalised(rest + block, last=not block, skipping=skipping)
                rest = b""
            else:
                data = block
            if skipping:
                end = data.find(b"\n") + 1
                if not end:
                    rest = held
                    continue
                data, skipping = data[end:], False
            cut = data.rfind(b"\n") + 1
            if cut:
                # one copy instead of two
                yield b"".join((rest, memoryview(data)[:cut])) if rest or cut < len(data) else data
                rest = data[cut:] + held
            else:
                rest = rest + data + held
            if len(rest) - len(held) >= MAX_LINE + 4:
                yield _whole_characters(rest[: MAX_LINE + 4]) + b"\n"
                rest, skipping = held, True
            if self._told and block:
                self._told(self.lines, max(self.lines, self.lines * self.size // self.position))
            if not block:
                return

    def _read(self) -> bytes:
        try:
            return self._stream.read(CHUNK) or b""  # None from a file that would have us wait, such as /proc/kmsg
        except OSError as error:
            raise Unreadable("file-unreadable", file=self.path, error=error.strerror or str(error)) from None

    def _normalised(self, data: bytes, last: bool, skipping: bool) -> tuple[bytes, bytes]:
        """The data with line ends normalised, and what is held back: a `\\r` at its end may be half of a `\\r\\n`."""
        held = b""
        if last and (data or skipping) and not data.endswith((b"\r", b"\n")):
            data += b"\n"  # the last line has no end of its own
        if b"\r" in data:
            if data.endswith(b"\r") and not last:
                data, held = data[:-1], b"\r"
            self.crlf = self.crlf or b"\r\n" in data
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data, held

    def decode(self, number: int, piece: bytes) -> str:
        """A piece as text, whose first line has this number; bytes that are not UTF-8 become surrogates, the first is remembered."""
        try:
            return piece.decode("utf-8")
        except UnicodeDecodeError as error:
            if self.not_utf8 is None:
                start = piece.rfind(b"\n", 0, error.start) + 1
                end = piece.find(b"\n", error.start)
                line = piece[start : end if end >= 0 else len(piece)]
                self.not_utf8 = (number + piece.count(b"\n", 0, error.start), piece[error.start], _encoding_of(line))
            return piece.decode("utf-8", "surrogateescape")


def plain(piece: bytes) -> bool:
    """Whether all bytes are printable ASCII, tabs and line ends: no need to look for what cannot be seen, which takes ten times as long."""
    return not piece.translate(None, _PLAIN)


def _whole_characters(start: bytes) -> bytes:
    """The start of a long line without the last, cut, character."""
    end = len(start) - 1
    while end > len(start) - 4 and start[end] & 0xC0 == 0x80:
        end -= 1
    return start[:end] if start[end] & 0x80 else start


def visible(text: str, longest: int | None = PREVIEW) -> str:
    """Text for a person: what cannot be seen is written as its code point; cut after `longest` characters."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    return INVISIBLE.sub(lambda m: f"<U+{ord(m.group()):04X}>", text).replace("\t", "\\t")


def read_lines(path: str, numbers: set[int]) -> dict[int, str]:
    """The text of a few lines of a file, by their numbers; lines that are too long are left out.

    Raises:
        Unreadable: as `LabelFile`.
    """
    found: dict[int, str] = {}
    with LabelFile(path) as file:
        for piece in file.pieces():
            first = file.lines + 1
            file.lines += piece.count(b"\n")
            here = [number for number in numbers if first <= number <= file.lines]
            lines = piece.split(b"\n") if here else []
            texts = ((number, lines[number - first]) for number in here)
            found.update((number, text.decode("utf-8", "surrogateescape")) for number, text in texts if len(text) < MAX_LINE)
            if file.lines >= max(numbers, default=0):
                break
    return found


def has_numpy() -> bool:
    """Whether large lists can be read the fast way; the import takes 80 ms."""
    try:
        import numpy  # noqa: F401  # found is not enough: a broken installation fails here
    except ImportError:
        return False
    return True


def _open(path: str) -> Any:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("file-is-directory", file=path)
        if not stat.S_ISREG(mode):
            raise Unreadable("file-not-regular", file=path)
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb", buffering=0)
    except FileNotFoundError:
        raise Unreadable("file-missing", file=path) from None
    except PermissionError:
        raise Unreadable("file-no-permission", file=path) from None
    except (OSError, ValueError) as error:
        raise Unreadable("file-unreadable", file=path, error=getattr(error, "strerror", None) or str(error)) from None


def _encoding_of(line: bytes) -> str:
    """The likely encoding of a line that is not UTF-8: the one under which most of its characters are common ones; "" where none reads it."""
    shares = {}
    for name, common in _COMMON.items():
        try:
            wide = [c for c in line.decode(name) if not c.isascii()]
        except UnicodeDecodeError:
            continue
        codes = [c.encode(name) for c in wide]
        shares[name] = sum(len(code) == 2 and common(code[0], code[1]) for code in codes) / max(1, len(codes))
    return max(shares, key=lambda name: shares[name], default="")


_COMMON: dict[str, Callable[[int, int], bool]] = {
    "gb18030": lambda lead, trail: 0xB0 <= lead <= 0xD7 and trail >= 0xA1,
    "big5": lambda lead, trail: 0xA4 <= lead <= 0xC6,
    "shift_jis": lambda lead, trail: lead in (0x82, 0x83) or 0x889F <= lead << 8 | trail <= 0x9872,
}
"""Whether two bytes are a character of everyday use: the first level of GB 2312, Big5 and JIS X 0208, and kana. In doubt the first is taken."""
