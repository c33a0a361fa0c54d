"""Runs the two programs that the user names, as the user would, and reads what they print.

Only on request (`--scripts`): each in a process group of its own that is ended at its deadline, with its output caught.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
import time
from typing import Any, Literal

from checks.facts.base import Request, World
from checks.facts.label_lines import visible
from checks.facts.parity import Trouble
from checks.facts.printed_pair import PrintedSide
from checks.facts.printed_results import clean, read_results
from checks.facts.probe_run import end_group, status_of

KEPT = 64 << 20
"""Bytes of a program's output that are kept: the first."""
TAIL = 1 << 16
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PYTHON = re.compile(r"python(3(\.\d+)?)?$")
_SAYS = re.compile(r"\w*(Error|Exception)\b|bad_alloc|\bFatal\b|\berror:|Segmentation fault|\bAborted\b|\bKilled\b")


class Command:
    """A command as it is typed: `cd deploy && FLAG=0 python python/predict_cls.py -c cfg.yaml`, without any other shell syntax.

    Raises:
        ValueError: quotes that are not closed, or nothing to run.
    """

    def __init__(self, text: str, python: str | None, world: World, fill: dict[str, str]) -> None:
        words = shlex.split(text)
        self.cwd = world.cwd
        if len(words) > 3 and words[0] == "cd" and words[2] == "&&":
            self.cwd, words = os.path.join(world.cwd, os.path.expanduser(words[1])), words[3:]
        self.environ = {}
        while words and _ASSIGNMENT.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            self.environ[name] = value
        if not words:
            raise ValueError("nothing to run")
        named = None if python is None else os.path.expanduser(python)
        interpreter = sys.executable if named is None else os.path.join(world.cwd, named) if os.sep in named else named
        if words[0].endswith(".py"):
            words.insert(0, interpreter)
        elif _PYTHON.match(words[0]) and python is not None:
            words[0] = interpreter
        for name, value in fill.items():
            words = [word.replace("{" + name + "}", value) for word in words]
        self.words = words


def run_scripts(scripts: tuple[str, ...], seconds: float, request: Request, world: World) -> tuple[PrintedSide, PrintedSide]:
    """Run both, one after the other: two at once would make each other late."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="paddle-doctor-parity-", ignore_cleanup_errors=True) as scratch:
        fill = _fill(request, world, scratch)
        sides = []
        for number, role in enumerate(("train", "deploy")):
            world.progress("PrintedPair", number, 2)
            sides.append(run_side(role, scripts[number], seconds, request.python, world, fill))  # type: ignore[arg-type]  # one of the roles
        return sides[0], sides[1]


def _fill(request: Request, world: World, scratch: str) -> dict[str, str]:
    """What `{images}`, `{config}` and their like stand for."""
    given = {
        "config": request.config,
        "weights": request.weights,
        "model": request.inference_model,
        "deploy_config": request.deploy_config,
    }
    fill = {name: os.path.abspath(world.locate(value)) for name, value in given.items() if value is not None}
    images = [os.path.abspath(world.locate(path)) for path in (request.parity.images if request.parity else ())]
    if len(images) == 1:
        fill["images"] = images[0]
    elif images:
        # the programs take one file or one folder
        for path in images:
            with contextlib.suppress(OSError):
                os.symlink(path, os.path.join(scratch, os.path.basename(path.rstrip(os.sep))))
        fill["images"] = scratch
    return fill


def run_side(
    role: Literal["train", "deploy"], text: str, seconds: float, python: str | None, world: World, fill: dict[str, str] | None = None
) -> PrintedSide:
    """Run one program to its end or its deadline, and read its results."""
    try:
        command = Command(text, python, world, fill or {})
    except ValueError as error:
        return PrintedSide(role, "script", text, trouble=Trouble("no-program", {"error": str(error)}))
    try:
        output, status, took = _run(command, seconds, world)
    except OSError as error:
        told = f"{error.filename or command.words[0]}: {error.strerror or error}"
        return PrintedSide(role, "script", text, trouble=Trouble("no-program", {"error": told}))
    said = output.decode("utf-8", "replace")
    results, last = read_results(said), decisive_line(said)
    trouble = None
    if status is None:
        trouble = Trouble("late", {"seconds": int(seconds), "output": last, "images": len(results.printed)})
    elif status != 0:
        trouble = Trouble("ended", {"status": status_of(status), "output": last, "images": len(results.printed)})
    elif not results.printed:
        trouble = Trouble("no-results", {"lines": results.lines, "output": last})
    return PrintedSide(role, "script", text, results, trouble, None if status is None else status_of(status), last, took)


def _run(command: Command, seconds: float, world: World) -> tuple[bytes, int | None, float]:
    """Output, exit status (None: it was ended at its deadline), and seconds."""
    import subprocess

    begin = time.monotonic()
    environ = {**world.environ, **command.environ, "PYTHONIOENCODING": "utf-8:replace", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command.words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=command.cwd,
        env=environ,
        start_new_session=True,
    )
    try:
        output, late = _listen(process, begin + seconds, world)
        return output, None if late else process.wait(), time.monotonic() - begin
    finally:
        end_group(process)
        assert process.stdout is not None
        process.stdout.close()


def _listen(process: Any, deadline: float, world: World) -> tuple[bytes, bool]:
    """Read until the process has ended, or is late; its first bytes, and behind a gap its last."""
    import select

    kept, tail = bytearray(), b""
    handle = process.stdout.fileno()
    ended: float | None = None
    late = False
    while True:
        now = time.monotonic()
        if world.cancelled:
            world.progress("PrintedPair", 0, 2)
        if process.poll() is not None:
            ended = ended or now
        elif now > deadline:
            late = True
            break
        ready, _, _ = select.select([handle], [], [], 0.1 if ended is None else 0)
        part = os.read(handle, 1 << 16) if ready else b""
        if len(kept) < KEPT:
            kept += part
        else:
            tail = (tail + part)[-TAIL:]
        if ended is not None and (not part or now > ended + 1):  # a child of it may hold the pipe open for ever
            break
        if ready and not part and ended is None:
            time.sleep(0.05)  # it closed its output and goes on
    return bytes(kept) + (b"\n" + tail if tail else b""), late


def decisive_line(text: str) -> str:
    """The line of an output that says most of why it ended: the last with an error's name, else the last."""
    lines = [line for line in (line.strip() for line in clean(text[-TAIL:]).splitlines()) if line]
    told = [line for line in lines if _SAYS.search(line)] or lines
    return visible(" ".join(told[-1].split()), 300) if told else "-"
