"""What is said of the networks, against the networks of PaddleClas: built and run."""

from __future__ import annotations

import pytest

from checks.networks import BROKEN
from knowledge.zoo import input_size
from tests.real.probing import probe

SIZES = {
    "AdaFace_IR_18": (112, 128),
    "AlexNet": (224, 240, 256),
    "DeiT_tiny_patch16_224": (224, 256),
    "LeViT_128S": (224, 240),
    "MixNet_S": (208, 224, 256),
    "MobileViTV2_x0_5": (224, 256, 288, 320),
    "ResNet18": (192, 224, 300),
}

PROBE = """
for name, sides in given.items():
    options = {} if name.startswith("AdaFace") else {"pretrained": False}
    with paddle.utils.unique_name.guard(), paddle.no_grad():
        try:
            net = getattr(ppcls.arch, name)(**options)
        except Exception as error:
            found[name] = type(error).__name__
            continue
        net.eval()
        found[name] = []
        for side in sides:
            try:
                net(paddle.rand([1, 3, side, side]))
                found[name].append(side)
            except Exception:
                pass
"""


def test_sizes_that_are_refused_fail_and_others_do_not(real_python: str) -> None:
    found = probe(real_python, PROBE, SIZES)
    for name, sides in SIZES.items():
        size = input_size(name)
        assert found[name] == [side for side in sides if not (size and size.refuses(side))], name


@pytest.mark.parametrize("name", ["HRNet_W60_C", "SE_HRNet_W64_C", "MobileViTV2_x0_75"])
def test_broken_networks_cannot_be_built(real_python: str, name: str) -> None:
    assert probe(real_python, PROBE, {name: ()}) == {name: BROKEN[name]}
