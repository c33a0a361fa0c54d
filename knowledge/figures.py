"""Published figures of architectures: accuracy, work and latency on three devices (`zoo/figures.json`, made by `scripts/make_figures.py`).

All latencies are milliseconds at 224 pixels and comparable with those of the same device only: `v100` with TensorRT in FP32 at batches of 1, 4
and 8; `arm` a Snapdragon 855 with Paddle-Lite, one thread, batch 1; `xeon` a Xeon Gold 6148 with oneDNN, ten threads, batch 1.
"""

from __future__ import annotations

import functools
import os
from typing import Literal

import msgspec

BATCHES = (1, 4, 8)
"""The batches of the three latencies on a V100."""

SMALL, LARGE = 2.0, 1.5
"""GMACs up to which a mobile network is one (FasterNet_L, in the mobile chapter, has 15), and from which on a server network is."""

SERVER_FAMILIES = ("ResNet18_vd", "ResNet34_vd", "ResNet50_vd", "ResNet101_vd", "PPHGNet_tiny", "PPHGNet_small")
"""Networks of dense convolutions to compare with on a GPU (FAQ 2.5); PPHGNet came with 2.4."""


class Figures(msgspec.Struct, frozen=True):
    """Top-1 on ImageNet in percent, 1e9 multiply-accumulates, 1e6 parameters, and the latencies that were published."""

    top1: float
    macs_g: float | None = None
    params_m: float | None = None
    v100: tuple[float, float, float] | None = None
    arm: float | None = None
    xeon: float | None = None


class Published(Figures, frozen=True):
    """An architecture with the device its chapter is about, and a second set of figures for distilled weights (`use_ssld`)."""

    top1: float = 0.0
    device: Literal["server", "mobile"] = "server"
    ssld: Figures | None = None


@functools.cache
def _table() -> dict[str, Published]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", "figures.json"), "rb") as stream:
        return msgspec.json.decode(stream.read(), type=dict[str, Published])


def figures(name: str, *, ssld: bool = False) -> Figures | None:
    """The figures of an architecture with ordinary or with distilled weights; None where there are none for these weights."""
    found = _table().get(name)
    if found is None:
        return None
    return found.ssld if ssld else found if found.top1 else None


def made_for(name: str) -> Literal["server", "mobile"] | None:
    """What device an architecture is for, by its chapter and its work; None for one that is in between, or not known."""
    found = _table().get(name)
    if found is None or found.macs_g is None:
        return None
    if found.device == "mobile":
        return "mobile" if found.macs_g <= SMALL and not name.startswith("FasterNet") else None
    return "server" if found.macs_g >= LARGE else None


def index_of(batch: int) -> int:
    """Which of `BATCHES` stands for a batch: the largest that is not above it."""
    return max((n for n, size in enumerate(BATCHES) if size <= batch), default=0)


def server_equal(name: str, *, ssld: bool, batch: int, legacy: bool = False) -> str | None:
    """The fastest server network on a V100 that is at least as accurate with the same kind of weights."""
    mine = figures(name, ssld=ssld)
    index = index_of(batch)
    best: tuple[float, str] | None = None
    for other in SERVER_FAMILIES:
        one = figures(other, ssld=ssld)
        if mine is None or one is None or one.v100 is None or one.top1 < mine.top1 or (legacy and other.startswith("PPHGNet")):
            continue
        best = min(best, (one.v100[index], other)) if best else (one.v100[index], other)
    return best[1] if best else None


NEARLY = 1.0
"""Points of accuracy that count as equal."""


def mobile_equal(name: str, *, ssld: bool, device: Literal["arm", "xeon"]) -> str | None:
    """The fastest network on a device of those that are as accurate, or as the most accurate one there, but for a point."""
    mine = figures(name, ssld=ssld)
    if mine is None:
        return None
    timed = []
    for other, row in _table().items():
        one = figures(other, ssld=ssld)
        latency = None if one is None or row.device != "mobile" else one.arm if device == "arm" else one.xeon
        if one is not None and latency is not None:
            timed.append((one.top1, latency, other))
    reached = min(mine.top1, max((top1 for top1, _, _ in timed), default=0.0))
    return min(((latency, other) for top1, latency, other in timed if top1 >= reached - NEARLY), default=(0.0, None))[1]
