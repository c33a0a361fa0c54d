"""The table of state dicts against the other tables of networks."""

from __future__ import annotations

import json
import os

from knowledge.states import CLASSES, FOLDER, known, states_of

WITHOUT = {"MobileViTV2_x0_75", "MobileViTV2_x1_25", "MobileViTV2_x1_75", "WideResNet", "cae_base_patch16_224"}
"""Networks that cannot be built, or not without parameters of their own."""


def test_every_network_that_was_measured_is_there_and_agrees() -> None:
    with open(os.path.join(FOLDER, "architectures.json"), encoding="utf-8") as stream:
        zoo = json.load(stream)
    assert {name for name in zoo if not known(name)} <= WITHOUT
    for name, row in zoo.items():
        found = next((state for state in states_of(name) if "develop" in state.branches), None)
        if found is None:
            continue
        weights = [shape for key, shape in found.shapes.items() if key in found.heads and len(shape) > 1]
        if "fc_in" in row:
            assert any(shape == (row["fc_in"], CLASSES) or shape[:2] == (CLASSES, row["fc_in"]) for shape in weights), (name, weights)
        assert all(min(shape, default=1) >= CLASSES for shape in found.shapes.values()), name
