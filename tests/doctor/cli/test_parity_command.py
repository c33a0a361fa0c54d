"""`paddle-doctor parity` as a user starts it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, cast

import jsonschema
import msgspec
import pytest

from checks.facts import parity as parity_facts
from checks.facts.parity import Cause, Rung, Side, Trouble
from doctor.cli.schema import FOLDER
from doctor.reporters.json_report import schema
from doctor.reporters.parity_table import _Table
from knowledge.phrases_parity import PHRASES_PARITY
from tests.command import Caller, start
from tests.ladders import DEPLOY, deployed, images, ladder, lines
from tests.projects import CONFIG, measured

GOOD = lines(*[(n % 2, 0.9) for n in range(20)])
FLIPPED = lines(*[(1 - n % 2 if n < 4 else n % 2, 0.9) for n in range(20)])
SHORT = "PreProcess.transform_ops.0.ResizeImage.resize_short"
RESIZE = Cause("parameter", "resize", "resize_short", 256, 200, "Infer.transforms.1.ResizeImage.resize_short", SHORT)
BOTH = ("-c", CONFIG, "--deploy-config", DEPLOY)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    deployed(tmp_path)
    (tmp_path / "train.log").write_text(GOOD)
    (tmp_path / "deploy.log").write_text(FLIPPED)
    return tmp_path


def checked(text: str) -> Any:
    data = json.loads(text)
    jsonschema.validate(data, json.loads((Path(FOLDER) / "parity.schema.json").read_text(encoding="utf-8")))
    return data


def test_the_published_schema_is_that_of_the_records() -> None:
    assert json.loads((Path(FOLDER) / "parity.schema.json").read_text(encoding="utf-8")) == json.loads(json.dumps(schema("parity")))


def test_two_outputs_as_a_table(project: Path, call: Caller) -> None:
    said = call("parity", *BOTH, "--outputs", "train.log", "deploy.log")
    assert said.status == 1
    for part in ("20 results", "4 of 20 images", "5.7 to 43.7 %", "PAR112", "Kendall", "0.0001", "would have passed"):
        assert part in said.out, part
    assert all(len(line) <= 80 for line in said.out.splitlines() if not line.startswith("      "))
    chinese = call("parity", "--lang", "zh", *BOTH, "--outputs", "train.log", "deploy.log")
    assert "20 张中 4 张" in chinese.out
    assert not re.search(r"[a-z]{3,} (images|changed)", chinese.out)


def test_equal_outputs_pass_and_show_their_figures(project: Path, call: Caller) -> None:
    said = call("parity", *BOTH, "--outputs", "train.log", "train.log")
    assert said.status == 0
    assert "0 of 20 images" in said.out
    assert "0.0 to 16.8 %" in said.out


def test_two_outputs_as_json(project: Path, call: Caller) -> None:
    said = call("parity", *BOTH, "--outputs", "train.log", "deploy.log", "--format", "json")
    data = checked(said.out)
    assert (data["mode"], data["agreement"]["top1"], data["outputs"]["by"], data["precision"]) == ("outputs", 4, "path", "onednn")
    assert [finding["code"] for finding in data["findings"]] == ["PAR112"]
    assert said.out == call("parity", *BOTH, "--outputs", "train.log", "deploy.log", "--format", "json").out


def test_two_scripts(project: Path) -> None:
    (project / "infer.py").write_text(f"print({GOOD!r})")
    (project / "predict_cls.py").write_text("print('starting')\nraise ValueError('(InvalidArgument) Not find predictor_id 0')")
    said = start("parity", *BOTH, "--scripts", "infer.py", "cd . && python predict_cls.py", "--seconds", "30", cwd=project)
    assert said.status == 1
    assert "Traceback" not in said.out + said.err
    text = " ".join(said.out.split())
    assert "ended with exit 1 after 0 results: ValueError: (InvalidArgument) Not find predictor_id 0" in text
    assert "paddle-doctor rule EXP102" in text


def test_a_ladder_as_a_table(project: Path, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder(resized=(RESIZE,), images=images(flips=5, through="train_model")))
    said = call("parity", *BOTH)
    assert said.status == 1
    row = next(line for line in said.out.splitlines() if "◀" in line)
    assert row.startswith("  3 ✗ resized and cropped")
    assert "20 of 20 differ, 1.5" in row
    assert "40 of 40 tensors equal" in said.out
    assert f"{SHORT}: 256" in said.out
    assert "◀ 从这里开始不同" in call("parity", "--lang", "zh", *BOTH).out


def test_a_healthy_ladder_and_one_that_could_not_be_measured(project: Path, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder())
    said = call("parity", *BOTH)
    assert said.status == 0
    assert "◀" not in said.out
    parity = ladder()
    lost = tuple(
        Rung(rung.name, "unknown", trouble=Trouble("raised", {"error": "gone"})) if rung.name == "logits" else rung for rung in parity.rungs
    )
    measured(monkeypatch, ladder(rungs=lost))
    assert "logits: not measured (it stopped with “gone”)" in call("parity", *BOTH).out


def kinds() -> set[str]:
    """The kinds of trouble that the facts make, and those that the record's docstring names."""
    made = "".join(path.read_text(encoding="utf-8") for path in Path(parity_facts.__file__).parent.glob("parity*.py"))
    told = (Trouble.__doc__ or "").partition("Kinds of a side:")[2]
    fields = {"stage", "error", "seconds", "status", "output", "times", "model", "file"}
    return (
        {*re.findall(r'Trouble\("([\w-]+)"', made), *re.findall(r'"(no-\w+)"', made), *re.findall(r"`([\w-]+)`", told)}
        - fields
        - {"no-weights"}
    )


