"""What the programs of both sides of `Parity` share; see `parity_worker`."""

import hashlib
import json
import os
import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

from checks.facts.probe_worker import reason_of

MOST_NAMES = 200000
"""The largest label map that is told."""


class Failed(Exception):
    """A step that failed: its name, and what was raised."""

    def __init__(self, stage: str, error: BaseException) -> None:
        Exception.__init__(self, stage)
        self.stage = stage
        self.error = error


class Folder:
    """Where arrays are left for the other end."""

    def __init__(self, path: str, side: str) -> None:
        self.path = path
        self.side = side
        self.count = 0

    def put(self, array: Any) -> str:
        """Write an array (or an image of Pillow's), and give the name of its file."""
        import numpy

        self.count += 1
        name = "%s-%d.npy" % (self.side, self.count)
        array = numpy.ascontiguousarray(numpy.asarray(array))
        if array.dtype == object:
            raise TypeError("an array of unequal parts")
        numpy.save(os.path.join(self.path, name), array, allow_pickle=False)
        return name

    def get(self, name: str) -> Any:
        """The array in a file."""
        import numpy

        return numpy.load(os.path.join(self.path, os.path.basename(name)), allow_pickle=False)


def reason(error: BaseException) -> str:
    """An exception in one line: the first; of an operator of PaddlePaddle, which begins with its own stack, the one that says what is wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and (lines[0].endswith(":") or lines[0].startswith("----")):
        told = [line for line in lines if "Error:" in line or line.startswith("(")]
        if told:
            return "%s: %s" % (type(error).__name__, told[-1][:300])
    return reason_of(error)


def stand_for_package(folder: str) -> None:
    """Make `paddleclas.…` importable from a folder without running the package's own `__init__`, which imports all that any of its tools needs."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "paddleclas"]:
        del sys.modules[name]
    package = types.ModuleType("paddleclas")
    package.__path__ = [folder]
    package.__spec__ = ModuleSpec("paddleclas", None, is_package=True)
    package.__spec__.submodule_search_locations = [folder]
    sys.modules["paddleclas"] = package


def digest(path: str) -> Any:
    """Size and hash of what a file holds."""
    with open(path, "rb") as stream:
        data = stream.read()
    return [len(data), hashlib.sha256(data).hexdigest()]


def plain(value: Any) -> Any:
    """A result as JSON can have it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def ranked(results: Any) -> Any:
    """The first result of a post-process: ids, scores, names; None where it gives no such thing."""
    result = plain(results)
    result = result[0] if isinstance(result, list) and result else result
    if not isinstance(result, dict):
        return None
    scores = result.get("scores", result.get("output", result.get("pred", [])))
    scores = [number(score) for score in (scores if isinstance(scores, list) else [scores])]
    names = result.get("label_names") or result.get("attributes") or []
    names = [str(name) for name in (names if isinstance(names, list) else [names])]
    ids = result.get("class_ids")
    return {"ids": list(range(len(scores))) if ids is None else ids, "scores": scores, "names": names}


def number(value: Any) -> float:
    """A score as JSON can have it: 1e300 for what is no number."""
    value = float(value)
    return value if abs(value) < 1e300 else 1e300  # NaN is not less than anything


def write_names(folder: Folder, names: Any) -> Any:
    """The names of a label map, by id, in a file; None where there is no map."""
    if isinstance(names, (list, tuple)):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return None
    path = os.path.join(folder.path, folder.side + "-names.json")
    with open(path, "w") as stream:
        json.dump([[int(key), str(name)] for key, name in list(names.items())[:MOST_NAMES]], stream)
    return os.path.basename(path)
