"""`check --container` against a real daemon: what is said from outside is what is said inside, whatever the container lacks."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from checks.facts.base import COLLECTORS
from checks.facts.container_visit import PODMAN_SHM
from doctor.hider import Hider
from doctor.run import Run, run_check
from doctor.settings import Settings
from tests.projects import CONFIG, Project, found
from tests.real.daemon import APPLETS, ROOT, SESSION, host_python, import_image, root_files, run_container
from tests.real.probing import unavailable

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

MIB = 1 << 20
SLEEP = ["sleep", "3600"]

ONE_SIDED = {"ImageFiles", "ImageHealth", "ImageSizes", "InferImages", "Packages", "DeployCode", "ContainerSettings"}
"""Facts that are had on one side only, or of which outside knows less (the version of Python to its second place)."""

INSIDE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import msgspec
from doctor.run import run_check
from doctor.settings import Settings
run = run_check("config.yaml", images="off", cache=False, lang="en", settings=Settings())
facts = {kind.__name__: msgspec.to_builtins(fact) for kind, fact in run.diagnosis.facts.items() if kind.__name__ not in ("World", "Request")}
print("FOUND" + json.dumps({"facts": facts, "findings": msgspec.to_builtins(run.report.findings)}))
"""


@pytest.fixture(scope="session")
def project_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A project without a fault, below /work."""
    folder = tmp_path_factory.mktemp("project")
    Project(folder, "modern")
    return {f"/work/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def image(docker_client: DockerClient, project_files: dict[str, bytes]) -> str:
    """busybox and the project, in which its programs start."""
    return import_image(docker_client, root_files(project_files), "project", ["WORKDIR /work"])


def check(container: str | Container, config: str = CONFIG, *overrides: str, **how: Any) -> Run:
    """From outside."""
    name = container if isinstance(container, str) else str(container.name)
    run = run_check(config, overrides, container=name, lang="en", settings=Settings(), **how)
    assert not run.crashes, "\n".join(run.crashes)
    return run


def fact(run: Run, name: str) -> Any:
    """A fact of a run by its name; one that no rule asked for is measured now."""
    return next(value for kind, value in run.diagnosis.facts.items() if kind.__name__ == name)


def measured(run: Run) -> dict[str, Any]:
    """The facts of a run as plain values, in the container's own paths."""
    sysroot = run.diagnosis.config.sysroot
    hide = Hider(sysroot)
    facts = {}
    for kind, value in run.diagnosis.facts.items():
        if kind in COLLECTORS:
            plain = json.loads(json.dumps(msgspec.to_builtins(value)))
            facts[kind.__name__] = hide.plain(plain)
    return facts


def inside(container: Container) -> dict[str, Any]:
    """The same from inside, with the host's Python."""
    status, output = container.exec_run([sys.executable, "-c", INSIDE, str(ROOT)])
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.startswith("FOUND")]
    assert status == 0 and lines, output.decode("utf-8", "replace")[-3000:]
    told: dict[str, Any] = json.loads(lines[0][5:])
    return told


CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "shm-size": {"shm_size": "96m"},
    "ipc-host": {"ipc_mode": "host"},
    "tmpfs": {"tmpfs": {"/dev/shm": "size=40m"}},
    "tmpfs-unlimited": {"tmpfs": {"/dev/shm": ""}},
    "memory-below-shm": {"shm_size": "512m", "mem_limit": "256m"},
    "cpus": {"nano_cpus": 500_000_000},
    "cpuset": {"cpuset_cpus": "0"},
    "read-only": {"read_only": True},
    "nobody": {"user": "65534:65534"},
    "shareable": {"ipc_mode": "shareable", "shm_size": "32m"},
}


