"""What an image file is, from its first and last bytes: format, size in pixels, channels, and whether its end is there.

Nothing is decoded. A file is called cut off only where its own structure says so (the end marker of a JPEG, the `IEND` of a PNG, the length in a
WebP's or BMP's header …), so bytes after the end do no harm. Sources: ITU T.81 (JPEG), RFC 2083 (PNG), GIF89a, RFC 9649 (WebP), TIFF 6.0,
ISO 14496-12 (the boxes of AVIF and HEIC).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

HEAD = 8192
"""First bytes that are read of every file."""
TAIL = 64
"""Last bytes that are read of every file."""
MAX_WALK = 256 << 20
"""A JPEG or GIF that does not end with its end marker is walked through up to this size."""

Read = Callable[[int, int], bytes]
"""(offset, count) → bytes of the file; fewer at its end."""


class Look(NamedTuple):
    """What one file is. A plain tuple, since there may be a million of them.

    `fault` is empty for an image that seems whole, else `empty`, `not-image`, `cut` (its end is missing), `folder`, `special` (device, pipe),
    `denied`, `io` (the disk refuses it), `damaged`, `checksum` (of a part of a PNG), and after a full decode also `huge`, `slow` or `died`.
    `kind` names the format or what else the file is (`html`, `git-lfs` …); `mode` its channels as Pillow calls them, with `;16` for 16 bits
    and `F` for floats; `orientation` is the EXIF one, 1 where there is none.
    """

    fault: str
    kind: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    orientation: int = 1


_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


def look_at(head: bytes, tail: bytes, size: int, read: Read) -> Look:
    """Judge a file by its first `HEAD` and last `TAIL` bytes; `read` fetches more where those do not say enough."""
    if not size:
        return Look("empty")
    if head.startswith(b"\xff\xd8\xff"):
        return _jpeg(head, tail, size, read)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(head, tail, size, read)
    from checks.facts.image_formats import other_format

    return other_format(head, tail, size, read)


HEADER_BYTES = 1 << 16
"""How much of a file `image_size` wants to see. Cameras put up to 64 kB of notes before the size of a JPEG."""


def image_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of an image by its first `HEADER_BYTES`, None where they cannot be told.

    An image whose EXIF data ask for a turn is left out: OpenCV turns it and Pillow does not.
    """
    look = look_at(data[:HEAD], data[-TAIL:], len(data), lambda offset, count: data[offset : offset + count])
    return (look.height, look.width) if look.height and look.width and look.orientation == 1 else None


_PLAIN: dict[bytes, Look] = {}


def plain_jpeg(head: bytes) -> Look | None:
    """What nearly all JPEGs are, by their first bytes: three channels, not progressive, nothing that turns them or holds a picture of its own."""
    frame = head.find(b"\xff\xc0\x00\x11\x08")
    if frame < 0 or head.find(b"\xff\xe1", 0, frame) >= 0 or head.find(b"\xff\xed", 0, frame) >= 0:
        return None
    size = head[frame + 5 : frame + 10]
    known = _PLAIN.get(size)
    if known is None and len(size) == 5 and size[4] == 3 and head.startswith(b"\xff\xd8\xff"):
        known = Look("", "jpeg", size[2] << 8 | size[3], size[0] << 8 | size[1], "RGB", 1)
        if len(_PLAIN) < 4096:
            _PLAIN[size] = known
    return known


def _jpeg(head: bytes, tail: bytes, size: int, read: Read) -> Look:
    plain = plain_jpeg(head) if tail.endswith(b"\xff\xd9") else None
    if plain is not None:
        return plain
    kind, mode, width, height, orientation = "jpeg", "", 0, 0, 1
    place, known = 2, len(head)
    while True:
        if place + 10 <= known:
            at, data = place, head
        else:
            at, data = 0, read(place, 64)
        if len(data) < at + 4 or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            place += 1
            continue
        if marker == 0xDA or marker == 0xD9:
            break
        length = data[at + 2] << 8 | data[at + 3]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if len(data) >= at + 10:
                height, width = data[at + 5] << 8 | data[at + 6], data[at + 7] << 8 | data[at + 8]
                mode = _JPEG_MODES.get(data[at + 9], "") + (f";{data[at + 4]}" if data[at + 4] != 8 else "")
                kind = "progressive jpeg" if marker in (0xC2, 0xC6, 0xCA, 0xCE) else "jpeg"
            break
        if marker == 0xE1 and length > 8:
            part = data[at + 4 : at + 2 + length] if at and at + 2 + length <= known else read(place + 4, min(length, HEAD))
            if part.startswith(b"Exif\0\0"):
                orientation = orientation_of(part[6:])
        place += 2 + max(2, length)
    whole = tail.endswith(b"\xff\xd9") or size > MAX_WALK or _ends(read(0, size))
    return Look("" if whole and mode else "cut", kind, width, height, mode, orientation)


def _ends(data: bytes) -> bool:
    """Whether the end marker of a JPEG stands behind its first scan."""
    place, scanned = 2, False
    while match := _MARKER.search(data, place):
        marker, place = data[match.end() - 1], match.end()
        if marker == 0xD9:
            return scanned
        if marker == 0xDA:
            scanned = True
        if marker >= 0xC0 and marker != 0xD8:
            place += max(2, int.from_bytes(data[place : place + 2], "big"))
    return False


def orientation_of(tiff: bytes) -> int:
    """The EXIF orientation, 1 to 8, in the TIFF structure that EXIF data is; 1 where it says none."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 10:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for number in range(min(count, 100)):
        place = start + 2 + 12 * number
        if place + 12 > len(tiff):
            break
        tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, place)
        if tag == 0x0112:
            return value if 1 <= value <= 8 else 1
    return 1


def _png(head: bytes, tail: bytes, size: int, read: Read) -> Look:
    if len(head) < 33 or head[12:16] != b"IHDR":
        return Look("cut" if size < 33 else "damaged", "png")
    width, height, bits, colour = struct.unpack_from(">IIBB", head, 16)
    if not width or not height or not png_sound(head[:33]):
        return Look("damaged", "png")
    mode = _PNG_MODES.get(colour, "") + (";16" if bits == 16 else "")
    if colour in (0, 2, 3) and b"tRNS" in head:
        mode += "+alpha"
    exif = head.find(b"eXIf")
    orientation = orientation_of(head[exif + 4 :]) if exif > 0 else 1
    whole = tail[-8:-4] == b"IEND" or _has_iend(size, read)
    fault = "cut" if not whole else "" if png_sound(head) else "checksum"
    return Look(fault, "png", width, height, mode, orientation)


def png_sound(data: bytes) -> bool:
    """Whether the checksums are right of those chunks in the start of a PNG that are whole there and that no decoder may pass over."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + int.from_bytes(data[place : place + 4], "big")
        kind = data[place + 4 : place + 8]
        if end + 4 > len(data) or not kind.isalpha():
            break
        if kind[0] < 97 and zlib.crc32(data[place + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if kind == b"IEND":
            break
        place = end + 4
    return True


def _has_iend(size: int, read: Read) -> bool:
    place = 8
    while place + 12 <= size:
        part = read(place, 8)
        if len(part) < 8:
            return False
        if part[4:] == b"IEND":
            return True
        if not part[4:].isalpha():
            return False
        place += 12 + int.from_bytes(part[:4], "big")
    return False
