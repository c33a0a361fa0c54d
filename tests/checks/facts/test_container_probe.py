"""The script that is run inside a container, in the shells of this machine, and how its output is read."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.container_probe import Look, Names, Probe, SharedFile, Space, command, parse, space_of
from checks.facts.shm_holders import still_runs

SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0])]


def run(shell: list[str], path: str | None = None, **asked: list[str]) -> Probe:
    """What the script tells of this machine."""
    words, token = command(**asked)  # type: ignore[arg-type]  # look, list_names, measure
    program = [shutil.which(shell[0]) or shell[0], *shell[1:]]
    environ = {**os.environ, **({} if path is None else {"PATH": path})}
    done = subprocess.run([*program, *words[1:]], capture_output=True, check=False, env=environ, timeout=60)
    probe = parse(done.stdout, token)
    assert probe is not None and probe.complete, done.stderr
    return probe


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_tells_the_same(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "日本").write_text("")
    folder = str(tmp_path)
    probe = run(
        shell, look=[f"{folder}/a b", f"{folder}/file.txt", f"{folder}/none", f"{folder}/gone"], list_names=[folder], measure=[folder]
    )
    assert probe.looks[f"{folder}/a b"] == Look("folder", True, True, True)
    assert probe.looks[f"{folder}/file.txt"] == Look("file", True, True, False)
    assert probe.looks[f"{folder}/none"].kind == "nothing" and probe.looks[f"{folder}/gone"].kind == "link"
    assert probe.names[folder] == Names({"a b": True, "file.txt": False, "gone": False, "日本": False, ".hidden": False}, True)
    stats = os.statvfs(folder)
    assert probe.spaces[folder].size == stats.f_blocks * stats.f_frsize
    assert abs(probe.spaces[folder].free - stats.f_bavail * stats.f_frsize) < 1 << 30
    assert " - " in probe.files["/proc/self/mountinfo"] and "MemTotal" in probe.files["/proc/meminfo"]
    assert "Cpus_allowed_list" in probe.files["/proc/self/status"]
    assert probe.home == os.environ.get("HOME")


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_what_a_zombie_left_belongs_to_nobody(shell: list[str]) -> None:
    with subprocess.Popen(["sleep", "0"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked after it
        names = {f"paddle_{pid}_shell_{shell[0]}": pid == os.getpid() for pid in (child.pid, os.getpid())}
        try:
            for name in names:
                Path("/dev/shm", name).write_bytes(b"x" * 5000)
            assert {file.name: file.alive for file in run(shell).shared if file.name in names} == names
            assert not still_runs(f"/proc/{child.pid}") and still_runs(f"/proc/{os.getpid()}") and not still_runs("/proc/none")
        finally:
            for name in names:
                Path("/dev/shm", name).unlink(missing_ok=True)


@pytest.mark.parametrize("shell", [shell for shell in SHELLS if shell[0] != "busybox"], ids=lambda shell: shell[0])
def test_without_any_program_the_shell_tells_what_it_can(shell: list[str], tmp_path: Path) -> None:
    folder = str(tmp_path)
    bare, full = (run(shell, path, look=[folder], list_names=[folder], measure=[folder]) for path in (folder, None))
    assert bare.files.keys() == full.files.keys() and bare.files["/proc/self/cgroup"] == full.files["/proc/self/cgroup"]
    assert bare.spaces == {} and bare.looks == full.looks and bare.names == full.names


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_packages_are_found_beside_the_interpreter(shell: list[str], tmp_path: Path) -> None:
    site = tmp_path / "lib" / "python3.9" / "site-packages"
    for name in ("paddlepaddle_gpu-2.6.2.dist-info", "numpy-1.2.dist-info", "paddle", "other"):
        (site / name).mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "bin" / "python3").chmod(0o755)
    probe = run(shell, f"{tmp_path}/bin:{os.environ['PATH']}")
    assert probe.python[f"{tmp_path}/bin/python3"][0] == str(site)
    assert set(probe.packages[str(site)]) == {"paddlepaddle_gpu-2.6.2.dist-info", "numpy-1.2.dist-info", "paddle"}


def test_many_names_are_cut_and_said_to_be(tmp_path: Path) -> None:
    for number in range(600):
        (tmp_path / f"{number}").write_text("")
    names = run(SHELLS[0], list_names=[str(tmp_path)]).names[str(tmp_path)]
    assert len(names.folders) == 500 and not names.all


def test_output_in_parts() -> None:
    text = (
        "noise @t file x\n@t file /proc/meminfo\nMemTotal: 1 kB\n@tx no\n\n@t exists /.dockerenv\n@t space /dev/shm\n4096 16384 100\n"
        "@t shm\ngone ? paddle_7_a\nalive ? paddle_1_b c\nodd\n"
        "@t blocks\n16 /dev/shm/paddle_7_a\n3 /dev/shm/other\nx\n@t path drw- /a b\n@t path zz /c\n@t init docker\n@t end"
    )
    probe = parse(text.encode(), "@t")
    assert probe is not None
    assert probe.files == {"/proc/meminfo": "MemTotal: 1 kB\n@tx no\n"} and probe.exists == {"/.dockerenv"}
    assert probe.spaces == {"/dev/shm": Space(4096 * 16384, 409600)}
    assert probe.shared == (SharedFile("paddle_7_a", 8192, False), SharedFile("paddle_1_b c", None, True))
    assert probe.looks == {"/a b": Look("folder", True, True, False)} and probe.init == "docker" and probe.complete
    cut = parse(text.encode()[:-4], "@t")
    assert cut is not None and not cut.complete
    assert parse(b"", "@t") is None and parse(b"sh: not found\n", "@t") is None


@pytest.mark.parametrize(
    "text, expected",
    [
        ("4096 16384 16000\n", Space(67108864, 65536000)),
        ("Filesystem 1K-blocks Used Available Use% Mounted on\nshm 65536 0 65536 0% /dev/shm\n", Space(67108864, 67108864)),
        (
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/mapper/a-very-long-name\n 100 40 60 40% /\n",
            Space(102400, 61440),
        ),
        ("x 0 0 0 - /dev/shm\n", Space(0, 0)),
        ("x 100 101 -1 101% /dev/shm\n", Space(102400, 0)),
        ("", None),
        ("df: /x: no such file\n", None),
    ],
)
def test_sizes_of_stat_and_df(text: str, expected: Space | None) -> None:
    assert space_of(text) == expected


@given(st.binary(max_size=400) | st.text(max_size=400).map(lambda text: ("@t " + text.replace("|", "\n@t ")).encode("utf-8", "replace")))
def test_any_output_is_read_or_none(output: bytes) -> None:
    probe = parse(output, "@t")
    assert probe is None or all(space.size >= 0 for space in probe.spaces.values())
