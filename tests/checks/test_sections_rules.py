"""CFG106 to CFG109: sections and keys that the engine itself reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import CONFIG, REMOVED, Generation, Project, passes, reason

STAGES = ("train", "eval", "infer", "export")
RETRIEVAL: dict[str, Any] = {"Global.eval_mode": "retrieval", "Metric.Eval": [{"Recallk": {"topk": [1, 5]}}]}


def missing(project: Project, stage: str, *overrides: str) -> list[tuple[str, str]]:
    """Key and case's severity of what CFG106 finds."""
    return [(f.evidence["key"], f.severity) for f in project.findings("CFG106", *overrides, stage=stage)]


# CFG106 mandatory-key-missing


@pytest.mark.parametrize(
    ("key", "stages"),
    # measured on develop: each key left out, all four tools run
    [
        ("Global", STAGES), ("Global.checkpoints", ("train",)), ("Global.pretrained_model", STAGES), ("Global.output_dir", STAGES),
        ("Global.device", STAGES), ("Global.save_interval", ("train",)), ("Global.eval_during_train", ("train",)),
        ("Global.eval_interval", ("train",)), ("Global.epochs", STAGES), ("Global.print_batch_step", ("train", "eval")),
        ("Global.use_visualdl", STAGES), ("Global.image_shape", ("export",)), ("Global.save_inference_dir", ("export",)),
        ("Arch", STAGES), ("Arch.name", STAGES), ("Arch.class_num", ()), ("Loss", ("train",)), ("Loss.Train", ("train",)), ("Loss.Eval", ()),
        ("Optimizer", ("train",)), ("Optimizer.name", ("train",)), ("Optimizer.lr", ("train",)), ("Optimizer.lr.name", ("train",)),
        ("DataLoader", STAGES), ("DataLoader.Train", ("train",)), ("DataLoader.Train.dataset", ("train",)),
        ("DataLoader.Train.dataset.name", ("train",)), ("DataLoader.Train.sampler", ("train",)), ("DataLoader.Train.loader", ("train",)),
        ("DataLoader.Train.loader.num_workers", ("train",)), ("DataLoader.Train.loader.use_shared_memory", ("train",)),
        ("DataLoader.Eval", ("train", "eval")), ("DataLoader.Eval.dataset", ("train", "eval")), ("DataLoader.Eval.sampler", ("train", "eval")),
        ("DataLoader.Eval.loader.use_shared_memory", ("train", "eval")), ("Infer", ("infer",)), ("Infer.infer_imgs", ("infer",)),
        ("Infer.batch_size", ("infer",)), ("Infer.transforms", ("infer",)), ("Infer.PostProcess", ("infer",)),
        ("Infer.PostProcess.name", ("infer",)), ("Metric", ("train", "eval", "export")), ("Metric.Eval", ("train", "eval", "export")),
        ("Metric.Train", ()),
    ],
)  # fmt: skip
def test_cfg106_positive_a_key_left_out(tmp_path: Path, key: str, stages: tuple[str, ...]) -> None:
    project = Project(tmp_path, "modern", {key: REMOVED})
    for stage in STAGES:
        severity = "warning" if stage == "export" and key.startswith("Metric") else "error"
        assert missing(project, stage) == ([(key, severity)] if stage in stages else []), stage


@pytest.mark.parametrize(
    ("key", "stages"),
    [
        ("ARCHITECTURE.name", ("train", "eval")), ("LEARNING_RATE", ("train", "eval")), ("OPTIMIZER.params", ("train", "eval")),
        ("epochs", ("train",)), ("total_images", ("train",)), ("topk", ("train", "eval")), ("save_interval", ("train",)),
        ("model_save_dir", ("train",)), ("valid_interval", ("train",)), ("TRAIN", ("train",)), ("TRAIN.num_workers", ("train",)),
        ("VALID", ("train", "eval")), ("VALID.batch_size", ("train", "eval")), ("VALID.transforms", ("train", "eval")),
        ("pretrained_model", ()), ("image_shape", ()),
    ],
)  # fmt: skip
def test_cfg106_positive_legacy(tmp_path: Path, key: str, stages: tuple[str, ...]) -> None:
    project = Project(tmp_path, "legacy", {key: REMOVED})
    for stage in ("train", "eval"):
        assert missing(project, stage) == ([(key, "error")] if stage in stages else []), stage


