"""The formats beside JPEG and PNG, and the files that are no images at all. See `image_look.look_at`."""

from __future__ import annotations

import struct

from checks.facts.image_look import HEAD, MAX_WALK, Look, Read

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jpeg 2000"),
    (b"\xff\x4f\xff\x51", "jpeg 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jpeg xl"),
    (b"\xff\x0a", "jpeg xl"),
    (b"8BPS", "psd"),
    (b"\0\0\1\0", "ico"),
    (b"DDS ", "dds"),
    (b"\x01\xda", "sgi"),
    (b"\x59\xa6\x6a\x95", "sun raster"),
    (b"\x76\x2f\x31\x01", "exr"),
    (b"#?RADIANCE", "hdr"),
    (b"#?RGBE", "hdr"),
)
_NO_IMAGES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "git-lfs"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!\x1a", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"%PDF", "pdf"),
    (b"\x93NUMPY", "numpy"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"\x89HDF", "hdf5"),
    (b"\x7fELF", "elf"),
)
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def other_format(head: bytes, tail: bytes, size: int, read: Read) -> Look:
    """What a file is that is neither JPEG nor PNG."""
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(head, tail, size, read)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return _webp(head, size)
    if head[:2] == b"BM" and len(head) >= 26 and struct.unpack_from("<I", head, 14)[0] in _BMP_HEADERS:
        return _bmp(head, size)
    if head[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(head[:2], size, read)
    if head[:4] in (b"II+\0", b"MM\0+"):
        return Look("", "tiff")
    if head[4:8] == b"ftyp":
        return _boxes(head, size, read)
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return Look("", "pnm")
    if head[:3] in (b"PF\n", b"Pf\n"):
        return Look("", "pfm")
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return Look("", kind)
    return Look("not-image", _other(head, size, read))


def _other(head: bytes, size: int, read: Read) -> str:
    for signature, kind in _NO_IMAGES:
        if head.startswith(signature):
            return kind
    if head[257:262] == b"ustar":
        return "tar"
    if not head.strip(b"\0"):
        return "zeros"
    text = head[3:] if head.startswith(b"\xef\xbb\xbf") else head
    start = text[:1024].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if b"<svg" in start:
        return "svg"
    if start.startswith(b"<"):
        return "html" if b"<html" in start else "xml"
    if head[128:132] == b"DICM":
        return "dicom"
    printable = sum(byte >= 32 or byte in (9, 10, 13) for byte in text[:512])
    try:
        text[:512].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(text[:512]) - 4:
            return "unknown"
    return "text" if printable == len(text[:512]) else "unknown"


def _gif(head: bytes, tail: bytes, size: int, read: Read) -> Look:
    if len(head) < 10:
        return Look("cut", "gif")
    width, height = struct.unpack_from("<HH", head, 6)
    # the trailer comes after the empty block that ends an image; a byte like it alone stands in every 256th place
    whole = tail.endswith(b"\x00\x3b") or size > MAX_WALK or _gif_ends(read(0, size))
    return Look("" if whole else "cut", "gif", width, height, "P")


def _gif_ends(data: bytes) -> bool:
    if len(data) < 13:
        return False
    place = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while place < len(data):
        block = data[place]
        if block == 0x3B:
            return True
        if block == 0x21:
            place += 2
        elif block == 0x2C and place + 9 < len(data):
            flags = data[place + 9]
            place += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif block == 0:  # bytes between two blocks
            place += 1
            continue
        else:
            return False
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return False


def _webp(head: bytes, size: int) -> Look:
    kind, mode, width, height = "webp", "RGB", 0, 0
    chunk = head[12:16]
    if chunk == b"VP8X" and len(head) >= 30:
        flags = head[20]
        width, height = 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
        mode = "RGBA" if flags & 0x10 else "RGB"
        kind = "animated webp" if flags & 0x02 else "webp"
    elif chunk == b"VP8 " and len(head) >= 30:
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", head, 26))
    elif chunk == b"VP8L" and len(head) >= 25:
        (bits,) = struct.unpack_from("<I", head, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        mode = "RGBA" if bits >> 28 & 1 else "RGB"
    (length,) = struct.unpack_from("<I", head, 4)
    return Look("" if size >= 8 + length and width else "cut", kind, width, height, mode)


def _bmp(head: bytes, size: int) -> Look:
    offset, header = struct.unpack_from("<II", head, 10)
    if header == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", head, 18)
        compression = 0
    elif len(head) < 34:
        width, height = struct.unpack_from("<ii", head, 18)
        return Look("cut", "bmp", abs(width), abs(height))
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", head, 18)
    rows = abs(height) * ((abs(width) * bits + 31) // 32 * 4)
    whole = size >= offset + rows if compression in (0, 3) else size > offset
    mode = {1: "1", 4: "P", 8: "P", 16: "RGB", 24: "RGB", 32: "RGBA"}.get(bits, "")
    return Look("" if whole else "cut", "bmp", abs(width), abs(height), mode)


def _tiff(mark: bytes, size: int, read: Read) -> Look:
    order = "<" if mark == b"II" else ">"
    start = read(4, 4)
    place = struct.unpack(order + "I", start)[0] if len(start) == 4 else size
    count = read(place, 2)
    if len(count) < 2:
        return Look("cut", "tiff")
    (entries,) = struct.unpack(order + "H", count)
    table = read(place + 2, 12 * entries)
    if len(table) < 12 * entries:
        return Look("cut", "tiff")
    values: dict[int, list[int]] = {}
    for number in range(entries):
        tag, kind, many = struct.unpack_from(order + "HHI", table, 12 * number)
        form = {1: "B", 3: "H", 4: "I"}.get(kind)
        if form is None or tag not in (256, 257, 258, 262, 273, 274, 277, 279, 324, 325, 338, 339) or not 0 < many <= 1 << 16:
            continue
        wide = struct.calcsize(form) * many
        place = 12 * number + 8
        data = table[place : place + wide] if wide <= 4 else read(struct.unpack_from(order + "I", table, place)[0], wide)
        if len(data) < wide:
            return Look("cut", "tiff")
        values[tag] = list(struct.unpack(f"{order}{many}{form}", data))
    width, height = (values.get(tag, [0])[0] for tag in (256, 257))
    parts = [*zip(values.get(273, []), values.get(279, []), strict=False), *zip(values.get(324, []), values.get(325, []), strict=False)]
    whole = all(offset + length <= size for offset, length in parts) and bool(width and height)
    bits, samples, colour = (values.get(tag, [default])[0] for tag, default in ((258, 1), (277, 1), (262, 1)))
    mode = "P" if colour == 3 else "CMYK" if colour == 5 else "1" if bits == 1 else {1: "L", 2: "LA", 3: "RGB"}.get(samples, "RGBA")
    if values.get(339, [1])[0] == 3:
        mode = "F"
    elif bits == 16:
        mode += ";16"
    orientation = values.get(274, [1])[0]
    return Look("" if whole else "cut", "tiff", width, height, mode, orientation if 1 <= orientation <= 8 else 1)


def _boxes(head: bytes, size: int, read: Read) -> Look:
    brands = (head[8:12], *(head[i : i + 4] for i in range(16, min(len(head), int.from_bytes(head[:4], "big")), 4)))
    kind = "avif" if b"avif" in brands or b"avis" in brands else "heic" if any(brand in _HEIC for brand in brands) else "video"
    if kind == "video":
        return Look("not-image", kind)
    place = 0
    for _ in range(64):
        part = read(place, 16)
        if len(part) < 8:
            break
        length = int.from_bytes(part[:4], "big")
        if length == 0:  # up to the end of the file
            place = size
            break
        if length == 1:
            length = int.from_bytes(part[8:16], "big")
        if length < 8:
            break
        if place + length > size:
            if part[4:8] not in (b"mdat", b"meta", b"moov"):
                break  # no box, but bytes after the last one
            return Look("cut", kind)
        place += length
    spot = read(0, HEAD).find(b"ispe")
    box = read(spot + 8, 8) if spot >= 0 else b""
    width, height = struct.unpack(">II", box) if len(box) == 8 else (0, 0)
    return Look("", kind, width, height)
