"""Runs the user's PaddleClas over a few samples, for `ProbedBatches`.

Nothing else runs the user's code, and this runs it outside: in the user's interpreter, in a process group of its own, with a deadline, without
network and GPU, with its output caught (`probe_worker.py`). What it says is data to be checked, whatever the code between us does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Literal

import msgspec

from checks.facts.base import Request, World
from checks.facts.label_lines import visible
from checks.facts.own_paddleclas import find_checkout
from checks.facts.probed_batches import ProbedArray, ProbedBatch, ProbedBatches, ProbeTrouble
from checks.facts.training_config import TrainingConfig

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe_worker.py")
GREETING = 20.0
"""Seconds within which an interpreter must have begun to run our program."""
MAX_FRAME = 1 << 20
KEPT = 1 << 14
"""How many of the last bytes of its output are kept."""


class _Said(msgspec.Struct, frozen=True):
    """One frame of the program."""

    kind: Literal["hello", "no-paddle", "no-ppcls", "ppcls-raised", "ready", "begun", "batch", "unequal", "raised", "done"]
    split: str = ""
    error: str = ""
    paddle: str = ""
    ppcls: str = ""
    small: tuple[int, ...] = ()
    large: tuple[int, ...] = ()
    fields: tuple[ProbedArray, ...] = ()
    batch_size: int = 0
    batches: int | None = None
    samples: int = 0
    seen: int = 0
    num_workers: int = 0
    shared_memory: bool = False


class Probe:
    """One run of the program."""

    def __init__(self, config: TrainingConfig, request: Request, world: World, splits: list[str], seconds: float) -> None:
        self.config = config
        self.world = world
        self.splits = splits
        self.seconds = seconds
        self.python = interpreter(request.python, world)
        self.roots = list(dict.fromkeys(filter(None, (config.root, find_checkout(config, request, world)))))
        self.said: list[_Said] = []
        self.output = b""
        self.status: int | None = None
        self.late: float | None = None

    def run(self) -> ProbedBatches:
        """Start the program, and make a fact of what it says."""
        import tempfile

        with tempfile.TemporaryDirectory(prefix="paddle-doctor-probe-", ignore_cleanup_errors=True) as scratch:
            try:
                self._talk(scratch)
            except OSError as error:
                return self._result(ProbeTrouble("no-python", {"python": self.python, "error": error.strerror or str(error)}))
        return self._result(self._failure())

    def _talk(self, scratch: str) -> None:
        """Start the program, hear it out, and end whatever is left of it."""
        import marshal
        import subprocess

        order = {
            "seconds": int(self.seconds),
            "roots": self.roots,
            "generation": self.config.generation,
            "splits": self.splits,
            "config": plain(self.config.tree.data),
        }
        told = os.path.join(scratch, "order")
        with open(told, "wb") as stream:
            marshal.dump(order, stream, 2)  # a form that every Python 3 reads
        hears, tells = os.pipe()
        try:
            process = subprocess.Popen(
                [self.python, "-B", PROGRAM, str(tells), told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.config.root,
                env=environment(self.world.environ, scratch),
                pass_fds=(tells,),
                start_new_session=True,
            )
        except BaseException:
            os.close(tells)
            os.close(hears)
            raise
        os.close(tells)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            self._listen(process, hears)
            self.status = process.poll()
        finally:
            end_group(process)
            os.close(hears)
            process.stdout.close()
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _listen(self, process: Any, hears: int) -> None:
        """Read frames and output until the program is done, gone, silent for too long, or the run is given up."""
        import select
        import time

        begin = time.monotonic()
        output = process.stdout.fileno()
        opened = {hears, output}
        data = b""
        ended: float | None = None
        while not (self.said and self.said[-1].kind == "done"):
            now = time.monotonic() - begin
            limit = self.seconds if self.said else GREETING
            if now > limit:
                self.late = limit
                return
            self.world.progress("ProbedBatches", sum(said.kind in ("batch", "unequal", "raised") for said in self.said), len(self.splits))
            ended = ended or (now if process.poll() is not None else None)
            ready, _, _ = select.select(list(opened), [], [], 0.1 if ended is None else 0)
            for handle in ready:
                part = os.read(handle, 1 << 16)
                if not part:
                    opened.discard(handle)
                elif handle == hears:
                    data = self._take(data + part)
                else:
                    self.output = (self.output + part)[-KEPT:]
            if ended is not None and (not ready or now > ended + 1):  # a child of it may hold the pipes open for ever
                return

    def _take(self, data: bytes) -> bytes:
        """Take the whole frames off the front; what is no frame of ours ends the hearing."""
        while len(data) >= 4:
            size = int.from_bytes(data[:4], "little")
            if size > MAX_FRAME:
                raise OSError("garbled answer")
            if len(data) < 4 + size:
                break
            try:
                self.said.append(msgspec.json.decode(data[4 : 4 + size], type=_Said))
            except msgspec.MsgspecError as error:
                raise OSError(f"garbled answer: {error}") from None
            data = data[4 + size :]
        return data

    def _failure(self) -> ProbeTrouble:
        """Why a loader that was not told of has no batch."""
        last = self.said[-1] if self.said else None
        if last is None:
            reason = f"{self.late:.0f} s" if self.late else last_line(self.output)
            return ProbeTrouble("no-python", {"python": self.python, "error": reason})
        if last.kind == "no-paddle":
            return ProbeTrouble("no-paddle", {"python": self.python, "error": clean(last.error)})
        if last.kind == "no-ppcls":
            return ProbeTrouble("no-ppcls", {"python": self.python, "root": self.config.root})
        if last.kind == "ppcls-raised":
            return ProbeTrouble("ppcls-raised", {"python": self.python, "error": clean(last.error)})
        if self.late:
            return ProbeTrouble("late", {"seconds": int(self.late)})
        return ProbeTrouble("ended", {"status": status_of(self.status or 0), "output": last_line(self.output)})

    def _result(self, failure: ProbeTrouble) -> ProbedBatches:
        batches = []
        troubles = dict.fromkeys(self.splits, failure)
        ready = next((said for said in self.said if said.kind == "ready"), None)
        for said in self.said:
            if said.split not in troubles:
                continue
            if said.kind == "batch":
                del troubles[said.split]
                batches.append(
                    ProbedBatch(
                        said.split,
                        said.fields,
                        said.batch_size,
                        said.batches,
                        said.samples,
                        said.seen,
                        said.num_workers,
                        said.shared_memory,
                    )
                )
            elif said.kind == "raised":
                troubles[said.split] = ProbeTrouble("raised", {"split": said.split, "error": clean(said.error)})
            elif said.kind == "unequal":
                troubles[said.split] = ProbeTrouble("unequal", {"split": said.split, "small": _by(said.small), "large": _by(said.large)})
        paddle, ppcls = (ready.paddle, ready.ppcls) if ready else (None, None)
        return ProbedBatches(self.python, paddle, ppcls, tuple(batches), troubles)


def last_line(output: bytes) -> str:
    """The line of a program's output that says what went wrong."""
    text = output.replace(b"\0", b"").decode("utf-8", "replace")
    lines = [line for line in (line.strip() for line in text.splitlines()) if line]
    told = [line for line in lines if "Error" in line] or lines  # PaddlePaddle says more after the line that matters
    return clean(told[-1]) if told else "-"