def test_cfg106_positive_place_words_and_snippet(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.use_visualdl": REMOVED})
    finding = project.finding("CFG106", shows=("Global.use_visualdl", "KeyError: 'use_visualdl'", "tools/train.py"))
    assert (finding.entry, finding.location.file, finding.location.key) == ("5.1", CONFIG, "Global.use_visualdl")
    assert (finding.location.line, finding.location.column) == project.place("^Global:")
    assert finding.fixes[0].snippet == "Global:\n  use_visualdl: False\n"
    assert "2.5.1" in Project(tmp_path, "modern", {"Global.epochs": REMOVED}).finding("CFG106", stage="eval").message


@pytest.mark.parametrize(("written", "meant"), [("Dataloader", "DataLoader"), ("Losses", "Loss"), ("Optimizers", "Optimizer")])
def test_cfg106_positive_a_misspelt_section_is_said_once(tmp_path: Path, written: str, meant: str) -> None:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace(f"\n{meant}:", f"\n{written}:"))
    finding = project.finding("CFG106", shows=(written, meant))
    assert (finding.location.line, finding.location.column, finding.location.key) == (*project.place(f"^{written}:"), written)
    assert not project.findings("CFG101")
    assert meant in finding.fixes[0].title


def test_cfg106_near_miss_a_mode_that_does_not_fit_the_layout_is_said_elsewhere(tmp_path: Path) -> None:
    assert not missing(Project(tmp_path, "modern", {"Global.eval_mode": "retrieval"}), "train")
    block = Project(tmp_path, "modern").data["DataLoader"]["Eval"]
    assert not missing(Project(tmp_path, "modern", {"DataLoader.Eval": {"Gallery": block, "Query": block}}), "eval")


@pytest.mark.parametrize("left", ["batch_size", "drop_last", "shuffle"])
def test_cfg106_positive_a_sampler_without_a_name_needs_three_keys(tmp_path: Path, left: str) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Train.sampler.name": REMOVED, f"DataLoader.Train.sampler.{left}": REMOVED})
    assert missing(project, "train") == [(f"DataLoader.Train.sampler.{left}", "error")]


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg106_negative(tmp_path: Path, generation: Generation) -> None:
    for stage in ("train", "eval"):
        assert passes(Project(tmp_path, generation), "CFG106", stage=stage)


@pytest.mark.parametrize(
    ("changes", "stage"),
    [
        ({"Global.eval_during_train": False, "Global.eval_interval": REMOVED, "DataLoader.Eval": REMOVED, "Metric": REMOVED}, "train"),
        ({"DataLoader.Train": REMOVED, "Loss": REMOVED, "Global.epochs": 1}, "eval"),
        ({"Metric": REMOVED, "Global.use_multilabel": True}, "export"),
        ({"DataLoader.Train.sampler.name": REMOVED}, "train"),
        ({"DataLoader.Train.loader.use_shared_memory": REMOVED, "Global.use_dali": True}, "train"),
        ({"Infer": REMOVED}, "train"),
    ],
)
def test_cfg106_near_miss_what_is_not_needed_here(tmp_path: Path, changes: dict[str, Any], stage: str) -> None:
    assert not missing(Project(tmp_path, "modern", changes), stage)


def test_cfg106_near_miss_retrieval_with_one_or_two_splits(tmp_path: Path) -> None:
    block = Project(tmp_path, "modern").data["DataLoader"]["Eval"]
    for splits in ({"Query": block}, {"Gallery": block, "Query": block}):
        assert not missing(Project(tmp_path, "modern", {**RETRIEVAL, "DataLoader.Eval": splits}), "eval")
    assert missing(Project(tmp_path, "modern", {**RETRIEVAL, "DataLoader.Eval": {"A": block, "B": block}}), "eval") == [
        ("DataLoader.Eval.Gallery", "error"),
        ("DataLoader.Eval.Query", "error"),
    ]


