"""Where a daemon is looked for, and what is said when it cannot be asked: one line that names the socket and the way out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts import docker_daemon
from checks.facts.base import Unreadable
from checks.facts.docker_daemon import Daemon, in_time, path_stat, stdout_of
from checks.facts.docker_endpoints import Endpoint, endpoints
from knowledge.phrases import phrase
from tests.fake_daemon import FakeContainer, answer, serve

ROOT = Path(__file__).resolve().parents[3]


def refused(endpoint: str, **environ: str) -> tuple[str, str]:
    """Why nobody can be asked: the reason, and the English line."""
    with pytest.raises(Unreadable) as caught:
        Daemon.connect(Endpoint(endpoint, "option"), environ).container("trainer")
    why = caught.value.unavailable
    lines = [phrase(why.reason, lang, **why.values) for lang in ("en", "zh")]
    assert all("\n" not in line and "{" not in line for line in lines), lines
    return why.reason, lines[0]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_daemon, "ANSWER_WITHIN", 0.3)


def test_a_missing_socket_a_file_and_one_that_nobody_listens_at(tmp_path: Path) -> None:
    reason, line = refused(f"unix://{tmp_path}/none.sock")
    assert reason == "daemon-no-socket" and f"{tmp_path}/none.sock" in line and "--docker-host" in line
    (tmp_path / "file").write_text("")
    assert refused(f"unix://{tmp_path}/file")[0] == "daemon-not-listening"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "dead.sock"))
    assert refused(f"unix://{tmp_path}/dead.sock")[0] == "daemon-not-listening"


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_no_permission_for_the_socket_is_said_to_whom_it_belongs(tmp_path: Path) -> None:
    with serve(tmp_path / "d.sock", FakeContainer()) as url:
        os.chmod(tmp_path, 0o755)
        for parent in tmp_path.parents[:3]:
            if parent.stat().st_mode & 0o1 == 0:
                os.chmod(parent, parent.stat().st_mode | 0o1)
        os.chmod(tmp_path / "d.sock", 0o600)
        code = (
            "import os, sys; sys.path.insert(0, sys.argv[1])\n"
            "from checks.facts.docker_daemon import *; from checks.facts.docker_endpoints import *\nimport docker\nos.setuid(65534)\n"
            "try: Daemon.connect(Endpoint(sys.argv[2], 'option'), {})\nexcept Unreadable as error: print(error.unavailable.reason)"
        )
        done = subprocess.run([sys.executable, "-c", code, str(ROOT), url], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "daemon-no-permission", done.stderr
    assert "usermod -aG docker" in phrase("daemon-no-permission", "en", socket="x")


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """A socket that takes connections and never answers."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "silent.sock"))
        server.listen(8)
        yield f"unix://{tmp_path}/silent.sock"


def test_a_socket_that_never_answers_is_given_up(silent: str, quick: None) -> None:
    start = time.monotonic()
    reason, line = refused(silent)
    assert reason == "daemon-silent" and "silent.sock" in line and "0.3 s" in line and time.monotonic() - start < 2


def test_a_socket_that_answers_a_byte_now_and_then_is_given_up(tmp_path: Path, quick: None) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "slow.sock"))
        server.listen(8)
        stop = threading.Event()

        def trickle() -> None:
            connection, _ = server.accept()
            with connection:
                for letter in b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000:
                    if stop.wait(0.1):
                        return
                    with contextlib.suppress(OSError):  # given up
                        connection.send(bytes([letter]))

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        start = time.monotonic()
        assert refused(f"unix://{tmp_path}/slow.sock")[0] == "daemon-silent" and time.monotonic() - start < 3
        stop.set()
        thread.join()


def test_another_version_of_the_api(tmp_path: Path) -> None:
    daemon = FakeContainer()
    with serve(tmp_path / "d.sock", daemon) as url:
        reason, line = refused(url, DOCKER_API_VERSION="1.99")
        assert reason == "daemon-version" and "Maximum supported API version is 1.41" in line and "DOCKER_API_VERSION" in line
        daemon.api = "1.20"  # older than the SDK speaks
        assert refused(url)[0] == "daemon-version"
        daemon.api, daemon.oldest = "1.55", "1.44"
        assert Daemon.connect(Endpoint(url, "option"), {}).container("trainer") is not None


def test_a_version_that_is_none(tmp_path: Path) -> None:
    with serve(tmp_path / "d.sock", FakeContainer()) as url:
        reason, line = refused(url, DOCKER_API_VERSION="abc")
    assert reason == "daemon-version" and "DOCKER_API_VERSION=abc" in line


def test_a_machine_that_nobody_knows() -> None:
    reason, line = refused("tcp://none.invalid:2375")
    assert reason == "daemon-unknown-host" and "Pool" not in line


