"""The shape and size in memory of one sample after a split's transforms, as far as the config alone tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

_WIDTH_FIRST = frozenset({"CropImage", "Padv2", "RandCropImage", "RandCropImageV2", "RandomCropImage", "ResizeImage"})
"""PaddleClas's own transforms with a `size` that every image has afterwards; two numbers are width and height, whatever the comments say."""

_HEIGHT_FIRST = frozenset({"CenterCrop", "CropImageAtRatio", "RandomCrop", "RandomResizedCrop", "Resize"})
"""Likewise those with Paddle's order, height and width."""

_UNKNOWN_SIZE = frozenset({"DetResize", "KeepRatioResize", "RandomRotation", "RandomRot90"})
"""Transforms after which the size depends on the image. (`CropWithPadding` leaves it as it was.)"""

_TO_FLOAT32 = frozenset({"NormalizeImage", "Normalize", "ToTensor", "DetNormalizeImage"})


class SampleShape(msgspec.Struct, frozen=True):
    """One decoded sample: channels × height × width, and the bytes of one number (4 for float32, 1 for uint8)."""

    channels: int
    height: int
    width: int
    itemsize: int

    @property
    def bytes(self) -> int:
        """Size of one sample in bytes; a 3×224×224 float32 image has 602,112."""
        return self.channels * self.height * self.width * self.itemsize


def sample_shape(ops: Iterable[tuple[str, dict[str, Any]]]) -> SampleShape | None:
    """Follow the transforms of a split; None where the last size depends on the image (`resize_short` without a crop)."""
    size: tuple[int, int] | None = None
    channels, itemsize = 3, 1
    for name, params in ops:
        if name == "ResizeImage" and params.get("resize_short"):
            size = None  # `size` is then ignored
        elif name == "Resize" and isinstance(params.get("size"), int):
            size = None  # one number is the shorter side
        elif name in _WIDTH_FIRST:
            width_height = _size(params.get("size"))
            size = width_height and (width_height[1], width_height[0])
        elif name in _HEIGHT_FIRST:
            size = _size(params.get("size"))
        elif name in _UNKNOWN_SIZE:
            size = None
        elif name == "Pad" and size and isinstance(params.get("padding"), int):
            size = (size[0] + 2 * params["padding"], size[1] + 2 * params["padding"])
        elif name in _TO_FLOAT32:
            itemsize = 2 if params.get("output_fp16") is True else 4
            if params.get("channel_num") in (1, 3, 4):
                channels = params["channel_num"]
    if size is None:
        return None
    return SampleShape(channels, *size, itemsize)


def _size(value: Any) -> tuple[int, int] | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value, value)
    if isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value):
        return (value[0], value[1])
    return None