def test_every_trouble_has_a_sentence_in_both_languages() -> None:
    assert {"no-images", "other-input", "side", "unread", "garbled", "no-map"} <= kinds()
    for kind in kinds():
        english, chinese = PHRASES_PARITY[f"parity-trouble-{kind}"]
        assert " " in english and re.search("[\u4e00-\u9fff]", chinese), kind
        for lang in ("en", "zh"):
            values = {"side": "deploy", "kind": "raised"} if kind == "side" else {}
            assert kind != _Table(cast(Any, None), lang, 80).why(Trouble(kind, values))


def test_a_side_that_did_not_run_is_told_once(project: Path, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Trouble("side", {"side": "train", "kind": "raised", "stage": "ppcls", "error": "ImportError: ppcls"})
    parity = ladder(images=(), train=Side("python", trouble=Trouble("raised", gone.values)))
    none = tuple(Rung(rung.name, "unknown", trouble=gone) for rung in parity.rungs)
    measured(monkeypatch, msgspec.structs.replace(parity, rungs=none))
    said = " ".join(call("parity", *BOTH).out.split())
    assert said.count("the training side did not run: it stopped with “ImportError: ppcls”") == 1
    assert "decoded pixels" not in said
    assert "训练侧没有跑起来：报错“ImportError: ppcls”" in "".join(call("parity", "--lang", "zh", *BOTH).out.replace("\n", "").split("\n"))
    some = tuple(rung if rung.name == "bytes" else none[number] for number, rung in enumerate(parity.rungs))
    measured(monkeypatch, msgspec.structs.replace(parity, rungs=some))
    assert call("parity", *BOTH).out.count("not measured") == 1


def test_a_ladder_as_json_and_quiet(project: Path, call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, ladder(resized=(RESIZE,), images=images(flips=5, through="train_model")))
    data = checked(call("parity", *BOTH, "--format", "json").out)
    assert (data["first"], data["mode"], data["agreement"]["top1"]) == ("resized", "ladder", 5)
    quiet = call("parity", *BOTH, "-q")
    assert quiet.err == ""
    assert quiet.out.count("\n") == 1
    assert "PAR104" in quiet.out
    assert call("parity", *BOTH, "--fail-on", "never").status == 0


def test_requests_that_cannot_be_served(project: Path, call: Caller) -> None:
    call("parity", "-c", "no.yaml", "--outputs", "train.log", "deploy.log").refused("no.yaml")
    call("parity", "-c", CONFIG).refused("deploy")
    call("parity", *BOTH, "--outputs", "train.log").refused("--outputs")
    call("parity", *BOTH, "--limit", "0").refused("--limit")
    call("parity", *BOTH, "--picture", "").refused("--picture")
    call("parity", *BOTH, "--outputs", "a", "b", "--picture", "p.png").refused("--picture")
    call("parity", *BOTH, "--picture", "no/p.png").refused("no/p.png")
    (project / "theirs.png").write_bytes(b"mine")
    call("parity", *BOTH, "--picture", "theirs.png").refused("theirs.png", "--force")
    call("parity", "--lang", "zh", *BOTH, "--picture", "theirs.png").refused("已存在")


def test_help_in_both_languages(call: Caller) -> None:
    english, chinese = call("parity", "--help"), call("parity", "--lang", "zh", "--help")
    assert english.status == chinese.status == 0
    for option in ("--outputs", "--scripts", "--picture", "--deploy-config", "--python", "{images}"):
        assert option in english.out
        assert option in chinese.out
    assert "用法" in chinese.out
