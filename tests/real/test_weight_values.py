"""What the numbers say in weights and exports that the real PaddlePaddle wrote of the real networks of PaddleClas."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.projects import Project, passes
from tests.real.probing import probe

NETWORKS = ("MobileNetV3_small_x0_35", "SqueezeNet1_1", "RepVGG_A0")
"""A linear classifier, a convolution as classifier, and branches that an export fuses."""

MAKE = """
def build(name, classes=5):
    with paddle.utils.unique_name.guard():
        return getattr(ppcls.arch.backbone, name)(pretrained=False, class_num=classes)

def train(net, steps):
    net.train()
    optimizer = paddle.optimizer.Momentum(0.01, 0.9, parameters=net.parameters())
    for _ in range(steps):
        loss = paddle.nn.functional.cross_entropy(net(paddle.randn([4, 3, 64, 64])), paddle.to_tensor([0, 1, 2, 3]))
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()

def export(net, where):
    net.eval()
    with paddle.utils.unique_name.guard("fused_"):
        for layer in net.sublayers():
            if hasattr(layer, "re_parameterize") and not layer.is_repped:
                layer.re_parameterize()
    spec = [paddle.static.InputSpec([None, 3, 64, 64], "float32")]
    paddle.jit.save(paddle.jit.to_static(net, input_spec=spec), where + "/inference")

folder, name = given
paddle.seed(1)
net = build(name)
paddle.save(net.state_dict(), folder + "/new.pdparams")
export(build(name), folder + "/random")
train(net, 2)
saved = {key: paddle.to_tensor(value.numpy()) for key, value in net.state_dict().items()}
paddle.save(net.state_dict(), folder + "/trained.pdparams")
paddle.save({**net.state_dict(), **{k: v for k, v in build(name).state_dict().items() if 5 in v.shape[:2]}}, folder + "/head.pdparams")
copy = build(name)
copy.set_state_dict(saved)
export(copy, folder + "/same")
other = build(name)
train(other, 2)
export(other, folder + "/other")
found["made"] = True
"""


@pytest.mark.real
@pytest.mark.parametrize("name", NETWORKS)
def test_new_and_trained_networks_and_their_exports_are_told_apart(real_python: str, tmp_path: Path, name: str) -> None:
    assert probe(real_python, MAKE, [str(tmp_path), name])["made"]
    project = Project(tmp_path, "modern", {"Arch.name": name, "Arch.class_num": 5, "Global.pretrained_model": "trained"})
    for code in ("WTS120", "WTS121", "WTS123", "WTS124", "WTS125"):
        if name != "SqueezeNet1_1" or code != "WTS123":
            assert passes(project, code, stage="eval"), code
    assert project.finding("WTS124", stage="eval", weights="new.pdparams").severity == "error"
    assert project.finding("WTS125", stage="eval", weights="head.pdparams").severity == "error"
    deploy = {"stage": "deploy", "weights": "trained.pdparams"}
    for code in ("EXP120", "EXP121", "EXP122"):
        assert passes(project, code, **deploy, inference_model="same"), code
    assert project.finding("EXP121", **deploy, inference_model="random").severity == "error"
    assert project.finding("EXP120", **deploy, inference_model="other").severity == "error"
