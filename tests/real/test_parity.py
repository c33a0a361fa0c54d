"""Both sides of the real PaddleClas (the wheel) over one network: every divergence is found on its rung and named, alone and in pairs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest

from checks.facts.parity import Parity
from tests.real.parity_lab import REMOVED, Lab

OPS = "PreProcess.transform_ops."

RESIZE = {"deploy": {OPS + "0.ResizeImage.resize_short": 44}}
INTERPOLATION = {"deploy": {OPS + "0.ResizeImage.interpolation": "bicubic"}}
BACKEND = {"deploy": {OPS + "0.ResizeImage.backend": "pil"}}
CROP = {"deploy": {OPS + "1.CropImage.size": 28}}
NO_CROP = {"deploy": {OPS + "1": REMOVED}}
MEAN = {"deploy": {OPS + "2.NormalizeImage.mean": [0.5, 0.5, 0.5]}}
STD = {"deploy": {OPS + "2.NormalizeImage.std": [0.5, 0.5, 0.5]}}
SCALE = {"deploy": {OPS + "2.NormalizeImage.scale": 1.0}}
NO_CHW = {"deploy": {OPS + "3": REMOVED}}
BGR = {"train": {"Infer.transforms.0.DecodeImage.to_rgb": False}}
SHIFTED = {"deploy": {"PostProcess.Topk.class_id_map_file": "shifted.txt"}}
CLASSES, OTHER, FRESH = {"model": "seven"}, {"model": "other"}, {"model": "fresh"}
TWICE, BARE, HALF = {"model": "twice"}, {"model": "bare"}, {"model": "half"}

NAMES: dict[str, tuple[dict[str, Any], set[tuple[str, str, str | None]]]] = {
    "class_num": (CLASSES, {("weights", "class-count", "fc.weight"), ("logits", "class-count", None)}),
    "other weights": (OTHER, {("weights", "other-weights", None), ("logits", "other-weights", None)}),
    "no weights": (FRESH, {("weights", "no-weights", None), ("logits", "no-weights", None)}),
    "resize": (RESIZE, {("resized", "parameter", "resize_short")}),
    "crop": (CROP, {("resized", "parameter", "size")}),
    "no crop": (NO_CROP, {("resized", "missing-step", None)}),
    "interpolation": (INTERPOLATION, {("resized", "parameter", "interpolation")}),
    "backend": (BACKEND, {("resized", "backend", "backend")}),
    "mean": (MEAN, {("tensor", "parameter", "mean")}),
    "std": (STD, {("tensor", "parameter", "std")}),
    "scale": (SCALE, {("tensor", "parameter", "scale")}),
    "no CHW": (NO_CHW, {("tensor", "missing-step", None)}),
    "BGR": (BGR, {("decoded", "colour-order", "to_rgb")}),
    "label map shifted": (SHIFTED, {("labels", "label-shift", None)}),
    "softmax twice": (TWICE, {("probabilities", "activation-doubled", None)}),
    "softmax missing": (BARE, {("probabilities", "activation-missing", None)}),
    "FP16": (HALF, {("weights", "half-precision", None)}),
}

PAIRS = [
    ("class_num", "BGR"),
    ("other weights", "crop"),
    ("no weights", "label map shifted"),
    ("resize", "mean"),
    ("resize", "interpolation"),
    ("interpolation", "BGR"),
    ("mean", "std"),
    ("scale", "softmax twice"),
    ("no CHW", "label map shifted"),
    ("softmax missing", "resize"),
    ("FP16", "std"),
    ("backend", "other weights"),
]


@pytest.fixture(scope="module")
def lab(real_python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("parity"), real_python)
    with made.crew:
        yield made


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    merged = {**one, **other}
    for side in ("train", "deploy"):
        if side in one and side in other:
            merged[side] = {**one[side], **other[side]}
    return merged


def found(parity: Parity) -> set[tuple[str, str, str | None]]:
    """(rung, kind, parameter) of all causes; of weights in general it does not matter which tensor is named."""
    general = ("other-weights", "no-weights", "half-precision")
    rungs = [rung for rung in parity.rungs if rung.state == "differs"]
    return {(rung.name, cause.kind, None if cause.kind in general else cause.parameter) for rung in rungs for cause in rung.causes}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "deploy": {
                OPS + "0.ResizeImage": {"resize_short": 40, "interpolation": "bilinear", "backend": "cv2"},
                OPS + "1.CropImage.size": [32, 32],
            }
        },
        {"train": {"Infer.transforms.1": {"ResizeImage": {"size": [36, 40]}}}, "deploy": {OPS + "0": {"ResizeImage": {"size": [36, 40]}}}},
        {"deploy": {"Global.enable_mkldnn": True}},
    ],
    ids=["as shipped", "defaults written out", "another size", "oneDNN"],
)
def test_a_healthy_pair_is_clean(lab: Lab, changes: dict[str, Any]) -> None:
    parity = lab.run(**changes)
    assert parity.train.trouble is None and parity.deploy.trouble is None
    assert parity.first is None and parity.clean, found(parity)
    assert len(parity.images) == 4 and all(image.train and image.train.ids == image.deploy.ids for image in parity.images if image.deploy)
    assert not any(rung.causes for rung in parity.rungs)
    assert msgspec.json.decode(msgspec.json.encode(parity), type=Parity) == parity


@pytest.mark.parametrize("name", NAMES)
def test_a_divergence_is_on_its_rung_and_named(lab: Lab, name: str) -> None:
    changes, expected = NAMES[name]
    parity = lab.run(**changes)
    assert found(parity) == expected
    assert parity.first is not None and parity.first.name in {rung for rung, _, _ in expected}


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_two_divergences_are_both_named(lab: Lab, pair: tuple[str, str]) -> None:
    (one, first), (other, second) = NAMES[pair[0]], NAMES[pair[1]]
    assert found(lab.run(**both(one, other))) == first | second


def test_weights_that_were_not_loaded_are_told_on_the_training_side_too(lab: Lab) -> None:
    parity = lab.run(weights=None)
    assert ("weights", "no-weights", None) in found(parity)
    assert (
        parity.weights is not None and parity.weights.train_file is None and parity.weights.train_fresh and not parity.weights.deploy_fresh
    )


def test_cross_runs_tell_the_tensor_from_the_model(lab: Lab) -> None:
    parity = lab.run(**both(SCALE, OTHER))
    for rung in ("tensor", "weights", "logits"):
        assert parity.rung(rung).state == "differs"
    image = parity.images[0]
    assert image.deploy_model is not None and image.train_model is not None
    only = lab.run(**SCALE)
    assert only.rung("logits").state == "same" and only.rung("logits").whole is not None and only.rung("logits").whole.differing


def test_the_predictor_of_the_user_is_tried_first(lab: Lab) -> None:
    parity = lab.run(deploy={"Global.use_fp16": True, "Global.use_gpu": True})
    kinds = {repair.kind for repair in parity.deploy.repairs}
    assert "tensorrt" in kinds  # the predictor asserts that half precision comes with TensorRT
    assert (parity.deploy.device, parity.deploy.wanted) == ("cpu", "gpu")
    assert parity.clean


def test_arrays_for_a_picture_are_those_of_the_image_that_differs_most(lab: Lab) -> None:
    path = lab.folder / "arrays.npz"
    parity = lab.run(**RESIZE, arrays=str(path))
    assert parity.arrays == str(path) and parity.pictured
    with np.load(path) as arrays:
        assert arrays["train_resized"].shape == arrays["deploy_resized"].shape == (32, 32, 3)
        assert arrays["train_tensor"].shape == (3, 32, 32)


def test_images_that_one_side_or_none_can_read(lab: Lab) -> None:
    from PIL import Image

    folder = lab.folder / "odd"
    folder.mkdir()
    source = Image.open(lab.folder / "images" / "image0.jpg")
    turned = Image.Exif()
    turned[0x112] = 6
    source.save(folder / "turned.jpg", exif=turned)
    source.save(folder / "图片.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    same = lab.run(images=(str(folder),))
    assert same.clean
    broken = next(image for image in same.images if image.file.endswith("broken.jpg"))
    assert broken.train_trouble is not None and broken.train_trouble.kind == "raised"
    assert broken.deploy_trouble is not None and broken.deploy_trouble.kind == "unread"
    parity = lab.run(images=(str(folder),), train={"Infer.transforms.0.DecodeImage.backend": "pil"})
    assert parity.rung("decoded").state == "differs"
    assert {"orientation", "backend"} <= {cause.kind for cause in parity.rung("decoded").causes}


def test_a_program_without_its_parameters_is_told_and_nothing_is_measured(lab: Lab) -> None:
    shutil.copytree(lab.folder / "good", lab.folder / "lone")
    (lab.folder / "lone" / "inference.pdiparams").unlink()
    parity = lab.run(model="lone")
    assert parity.deploy.trouble is not None and parity.deploy.trouble.kind == "no-parameters" and parity.train.trouble is None
    assert all(rung.state in ("unknown", "not-applicable") for rung in parity.rungs) and parity.images == ()
    assert lab.run().clean


@pytest.mark.parametrize(
    "changes, side, stage",
    [
        ({"model": "nothing"}, "deploy", "predictor"),
        ({"weights": "nothing"}, "train", "weights"),
        ({"train": {"Arch.name": "Nothing"}}, "train", "network"),
        ({"train": {"Infer.transforms.1": {"Nothing": None}}}, "train", "transforms"),
        ({"deploy": {OPS + "0": {"Nothing": None}}}, "deploy", "predictor"),
    ],
    ids=["no model", "no weights file", "no such network", "no such op", "no such deploy op"],
)
def test_what_fails_on_one_side_is_its_trouble(lab: Lab, changes: dict[str, Any], side: str, stage: str) -> None:
    parity = lab.run(**changes)
    trouble = getattr(parity, side).trouble
    assert trouble is not None and (trouble.kind, trouble.values["stage"]) == ("raised", stage)
    other = parity.deploy if side == "train" else parity.train
    assert other.trouble is None
    assert parity.rung("logits").state == "unknown" and parity.first is None
    if stage in ("weights", "network") or changes.get("model"):
        assert parity.rung("tensor").state == "same"
