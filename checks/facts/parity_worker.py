"""One side of `Parity`: a program for the user's interpreter, started by `parity_side`, never imported there.

`python -B parity_worker.py HANDLE COMMANDS FILE` reads one marshalled order from a file, builds the training side (`parity_train`) or the deploy side
(`parity_deploy`) of the user's PaddleClas, and then answers commands: both are frames, four bytes of length and JSON, over two pipes. Arrays
travel as `.npy` files in a folder that both ends know. It runs on Python 3.6, as `probe_worker` does.
"""

import json
import marshal
import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
if __name__ == "__main__":
    sys.path[0] = HERE

from checks.facts.parity_common import Failed, Folder, reason
from checks.facts.probe_worker import Teller, end_with_the_parent, leave_the_network


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


def build(kind: Any, path: str, teller: Teller) -> Any:
    """The side that an order in a file asks for, ready or told why it is not."""
    with open(path, "rb") as stream:
        order = marshal.load(stream)
    try:
        side = kind(order, Folder(order["folder"], order["side"]), teller)
        teller.tell(kind="ready", **side.ready())
        return side
    except Failed as error:
        teller.tell(kind=error.stage if error.stage.startswith("no-") else "raised", stage=error.stage, error=reason(error.error))
    except BaseException as error:
        teller.tell(kind="raised", stage="start", error=reason(error))
    return None


def serve(kind: Any, path: str, teller: Teller, handle: int) -> None:
    """Answer commands until there are no more; `again` builds the side anew, with all that is imported in place."""
    side = build(kind, path, teller)
    while True:
        command = next_command(handle)
        if command is None:
            return
        what = command.pop("do")
        if what == "again":
            side = build(kind, path, teller)
            continue
        try:
            answer = getattr(side, "do_" + what)(**command)
        except Failed as error:
            answer = {"stage": error.stage, "error": reason(error.error)}
        except BaseException as error:
            answer = {"stage": what, "error": reason(error)}
        teller.tell(kind="answer", **answer)


def main() -> None:
    """The program."""
    teller = Teller(int(sys.argv[1]))
    teller.tell(kind="hello")
    commands, path = int(sys.argv[2]), sys.argv[3]
    end_with_the_parent()
    leave_the_network()
    from checks.facts import parity_deploy, parity_train

    sides = {"train": parity_train.Training, "deploy": parity_deploy.Deployment}  # type: Any
    del sys.argv[1:], sys.path[0]  # whose modules are not the user's
    for name in [name for name in sys.modules if name.partition(".")[0] == "checks"]:
        del sys.modules[name]
    try:
        import zlib  # PaddlePaddle 2.6 brings a zlib of its own, which Python's would be bound to if it came second

        import paddle
    except BaseException as error:
        teller.tell(kind="no-paddle", error=reason(error))
        return
    del zlib
    teller.tell(kind="begun", stage="paddle", paddle=str(paddle.__version__))
    with open(path, "rb") as stream:
        name = marshal.load(stream)["side"]
    serve(sides[name], path, teller, commands)
    os._exit(0)  # threads and exit handlers of the user's code are not waited for


if __name__ == "__main__":
    main()
