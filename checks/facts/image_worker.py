"""Looks at image files, one after the other: in this process, or as a program of its own for many of them and for decoding.

As a program (`python image_worker.py quick|full`) it reads frames of paths from standard input and writes a frame of results for each; a frame is
four bytes of length and a marshalled list. Decoding happens nowhere else, so that a file on which a decoder hangs, dies or takes all memory ends
this process and no other.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from typing import Any

if __name__ == "__main__":  # as a program, with nothing but the standard library until a decoder is needed
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from checks.facts.image_look import HEAD, TAIL, Look, look_at, plain_jpeg, png_sound

FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
REGULAR = stat.S_IFREG
MAX_PIXELS = 1 << 28
"""An image with more pixels is not decoded; OpenCV itself stops at 2^30, Pillow at about 2^27.4."""
MEMORY = 4 << 30
"""What a decoding process may take in all."""

# looked up once: there may be a million files
_open, _stat, _read, _close, _checksum = os.open, os.fstat, os.read, os.close, zlib.crc32

Seen = tuple[Look, int, int, int]
"""(what it is, size in bytes, mtime in nanoseconds, a checksum of its last bytes)."""

GONE: Seen = (Look("gone"), 0, 0, 0)


def see(path: str) -> Seen:
    """One file, by its first and last bytes."""
    try:
        handle = _open(path, FLAGS)
    except OSError as error:
        return _refused(error)
    except ValueError:
        return GONE
    try:
        found = _stat(handle)
        size = found.st_size
        if found.st_mode & 0o170000 != REGULAR:
            return Look("folder" if stat.S_ISDIR(found.st_mode) else "special"), size, found.st_mtime_ns, 0
        head = _read(handle, HEAD)
        tail = head[-TAIL:] if size <= HEAD else os.pread(handle, TAIL, size - TAIL)
        look = plain_jpeg(head) if tail[-2:] == b"\xff\xd9" and head[:3] == b"\xff\xd8\xff" else None
        if look is None:
            look = look_at(head, tail, size, lambda offset, count: os.pread(handle, count, offset))
        return look, size, found.st_mtime_ns, _checksum(tail)
    except OSError:
        return Look("io"), 0, 0, 0
    finally:
        _close(handle)


def _refused(error: OSError) -> Seen:
    import errno

    if error.errno in (errno.EACCES, errno.EPERM):
        return Look("denied"), 0, 0, 0
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return Look("special"), 0, 0, 0
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL):
        return GONE
    return Look("io"), 0, 0, 0


class Decoders:
    """The decoders at hand: simplejpeg for JPEG, else and for what it refuses OpenCV or Pillow. Imported once, in the worker."""

    def __init__(self) -> None:
        self.jpeg: Any = _imported("simplejpeg")
        self.opencv: Any = None
        self.pillow: Any = _imported("PIL.Image")
        if self.pillow is None:
            self.opencv = _imported("cv2")

    @property
    def names(self) -> list[str]:
        """The names of the decoders in use."""
        found = (("simplejpeg", self.jpeg), ("Pillow", self.pillow), ("OpenCV", self.opencv))
        return [name for name, module in found if module is not None]

    def decode(self, path: str, seen: Seen) -> Seen:
        """The file again, decoded from end to end."""
        look = seen[0]
        if look.fault:
            return seen
        if look.width * look.height > MAX_PIXELS:
            return look._replace(fault="huge"), *seen[1:]
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            fault = self._fault(data, look)
        except OSError:
            fault = "io"
        except MemoryError:
            fault = "huge"
        return look._replace(fault=fault), *seen[1:]

    def _fault(self, data: bytes, look: Look) -> str:
        if self.jpeg is not None and "jpeg" in look.kind and look.mode in ("L", "RGB"):
            try:
                # an eighth of the size in grey still reads every code of the file, and skips most of the arithmetic
                self.jpeg.decode_jpeg(data, colorspace="GRAY", min_height=1, min_width=1, min_factor=8)
                return ""
            except ValueError as error:
                text = str(error).lower()
                if "premature" in text or ("corrupt" in text and "extraneous" not in text):
                    return "damaged"
        if self.pillow is not None:
            # Pillow passes over checksums that OpenCV's decoder does not
            return self._with_pillow(data) or ("" if look.kind != "png" or png_sound(data) else "checksum")
        if self.opencv is not None:
            import numpy

            try:
                return "" if self.opencv.imdecode(numpy.frombuffer(data, "uint8"), 1) is not None else "damaged"
            except self.opencv.error:
                return "damaged"
        return ""

    def _with_pillow(self, data: bytes) -> str:
        import io
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with self.pillow.open(io.BytesIO(data)) as image:
                    image.load()
                return ""
            except self.pillow.UnidentifiedImageError:
                return ""  # a format that Pillow does not know; what OpenCV makes of it is judged by its kind
            except self.pillow.DecompressionBombError:
                return "huge"
            except MemoryError:
                return "huge"
            except Exception:  # a decoder's own; on broken files Pillow raises nearly anything
                return "damaged"


def _imported(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except Exception:  # absent, or broken: then without it
        return None


def _frames(decoders: Decoders | None) -> None:
    import marshal

    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while len(start := source.read(4)) == 4:
        paths = marshal.loads(source.read(int.from_bytes(start, "little")))
        rows = [see(path) if decoders is None else decoders.decode(path, see(path)) for path in paths]
        _send(sink, [(tuple(seen[0]), *seen[1:]) for seen in rows])


def _send(sink: Any, rows: Any) -> None:
    import marshal

    data = marshal.dumps(rows)
    sink.write(len(data).to_bytes(4, "little") + data)
    sink.flush()


def main() -> None:
    """The program: its own limit on memory, then frames until its input ends."""
    if sys.argv[1] == "full":
        import contextlib

        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        decoders = Decoders()
        _send(sys.stdout.buffer, decoders.names)
        _frames(decoders)
    else:
        _frames(None)


if __name__ == "__main__":
    main()
