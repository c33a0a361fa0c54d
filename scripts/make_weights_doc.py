"""Write docs/weights.md: hostile and harmless files of weights, what paddle.load does with them, and what three readers say.

Usage: `python scripts/make_weights_doc.py --paddle PYTHON… --scanners PYTHON`, with interpreters that have paddlepaddle, and one that has fickling
and picklescan (no dependencies of the project). Files are really loaded: their payloads make one empty file in a folder that is then removed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from checks.tensors.harm import does_harm  # noqa: E402 - the path above comes first
from checks.tensors.read import NotTensors, read_contents  # noqa: E402 - likewise
from tests.weights_corpus import harmless, hostile, write  # noqa: E402 - likewise

DOC = ROOT / "docs" / "weights.md"
VERDICTS = ROOT / "scripts" / "corpus_verdicts.py"

HEAD = """\
# Files of weights that run code: what is loaded, and what is told without loading

`paddle.load` hands every file to `pickle.load`. Below is a corpus made byte by byte (`tests/weights_corpus.py`): hostile files that run
something, take time or memory, or are built against readers, and harmless ones, some of which only look bad. Each hostile one was really
loaded with three versions of PaddlePaddle, by a process of its own with limits; its payload makes one empty file (*ran*: the file was there
afterwards). Where a sample calls something that makes no file (a socket, an exit, a sleep), the column tells what came of it.
`scripts/make_weights_doc.py` made the tables; `tests/checks/tensors/` and `tests/real/test_stored_weights.py` hold our part of them.

`paddle.load` 会把任何文件原样交给 `pickle.load`。下面是逐字节构造的样本（`tests/weights_corpus.py`）：有害的会执行代码、耗尽时间或内存，
或专门针对读取工具；无害的里面有一些只是看起来可疑。每个有害样本都用三个版本的 PaddlePaddle 在单独的受限进程里真实加载过，
其载荷只是创建一个空文件（*ran* 表示事后该文件存在）；不会创建文件的调用（socket、退出、sleep 等）则写明结果。

"""

WORDS = """\

What the counts mean:

- **paddle-doctor** reports a *harmful* call (error), another package's class (warning), or a flaw of the structure. It looks at `.pdparams`,
  `.pdopt`, `.pdstates`, static files and safetensors, and reads names and shapes on the way.
- **fickling** grades from `LIKELY_SAFE` to `OVERTLY_MALICIOUS`. It is made for PyTorch: whatever names NumPy's own functions is
  `LIKELY_UNSAFE`, so every file that `paddle.save` writes is. Its two upper grades are the useful ones here.
- **picklescan** says `dangerous` (on its list), `suspicious` (on no list), or `clean`.

Where they are better: fickling writes the whole pickle down as Python, follows what would come of a call, and can patch files; picklescan
looks into zip, 7z, `.npy` and PyTorch archives and at addresses, and calls a second pickle behind the end dangerous (here it is kept apart, in
`Contents.behind`, for `paddle.load` does not read it). Both tend lists of dangerous functions in all sorts of packages; ours knows the ten
functions that files of weights use, and takes all of the standard library but plain classes for harmful. What is unknown to all three gets a
warning here, `suspicious` from picklescan and `LIKELY_UNSAFE` from fickling. And picklescan names what stands behind a million opcodes
(`payload-behind-a-million`), where ours gives up with a warning that says so.

