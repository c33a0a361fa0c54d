"""WTS: the weights that the config or the command line names."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checks.facts.weight_files import TORCH
from checks.tensors.harm import does_harm
from checks.tensors.read import read_contents
from tests.projects import REMOVED, WEIGHTS, Project, found, passes, reason
from tests.weights import SMALL, saved
from tests.weights_corpus import Hostile, harmless, hostile, lod_tensor

KEY = "Global.pretrained_model"


def project(folder: Path, value: Any = None, **changes: Any) -> Project:
    made = Project(folder, "modern", {KEY: value, "Arch.name": SMALL, **{key.replace("__", "."): v for key, v in changes.items()}})
    made.write("output/best_model.pdparams", saved(SMALL, 3))
    made.write("output/latest.pdparams", saved(SMALL, 3))
    return made


# WTS101 weights-not-given


@pytest.mark.parametrize("stage", ["eval", "infer", "export"])
def test_wts101_positive_no_weights(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path)
    finding = made.finding("WTS101", stage=stage, shows=(KEY, stage))
    assert (finding.severity, finding.entry) == ("error", "1.1")
    assert (finding.location.line, finding.location.column) == made.place("pretrained_model: ^null")
    assert made.assert_repaired_by(finding, stage=stage) == ["./output/best_model"]


def test_wts101_positive_checkpoints_are_not_weights(tmp_path: Path) -> None:
    made = project(tmp_path, Global__checkpoints="./output/latest")
    finding = made.finding("WTS101", stage="eval", shows=("./output/latest",))
    assert finding.location.key == "Global.checkpoints"
    assert made.assert_repaired_by(finding, stage="eval") == ["./output/latest"]


def test_wts101_positive_legacy_and_its_empty_text(tmp_path: Path) -> None:
    finding = Project(tmp_path, "legacy").finding("WTS101", stage="eval", shows=("pretrained_model",))
    assert finding.location.key == "pretrained_model"


def test_wts101_positive_only_the_teacher_has_weights(tmp_path: Path) -> None:
    models = [{"Teacher": {"name": "ResNet50", "class_num": 3, "pretrained": True}}, {"Student": {"name": "ResNet50", "class_num": 3}}]
    arch = {"name": "DistillationModel", "models": models, "infer_model_name": "Student"}
    made = project(tmp_path, Arch=arch)
    assert made.finding("WTS101", stage="export").severity == "error"
    assert passes(made, "WTS101", stage="eval")
    models[1]["Student"]["pretrained"] = True
    made.set("Arch", arch)
    made.save()
    assert passes(made, "WTS101", stage="export")


@pytest.mark.parametrize("value", ["./output/best_model", "nowhere", "http://host/a.pdparams", ""])
def test_wts101_negative_something_is_named(tmp_path: Path, value: str) -> None:
    assert passes(project(tmp_path, value), "WTS101", stage="eval")


def test_wts101_near_miss_arch_or_option_or_absent(tmp_path: Path) -> None:
    assert passes(project(tmp_path, Arch__pretrained=True), "WTS101", stage="eval")
    assert passes(project(tmp_path), "WTS101", stage="eval", weights="output/best_model.pdparams")
    made = project(tmp_path)
    made.set(KEY, REMOVED)
    made.save()
    assert passes(made, "WTS101", stage="eval")  # a KeyError of its own


def test_wts101_skipped(tmp_path: Path) -> None:
    assert not [c for c in project(tmp_path).check().report.checks if c.code == "WTS101" and c.status == "failed"]
    assert reason(Project(tmp_path, "legacy"), "WTS101", stage="infer") == "weights-by-option"
    made = Project(tmp_path, "modern")
    made.save("PreProcess: {}\nGlobal: {infer_imgs: a}\n")
    assert reason(made, "WTS101", stage="infer") == "no-weights-in-config"


# WTS102 weights-leave-a-part-random


def test_wts102_positive_published_weights_under_an_own_head(tmp_path: Path) -> None:
    made = project(tmp_path, Arch__pretrained=True)
    finding = made.finding("WTS102", stage="export", shows=("1000", "3"))
    assert finding.severity == "error"
    assert (finding.location.line, finding.location.column) == made.place("pretrained: ^true", after="Arch:")


def test_wts102_positive_a_students_file_in_a_distillation(tmp_path: Path) -> None:
    arch = {"name": "DistillationModel", "models": [{"Student": {"name": "NobodysNet", "class_num": 3}}], "infer_model_name": "Student"}
    made = project(tmp_path, "output/best_model_student", Arch=arch)
    made.write("output/best_model_student.pdparams", WEIGHTS)
    assert made.finding("WTS102", stage="eval", shows=("output/best_model_student",)).severity == "warning"
    # of a network whose tensors are known the file itself tells
    arch["models"] = [{"Student": {"name": SMALL, "class_num": 3}}]
    made = project(tmp_path, "output/best_model_student", Arch=arch)
    made.write("output/best_model_student.pdparams", saved(SMALL, 3))
    assert [f.code for f in made.check(stage="eval").report.findings if f.code.startswith("WTS")] == ["WTS109"]


def test_wts102_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, Arch__pretrained=True, class_num=1000), "WTS102", stage="export")
    assert passes(project(tmp_path, "./output/best_model", Arch__pretrained=True), "WTS102", stage="export")


def test_wts102_near_miss_other_weights_and_plain_student(tmp_path: Path) -> None:
    assert passes(project(tmp_path, Arch__pretrained=True, Arch__use_imagenet22k_pretrained=True), "WTS102", stage="export")
    assert passes(project(tmp_path, Arch__pretrained=True, Arch__name="NobodysNet"), "WTS102", stage="export")
    made = project(tmp_path, "output/best_model_student")
    made.write("output/best_model_student.pdparams", WEIGHTS)
    assert passes(made, "WTS102", stage="eval")


def test_wts102_skipped_for_legacy(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "WTS102", stage="eval") == "no-weights-in-config"


# WTS103 weights-not-found


@pytest.mark.parametrize("stage", ["train", "eval", "infer", "export"])
def test_wts103_positive_missing_with_what_could_be_meant(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, "output/bestmodel")
    finding = made.finding("WTS103", stage=stage, shows=(KEY, str(tmp_path / "output" / "bestmodel.pdparams")))
    assert (finding.severity, finding.entry) == ("error", "weights.path-missing")
    assert (finding.location.line, finding.location.column) == made.place("pretrained_model: ^output")
    assert made.assert_repaired_by(finding, stage=stage) == ["output/best_model"]


@pytest.mark.parametrize(
    ("value", "shows"),
    [
        ("output", "output"),
        ("output/", "output"),
        ("output/best_model ", "blank"),
        ("~/best_model", "~"),
        ("output\\best_model", "backslash"),
        ("model.onnx", "model.onnx"),
    ],
)
def test_wts103_positive_each_kind(tmp_path: Path, value: Any, shows: str) -> None:
    made = project(tmp_path, value)
    made.write("model.onnx", "x")
    finding = made.findings("WTS103")[0]
    assert finding.severity == "error"
    assert shows in finding.message


def test_wts103_positive_an_override_is_blamed(tmp_path: Path) -> None:
    finding = project(tmp_path).finding("WTS103", f"{KEY}=output/lastest", stage="eval")
    assert (finding.location.file, finding.location.line) == ("-o", 1)
    assert finding.evidence["similar"][0] == "output/latest"


def test_wts103_positive_a_part_of_the_arch(tmp_path: Path) -> None:
    finding = project(tmp_path, Arch__pretrained="nowhere/w").finding("WTS103", shows=("Arch.pretrained",))
    assert finding.location.key == "Arch.pretrained"


def test_wts103_positive_the_suffix_is_only_noted(tmp_path: Path) -> None:
    made = project(tmp_path, "output/best_model.pdparams")
    finding = made.finding("WTS103", stage="eval", shows=("2.5.1", "output/best_model.pdparams"))
    assert finding.severity == "info"
    assert made.assert_repaired_by(finding, stage="eval") == ["output/best_model"]


def test_wts103_positive_an_empty_text_of_a_part(tmp_path: Path) -> None:
    assert ".pdparams" in project(tmp_path, Arch__pretrained="").finding("WTS103").message


def test_wts103_near_miss_what_other_rules_say(tmp_path: Path) -> None:
    for value in ("", True, ["output/best_model"]):
        assert passes(project(tmp_path, value), "WTS103")


def test_wts103_positive_started_in_another_folder(tmp_path: Path) -> None:
    made = project(tmp_path, "output/best_model")
    (tmp_path / "elsewhere" / "data").mkdir(parents=True)
    finding = made.findings("WTS103", stage="eval", root="elsewhere")[0]
    assert finding.evidence["elsewhere"] == str(tmp_path)


def test_wts103_positive_the_option(tmp_path: Path) -> None:
    finding = project(tmp_path).finding("WTS103", stage="eval", weights="output/best.pdparams")
    assert finding.location.file == "output/best.pdparams"
    assert "--weights" in (finding.fixes[0].snippet or "")


@pytest.mark.parametrize("value", [None, "None", "./output/best_model", "http://host/m.pdparams", "https://host/m"])
def test_wts103_negative(tmp_path: Path, value: str | None) -> None:
    assert not found(project(tmp_path, value).check(), "WTS103")


def test_wts103_near_miss_folder_and_file_of_one_name(tmp_path: Path) -> None:
    made = project(tmp_path, "output/best_model")
    (tmp_path / "output" / "best_model").mkdir()
    assert passes(made, "WTS103")
    legacy = Project(tmp_path, "legacy", {"pretrained_model": "static", "load_static_weights": True})
    (tmp_path / "static").mkdir()
    assert passes(legacy, "WTS103")
    assert passes(Project(tmp_path, "legacy", {"pretrained_model": ""}), "WTS103")


def test_wts103_skipped(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "WTS103") == "no-weights-named"
    assert reason(Project(tmp_path, "legacy", {"pretrained_model": "x"}), "WTS103", stage="export") == "weights-by-option"


# WTS104 weights-file-broken

SAFE = b"\x44" + bytes(7) + b'{"fc.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   ' + bytes(24)
ARCHIVE = b"PK\x03\x04" + bytes(60)
WHOLE = pickle.dumps({"fc.weight": bytes(300_000)}, protocol=4)


@pytest.mark.parametrize(
    ("content", "case"),
    [
        (b"", "0 bytes"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n", "Git LFS"),
        (ARCHIVE, "archive"),
        (bytes(257) + b"ustar" + bytes(250), "archive"),
        (WHOLE[:200_000], "ends in the middle"),
        (bytes(range(130, 200)) * 9, "begins with"),
        (TORCH + pickle.dumps(1001, 2), "PyTorch"),
        (SAFE, "safetensors"),
        (lod_tensor(np.ones((2, 3), "<f4")) * 2, "exported"),
        ((lod_tensor(np.ones((2, 3), "<f4")) * 2)[:-5], "exported"),
        (pickle.dumps(np.ones(3)), "no mapping"),
        (pickle.dumps([np.ones(3)]), "no mapping"),
        (pickle.dumps({"a": np.ones(300)}, 4).replace(b"\x8e", b"\x8f", 1).replace(b"B\x60\x09", b"B\x58\x09", 1), "damaged"),
    ],
)
def test_wts104_positive_each_kind(tmp_path: Path, content: bytes, case: str) -> None:
    made = project(tmp_path, "w/bad")
    made.write("w/bad.pdparams", content)
    finding = made.finding("WTS104", stage="eval", shows=(str(tmp_path / "w" / "bad.pdparams"),))
    assert finding.severity == "error"
    assert case in finding.message
    assert finding.location.key == KEY


@pytest.mark.parametrize("content", [WEIGHTS, WHOLE, WHOLE + b"behind the end", pickle.dumps({}, 2), pickle.dumps({}, 0)])
def test_wts104_negative(tmp_path: Path, content: bytes) -> None:
    made = project(tmp_path, "w/good")
    made.write("w/good.pdparams", content)
    assert passes(made, "WTS104", stage="eval")


def test_wts104_near_miss_nothing_is_unpickled(tmp_path: Path) -> None:
    made = project(tmp_path, "w/evil")
    made.write("w/evil.pdparams", b"\x80\x04cos\nmkdir\n(X\x05\x00\x00\x00PWNEDtR")
    assert made.finding("WTS104").severity == "error"
    assert not os.path.exists(tmp_path / "PWNED") and not os.path.exists("PWNED")


def test_wts104_skipped(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "WTS104") == "no-weights-named"
    assert reason(project(tmp_path, "nowhere"), "WTS104") == "no-weights-found"


# WTS105 weights-run-code

ARRAYS = {"fc.weight": np.ones((2, 3), "f4")}
EVIL = b"\x80\x04cos\nsystem\n(X\x0b\x00\x00\x00touch PWNEDtR."


@pytest.mark.parametrize("stage", ["train", "eval", "infer", "export"])
def test_wts105_positive_a_command(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, "w/evil")
    made.write("w/evil.pdparams", EVIL)
    finding = made.finding("WTS105", stage=stage, shows=(str(tmp_path / "w" / "evil.pdparams"), "os.system('touch PWNED')"))
    assert (finding.severity, finding.entry) == ("error", "weights.runs-code")
    assert finding.location.key == KEY
    assert not (tmp_path / "PWNED").exists() and not os.path.exists("PWNED")


@pytest.mark.parametrize("sample", [s for s in hostile() if s.calls], ids=lambda sample: sample.name)
def test_wts105_positive_every_hostile_sample(tmp_path: Path, sample: Hostile) -> None:
    contents = read_contents(str(_written(tmp_path, sample.content)))
    harmful = any(does_harm(call) for call in contents.calls)
    assert harmful == (sample.name != "way-append-to-foreign")  # a deque: odd, and harmless


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "w.pdparams"
    path.write_bytes(content)
    return path


def test_wts105_positive_beside_a_checkpoint(tmp_path: Path) -> None:
    made = project(tmp_path, Global__checkpoints="w/latest")
    made.write("w/latest.pdparams", pickle.dumps(ARRAYS))
    made.write("w/latest.pdstates", EVIL)
    finding = made.finding("WTS105", shows=(str(tmp_path / "w" / "latest.pdstates"),))
    assert finding.location.key == "Global.checkpoints"


def test_wts105_positive_an_object_of_another_package_is_a_warning(tmp_path: Path) -> None:
    made = project(tmp_path, "w/own")
    made.write("w/own.pdparams", b"\x80\x02cppcls.utils.config\nAttrDict\n)\x81.")
    assert made.finding("WTS105", shows=("ppcls.utils.config.AttrDict",)).severity == "warning"


def test_wts105_positive_what_was_not_followed_to_its_end(tmp_path: Path) -> None:
    made = project(tmp_path, "w/long")
    made.write("w/long.pdparams", b"\x80\x02" + b"N0" * 600_000 + EVIL[2:])
    finding = made.finding("WTS105", shows=(str(tmp_path / "w" / "long.pdparams"),))
    assert (finding.severity, "first" in finding.evidence) == ("warning", False)


@pytest.mark.parametrize("protocol", range(6))
def test_wts105_negative(tmp_path: Path, protocol: int) -> None:
    made = project(tmp_path, "w/good")
    made.write("w/good.pdparams", pickle.dumps({**ARRAYS, "epoch": 3}, protocol))
    assert passes(made, "WTS105", stage="eval")


def test_wts105_near_miss_what_is_not_loaded_or_only_looks_bad(tmp_path: Path) -> None:
    made = project(tmp_path, "w/good", Global__checkpoints="w/latest")
    made.write("w/latest.pdparams", EVIL)
    for sample in harmless():
        if isinstance(sample.content, bytes):
            made.write("w/good.pdparams", sample.content)
            assert passes(made, "WTS105", stage="eval")
    assert [f.location.key for f in made.findings("WTS105", stage="train")] == ["Global.checkpoints"]
    made.write("w/good.pdparams", "<html>")
    assert passes(made, "WTS105", stage="eval")


def test_wts105_skipped(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "WTS105") == "no-weights-named"
    assert reason(project(tmp_path, "nowhere"), "WTS105") == "no-weights-found"
