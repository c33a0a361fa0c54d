"""One side of `Parity` in the user's interpreter: starts its program, gives it commands, and ends it.

As for `ProbedBatches`: a process group of its own, without network, its output caught, with a deadline for every step. What it says is data to be
checked, whatever the code between us does.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from checks.facts.parity import Trouble
from checks.facts.probe_run import GREETING, KEPT, end_group, last_line, status_of
from checks.facts.probe_run import clean as clean_text

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "parity_worker.py")
MAX_FRAME = 1 << 22


class RankedSaid(msgspec.Struct, frozen=True):
    """A result as the program tells it."""

    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    names: tuple[str, ...] = ()


class Said(msgspec.Struct, frozen=True):
    """One frame of the program."""

    kind: Literal["hello", "begun", "no-paddle", "no-ppcls", "no-deploy", "raised", "ready", "answer"]
    stage: str = ""
    error: str | None = None
    paddle: str | None = None
    code: str | None = None
    stand_in: bool = False
    device: str = "cpu"
    loaded: str | None = None
    names: str | None = None
    repairs: tuple[tuple[str, str], ...] = ()
    broken: tuple[str, str] | None = None
    post_process: str | None = None
    topk: Any = None
    arrays: dict[str, str] = {}
    bytes: tuple[int, str] | None = None
    unread: bool = False
    result: RankedSaid | None = None
    activations: tuple[str, ...] = ()
    seconds: float = 0.0
    none: bool = False
    equal: int = 0
    near: int = 0
    unlike: int = 0
    missing: int = 0
    train: int = 0
    deploy: int = 0
    extra: int = 0
    dtypes: tuple[str, ...] = ()
    train_fresh: bool | None = None
    deploy_fresh: bool | None = None
    fused: bool = False
    pairs: tuple[dict[str, Any], ...] = ()


class Gone(Exception):
    """The program cannot answer any more."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.kind)
        self.trouble = trouble


class SideProcess:
    """One run of the program. `poll` is called while it is waited for, and may raise to give the run up."""

    def __init__(
        self, python: str, order: dict[str, Any], cwd: str, environ: dict[str, str], seconds: float, poll: Callable[[], None]
    ) -> None:
        self.python = python
        self.order = order
        self.cwd = cwd
        self.environ = environ
        self.seconds = seconds
        self.poll = poll
        self.output = b""
        self.paddle: str | None = None
        self.stage = "python"
        self.process: Any = None
        self.gone = False
        self._data = b""
        self._hears = self._tells = -1

    def start(self) -> None:
        """Start it; `ready` says whether it came to life.

        Raises:
            Gone: there is no such interpreter.
        """
        import subprocess

        told = self._write()
        self._hears, tells = os.pipe()
        hears, self._tells = os.pipe()
        try:
            self.process = subprocess.Popen(
                [self.python, "-B", PROGRAM, str(tells), str(hears), told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.cwd,
                env=self.environ,
                pass_fds=(tells, hears),
                start_new_session=True,
            )
        except OSError as error:
            raise Gone(Trouble("no-python", {"python": self.python, "error": error.strerror or str(error)})) from None
        finally:
            os.close(tells)
            os.close(hears)
        threading.Thread(target=self._drain, args=(self.process.stdout,), name="parity-output", daemon=True).start()

    def _write(self) -> str:
        import marshal

        told = os.path.join(self.order["folder"], f"order-{self.order['side']}")
        with open(told, "wb") as stream:
            marshal.dump(self.order, stream, 2)
        return told

    def again(self, order: dict[str, Any]) -> None:
        """Have the same side built from another order, with all that is imported in place; `ready` says whether it came to life."""
        self.order = {**order, "folder": self.order["folder"]}
        self._write()
        self.tell("again")

    def ready(self) -> Said:
        """What it says once everything is built.

        Raises:
            Gone: it will never be.
        """
        limit = GREETING
        while True:
            said = self._next(limit)
            limit = self.seconds
            self.paddle = said.paddle or self.paddle
            if said.kind == "ready":
                self.stage = "idle"
                return said
            if said.kind in ("hello", "begun"):
                self.stage = said.stage or self.stage
                continue
            values = {"python": self.python, "stage": said.stage, "error": clean_text(said.error or ""), "root": self.cwd}
            raise Gone(Trouble(said.kind, values))

    def tell(self, do: str, **values: Any) -> None:
        """Give a command; `hear` has the answer.

        Raises:
            Gone: it is not there any more.
        """
        self.stage = do
        data = msgspec.json.encode({"do": do, **values})
        try:
            os.write(self._tells, len(data).to_bytes(4, "little") + data)
        except OSError:
            self.gone = True
            raise Gone(self._ended()) from None

    def hear(self) -> Said:
        """The answer to the last command.

        Raises:
            Gone: it ended, or takes too long.
        """
        try:
            return self._next(self.seconds)
        except Gone:
            self.gone = True
            raise

    def ask(self, do: str, **values: Any) -> Said:
        """Give a command and wait for the answer."""
        self.tell(do, **values)
        return self.hear()

    def end(self) -> None:
        """End it and all that it started."""
        for handle in (self._tells, self._hears):
            if handle >= 0:
                with contextlib.suppress(OSError):
                    os.close(handle)
        self._tells = self._hears = -1
        if self.process is None:
            return
        end_group(self.process)
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _drain(self, stream: Any) -> None:
        with contextlib.suppress(OSError, ValueError), stream:
            while part := os.read(stream.fileno(), 1 << 16):
                self.output = (self.output + part)[-KEPT:]

    def _next(self, limit: float) -> Said:
        import select

        begin = time.monotonic()
        while True:
            frame = self._frame()
            if frame is not None:
                return frame
            self.poll()
            ready, _, _ = select.select([self._hears], [], [], 0.1)
            if ready:
                part = os.read(self._hears, 1 << 16)
                if not part:
                    raise Gone(self._ended())
                self._data += part
            elif self.process.poll() is not None:
                raise Gone(self._ended())
            elif time.monotonic() - begin > limit:
                raise Gone(Trouble("late", {"stage": self.stage, "seconds": int(limit), "python": self.python}))

    def _frame(self) -> Said | None:
        if len(self._data) < 4:
            return None
        size = int.from_bytes(self._data[:4], "little")
        if size > MAX_FRAME:
            raise Gone(Trouble("garbled", {"stage": self.stage, "python": self.python, "error": f"{size} B"}))
        if len(self._data) < 4 + size:
            return None
        data, self._data = self._data[4 : 4 + size], self._data[4 + size :]
        try:
            return msgspec.json.decode(data, type=Said)
        except msgspec.MsgspecError as error:
            raise Gone(Trouble("garbled", {"stage": self.stage, "python": self.python, "error": str(error)})) from None

    def _ended(self) -> Trouble:
        with contextlib.suppress(Exception):
            self.process.wait(5)
        time.sleep(0.05)  # what it printed last may still be on its way
        values = {
            "stage": self.stage,
            "status": status_of(self.process.poll() or 0),
            "output": last_line(self.output),
            "python": self.python,
        }
        return Trouble("ended", values)