def test_cfg106_near_miss_an_override_supplies_the_key(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.print_batch_step": REMOVED})
    assert missing(project, "train") and not missing(project, "train", "Global.print_batch_step=5")


def test_cfg106_near_miss_models_that_ship_without_infer(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Infer": REMOVED, "Metric.Eval": [{"ATTRMetric": None}]})
    assert missing(project, "infer") == [("Infer", "info")]


def test_cfg106_skipped_where_another_program_reads_the_config(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Loss": REMOVED, "Optimizer": REMOVED})
    assert reason(project, "CFG106") == "sections-other-stage"
    assert not missing(project, "infer")
    assert reason(Project(tmp_path, "legacy"), "CFG106", stage="export") == "sections-other-stage"
    assert reason(Project(tmp_path, "legacy", {"mode": "valid"}), "CFG106") == "sections-other-stage"
    project.save("Global:\n  input_name: x\nDistillation:\n  alpha: 1\nTrainConfig:\n  epochs: 1\n")
    assert reason(project, "CFG106") == "sections-other-stage"
    assert reason(project, "CFG101") == "no-vocabulary"


# CFG107 section-of-another-shape


@pytest.mark.parametrize(
    ("key", "value", "case"),
    [
        ("Global", None, "null"), ("Arch", None, "null"), ("DataLoader", None, "null"), ("DataLoader.Train", None, "null"),
        ("DataLoader.Train.dataset", None, "null"), ("DataLoader.Train.sampler", None, "null"), ("DataLoader.Eval.loader", None, "null"),
        ("DataLoader.Train.dataset.transform_ops", None, "null"), ("Loss.Train", None, "null"), ("Metric", None, "null"),
        ("Metric.Eval", None, "null"), ("Optimizer", None, "null"), ("Optimizer.lr", 0.1, "mapping"), ("Optimizer.regularizer", None, "null"),
        ("Optimizer.regularizer", "L2", "mapping"), ("Optimizer", [], "empty list"), ("Loss.Eval", [], "empty list"),
        ("Loss.Train", {"CELoss": {"weight": 1.0}}, "dash"), ("Metric.Train", {"TopkAcc": {"topk": 1}}, "dash"), ("AMP", True, "mapping"),
        ("EMA", None, "null"), ("DataLoader.Train.loader", {}, "num_workers"), ("DataLoader.Train.sampler", {}, "sampler.name"),
        ("Arch", [], "empty list"), ("DataLoader", "abc", "mapping"),
    ],
)  # fmt: skip
def test_cfg107_positive(tmp_path: Path, key: str, value: Any, case: str) -> None:
    project = Project(tmp_path, "modern", {key: value})
    finding = project.finding("CFG107", shows=(key,))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "5.1", key)
    assert case in finding.message
    assert project.text.split("\n")[(finding.location.line or 0) - 1].strip().startswith(key.rpartition(".")[2] + ":")
    assert finding.fixes
    assert not [f for f in project.findings("CFG106") if f.evidence["key"].startswith(key + ".")]


def test_cfg107_positive_an_override_replaces_the_section(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG107", "Arch=ResNet18", shows=("Arch",))
    assert (finding.location.file, finding.location.line) == ("-o", 1)


def test_cfg107_negative(tmp_path: Path) -> None:
    for stage in STAGES:
        assert passes(Project(tmp_path, "modern"), "CFG107", stage=stage)


@pytest.mark.parametrize(
    ("key", "value", "stages"),
    # all of them end with exit status 0 on develop
    [
        ("Loss.Eval", None, ("train", "eval")), ("Loss", None, ("infer", "export")), ("Optimizer", None, ("infer", "export", "eval")),
        ("Infer", None, ("train", "eval", "export")), ("Metric.Train", None, ("train",)), ("Metric.Train", [], ("train",)), ("AMP", None, ("train",)),
        ("AMP", {}, ("train",)), ("EMA", {}, ("train",)), ("DataLoader.Train", None, ("infer", "eval")), ("Metric", None, ("infer",)),
    ],
)  # fmt: skip
def test_cfg107_near_miss_what_the_stage_does_not_read(tmp_path: Path, key: str, value: Any, stages: tuple[str, ...]) -> None:
    project = Project(tmp_path, "modern", {key: value})
    for stage in stages:
        assert passes(project, "CFG107", stage=stage), stage


def test_cfg107_near_miss_a_list_of_optimizers(tmp_path: Path) -> None:
    entry = {"Momentum": {"scope": "all", "momentum": 0.9, "lr": {"name": "Cosine", "learning_rate": 0.1}}}
    assert passes(Project(tmp_path, "modern", {"Optimizer": [entry]}), "CFG107")


def test_cfg107_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG107") == "sections-modern"
    assert reason(Project(tmp_path, "modern", RETRIEVAL), "CFG107", stage="infer") == "infer-needs-classification"


# CFG108 infer-needs-classification


def test_cfg108_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", RETRIEVAL)
    finding = project.finding("CFG108", stage="infer", shows=("retrieval",))
    assert (finding.severity, finding.entry) == ("info", "5.1")
    assert (finding.location.line, finding.location.column) == project.place("eval_mode: ^retrieval")
    assert reason(project, "CFG106", stage="infer") == "infer-needs-classification"


def test_cfg108_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG108", stage="infer")


def test_cfg108_near_miss_other_stages(tmp_path: Path) -> None:
    for stage in ("train", "eval", "export"):
        assert not [
            c
            for c in Project(tmp_path, "modern", RETRIEVAL).check(stage=stage).report.checks
            if c.code == "CFG108" and c.status == "failed"
        ]


def test_cfg108_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG108", stage="infer") == "sections-modern"


# CFG109 deprecated-class-num


def test_cfg109_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.class_num": REMOVED, "Global.class_num": 3})
    finding = project.finding("CFG109", shows=("Global.class_num", 3))
    assert (finding.severity, finding.entry) == ("warning", "2.1")
    assert (finding.location.line, finding.location.column) == project.place("^class_num: 3")
    assert finding.fixes[0].snippet == "Arch:\n  class_num: 3\n"
    both = Project(tmp_path, "modern", {"Global.class_num": 7}).finding("CFG109", shows=(7, 3))
    assert both.severity == "warning"


def test_cfg109_negative(tmp_path: Path) -> None:
    assert not Project(tmp_path, "modern").findings("CFG109")


def test_cfg109_near_miss_both_say_the_same(tmp_path: Path) -> None:
    assert Project(tmp_path, "modern", {"Global.class_num": 3}).finding("CFG109").severity == "info"


def test_cfg109_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG109") == "no-global-class-num"
    assert reason(Project(tmp_path, "legacy"), "CFG109") == "sections-modern"


@pytest.mark.parametrize("stage", ["infer", "export", "eval"])
def test_cfg106_positive_a_config_cut_down_to_prediction(tmp_path: Path, stage: str) -> None:
    project = Project(tmp_path, "modern", dict.fromkeys(("DataLoader", "Loss", "Optimizer"), REMOVED))
    finding = next(f for f in project.findings("CFG106", stage=stage) if f.location.key == "DataLoader")
    assert finding.severity == "error"


@pytest.mark.parametrize("key", ["learning_rate", "base_lr"])
def test_cfg106_positive_a_rate_without_its_schedule(tmp_path: Path, key: str) -> None:
    project = Project(tmp_path, "modern", {"Optimizer": {"name": "Momentum", "momentum": 0.9, key: 0.05}})
    finding = project.finding("CFG106", shows=("Optimizer.lr", key))
    assert finding.fixes[0].snippet and "0.05" in finding.fixes[0].snippet
    assert not project.findings("CFG111")
