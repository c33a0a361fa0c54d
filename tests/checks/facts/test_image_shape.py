"""The size of a sample follows the transforms as PaddleClas's and Paddle's own classes apply them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.image_shape import SampleShape, sample_shape

DECODE: tuple[str, dict[str, Any]] = ("DecodeImage", {"to_rgb": True, "channel_first": False})
NORMALIZE: tuple[str, dict[str, Any]] = ("NormalizeImage", {"scale": "1.0/255.0"})
CHW: tuple[str, dict[str, Any]] = ("ToCHWImage", {})


def test_imagenet_training() -> None:
    shape = sample_shape([DECODE, ("RandCropImage", {"size": 224}), ("RandFlipImage", {"flip_code": 1}), NORMALIZE, CHW])
    assert shape == SampleShape(3, 224, 224, 4)
    assert shape.bytes == 602_112


def test_imagenet_evaluation() -> None:
    ops = [DECODE, ("ResizeImage", {"resize_short": 256}), ("CropImage", {"size": 224}), NORMALIZE, CHW]
    assert sample_shape(ops) == SampleShape(3, 224, 224, 4)


@pytest.mark.parametrize(
    ("ops", "expected"),
    [
        # PaddleClas's own transforms take width and height
        ([("ResizeImage", {"size": [192, 256]})], (256, 192)),
        ([("RandCropImage", {"size": [192, 256]})], (256, 192)),
        ([("RandCropImageV2", {"size": [192, 256]})], (256, 192)),
        ([("RandomCropImage", {"size": [192, 256]})], (256, 192)),
        ([("CropImage", {"size": [192, 256]})], (256, 192)),
        ([("Padv2", {"size": [192, 256]})], (256, 192)),
        # Paddle's take height and width
        ([("Resize", {"size": [256, 192]})], (256, 192)),
        ([("CenterCrop", {"size": [256, 192]})], (256, 192)),
        ([("RandomResizedCrop", {"size": [256, 192]})], (256, 192)),
        ([("RandomResizedCrop", {"size": 192})], (192, 192)),
        ([("CropImageAtRatio", {"size": 288, "pad": 32})], (288, 288)),
        # what leaves the size open
        ([], None),
        ([DECODE], None),
        ([("ResizeImage", {"resize_short": 256})], None),
        ([("ResizeImage", {"resize_short": 256, "size": 224})], None),
        ([("ResizeImage", {"resize_short": 0, "size": 224})], (224, 224)),
        ([("Resize", {"size": 256})], None),
        ([("CropWithPadding", {"size": [112, 112], "prob": 0.2})], None),
        ([("CropImage", {"size": 224}), ("ResizeImage", {"resize_short": 256})], None),
        ([("CropImage", {"size": 224}), ("RandomRotation", {"degrees": 15})], None),
        ([("CropImage", {})], None),
        ([("CropImage", {"size": "224"})], None),
        ([("CropImage", {"size": True})], None),
        ([("CropImage", {"size": [224]})], None),
        ([("CropImage", {"size": [224.0, 224]})], None),
        # the last one counts
        ([("ResizeImage", {"size": 300}), ("CropImage", {"size": 224})], (224, 224)),
        ([("ResizeImage", {"size": 112}), ("CropWithPadding", {"size": 64})], (112, 112)),
        ([("ResizeImage", {"size": [128, 256]}), ("Pad", {"padding": 10}), ("RandomCropImage", {"size": [128, 256]})], (256, 128)),
        ([("ResizeImage", {"size": [128, 256]}), ("Pad", {"padding": 10})], (276, 148)),
        ([("Pad", {"padding": 10})], None),
        ([("ResizeImage", {"size": 32}), ("Unheard", {"size": 64})], (32, 32)),
    ],
)
def test_size(ops: list[tuple[str, dict[str, Any]]], expected: tuple[int, int] | None) -> None:
    shape = sample_shape(ops)
    assert (shape and (shape.height, shape.width)) == expected


@pytest.mark.parametrize(
    ("ops", "channels", "itemsize"),
    [
        ([], 3, 1),
        ([NORMALIZE], 3, 4),
        ([("ToTensor", {})], 3, 4),
        ([("Normalize", {})], 3, 4),
        ([("NormalizeImage", {"output_fp16": True, "channel_num": 4})], 4, 2),
        ([("NormalizeImage", {"output_fp16": False, "channel_num": 4})], 4, 4),
        ([("NormalizeImage", {"channel_num": "many"})], 3, 4),
    ],
)
def test_channels_and_bytes_per_number(ops: list[tuple[str, dict[str, Any]]], channels: int, itemsize: int) -> None:
    shape = sample_shape([("CropImage", {"size": 10}), *ops])
    assert shape == SampleShape(channels, 10, 10, itemsize)
    assert shape.bytes == channels * 100 * itemsize


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["ResizeImage", "CropImage", "Resize", "Pad", "NormalizeImage", "RandomRotation", "CropImageAtRatio", "Padv2"])
PARAMS = st.dictionaries(
    st.sampled_from(["size", "resize_short", "padding", "channel_num", "output_fp16"]), JSON | st.integers(1, 9), max_size=3
)


@given(st.lists(st.tuples(NAMES, PARAMS), max_size=5))
def test_any_parameters(ops: list[tuple[str, dict[str, Any]]]) -> None:
    shape = sample_shape(ops)
    assert shape is None or isinstance(shape.bytes, int)