Where they fall short: neither knows the arguments of `eval('data', {'data': array})`, which is how tensors of a static graph are saved, nor
protocol 2's `_codecs.encode`, so they warn of files that are fine; picklescan calls two files clean that `paddle.load` runs, one that is a
pickle and a zip at once and one with a number in hexadecimal before the payload, and has nothing to say of files that are broken or made to
take memory; fickling stops with an error of its own at several of those, and takes a name that is only imported for safe.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--paddle", nargs="*", default=[])
    parser.add_argument("--scanners", required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mark = str(folder / "MARK")
        write(folder, mark)
        ours = {kind: {sample: _ours(folder / kind / f"{sample}.pdparams") for sample in _names(kind)} for kind in ("hostile", "harmless")}
        theirs = {
            kind: {tool: _ask(given.scanners, tool, folder / kind) for tool in ("fickling", "picklescan")}
            for kind in ("hostile", "harmless")
        }
        loads = {_version(python): _ask(python, "paddle", folder / "hostile", mark) for python in given.paddle}
    versions = {tool: _version(given.scanners, tool) for tool in ("fickling", "picklescan")}
    DOC.write_text(HEAD + "".join(_tables(ours, theirs, loads, versions)), encoding="utf-8")


def _names(kind: str) -> list[str]:
    return [sample.name for sample in (hostile() if kind == "hostile" else harmless())]


def _ours(path: Path) -> tuple[str, str]:
    """A grade and a text."""
    start = time.perf_counter()
    try:
        contents = read_contents(str(path))
    except NotTensors:
        return "no weights", "no weights"
    spent = time.perf_counter() - start
    if contents.calls:
        harmful = [call for call in contents.calls if does_harm(call)]
        first = (harmful or list(contents.calls))[0]
        return ("harmful" if harmful else "foreign"), f"{'harmful' if harmful else 'foreign'}: `{first.function}`".replace("|", "/")
    if contents.flaw:
        return "flaw", f"flaw: {contents.flaw}"
    return "read", f"read{f' in {spent:.1f} s' if spent > 0.05 else ''}"


def _ask(python: str, tool: str, folder: Path, *more: str) -> dict[str, Any]:
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, str(VERDICTS), tool, str(folder), *more], check=True, capture_output=True, text=True, env=environ)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _version(python: str, package: str = "paddlepaddle") -> str:
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _tables(ours: Any, theirs: Any, loads: Any, versions: dict[str, str]) -> Any:
    kinds = {sample.name: sample.kind for sample in hostile()}
    code = [name for name, kind in kinds.items() if kind == "code"]
    rest = [name for name, kind in kinds.items() if kind != "code"]
    good = list(ours["harmless"])
    yield f"| {len(kinds)} hostile, {len(good)} harmless | runs code ({len(code)}) | takes time or memory, or is broken ({len(rest)}) "
    yield f"| harmless ({len(good)}) |\n"
    yield "| --- | --- | --- | --- |\n"
    counts = [("paddle-doctor", lambda kind, name: ours[kind][name][0])]
    for tool in ("fickling", "picklescan"):
        counts.append((f"{tool} {versions[tool]}", lambda kind, name, tool=tool: theirs[kind][tool][name]["verdict"]))
    for label, verdict in counts:
        cells = [
            Counter(verdict(kind, name) for name in names) for kind, names in (("hostile", code), ("hostile", rest), ("harmless", good))
        ]
        yield f"| {label} | " + " | ".join(", ".join(f"{count} {word}" for word, count in cell.most_common()) for cell in cells) + " |\n"
    for version, found in loads.items():
        ran = [name for name in code if found[name]["ran"]]
        killed = [name for name in rest if found[name]["verdict"].startswith("killed")]
        yield f"| paddle.load, {version} | {len(ran)} made the file | {len(killed)} ended by the limit of 6 s or 3 GB | |\n"
    yield WORDS
    heads = ["sample", *(f"paddle.load {version}" for version in loads), "paddle-doctor", "fickling", "picklescan"]
    yield "\n## Hostile\n\n| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|\n"
    for name in kinds:
        cells = [("**ran**, " if found[name]["ran"] else "") + found[name]["verdict"] for found in loads.values()]
        cells += [ours["hostile"][name][1], *(theirs["hostile"][tool][name]["verdict"] for tool in ("fickling", "picklescan"))]
        yield f"| {name} | " + " | ".join(cells) + " |\n"
    yield "\n## Harmless\n\n| sample | paddle-doctor | fickling | picklescan |\n| --- | --- | --- | --- |\n"
    for name in good:
        yield (
            f"| {name} | {ours['harmless'][name][1]} | "
            + " | ".join(theirs["harmless"][t][name]["verdict"] for t in theirs["harmless"])
            + " |\n"
        )


if __name__ == "__main__":
    main()
