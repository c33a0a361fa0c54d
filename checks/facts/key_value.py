"""The text configs of the C++ demos: `key value` in a line, `#` before a comment.

Both demos split a line at blanks with `strtok(line, " ")` and keep the first two parts (`deploy/cpp_infer/src/cls_config.cpp` 2.0 to 2.1,
`deploy/cpp/src/cls_config.cpp` 2.2, `deploy/lite/image_classfication.cpp`). A TAB is no blank to them; a line without a second part is read
past the end of the list, which ends the process. The server demo skips lines of at most one character and those that begin with `#`; the
Paddle-Lite demo skips none.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from checks.facts.base import Unreadable
from checks.facts.yaml_tree import Spot, Tree, printable, read_text
from checks.model import Location

Problem = Literal["no-value", "tab", "blank"]

LITE_KEYS = frozenset({"clas_model_file", "label_path", "visualize", "runtime_device", "tipc_benchmark", "enable_benchmark"})
SERVER_KEYS = frozenset({"use_gpu", "gpu_id", "gpu_mem", "use_mkldnn", "cls_model_path", "cls_params_path", "cls_model_dir"})
SHARED_KEYS = frozenset({"resize_short_size", "crop_size", "cpu_math_library_num_threads", "num_threads"})


class BadLine(msgspec.Struct, frozen=True):
    """A line that the demo cannot read."""

    location: Location
    problem: Problem
    text: str


class KeyValues(msgspec.Struct, frozen=True):
    """A text config: `tree` holds each value as its text, with its place; `lite` tells Paddle-Lite's from the server demo's."""

    tree: Tree
    lite: bool
    bad: tuple[BadLine, ...]


def is_key_value_name(path: str) -> bool:
    """Whether a config is a text config, told by its name; YAML has its own suffixes everywhere in PaddleClas."""
    return path.lower().endswith(".txt")


def read_key_values(path: str, name: str) -> KeyValues:
    """Read a text config.

    Raises:
        Unreadable: as `read_text`; or no line has a key that one of the demos knows.
    """
    return parse_key_values(read_text(path, name), name)


def parse_key_values(text: str, name: str) -> KeyValues:
    """The values of a text config.

    Raises:
        Unreadable: no line has a key that one of the demos knows.
    """
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()  # getline gives no line after the last line end
    words = {re.split(r"[ \t]", line.lstrip(" "), maxsplit=1)[0] for line in lines}
    lite = bool(words & {"clas_model_file", "label_path"}) or (bool(words & LITE_KEYS) and not words & SERVER_KEYS)
    if not words & (LITE_KEYS | SERVER_KEYS | SHARED_KEYS):
        raise Unreadable("config-not-key-value", file=name)
    data: dict[str, str] = {}
    spots: dict[str, Spot] = {}
    bad: list[BadLine] = []
    for number, line in enumerate(lines, 1):
        if not lite and (len(line) <= 1 or line.startswith("#")):
            continue
        parts = [(match.group(), match.start()) for match in re.finditer("[^ ]+", line)]
        start = parts[0][1] + 1 if parts else 1
        if len(parts) < 2:
            problem: Problem = "tab" if "\t" in line.strip() else "blank" if not line.strip() else "no-value"
            bad.append(BadLine(Location(name, number, start), problem, printable(line.strip()[:80])))
            if problem != "tab":
                continue
            halves = [(match.group(), match.start()) for match in re.finditer(r"[^ \t]+", line)]
            parts = halves if len(halves) > 1 else []
        elif lite and line.startswith("#"):
            continue  # read as the key "#", which nobody asks for
        if parts:
            (key, key_at), (value, value_at) = parts[:2]
            if "\t" in key:
                bad.append(BadLine(Location(name, number, start), "tab", printable(line.strip()[:80])))
                key = key.partition("\t")[0]
            key = printable(key)
            data[key] = printable(value)
            spots[key] = Spot(number, value_at + 1, number, key_at + 1)
    return KeyValues(Tree(name, data, spots, len(lines)), lite, tuple(bad))
