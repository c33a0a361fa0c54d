"""MDL: the network against its input and its data. Sizes and failures are those of networks built and run on PaddleClas develop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from knowledge.zoo import input_size
from tests.projects import CONFIG, REMOVED, Generation, Project, passes, reason

TRAIN_CROP = "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size"
EVAL_CROP = "DataLoader.Eval.dataset.transform_ops.2.CropImage.size"
INFER_CROP = "Infer.transforms.2.CropImage.size"
NAME: dict[Generation, str] = {"modern": "Arch.name", "legacy": "ARCHITECTURE.name"}


# MDL101 input-size-mismatch


def test_mdl101_positive_every_split_of_the_stage(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ViT_base_patch16_384"})
    for stage, keys in (
        ("train", [TRAIN_CROP]),  # once for both splits
        ("eval", [EVAL_CROP]),
        ("infer", [INFER_CROP]),
        ("export", ["Global.image_shape"]),
    ):
        findings = project.findings("MDL101", stage=stage, shows=(224, 384))
        assert sorted(str(f.location.key) for f in findings) == sorted(keys)
        assert {f.severity for f in findings} == {"error"} and {f.entry for f in findings} == {"4.3"}


def test_mdl101_positive_place_and_repair(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ViT_small_patch16_224", TRAIN_CROP: 384})
    finding = project.finding("MDL101", shows=("ViT_small_patch16_224",))
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("size: ^384"), TRAIN_CROP)
    assert project.assert_repaired_by(finding) == [224]


def test_mdl101_positive_the_network_made_for_this_size_is_offered(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ViT_base_patch16_384", EVAL_CROP: 384, "Global.eval_during_train": False})
    finding = project.finding("MDL101")
    assert project.assert_repaired_by(finding) == [384, "ViT_base_patch16_224"]


def test_mdl101_positive_legacy(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy", {"ARCHITECTURE.name": "DeiT_tiny_patch16_224", "TRAIN.transforms.1.RandCropImage.size": 256})
    assert project.finding("MDL101").location.key == "TRAIN.transforms.1.RandCropImage.size"


@pytest.mark.parametrize(
    ("name", "side"), [("AlexNet", 256), ("MobileViTV2_x1_0", 224), ("CSWinTransformer_tiny_224", 256), ("LeViT_128S", 240)]
)
def test_mdl101_positive_networks_bound_by_other_things(tmp_path: Path, name: str, side: int) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": name, TRAIN_CROP: side, "Global.eval_during_train": False})
    assert project.finding("MDL101").evidence["size"] == side


def test_mdl101_positive_a_role_and_a_backbone(tmp_path: Path) -> None:
    models = [{"Teacher": {"name": "ResNet18", "class_num": 3}}, {"Student": {"name": "DeiT_tiny_patch16_224", "class_num": 3}}]
    project = Project(tmp_path, "modern", {"Arch": {"name": "DistillationModel", "models": models}, TRAIN_CROP: 256})
    assert project.finding("MDL101").evidence["architecture"] == "DeiT_tiny_patch16_224"


def test_mdl101_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Arch.name": "ViT_base_patch16_224"}), "MDL101")
    big = {"Arch.name": "ViT_base_patch16_384", TRAIN_CROP: 384, EVAL_CROP: 384}
    assert passes(Project(tmp_path, "modern", big), "MDL101")


@pytest.mark.parametrize(("name", "side"), [("AlexNet", 240), ("GoogLeNet", 208), ("MobileViTV2_x1_0", 320), ("alt_gvt_small", 448)])
def test_mdl101_near_miss_sizes_that_were_run(tmp_path: Path, name: str, side: int) -> None:
    assert passes(Project(tmp_path, "modern", {"Arch.name": name, TRAIN_CROP: side, "Global.eval_during_train": False}), "MDL101")


def test_mdl101_near_miss_only_image_shape_differs_in_training(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ViT_base_patch16_224", "Global.image_shape": [3, 384, 384]})
    assert passes(project, "MDL101")
    assert not passes(project, "MDL101", stage="export")


def test_mdl101_near_miss_img_size_moves_what_the_network_takes(tmp_path: Path) -> None:
    changes = {"Arch.name": "DeiT_tiny_patch16_224", "Arch.img_size": 256, TRAIN_CROP: 256, EVAL_CROP: 256}
    assert passes(Project(tmp_path, "modern", changes), "MDL101")
    assert Project(tmp_path, "modern", {**changes, TRAIN_CROP: 224}).finding("MDL101").evidence["takes"] == 256


@pytest.mark.parametrize(
    "changes",
    [
        {"DataLoader.Train.sampler": {"name": "MultiScaleSampler", "scales": [256, 288], "first_bs": 2}},
        {"Global.train_mode": "progressive"},
        {"DataLoader.Train.dataset.transform_ops.1": {"MyOwnTransform": {"size": 300}}},
        {"Arch.patch_size": 8},
    ],
)
def test_mdl101_near_miss_sizes_that_are_not_known(tmp_path: Path, changes: dict[str, Any]) -> None:
    base = {"Arch.name": "DeiT_tiny_patch16_224", TRAIN_CROP: 256, "Global.eval_during_train": False}
    assert passes(Project(tmp_path, "modern", {**base, **changes}), "MDL101") or "patch_size" in str(changes)
    assert not Project(tmp_path, "modern", {**base, **changes}).findings("MDL101")


@pytest.mark.parametrize("name", ["ResNet50", "SwinTransformer_tiny_patch4_window7_224", "ConvNeXt_tiny", "NoSuchNet"])
def test_mdl101_skipped_networks_that_take_any_size(tmp_path: Path, name: str) -> None:
    assert reason(Project(tmp_path, "modern", {"Arch.name": name, TRAIN_CROP: 300}), "MDL101") == "any-input-size"


def test_sizes_are_refused_only_where_a_run_failed() -> None:
    alexnet = input_size("AlexNet")
    assert alexnet is not None and [alexnet.refuses(side) for side in (128, 224, 230, 240, 300)] == [True, False, None, False, True]
    grid = input_size("MobileViTV2_x1_0")
    assert grid is not None and [grid.refuses(side) for side in (256, 320, 288, 300)] == [False, False, True, None]
    assert input_size("ResNet50") is None


# MDL102 transformer-from-scratch


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_mdl102_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {NAME[generation]: "ViT_small_patch16_224"})
    finding = project.finding("MDL102", shows=("ViT_small_patch16_224", 12, 4))
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "4.2", NAME[generation])
    assert (finding.evidence["samples"], finding.evidence["classes"], finding.evidence["per_class"]) == (12, 3, 4.0)
    assert finding.evidence["parameters_m"] > 40


def test_mdl102_positive_windows_and_pyramids(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "SwinTransformer_tiny_patch4_window7_224"})
    assert project.finding("MDL102").severity == "info"


def test_mdl102_negative(tmp_path: Path) -> None:
    for given in ({"Arch.pretrained": True}, {"Global.pretrained_model": "weights/vit"}, {"Global.checkpoints": "output/latest"}):
        assert passes(Project(tmp_path, "modern", {"Arch.name": "ViT_small_patch16_224", **given}), "MDL102")


def test_mdl102_near_miss_enough_samples_and_default_weights(tmp_path: Path) -> None:
    many = "".join(f"train/{n % 3}/0.png {n % 3}\n" for n in range(100_000))
    assert passes(Project(tmp_path, "modern", {"Arch.name": "ViT_small_patch16_224"}, train=many), "MDL102")
    assert passes(Project(tmp_path, "modern", {"Arch.name": "UniFormer_small"}), "MDL102")


def test_mdl102_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "MDL102") == "no-transformer"
    project = Project(tmp_path, "modern", {"Arch.name": "ViT_small_patch16_224"})
    (tmp_path / "data/train_list.txt").unlink()
    assert reason(project, "MDL102") == "no-train-labels"


# MDL103 last-layer-dominates


def test_mdl103_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "MobileNetV3_large_x1_0", "Arch.class_num": 100_000})
    finding = project.finding("MDL103", shows=("MobileNetV3_large_x1_0", 1280))
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "2.2", "Arch.class_num")
    evidence = finding.evidence
    assert evidence["head_bytes"] == 1281 * 100_000 * 4
    assert evidence["narrow_bytes"] == 4 * (1281 * evidence["width"] + (evidence["width"] + 1) * 100_000)
    assert evidence["percent"] == 97 and evidence["width"] == 64


def test_mdl103_positive_the_width_meets_the_backbone(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Arch.class_num": 100_000}).finding("MDL103")
    width = finding.evidence["width"]
    backbone = finding.evidence["total_bytes"] - finding.evidence["head_bytes"]
    assert width % 8 == 0 and finding.evidence["narrow_bytes"] <= backbone < 4 * (2049 * (width + 8) + (width + 9) * 100_000)


@pytest.mark.parametrize("classes", [3, 1000, 10_000])
def test_mdl103_negative(tmp_path: Path, classes: int) -> None:
    assert passes(Project(tmp_path, "modern", {"Arch.class_num": classes}), "MDL103")


def test_mdl103_near_miss_features_are_exported_without_the_head(tmp_path: Path) -> None:
    arch = {
        "name": "RecModel",
        "infer_output_key": "features",
        "Backbone": {"name": "ResNet50"},
        "Head": {"name": "ArcMargin", "embedding_size": 2048, "class_num": 185_341},
    }
    assert passes(Project(tmp_path, "modern", {"Arch": arch}), "MDL103")
    assert Project(tmp_path, "modern", {"Arch": arch, "Arch.infer_output_key": "logits"}).finding("MDL103").evidence["inputs"] == 2048


def test_mdl103_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Arch.class_num": REMOVED}), "MDL103") == "no-class-num"


# MDL104 classes-added-to-pretrained


def test_mdl104_positive_two_classes_more(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.class_num": 1002, "Arch.pretrained": True})
    finding = project.finding("MDL104", shows=(1002, 2))
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "5.4", "Arch.class_num")


def test_mdl104_positive_frozen_by_a_key_that_nothing_reads(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Arch.freeze_befor": "blocks[15]"}).finding("MDL104")
    assert (finding.severity, finding.location.key) == ("warning", "Arch.freeze_befor")


def test_mdl104_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Arch.pretrained": True}), "MDL104")


def test_mdl104_near_miss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Arch.class_num": 1002}), "MDL104")  # trained from scratch
    assert passes(Project(tmp_path, "modern", {"Arch.class_num": 2000, "Arch.pretrained": True}), "MDL104")
    assert passes(Project(tmp_path, "modern", {"Arch.name": "PPLCNet_x1_0", "Arch.freeze_befor": "blocks6"}), "MDL104")  # obeyed there


def test_mdl104_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Arch.name": REMOVED}), "MDL104") == "no-network"


# MDL109 input-channels

NORMALIZE = "DataLoader.Train.dataset.transform_ops.2.NormalizeImage.channel_num"


def test_mdl109_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {NORMALIZE: 4})
    finding = project.finding("MDL109", shows=(4, 3))
    assert (finding.severity, finding.location.key) == ("error", NORMALIZE)
    assert project.assert_repaired_by(finding) == [3]
    project = Project(tmp_path, "modern", {"Arch.input_image_channel": 4, "Global.eval_during_train": False})
    assert project.finding("MDL109").location.key == "Arch.input_image_channel"


def test_mdl109_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "MDL109")


def test_mdl109_near_miss_both_say_four(tmp_path: Path) -> None:
    both = {NORMALIZE: 4, NORMALIZE.replace("Train", "Eval").replace(".2.", ".3."): 4, "Arch.input_image_channel": 4}
    assert passes(Project(tmp_path, "modern", both), "MDL109")


def test_mdl109_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Arch.name": "NoSuchNet"}), "MDL109") == "no-network"
    assert reason(Project(tmp_path, "legacy"), "MDL109") == "no-network"


# MDL110 network-cannot-be-built


@pytest.mark.parametrize("name", ["HRNet_W60_C", "MobileViTV2_x0_75", "SE_HRNet_W64_C"])
def test_mdl110_positive(tmp_path: Path, name: str) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": name})
    finding = project.finding("MDL110", shows=(name,))
    assert (finding.severity, finding.location.line, finding.location.column) == ("error", *project.place(f"^{name}"))
    (fix,) = finding.fixes
    assert passes(project, "MDL110", f"Arch.name={fix.value}")


def test_mdl110_positive_what_fails_on_some_branches_is_info(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "SwinTransformerV2_tiny_patch4_window8_256"})
    assert project.finding("MDL110").severity == "info"


def test_mdl110_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "MDL110")


def test_mdl110_near_miss_neighbours(tmp_path: Path) -> None:
    for name in ("HRNet_W64_C", "MobileViTV2_x1_0", "SwinTransformer_tiny_patch4_window7_224"):
        assert passes(Project(tmp_path, "modern", {"Arch.name": name}), "MDL110")


def test_mdl110_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy", {"ARCHITECTURE.name": "HRNet_W60_C"}), "MDL110") == "no-network"


def test_mdl109_positive_export_declares_other_channels(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.image_shape": [1, 224, 224]})
    finding = project.finding("MDL109", stage="export", shows=(1, 3, "ResNet50"))
    assert (finding.severity, finding.location.key, finding.fixes[0].value) == ("info", "Global.image_shape", [3, 224, 224])
    assert project.assert_repaired_by(finding, stage="export") == [[3, 224, 224]]


def test_mdl109_near_miss_export_leaves_the_channels_open(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.image_shape": [-1, 224, 224]}), "MDL109", stage="export")
    four = {"Global.image_shape": [4, 224, 224], "Arch.input_image_channel": 4}
    assert passes(Project(tmp_path, "modern", four), "MDL109", stage="export")


# CFG316 layer-list-length


@pytest.mark.parametrize(
    ("name", "parameter", "value", "severity"),
    [
        ("PPLCNet_x0_25", "lr_mult_list", [0.0] * 5, "error"),
        ("PPLCNet_x0_25", "stride_list", [2, 2, 2, 2], "error"),
        ("ResNet50_vd", "stride_list", [2, 2, 2, 2], "error"),
        ("ResNet50_vd", "lr_mult_list", [0.1, 0.1, 0.2, 0.2], "warning"),
        ("ResNet50_vd", "lr_mult_list", 0.1, "error"),
        ("ResNet50_vd", "lr_mult_list", ["0.1", "0.1", "0.2", "0.2", "0.3"], "error"),
    ],
)
def test_cfg316_positive(tmp_path: Path, name: str, parameter: str, value: Any, severity: str) -> None:
    finding = Project(tmp_path, "modern", {"Arch.name": name, f"Arch.{parameter}": value}).findings("CFG316", shows=(name, parameter))[0]
    assert (finding.severity, finding.location.key) == (severity, f"Arch.{parameter}")


def test_cfg316_negative(tmp_path: Path) -> None:
    for number, (name, changes) in enumerate(
        [
            ("ResNet50_vd", {"Arch.lr_mult_list": [0.1, 0.1, 0.2, 0.2, 0.3]}),
            ("PPLCNet_x1_0", {"Arch.lr_mult_list": [0.0, 0, 0, 0, 0, 1.0], "Arch.stride_list": [2, [2, 1], [2, 1], [2, 1], [2, 1]]}),
        ]
    ):
        assert passes(Project(tmp_path / str(number), "modern", {"Arch.name": name, **changes}), "CFG316"), name


def test_cfg316_near_miss_a_rate_for_the_export(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ResNet18", "Arch.lr_mult_list": [0.1, 0.1]})
    assert passes(project, "CFG316", stage="export")  # no rate is used there


def test_cfg316_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Arch.name": "MobileNetV1"}), "CFG316") == "no-network"
