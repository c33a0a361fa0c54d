"""What another program makes of each file of a folder: `PYTHON corpus_verdicts.py paddle|fickling|picklescan FOLDER [MARK]` prints JSON.

It runs on the interpreter that has the program. Each file is looked at in a process of its own, with limits of time and memory, for some are made
to take both. With `paddle`, the files are really loaded: only for a corpus whose payloads are harmless.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time

SECONDS = 6
MEMORY = 3 << 30


def main() -> None:
    tool, folder = sys.argv[1], sys.argv[2]
    mark = sys.argv[3] if len(sys.argv) > 3 else ""
    look = {"paddle": of_paddle, "fickling": of_fickling, "picklescan": of_picklescan}[tool]()
    found = {}
    for name in sorted(os.listdir(folder)):
        if mark and os.path.exists(mark):
            os.rmdir(mark) if os.path.isdir(mark) else os.remove(mark)
        started = time.perf_counter()
        verdict = in_child(look, os.path.join(folder, name))
        found[name.rpartition(".")[0]] = {
            "verdict": verdict,
            "seconds": round(time.perf_counter() - started, 2),
            "ran": bool(mark) and os.path.exists(mark),
        }
    print(json.dumps(found))


def in_child(look, path):
    """The verdict as text; `killed` where the limits ended it."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        out = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(out, stream)
        with open("/proc/self/statm") as stream:
            used = int(stream.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            verdict = look(path)
        except BaseException as error:
            verdict = type(error).__name__
        with contextlib.suppress(OSError):
            os.write(theirs, verdict.encode()[:500])
        os._exit(0)
    os.close(theirs)
    with open(ours, "rb") as stream:
        verdict = stream.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    if verdict:
        return verdict
    return f"killed by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


def of_paddle():
    import paddle

    def look(path):
        return f"returns {type(paddle.load(path)).__name__}"

    return look


def of_fickling():
    from fickling.analysis import check_safety
    from fickling.fickle import Pickled

    def look(path):
        with open(path, "rb") as stream:
            return check_safety(Pickled.load(stream)).severity.name

    return look


def of_picklescan():
    from picklescan.scanner import scan_file_path

    def look(path):
        found = scan_file_path(path)
        if found.infected_files:
            return "dangerous"
        suspicious = any(item.safety.value == "suspicious" for item in found.globals)
        return "error" if found.scan_err else "suspicious" if suspicious else "clean"

    return look


if __name__ == "__main__":
    main()
