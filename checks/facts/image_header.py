"""Width and height of an image file from its first bytes; no image library is needed for that."""

from __future__ import annotations

import struct

HEADER_BYTES = 1 << 16
"""How much of a file is read. Cameras put up to 64 kB of notes before the size of a JPEG; such files are left out."""


def image_size(data: bytes) -> tuple[int, int] | None:
    """Height and width of a PNG, JPEG, BMP, GIF or WebP file, None where they cannot be told.

    A JPEG whose EXIF data ask for a turn is left out: OpenCV turns it and Pillow does not.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", data[16:24])
        elif data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        elif data.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack("<HH", data[6:10])
        elif data.startswith(b"BM"):
            width, height = struct.unpack("<ii", data[18:26])
            height = abs(height)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        else:
            return None
    except struct.error:
        return None
    return (height, width) if height > 0 and width > 0 else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    here = 2
    while here + 9 <= len(data):
        if data[here] != 0xFF:
            return None
        marker = data[here + 1]
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:
            here += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", data[here + 2 : here + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[here + 5 : here + 9])
            return (height, width) if height and width else None
        if marker == 0xE1 and data[here + 4 : here + 10] == b"Exif\0\0" and _turned(data[here + 10 : here + 2 + length]):
            return None
        if marker in (0xD9, 0xDA) or length < 2:
            return None
        here += 2 + length
    return None


def _turned(tiff: bytes) -> bool:
    """Whether EXIF data hold an orientation other than upright (TIFF tag 0x0112)."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return False
    (start,) = struct.unpack(order + "I", tiff[4:8])
    if start + 2 > len(tiff):
        return False
    (entries,) = struct.unpack(order + "H", tiff[start : start + 2])
    for entry in range(min(entries, 200)):
        place = start + 2 + 12 * entry
        if place + 10 > len(tiff):
            break
        tag, _, _, value = struct.unpack(order + "HHIH", tiff[place : place + 10])
        if tag == 0x0112:
            return bool(value > 1)
    return False


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return int.from_bytes(data[27:30], "little") + 1, int.from_bytes(data[24:27], "little") + 1
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return height & 0x3FFF, width & 0x3FFF
    return None
