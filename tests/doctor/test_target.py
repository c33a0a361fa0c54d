"""`check --container` when all goes well, and when it does not: one line on stderr, the other checks run, nothing is said of what was not seen."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import paddle_doctor
from checks.facts import docker_daemon
from doctor.reporters import json_report
from doctor.run import run_check
from doctor.settings import Settings
from tests.fake_daemon import FakeContainer, serve
from tests.projects import CONFIG, Project

SCHEMA = json.loads((Path(json_report.__file__).parent / "report.schema.json").read_text())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without a fault, in whose folder the command is called."""
    made = Project(tmp_path / "project", "modern")
    monkeypatch.setattr("doctor.target.SLOW_AFTER", 60.0)  # a busy machine would be told of in lines of their own
    monkeypatch.setattr("doctor.engine.SLOW_AFTER", 60.0)
    monkeypatch.chdir(made.folder)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return made


@pytest.fixture
def daemon(project: Project) -> FakeContainer:
    """A container that has the project at /work."""
    found = (path for path in project.folder.rglob("*") if path.is_file())
    return FakeContainer({f"/work/{path.relative_to(project.folder)}": path.read_bytes() for path in found})


@pytest.fixture
def silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(docker_daemon, "ANSWER_WITHIN", 0.3)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "silent.sock"))
        server.listen(8)
        yield f"unix://{tmp_path}/silent.sock"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = paddle_doctor.main(["check", "--container", "trainer", *arguments])
    told = capsys.readouterr()
    return status, told.out, told.err


@pytest.mark.parametrize("lang, word", [("en", "no Docker or Podman socket"), ("zh", "没有 Docker 或 Podman 的套接字")])
def test_without_a_daemon_the_config_is_still_checked(
    project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path, lang: str, word: str
) -> None:
    missing = f"unix://{tmp_path}/none.sock"
    status, out, err = call(capsys, "-c", CONFIG, "--docker-host", missing, "--format", "json", "--lang", lang)
    report = json.loads(out)
    jsonschema.validate(report, SCHEMA)
    assert status == 2 and err.count("\n") == 1 and word in err and f"{tmp_path}/none.sock" in err
    told = {key: value for key, value in report["config"]["container"].items() if value not in (None, True)}
    assert told == {"name": "trainer", "source": "docker", "problem": err.removeprefix("paddle-doctor: ").strip()}
    rows = {row["code"]: row for row in report["checks"]}
    for code in ("ENV101", "LAB101", "IMG101", "ENV106", "ENV103"):
        assert rows[code]["status"] == "skipped" and word in rows[code]["reason"] and rows[code]["applies"], rows[code]
    assert rows["CFG101"]["status"] == rows["CFG201"]["status"] == "passed" and report["summary"]["crashed"] == 0
    project.set("topk", [1, 5])
    project.save()
    status, out, _ = call(capsys, "-c", CONFIG, "--docker-host", missing, "--lang", lang, "--fail-on", "warning")
    # at the head, and under what was not checked; a long path goes over the end of a line
    assert status == 1 and "CFG201" in out and "".join(out.split()).count(f"{tmp_path}/none.sock") >= 2


