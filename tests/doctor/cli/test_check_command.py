from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.command import Caller, start, without_root_rights
from tests.projects import CONFIG, Project
from tests.standin import loader, write_paddle, write_ppcls

ASSUME = ("--assume", "shm=1g,cpus=4,gpus=0")


def test_healthy_and_faulty(call: Caller, tmp_path: Path) -> None:
    Project(tmp_path, "modern")
    said = call("check", "--config", CONFIG, *ASSUME)
    assert (said.status, said.err) == (0, "")
    assert "Nothing found." in said.out
    said = call("check", "--config", CONFIG, "-o", "Arch.class_num=2", *ASSUME)
    assert said.status == 1
    assert "LAB102" in said.out
    assert "-o #1" in said.out
    assert "\x1b" not in said.out


def test_json_is_all_there_is_on_stdout(tmp_path: Path) -> None:
    Project(tmp_path, "modern", {"class_num": 2})
    said = start("check", "--config", CONFIG, "--format", "json", *ASSUME, cwd=tmp_path)
    assert (said.status, said.err) == (1, "")
    assert [f["code"] for f in json.loads(said.out)["findings"] if f["severity"] == "error"] == ["LAB102"]
    location = json.loads(start("check", "-c", CONFIG, "--format", "json", "-o", "Arch.class_num=2", *ASSUME, cwd=tmp_path).out)[
        "findings"
    ][0]
    assert location["location"] == {"file": "-o", "line": 1, "column": None, "key": "Arch.class_num"}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, width: int) -> None:
    Project(tmp_path, "modern", {"class_num": 2, "topk": [1, 9], "Global.epoch": 3, "train_batch": 99}, val="a b.png 1\n")
    monkeypatch.setenv("COLUMNS", str(width))
    said = call("check", "--config", CONFIG, "--lang", lang, *ASSUME)
    lines = said.out.splitlines()
    wide = [line for line in lines if cell_len(line) > width and not line.startswith("      ")]
    assert not wide, wide
    assert re.match(r"\d+ errors|错误 \d+", lines[-1] if width > 100 else " ".join(lines[-3:]).split("\n")[-1].lstrip()) or any(
        re.match(r"\d+ error|错误 \d+", line) for line in lines[-3:]
    )


def test_the_caret_stands_under_the_culprit(call: Caller, tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"class_num": 2})
    made.save(made.text.replace("  class_num: 2", "  类别: 花\n  class_num: 2  # 两类"))
    lines = call("check", "--config", CONFIG, "--select", "LAB102", *ASSUME).out.splitlines()
    quoted = next(n for n, line in enumerate(lines) if "class_num: 2" in line and "│" in line)
    assert lines[quoted + 1].strip() == "^"
    assert lines[quoted + 1].index("^") == lines[quoted].index("2  # 两类")


def test_quiet_is_one_line_a_finding(call: Caller, tmp_path: Path) -> None:
    Project(tmp_path, "modern", {"class_num": 2})
    said = call("check", "--config", CONFIG, "--quiet", *ASSUME)
    assert said.out.count("\n") == 1
    assert re.match(rf"{CONFIG}:\d+:\d+: error LAB102 ", said.out)


def test_selecting_and_ignoring(call: Caller, tmp_path: Path) -> None:
    Project(tmp_path, "modern", {"class_num": 2})
    assert call("check", "-c", CONFIG, "--ignore", "label-exceeds-class-num", *ASSUME).status == 0
    assert call("check", "-c", CONFIG, "--select", "CFG,ENV", *ASSUME).status == 0
    assert call("check", "-c", CONFIG, "--fail-on", "never", *ASSUME).status == 0
    call("check", "-c", CONFIG, "--select", "XYZ").refused("XYZ")
    call("check", "-c", CONFIG, "--assume", "shm=lots").refused("shm=lots")
    call("check", "-c", CONFIG, "--root", "nowhere").refused("nowhere")


def test_settings_hold_and_flags_win(call: Caller, tmp_path: Path) -> None:
    Project(tmp_path, "modern", {"class_num": 2})
    (tmp_path / "paddle-doctor.toml").write_text('ignore = ["LAB102", "CFG202"]\nlang = "zh"\n')
    said = call("check", "-c", CONFIG, *ASSUME)
    assert said.status == 0
    assert "没有发现问题" in said.out
    assert "Nothing found" in call("check", "-c", CONFIG, "--lang", "en", *ASSUME).out
    (tmp_path / "paddle-doctor.toml").write_text("lang = \n")
    call("check", "-c", CONFIG).refused("paddle-doctor.toml")


