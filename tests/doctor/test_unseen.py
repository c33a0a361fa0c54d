"""What cannot be seen from outside a container is never said to be missing, and never taken from what lies beneath a mount."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import paddle_doctor
from checks.facts.container_mirror import Mirror
from checks.facts.docker_daemon import PathStat
from doctor.engine import RequestRefused
from doctor.run import run_check
from doctor.settings import Settings
from tests.fake_daemon import Answer, FakeContainer, answer, serve
from tests.projects import CONFIG, Project, status

ELSEWHERE = (
    "DataLoader.Train.dataset.cls_label_path=/data/train_list.txt",
    "DataLoader.Train.dataset.image_root=/data",
    "DataLoader.Eval.dataset.cls_label_path=/data/val_list.txt",
    "DataLoader.Eval.dataset.image_root=/data",
    "Global.pretrained_model=/data/m",
    "Global.checkpoints=/data/c",
)
MISSING = ("LAB101", "LAB113", "IMG101", "WTS103", "CFG211")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path / "project", "modern")
    monkeypatch.chdir(made.folder)
    return made


@pytest.fixture
def daemon(project: Project) -> FakeContainer:
    """A container that has the project at /work."""
    found = (path for path in project.folder.rglob("*") if path.is_file())
    return FakeContainer({f"/work/{path.relative_to(project.folder)}": path.read_bytes() for path in found})


def nothing_is_missed(**target: Any) -> None:
    run = run_check(CONFIG, ELSEWHERE, lang="en", settings=Settings(), **target)
    assert not run.crashes and not [f.message for f in run.report.findings if f.code in MISSING]
    for code in MISSING:
        kind, reason = status(run, code)
        assert {row.code: row.applies for row in run.report.checks}[code], "it is listed among what was not checked"
        assert kind == "skipped" and "in the container it may be there" in str(reason), (code, kind, reason)


@pytest.mark.parametrize("state", ["running", "paused", "exited", "created"])
def test_paths_on_a_tmpfs_into_which_nobody_can_look(project: Project, daemon: FakeContainer, tmp_path: Path, state: str) -> None:
    daemon.told["HostConfig"]["Tmpfs"] = {"/data/": "size=1g"}
    daemon.told["State"] = {"Status": state}
    daemon.files["/data"] = None
    with serve(tmp_path / "d.sock", daemon) as url:
        nothing_is_missed(container="trainer", docker_host=url)


def test_a_volume_is_seen_and_what_it_lacks_is_missing(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    daemon.told["HostConfig"]["Tmpfs"] = {"/data": ""}
    daemon.told["Mounts"] = [{"Type": "volume", "Destination": "/data/in", "RW": True}]
    override = ("DataLoader.Train.dataset.cls_label_path=/data/in/train_list.txt",)
    with serve(tmp_path / "d.sock", daemon) as url:
        run = run_check(CONFIG, override, container="trainer", docker_host=url, lang="en", settings=Settings())
    assert [f.location.file for f in run.report.findings if f.code == "LAB101"]


def test_what_the_image_has_beneath_a_tmpfs_is_not_read(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    daemon.told["HostConfig"]["Mounts"] = [{"Type": "tmpfs", "Target": "/work"}]
    with serve(tmp_path / "d.sock", daemon) as url, pytest.raises(RequestRefused) as refused:
        run_check(CONFIG, container="trainer", docker_host=url, lang="en", settings=Settings())
    assert refused.value.reason == "container-config-unseen"


def test_paths_of_a_container_that_is_still_to_be_made(project: Project, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services:\n  train:\n    image: paddle\n    volumes: ['/mnt:/data']\n")
    nothing_is_missed(compose=str(tmp_path / "compose.yaml"))
    (tmp_path / "pod.yaml").write_text("kind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, image: paddle}]\n")
    nothing_is_missed(kubernetes=str(tmp_path / "pod.yaml"))


def test_a_path_at_which_the_daemon_fails_leads_nowhere(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    def failing(method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        if "loop" in "".join(query.get("path", [])):
            return answer({"message": "evalSymlinksInScope: too many links in /var/lib/x/work/loop"}, 500)
        return daemon(method, path, query, body)

    override = ("DataLoader.Train.dataset.cls_label_path=/work/loop", "Global.output_dir=/work/loop")
    with serve(tmp_path / "d.sock", failing) as url:
        run = run_check(CONFIG, override, container="trainer", docker_host=url, lang="en", settings=Settings())
    assert [f.code for f in run.report.findings if f.severity == "error"] == ["LAB101"] and not run.crashes


class Shy:
    """A container with one file, on a tmpfs, that the shell finds and `cat` does not print."""

    def stat(self, path: str) -> PathStat | None:
        return PathStat("folder", 0, "") if path == "/" else PathStat("file", 9, "") if path == "/tm" else None

    def archive(self, path: str) -> Any:
        raise AssertionError(path)

    def covered(self, path: str) -> bool:
        return path.startswith("/tm")

    def hidden(self, path: str) -> PathStat | None:
        return {"/tm": PathStat("folder", 0, ""), "/tm/large": PathStat("file", 0, "")}.get(path)

    def content(self, path: str) -> bytes | None:
        return None

    def unseen(self, path: str) -> bool:
        return False


def test_a_hidden_file_that_cannot_be_read_is_there_all_the_same(tmp_path: Path) -> None:
    mirror = Mirror(str(tmp_path), Shy(), time.monotonic() + 60)
    assert mirror.take("/tm/large") == "file" and (tmp_path / "tm/large").is_file() and mirror.unread == {"/tm/large"}
    assert mirror.kind("/tm") == "folder", "not what the image has beneath the mount"


def test_a_config_as_large_as_a_disk_is_not_copied(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    daemon.files["/work/large.yaml"] = b"a: 1\n" * (1 << 20)
    with serve(tmp_path / "d.sock", daemon) as url, pytest.raises(RequestRefused) as refused:
        run_check("large.yaml", container="trainer", docker_host=url, lang="en", settings=Settings())
    assert refused.value.reason == "config-too-large"
    assert not [asked for asked in daemon.asked if asked.startswith("GET") and asked.endswith("/archive")]


@pytest.mark.parametrize("flag", ["--config", "--container", "--docker-host", "--compose", "--kubernetes", "--service", "--python"])
def test_an_option_without_a_value_is_refused_in_one_line(project: Project, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    given = [] if flag == "--config" else ["--config", CONFIG]
    assert paddle_doctor.main(["check", *given, flag, "", "--lang", "en"]) == 2
    assert capsys.readouterr().err == f"paddle-doctor: {flag}: is empty. Give a value, or leave it out.\n"


def test_a_name_with_a_line_break_is_refused_in_one_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert paddle_doctor.main(["check", "--config", "a\nb.yaml", "--lang", "en"]) == 2
    assert capsys.readouterr().err.startswith("paddle-doctor: a\\nb.yaml: ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_in_the_middle_nothing_is_left_behind(project: Project, daemon: FakeContainer, tmp_path: Path, number: int) -> None:
    asked = threading.Event()

    def slow(method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        if method == "GET" and "train_list" in "".join(query.get("path", [])):
            asked.set()
            time.sleep(4)
        return daemon(method, path, query, body)

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with serve(tmp_path / "d.sock", slow) as url:
        command = [sys.executable, "-m", "paddle_doctor", "check", "-c", CONFIG, "--container", "trainer", "--docker-host", url]
        environ = {**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(Path(paddle_doctor.__file__).parent)}
        with subprocess.Popen(command, cwd=project.folder, env=environ, stderr=subprocess.DEVNULL, start_new_session=True) as process:
            assert asked.wait(60) and os.listdir(scratch)
            process.send_signal(number)
            assert process.wait(30) == 128 + number
    assert not os.listdir(scratch)
