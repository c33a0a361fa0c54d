"""Work on a stream by several threads, results in order: numpy lets other threads run while it computes."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

WORKERS = 2
"""More would wait for the one thread that reads and counts."""


def ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map(function, items)`, a few items ahead of whoever takes the results.

    An item's exception is raised where its result would be. With one CPU, items are worked on one after the other.
    """
    workers = min(WORKERS, usable_cpus())
    if workers < 2:
        yield from map(function, items)
        return
    # concurrent.futures would do as well, but its import takes 12 ms
    jobs: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        for item, answer in iter(jobs.get, None):
            try:
                answer.put((function(item), None))
            except BaseException as error:
                answer.put((None, error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    waiting: deque[SimpleQueue[Any]] = deque()
    try:
        for item in items:
            answer: SimpleQueue[Any] = SimpleQueue()
            jobs.put((item, answer))
            waiting.append(answer)
            if len(waiting) > workers:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    finally:
        for _ in threads:
            jobs.put(None)
        for thread in threads:
            thread.join()


def _result(answer: SimpleQueue[Any]) -> Any:
    value, error = answer.get()
    if error is not None:
        raise error
    return value


def usable_cpus() -> int:
    """How many CPUs this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
