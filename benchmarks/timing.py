"""Timing of whole processes, side by side: every round runs each case once, so a slow moment of the machine hits all of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence


def rounds(cases: Mapping[str, Sequence[str]], count: int, base: str, cwd: str | None = None) -> list[tuple[str, float, float, float]]:
    """Run each command `count` times after a warm-up.

    Returns:
        For each case its name, the median of its seconds, the median of its ratio to `base` in the same round, and its peak memory in MiB.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    memory = dict.fromkeys(cases, 0.0)
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    for number in range(count + 1):
        for name, command in cases.items():
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cwd, env=environ)
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            if number:
                seconds[name].append(time.perf_counter() - start)
                memory[name] = max(memory[name], usage.ru_maxrss / 1024)
    return [
        (
            name,
            statistics.median(times),
            statistics.median(t / b for t, b in zip(times, seconds[base], strict=True)),
            memory[name],
        )
        for name, times in seconds.items()
    ]


def table(rows: list[tuple[str, float, float, float]], base: str) -> str:
    """The rows as Markdown."""
    lines = [f"| case | median s | × `{base}` | peak MiB |", "| --- | --- | --- | --- |"]
    lines += [f"| {name} | {seconds:.3f} | {ratio:.2f} | {memory:.0f} |" for name, seconds, ratio, memory in rows]
    return "\n".join(lines)