@pytest.mark.parametrize("case", CASES)
def test_outside_and_inside_give_the_same_numbers(docker_client: DockerClient, image: str, case: str) -> None:
    options = dict(CASES[case])
    options["volumes"] = host_python(sys.executable)
    with run_container(docker_client, image, SLEEP, **options) as container:
        container.exec_run(
            ["sh", "-c", "head -c 3000000 /dev/zero >/dev/shm/paddle_999999_left; head -c 99999 /dev/zero >/dev/shm/paddle_1_x"]
        )
        try:
            for _ in range(3):  # other programs use the host's disk and /dev/shm at the same time
                there, here = inside(container), check(container, cache=False)
                differences = list(_differences(there, here))
                if not differences:
                    break
            assert not differences, "\n".join(differences)
            shm = fact(here, "SharedMemory")
            # in the host's /dev/shm nobody can tell from here whose process is alive
            left = [] if case == "ipc-host" else ["paddle_999999_left"]
            assert [file.name for file in shm.stale if file.pid == 999999] == left and shm.free < shm.size
            assert not [file for file in shm.stale if file.pid == 1]
        finally:
            container.exec_run(["rm", "-f", "/dev/shm/paddle_999999_left", "/dev/shm/paddle_1_x"])


def _differences(there: dict[str, Any], here: Run) -> Iterator[str]:
    mine = measured(here)
    assert set(there["facts"]) >= {"SharedMemory", "Host", "Container", "Labels", "OutputFolder"}
    for name in sorted((set(there["facts"]) & set(mine)) - ONE_SIDED):
        one, other = there["facts"][name], mine[name]
        if isinstance(one, dict) and "images-off" in str(one.get("reason")):
            continue
        if name == "TrainingConfig":
            one, other = ({**f, "sysroot": "", "tree": None} for f in (one, other))
        if name == "OutputFolder" and abs(one["free"] - other["free"]) < 256 * MIB:
            one = {**one, "free": other["free"]}  # others write to the same disk
        if name == "Host" and abs((one["memory_left"] or 0) - (other["memory_left"] or 0)) < 4 << 30:
            one = {**one, "memory_left": other["memory_left"]}  # others use the same memory
        if one != other:
            yield f"{name}:\n  inside  {one}\n  outside {other}"
    findings = alike(msgspec.to_builtins(here.report.findings))
    if alike(there["findings"]) != findings:
        yield f"findings: {there['findings']} {findings}"


def alike(findings: Any) -> Any:
    """Findings without what is another way out from outside: commands of ours name the container, and the host can enlarge its /dev/shm."""
    found = json.loads(re.sub(r" --container \S+", "", json.dumps(findings)))
    for finding in found:
        finding["fixes"] = [fix for fix in finding["fixes"] if "nsenter" not in fix.get("command", "")]
    return found


def test_a_healthy_project_in_a_healthy_container_has_no_finding(docker_client: DockerClient, image: str) -> None:
    with run_container(docker_client, image, SLEEP) as container:
        for name, state in ((container.name, "running"), (container.id[:12], "running")):
            run = check(name)
            assert [f for f in run.report.findings if f.severity != "info"] == [], run.report.findings
            told = run.report.config.container
            assert told is not None and (told.state, told.ipc, told.shm, told.problem) == (state, "private", 64 * MIB, None)
            assert run.report.config.root == "/work" and run.diagnosis.config.sysroot not in json.dumps(msgspec.to_builtins(run.report))
        container.pause()
        assert check(container).report.summary.error == 0
        container.unpause()
        container.kill()
        container.wait()
        run = check(container)
        assert [f for f in run.report.findings if f.severity != "info"] == []
        assert run.report.config.container is not None and run.report.config.container.state == "exited"
    with run_container(docker_client, image, SLEEP, start=False) as container:
        run = check(container)
        assert [f for f in run.report.findings if f.severity != "info"] == []
        assert run.report.config.container is not None and run.report.config.container.state == "created"


def test_without_programs_the_shell_alone_tells_as_much_as_it_can(docker_client: DockerClient, project_files: dict[str, bytes]) -> None:
    for missing in (("df",), ("stat",), ("df", "stat", "cat", "ls", "tr", "id", "wc", "head", "env", "nproc", "readlink")):
        lean = import_image(docker_client, root_files(project_files, without=missing), "lean", ["WORKDIR /work"])
        with run_container(docker_client, lean, SLEEP, shm_size="80m", mem_limit="300m", nano_cpus=700_000_000) as container:
            container.exec_run(["sh", "-c", "echo data >/dev/shm/taken"])
            run = check(container)
            shm, host = fact(run, "SharedMemory"), fact(run, "Host")
            assert [f for f in run.report.findings if f.severity != "info"] == []
            assert (shm.size, host.memory, host.cpus) == (80 * MIB, 300 * MIB, 0.7), missing
            assert fact(run, "Container").runtime == "docker"
            if "df" in missing and "stat" in missing:
                assert (shm.free, shm.free_known) == (80 * MIB, False)
            else:
                assert (shm.free, shm.free_known) == (80 * MIB - 4096, True)


