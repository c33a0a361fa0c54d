"""A picture of what both sides make of an image: training side, deploy side, and their difference; a PNG written with zlib alone."""

from __future__ import annotations

import os
import struct
import zlib
from typing import Any

OURS = b"Software\0paddle-doctor"
"""The text in a picture of ours, by which it is known when it is to be written again."""
GAP = 8
AT_MOST = 64.0
"""The difference is amplified no more than this: what is smaller is invisible for good reasons."""


class PictureRefused(Exception):
    """The file cannot be written; `reason` is a phrase."""

    def __init__(self, reason: str, **values: Any) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


def may_write(path: str, force: bool) -> None:
    """Whether a picture may go to this path: it is new, one of ours, or the user insists.

    Raises:
        PictureRefused: something else lies there, or its folder is missing.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise PictureRefused("picture-no-folder", file=path, folder=folder)
    if not os.path.lexists(path):
        return
    if not os.path.isfile(path):
        raise PictureRefused("picture-taken", file=path)
    try:
        with open(path, "rb") as stream:
            ours = OURS in stream.read(200)
    except OSError:
        ours = False
    if not ours and not force:
        raise PictureRefused("picture-taken", file=path)


def draw(arrays: str, path: str) -> float | None:
    """Draw the `.npz` of a comparison: the resized images where they are unlike, else the tensors. Returns the amplification, None without arrays.

    Raises:
        PictureRefused: the file cannot be written.
    """
    import numpy  # only a picture needs it

    try:
        with open(arrays, "rb") as stream, numpy.load(stream, allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
    except Exception:  # a broken archive raises whatever zipfile, zlib and NumPy raise
        return None
    pairs = [(found.get(f"train_{kind}"), found.get(f"deploy_{kind}")) for kind in ("resized", "tensor")]
    there = [(one, other) for one, other in pairs if one is not None and other is not None]
    unlike = [pair for pair in there if pair[0].shape != pair[1].shape or not numpy.array_equal(pair[0], pair[1])]
    if not there:
        return None
    left, right = (_image(array, numpy) for array in (unlike or there)[0])
    if left is None or right is None:
        return None
    pixels, scale = _beside(left, right, numpy)
    try:
        _write(path, pixels, scale)
    except OSError as error:
        raise PictureRefused("picture-not-written", file=path, error=error.strerror or str(error)) from None
    return scale


def _image(array: Any, numpy: Any) -> Any:
    """An array of H×W×3 float, whatever its layout; None for something else."""
    array = array.astype("float64")
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        return None
    if array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.shape[2] not in (1, 3, 4) or not array.size:
        return None
    array = numpy.nan_to_num(array)
    return array.repeat(3, axis=2) if array.shape[2] == 1 else array[:, :, :3]


def _beside(left: Any, right: Any, numpy: Any) -> tuple[Any, float]:
    """Both images and their difference on one white sheet; numbers that are no pixels are stretched to 0 to 255, both sides alike."""
    low, high = min(left.min(), right.min()), max(left.max(), right.max())
    if low < 0 or high <= 4:
        left, right = ((side - low) * (255 / max(high - low, 1e-9)) for side in (left, right))
    height, width = max(left.shape[0], right.shape[0]), max(left.shape[1], right.shape[1])
    one, other = (_centred(side, height, width, numpy) for side in (left, right))
    apart = numpy.nan_to_num(abs(one - other), nan=0.0)
    scale = float(min(AT_MOST, max(1.0, 255 / apart.max()))) if apart.max() > 0 else 1.0
    scale = float(int(scale))
    sheet = numpy.full((height, 3 * width + 2 * GAP, 3), 255.0)
    for number, part in enumerate((one, other, apart * scale)):
        start = number * (width + GAP)
        sheet[:, start : start + width] = numpy.where(numpy.isnan(part), 255.0, part)
    return numpy.clip(sheet, 0, 255).round().astype("uint8"), scale


def _centred(image: Any, height: int, width: int, numpy: Any) -> Any:
    """An image in the middle of a larger frame of NaN, as crops lie in the image that they are cut of."""
    frame = numpy.full((height, width, 3), numpy.nan)
    top, start = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
    frame[top : top + image.shape[0], start : start + image.shape[1]] = image
    return frame


def _write(path: str, pixels: Any, scale: float) -> None:
    """An 8-bit RGB PNG, written beside its place and then moved there."""
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    text = chunk(b"tEXt", OURS) + chunk(b"tEXt", f"Comment\0training side, deploy side, difference x {scale:g}".encode())
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "xb") as stream:
            stream.write(content)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.unlink(beside)
