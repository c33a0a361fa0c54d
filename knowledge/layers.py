"""The layers of the networks, and what comes out of one that is stopped after a layer (`zoo/layers.json`, made by `scripts/make_layers.py`)."""

from __future__ import annotations

import functools
import os

import msgspec


class Layers(msgspec.Struct, frozen=True):
    """The direct layers of a network in their order; `gives` the shape, without the batch, after those near the end that could be run.

    Shapes are those at the size the network is made for: of a map of features the channels hold at any size. `stops` is false where
    `BackboneStopLayer` cannot stop it, for want of a method.
    """

    layers: tuple[str, ...]
    gives: dict[str, tuple[int, ...]]
    stops: bool = True

    @property
    def whole(self) -> tuple[int, ...] | None:
        """What the whole network gives."""
        return self.gives.get(self.layers[-1])

    def vector(self, width: int | None = None) -> str | None:
        """The last layer after which features come out as one row per image (of that width), before the classifier."""
        for name in self.layers[-2::-1]:
            shape = self.gives.get(name)
            if shape and len(shape) == 1 and (width is None or shape[0] == width):
                return name
        return None


@functools.cache
def _table() -> dict[str, Layers]:
    with open(os.path.join(os.path.dirname(__file__), "zoo", "layers.json"), "rb") as stream:
        return msgspec.json.decode(stream.read(), type=dict[str, Layers])


def layers_of(architecture: str) -> Layers | None:
    """The layers of an architecture; None for one that is not known."""
    return _table().get(architecture)