def test_without_any_program_the_kernel_or_the_settings_tell(
    docker_client: DockerClient, project_files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = import_image(docker_client, root_files({**project_files}, applets=("sleep",)), "no-shell", ["WORKDIR /work"])
    with run_container(docker_client, waits, SLEEP, shm_size="80m", mem_limit="300m", cpuset_cpus="0") as container:
        run = check(container)
        shm, host = fact(run, "SharedMemory"), fact(run, "Host")
        assert (shm.size, shm.free, host.memory, host.cpus) == (80 * MIB, 80 * MIB, 300 * MIB, 1.0)
        assert [f for f in run.report.findings if f.severity != "info"] == []
        if os.geteuid() == 0 and os.environ["DOCKER_HOST"].startswith("unix://"):
            assert (shm.told, shm.free_known) == (False, True)
        # as someone else than root
        monkeypatch.setattr("checks.facts.container_proc.look", lambda *args: None)
        run = check(container)
        shm, host = fact(run, "SharedMemory"), fact(run, "Host")
        assert (shm.size, shm.told, shm.free_known, host.memory, host.cpus) == (80 * MIB, True, False, 300 * MIB, 1.0)
        assert [f for f in run.report.findings if f.severity != "info"] == []


def test_a_paused_container_is_judged_by_the_kernel_or_its_settings(
    docker_client: DockerClient, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_container(docker_client, image, SLEEP, shm_size="80m", mem_limit="300m") as container:
        container.exec_run(["sh", "-c", "head -c 8000000 /dev/zero >/dev/shm/paddle_7777777_x"])
        container.pause()
        run = check(container)
        if os.geteuid() == 0:
            assert [(f.pid, f.size) for f in fact(run, "SharedMemory").stale] == [(7777777, 8003584)]
            assert fact(run, "SharedMemory").free == 80 * MIB - 8003584
        assert (fact(run, "SharedMemory").size, fact(run, "Host").memory, fact(run, "Container").inside) == (80 * MIB, 300 * MIB, True)
        monkeypatch.setattr("checks.facts.container_proc.look", lambda *args: None)
        run = check(container)
        assert (fact(run, "SharedMemory").size, fact(run, "Host").memory, fact(run, "Container").inside) == (80 * MIB, 300 * MIB, True)


def test_who_has_the_shared_memory_is_told_alike(docker_client: DockerClient, image: str) -> None:
    code = (
        "import mmap, time; f = open('/dev/shm/paddle_1_x', 'wb+'); f.truncate(20 << 20)\n"
        "m = mmap.mmap(f.fileno(), 0); m.write(b'x' * (20 << 20)); time.sleep(600)"
    )
    options = {"volumes": host_python(sys.executable)}
    with run_container(docker_client, image, [sys.executable, "-c", code], **options) as container:
        _wait_for(lambda: fact(check(container), "SharedMemory").free < 45 * MIB)
        there, here = inside(container), check(container)
        holders = fact(here, "SharedMemory").holders
        assert [(holder.pid, holder.bytes) for holder in holders] == [(1, 20 * MIB)]
        assert there["facts"]["SharedMemory"]["holders"] == list(msgspec.to_builtins(holders))


def test_shared_memory_of_another_container(docker_client: DockerClient, image: str) -> None:
    with run_container(docker_client, image, SLEEP, shm_size="48m", ipc_mode="shareable") as owner:
        joined = f"container:{owner.name}"
        with run_container(docker_client, image, SLEEP, ipc_mode=joined) as container:
            for _ in range(2):
                run = check(container)
                told = run.report.config.container
                assert told is not None and (told.ipc, told.shm, fact(run, "SharedMemory").size) == (joined, 48 * MIB, 48 * MIB)
                container.stop(timeout=0)


def test_a_folder_of_the_host_over_dev_shm(docker_client: DockerClient, image: str, tmp_path: Path) -> None:
    place = tmp_path / "shm"
    place.mkdir()
    volumes = {str(place): {"bind": "/dev/shm", "mode": "rw"}, **host_python(sys.executable)}
    with run_container(docker_client, image, SLEEP, volumes=volumes) as container:
        run = check(container)
        there = inside(container)["facts"]["SharedMemory"]
        shm = fact(run, "SharedMemory")
        assert (shm.size, shm.filesystem) == (there["size"], there["filesystem"]) and shm.size == os.statvfs(place).f_blocks * os.statvfs(
            place
        ).f_frsize


def test_a_restarting_container_is_met_between_two_runs(docker_client: DockerClient, image: str) -> None:
    options = {"restart_policy": {"Name": "always"}, "shm_size": "72m"}
    with run_container(docker_client, image, ["sh", "-c", "sleep 0.3; exit 1"], **options) as container:
        time.sleep(1.5)
        run = check(container)
        assert fact(run, "SharedMemory").size == 72 * MIB and [f for f in run.report.findings if f.severity != "info"] == []


def test_a_created_container_and_an_image_are_judged_by_what_a_start_would_give(
    docker_client: DockerClient, image: str, tmp_path: Path
) -> None:
    project = Project(tmp_path, "modern", {"train_workers": 8, "train_batch": 64}, train=[(f"train/0/{n}.png", 0) for n in range(2000)])
    big = {f"/work/{path}": (tmp_path / path).read_bytes() for path in (CONFIG, "data/train_list.txt", "data/val_list.txt")}
    with run_container(docker_client, image, SLEEP, start=False, shm_size="1g", mem_limit="2g") as container:
        _put(container, big)
        run = check(container)
        assert (fact(run, "SharedMemory").size, fact(run, "Host").memory, found(run, "ENV101")) == (1 << 30, 2 << 30, [])
    with run_container(docker_client, image, SLEEP, start=False) as container:
        _put(container, big)
        finding = found(check(container), "ENV101")[0]
        assert finding.severity == "error" and finding.location.file == CONFIG
    run = check(image, str(tmp_path / CONFIG), root=str(project.folder))
    assert (fact(run, "SharedMemory").size, found(run, "ENV101")[0].severity) == (64 * MIB, "error")


def _put(container: Container, files: dict[str, bytes]) -> None:
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    assert container.put_archive("/", stream.getvalue())


def test_files_are_those_of_the_container_through_links_and_tmpfs(docker_client: DockerClient, project_files: dict[str, bytes]) -> None:
    image = import_image(docker_client, root_files(project_files), "links", ["WORKDIR /work"])
    script = "mv /work/data /data && ln -s /data /work/data && ln -s ../../../../../../etc/passwd /work/outside && cp -r /work /mem/ && sleep 3600"
    with run_container(docker_client, image, ["sh", "-c", script], tmpfs={"/mem": "size=2g"}) as container:
        time.sleep(0.5)
        run = check(container)
        assert [f for f in run.report.findings if f.severity != "info"] == [], "a link to the data"
        run = check(container, "/mem/work/config.yaml", root="/mem/work")
        assert [f for f in run.report.findings if f.severity != "info"] == [], "files on a tmpfs, which archives do not show"
        run = check(container, CONFIG, "DataLoader.Train.dataset.cls_label_path=outside")
        mirrored = Path(run.diagnosis.config.resolve("outside"))
        assert not mirrored.exists(), "what was copied is gone"
        with contextlib.ExitStack() as keep:
            run = check(container, CONFIG, "DataLoader.Train.dataset.cls_label_path=outside", keep=keep)
            mirrored = Path(run.diagnosis.config.resolve("outside"))
            assert not mirrored.is_symlink() and mirrored.read_text().startswith("root:x:0:0:root:/:/bin/sh"), (
                "the container's own, not ours"
            )
        missing = check(container, CONFIG, "DataLoader.Train.dataset.cls_label_path=data/nothing.txt")
        (finding,) = found(missing, "LAB101")
        assert finding.evidence["nearest"] == "/work/data"


def test_what_is_inside_is_removed_again_also_on_ctrl_c(docker_client: DockerClient, image: str, tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    with run_container(docker_client, image, SLEEP) as container:
        command = [sys.executable, "-m", "paddle_doctor", "check", "--container", container.name, "-c", CONFIG, "--format", "json"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0 and json.loads(done.stdout)["config"]["container"]["name"] == container.name
        assert list(tmp_path.iterdir()) == []
        _put(container, {"/work/data/train_list.txt": b"train/0/0.png 0\n" * 20_000_000})
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path)
        try:
            _wait_for(lambda: any(path.stat().st_size > MIB for path in tmp_path.rglob("train_list.txt")))
            (mirror,) = tmp_path.iterdir()
            assert mirror.stat().st_mode & 0o777 == 0o700
            process.send_signal(2)
            assert process.wait(10) == 130
        finally:
            process.kill()
            process.wait()
        assert list(tmp_path.iterdir()) == []


def _wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_wrong_name_is_refused_with_the_one_that_was_meant(docker_client: DockerClient, image: str) -> None:
    with run_container(docker_client, image, SLEEP, name=f"{SESSION}-trainer") as container:
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        for lang, word in (("en", "Did you mean"), ("zh", "是否指")):
            command = [sys.executable, "-m", "paddle_doctor", "check", "--container", f"{container.name}s", "-c", CONFIG, "--lang", lang]
            done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (2, "") and word in done.stderr and container.name in done.stderr
            # beside it at most what a busy machine is told of
            assert len([line for line in done.stderr.splitlines() if line.startswith("paddle-doctor: ")]) == 1


@pytest.fixture
def podman_socket() -> Iterator[str]:
    """Podman's Docker-compatible service on a socket of its own."""
    if shutil.which("podman") is None or os.geteuid() != 0:
        unavailable("needs Podman (Debian's podman), and root")
    with tempfile.TemporaryDirectory(prefix="podman-", ignore_cleanup_errors=True) as folder:
        socket = os.path.join(folder, "podman.sock")
        storage = ["--root", os.path.join(folder, "root"), "--runroot", os.path.join(folder, "run"), "--storage-driver", "vfs"]
        with open(os.path.join(folder, "log"), "w") as log:
            command = ["podman", *storage, "system", "service", "--time", "0", f"unix://{socket}"]
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                _wait_for(lambda: os.path.exists(socket) or process.poll() is not None)
                yield f"unix://{socket}"
            finally:
                process.terminate()
                process.wait(20)
                time.sleep(1)  # each container's monitor calls Podman once more, which would make the folder anew


def test_podman_answers_as_docker_does(podman_socket: str, project_files: dict[str, bytes]) -> None:
    docker = pytest.importorskip("docker")
    client = docker.DockerClient(podman_socket, timeout=60)
    # Podman's own limits are higher than a container of ours may set
    limits = [docker.types.Ulimit(name=name, soft=1024, hard=1024) for name in ("nofile", "nproc")]
    try:
        import_image(client, root_files(project_files, APPLETS), "project", ["WORKDIR /work"])
        name = client.images.list()[0].id
        for options, size in (({"shm_size": "72m"}, 72 * MIB), ({}, PODMAN_SHM)):
            options = {
                "ulimits": limits,
                "working_dir": "/work",
                "volumes": host_python(sys.executable),
                "stop_signal": "SIGKILL",
                **options,
            }
            with run_container(client, name, SLEEP, start=False, **options) as container:
                run = check(container, docker_host=podman_socket)
                assert (fact(run, "SharedMemory").size, fact(run, "SharedMemory").told) == (size, True)
                assert [f for f in run.report.findings if f.severity != "info"] == []
                container.start()
                container.exec_run(["sh", "-c", "head -c 3000000 /dev/zero >/dev/shm/paddle_999999_left"])
                there, here = inside(container), check(container, docker_host=podman_socket)
                assert list(_differences(there, here)) == []
                assert (fact(here, "Container").runtime, fact(here, "SharedMemory").size) == ("podman", size)
                assert fact(here, "SharedMemory").free == size - 3002368
                container.pause()
                assert fact(check(container, docker_host=podman_socket), "SharedMemory").size == size
    finally:
        client.close()
