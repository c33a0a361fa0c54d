"""CFG3xx: the transforms of one list. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from doctor.report import ReportedFinding
from tests.projects import CONFIG, REMOVED, Generation, Project, found, passes, reason, rows

BOTH: list[Generation] = ["modern", "legacy"]
Ops = list[dict[str, Any]]

DECODE: dict[str, Any] = {"DecodeImage": {"to_rgb": True, "channel_first": False}}
CROP: dict[str, Any] = {"RandCropImage": {"size": 224}}
FLIP: dict[str, Any] = {"RandFlipImage": {"flip_code": 1}}
NORMAL: dict[str, Any] = {
    "NormalizeImage": {"scale": "1.0/255.0", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": ""}
}
CHW: dict[str, Any] = {"ToCHWImage": None}
AUTO: dict[str, Any] = {"AutoAugment": None}
ERASE: dict[str, Any] = {"RandomErasing": {"EPSILON": 0.5}}

KEY = {"modern": "DataLoader.Train.dataset.transform_ops", "legacy": "TRAIN.transforms"}


def trained(folder: Path, ops: Ops, generation: Generation = "modern", **more: Any) -> Project:
    """A project whose training goes through these transforms (a legacy list gets its ToCHWImage)."""
    return Project(folder, generation, {KEY[generation]: [*ops, CHW] if generation == "legacy" else ops, **more})


def normal(**changes: Any) -> dict[str, Any]:
    """NormalizeImage with other parameters, those that are None left out."""
    return {"NormalizeImage": {k: v for k, v in {**NORMAL["NormalizeImage"], **changes}.items() if v is not None}}


def at(finding: ReportedFinding) -> tuple[Any, ...]:
    return finding.location.file, finding.location.line, finding.location.column


def no_lists(folder: Path) -> Project:
    return Project(folder, "modern", {"DataLoader": REMOVED, "Infer": REMOVED})


def png(height: int, width: int) -> bytes:
    """A PNG of one colour."""
    row = b"\0" + b"\x80" * 3 * width
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(row * height)),
        (b"IEND", b""),
    )
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


# CFG301 image-not-decoded


@pytest.mark.parametrize("generation", BOTH)
def test_cfg301_positive_missing(tmp_path: Path, generation: Generation) -> None:
    project = trained(tmp_path, [CROP, NORMAL], generation)
    finding = project.finding("CFG301", shows=("Train", "RandCropImage"))
    assert (finding.severity, finding.entry) == ("error", "config.transforms")
    assert at(finding) == (CONFIG, *project.place("^RandCropImage"))
    assert finding.evidence == {"split": "Train", "op": "RandCropImage"}
    assert "- DecodeImage:" in (finding.fixes[0].snippet or "")


def test_cfg301_positive_late_and_now_and_then(tmp_path: Path) -> None:
    assert trained(tmp_path, [CROP, DECODE, NORMAL]).finding("CFG301").severity == "error"
    assert trained(tmp_path, [FLIP, DECODE, CROP, NORMAL]).finding("CFG301").severity == "warning"


def test_cfg301_positive_no_transform_at_all(tmp_path: Path) -> None:
    finding = trained(tmp_path, []).finding("CFG301")
    assert (finding.severity, finding.location.key) == ("error", KEY["modern"])


def test_cfg301_positive_no_list_of_transforms(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {KEY["modern"]: REMOVED})
    finding = project.finding("CFG301", shows=("Train",))
    assert (finding.severity, finding.location.key) == ("error", KEY["modern"])
    assert finding.location.line == project.place("^dataset:", after="Train:\n    dataset")[0]


@pytest.mark.parametrize("name", ["AdaFaceDataset", "OwnDataset"])
def test_cfg301_near_miss_other_datasets_need_no_list(tmp_path: Path, name: str) -> None:
    project = Project(tmp_path, "modern", {KEY["modern"]: REMOVED, "DataLoader.Train.dataset.name": name})
    assert project.findings("CFG301") == []


@pytest.mark.parametrize("generation", BOTH)
def test_cfg301_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, NORMAL], generation), "CFG301")


def test_cfg301_near_miss_the_dataset_decodes(tmp_path: Path) -> None:
    changes = {"DataLoader.Train.dataset.name": "Market1501"}
    assert passes(trained(tmp_path, [{"ResizeImage": {"size": [128, 256]}}, NORMAL], **changes), "CFG301")


def test_cfg301_near_miss_unknown_transform(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [{"OurDecoder": None}, CROP, NORMAL]), "CFG301")


def test_cfg301_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG301") == "no-transforms"


# CFG302 image-decoded-twice


def test_cfg302_positive(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, {"DecodeImage": {}}, CROP, NORMAL])
    finding = project.finding("CFG302", shows=("Train",))
    assert finding.severity == "warning"
    assert finding.location.line == project.place("^DecodeImage: {}")[0]


def test_cfg302_negative(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, NORMAL]), "CFG302")


def test_cfg302_near_miss_without_a_swap(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, {"DecodeImage": {"to_rgb": False}}, CROP, NORMAL]), "CFG302")


def test_cfg302_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG302") == "no-transforms"


# CFG303 image-not-normalised


@pytest.mark.parametrize("generation", BOTH)
def test_cfg303_positive(tmp_path: Path, generation: Generation) -> None:
    project = trained(tmp_path, [DECODE, CROP, FLIP], generation)
    finding = project.finding("CFG303", shows=("Train", "uint8"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "config.transforms", KEY[generation])
    assert "NormalizeImage" in (finding.fixes[0].snippet or "")
    assert not [f for f in project.check().report.findings if f.code.startswith("DEP")]


@pytest.mark.parametrize("generation", BOTH)
def test_cfg303_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, NORMAL], generation), "CFG303")


def test_cfg303_near_miss_floats_without_it(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, {"ResizeImage": {"size": 200}}, {"Padv2": {"size": 224}}]), "CFG303")


def test_cfg303_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG303") == "no-transforms"


# CFG304 normalisation-implausible


@pytest.mark.parametrize(
    ("ops", "shown"),
    [
        ([normal(scale=1.0)], "1136.36"),
        ([normal(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])], "-2.1"),
        ([normal(mean=[123.675, 116.28, 103.53])], "-540"),
        ([NORMAL, NORMAL], "2 times"),
    ],
)
def test_cfg304_positive(tmp_path: Path, ops: Ops, shown: str) -> None:
    both = [DECODE, CROP, *ops]  # where only one list has them, DEP102 says it
    project = trained(tmp_path, both, **{"DataLoader.Eval.dataset.transform_ops": both})
    finding = project.findings("CFG304")[0]
    assert finding.severity == "warning"
    assert shown in finding.message


@pytest.mark.parametrize(
    "step",
    [
        NORMAL,
        normal(scale="1/255"),
        normal(scale=0.00392157),
        normal(scale=1.0, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]),
        normal(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]),
        normal(mean=[0.0, 0.0, 0.0], std=[1.0, 1.0, 1.0]),
    ],
)
def test_cfg304_negative(tmp_path: Path, step: dict[str, Any]) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, step]), "CFG304")


def test_cfg304_near_miss_the_evaluation_is_normalised_otherwise(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, CROP, normal(scale=1.0)])
    assert passes(project, "CFG304")
    assert project.findings("DEP102")[0].location.key == f"{KEY['modern']}.2.NormalizeImage.scale"


def test_cfg304_near_miss_a_scale_nobody_can_tell(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, normal(scale="np.float32(1/255)")]), "CFG304")


def test_cfg304_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG304") == "no-transforms"


# CFG305 channels-misplaced


def test_cfg305_positive_order(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, CROP, normal(order="chw")])
    finding = project.finding("CFG305", shows=("chw", "hwc"))
    assert (finding.severity, finding.location.key) == ("error", f"{KEY['modern']}.2.NormalizeImage.order")
    assert project.assert_repaired_by(finding) == [""]


def test_cfg305_positive_order_left_out(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, CROP, normal(order=None)])
    finding = project.finding("CFG305", shows=("chw",))
    assert at(finding) == (CONFIG, *project.place("^NormalizeImage"))
    assert project.assert_repaired_by(finding) == [""]


def test_cfg305_positive_in_a_dataset(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, CROP, NORMAL, CHW])
    assert at(project.finding("CFG305")) == (CONFIG, *project.place("^ToCHWImage", after="NormalizeImage"))


@pytest.mark.parametrize(
    ("ops", "blamed"),
    [
        ([DECODE, CHW, CROP, NORMAL], "ToCHWImage"),
        ([{"DecodeImage": {"channel_first": True}}, CROP, NORMAL], "DecodeImage"),
        ([DECODE, CROP, NORMAL, CHW, {"CropImage": {"size": 64}}], "ToCHWImage"),
    ],
)
def test_cfg305_positive_too_early(tmp_path: Path, ops: Ops, blamed: str) -> None:
    project = trained(tmp_path, ops)
    assert at(project.finding("CFG305")) == (CONFIG, *project.place(f"^{blamed}"))


@pytest.mark.parametrize("stage", ["infer"])
def test_cfg305_positive_missing_in_inference(tmp_path: Path, stage: str) -> None:
    ops = [DECODE, {"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}, NORMAL]
    finding = Project(tmp_path, "modern", {"Infer.transforms": ops}).finding("CFG305", stage=stage)
    assert finding.location.key == "Infer.transforms"
    assert finding.fixes[0].snippet == "- ToCHWImage:"


def test_cfg305_positive_missing_in_legacy(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy", {"TRAIN.transforms": [DECODE, CROP, NORMAL]})
    assert project.finding("CFG305").location.key == "TRAIN.transforms"


def test_cfg305_negative(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Infer.transforms": [DECODE, CROP, NORMAL, CHW]})
    assert passes(project, "CFG305")
    assert passes(project, "CFG305", stage="infer")


def test_cfg305_near_miss_normalised_with_channels_first(tmp_path: Path) -> None:
    resize = [DECODE, {"ResizeImage": {"size": 224}}, CHW, normal(order="chw")]
    assert passes(Project(tmp_path, "modern", {"Infer.transforms": resize}), "CFG305", stage="infer")
    assert passes(trained(tmp_path, [DECODE, CROP, normal(order="hwc")]), "CFG305")


def test_cfg305_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG305") == "no-transforms"


# CFG306 transform-cannot-take-image


@pytest.mark.parametrize(
    ("ops", "severity", "shown"),
    [
        ([DECODE, CROP, NORMAL, AUTO], "error", "float32"),
        ([DECODE, CROP, NORMAL, {"TimmAutoAugment": {"prob": 0.5}}], "error", "float32"),
        ([DECODE, CROP, NORMAL, {"ColorJitter": {"prob": 0.5, "brightness": 0.4}}], "warning", "float32"),
        ([{"DecodeImage": {"to_np": False, "backend": "pil"}}, CROP, NORMAL], "error", "PIL.Image"),
        ([DECODE, {"ResizeImage": {"size": 224}}, {"Pad": {"padding": 4}}, CROP, NORMAL], "error", "PIL.Image"),
        ([DECODE, CROP, AUTO, ERASE, NORMAL], "warning", "AutoAugment"),
        ([DECODE, CROP, NORMAL, {"ToTensor": None}, NORMAL], "error", "paddle.Tensor"),
        ([{"DecodeImage": {"to_np": False, "backend": "pil"}}, {"Resize": {"size": [224, 224]}}], "error", "PIL.Image"),
    ],
)
def test_cfg306_positive(tmp_path: Path, ops: Ops, severity: str, shown: str) -> None:
    finding = trained(tmp_path, ops).finding("CFG306", shows=(shown,))
    assert (finding.severity, finding.entry) == (severity, "config.transforms")


def test_cfg306_negative(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, FLIP, AUTO, NORMAL, ERASE]), "CFG306")


@pytest.mark.parametrize(
    "ops",
    [
        [{"DecodeImage": {"to_np": False, "backend": "pil"}}, {"ResizeImage": {"size": 224, "backend": "pil"}}, NORMAL],
        [DECODE, {"ResizeImage": {"size": 224, "backend": "pil", "return_numpy": False}}, {"Pad": {"padding": 4}}, NORMAL],
        [DECODE, CROP, AUTO, {"RandomErasing": {"EPSILON": 0.0}}, NORMAL],
        [DECODE, {"ResizeImage": {"size": 224}}, {"Pad": {"padding": 4, "backend": "cv2"}}, CROP, NORMAL],
    ],
)
def test_cfg306_near_miss(tmp_path: Path, ops: Ops) -> None:
    assert passes(trained(tmp_path, ops), "CFG306")


def test_cfg306_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG306") == "no-transforms"


# CFG307 crop-exceeds-image


def test_cfg307_positive(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, {"ResizeImage": {"resize_short": 200}}, {"CropImage": {"size": 224}}, NORMAL])
    finding = project.finding("CFG307", shows=("224×224", "200"))
    assert (finding.severity, at(finding)) == ("error", (CONFIG, *project.place("size: ^224")))
    assert project.assert_repaired_by(finding) == [256, 200]


@pytest.mark.parametrize(
    ("ops", "severity"),
    [
        ([{"ResizeImage": {"size": [256, 128]}}, {"RandomCropImage": {"size": 200}}], "error"),
        ([{"ResizeImage": {"resize_short": 200}}, {"CropImage": {"size": [256, 128]}}], "warning"),
        ([{"ResizeImage": {"size": 256}}, {"RandCropImageV2": {"size": 224}}], "error"),
    ],
)
def test_cfg307_positive_of_every_kind(tmp_path: Path, ops: Ops, severity: str) -> None:
    assert trained(tmp_path, [DECODE, *ops, NORMAL]).finding("CFG307").severity == severity


def test_cfg307_positive_small_images(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, {"CropImage": {"size": 224}}, NORMAL])
    for number in range(4):
        project.write(f"data/train/0/{number}.png", png(64, 300) if number else png(300, 300))
    finding = project.finding("CFG307", shows=(224, 12))
    assert finding.evidence["count"] == 11  # one is large enough; the others have one pixel
    assert at(finding) == (CONFIG, *project.place("size: ^224"))


@pytest.mark.parametrize("short", [224, 256])
def test_cfg307_negative(tmp_path: Path, short: int) -> None:
    assert passes(trained(tmp_path, [DECODE, {"ResizeImage": {"resize_short": short}}, {"CropImage": {"size": 224}}, NORMAL]), "CFG307")


def test_cfg307_near_miss(tmp_path: Path) -> None:
    shrunk_again = [{"ResizeImage": {"size": 256}}, {"RandCropImageV2": {"size": 224}}, {"ResizeImage": {"size": 224}}]
    assert passes(trained(tmp_path, [DECODE, *shrunk_again, NORMAL]), "CFG307")
    pil = [{"ResizeImage": {"size": 256, "backend": "pil", "return_numpy": False}}, {"RandCropImageV2": {"size": 224}}]
    assert passes(trained(tmp_path, [DECODE, *pil, NORMAL]), "CFG307")
    larger = [{"ResizeImage": {"resize_short": 10}}, {"RandCropImage": {"size": 224}}]  # resizes what it crops
    assert passes(trained(tmp_path, [DECODE, *larger, NORMAL]), "CFG307")


def test_cfg307_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG307") == "no-transforms"


# CFG308 transform-value-impossible


@pytest.mark.parametrize(
    ("ops", "parameter", "meant"),
    [
        ([{"RandCropImage": {"size": "224"}}, NORMAL], "size", [224]),
        ([{"RandCropImage": {"size": 224.0}}, NORMAL], "size", [224]),
        ([{"ResizeImage": {"size": [256.0, 224.0]}}, NORMAL], "size", [[256, 224]]),
        ([{"ResizeImage": {"resize_short": "256"}}, {"CropImage": {"size": 224}}, NORMAL], "resize_short", [256]),
        ([{"RandCropImage": {"size": 0}}, NORMAL], "size", []),
        ([{"RandCropImage": {"size": -224}}, NORMAL], "size", []),
        ([{"CropImage": {"size": [224]}}, NORMAL], "size", []),
        ([{"RandCropImage": {"size": 224, "interpolation": "cubic"}}, NORMAL], "interpolation", []),
        ([{"RandCropImage": {"size": 224, "scale": 0.5}}, NORMAL], "scale", []),
        ([{"RandCropImage": {"size": 224, "ratio": [0, 1]}}, NORMAL], "ratio", []),
        ([CROP, {"RandFlipImage": {"flip_code": 2}}, NORMAL], "flip_code", []),
        ([CROP, {"RandomRotation": {"degrees": -15}}, NORMAL], "degrees", []),
        ([CROP, {"RandomRotation": {"degrees": [15]}}, NORMAL], "degrees", []),
        ([CROP, {"ColorJitter": {"brightness": -0.4}}, NORMAL], "brightness", []),
        ([CROP, {"TimmAutoAugment": {"config_str": "rnd-m9", "img_size": 224}}, NORMAL], "config_str", []),
        ([CROP, normal(mean=[0.5, 0.5])], "mean", []),
        ([CROP, normal(std=[0.0, 0.5, 0.5])], "std", []),
        ([CROP, normal(scale="1.0/255.O")], "scale", []),
        ([CROP, normal(scale="abc")], "scale", []),
        ([CROP, normal(channel_num=1)], "channel_num", []),
    ],
)
def test_cfg308_positive(tmp_path: Path, ops: Ops, parameter: str, meant: list[Any]) -> None:
    project = trained(tmp_path, [DECODE, *ops])
    finding = project.finding("CFG308", shows=(parameter,))
    assert (finding.severity, finding.entry, finding.evidence["parameter"]) == ("error", "config.transforms", parameter)
    assert project.assert_repaired_by(finding) == meant


def test_cfg308_negative(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, CROP, FLIP, NORMAL]), "CFG308")


@pytest.mark.parametrize(
    "ops",
    [
        [{"ResizeImage": {"resize_short": 256.0}}, {"CropImage": {"size": 224}}, NORMAL],
        [{"ResizeImage": {"interpolation": "bicubic"}}, NORMAL],  # the size is missing: CFG112
        [{"ResizeImage": {"size": [224, 256, 3]}}, NORMAL],  # what follows the two is not read
        [{"RandCropImage": {"size": 224, "scale": [1.0, 0.08]}}, NORMAL],  # the order of the two does not matter
        [{"RandCropImage": {"size": 224, "backend": "pillow", "interpolation": "cubic"}}, NORMAL],  # OpenCV's bilinear instead
        [CROP, normal(mean=["0.5", "0.5", "0.5"])],
        [CROP, normal(scale="1.0 / 255")],
        [CROP, normal(scale="1.0 / 255,")],  # a tuple of one, which numpy broadcasts
        [CROP, normal(scale="math.pow(255, -1)")],
    ],
)
def test_cfg308_near_miss(tmp_path: Path, ops: Ops) -> None:
    assert passes(trained(tmp_path, [DECODE, *ops]), "CFG308")


def test_cfg308_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG308") == "no-transforms"


# CFG309 images-differ-in-size

SHORT: Ops = [DECODE, {"ResizeImage": {"resize_short": 72}}, NORMAL]


def sized(folder: Path, sizes: list[tuple[int, int]], ops: Ops, **more: Any) -> Project:
    names = [f"train/{n}.png" for n in range(len(sizes))]
    project = Project(folder, "modern", {KEY["modern"]: ops, **more}, train=rows([(name, n % 3) for n, name in enumerate(names)]))
    for name, (height, width) in zip(names, sizes, strict=True):
        project.write(f"data/{name}", png(height, width))
    return project


def test_cfg309_positive(tmp_path: Path) -> None:
    project = sized(tmp_path, [(64, 64), (64, 64), (64, 96), (96, 64)], SHORT)
    finding = project.finding("CFG309", shows=("72×72", "72×108", "data/train/2.png"))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "config.transforms", KEY["modern"])
    assert (finding.evidence["sampled"], finding.evidence["shapes"]) == (4, 3)
    assert "RandCropImage" in (finding.fixes[0].snippet or "")


def test_cfg309_negative_a_crop(tmp_path: Path) -> None:
    crop = [DECODE, {"ResizeImage": {"resize_short": 72}}, {"CropImage": {"size": 64}}, NORMAL]
    assert passes(sized(tmp_path, [(64, 64), (64, 96)], crop), "CFG309")


def test_cfg309_near_miss_images_of_one_size(tmp_path: Path) -> None:
    assert passes(sized(tmp_path, [(64, 64)] * 4, SHORT), "CFG309")
    assert passes(sized(tmp_path, [(64, 64), (128, 128)], SHORT), "CFG309")  # of one shape once resized


def test_cfg309_near_miss_batches_of_one(tmp_path: Path) -> None:
    assert passes(sized(tmp_path, [(64, 64), (64, 96)], SHORT, train_batch=1), "CFG309")


def test_cfg309_skipped(tmp_path: Path) -> None:
    project = sized(tmp_path, [(64, 64)], SHORT)
    (tmp_path / "data/train/0.png").unlink()
    assert reason(project, "CFG309") == "no-image-sizes"


MIXUP: dict[str, Any] = {"MixupOperator": {"alpha": 0.2}}
BATCH = "DataLoader.Train.dataset.batch_transform_ops"


# CFG311 resize-size-ignored


def test_cfg311_positive(tmp_path: Path) -> None:
    project = trained(tmp_path, [DECODE, {"ResizeImage": {"resize_short": 256, "size": 224}}, CROP, NORMAL])
    finding = project.finding("CFG311", shows=(256, 224))
    assert (finding.severity, at(finding)) == ("warning", (CONFIG, *project.place("size: ^224")))


def test_cfg311_negative(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, {"ResizeImage": {"resize_short": 256}}, CROP, NORMAL]), "CFG311")


def test_cfg311_near_miss(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, {"ResizeImage": {"resize_short": 0, "size": 224}}, NORMAL]), "CFG311")


def test_cfg311_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG311") == "no-transforms"


# CFG312 random-transform-outside-training


@pytest.mark.parametrize("stage", ["train", "eval"])
def test_cfg312_positive(tmp_path: Path, stage: str) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Eval.dataset.transform_ops": [DECODE, CROP, NORMAL]})
    finding = project.finding("CFG312", shows=("Eval", "RandCropImage"), stage=stage)
    assert finding.severity == "warning"
    assert at(finding) == (CONFIG, *project.place("^RandCropImage", after="Eval:\n    dataset"))


def test_cfg312_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG312")


def test_cfg312_near_miss_never_acts(tmp_path: Path) -> None:
    ops = [DECODE, {"ResizeImage": {"size": 224}}, {"RandomErasing": {"EPSILON": 0.0}}, NORMAL]
    assert passes(Project(tmp_path, "modern", {"DataLoader.Eval.dataset.transform_ops": ops}), "CFG312")


def test_cfg312_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG312") == "no-transforms"


# CFG313 no-augmentation


@pytest.mark.parametrize("generation", BOTH)
def test_cfg313_positive(tmp_path: Path, generation: Generation) -> None:
    project = trained(tmp_path, [DECODE, {"ResizeImage": {"size": 224}}, NORMAL], generation)
    assert project.finding("CFG313").severity == "info"


def test_cfg313_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG313")


def test_cfg313_near_miss_batches_are_mixed(tmp_path: Path) -> None:
    assert passes(trained(tmp_path, [DECODE, {"ResizeImage": {"size": 224}}, NORMAL], **{BATCH: [MIXUP]}), "CFG313")


def test_cfg313_skipped(tmp_path: Path) -> None:
    assert reason(no_lists(tmp_path), "CFG313") == "no-transforms"


def test_a_list_that_breaks_early_gets_one_error(tmp_path: Path) -> None:
    for ops in ([CROP, NORMAL, CHW], [DECODE, CHW, CROP], [DECODE, {"RandCropImage": {"size": "224"}}, CHW, AUTO]):
        errors = [f.code for f in trained(tmp_path, ops).check().report.findings if f.severity == "error"]
        assert len(errors) == 1, errors


def test_evaluation_alone_is_not_judged_by_the_training(tmp_path: Path) -> None:
    run = trained(tmp_path, [CROP, NORMAL]).check(stage="eval")
    assert found(run, "CFG301") == []


def test_cfg308_near_miss_an_alias_is_one_place(tmp_path: Path) -> None:
    project = Project(
        tmp_path, "modern", {f"DataLoader.{split}.dataset.transform_ops.0": {"DecodeImage": {}} for split in ("Train", "Eval")}
    )
    good = "- NormalizeImage:\n          scale: 1.0/255.0\n"
    text = project.text.replace(good, "- &normal\n        NormalizeImage:\n          mean: [0.5, 0.5]\n", 1).replace(good, "- *normal\n", 1)
    text = text.replace("- *normal\n          order: ''\n", "- *normal\n")
    assert "*normal" in text
    project.write(CONFIG, text)
    assert project.finding("CFG308", shows=("mean",)).severity == "error"


def test_cfg302_positive_a_class_that_decodes_is_said_once(tmp_path: Path) -> None:
    names = {f"DataLoader.{split}.dataset.name": "CompCars" for split in ("Train", "Eval")}
    project = Project(tmp_path, "modern", names)
    assert "Train, Eval" in project.finding("CFG302").message
    assert not project.findings("DEP101")
