"""One side of `Parity`: a program for the user's interpreter, started by `parity_side`, never imported there.

`python -B parity_worker.py HANDLE COMMANDS FILE` reads one marshalled order from a file, builds the training side (`parity_train`) or the deploy side
(`parity_deploy`) of the user's PaddleClas, and then answers commands: both are frames, four bytes of length and JSON, over two pipes. Arrays
travel as `.npy` files in a folder that both ends know. It runs on Python 3.6, as `probe_worker` does.
"""

import hashlib
import json
import marshal
import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
if __name__ == "__main__":
    sys.path[0] = HERE

from checks.facts.probe_worker import Teller, end_with_the_parent, leave_the_network, reason_of

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
    names = [str(name) for name in result.get("label_names") or result.get("attributes") or []]
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


def next_command(handle: int) -> Any:
    """The next frame, or None where there will be none."""
    data = b""
    size = 4
    while len(data) < size:
        part = os.read(handle, size - len(data))
        if not part:
            return None
        data += part
        if len(data) == size == 4:
            size += int.from_bytes(data, "little")
    return json.loads(data[4:].decode())


def serve(side: Any, teller: Teller, handle: int) -> None:
    """Answer commands until there are no more."""
    while True:
        command = next_command(handle)
        if command is None:
            return
        what = command.pop("do")
        try:
            answer = getattr(side, "do_" + what)(**command)
        except Failed as error:
            answer = {"stage": error.stage, "error": reason_of(error.error)}
        except BaseException as error:
            answer = {"stage": what, "error": reason_of(error)}
        teller.tell(kind="answer", **answer)


def main() -> None:
    """The program."""
    teller = Teller(int(sys.argv[1]))
    teller.tell(kind="hello")
    with open(sys.argv[3], "rb") as stream:
        order = marshal.load(stream)
    commands = int(sys.argv[2])
    end_with_the_parent()
    leave_the_network()
    from checks.facts import parity_deploy, parity_train

    sides = {"train": parity_train.Training, "deploy": parity_deploy.Deployment}
    del sys.argv[1:], sys.path[0]  # whose modules are not the user's
    for name in [name for name in sys.modules if name.partition(".")[0] == "checks"]:
        del sys.modules[name]
    try:
        import paddle
    except BaseException as error:
        teller.tell(kind="no-paddle", error=reason_of(error))
        return
    try:
        teller.tell(kind="begun", stage="paddle", paddle=str(paddle.__version__))
        side = sides[order["side"]](order, Folder(order["folder"], order["side"]), teller)
        teller.tell(kind="ready", **side.ready())
    except Failed as error:
        teller.tell(kind=error.stage if error.stage.startswith("no-") else "raised", stage=error.stage, error=reason_of(error.error))
        return
    except BaseException as error:
        teller.tell(kind="raised", stage="start", error=reason_of(error))
        return
    serve(side, teller, commands)
    os._exit(0)  # threads and exit handlers of the user's code are not waited for


if __name__ == "__main__":
    main()