def test_without_a_daemon_and_a_config_the_request_is_refused(project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = call(capsys, "-c", "/in/the/container.yaml", "--docker-host", f"unix://{tmp_path}/none.sock", "--lang", "en")
    assert (
        (status, out) == (2, "")
        and err.startswith(f"paddle-doctor: {tmp_path}/none.sock: no Docker or Podman socket")
        and err.count("\n") == 1
    )


def test_a_daemon_that_hangs_is_given_up(project: Project, capsys: pytest.CaptureFixture[str], silent: str) -> None:
    start = time.monotonic()
    status, out, err = call(capsys, "-c", CONFIG, "--docker-host", silent, "--format", "json", "--lang", "en")
    assert status == 2 and "does not answer within 0.3 s" in err and time.monotonic() - start < 10
    assert json.loads(out)["summary"]["passed"] > 20


def test_a_container_that_goes_away_meanwhile(
    project: Project, daemon: FakeContainer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Leaving:
        def __call__(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Any:
            if "/exec" in path:
                daemon.told = {**daemon.told, "Id": "gone", "Name": "gone"}
            return daemon(method, path, query, body)

    with serve(tmp_path / "d.sock", Leaving()) as url:
        status, out, err = call(capsys, "-c", CONFIG, "--docker-host", url, "--format", "json", "--lang", "en")
    assert status == 2 and err == "paddle-doctor: container trainer: was removed while it was looked at. Start it again, and then this\n"
    assert {row["status"] for row in json.loads(out)["checks"]} == {"passed", "skipped"}


def test_a_container_without_a_shell_on_another_machine(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    with serve(tmp_path / "d.sock", daemon) as url:
        run = run_check(CONFIG, container="trainer", docker_host=url, lang="en", settings=Settings())
    report = run.report
    assert [f for f in report.findings if f.severity != "info"] == [] and not run.crashes
    told = report.config.container
    assert told is not None and (told.name, told.state, told.shm, told.problem) == ("trainer", "running", 64 << 20, None)
    assert report.config.root == "/work"
    shm = next(fact for kind, fact in run.diagnosis.facts.items() if kind.__name__ == "SharedMemory")
    assert (shm.size, shm.told, shm.free_known) == (64 << 20, True, False) and not told.shm_free_known


def test_what_was_not_measured_is_said_at_the_head(
    project: Project, daemon: FakeContainer, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "daemon.json").write_text('{"default-shm-size": "96M"}')
    monkeypatch.setattr("checks.facts.container_visit.DAEMON_SETTINGS", str(tmp_path / "daemon.json"))
    with serve(tmp_path / "d.sock", daemon) as url:
        for lang, words in (("en", "judged as if all of it were free"), ("zh", "按全部空闲判断")):
            assert words in " ".join(call(capsys, "-c", CONFIG, "--docker-host", url, "--lang", lang)[1].split())
        daemon.told["State"] = {"Status": "created"}
        _, out, _ = call(capsys, "-c", CONFIG, "--docker-host", url, "--lang", "en")
        assert "as if all" not in out and "created, not started" in out, "nothing is in it before it starts"
        daemon.told["HostConfig"]["ShmSize"] = 0
        run = run_check(CONFIG, container="trainer", docker_host=url, lang="en", settings=Settings())
        assert run.report.config.container is not None and run.report.config.container.shm == 96 << 20


def test_the_report_and_its_commands_speak_of_the_container(
    project: Project, daemon: FakeContainer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del daemon.files["/work/data/train_list.txt"]
    daemon.files["/work/data/train_list.text"] = b""
    daemon.files["/config/c.yaml"] = project.text.replace("./data/", "data/").encode()
    daemon.files["/config"] = None
    with serve(tmp_path / "d.sock", daemon) as url:
        status, out, err = call(capsys, "-c", CONFIG, "--docker-host", url, "--lang", "en")
        assert (status, err) == (1, "") and "looked into container trainer (image paddle:x, running, ipc private)" in out
        assert "looked for /work/data/train_list.txt; the nearest that exists is /work/data" in " ".join(out.split())
        assert "cls_label_path: ./data/train_list.txt" in out, "the line of the container's file is quoted"
        assert "paddle-doctor-" not in out
        daemon.told["Config"]["WorkingDir"] = "/config"
        daemon.files["/config/sub/c.yaml"] = daemon.files["/config/c.yaml"]
        daemon.files.update({"/config/sub": None, "/config/sub/data": None, "/config/sub/data/val_list.txt": b"val/0/0.png 0\n"})
        _, out, _ = call(capsys, "-c", "sub/c.yaml", "--docker-host", url, "--lang", "en", "--select", "LAB101,IMG101")
    assert "paddle-doctor check --container trainer --config sub/c.yaml --root /config/sub" in out
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("paddle-doctor-")]


def test_two_kinds_of_containers_at_once_are_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "-c", CONFIG, "--compose", "compose.yaml", "--lang", "en")
    assert (status, out) == (2, "") and "give one of them" in err


def test_a_daemon_without_a_container_is_refused(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert paddle_doctor.main(["check", "-c", CONFIG, "--docker-host", "unix:///x", "--lang", "zh"]) == 2
    assert "--container" in capsys.readouterr().err


def test_the_api_takes_the_same(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    with serve(tmp_path / "d.sock", daemon) as url:
        report = paddle_doctor.check(CONFIG, container="trainer", docker_host=url, lang="en")
        assert report.config.container is not None and report.summary.error == 0
        with pytest.raises(paddle_doctor.RequestRefused, match="Did you mean trainer"):
            paddle_doctor.check(CONFIG, container="trainr", docker_host=url, lang="en")
        with pytest.raises(paddle_doctor.RequestRefused, match=r"none\.yaml: no such file in container trainer"):
            paddle_doctor.check("none.yaml", container="trainer", docker_host=url, lang="en")


def test_what_could_not_be_listed_is_never_said_to_be_missing(project: Project, daemon: FakeContainer, tmp_path: Path) -> None:
    """No shell, so no folder can be listed: neither images, nor checkpoints, nor models are called absent."""
    deploy = (
        "Global:\n  infer_imgs: ./images\n  inference_model_dir: ./model\n"
        "PreProcess:\n  transform_ops:\n    - ResizeImage: {resize_short: 256}\nPostProcess:\n  main_indicator: Topk\n  Topk: {topk: 2}\n"
    )
    daemon.files.update({"/work/images": None, "/work/images/deep": None, "/work/model": None, "/work/output": None, "/work/saved": None})
    daemon.files.update(
        {"/work/deploy.yaml": deploy.encode(), "/work/model/inference.pdmodel": b"", "/work/model/inference.pdiparams": b"x"}
    )
    daemon.files.update({f"/work/saved/epoch_1{suffix}": b"\x80\x04}." for suffix in (".pdparams", ".pdopt", ".pdstates")})
    with serve(tmp_path / "d.sock", daemon) as url:
        asked: dict[str, Any] = {"container": "trainer", "docker_host": url, "lang": "en", "settings": Settings()}
        served = run_check("deploy.yaml", stage=None, **asked)
        assert served.report.config.stage == "deploy" and "DEP209" not in [f.code for f in served.report.findings]
        rows = {row.code: row for row in run_check(CONFIG, ("Global.checkpoints=./saved/epoch_1",), **asked).report.checks}
        assert rows["CFG211"].status == "passed" and rows["ENV107"].status == "skipped" and rows["ENV106"].status == "passed"
