"""CFG110 to CFG114: names of components, their parameters, and the lists they stand in. Each fault was made with the real PaddleClas first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import CONFIG, REMOVED, Generation, Project, found, passes, reason

BOTH: list[Generation] = ["modern", "legacy"]
CODES = ("CFG110", "CFG111", "CFG112", "CFG113", "CFG114")
OPS = "DataLoader.Train.dataset.transform_ops"
BATCH = "DataLoader.Train.dataset.batch_transform_ops"


def quiet(project: Project, *overrides: str, **how: Any) -> None:
    """No rule about components has anything to say, and none about keys either."""
    run = project.check(*overrides, **how)
    assert [f for code in (*CODES, "CFG101", "CFG102") for f in found(run, code)] == []


# CFG110 unknown-component

UNKNOWN = [
    # key, value, name, what is suggested
    ("Arch.name", "resnet50", "resnet50", "ResNet50"),
    ("Arch.name", "ResNet50_dv", "ResNet50_dv", "ResNet50_vd"),
    ("Arch.name", "mobilenet_v3_large", "mobilenet_v3_large", "MobileNetV3_large_x1_0"),
    ("Loss.Train.0", {"CrossEntropyLoss": {"weight": 1.0}}, "CrossEntropyLoss", "CELoss"),
    ("Loss.Eval.0", {"CELos": {"weight": 1.0}}, "CELos", "CELoss"),
    ("Optimizer.name", "Momentom", "Momentom", "Momentum"),
    ("Optimizer.lr.name", "StepLR", "StepLR", "Step"),
    ("Optimizer.regularizer", {"name": "L2Decay", "coeff": 0.0001}, "L2Decay", "L2"),
    ("Metric.Eval.0", {"Accuracy": {"topk": [1]}}, "Accuracy", "TopkAcc"),
    ("DataLoader.Train.sampler.name", "DistributedSampler", "DistributedSampler", "DistributedBatchSampler"),
    ("DataLoader.Train.dataset.name", "ImagenetDataset", "ImagenetDataset", "ImageNetDataset"),
    (f"{OPS}.1", {"RandomCropImg": {"size": 224}}, "RandomCropImg", "RandomCropImage"),
    (f"{OPS}.1", {"RandomCrop": {"size": 224}}, "RandomCrop", "RandCropImage"),
    (BATCH, [{"Mixup": {"alpha": 0.2}}], "Mixup", "MixupOperator"),
    (BATCH, [{"OpSampler": {"Cutmix": {"alpha": 0.2, "prob": 0.5}}}], "Cutmix", "CutmixOperator"),
    ("Global.train_mode", "fixmach", "fixmach", "fixmatch"),
    ("Global.eval_mode", "classify", "classify", "classification"),
]


@pytest.mark.parametrize(("key", "value", "name", "suggestion"), UNKNOWN)
def test_cfg110_positive_unknown_name(tmp_path: Path, key: str, value: Any, name: str, suggestion: str) -> None:
    project = Project(tmp_path, "modern", {key: value})
    finding = project.finding("CFG110", shows=(name, suggestion))
    assert (finding.severity, finding.entry) == ("error", "config.components")
    assert finding.evidence["name"] == name
    assert finding.evidence["suggestion"] == suggestion
    line, column = project.place(f"^{name}:" if isinstance(value, (dict, list)) and "name" not in value else f": ^{name}")
    assert (finding.location.file, finding.location.line, finding.location.column) == (CONFIG, line, column)
    assert finding.fixes
    assert not found(project.check(), "CFG101")
    project.assert_repaired_by(finding)


def test_cfg110_positive_in_parts_of_a_network(tmp_path: Path) -> None:
    network = {
        "name": "RecModel",
        "Backbone": {"name": "PPLCNet_x2.5", "pretrained": False},
        "BackboneStopLayer": {"name": "flatten"},
        "Head": {"name": "ArcFace", "embedding_size": 512, "class_num": 3},
    }
    project = Project(tmp_path, "modern", {"Arch": network})
    assert [(f.evidence["name"], f.evidence["suggestion"]) for f in project.findings("CFG110")] == [
        ("PPLCNet_x2.5", "PPLCNet_x2_5"),
        ("ArcFace", "ArcMargin"),
    ]
    models = [{"Teacher": {"name": "ResNet50", "class_num": 3}}, {"Student": network}]
    project = Project(tmp_path, "modern", {"Arch": {"name": "DistillationModel", "models": models}})
    assert [f.location.key for f in project.findings("CFG110")] == [
        "Arch.models.1.Student.Backbone.name",
        "Arch.models.1.Student.Head.name",
    ]


def test_cfg110_positive_weights_for_a_network(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ResNet50_vd_ssld"})
    finding = project.finding("CFG110", shows=("ResNet50_vd", "use_ssld"))
    assert [fix.kind for fix in finding.fixes] == ["edit", "advice"]
    assert finding.fixes[1].snippet is not None and "use_ssld: True" in finding.fixes[1].snippet
    assert project.assert_repaired_by(finding) == ["ResNet50_vd"]


def test_cfg110_positive_defined_but_not_exported(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {f"{OPS}.1": {"BlurImage": None}})
    finding = project.finding("CFG110", shows=("ppcls/data/preprocess/ops/operators.py",))
    assert finding.fixes[0].snippet is not None and "import BlurImage" in finding.fixes[0].snippet


def test_cfg110_positive_nothing_like_it(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Arch.name": "Quux"}).finding("CFG110", shows=("Quux",))
    assert (finding.severity, finding.evidence.get("suggestion"), finding.fixes) == ("error", None, [])


@pytest.mark.parametrize(
    ("key", "value", "suggestion"),
    [
        ("ARCHITECTURE.name", "ResNet50_dv", "ResNet50_vd"),
        ("LEARNING_RATE.function", "cosine", "Cosine"),
        ("OPTIMIZER", {"function": "Momentom", "params": {"momentum": 0.9}}, "Momentum"),
        ("OPTIMIZER", {"function": "Momentum", "params": {"momentum": 0.9}, "regularizer": {"function": "L2Decay", "factor": 0.1}}, "L2"),
        ("TRAIN.transforms.1", {"RandCropImg": {"size": 224}}, "RandCropImage"),
        ("VALID.transforms.1", {"CenterCrop": {"size": 224}}, "CropImage"),
    ],
)
def test_cfg110_positive_legacy(tmp_path: Path, key: str, value: Any, suggestion: str) -> None:
    project = Project(tmp_path, "legacy", {key: value})
    finding = project.finding("CFG110", shows=(suggestion,))
    assert finding.severity == "error"
    project.assert_repaired_by(finding)


def test_cfg110_positive_deploy(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.data = {
        "Global": {"infer_imgs": "./x.jpg", "inference_model_dir": "./m", "batch_size": 1},
        "PreProcess": {"transform_ops": [{"ResizeImg": {"resize_short": 256}}, {"CropImage": {"size": 224}}]},
        "PostProcess": {"main_indicator": "Topk", "TopK": {"topk": 5}},
    }
    project.save()
    assert [f.evidence["suggestion"] for f in project.findings("CFG110", stage="deploy")] == ["ResizeImage", "Topk"]


def test_cfg110_positive_by_override(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG110", "Arch.name=resnet50", shows=("ResNet50",))
    assert (finding.location.file, finding.location.line) == ("-o", 1)


def test_cfg110_positive_later_is_a_warning(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Infer.PostProcess.name": "TopK"})
    assert project.finding("CFG110").severity == "warning"
    assert project.finding("CFG110", stage="infer").severity == "error"
    assert project.findings("CFG110", stage="eval") == []
    assert project.findings("CFG110", stage="export") == []


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
@pytest.mark.parametrize("generation", BOTH)
def test_cfg110_negative_healthy(tmp_path: Path, generation: Generation, stage: str) -> None:
    project = Project(tmp_path, generation)
    quiet(project, stage=stage)
    assert passes(project, "CFG110", stage=stage)


NEAR = [
    {"DataLoader.Train.dataset.name": "ClsDataset"},  # an alias, develop only
    {"Arch.name": "alt_gvt_small"},  # lower case
    {"Arch.name": "cae_base_patch16_224"},
    {"Arch.name": "TinyNet_A"},
    {f"{OPS}.1": {"Pad_paddle_vision": {"padding": 4}}},
    {"Infer.PostProcess": {"name": "MultiLabelTopk", "topk": 2}},  # 2.3 to 2.5 only
    {"Loss.Train.0": {"nn.CrossEntropyLoss": {"weight": 1.0}}},  # eval takes any expression
    {"Global.use_dali": True, f"{OPS}.1": {"SomeDaliOperator": {"size": 3}}},
    {"Optimizer": [{"SGD": {"scope": "Head", "lr": {"name": "Constant", "learning_rate": 0.1}}}]},
]


@pytest.mark.parametrize("changes", NEAR)
def test_cfg110_near_miss(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert Project(tmp_path, "modern", changes).findings("CFG110") == []


def without_components(folder: Path) -> Project:
    project = Project(folder, "modern")
    project.data = {"Global": {"epochs": 1, "output_dir": "out"}}
    project.save()
    return project


def test_cfg110_skipped_without_components(tmp_path: Path) -> None:
    assert reason(without_components(tmp_path), "CFG110") == "no-components"


# CFG111 unknown-parameter

LOUD = [
    # key, value, the place, suggestion
    (f"{OPS}.1", {"RandCropImage": {"sizes": 224}}, f"{OPS}.1.RandCropImage.sizes", "size"),
    ("Arch", {"name": "MobileNetV1", "class_nums": 3}, "Arch.class_nums", "class_num"),
    ("Loss.Train.0", {"CELoss": {"weight": 1.0, "label_smoothing": 0.1}}, "Loss.Train.0.CELoss.label_smoothing", "epsilon"),
    ("Optimizer.nesterov", True, "Optimizer.nesterov", "use_nesterov"),
    ("Optimizer.learning_rate", 0.1, "Optimizer.learning_rate", "lr.learning_rate"),
    ("Optimizer.grad_clip", 1.0, "Optimizer.grad_clip", "clip_norm"),
    ("Optimizer.regularizer", {"name": "L2", "factor": 0.0001}, "Optimizer.regularizer.factor", "coeff"),
    ("DataLoader.Train.sampler.droplast", True, "DataLoader.Train.sampler.droplast", "drop_last"),
    ("DataLoader.Train.dataset.batch_transforms", [], "DataLoader.Train.dataset.batch_transforms", "batch_transform_ops"),
    ("Metric.Eval.0", {"TopkAcc": {"k": [1, 2]}}, "Metric.Eval.0.TopkAcc.k", "topk"),
    (BATCH, [{"MixupOperator": {"alpa": 0.2}}], f"{BATCH}.0.MixupOperator.alpa", "alpha"),
    (BATCH, [{"OpSampler": {"MixupOperator": {"alph": 0.2, "prob": 1.0}}}], f"{BATCH}.0.OpSampler.MixupOperator.alph", "alpha"),
]


AFTER = {"Optimizer.learning_rate": "learning_rate: 0.1", "Metric.Eval.0.TopkAcc.k": "  Eval:\n  - TopkAcc"}


@pytest.mark.parametrize(("key", "value", "place", "suggestion"), LOUD)
def test_cfg111_positive_type_error(tmp_path: Path, key: str, value: Any, place: str, suggestion: str) -> None:
    project = Project(tmp_path, "modern", {key: value})
    finding = project.finding("CFG111", shows=(place, suggestion))
    assert (finding.severity, finding.location.key) == ("error", place)
    last = place.rpartition(".")[2]
    assert (finding.location.line, finding.location.column) == project.place(f" ^{last}:", after=AFTER.get(place, ""))
    assert finding.evidence["suggestion"] == suggestion
    run = project.check()
    assert not found(run, "CFG101") and not found(run, "CFG112")


def test_cfg111_positive_swallowed(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Arch": {"name": "ResNet50", "class_nums": 3}}).finding("CFG111", shows=("class_num",))
    assert finding.severity == "warning"
    finding = Project(tmp_path, "modern", {"Optimizer.lr.warmup": 5}).finding("CFG111", shows=("warmup_epoch",))
    assert finding.severity == "warning"
    finding = Project(tmp_path, "legacy", {"LEARNING_RATE.params.warmup_epoch": 5}).finding("CFG111", shows=("CosineWarmup",))
    assert finding.severity == "warning"


def test_cfg111_positive_written_twice(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern", {"Infer.PostProcess.top_k": 2}).finding("CFG111", stage="infer", shows=("topk",))
    assert (finding.severity, [fix.title for fix in finding.fixes]) == ("error", ["Take top_k out: topk is there already"])


def test_cfg111_positive_by_override_is_said_once(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    run = project.check("Arch.class_nums=3")
    assert [(f.code, f.location.file, f.location.line) for f in run.report.findings if f.code.startswith("CFG1")] == [("CFG111", "-o", 1)]


@pytest.mark.parametrize("generation", BOTH)
def test_cfg111_negative_healthy(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG111")


NEAR_PARAMETERS: list[dict[str, Any]] = [
    {f"{OPS}.0": {"DecodeImage": {"to_rgb": True, "backend": "pil"}}},  # from 2.5 on
    {"Arch.use_sync_bn": True},  # taken out by build_model
    {"Arch.infer_output_key": "features"},  # read at export
    {"Arch": {"name": "EfficientNetB0", "class_num": 3, "override_params": {"drop_connect_rate": 0.1}}},
    {"Optimizer.lr.epochs": 3},  # overwritten, not refused
    {"Optimizer.clip_norm": 1.0},
    {BATCH: [{"MixupOperator": {"alpha": 0.2, "class_num": 3}}]},
    {"Loss.Train.0": {"DistillationPairLoss": {"weight": 1.0, "base_loss_name": "DISTLoss", "anything": 1}}},
    {"Arch.Head": None},
    {"Optimizer": {"name": "AdamW", "clip_grad": None, "weight_decay": 0.1, "lr": {"name": "Cosine", "learning_rate": 0.1}}},
]


@pytest.mark.parametrize("changes", NEAR_PARAMETERS)
def test_cfg111_near_miss(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert Project(tmp_path, "modern", changes).findings("CFG111") == []


def test_cfg111_skipped_without_components(tmp_path: Path) -> None:
    assert reason(without_components(tmp_path), "CFG111") == "no-components"


# CFG112 missing-parameter


@pytest.mark.parametrize(
    ("changes", "place", "missing"),
    [
        ({f"{OPS}.1": {"RandCropImage": None}}, f"{OPS}.1.RandCropImage", ["size"]),
        ({f"{OPS}.1": {"ResizeImage": {"backend": "pil"}}}, f"{OPS}.1.ResizeImage", ["resize_short", "size"]),
        ({"Loss.Train.0": {"CELoss": {"epsilon": 0.1}}}, "Loss.Train.0.CELoss", ["weight"]),
        ({"Loss.Train.0": {"CELoss": None}}, "Loss.Train.0.CELoss", ["weight"]),
        ({"Optimizer.momentum": REMOVED}, "Optimizer", ["momentum"]),
        ({"Arch": {"name": "DistillationModel", "class_num": 3}}, "Arch", ["models"]),
        ({"Optimizer.lr.learning_rate": REMOVED}, "Optimizer.lr", ["learning_rate"]),
        ({"DataLoader.Train.sampler.batch_size": REMOVED}, "DataLoader.Train.sampler", ["batch_size"]),
        ({"DataLoader.Train.dataset.cls_label_path": REMOVED}, "DataLoader.Train.dataset", ["cls_label_path"]),
    ],
)
def test_cfg112_positive(tmp_path: Path, changes: dict[str, Any], place: str, missing: list[str]) -> None:
    finding = Project(tmp_path, "modern", changes).finding("CFG112", shows=(missing[0],))
    assert (finding.severity, finding.location.key, finding.evidence["parameters"]) == ("error", place, missing)


def test_cfg112_positive_head_without_class_count(tmp_path: Path) -> None:
    network = {"name": "RecModel", "Backbone": {"name": "ResNet50"}, "Head": {"name": "FC", "embedding_size": 512}}
    assert Project(tmp_path, "modern", {"Arch": network}).finding("CFG112").evidence["parameters"] == ["class_num"]


@pytest.mark.parametrize("generation", BOTH)
def test_cfg112_negative_healthy(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG112")


@pytest.mark.parametrize(
    "changes",
    [
        {f"{OPS}.1": {"RandCropImage": {"size": None}}},  # there, though null
        {"Metric.Eval.0": {"TopkAcc": None}},  # all have defaults
        {"DataLoader.Train.sampler": {"name": "BatchSampler", "shuffle": True}},  # a batch of one
        {f"{OPS}.1": {"ResizeImage": {"size": 224}}},
        {f"{OPS}.1": {"ToCHWImage": None}},
        {f"{OPS}.1": {"MixupOperator": {"alpha": 0.2}}},  # in the wrong list, which CFG310 says
        {BATCH: [{"MixupOperator": None}]},  # class_num is put in
        {f"{OPS}.1": {"RandCropImage": {"sizes": 224}}},  # CFG111 has said it
    ],
)
def test_cfg112_near_miss(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert Project(tmp_path, "modern", changes).findings("CFG112") == []


def test_cfg112_skipped_without_components(tmp_path: Path) -> None:
    assert reason(without_components(tmp_path), "CFG112") == "no-components"


# CFG113 malformed-list-item

CROP = {"RandCropImage": {"size": 224}}


@pytest.mark.parametrize(
    ("changes", "place", "says", "severity"),
    [
        ({f"{OPS}.1": {**CROP, "RandFlipImage": {"flip_code": 1}}}, f"{OPS}.1.RandFlipImage", "RandFlipImage", "error"),
        ({f"{OPS}.1": {"RandCropImage": None, "size": 224}}, f"{OPS}.1.size", "size", "error"),
        ({f"{OPS}.1": "RandCropImage"}, f"{OPS}.1", "RandCropImage", "error"),
        ({f"{OPS}.1": None}, f"{OPS}.1", "null", "error"),
        ({f"{OPS}.1": {}}, f"{OPS}.1", "{}", "error"),
        ({f"{OPS}.1": {"RandCropImage": 224}}, f"{OPS}.1.RandCropImage", "224", "error"),
        ({"Loss.Train": ["CELoss"]}, "Loss.Train.0", "CELoss", "error"),
        ({"Metric.Eval": ["TopkAcc"]}, "Metric.Eval.0", "TopkAcc", "error"),
        ({BATCH: {"MixupOperator": {"alpha": 0.2}}}, BATCH, BATCH, "warning"),
        ({BATCH: [{"OpSampler": {"MixupOperator": None}}]}, f"{BATCH}.0.OpSampler.MixupOperator", "MixupOperator", "error"),
        ({"DataLoader.Train.dataset.transform_ops_weak": CROP}, "DataLoader.Train.dataset.transform_ops_weak", "-", "error"),
        ({"Arch": {"name": "DistillationModel", "models": {"Student": {"name": "ResNet50"}}}}, "Arch.models", "Arch.models", "error"),
    ],
)
def test_cfg113_positive(tmp_path: Path, changes: dict[str, Any], place: str, says: str, severity: str) -> None:
    finding = Project(tmp_path, "modern", changes).finding("CFG113", shows=(says,))
    assert (finding.severity, finding.location.key) == (severity, place)


def test_cfg113_positive_shows_the_list_as_it_should_be(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {f"{OPS}.1": {**CROP, "RandFlipImage": {"flip_code": 1}}})
    (fix,) = project.finding("CFG113").fixes
    assert fix.snippet == "- RandCropImage:\n    size: 224\n- RandFlipImage:\n    flip_code: 1\n"
    project = Project(tmp_path, "modern", {f"{OPS}.1": {"RandCropImage": None, "size": 224}})
    (fix,) = project.finding("CFG113").fixes
    assert fix.snippet == "- RandCropImage:\n    size: 224\n"
    assert not found(project.check(), "CFG101")


def test_cfg113_positive_legacy(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy", {"TRAIN.transforms.1": {**CROP, "RandFlipImage": None}}).finding("CFG113")
    assert (finding.severity, finding.location.key) == ("error", "TRAIN.transforms.1.RandFlipImage")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg113_negative_healthy(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG113")


@pytest.mark.parametrize(
    "changes",
    [
        {BATCH: []},
        {BATCH: None},
        {f"{OPS}.1": {"ToCHWImage": None}},
        {f"{OPS}.1": {"ToCHWImage": {}}},
        {"Loss.Eval": None},
        {BATCH: [{"OpSampler": {"MixupOperator": {"alpha": 0.2, "prob": 0.5}, "CutmixOperator": {"alpha": 0.2, "prob": 0.5}}}]},
    ],
)
def test_cfg113_near_miss(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert Project(tmp_path, "modern", changes).findings("CFG113") == []


def test_cfg113_skipped_without_components(tmp_path: Path) -> None:
    assert reason(without_components(tmp_path), "CFG113") == "no-components"


# CFG114 deprecated-component


def test_cfg114_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Loss.Train.0": {"MixCELoss": {"weight": 1.0, "epsilon": 0.1}}})
    finding = project.finding("CFG114", shows=("MixCELoss", "CELoss"))
    assert (finding.severity, finding.location.key) == ("error", "Loss.Train.0.MixCELoss")
    assert finding.fixes[0].snippet is not None


def test_cfg114_negative_celoss(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG114")


def test_cfg114_near_miss_as_2_2_ships_it(tmp_path: Path) -> None:
    changes = {"Loss.Train.0": {"MixCELoss": {"weight": 1.0, "epsilon": 0.1}}, "Metric.Train": REMOVED}
    assert Project(tmp_path, "modern", changes).finding("CFG114").severity == "info"
    changes[f"{OPS}.0"] = {"DecodeImage": {"to_rgb": True, "backend": "pil"}}  # which 2.2 does not know
    assert Project(tmp_path, "modern", changes).finding("CFG114").severity == "error"


def test_cfg114_skipped_without_components(tmp_path: Path) -> None:
    assert reason(without_components(tmp_path), "CFG114") == "no-components"


def test_cfg111_near_miss_an_alias_is_one_place(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    wrong = "- &decode\n        DecodeImage:\n          to_bgr: true\n"
    text = project.text.replace("- DecodeImage:\n          to_rgb: true\n", wrong, 1)
    text = text.replace("- DecodeImage:\n          to_rgb: true\n", "- *decode\n", 1)
    assert "*decode" in text
    project.write(CONFIG, text)
    finding = project.finding("CFG111", shows=("to_bgr",))
    assert finding.severity == "error"
