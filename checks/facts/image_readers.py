"""What the decoder of a config makes of an image: reads it, refuses it, or shows something else than is in the file.

Measured with `cv2.imdecode(data, 1)` of opencv-python-headless 4.5.5, 4.6.0, 4.8.1, 4.10.0, 4.11.0 and 4.12.0, and with Pillow 13, on one file of
each kind, whole and cut off: GIF and AVIF are read from 4.12 on, animated WebP from 4.11 on; a baseline JPEG that is cut off is decoded up to there
before 4.11 and refused from then on, as every other format is in all of them. A PNG with a wrong checksum, or without pixels, is refused (4.6.0).
"""

from __future__ import annotations

import re
from typing import Literal

from checks.facts.image_look import Look

Backend = Literal["cv2", "pil"]

REQUIRED_OPENCV = "4.6.0.66"
"""What `requirements.txt` of PaddleClas 2.5 to develop asks for at most; taken where no OpenCV is found."""

Fate = Literal["read", "replaced", "partly", "unknown"]
"""`partly`: decoded, with something else in place of what is missing."""

_NEVER_CV2 = frozenset({"heic", "jpeg xl", "psd", "ico", "dds", "sgi", "exr"})
_NEVER_PIL = frozenset({"heic", "jpeg xl", "exr"})
MAX_PIXELS_CV2 = 1 << 30
"""`CV_IO_MAX_IMAGE_PIXELS`: an image of more pixels is refused by OpenCV 3.4 and later."""
MAX_SIDE_CV2 = 1 << 20
MAX_PIXELS_PIL = 178_956_970
"""Twice `Image.MAX_IMAGE_PIXELS`: above this Pillow raises DecompressionBombError."""
_UNKNOWN = frozenset({"pfm", "hdr"})


def numbers_of(version: str | None) -> tuple[int, ...]:
    """A version as numbers, `4.6.0.66` as (4, 6, 0, 66)."""
    return tuple(int(part) for part in re.findall(r"\d+", version or "")[:4])


def fate_of(look: Look, backend: Backend, opencv: tuple[int, ...], pillow: tuple[int, ...]) -> Fate:
    """What becomes of a sample whose file is `look`."""
    if look.fault in ("empty", "folder", "denied", "io", "gone"):
        return "replaced"
    if look.fault == "special":
        return "unknown"
    if look.fault == "not-image":
        # Pillow reads formats without a signature, such as TGA
        return "unknown" if backend == "pil" and look.kind == "unknown" else "replaced"
    if look.fault == "cut":
        if backend == "cv2" and look.kind == "jpeg" and opencv and opencv < (4, 11) and look.width:
            return "partly"
        return "replaced" if look.kind not in _UNKNOWN else "unknown"
    if look.fault == "checksum" and backend == "pil":
        return "unknown"  # passed over as a rule
    if look.fault in ("damaged", "checksum") and look.kind == "png" and backend == "cv2":
        return "replaced" if opencv and opencv < (4, 11) else "unknown"
    if look.fault == "damaged":
        return "partly" if "jpeg" in look.kind and backend == "cv2" else "unknown" if backend == "cv2" else "replaced"
    if look.fault:  # huge, slow, died: this decoder's trouble, which need not be theirs
        return "unknown"
    return _fate_of_whole(look, backend, opencv, pillow)


def too_large(look: Look, backend: Backend) -> bool:
    """Whether the decoder refuses an image for its size in pixels."""
    if backend == "pil":
        return look.width * look.height > MAX_PIXELS_PIL
    return look.width * look.height > MAX_PIXELS_CV2 or max(look.width, look.height) > MAX_SIDE_CV2


def _fate_of_whole(look: Look, backend: Backend, opencv: tuple[int, ...], pillow: tuple[int, ...]) -> Fate:
    if too_large(look, backend):
        return "replaced"
    if look.kind in _UNKNOWN:
        return "unknown"
    if backend == "pil":
        if look.kind == "avif":
            return "unknown" if not pillow else "read" if pillow >= (11, 3) else "replaced"
        return "replaced" if look.kind in _NEVER_PIL else "read"
    if look.kind in ("gif", "avif"):
        return "read" if opencv >= (4, 12) else "replaced"
    if look.kind == "animated webp":
        return "read" if opencv >= (4, 11) else "replaced"
    if look.kind in _NEVER_CV2:
        return "replaced"
    if look.kind == "tiff" and look.mode == "F":
        return "replaced" if opencv < (4, 13) else "unknown"
    return "read"
