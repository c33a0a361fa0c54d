"""CFG: what the config itself says.

Each rule has tests of four kinds, told by their names: `positive` (the fault is there), `negative` (it is not), `near_miss` (something that
looks like it and is fine) and `skipped` (nothing can be said, and the report says why).
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from checks.registry import Registry
from doctor.suppression import unused_suppression
from tests.projects import CONFIG, REMOVED, Generation, Project, found, numbered, passes, reason, status
from tests.weights import SMALL, saved

BOTH: list[Generation] = ["modern", "legacy"]
KINDS = ("positive", "negative", "near_miss", "skipped")


def test_every_rule_has_tests_of_the_four_kinds() -> None:
    names: list[str] = []
    for file in sorted(Path(__file__).parent.glob("test_*_rules.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names += [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    tested = {match.groups() for name in names if (match := re.match(r"test_([a-z]{3}\d{3})_(positive|negative|near_miss|skipped)", name))}
    codes = [*Registry.discover(plugins=False).checks, unused_suppression.code]
    assert {(code.lower(), kind) for code in codes for kind in KINDS} == tested


@pytest.mark.parametrize("stage", ["train", "eval", "export", "infer"])
@pytest.mark.parametrize("generation", BOTH)
def test_a_project_without_a_fault_has_no_finding(tmp_path: Path, generation: Generation, stage: str) -> None:
    project = Project(tmp_path, generation, {"Arch.name" if generation == "modern" else "ARCHITECTURE.name": SMALL})
    project.write("good.pdparams", saved(SMALL, 3, branch="develop" if generation == "modern" else "2.1"))
    run = project.check(stage=stage, **({} if stage == "train" else {"weights": "good.pdparams"}))  # all but a training need weights
    assert run.report.findings == []
    assert run.exit == 0
    assert {check.status for check in run.report.checks} <= {"passed", "skipped"}
    skipped = {check.code for check in run.report.checks if check.status == "skipped"}
    assert not skipped & {"CFG101", "CFG105", "IMG101", "LAB102", "LAB107", "LAB111"}


# CFG101 unknown-config-key


@pytest.mark.parametrize("generation", BOTH)
def test_cfg101_positive_misspelt_key(tmp_path: Path, generation: Generation) -> None:
    epochs, epoch = {"modern": ("Global.epochs", "Global.epoch"), "legacy": ("epochs", "epoch")}[generation]
    project = Project(tmp_path, generation, {epoch: 2})
    finding = project.finding("CFG101", shows=(epoch, epochs))
    assert finding.severity == "warning"
    assert finding.entry == "5.2"
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("^epoch: 2"), epoch)
    assert finding.evidence == {"key": epoch, "suggestion": epochs}
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]
    assert epochs in finding.fixes[0].title


def test_cfg101_positive_a_whole_block_is_reported_once(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"DataLoader.Trian": {"dataset": {"name": "ImageNetDataset"}, "sampler": {"batch_size": 1}}})
    finding = project.finding("CFG101", shows=("DataLoader.Trian", "DataLoader.Train"))
    assert (finding.location.line, finding.location.column) == project.place("^Trian:")


def test_cfg101_positive_nothing_like_it(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.zzqqxx": 1})
    finding = project.finding("CFG101", shows=("Global.zzqqxx",))
    assert finding.severity == "info"
    assert finding.fixes == []
    assert "suggestion" not in finding.evidence


@pytest.mark.parametrize("generation", BOTH)
def test_cfg101_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG101")


def test_cfg101_near_miss_keys_that_exist_elsewhere_or_are_free(tmp_path: Path) -> None:
    changes = {
        "Arch.models": [{"Student": {"name": "ResNet50", "class_num": 3}}],  # a sub-model's name is free
        "AMP": {"use_amp": False, "scale_loss": 128.0},  # an optional section
        "DataLoader.Train.dataset.delimiter": " ",  # 2.3 and later
        "Global.class_num": 3,  # deprecated, still read
    }
    assert passes(Project(tmp_path, "modern", changes), "CFG101")


def test_cfg101_near_miss_an_unknown_key_of_an_override_is_the_overrides(tmp_path: Path) -> None:
    run = Project(tmp_path, "modern").check("Global.epoch=3")
    assert status(run, "CFG101") == ("passed", None)
    assert status(run, "CFG102")[0] == "failed"


def test_cfg101_skipped_where_others_read_the_keys(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save("base_config_file: a.yaml\nsearch_dict:\n  - search_key: lrs\n    replace_config: [x]\n    whatever: 1\n")
    assert reason(project, "CFG101") == "no-vocabulary"


# CFG102 unknown-override-key


def test_cfg102_positive_the_faqs_own_example(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    option = "DataLoader.TRAIN.sampler.batch_size=512"
    finding = project.finding(
        "CFG102", "Global.epochs=3", option, shows=("DataLoader.TRAIN", "DataLoader.Train.sampler.batch_size", "TRAIN")
    )
    assert finding.severity == "error"
    assert finding.entry == "5.2"
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == ("-o", 2, None, "DataLoader.TRAIN.sampler.batch_size")
    assert finding.evidence == {
        "key": "DataLoader.TRAIN.sampler.batch_size",
        "unknown": "TRAIN",
        "suggestion": "DataLoader.Train.sampler.batch_size",
        "missing_parent": True,
    }
    assert finding.fixes[0].snippet == "-o DataLoader.Train.sampler.batch_size=512"
    again = project.check("Global.epochs=3", finding.fixes[0].snippet.removeprefix("-o "), ignore=("CFG203",))
    assert not found(again, "CFG102")


def test_cfg102_positive_legacy(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy").finding("CFG102", "TRIAN.batch_size=4", shows=("TRIAN.batch_size", "TRAIN.batch_size"))
    assert (finding.location.file, finding.location.line, finding.location.key) == ("-o", 1, "TRIAN.batch_size")
    assert finding.evidence["missing_parent"] is True


def test_cfg102_positive_blank_before_the_equals_sign(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG102", "Global.epochs = 2", shows=("Global.epochs",))
    assert finding.evidence["suggestion"] == "Global.epochs"
    assert finding.fixes[0].snippet == "-o Global.epochs=2"
    assert finding.evidence["missing_parent"] is False


def test_cfg102_positive_nothing_like_it(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG102", "Global.zzqqxx=1", shows=("Global.zzqqxx",))
    assert (finding.severity, finding.fixes) == ("warning", [])


@pytest.mark.parametrize("generation", BOTH)
def test_cfg102_negative(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    assert passes(project, "CFG102", f"{project.key('epochs')}=3", f"{project.key('train_batch')}=1")


def test_cfg102_near_miss_known_keys_that_the_file_lacks(tmp_path: Path) -> None:
    options = ("Global.use_dali=False", "AMP.scale_loss=128.0", "DataLoader.Train.dataset.transform_ops.1.RandCropImage.size=192")
    assert passes(Project(tmp_path, "modern"), "CFG102", *options)


def test_cfg102_near_miss_an_unknown_key_that_the_file_has_too(tmp_path: Path) -> None:
    run = Project(tmp_path, "modern", {"Global.my_note": "x"}).check("Global.my_note=y")
    assert status(run, "CFG102") == ("passed", None)  # the file's is reported, once


def test_cfg102_skipped_without_overrides(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG102") == "no-overrides"


def test_cfg102_skipped_where_others_read_the_keys(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save("base_config_file: a.yaml\nsearch_dict: []\n")
    assert reason(project, "CFG102", "search_dictt=1") == "no-vocabulary"


# CFG103 override-runs-code


@pytest.mark.parametrize("generation", BOTH)
def test_cfg103_positive(tmp_path: Path, generation: Generation) -> None:
    trace = tmp_path / "ran"
    value = f"open({str(trace)!r}, 'w')"
    project = Project(tmp_path, generation)
    key = project.key("train_list")
    finding = project.finding("CFG103", f"{project.key('epochs')}=2", f"{key}={value}", shows=(key, "open("))
    assert not trace.exists()
    assert (finding.severity, finding.entry) == ("error", "5.2")
    assert (finding.location.file, finding.location.line, finding.location.column, finding.location.key) == ("-o", 2, None, key)
    assert finding.evidence["key"] == key and finding.evidence["value"] == value
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


@pytest.mark.parametrize("value", ["5*64", "os", "input", "__import__('os').getcwd()", "max(1, 2)"])
def test_cfg103_positive_what_eval_would_run(tmp_path: Path, value: str) -> None:
    project = Project(tmp_path, "modern")
    finding = project.finding("CFG103", f"Global.output_dir={value}", shows=(value,))
    snippet = finding.fixes[0].snippet
    assert snippet is not None
    quoted = snippet.removeprefix("-o '").removesuffix("'")
    assert passes(project, "CFG103", quoted)
    run = project.check(f"Global.output_dir={value}")
    assert run.diagnosis.config.output_dir is not None
    assert run.diagnosis.config.output_dir.value == "./output/"  # left out


@pytest.mark.parametrize("generation", BOTH)
def test_cfg103_negative(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    assert passes(project, "CFG103", f"{project.key('epochs')}=3", f"{project.key('eval_list')}=./data/val_list.txt")


@pytest.mark.parametrize(
    "value", ["None", "[1, 5]", "1e-4", "-3", "true", "ResNet50", "my-model", "list.txt", "./a b/c", "'os'", "{'a': 1}"]
)
def test_cfg103_near_miss_values_that_are_no_code(tmp_path: Path, value: str) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG103", f"Global.output_dir={value}")


def test_cfg103_skipped_without_overrides(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG103") == "no-overrides"


# CFG104 override-rejected


@pytest.mark.parametrize(
    "option, key, shown",
    [
        ("Arch.class_num", None, "Arch.class_num"),
        ("Global.output_dir=a=b", "Global.output_dir", "a=b"),
        ("Global..epochs=2", "Global..epochs", "Global..epochs"),
        ("=2", None, "=2"),
        ("Global.image_shape.7=32", "Global.image_shape.7", "3"),
        ("DataLoader.Train.dataset.transform_ops.RandCropImage.size=32", "DataLoader.Train.dataset.transform_ops.RandCropImage.size", "3"),
        ("Arch.name.first=1", "Arch.name.first", "ResNet50"),
    ],
)
def test_cfg104_positive(tmp_path: Path, option: str, key: str | None, shown: str) -> None:
    finding = Project(tmp_path, "modern").finding("CFG104", "Global.epochs=2", option, shows=(option, shown))
    assert (finding.severity, finding.entry) == ("error", "5.2")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == ("-o", 2, None, key)
    assert finding.evidence["text"] == option


def test_cfg104_positive_legacy(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy").finding("CFG104", "TRAIN.batch_size", shows=("TRAIN.batch_size",))
    assert finding.location.file == "-o"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg104_negative(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    assert passes(project, "CFG104", f"{project.key('epochs')}=3")


def test_cfg104_near_miss_odd_options_that_are_applied(tmp_path: Path) -> None:
    options = ("Global.image_shape.-1=192", "Global.image_shape.0x1=192", "Global.output_dir=", "Global.output_dir=a b")
    assert passes(Project(tmp_path, "modern"), "CFG104", *options)


def test_cfg104_near_miss_code_is_told_once(tmp_path: Path) -> None:
    run = Project(tmp_path, "modern").check("Global.epochs=5*4")
    assert (status(run, "CFG103")[0], status(run, "CFG104")[0]) == ("failed", "passed")


def test_cfg104_skipped_without_overrides(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG104") == "no-overrides"


# CFG105 duplicate-yaml-key


@pytest.mark.parametrize("generation", BOTH)
def test_cfg105_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    key = project.key("epochs")
    project.save(project.text.replace("epochs: 2\n", "epochs: 2\n" + "  " * key.count(".") + "epochs: 7\n"))
    (first, _), second = project.place("^epochs: 2"), project.place("^epochs: 7")
    finding = project.finding("CFG105", shows=("epochs", first, second[0]))
    assert (finding.severity, finding.entry) == ("warning", "5.1")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *second, key)
    assert finding.evidence == {"key": "epochs", "first_line": first, "second_line": second[0]}
    assert str(first) in finding.fixes[0].title
    assert project.check().diagnosis.config.epochs.value == 7  # type: ignore[union-attr]


def test_cfg105_positive_a_block_inside_a_list(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(
        project.text.replace("- RandCropImage:\n", "- DecodeImage: {}\n        RandCropImage:\n          size: 1\n        RandCropImage:\n")
    )
    finding = project.finding("CFG105", shows=("RandCropImage",))
    assert finding.location.key == "DataLoader.Train.dataset.transform_ops.1.RandCropImage"


@pytest.mark.parametrize("generation", BOTH)
def test_cfg105_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG105")


def test_cfg105_near_miss_the_same_key_in_another_mapping_or_merged(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(
        project.text + "AMP: &amp\n  scale_loss: 128.0\n  use_amp: false\nEMA:\n  <<: *amp\n  use_amp: true\n# epochs: 1\n# epochs: 2\n"
    )
    assert passes(project, "CFG105")


def test_cfg105_skipped_never_a_file_that_can_be_read_can_be_judged(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    for text in ("search_dict: []\nsearch_dict: []\n", "a: 1\na: 2\n", "PreProcess: 1\nPreProcess: 2\n"):
        project.save(text)
        for stage in ("train", "eval", "export", "infer", "deploy"):
            assert status(project.check(stage=stage), "CFG105")[0] == "failed"


# CFG191 unused-suppression


def _suppressed(project: Project, comment: str) -> tuple[int, int]:
    project.save(project.text.replace("epochs: 2\n", f"epochs: 2  {comment}\n", 1))
    return project.place(f"epochs: 2  ^{comment}")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg191_positive(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation)
    line, _ = _suppressed(project, "# paddle-doctor: ignore[LAB102] labels are checked elsewhere")
    finding = project.finding("CFG191", shows=("LAB102", line))
    assert (finding.severity, finding.entry) == ("warning", "tool.suppressions")
    assert (finding.location.file, finding.location.line) == (CONFIG, line)
    assert finding.evidence == {"rules": ["LAB102"], "line": line}
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


def test_cfg191_positive_without_a_reason(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.class_num": 2})
    project.save(project.text.replace("class_num: 2\n", "class_num: 2  # paddle-doctor: ignore[LAB102]\n"))
    run = project.check()
    assert found(run, "LAB102"), "a suppression without a reason hides nothing"
    project.finding("CFG191", shows=("LAB102", project.place("class_num: ^2")[0]))


def test_cfg191_positive_of_a_rule_that_does_not_exist(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    line, _ = _suppressed(project, "# paddle-doctor: ignore[LAB999] no such thing")
    assert project.finding("CFG191", shows=("LAB999", line)).evidence["rules"] == ["LAB999"]


def test_cfg191_negative(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.class_num": 2})
    comment = "# paddle-doctor: ignore[LAB102, CFG202] two of them are merged later"
    project.save(project.text.replace("class_num: 2\n", f"class_num: 2  {comment}\n"))
    run = project.check()
    assert run.report.summary.suppressed == 1
    assert not found(run, "LAB102")
    assert passes(project, "CFG191")


def test_cfg191_near_miss_it_hides_what_stands_in_a_file_that_the_line_names(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", train=[*numbered(0, 1, 2, 2), ("x.png", -1)])
    comment = "# paddle-doctor: ignore[negative-label] -1 marks what is left out"
    line = "cls_label_path: ./data/train_list.txt"
    project.save(project.text.replace(line, f"{line}  {comment}"))
    run = project.check()
    assert not found(run, "LAB103")
    assert status(run, "CFG191") == ("passed", None)


def test_cfg191_skipped_where_its_rules_did_not_run(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    _suppressed(project, "# paddle-doctor: ignore[LAB102] labels are checked elsewhere")
    assert status(project.check(ignore=("LAB102",)), "CFG191") == ("passed", None)
    assert status(project.check(stage="export"), "CFG191") == ("passed", None)
    assert "CFG191" not in {check.code for check in project.check(ignore=("CFG191",)).report.checks}


# CFG201 topk-exceeds-class-num


def test_cfg201_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Metric.Eval.0.TopkAcc.topk": [1, 5]})
    finding = project.finding("CFG201", shows=("5", "3", "Metric.Eval"))
    assert (finding.severity, finding.entry) == ("warning", "metric.topk-exceeds-classes")
    at = finding.location
    # the list stands in block style, so it begins at its first dash
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("topk:\n      ^- 1\n      - 5"), "Metric.Eval.0.TopkAcc.topk")
    assert finding.evidence == {"split": "Eval", "topk": 5, "class_num": 3}
    assert project.assert_repaired_by(finding) == [[1]]


def test_cfg201_positive_in_both_splits_and_without_a_rest(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Metric.Eval.0.TopkAcc.topk": 5, "Metric.Train.0.TopkAcc.topk": [2, 4, 5]})
    evaluated, trained = project.findings("CFG201", shows=("Metric.Train", "Metric.Eval"))
    assert {f.location.key for f in (evaluated, trained)} == {"Metric.Train.0.TopkAcc.topk", "Metric.Eval.0.TopkAcc.topk"}
    evaluated, trained = sorted((evaluated, trained), key=lambda f: f.location.line or 0)
    assert project.assert_repaired_by(evaluated) == [[2]]
    assert project.assert_repaired_by(trained) == [[1]]
    assert found(project.check(stage="eval"), "CFG201")[0].evidence["split"] == "Eval"
    assert len(found(project.check(stage="eval"), "CFG201")) == 1  # tools/eval.py computes no training metric


def test_cfg201_positive_legacy(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy", {"topk": 5})
    finding = project.finding("CFG201", shows=("5", "3"))
    assert finding.severity == "error"
    assert (finding.location.line, finding.location.column, finding.location.key) == (*project.place("topk: ^5"), "topk")
    assert project.assert_repaired_by(finding) == [3]


def test_cfg201_positive_blamed_on_the_override(tmp_path: Path) -> None:
    finding = Project(tmp_path, "modern").finding("CFG201", "Metric.Eval.0.TopkAcc.topk=[1, 5]", shows=("5",))
    assert (finding.location.file, finding.location.line) == ("-o", 1)


@pytest.mark.parametrize("generation", BOTH)
def test_cfg201_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG201")
    assert passes(Project(tmp_path, generation), "CFG201", stage="eval")


@pytest.mark.parametrize("topk", [[10, 1], [3, 1], 3, [5]])
def test_cfg201_positive_the_first_value_chooses_the_best_model(tmp_path: Path, topk: Any) -> None:
    project = Project(tmp_path, "modern", {"topk": topk})
    finding = project.finding("CFG201", shows=("3",))
    assert finding.severity == "error"
    project.assert_repaired_by(finding)


@pytest.mark.parametrize("topk", [0, [1, 0], [1, -1], "[1, 2]", "1"])
@pytest.mark.parametrize("split", ["Train", "Eval"])
def test_cfg201_positive_no_number_of_places(tmp_path: Path, split: str, topk: Any) -> None:
    project = Project(tmp_path, "modern", {f"Metric.{split}.0.TopkAcc.topk": topk})
    finding = project.finding("CFG201", shows=(f"Metric.{split}",))
    assert (finding.severity, finding.location.key) == ("error", f"Metric.{split}.0.TopkAcc.topk")
    project.assert_repaired_by(finding)


def test_cfg201_near_miss_k_equal_to_the_number_of_classes(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "legacy", {"topk": 3}), "CFG201")
    assert passes(Project(tmp_path, "modern", {"topk": [1, 3]}), "CFG201")  # not the first, so nothing depends on it
    assert passes(Project(tmp_path, "modern", {"Metric.Train.0.TopkAcc.topk": [3, 1]}), "CFG201")
    assert passes(Project(tmp_path, "modern", {"topk": [3, 1]}), "CFG201", stage="eval")  # which chooses no model
    beside = [{"HammingDistance": None}, {"TopkAcc": {"topk": [3, 1]}}]
    assert passes(Project(tmp_path, "modern", {"Metric.Eval": beside}), "CFG201")


def test_cfg201_near_miss_the_post_process_cuts_its_k_itself(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Infer.PostProcess.topk": 10}), "CFG201")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg201_skipped(tmp_path: Path, generation: Generation) -> None:
    assert reason(Project(tmp_path, generation, {"class_num": REMOVED}), "CFG201") == "no-class-num"
    without = {"modern": "Metric", "legacy": "topk"}[generation]
    assert reason(Project(tmp_path, generation, {without: REMOVED}), "CFG201") == "no-topk"


# CFG202 label-map-size-mismatch

MAP_KEY = "Infer.PostProcess.class_id_map_file"


def test_cfg202_positive_an_id_without_a_name(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map="0 zero\n2 two\n")
    finding = project.finding("CFG202", stage="infer", shows=("data/label_map.txt", "2 ", "3", "1"))
    assert (finding.severity, finding.entry) == ("error", "infer.label-map-mismatch")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("class_id_map_file: ^data/label_map.txt"), MAP_KEY)
    expected = {"names": 2, "class_num": 3, "missing": [1], "file": "data/label_map.txt", "path": str(tmp_path / "data/label_map.txt")}
    assert finding.evidence == expected
    assert [(fix.kind, fix.safety) for fix in finding.fixes] == [("advice", "safe")]


def test_cfg202_positive_too_short_and_in_training_a_note(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map="0 zero\n")
    assert project.finding("CFG202", stage="infer", shows=("1, 2",)).evidence["missing"] == [1, 2]
    later = project.finding("CFG202", shows=("1, 2",))
    assert (later.severity, later.evidence["missing"]) == ("info", [1, 2])


def test_cfg202_positive_the_map_of_another_data_set(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map="".join(f"{k} name {k}\n" for k in range(1000)))
    finding = project.finding("CFG202", stage="infer", shows=("1000", "3"))
    assert (finding.severity, finding.evidence["names"], finding.evidence["missing"]) == ("warning", 1000, [])
    assert project.finding("CFG202", shows=("1000", "3")).severity == "info"


def test_cfg202_positive_missing(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map=None)
    path = str(tmp_path / "data/label_map.txt")
    finding = project.finding("CFG202", stage="infer", shows=("data/label_map.txt", path))
    assert finding.severity == "warning"
    assert (finding.location.line, finding.location.column) == project.place("class_id_map_file: ^data/label_map.txt")
    exported = Project(tmp_path, "modern", {"Global.export_for_fd": True}, label_map=None).finding("CFG202", stage="export", shows=(path,))
    assert exported.severity == "error"


def test_cfg202_positive_missing_in_a_deploy_config(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(
        "Global:\n  inference_model_dir: ./inference\n  infer_imgs: a.jpg\n"
        "PostProcess:\n  main_indicator: Topk\n  Topk:\n    topk: 5\n    class_id_map_file: nowhere.txt\n"
    )
    finding = project.finding("CFG202", stage="deploy", shows=("nowhere.txt",))
    assert (finding.severity, finding.location.key) == ("warning", "PostProcess.Topk.class_id_map_file")
    assert (finding.location.line, finding.location.column) == project.place("class_id_map_file: ^nowhere.txt")


def test_cfg202_positive_a_line_without_an_id(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map="0 zero\none 1\n2 two\n")
    finding = project.finding("CFG202", stage="infer", shows=("data/label_map.txt:2",))
    assert (finding.severity, finding.location.file, finding.location.line) == ("warning", "data/label_map.txt", 2)
    assert finding.evidence["line"] == 2


@pytest.mark.parametrize("stage", ["train", "infer", "export"])
def test_cfg202_negative(tmp_path: Path, stage: str) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG202", stage=stage)


def test_cfg202_near_miss_names_with_blanks_and_ids_in_any_order(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map="2 great white shark, man-eater\r\n0 tench\r\n1 gold fish\r\n")
    assert passes(project, "CFG202", stage="infer")


def test_cfg202_near_miss_a_missing_map_that_nothing_reads(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", label_map=None)
    assert passes(project, "CFG202", stage="train")
    assert passes(project, "CFG202", stage="export")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg202_skipped_without_a_map(tmp_path: Path, generation: Generation) -> None:
    changes = {MAP_KEY: None} if generation == "modern" else {}
    assert reason(Project(tmp_path, generation, changes), "CFG202", stage="infer") == "no-label-map"


def test_cfg202_skipped_without_a_class_count(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"class_num": REMOVED}), "CFG202", stage="infer") == "no-class-num"


# CFG203 batch-exceeds-dataset


@pytest.mark.parametrize("split, key", [("Train", "train_batch"), ("Eval", "eval_batch")])
def test_cfg203_positive_on_all_cards_together(tmp_path: Path, split: str, key: str) -> None:
    start = {"Global.device": "gpu", f"DataLoader.{split}.sampler.drop_last": True}
    project = Project(tmp_path, "modern", {**start, key: 4}, val=numbered(*[k % 3 for k in range(12)], split="val"))
    on_four = ("shm=1g", "cpus=64", "gpus=4")  # 12 samples, 3 for each card
    finding = project.finding("CFG203", assume=on_four, shows=(12, 4, 3))
    assert (finding.severity, finding.evidence["share"]) == ("warning", 3)
    assert project.assert_repaired_by(finding, assume=on_four) == [3, False]
    assert passes(project, "CFG203", assume=("shm=1g", "cpus=64", "gpus=3"))


def test_cfg203_positive(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_batch": 64}, train=numbered(0, 1, 2, 0, 1))
    finding = project.finding("CFG203", shows=("Train", "64", "5"))
    assert (finding.severity, finding.entry) == ("error", "5.1")
    at = finding.location
    assert (at.file, at.line, at.column, at.key) == (CONFIG, *project.place("batch_size: ^64"), project.key("train_batch"))
    assert finding.evidence == {"split": "Train", "batch_size": 64, "samples": 5}
    assert project.assert_repaired_by(finding) == [5, False]


def test_cfg203_positive_legacy_always_drops_the_last_batch_in_training(tmp_path: Path) -> None:
    project = Project(tmp_path, "legacy", {"train_batch": 64, "eval_batch": 64})
    finding = project.finding("CFG203", shows=("Train", "64", "12"))
    assert (finding.location.line, finding.location.column) == project.place("batch_size: ^64", after="TRAIN:")
    assert project.assert_repaired_by(finding) == [12]


def test_cfg203_positive_evaluation(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"eval_batch": 7, "DataLoader.Eval.sampler.drop_last": True})
    for stage in ("train", "eval"):
        finding = project.finding("CFG203", stage=stage, shows=("Eval", "7", "6"))
        assert (finding.location.line, finding.location.column) == project.place("batch_size: ^7", after="Eval:")
        project.assert_repaired_by(finding, stage=stage)


def test_cfg203_positive_bad_lines_are_no_samples(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"train_batch": 4}, train="a.png 0\nb.png 1\nc.png 2\nd.png\n")
    assert project.finding("CFG203").evidence["samples"] == 3


@pytest.mark.parametrize("generation", BOTH)
def test_cfg203_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG203")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg203_near_miss_exactly_one_batch(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation, {"train_batch": 12}), "CFG203")


def test_cfg203_near_miss_the_last_batch_is_kept(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"train_batch": 128, "DataLoader.Train.sampler.drop_last": False}
    assert passes(Project(tmp_path, "modern", changes), "CFG203")


def test_cfg203_near_miss_an_evaluation_that_is_not_run(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"eval_batch": 7, "DataLoader.Eval.sampler.drop_last": True, "Global.eval_during_train": False}
    project = Project(tmp_path, "modern", changes)
    assert passes(project, "CFG203")
    assert not passes(project, "CFG203", stage="eval")


@pytest.mark.parametrize("generation", BOTH)
def test_cfg203_skipped_where_the_samples_are_not_known(tmp_path: Path, generation: Generation) -> None:
    project = Project(tmp_path, generation, {"train_list": "nowhere.txt", "eval_list": "nowhere.txt"})
    assert reason(project, "CFG203") == "no-samples-known"


# CFG102 and CFG104: what was probably meant


@pytest.mark.parametrize(
    ("option", "snippet"),
    [
        ("Global.epochs:2", "-o Global.epochs=2"), ("Global.epochs＝2", "-o Global.epochs=2"), ("Global.epochs==2", "-o Global.epochs=2"),
        ("Global.epochs=2 Arch.class_num=3", "-o Global.epochs=2 -o Arch.class_num=3"),
        ("Global.epochs=2,Arch.class_num=3", "-o Global.epochs=2 -o Arch.class_num=3"),
        ("DataLoader.Train.dataset.transform_ops.RandCropImage.size=9", "-o DataLoader.Train.dataset.transform_ops.1.RandCropImage.size=9"),
    ],
)  # fmt: skip
def test_cfg104_positive_ways_out(tmp_path: Path, option: str, snippet: str) -> None:
    finding = Project(tmp_path, "modern").finding("CFG104", option)
    assert [fix.snippet for fix in finding.fixes] == [snippet]


@pytest.mark.parametrize("option", ["Global.output_dir=a=b", "Global.output_dir=x?a=1,b=2", "Global.epochs"])
def test_cfg104_positive_without_a_guess(tmp_path: Path, option: str) -> None:
    assert Project(tmp_path, "modern").finding("CFG104", option).fixes == []


@pytest.mark.parametrize("option", ["Global/epochs=2", 'Global["epochs"]=2', "Global[epochs]=2"])
def test_cfg102_positive_other_ways_to_write_a_path(tmp_path: Path, option: str) -> None:
    assert Project(tmp_path, "modern").finding("CFG102", option).fixes[0].snippet == "-o Global.epochs=2"


@pytest.mark.parametrize(("value", "severity"), [("5*64", "info"), ("1.0/255", "info"), ("max(1,2)", "error")])
def test_cfg103_positive_arithmetic_works(tmp_path: Path, value: str, severity: str) -> None:
    assert Project(tmp_path, "modern").finding("CFG103", f"Global.epochs={value}").severity == severity
