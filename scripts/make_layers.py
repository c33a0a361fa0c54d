"""Make `knowledge/zoo/layers.json`: what a network gives when `BackboneStopLayer` stops it after one of its layers.

Usage: `python scripts/make_layers.py PADDLECLAS [NAME …]` with an interpreter that has paddle, where PADDLECLAS is a checkout. Each network is
built without weights and put through the static graph (shapes only, no arithmetic; run where it cannot be), whole and then stopped after one
layer less each time, for as long as what comes out is not yet the map of features before the pooling. A line holds the names of the
layers in their order and the shapes, without the batch, and `stops` false where the network has no method to be stopped; results are added
to what is there.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ZOO = Path(__file__).parent.parent / "knowledge" / "zoo"
OUT = ZOO / "layers.json"
SECONDS = 60
SIDE = (3, 224, 224)
"""The input of networks that the zoo does not hold: variants for other tasks."""

MOST = 8
"""So many layers from the end at most."""


@contextlib.contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise `TimeoutError` after so many seconds."""

    def stop(*_: Any) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def shape_of(out: Any) -> list[int] | None:
    """The shape of an output without its batch; None for several outputs."""
    return [int(side) for side in out.shape[1:]] if hasattr(out, "shape") else None


def shapes(net: Any, names: list[str], run: Any) -> dict[str, list[int]]:
    """What comes out of the whole network (under the name of its last layer) and of those that stop before, from the end."""
    found: dict[str, list[int]] = {}
    stops = hasattr(net, "stop_after")
    for name in reversed(names[-MOST:] if stops else names[-1:]):
        if stops and not net.stop_after(name):
            break
        try:
            shape = shape_of(run())
        except TimeoutError:
            raise
        except Exception:
            continue  # the forward pass does not bear an identity in place of that layer
        if shape is None:
            continue
        found[name] = shape
        if len(shape) == 3 and shape[1] > 1 and shape[2] > 1:
            break
    return found


def measure(name: str, side: int) -> dict[str, Any] | None:
    """The line of one network; None where it cannot be run."""
    import paddle
    import ppcls.arch

    maker = getattr(ppcls.arch, name)
    kwargs = {"pretrained": False} if "pretrained" in inspect.signature(maker).parameters else {}
    for static in (True, False):
        with contextlib.suppress(Exception), limit(SECONDS), paddle.utils.unique_name.guard():
            if static:
                paddle.enable_static()
                with paddle.static.program_guard(paddle.static.Program(), paddle.static.Program()):
                    net = maker(**kwargs)
                    net.train()
                    names = [child for child, _ in net.named_children()]
                    found = shapes(net, names, lambda net=net: net(paddle.static.data("x", [2, 3, side, side], "float32")))
            else:
                paddle.disable_static()
                with paddle.no_grad():
                    net = maker(**kwargs)
                    net.train()
                    names = [child for child, _ in net.named_children()]
                    found = shapes(net, names, lambda net=net: net(paddle.rand([2, 3, side, side])))
            if found:
                return {"layers": names, "gives": found} | ({} if hasattr(net, "stop_after") else {"stops": False})
    return None


def write(table: dict[str, Any]) -> None:
    """One line per network."""
    lines = [f"{json.dumps(name)}: {json.dumps(line)}" for name, line in sorted(table.items())]
    OUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main(checkout: str, names: list[str]) -> None:
    """Measure the named networks, or all of the zoo."""
    sys.path.insert(0, checkout)
    from ppcls.utils import logger

    logger.init_logger()
    zoo = json.loads((ZOO / "architectures.json").read_text(encoding="utf-8"))
    table = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    for name in names or sorted(zoo):
        with contextlib.suppress(TimeoutError, AttributeError):
            found = measure(name, zoo.get(name, {}).get("input", SIDE)[1])
            table.pop(name, None)
            if found:
                table[name] = found
            write(table)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
