"""Programs of the user's, run with a deadline: what they print, and what becomes of those that crash, hang or print nothing."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from checks.facts.base import ParityRequest, Request, World
from checks.facts.printed_pair import collect_printed_pair
from checks.facts.probe_run import status_of
from checks.facts.script_run import Command, decisive_line, run_scripts, run_side
from tests.ladders import lines

GOOD = lines((0, 0.9), (1, 0.8))


def script(folder: Path, body: str, name: str = "infer.py") -> str:
    (folder / name).write_text(body)
    return name


def test_a_program_that_works(tmp_path: Path) -> None:
    found = run_side("train", script(tmp_path, f"print({GOOD!r})"), 30, None, World(cwd=str(tmp_path)))
    assert (len(found.results.printed), found.trouble, found.status) == (2, None, "exit 0")


@pytest.mark.parametrize(
    ("body", "kind", "values"),
    [
        ("import os; print('hello'); os.kill(os.getpid(), 11)", "ended", {"status": "SIGSEGV", "output": "hello"}),
        (
            "print('a')\nraise ValueError('Not find predictor_id 0')",
            "ended",
            {"status": "exit 1", "output": "ValueError: Not find predictor_id 0"},
        ),
        ("print('garbage \\x00\\x1b[31m here')", "no-results", {"output": "garbage here"}),
        ("", "no-results", {"output": "-"}),
    ],
)
def test_a_program_that_gives_no_result(tmp_path: Path, body: str, kind: str, values: dict[str, str]) -> None:
    found = run_side("train", script(tmp_path, body), 30, None, World(cwd=str(tmp_path)))
    assert found.trouble is not None
    assert found.trouble.kind == kind
    assert values.items() <= found.trouble.values.items()


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    body = f"import os, time\nprint({GOOD!r}, flush=True)\npid = os.fork()\nif pid: open('pid', 'w').write(str(pid))\ntime.sleep(1000)"
    begin = time.monotonic()
    found = run_side("train", script(tmp_path, body), 3, None, World(cwd=str(tmp_path)))
    assert time.monotonic() - begin < 30
    assert found.trouble is not None
    assert (found.trouble.kind, found.trouble.values["images"], found.status) == ("late", 2, None)
    for _ in range(100):
        try:
            os.kill(int((tmp_path / "pid").read_text()), 0)
        except ProcessLookupError:
            break
        stat = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail("its child lives on")


def test_a_child_that_holds_the_output_open_holds_nothing_up(tmp_path: Path) -> None:
    body = f"import os, time\nprint({GOOD!r}, flush=True)\nif os.fork() == 0: time.sleep(1000)"
    begin = time.monotonic()
    found = run_side("train", script(tmp_path, body), 60, None, World(cwd=str(tmp_path)))
    assert time.monotonic() - begin < 40
    assert (found.trouble, len(found.results.printed)) == (None, 2)


def test_commands_are_read_as_they_are_typed(tmp_path: Path) -> None:
    world = World(cwd=str(tmp_path))
    command = Command(
        "cd deploy && FLAGS_enable_pir_api=0 python3 python/predict_cls.py -o 'a b={images}'", "/venv/bin/python", world, {"images": "/i"}
    )
    assert command.cwd == str(tmp_path / "deploy")
    assert command.environ == {"FLAGS_enable_pir_api": "0"}
    assert command.words == ["/venv/bin/python", "python/predict_cls.py", "-o", "a b=/i"]
    assert Command("a.py", None, world, {}).words == [sys.executable, "a.py"]
    assert Command("build/clas_system -c x", "/venv/bin/python", world, {}).words[0] == "build/clas_system"
    for wrong in ("", "A=1", "'open"):
        with pytest.raises(ValueError):
            Command(wrong, None, world, {})


@pytest.mark.parametrize("text", ["'open", "no-such-program-of-ours x", "cd nowhere && ls"])
def test_a_command_that_cannot_be_started(tmp_path: Path, text: str) -> None:
    found = run_side("train", text, 5, None, World(cwd=str(tmp_path)))
    assert found.trouble is not None
    assert found.trouble.kind == "no-program"
    assert found.trouble.values["error"]


def test_both_sides_are_run_and_matched(tmp_path: Path) -> None:
    body = "import os, sys\nfor name in sorted(os.listdir(sys.argv[1])): print(name + ':\\tclass id(s): [1], score(s): [0.90], label_name(s): []')"
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    command = f"{script(tmp_path, body)} {{images}}"
    asked = ParityRequest(images=("a.jpg", "b.jpg"), seconds=30, scripts=(command, command))
    world = World(cwd=str(tmp_path))
    pair = collect_printed_pair(Request("cfg.yaml", parity=asked), world)
    assert ([m.file for m in pair.matched], pair.by) == (["a.jpg", "b.jpg"], "path")
    one, other = run_scripts(
        asked.scripts, 30, Request("cfg.yaml", parity=ParityRequest(images=(str(tmp_path),), scripts=asked.scripts)), world
    )
    assert len(one.results.printed) == len(other.results.printed) == 3


def test_the_line_that_says_most() -> None:
    assert decisive_line("a\nImportError: x\nmore\n") == "ImportError: x"
    assert decisive_line("a\n\x1b[31mlast\x1b[0m\n\n") == "last"
    assert decisive_line("terminate called after throwing an instance of 'std::bad_alloc'\nC++ Traceback\n").startswith("terminate")
    assert decisive_line("") == "-"
    assert (status_of(1), status_of(-11), status_of(-200)) == ("exit 1", "SIGSEGV", "signal 200")
