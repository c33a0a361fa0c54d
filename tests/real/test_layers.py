"""What a network gives when it is stopped after a layer, against the networks of PaddleClas."""

from __future__ import annotations

import json
import subprocess

import pytest

from knowledge.layers import layers_of

STOPS = {
    "MobileNetV3_small_x0_35": ("flatten", "avg_pool"),
    "PPLCNet_x0_25": ("flatten", "last_conv"),
    "ResNet18": ("flatten", "avg_pool"),
    "MobileNetV2_x0_25": (),
}

PROBE = """
import importlib.util, json, os, sys
sys.path.insert(0, os.path.dirname(importlib.util.find_spec("paddleclas").origin))
import paddle
try:
    import ppcls.arch
    from ppcls.utils import logger
except ModuleNotFoundError as error:
    sys.exit("MISSING " + str(error.name))
logger.init_logger(log_file=None)
found = {}
for name, stops in json.loads(sys.argv[1]).items():
    with paddle.utils.unique_name.guard(), paddle.no_grad():
        net = getattr(ppcls.arch, name)(pretrained=False)
        net.eval()
        found[name] = {"layers": [child for child, _ in net.named_children()], "stops": hasattr(net, "stop_after"), "gives": {}}
        for stop in stops:
            assert net.stop_after(stop)
            found[name]["gives"][stop] = net(paddle.rand([2, 3, 224, 224])).shape[1:]
        assert not found[name]["stops"] or not net.stop_after("no_such_layer")
print("FOUND" + json.dumps(found))
"""


def test_the_layers_are_those_of_the_networks(real_python: str) -> None:
    done = subprocess.run([real_python, "-c", PROBE, json.dumps(STOPS)], capture_output=True, text=True, timeout=600, check=False)
    if "MISSING" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, done.stderr[-2000:]
    for name, found in json.loads(lines[0][len("FOUND") :]).items():
        known = layers_of(name)
        assert known is not None and known.stops == found["stops"], name
        assert list(known.layers) == found["layers"], name
        for stop, shape in found["gives"].items():
            assert list(known.gives[stop]) == shape, (name, stop)