@pytest.mark.parametrize("sent", [b"", b"\0\xff garbage\r\n\r\n"])
def test_what_hangs_up_or_does_not_speak_http(tmp_path: Path, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "d.sock"))
        server.listen()

        def serve_two() -> None:  # the knock at the door, and the question
            for _ in range(2):
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    if connection.recv(1 << 16):
                        connection.sendall(sent)

        thread = threading.Thread(target=serve_two, daemon=True)
        thread.start()
        reason, line = refused(f"unix://{tmp_path}/d.sock")
        thread.join()
    assert reason == "daemon-not-docker" and "Connection" not in line


@pytest.mark.parametrize("content", [b"", b"<html>hello</html>", b"[1]", b"{}", b'"x"', b"\xff\xfe"])
def test_what_answers_and_is_no_daemon(tmp_path: Path, content: bytes) -> None:
    with serve(tmp_path / "d.sock", lambda *asked: answer(content)) as url:
        assert refused(url)[0] in ("daemon-not-docker", "daemon-failed")


def test_a_daemon_that_fails_is_quoted(tmp_path: Path) -> None:
    with serve(tmp_path / "d.sock", lambda *asked: answer({"message": "disk\nfull"}, 500)) as url:
        reason, line = refused(url)
    assert reason == "daemon-failed" and "(disk full)" in line


@pytest.mark.parametrize(
    "address",
    ["nonsense://x", "unix:/", "unix://", "tcp://", "http://:x", "tcp://host:99999", "docker.sock", "-", "npipe:////./pipe/docker"],
)
def test_an_address_that_is_none(address: str) -> None:
    reason, line = refused(address)
    assert reason == "daemon-bad-address" and "unix:///var/run/docker.sock" in line


def test_without_the_sdk_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", None)
    reason, line = refused("unix:///x")
    assert reason == "docker-sdk-missing" and "pip install 'paddle-doctor[docker]'" in line


def test_where_daemons_are_looked_for(tmp_path: Path) -> None:
    assert endpoints({"DOCKER_HOST": "tcp://a:1"}, "/run/x.sock") == [Endpoint("unix:///run/x.sock", "option")]
    assert endpoints({"DOCKER_HOST": "tcp://a:1"}, None) == [Endpoint("tcp://a:1", "DOCKER_HOST")]
    plain = [e.url for e in endpoints({"HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/run/user/7"}, None)]
    assert plain == [
        "unix:///var/run/docker.sock",
        "unix:///run/user/7/docker.sock",
        "unix:///run/user/7/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]
    folder = tmp_path / ".docker"
    meta = folder / "contexts" / "meta" / hashlib.sha256(b"far").hexdigest()
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": "far", "Endpoints": {"docker": {"Host": "unix:///far.sock"}}}))
    (folder / "config.json").write_text(json.dumps({"currentContext": "far"}))
    assert endpoints({"HOME": str(tmp_path)}, None) == [Endpoint("unix:///far.sock", "context")]
    assert endpoints({"HOME": str(tmp_path), "DOCKER_CONTEXT": "default"}, None)[0].told_by == "default"
    for broken in ("", "[]", '{"currentContext": 3}', '{"currentContext": "gone"}', "{"):
        (folder / "config.json").write_text(broken)
        assert endpoints({"HOME": str(tmp_path)}, None)[0].told_by == "default", broken


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_nothing(stream: bytes) -> None:
    assert len(stdout_of(stream)) <= len(stream)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50))))
def test_frames_are_put_together(frames: list[tuple[int, bytes]]) -> None:
    stream = b"".join(bytes([kind, 0, 0, 0]) + len(content).to_bytes(4, "big") + content for kind, content in frames)
    assert stdout_of(stream) == b"".join(content for kind, content in frames if kind == 1)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.hex()))
def test_any_header_is_a_stat_or_none(header: str) -> None:
    with contextlib.suppress(ValueError):
        assert path_stat(header).size >= 0


def test_work_in_time_gives_its_result_or_its_own_error() -> None:
    def fail() -> Any:
        raise KeyError("x")

    assert in_time(5, lambda: 3, ValueError) == 3
    with pytest.raises(KeyError):
        in_time(5, fail, ValueError)
    with pytest.raises(ValueError):
        in_time(0.05, lambda: time.sleep(1), ValueError)


def test_the_sdk_is_imported_only_when_a_container_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("Global:\n  epochs: 2\nArch:\n  name: ResNet50\n  class_num: 3\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import paddle_doctor; paddle_doctor.main(['check', '-c', 'config.yaml', '-q'])\n"
        "print([name for name in ('docker', 'requests', 'urllib3', 'tarfile', 'fractions', 'checks.facts.container_visit') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(ROOT)], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]", done
