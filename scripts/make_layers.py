"""Make `knowledge/zoo/layers.json`: what a network gives when `BackboneStopLayer` stops it after one of its layers.

Usage: `python scripts/make_layers.py PADDLECLAS [NAME …]` with an interpreter that has paddle, where PADDLECLAS is a checkout. Each network is
built without weights and put through the static graph (shapes only, no arithmetic; run where it cannot be), whole and then stopped after one
layer less each time, for as long as what comes out is not yet the map of features before the pooling. A line holds the names of the
layers in their order and the shapes, without the batch, and `stops` false where the network has no method to be stopped; results are added
to what is there.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

from built import ZOO, TooSlow, built, measure_all

OUT = ZOO / "layers.json"
SIDE = 224
"""The input of networks that the zoo does not hold: variants for other tasks."""

MOST = 8
"""So many layers from the end at most."""


def shape_of(out: Any) -> list[int] | None:
    """The shape of an output without its batch; None for several outputs."""
    return [int(side) for side in out.shape[1:]] if hasattr(out, "shape") else None


def shapes(net: Any, names: list[str], run: Callable[[], Any]) -> dict[str, list[int]]:
    """What comes out of the whole network (under the name of its last layer) and of those that stop before, from the end."""
    found: dict[str, list[int]] = {}
    stops = hasattr(net, "stop_after")
    for name in reversed(names[-MOST:] if stops else names[-1:]):
        if stops and not net.stop_after(name):
            break
        try:
            shape = shape_of(run())
        except TooSlow:
            raise
        except Exception:  # networks fail in any way they like where an identity stands in place of that layer
            continue
        if shape is None:
            continue
        found[name] = shape
        if len(shape) == 3 and shape[1] > 1 and shape[2] > 1:
            break
    return found


def measure(name: str, side: int) -> dict[str, Any] | None:
    """The line of one network; None where it cannot be run."""
    for static in (True, False):
        # a network that cannot be built has no line, whatever the reason
        with contextlib.suppress(Exception), built(name, side, {}, static) as (net, run):
            names = [child for child, _ in net.named_children()]
            found = shapes(net, names, run)
            if found:
                return {"layers": names, "gives": found} | ({} if hasattr(net, "stop_after") else {"stops": False})
    return None


if __name__ == "__main__":
    measure_all(sys.argv[1], sys.argv[2:], OUT, measure, SIDE)
