"""CFG130 to CFG134: values of another type than meant, and values that PaddleClas does not take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.value_reading import meant_value
from tests.projects import Generation, Project, passes, reason

BATCH, WORKERS = "DataLoader.Train.sampler.batch_size", "DataLoader.Train.loader.num_workers"
LR, SHARED = "Optimizer.lr.learning_rate", "DataLoader.Train.loader.use_shared_memory"
TOPK = "Metric.Eval.0.TopkAcc.topk"
PLACEHOLDER = "zzplaceholderzz"


def with_text(folder: Path, key: str, text: str, generation: Generation = "modern") -> Project:
    """A project in which a value is written as `text`, as a user types it."""
    project = Project(folder, generation, {key: PLACEHOLDER})
    project.save(project.text.replace(PLACEHOLDER, text))
    return project


# CFG130 value-of-another-type


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    # all of them stop on develop; what was probably meant, or None
    [
        ("Arch.class_num", "3.0", 3), ("Arch.class_num", "three", None), ("Arch.class_num", "yes", None), ("Arch.class_num", "null", None),
        ("Arch.class_num", "３", 3), ("Arch.class_num", "[3]", 3), ("Arch.class_num", "1,000", 1000), ("Arch.class_num", "3e0", 3),
         ("Global.epochs", "abc", None), ("Global.epochs", "null", None), (BATCH, "2.0", 2), (BATCH, "abc", None),
        (BATCH, "null", None), (BATCH, "1*2", 2), (WORKERS, "1.5", None), (WORKERS, "null", None), (WORKERS, "abc", None),
        ("DataLoader.Train.sampler.drop_last", "'false'", False), ("DataLoader.Train.sampler.drop_last", "0", False),
        ("DataLoader.Train.sampler.drop_last", "null", None), ("DataLoader.Eval.sampler.shuffle", "'no'", False),
        ("DataLoader.Eval.sampler.shuffle", "1", True), (LR, "abc", None), (LR, "0,05", 0.05), (LR, "[0.1]", 0.1), (LR, "0.1.2", None),
        (LR, "null", None), ("Optimizer.momentum", "0,9", 0.9), ("Optimizer.momentum", "abc", None), ("Optimizer.momentum", "null", None),
        ("Optimizer.lr.warmup_epoch", "abc", None), ("Optimizer.lr.warmup_epoch", "0.5", None), ("Global.seed", "abc", None),
        ("Global.seed", "1.5", None), ("Global.eval_interval", "abc", None), ("Global.save_interval", "null", None),
        ("Global.print_batch_step", "abc", None), ("Global.update_freq", "2.0", 2), ("Global.start_eval_epoch", "null", None),
        ("Global.output_dir", "102", None), ("Global.output_dir", "null", None), ("Global.pretrained_model", "102", None),
        ("Global.pretrained_model", "false", None), ("Global.checkpoints", "true", None), ("Arch.name", "5", None), ("Arch.name", "''", None),
        ("Optimizer.name", "null", None), ("DataLoader.Train.dataset.image_root", "102", None),
        ("DataLoader.Train.dataset.cls_label_path", "null", None), ("DataLoader.Eval.dataset.cls_label_path", "''", None),
        (TOPK, "null", None), (TOPK, "1.0", [1]),
        ("Loss.Train.0.CELoss.epsilon", "1e-1", 0.1), ("Loss.Train.0.CELoss.epsilon", "0,1", 0.1), ("EMA.decay", "abc", None),
    ],
)  # fmt: skip
def test_cfg130_positive(tmp_path: Path, key: str, text: str, meant: Any) -> None:
    project = with_text(tmp_path, key, text)
    finding = project.finding("CFG130", shows=(key,))
    assert (finding.severity, finding.location.key, finding.entry) == ("error", key, "5.2")
    assert finding.evidence["text"].lower() in ("", "[]", text.strip("'").lower())
    edits = [fix.value for fix in finding.fixes if fix.kind == "edit"]
    assert edits == ([meant] if meant is not None else [])


@pytest.mark.parametrize(
    ("name", "key", "values", "meant"),
    [
        ("Piecewise", "values", [0.1, "1e-2", 0.001], 0.01),
        ("Piecewise", "decay_epochs", ["1e1", 20], 10),
        ("MultiStepDecay", "milestones", ["x"], None),
    ],
)
def test_cfg130_positive_text_in_the_lists_of_a_schedule(tmp_path: Path, name: str, key: str, values: list[Any], meant: Any) -> None:
    rest = {"values": {"decay_epochs": [10, 20]}, "decay_epochs": {"values": [0.1, 0.01, 0.001]}}.get(key, {"learning_rate": 0.1})
    project = Project(tmp_path, "modern", {"Optimizer.lr": {"name": name, **rest, key: values}})
    finding = project.finding("CFG130", shows=(f"Optimizer.lr.{key}",))
    index = next(n for n, value in enumerate(values) if isinstance(value, str))
    assert (finding.severity, finding.location.key) == ("error", f"Optimizer.lr.{key}.{index}")
    assert [fix.value for fix in finding.fixes] == ([meant] if meant is not None else [])


def test_cfg130_positive_one_milestone_without_its_list(tmp_path: Path) -> None:
    lr = {"name": "MultiStepDecay", "learning_rate": 0.1, "milestones": 30, "gamma": 0.1}
    project = Project(tmp_path, "modern", {"Optimizer.lr": lr})
    finding = project.finding("CFG130", shows=("Optimizer.lr.milestones", 30))
    assert (finding.severity, [fix.value for fix in finding.fixes]) == ("error", [[30]])
    assert project.assert_repaired_by(finding) == [[30]]


def test_cfg130_near_miss_a_list_that_is_not_read(tmp_path: Path) -> None:
    lr = {"name": "Piecewise", "learning_rate": 0.1, "decay_epochs": 30, "values": 0.1}
    assert not Project(tmp_path, "modern", {"Optimizer.lr": lr}).findings("CFG130")


def test_cfg130_positive_epochs_that_a_cosine_cannot_count(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.epochs": 3})
    assert project.data["Optimizer"]["lr"]["name"] == "Cosine"
    finding = project.finding("CFG130", "Global.epochs=1e1")
    assert (finding.severity, [fix.value for fix in finding.fixes]) == ("error", [10])


def test_cfg130_positive_an_item_of_a_list_and_its_place(tmp_path: Path) -> None:
    project = with_text(tmp_path, TOPK, '[1, "2"]')
    finding = project.finding("CFG130", shows=(TOPK + ".1", 2))
    assert (finding.location.line, finding.location.column) == project.place('topk: [1, ^"2"]')
    assert [fix.value for fix in finding.fixes] == [2]


@pytest.mark.parametrize(
    ("option", "place"),
    [
        (f"{BATCH}=8.0", 1), ("Arch.class_num=five", 1), ('Global.epochs="2"', 1), (f"{LR}=0,01", 1), ("Global.seed=042", 1),
        ('Arch.class_num="3"', 1),
        ("DataLoader.Train.sampler.shuffle=false", 1), ("Global.epochs=Null", 1),
    ],
)  # fmt: skip
def test_cfg130_positive_override(tmp_path: Path, option: str, place: int) -> None:
    finding = Project(tmp_path, "modern").finding("CFG130", option)
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", place, option.partition("=")[0])
    assert finding.evidence["text"] == option.partition("=")[2]


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("[3, 64, 64]", True), ("'[3, 64, 64]'", True), ("[3, -1, -1]", True), ("[3, null, null]", True), ("[3, 64]", False), ("3,64,64", False),
        ("(3, 64, 64)", False), ("[3.0, 64, 64]", False), ("64", False), ("null", False), ("['3', '64', '64']", False), ("[3 64 64]", False),
        ("3x64x64", False), ("[3, 64, 64, 1]", False), ("[3, 1e2, 64]", False),
    ],
)  # fmt: skip
def test_cfg130_positive_image_shape_at_export(tmp_path: Path, text: str, works: bool) -> None:
    project = with_text(tmp_path, "Global.image_shape", text)
    said = [f.code for f in project.check(stage="export").report.findings if f.code in ("CFG130", "EXP105")]
    assert len(said) == (0 if works else 1)  # of null, and of whole numbers that are not three, EXP105 speaks
    assert passes(project, "CFG130", stage="train")


@pytest.mark.parametrize(("key", "text"), [("classes_num", "3.0"), ("TRAIN.batch_size", "abc"), ("topk", "abc"), ("total_images", "abc")])
def test_cfg130_positive_legacy(tmp_path: Path, key: str, text: str) -> None:
    assert with_text(tmp_path, key, text, "legacy").finding("CFG130", shows=(key, text)).severity == "error"


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg130_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG130")


@pytest.mark.parametrize(
    ("key", "text"),
    # exit status 0 on develop
    [
        ("Arch.class_num", '"3"'), ("Arch.class_num", "0x3"), ("Arch.class_num", "03"), (BATCH, '"2"'), (WORKERS, '"1"'), (WORKERS, "0.0"),
        (LR, '"1e-4"'),
        (LR, "1e-4"), (LR, "1"), ("Optimizer.momentum", '"0.9"'), ("Global.seed", '"42"'), ("Global.seed", "null"), ("Global.seed", "false"),
        ("Global.eval_interval", "1.0"), ("Global.save_interval", "1.5"), ("Global.print_batch_step", "2.5"),
        ("Global.pretrained_model", '"None"'),
        ("Global.pretrained_model", "~"), ("Global.checkpoints", "false"), ("Global.checkpoints", "''"), (TOPK, "1"), (TOPK, "[1, 2.0]"),
        ("DataLoader.Train.sampler.drop_last", '"False"'), ("DataLoader.Train.sampler.drop_last", "no"), (SHARED, "1"), (SHARED, "null"),
        ("Loss.Train.0.CELoss.epsilon", "null"), ("Loss.Train.0.CELoss.epsilon", "0.1"), ("Global.iter_per_epoch", "null"),
    ],
)  # fmt: skip
def test_cfg130_near_miss(tmp_path: Path, key: str, text: str) -> None:
    project = with_text(tmp_path, key, text)
    assert not project.findings("CFG130") and not project.findings("CFG131") and not project.findings("CFG132")


def test_cfg130_near_miss_a_boolean_counts_as_one(tmp_path: Path) -> None:
    assert with_text(tmp_path, "Global.epochs", "true").finding("CFG130").severity == "warning"


def test_cfg130_near_miss_what_this_run_does_not_read(tmp_path: Path) -> None:
    assert not with_text(tmp_path, BATCH, "8.0").findings("CFG130", stage="eval")
    assert not with_text(tmp_path, LR, "abc").findings("CFG130", stage="export")
    project = Project(tmp_path, "modern", {"Global.eval_during_train": False, "DataLoader.Eval.sampler.batch_size": 8.0})
    assert not project.findings("CFG130")
    project = Project(
        tmp_path, "modern", {"DataLoader.Train.sampler": {"name": "PKSampler", "batch_size": 2, "drop_last": 0, "shuffle": 0}}
    )
    assert not project.findings("CFG130")


def test_cfg130_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG130", stage="export") == "sections-other-stage"


@given(st.integers(-(10**6), 10**6), st.sampled_from(["{}", "{}.0", " {} ", '"{}"', "[{}]"]))
def test_a_whole_number_is_read_from_any_wrapping(number: int, form: str) -> None:
    assert meant_value(form.format(number), "int") == number


@given(st.text(max_size=30), st.sampled_from(["int", "int float", "bool", "text"]))
def test_a_guess_is_of_the_kind_asked_for_or_none(text: str, takes: str) -> None:
    meant = meant_value(text, takes)
    kinds = {"int": (int,), "int float": (int, float), "bool": (bool,), "text": ()}[takes]
    assert meant is None or type(meant) in kinds


# CFG131 number-out-of-range


@pytest.mark.parametrize(
    ("key", "value", "severity", "words"),
    [
        (WORKERS, -1, "error", "num_workers should be a non-negative value"), (BATCH, 0, "error", "batch_size should be"), (BATCH, -8, "error", "-8"),
        ("Arch.class_num", 0, "error", "1"), ("Arch.class_num", -5, "error", "-5"), ("Global.seed", -1, "error", "-1"),
        ("Global.seed", 2**32, "error", "largest"), ("Optimizer.momentum", 9, "warning", "9"),
        ("Global.iter_per_epoch", -1, "error", "nothing is trained"),
    ],
)  # fmt: skip
def test_cfg131_positive(tmp_path: Path, key: str, value: Any, severity: str, words: str) -> None:
    project = Project(tmp_path, "modern", {key: value})
    finding = project.finding("CFG131", shows=(key,))
    assert (finding.severity, finding.entry) == (severity, "5.1")
    assert words in finding.message
    assert (finding.location.line, finding.location.column) == project.place(f"{key.rpartition('.')[2]}: ^{value}")
    if [fix for fix in finding.fixes if fix.kind == "edit"]:
        project.assert_repaired_by(finding)


def test_cfg131_positive_legacy_class_number(tmp_path: Path) -> None:
    assert Project(tmp_path, "legacy", {"classes_num": 1}, train="a 0\n", val="a 0\n").finding("CFG131", shows=(1, 2)).severity == "error"


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg131_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG131")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (WORKERS, 0),
        ("Global.seed", 0),
        ("Global.seed", 2**32 - 1),
        ("Global.eval_interval", -1),
        ("Global.save_interval", -1),
        (LR, 0),
        ("Global.epochs", 1),
    ],
)
def test_cfg131_near_miss(tmp_path: Path, key: str, value: Any) -> None:
    assert passes(Project(tmp_path, "modern", {key: value}), "CFG131")


def test_cfg131_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG131", stage="infer") == "sections-other-stage"


# CFG132 text-that-is-always-true


@pytest.mark.parametrize(
    ("key", "text"),
    [("Global.eval_during_train", '"false"'), ("AMP.use_amp", '"no"'), (SHARED, "'off'"), ("DataLoader.Train.dataset.relabel", '"false"'),
     ("Global.use_dali", "'false'"), ("DataLoader.Train.dataset.transform_ops.0.DecodeImage.to_rgb", '"False"')],
)  # fmt: skip
def test_cfg132_positive(tmp_path: Path, key: str, text: str) -> None:
    project = with_text(tmp_path, key, text)
    finding = project.finding("CFG132", shows=(key, text.strip("\"'")))
    assert (finding.severity, finding.entry) == ("error", "5.2")
    assert finding.fixes[0].value is False
    project.assert_repaired_by(finding)


def test_cfg132_positive_override(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG132", "Global.epochs=2", "AMP.use_amp=false", shows=("AMP.use_amp=false",))
    assert (finding.location.file, finding.location.line) == ("-o", 2)


def test_cfg132_positive_softmax_at_export_only(tmp_path: Path) -> None:
    project = with_text(tmp_path, "Arch.infer_add_softmax", '"false"')
    assert project.finding("CFG132", stage="export").severity == "warning"
    assert not project.findings("CFG132", stage="train")


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg132_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG132")


@pytest.mark.parametrize("text", ["false", "no", "off", '"False"', '"true"', '"yes"', "0", "null"])
def test_cfg132_near_miss(tmp_path: Path, text: str) -> None:
    assert passes(with_text(tmp_path, "Global.use_visualdl", text), "CFG132")


def test_cfg132_near_miss_a_folder_called_no(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.output_dir": "no"}), "CFG132")


def test_cfg132_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save("PreProcess:\n  transform_ops: []\n")
    assert reason(project, "CFG132") == "sections-other-stage"


# CFG133 word-taken-for-path


@pytest.mark.parametrize(
    ("key", "text", "looked_for"),
    [
        ("Global.pretrained_model", '""', ".pdparams"),
        ("Global.pretrained_model", '"null"', "null.pdparams"),
        ("Global.pretrained_model", "none", "none.pdparams"),
        ("Global.pretrained_model", "nan", "nan.pdparams"),
        ("Global.checkpoints", '"null"', "null.pdparams"), ("Global.checkpoints", "none", "none.pdparams"),
        ("Arch.pretrained", '"false"', "false.pdparams"), ("Arch.pretrained", '""', ".pdparams"), ("Arch.pretrained", "none", "none.pdparams"),
        ("Arch.pretrained", "null", "not available"), ("Arch.pretrained", "0", "not available"),
    ],
)  # fmt: skip
def test_cfg133_positive(tmp_path: Path, key: str, text: str, looked_for: str) -> None:
    project = with_text(tmp_path, key, text)
    finding = project.finding("CFG133", shows=(key, looked_for))
    assert (finding.severity, finding.entry) == ("error", "weights.path-missing")
    project.assert_repaired_by(finding)


def test_cfg133_positive_override(tmp_path: Path) -> None:
    for option in ("Global.pretrained_model=null", "Global.pretrained_model=", "Arch.pretrained=true"):
        finding = Project(tmp_path, "modern").finding("CFG133", option)
        assert (finding.location.file, finding.location.line) == ("-o", 1)


def test_cfg133_negative(tmp_path: Path) -> None:
    for stage in ("train", "eval", "infer", "export"):
        assert passes(Project(tmp_path, "modern"), "CFG133", stage=stage)


@pytest.mark.parametrize(
    ("key", "text"),
    [("Global.pretrained_model", '"None"'), ("Global.pretrained_model", "~"), ("Global.pretrained_model", "Null"), ("Global.checkpoints", '""'),
     ("Global.pretrained_model", "./none/model"), ("Arch.pretrained", "no"), ("Arch.pretrained", '"True"')],
)  # fmt: skip
def test_cfg133_near_miss(tmp_path: Path, key: str, text: str) -> None:
    assert passes(with_text(tmp_path, key, text), "CFG133")


def test_cfg133_near_miss_checkpoints_outside_training(tmp_path: Path) -> None:
    assert passes(with_text(tmp_path, "Global.checkpoints", "none"), "CFG133", stage="eval")


def test_cfg133_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG133") == "sections-modern"  # "" means none there


# CFG134 value-not-allowed


@pytest.mark.parametrize(
    ("key", "text", "meant"),
    [("Global.device", "cuda", "gpu"), ("Global.device", "GPU", "gpu"), ("Global.device", "gpu:0", "gpu"), ("Global.device", "cuda:1", "gpu"),
     ("Global.device", "CPU", "cpu"), ("Global.device", '""', None), ("Global.device", "1", None), ("Global.device", "ascend310", "ascend"),
     ("Global.eval_mode", "null", None), ("Global.train_mode", "1", None)],
)  # fmt: skip
def test_cfg134_positive(tmp_path: Path, key: str, text: str, meant: str | None) -> None:
    project = with_text(tmp_path, key, text)
    finding = project.finding("CFG134", shows=(key,))
    assert (finding.severity, finding.entry) == ("error", "5.1")
    assert [fix.value for fix in finding.fixes] == ([meant] if meant else [])


def test_cfg134_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG134")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("Global.device", "'gpu'"),
        ("Global.device", "intel_gpu"),
        ("Global.device", "cpu "),
        ("Global.train_mode", "null"),
        ("Global.train_mode", "None"),
    ],
)
def test_cfg134_near_miss(tmp_path: Path, key: str, text: str) -> None:
    assert passes(with_text(tmp_path, key, text), "CFG134")


def test_cfg134_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG134") == "sections-modern"
