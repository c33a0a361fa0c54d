"""What a user is told of every divergence that the real PaddleClas was given, and the command itself, from options to picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.command import start
from tests.projects import CONFIG, Project, measured
from tests.real.parity_lab import TRAIN, Lab, environ
from tests.real.test_parity import NAMES

BESIDE = {"PAR102", "PAR110"}
"""What this PaddlePaddle's predictor stops at, and that there are four images."""

CODES = {
    "class_num": "PAR105", "other weights": "PAR105", "no weights": "PAR105", "FP16": "PAR105",
    "label map shifted": "PAR109", "softmax twice": "PAR107", "softmax missing": "PAR107",
}  # fmt: skip
"""The rule of each divergence; all others are of the pre-processing."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, real_python: str) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("verdicts"), real_python)
    with made.crew:
        yield made


@pytest.mark.real
@pytest.mark.parametrize("name", list(NAMES))
def test_every_divergence_is_one_finding_of_its_rule(lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    parity = lab.run(**NAMES[name][0])
    measured(monkeypatch, parity)
    project = Project.__new__(Project)
    project.folder, project.generation, project.data, project.text = lab.folder, "modern", TRAIN, ""
    (lab.folder / CONFIG).write_text((lab.folder / "train.yaml").read_text())
    run = project.check(stage="infer", select=("PAR",), deploy_config="deploy.yaml", weights="best.pdparams", root=str(lab.folder))
    found = [finding for finding in run.report.findings if finding.code not in BESIDE]
    assert [finding.code for finding in found] == [CODES.get(name, "PAR104")], [finding.message for finding in found]
    assert found[0].fixes or name == "FP16"


@pytest.mark.real
def test_the_command_from_options_to_picture(lab: Lab) -> None:
    lab.run()  # writes both configs
    deploy = yaml.safe_load((lab.folder / "deploy.yaml").read_text())
    deploy["PreProcess"]["transform_ops"][0]["ResizeImage"]["resize_short"] = 64
    (lab.folder / "wrong.yaml").write_text(yaml.safe_dump(deploy))
    options = (
        "-c",
        "train.yaml",
        "--weights",
        "best",
        "--inference-model",
        "good",
        "--images",
        "images",
        "--python",
        lab.python,
        "--root",
        ".",
    )
    said = start(
        "parity",
        *options,
        "--deploy-config",
        "wrong.yaml",
        "--picture",
        "p.png",
        "--format",
        "json",
        cwd=lab.folder,
        env=environ(),
        timeout=300,
    )
    data = json.loads(said.out)
    assert (data["first"], data["picture"]) == ("resized", "p.png")
    (finding,) = [finding for finding in data["findings"] if finding["code"] == "PAR104"]
    (fix,) = finding["fixes"]
    assert (fix["file"], fix["key"], fix["value"]) == ("wrong.yaml", "PreProcess.transform_ops.0.ResizeImage.resize_short", 40)
    assert (lab.folder / "p.png").read_bytes().startswith(b"\x89PNG")
    deploy["PreProcess"]["transform_ops"][0]["ResizeImage"]["resize_short"] = fix["value"]
    (lab.folder / "wrong.yaml").write_text(yaml.safe_dump(deploy))
    healed = start("parity", *options, "--deploy-config", "wrong.yaml", "--format", "json", cwd=lab.folder, env=environ(), timeout=300)
    data = json.loads(healed.out)
    assert data["first"] is None
    assert data["agreement"]["top1"] == 0
    assert {finding["code"] for finding in data["findings"]} <= BESIDE


@pytest.mark.real
def test_without_paddlepaddle_the_command_says_so(lab: Lab, tmp_path: Path) -> None:
    lab.run()
    (tmp_path / "python").write_text("#!/bin/sh\nexec /bin/false\n")
    (tmp_path / "python").chmod(0o755)
    options = ("-c", "train.yaml", "--weights", "best", "--inference-model", "good", "--deploy-config", "deploy.yaml", "--images", "images")
    said = start("parity", *options, "--python", str(tmp_path / "python"), cwd=lab.folder, env=environ(), timeout=300)
    assert said.status == 1
    assert "PAR101" in said.out
    assert "Traceback" not in said.out + said.err
