"""How a transform changes the size of an image, in a form in which transforms of different lists can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from checks.facts.image_state import Fails
from checks.facts.transform_values import interpolation

if TYPE_CHECKING:
    from checks.facts.pipelines import Op


def channels_last(shape: list[Any]) -> bool:
    """Whether an input shape is height × width × channels, where it should be channels × height × width."""
    return len(shape) == 3 and shape[0] not in (1, 3, 4, None, -1) and shape[2] in (1, 3)


def geometry(op: Op) -> tuple[Any, ...] | None:
    """A step of resizing or cropping that is the same for every image, in one form whatever the transform is called."""
    size = op.params.get("size")
    if op.name == "ResizeImage":
        short = op.params.get("resize_short")
        how = _interpolation(op)
        if isinstance(short, (int, float)) and short > 0:
            return ("resize-short", short, *how)
        return ("resize", *_pair(size), *how)
    if op.name == "Resize":
        how = (str(op.params.get("interpolation", "bilinear")), "paddle")
        return ("resize-short", size, *how) if type(size) is int else ("resize", *_pair(size)[::-1], *how)
    if op.name == "CropImage":
        return ("crop", *_pair(size))
    if op.name == "CenterCrop":
        return ("crop", *_pair(size)[::-1])
    if op.name == "Padv2":
        return ("pad", *_pair(size))
    return None


def _pair(size: Any) -> tuple[Any, Any]:
    if isinstance(size, list) and len(size) >= 2:
        return size[0], size[1]
    return size, size


def _interpolation(op: Op) -> tuple[str, str]:
    try:
        return interpolation(op.params.get("interpolation"), op.params.get("backend", "cv2"))
    except Fails:
        return ("?", "?")
