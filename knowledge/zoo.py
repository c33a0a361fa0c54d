"""What is known of the architectures: inputs of the last layer, parameters, input size (`zoo/architectures.json`), recipes (`zoo/recipes.json`).

The figures come from networks that were built and counted, not from papers (PaddleClas develop on PaddlePaddle 3.3.1).
"""

from __future__ import annotations

import functools
import os
from typing import Any, Literal, NamedTuple

import msgspec

FLOAT32 = 4


def _read(name: str) -> dict[str, dict[str, Any]]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", name), "rb") as stream:
        table: dict[str, dict[str, Any]] = msgspec.json.decode(stream.read())
    return table


@functools.cache
def _table() -> dict[str, dict[str, Any]]:
    return _read("architectures.json")


class InputSize(msgspec.Struct, frozen=True):
    """The square input sizes of a network that does not take every size, in pixels, as forward passes showed.

    `takes` is the size it is made for. `below` and `above` are the nearest sizes that failed; `exact` says that every other one tried did.
    `settable` names the parameter that moves `takes` (`img_size`), if one does. `cause` is `position` where an assertion or a table of
    positions binds the size, so that the whole network is bound, and `head` where it is the first layer behind the features.
    """

    takes: int
    cause: Literal["position", "head", "grid"]
    below: int
    above: int
    exact: bool = False
    accepts: tuple[int, ...] = ()
    refused: tuple[int, ...] = msgspec.field(default=(), name="refuses")
    settable: str | None = None
    why: str = ""

    def refuses(self, side: int) -> bool | None:
        """Whether an image of this side fails; None where that is not known."""
        if side == self.takes or side in self.accepts:
            return False
        if self.exact:
            return True
        if self.cause == "head":  # the width of the features grows with the image, so what lies beyond a failure fails too
            return True if side <= self.below or side >= self.above else None
        return True if side in self.refused else None


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


@functools.cache
def _sizes() -> dict[str, InputSize]:
    return {name: msgspec.convert(row, InputSize) for name, row in _read("input_sizes.json").items()}


def input_size(architecture: str) -> InputSize | None:
    """What is known of the sizes that a network takes; None for those that take any, and for unknown ones."""
    return _sizes().get(architecture)


def head_inputs(architecture: str) -> int | None:
    """The inputs of the last layer (2048 for ResNet50)."""
    inputs = _table().get(architecture, {}).get("fc_in")
    return None if inputs is None else int(inputs)


def known(architecture: str) -> bool:
    """Whether the network is one of those measured."""
    return architecture in _table()


def has_class_head(architecture: str) -> bool:
    """Whether the architecture is known to end in a layer with one output for each class."""
    return "fc_in" in _table().get(architecture, {})
