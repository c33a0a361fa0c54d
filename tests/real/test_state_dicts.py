"""State dicts that PaddlePaddle saves of PaddleClas's networks: each fits its own config, and is named where it is given to others."""

from __future__ import annotations

import os
from pathlib import Path

from checks.tensors.fit import Verdict, judge, wanted
from checks.tensors.read import read_contents
from knowledge.states import CLASSES, states_of
from tests.real.probing import probe

NETWORKS = (
    "DenseNet121",
    "DeiT_tiny_patch16_224",
    "DeiT_tiny_distilled_patch16_224",
    "ESNet_x0_25",
    "GhostNet_x0_5",
    "LeViT_128S",
    "MobileNetV1_x0_25",
    "MobileNetV2_x0_25",
    "MobileNetV3_small_x0_35",
    "MobileNetV3_large_x0_35",
    "PPLCNet_x0_25",
    "PPLCNet_x0_35",
    "RepVGG_A0",
    "ResNet18",
    "ResNet18_vd",
    "ShuffleNetV2_x0_25",
    "SqueezeNet1_0",
)

PROBE = """
for number, name in enumerate(given["names"]):
    with paddle.utils.unique_name.guard():
        net = getattr(ppcls.arch, name)(class_num=2 + number)
        paddle.save(net.state_dict(), f"{given['folder']}/{name}.pdparams", protocol=2 + number % 3)
        found[name] = 2 + number
"""

LOADED = """
with paddle.utils.unique_name.guard():
    net = ppcls.arch.MobileNetV3_small_x0_35(class_num=7)
    state = net.state_dict()
    kept = {name: value.numpy().copy() for name, value in state.items()}
    other = {name: value * 0 + 1 for name, value in ppcls.arch.MobileNetV3_small_x0_35(class_num=5).state_dict().items()}
    net.set_state_dict(other)
    found["filled"] = sum(int((value.numpy() == 1).all()) for value in net.state_dict().values())
    found["kept"] = [name for name, value in net.state_dict().items() if (value.numpy() == kept[name]).all() and not (kept[name] == 1).all()]
    try:
        net.set_state_dict({name: value.astype("float16") for name, value in state.items()})
        found["half"] = "loaded"
    except AssertionError as error:
        found["half"] = str(error)
"""


def test_each_fits_its_own_network_and_is_named_where_it_does_not_fit(real_python: str, tmp_path: Path) -> None:
    counts = probe(real_python, PROBE, {"names": NETWORKS, "folder": str(tmp_path)})
    for place, (name, classes) in enumerate(counts.items()):
        path = os.path.join(tmp_path, f"{name}.pdparams")
        contents = read_contents(path)
        types = {tensor.name: tensor.dtype for tensor in contents.tensors}

        def held(other: str, count: int) -> Verdict:
            models = [wanted([("", state, count)]) for state in states_of(other) if "develop" in state.branches]
            return judge(contents.shapes, types, models, own=(other,))  # noqa: B023

        assert held(name, classes).kind == "fits", name
        assert held(name, 1000).kind == "classes" and held(name, 1000).have == classes, name
        for other in (NETWORKS[place - 1], NETWORKS[place - 5]):
            verdict = held(other, classes)
            assert verdict.kind in ("other", "position") and name in verdict.likes and verdict.share > 0.99, (name, other, verdict)


def test_what_set_state_dict_fills_is_what_is_said(real_python: str) -> None:
    found = probe(real_python, LOADED, {})
    (state,) = (state for state in states_of("MobileNetV3_small_x0_35") if "develop" in state.branches)
    assert set(found["kept"]) <= state.heads == {key for key, shape in state.shapes.items() if CLASSES in shape}
    assert found["filled"] >= len(state.shapes) - len(state.heads)
    assert "dtype not match" in found["half"]
