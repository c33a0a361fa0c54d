"""`check --compose` and `check --kubernetes`: the config judged for a container that is still to be started."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

import paddle_doctor
from tests.command import Caller
from tests.projects import CONFIG, Project

COMPOSE = """\
services:
  train:
    image: paddle
    shm_size: ${SHM:-64m}
  big: {image: paddle, shm_size: 8gb, mem_limit: 4g, cpus: 1, gpus: [{count: 2}]}
"""
POD = """\
kind: Pod
spec:
  containers:
    - name: paddle
      image: paddle
      resources: {limits: {cpu: 500m}}
      volumeMounts: [{name: dshm, mountPath: /dev/shm}]
    - {name: side, image: busybox, resources: {limits: {memory: 1Gi}}}
  volumes: [{name: dshm, emptyDir: {medium: Memory, sizeLimit: 256Mi}}]
"""
OPTIONS = ("check", "-c", CONFIG, "--select", "ENV101,ENV102", "--format", "json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that needs more than 64 MiB and less than 256."""
    samples = [(f"train/{n % 3}/{n}.png", n % 3) for n in range(300)]
    Project(tmp_path, "modern", {"train_batch": 24, "train_workers": 4}, train=samples)
    (tmp_path / "compose.yml").write_text(COMPOSE)
    (tmp_path / "pod.yml").write_text(POD)
    return tmp_path


def evidence(report: Any, code: str) -> list[dict[str, Any]]:
    return [finding["evidence"] for finding in report["findings"] if finding["code"] == code]


def test_a_service_of_a_compose_file(call: Caller, folder: Path) -> None:
    found = evidence(call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "train").json, "ENV101")
    assert {one["have_bytes"] for one in found} == {64 << 20}
    assert evidence(call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "big").json, "ENV101") == []


@pytest.mark.parametrize(
    ("options", "shown"),
    [(("--compose", "compose.yml", "--service", "big"), "big"), (("--kubernetes", "pod.yml", "--service", "side"), "side")],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_says_which_container_is_meant(call: Caller, folder: Path, options: tuple[str, ...], shown: str, lang: str) -> None:
    head = call("check", "-c", CONFIG, "--images", "off", "--lang", lang, *options).out.split("\n\n")[0]
    assert shown in head
    assert options[1] in head
    told = call(*OPTIONS, "--images", "off", *options).json["config"]["container"]
    assert (told["source"], told["file"], told["state"]) == (options[0][2:], options[1], "file")


def test_variables_are_those_of_the_environment_and_of_the_file(call: Caller, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("SHM=2g\n")
    assert evidence(call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "train").json, "ENV101") == []
    monkeypatch.setenv("SHM", "32m")
    found = evidence(call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "train").json, "ENV101")
    assert {one["have_bytes"] for one in found} == {32 << 20}


def test_what_is_assumed_comes_first(call: Caller, folder: Path) -> None:
    said = call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "train", "--assume", "shm=16m")
    assert {one["have_bytes"] for one in evidence(said.json, "ENV101")} == {16 << 20}
    said = call(*OPTIONS, "--images", "off", "--compose", "compose.yml", "--service", "train", "--assume", "shm=1g")
    assert evidence(said.json, "ENV101") == []


def test_a_container_of_a_manifest(call: Caller, folder: Path) -> None:
    report = call(*OPTIONS, "--images", "off", "--kubernetes", "pod.yml", "--service", "paddle").json
    assert evidence(report, "ENV101") == []
    assert {one["cpus"] for one in evidence(report, "ENV102")} == {0.5}
    report = call(*OPTIONS, "--images", "off", "--kubernetes", "pod.yml", "--service", "side").json
    assert {one["have_bytes"] for one in evidence(report, "ENV101")} == {64 << 20}
    assert {check["code"]: check["status"] for check in report["checks"]}["ENV102"] == "skipped"


def test_a_mount_that_does_not_answer_is_given_up(call: Caller, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("doctor.run.SETTINGS_DEADLINE", 0.2)
    monkeypatch.setattr("checks.facts.compose_model.read_settings", lambda *given: released.wait(60))
    call("check", "-c", CONFIG, "--compose", "compose.yml").refused("compose.yml", "0.2")
    released.set()


def test_the_api_takes_them_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    report = paddle_doctor.check(CONFIG, compose=folder / "compose.yml", service="train", select=["ENV101"], images="off")
    assert [finding.code for finding in report.findings] == ["ENV101"]
    with pytest.raises(paddle_doctor.RequestRefused, match="no container nope"):
        paddle_doctor.check(CONFIG, kubernetes="pod.yml", service="nope", lang="en")


BAD: dict[str, bytes] = {
    "empty.yml": b"",
    "binary.yml": b"services:\0\1\2",
    "gbk.yml": "services: {训练: {}}".encode("gbk"),
    "tab.yml": b"services:\n\ta: {}\n",
    "list.yml": b"- services\n",
    "cyclic.yml": b"services: &a\n  a: *a\n",
    "broken.yml": b"services: [1, 2\n",
    "laughs.yml": b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 12)),
    "other.yml": b"Global: {device: gpu}\n",
    "tagged.yml": b"services: !!python/object/apply:os.system ['touch /tmp/never']\n",
    "size.yml": b"services: {a: {shm_size: lots}}\nspec: {containers: [{name: a, resources: {limits: {memory: lots}}}]}\n",
}


@pytest.mark.parametrize("flag", ["--compose", "--kubernetes"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", [*BAD, "missing.yml", "folder", "huge.yml", "fifo"])
def test_a_bad_file_gets_one_line(call: Caller, folder: Path, name: str, lang: str, flag: str) -> None:
    path = folder / name
    if name in BAD:
        path.write_bytes(BAD[name])
    elif name == "folder":
        path.mkdir()
    elif name == "huge.yml":
        with path.open("wb") as stream:
            stream.truncate(100 << 20)
    elif name == "fifo":
        os.mkfifo(path)
    line = call("check", "-c", CONFIG, flag, name, "--lang", lang).refused(name)
    assert any("\u4e00" <= character <= "\u9fff" for character in line) == (lang == "zh")
    assert "{" not in line.replace("{a:", "")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--compose", "compose.yml"), ("train", "big")),
        (("--compose", "compose.yml", "--service", "nope"), ("nope", "train", "big")),
        (("--kubernetes", "pod.yml"), ("paddle", "side")),
        (("--kubernetes", "pod.yml", "--service", "nope"), ("nope", "paddle", "side")),
        (("--compose", "compose.yml", "--kubernetes", "pod.yml"), ("--compose", "--kubernetes")),
        (("--service", "train"), ("--service train", "--compose")),
        (("--compose", "pod.yml"), ("pod.yml", "--kubernetes")),
        (("--kubernetes", "compose.yml"), ("compose.yml", "--compose")),
    ],
)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_request_that_cannot_be_served_gets_one_line(
    call: Caller, folder: Path, options: tuple[str, ...], names: tuple[str, ...], lang: str
) -> None:
    call("check", "-c", CONFIG, "--lang", lang, *options).refused(*names)
