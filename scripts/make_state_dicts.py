"""Make `knowledge/zoo/states.json` and `states.bin`: what the state dict of every network holds, in each branch of PaddleClas.

Usage: `python scripts/make_state_dicts.py FOLDER`, where FOLDER holds a file `<branch>.jsonl` for each branch (`develop.jsonl`, `2.1.jsonl` …), made
by `collect_states.py` in a checkout of that branch. Of two branches in which a network has the same state only the newer is kept, and of two
networks with the same state one; sides that move with the class count are written as `C`. `states.bin` is a row of xz streams, some
networks in each, so that one network costs a few milliseconds; `states.json` says where each lies.
"""

from __future__ import annotations

import json
import lzma
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from built import ZOO
from collect_states import COUNTS

BRANCHES = ("2.0-beta", "2.0-rc1", "2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.5.1", "2.5.2", "develop")
GROUP = 300_000
"""Characters of a stream."""

Rows = dict[str, dict[int, list[list[Any]]]]


def read(path: Path) -> Rows:
    """Network → class count → state; what could not be built is left out."""
    found: Rows = defaultdict(dict)
    with path.open(encoding="utf-8") as stream:
        for row in map(json.loads, stream):
            if "state" in row:
                found[row["name"]][row["classes"]] = row["state"]
    return {name: states for name, states in found.items() if set(states) == set(COUNTS)}


def lines(states: dict[int, list[list[Any]]]) -> Iterator[str]:
    """One line per tensor: key, shape, name of the parameter (`-` for a buffer), and the type where it is not float32."""
    one, other = (states[count] for count in COUNTS)
    if [row[0] for row in one] != [row[0] for row in other]:
        raise ValueError("the class count changes the keys")
    for (key, shape, kind, name, parameter), (_, moved, *_) in zip(one, other, strict=True):
        sides = ["C" if pair == COUNTS else str(pair[0]) if pair[0] == pair[1] else "?" for pair in zip(shape, moved, strict=True)]
        yield "\t".join((key, ",".join(sides), name if parameter else "-", *(() if kind == "float32" else (kind,))))


def main(folder: str) -> None:
    variants: dict[str, dict[str, int]] = defaultdict(dict)  # network → text → branches, a bit each
    for number, branch in enumerate(BRANCHES):
        for name, states in read(Path(folder) / f"{branch}.jsonl").items():
            text = "\n".join(lines(states))
            variants[name][text] = variants[name].get(text, 0) | 1 << number
    place: dict[str, tuple[int, int]] = {}
    groups: list[list[str]] = [[]]
    for name in sorted(variants):
        for text in variants[name]:
            if text not in place:
                if sum(map(len, groups[-1])) > GROUP:
                    groups.append([])
                place[text] = (len(groups) - 1, len(groups[-1]))
                groups[-1].append(text)
    packed = [
        lzma.compress("\n\n".join(group).encode(), lzma.FORMAT_XZ, lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME) for group in groups
    ]
    (ZOO / "states.bin").write_bytes(b"".join(packed))
    ends = [0]
    for stream in packed:
        ends.append(ends[-1] + len(stream))
    rows = {
        name: [[mask, *place[text]] for text, mask in sorted(found.items(), key=lambda item: -item[1])] for name, found in variants.items()
    }
    sizes = [[text.count("\n") + 1 for text in group] for group in groups]
    body = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in sorted(rows.items()))
    head = f'"branches": {json.dumps(BRANCHES)},\n"ends": {json.dumps(ends)},\n"sizes": {json.dumps(sizes)}'
    (ZOO / "states.json").write_text(f'{{\n{head},\n"networks": {{\n{body}\n}}\n}}\n', encoding="utf-8")
    print(f"{len(rows)} networks, {len(place)} states, {sum(map(len, place))} characters in {len(groups)} streams, {ends[-1]} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
