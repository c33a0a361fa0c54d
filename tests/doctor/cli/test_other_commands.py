from __future__ import annotations

import json
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from doctor.demo import demo_files
from tests.command import Caller


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_demo_has_real_findings(call: Caller, tmp_path: Path, lang: str) -> None:
    said = call("demo", "small", "--lang", lang)
    assert said.status == 0
    for code in ("LAB102", "LAB109", "LAB111", "CFG101", "CFG201", "CFG203"):
        assert code in said.out, code
    assert "flowers.yaml:19:14" in said.out
    assert "./flowers/val_list.txt:5" in said.out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small"]
    call("demo", "small", "--lang", lang).refused("small")


def test_demo_images_are_png() -> None:
    images = [content for name, content in demo_files().items() if name.endswith(".png")]
    assert len(images) > 10
    for content in images:
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        at = 8
        kinds = []
        while at < len(content):
            (length,) = struct.unpack(">I", content[at : at + 4])
            kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
            assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
            kinds.append(kind)
            at += 12 + length
        assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_schema_is_json(call: Caller) -> None:
    assert json.loads(call("schema").out)["title"] == "paddle-doctor report"


def test_version_and_help(call: Caller) -> None:
    assert call("--version").out.startswith("paddle-doctor ")
    for lang, word in (("en", "commands"), ("zh", "命令")):
        said = call("--lang", lang)
        assert said.status == 0
        assert word in said.out
        assert "check" in said.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(call: Caller, tmp_path: Path, shell: str) -> None:
    said = call("completion", shell)
    assert said.status == 0
    assert "check" in said.out
    if shell == "bash":
        (tmp_path / "c.bash").write_text(said.out)
        subprocess.run(["bash", "-n", "c.bash"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_faq_and_rule(call: Caller, lang: str) -> None:
    listed = call("faq", "list", "--lang", lang)
    assert listed.status == 0
    for number in ("1.1", "2.1", "5.5", "data.label-parse"):
        assert number in listed.out
    shown = call("faq", "show", "1.3", "--lang", lang)
    assert shown.status == 0
    assert "/dev/shm" in shown.out
    found = call("faq", "search", "shm 不够", "--lang", lang)
    assert "1.3" in found.out
    page = call("rule", "LAB102", "--lang", lang)
    assert page.status == 0
    assert "label-exceeds-class-num" in page.out
    call("rule", "LAB999", "--lang", lang).refused("LAB999")
    call("faq", "show", "9.9", "--lang", lang).refused("9.9")