def interpreter(named: str | None, world: World) -> str:
    """The interpreter that `--python` names, by default this one."""
    if named is None:
        return sys.executable
    named = os.path.expanduser(named)
    return os.path.join(world.cwd, named) if os.sep in named else named


def end_group(process: Any) -> None:
    """End a process that leads a group, and whatever it started: the group is there as long as one of them is."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, 9)
    process.kill()
    process.wait()


def environment(environ: dict[str, str], scratch: str, gpu: bool = False) -> dict[str, str]:
    """The user's, as one process of a training without a GPU has it; what libraries write on the way goes to a folder that is removed."""
    kept = {key: value for key, value in environ.items() if not key.startswith("PADDLE_TRAINER")}
    places = dict.fromkeys(("TMPDIR", "MPLCONFIGDIR", "XDG_CACHE_HOME"), scratch)
    hidden = {} if gpu else {"CUDA_VISIBLE_DEVICES": ""}
    return {**kept, **places, **hidden, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:replace"}


def plain(value: Any) -> Any:
    """A config of what marshal knows: dates become text."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return type(value)(plain(item) for item in value)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)) or value is Ellipsis:
        return value
    return str(value)


def status_of(code: int) -> str:
    """How a process ended: `exit 1`, or the name of the signal."""
    import signal

    try:
        return signal.Signals(-code).name if code < 0 else f"exit {code}"
    except ValueError:  # a real-time signal
        return f"signal {-code}"


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def clean(text: str) -> str:
    """A text in one line, without what would steer a terminal."""
    return visible(" ".join(text.split()), 300)
