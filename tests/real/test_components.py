"""Our table of components against PaddleClas 2.6.0's own networks, heads and deploy operators."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import Any

import pytest

from knowledge import components as table

ORACLE = os.path.join(os.path.dirname(__file__), "signature_oracle.py")

BUILT = [
    "MobileNetV1_x0_25", "ResNet18", "PPLCNet_x0_25", "MobileNetV3_small_x0_35", "SqueezeNet1_1", "ShuffleNetV2_x0_25", "GhostNet_x0_5",
    "FasterNet_T0", "MobileViT_XXS", "StarNet_S1", "AlexNet", "MobileNetV2_x0_25",
]  # fmt: skip
"""Small networks of both sorts, given a keyword that none of them names."""


@pytest.fixture(scope="module")
def real(real_python: str) -> dict[str, Any]:
    done = subprocess.run(
        [real_python, ORACLE],
        input=json.dumps(BUILT),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=os.path.dirname(ORACLE),
    )
    assert "RESULT" in done.stdout, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT")[2])
    return found


@pytest.mark.parametrize("kind", ["arch", "gear", "deploy.transform", "deploy.postprocess"])
def test_every_name_is_known_and_takes_what_we_say(real: dict[str, Any], kind: str) -> None:
    helpers = {"build_gear", "add_ml_decoder_head", "MLDecoder", "create_operators", "UnifiedResize", "build_postprocess", "PostProcesser"}
    helpers |= {"parse_class_id_map"}
    checked = 0
    for name, (named, required, more) in real[kind].items():
        if name in helpers:
            continue
        assert table.known(kind, name), name
        ours = table.signature(kind, name)
        assert ours is not None
        lost = set(named) - ours.names
        assert ours.rest == "open" or not lost, (name, lost)
        assert ours.required <= set(required) | (set() if not more else ours.required), name
        if not more:
            assert ours.rest != "open", name
            assert "error" in table.rests(kind, name, "develop"), name
        checked += 1
    assert checked >= {"arch": 350, "gear": 8, "deploy.transform": 10, "deploy.postprocess": 8}[kind]


def test_names_of_the_table_are_there(real: dict[str, Any]) -> None:
    ours = {
        name
        for name in table.names("arch", "develop")
        if not re.fullmatch("RecModel|DistillationModel|AttentionModel|LinearTransform.*", name)
    }
    # 2.6.0 was released from develop some months before its last commit
    assert len(ours - set(real["arch"])) < 40, ours - set(real["arch"])


@pytest.mark.parametrize("name", BUILT)
def test_what_becomes_of_a_parameter_that_nobody_names(real: dict[str, Any], name: str) -> None:
    if name not in real["arch"]:
        pytest.skip("not in this release")
    (rest,) = table.rests("arch", name, "develop")
    if rest == "error":
        assert "zz_unknown" in real["built"][name]
    else:
        assert real["built"][name] == "built"
