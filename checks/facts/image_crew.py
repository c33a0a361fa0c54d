"""Many image files at once, on all usable CPUs: in worker processes and, where nothing is decoded, in this one too."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from checks.facts.image_look import Look
from checks.facts.image_worker import Seen, see

MANY = 20_000
"""Up to so many files are looked at in this process: starting others takes as long."""
FRAME = 500
PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "image_worker.py")
PATIENCE = 20.0
"""Seconds that a frame of files may take, and then each of them alone."""


def usable_cpus() -> int:
    """The CPUs that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def see_all(paths: Sequence[str], full: bool, tell: Callable[[int], None], cpus: int | None = None) -> tuple[list[Seen], list[str]]:
    """What each file is, in order, and with `full` the names of the decoders that were used.

    `tell` hears how many are done, and may raise to end the work.
    """
    if not full and len(paths) <= MANY:
        found = []
        for number, path in enumerate(paths):
            if number % 500 == 0:
                tell(number)
            found.append(see(path))
        return found, []
    size = min(cpus or usable_cpus(), max(1, len(paths) // 16))
    return _Crew(paths, full, tell, size if full else size - 1).run()


class _Crew:
    """Hands out files to workers and takes their results; a worker that dies or hangs costs the file it had at hand."""

    def __init__(self, paths: Sequence[str], full: bool, tell: Callable[[int], None], size: int) -> None:
        self.paths = paths
        self.full = full
        self.tell = tell
        self.size = size
        self.results: list[Seen | None] = [None] * len(paths)
        self.next = 0
        self.done = 0
        self.decoders: list[str] = []
        self.refused: BaseException | None = None
        self.frame = 16 if full else FRAME

    def run(self) -> tuple[list[Seen], list[str]]:
        import threading

        self.lock = threading.Lock()
        threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.size)]
        for thread in threads:
            thread.start()
        try:
            while not self.full and (mine := self._take()):  # this process takes its share, and need not be started first
                self.results[mine.start : mine.stop] = [see(self.paths[index]) for index in mine]
                self.done += len(mine)
                self.tell(self.done)
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.05)
                    self.tell(self.done)
            self.tell(self.done)
        except BaseException:  # Ctrl-C as well: the threads see it and end their workers
            self.next = len(self.paths)
            self.refused = InterruptedError()
            raise
        if self.refused is not None:
            raise self.refused
        return [seen if seen is not None else (Look("died"), 0, 0, 0) for seen in self.results], self.decoders

    def _take(self) -> range:
        with self.lock:
            begin = self.next
            self.next = min(len(self.paths), begin + self.frame)
            return range(begin, self.next)

    def _serve(self) -> None:
        worker: _Worker | None = None
        looks: dict[tuple[Any, ...], Look] = {}
        try:
            while mine := self._take():
                parts = [mine]
                while parts and self.refused is None:
                    part = parts.pop()
                    if worker is None:
                        worker = _Worker(self.full)
                        if self.full:
                            self.decoders = worker.receive() or self.decoders
                    worker.send([self.paths[index] for index in part])
                    rows = worker.receive()
                    if rows is None:  # it hung or died over one of these files: which one shows when they go one by one
                        fault = "slow" if worker.hung else "died"
                        worker.stop()
                        worker = None
                        if len(part) > 1:
                            parts += [range(index, index + 1) for index in reversed(part)]
                            continue
                        rows = [((fault, "", 0, 0, "", 1), 0, 0, 0)]
                    for index, (look, *rest) in zip(part, rows, strict=True):
                        # most files of a list are alike, and a tuple that is known costs less than a new one
                        self.results[index] = (looks.get(look) or looks.setdefault(look, Look(*look)), *rest)
                    self.done += len(part)
        except Exception as error:  # raised again by `run`, in the thread that waits for it
            self.refused = error
        finally:
            if worker is not None:
                worker.stop()


class _Worker:
    """One worker process and its two pipes."""

    def __init__(self, full: bool) -> None:
        import subprocess

        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, "full"] if full else [sys.executable, "-S", PROGRAM, "quick"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.hung = False

    def send(self, paths: list[str]) -> None:
        """Hand over a frame of files."""
        import marshal

        assert self.process.stdin is not None
        data = marshal.dumps(paths)
        with contextlib.suppress(OSError):  # it may have died, which `receive` will see
            self.process.stdin.write(len(data).to_bytes(4, "little") + data)
            self.process.stdin.flush()

    def receive(self) -> Any:
        """The next frame; None where it did not come in time or the process is gone."""
        import marshal

        start = self._read(4)
        data = self._read(int.from_bytes(start, "little")) if start else None
        return marshal.loads(data) if data is not None else None

    def _read(self, count: int) -> bytes | None:
        import select

        assert self.process.stdout is not None
        handle = self.process.stdout.fileno()
        data = b""
        while len(data) < count:
            ready, _, _ = select.select([handle], [], [], PATIENCE)
            if not ready:
                self.hung = True
                return None
            part = os.read(handle, count - len(data))
            if not part:
                return None
            data += part
        return data

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
