"""The command as a user starts it: in a process of its own, or, where that makes no difference, in this one."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import paddle_doctor

SCRIPT = os.path.join(os.path.dirname(sys.executable), "paddle-doctor")
"""The installed console script."""

_UNSET = ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH", "CUDA_VISIBLE_DEVICES")


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would change the output, and with `extra`."""
    kept = {key: value for key, value in os.environ.items() if key not in _UNSET}
    return {**kept, "PYTHONIOENCODING": "utf-8", "COLUMNS": "80", **extra}


class Said(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON."""
        return json.loads(self.out)

    def refused(self, *names: str) -> str:
        """The one line on stderr with which a request is refused; asserts that it is one and names `names`."""
        assert self.status == 2, self
        assert self.out == ""
        assert self.err.count("\n") == 1 and self.err.endswith("\n"), self.err
        assert "Traceback" not in self.err
        for name in names:
            assert name in self.err, (name, self.err)
        return self.err


def start(
    *arguments: str | bytes,
    cwd: Path | str,
    env: Mapping[str, str] | None = None,
    program: tuple[str, ...] = (SCRIPT,),
    before: Callable[[], None] | None = None,
    timeout: float = 60,
) -> Said:
    """Run the installed command in a process of its own; one that does not end within `timeout` seconds fails the test."""
    done = subprocess.run(
        [*program, *arguments],
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        preexec_fn=before,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def without_root_rights() -> None:
    """In a child before its program starts: root may no longer read what the file's mode forbids."""
    if os.getuid() == 0:
        drop, dac_override, dac_read_search = (
            24,
            1,
            2,
        )  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH (linux/prctl.h, capability.h)
        for capability in (dac_override, dac_read_search):
            ctypes.CDLL(None).prctl(drop, capability, 0, 0, 0)


class Caller:
    """Runs the command line in this process, started in `cwd`."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, cwd: Path) -> None:
        self.capsys = capsys
        self.monkeypatch = monkeypatch
        self.cwd = cwd
        for name in _UNSET:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("COLUMNS", "80")

    def __call__(self, *arguments: str) -> Said:
        self.monkeypatch.chdir(self.cwd)
        self.capsys.readouterr()
        try:
            status = paddle_doctor.main(arguments)
        except SystemExit as end:
            assert isinstance(end.code, int)
            status = end.code
        out, err = self.capsys.readouterr()
        return Said(int(status), out, err)