BAD: dict[str, bytes] = {
    "empty.yaml": b"",
    "binary.yaml": b"Arch:\0\x01\x02",
    "gbk.yaml": "Arch: 花".encode("gbk"),
    "tab.yaml": b"Arch:\n\tname: ResNet50\n",
    "laughs.yaml": b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
    "list.yaml": b"- Arch\n",
    "cyclic.yaml": b"Arch: &a\n  inner: *a\n",
    "broken.yaml": b"Arch: [1, 2\n",
    "tagged.yaml": b"Arch: !!python/object/apply:os.system ['touch /tmp/never']\n",
}


@pytest.mark.parametrize("name", [*BAD, "missing.yaml", "folder", "huge.yaml", "fifo"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_bad_input_gets_one_line(call: Caller, tmp_path: Path, name: str, lang: str) -> None:
    path = tmp_path / name
    if name in BAD:
        path.write_bytes(BAD[name])
    elif name == "folder":
        path.mkdir()
    elif name == "huge.yaml":
        with path.open("wb") as stream:
            stream.truncate(100 << 20)
    elif name == "fifo":
        os.mkfifo(path)
    call("check", "--config", name, "--lang", lang).refused(name)


def test_duplicate_keys_are_a_finding(call: Caller, tmp_path: Path) -> None:
    made = Project(tmp_path, "modern")
    made.save(made.text.replace("  class_num: 3", "  class_num: 3\n  class_num: 3"))
    said = call("check", "-c", CONFIG, "--format", "json", *ASSUME)
    assert [f["code"] for f in said.json["findings"]] == ["CFG105"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "LAB112"), (b"\0\1\2" * 100, "LAB113"), (b"x" * (50 << 20), "LAB107"), (b"a.png 0\nb.png 1\nc.png 2", None)],
    ids=["empty", "binary", "one line of 50 MB", "no newline at the end"],
)
def test_hostile_label_files(call: Caller, tmp_path: Path, content: bytes, code: str | None) -> None:
    Project(tmp_path, "modern", train=content)
    said = call("check", "-c", CONFIG, "--format", "json", "--ignore", "CFG203,LAB110", *ASSUME)
    errors = [f["code"] for f in said.json["findings"] if f["severity"] == "error"]
    assert errors == ([] if code is None else [code])


def test_a_label_file_that_is_a_pipe_does_not_hang(tmp_path: Path) -> None:
    Project(tmp_path, "modern")
    (tmp_path / "data" / "train_list.txt").unlink()
    os.mkfifo(tmp_path / "data" / "train_list.txt")
    said = start("check", "-c", CONFIG, "--format", "json", *ASSUME, cwd=tmp_path, timeout=30)
    assert "LAB113" in [f["code"] for f in said.json["findings"]]


def test_wrong_arguments_are_one_line(call: Caller) -> None:
    call("check").refused("--config")
    call("chek").refused("chek", "check")
    call("check", "--lang", "fr").refused("fr")
    assert "用法" in call("check", "--help", "--lang", "zh").out


def test_a_label_file_without_read_permission(tmp_path: Path) -> None:
    Project(tmp_path, "modern")
    (tmp_path / "data" / "train_list.txt").chmod(0)
    said = start("check", "-c", CONFIG, "--format", "json", *ASSUME, cwd=tmp_path, before=without_root_rights)
    assert said.err == ""
    assert [f["code"] for f in said.json["findings"] if f["severity"] == "error"] == ["LAB113"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_probing_measures_and_tells(call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    project = Project(tmp_path, "modern")
    write_ppcls(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(write_paddle(tmp_path / "site")))
    asked = ("check", "-c", CONFIG, "--probe", "--select", "ENV112", "--lang", lang)
    assert call(*asked).status == 0
    assert "ENV112" not in call(*asked).out
    project.set("DataLoader.Train", loader("Growing"))
    project.save()
    said = call(*asked)
    assert said.status == 1
    assert "3×32×48" in said.out
    call("check", "-c", CONFIG, "--python", "python3", "--lang", lang).refused("--python", "--probe")
