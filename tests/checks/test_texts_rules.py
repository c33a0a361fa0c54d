"""CFG135 and CFG136: texts in a config that are not what they look like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import Generation, Project, passes, reason

# CFG135 path-not-expanded


@pytest.mark.parametrize("text", ["~/out", "~", "$HOME/out", "${WORK}/x", "/data/$USER"])
def test_cfg135_positive(tmp_path: Path, text: str) -> None:
    finding = Project(tmp_path, "modern", {"Global.output_dir": text}).finding("CFG135", shows=(text,))
    assert (finding.severity, finding.entry) == ("warning", "5.2")
    assert Project(tmp_path, "modern", {"Global.output_dir": ""}).finding("CFG135", shows=("2.5.1",)).severity == "warning"


def test_cfg135_negative(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern"), "CFG135")


@pytest.mark.parametrize("text", ["./a~b", "out~/x", "a$", "cost$5", "./output/~tmp"])
def test_cfg135_near_miss(tmp_path: Path, text: str) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.output_dir": text}), "CFG135")


def test_cfg135_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy"), "CFG135", stage="export") == "sections-other-stage"


# CFG136 invisible-character


def test_cfg136_positive_in_a_value_and_in_a_key(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Arch.name": "ResNet50\u200b", "Global.epochs\u00a0": 5})
    value, key = sorted(project.findings("CFG136"), key=lambda f: f.severity, reverse=True)
    assert (value.severity, value.location.key, value.fixes[0].value) == ("warning", "Arch.name", "ResNet50")
    assert "U+200B" in value.message
    assert key.severity == "error" and "U+00A0" in key.message
    assert not project.findings("CFG101")


def test_cfg136_positive_full_width_colon(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save(project.text.replace("seed: 1", "").replace("use_visualdl: false", "use_visualdl: false\n    device2：gpu"))
    assert "U+FF1A" in project.finding("CFG136").message


@pytest.mark.parametrize("generation", ["modern", "legacy"])
def test_cfg136_negative(tmp_path: Path, generation: Generation) -> None:
    assert passes(Project(tmp_path, generation), "CFG136")


def test_cfg136_near_miss_chinese_names(tmp_path: Path) -> None:
    assert passes(Project(tmp_path, "modern", {"Global.output_dir": "./输出/第１次"}), "CFG136")


def test_cfg136_skipped(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern")
    project.save("base_config_file: a.yaml\nsearch_dict:\n  - search_key: lrs\n    replace_config: [x]\n")
    assert reason(project, "CFG136") == "no-vocabulary"
