"""State dicts of networks as PaddleClas saves them, made from the table: numbers under the right keys, pickled as `paddle.save` does."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from knowledge.states import CLASSES, states_of

SMALL = "MobileNetV3_small_x0_35"
"""A network of 0.4 million parameters."""


def shapes(network: str, classes: int = 1000, branch: str = "develop") -> dict[str, tuple[int, ...]]:
    """Key → shape of a network's state dict in a branch."""
    state = next(state for state in states_of(network) if branch in state.branches)
    return {key: tuple(classes if side == CLASSES else side for side in shape) for key, shape in state.shapes.items()}


def saved(
    network: str = SMALL,
    classes: int = 5,
    *,
    branch: str = "develop",
    renamed: Callable[[str], str | None] = str,
    dtype: str = "float32",
    inside: Callable[[dict[str, Any]], Any] = dict,
) -> bytes:
    """A `.pdparams` of a network: `renamed` gives each key another name or (None) leaves it out, `inside` wraps the whole."""
    state = next(state for state in states_of(network) if branch in state.branches)
    found: dict[str, Any] = {}
    names = {}
    for key, shape in shapes(network, classes, branch).items():
        name = renamed(key)
        if name is not None:
            found[name] = np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape).astype(state.types.get(key, dtype))
            names[name] = state.parameters.get(key, key)
    return pickle.dumps(inside({**found, "StructuredToParameterName@@": names}), protocol=4)


def optimizer(network: str = SMALL, classes: int = 5, accumulator: str = "velocity", first: int = 0) -> bytes:
    """A `.pdopt` of a network: one tensor for each parameter that is trained; `first` moves the numbers in the parameters' names."""
    state = next(state for state in states_of(network) if "develop" in state.branches)
    found: dict[str, Any] = {"LR_Scheduler": {"last_epoch": 10, "last_lr": 0.0}}
    for key, shape in shapes(network, classes).items():
        name = state.parameters.get(key)
        if name is not None and not key.endswith(("._mean", "._variance")):
            kind, _, rest = name.partition("_")
            number, _, end = rest.partition(".")
            moved = f"{kind}_{int(number) + first}.{end}" if number.isdecimal() else f"{name}_{first}" if first else name
            found[f"{moved}_{accumulator}_0"] = np.zeros(shape, "float32")
    return pickle.dumps([found], protocol=4)


STATES = pickle.dumps({"metric": 0.5, "epoch": 1}, protocol=4)
"""A `.pdstates`."""
