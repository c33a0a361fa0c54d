"""What is known of the architectures: inputs of the last layer, parameters, input size (`zoo/architectures.json`), recipes (`zoo/recipes.json`).

The figures come from networks that were built and counted, not from papers (PaddleClas develop on PaddlePaddle 3.3.1).
"""

from __future__ import annotations

import functools
import os
from typing import Any, NamedTuple

import msgspec

FLOAT32 = 4


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", "architectures.json"), "rb") as stream:
        table: dict[str, dict[str, Any]] = msgspec.json.decode(stream.read())
    return table


def head_bytes(architecture: str, classes: int) -> int | None:
    """Bytes that `classes` outputs take in the last layer: `(C + 1) × classes × 4`, with C its inputs and one bias each.

    2048 inputs (ResNet50) and 1000 classes make 8.2 MB. None for an architecture that is not known or has no class head.
    """
    inputs = _table().get(architecture, {}).get("fc_in")
    return None if inputs is None else (int(inputs) + 1) * classes * FLOAT32


def parameters(architecture: str, classes: int | None = None) -> int | None:
    """Parameters of a network, with its last layer for `classes` outputs; None for one that is not known.

    MobileNetV3_small_x0_35 has 1.67 million for 1000 classes and 0.40 million for 5.
    """
    row = _table().get(architecture, {})
    if row.get("params_m") is None:
        return None
    count = round(float(row["params_m"]) * 1e6)
    if classes is not None and row.get("fc_in") is not None:
        count += (int(row["fc_in"]) + 1) * (classes - 1000)  # counted with 1000 classes
    return max(count, 0)


class Recipe(NamedTuple):
    """What a shipped ImageNet recipe trains with; `batch` is the total over all cards that the rate is meant for."""

    optimizer: str
    learning_rate: float
    batch: int


@functools.cache
def _recipes() -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", "recipes.json"), "rb") as stream:
        table: dict[str, Any] = msgspec.json.decode(stream.read())
    return table


def recipe(architecture: str) -> Recipe | None:
    """The shipped recipe of an architecture: ResNet50 trains with Momentum, 0.1 at a total batch of 256."""
    row = _recipes().get(architecture) if architecture else None
    return Recipe(row[0], float(row[1]), int(row[2])) if row else None


def largest_rate(optimizer: str) -> float | None:
    """The highest learning rate that any shipped config gives an optimizer."""
    found: float | None = _recipes()[""].get(optimizer)
    return found
