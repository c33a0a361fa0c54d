"""What a network gives when it is stopped after a layer, against the networks of PaddleClas."""

from __future__ import annotations

from knowledge.layers import layers_of
from tests.real.probing import probe

STOPS = {
    "MobileNetV3_small_x0_35": ("flatten", "avg_pool"),
    "PPLCNet_x0_25": ("flatten", "last_conv"),
    "ResNet18": ("flatten", "avg_pool"),
    "MobileNetV2_x0_25": (),
}

PROBE = """
for name, stops in given.items():
    with paddle.utils.unique_name.guard(), paddle.no_grad():
        net = getattr(ppcls.arch, name)(pretrained=False)
        net.eval()
        found[name] = {"layers": [child for child, _ in net.named_children()], "stops": hasattr(net, "stop_after"), "gives": {}}
        for stop in stops:
            assert net.stop_after(stop)
            found[name]["gives"][stop] = net(paddle.rand([2, 3, 224, 224])).shape[1:]
        assert not found[name]["stops"] or not net.stop_after("no_such_layer")
"""


def test_the_layers_are_those_of_the_networks(real_python: str) -> None:
    for name, found in probe(real_python, PROBE, STOPS).items():
        known = layers_of(name)
        assert known is not None and known.stops == found["stops"], name
        assert list(known.layers) == found["layers"], name
        for stop, shape in found["gives"].items():
            assert list(known.gives[stop]) == shape, (name, stop)
