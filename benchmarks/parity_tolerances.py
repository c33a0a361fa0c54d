"""How far scores move when the same network is computed otherwise: what the default tolerances of `checks/parity_statistics.py` stand on.

Usage, with the folder of PaddleClas on PYTHONPATH and an interpreter that has PaddlePaddle::

    OMP_NUM_THREADS=1 PYTHONPATH=PaddleClas python benchmarks/parity_tolerances.py ResNet18 MobileNetV1 …

Networks of 100 classes with the values of their initialisers, whose batch normalisation has seen the images, and whose logits are scaled until
the first class has 0.7 on average: harder than a trained network, since nothing keeps classes apart. 32 images of coloured blocks. Largest
difference of a probability, with PaddlePaddle 3.3.1 on a CPU:

=========================  =======  =======  =======  =======  =======
network                    oneDNN   no IR    float16  bfloat16 INT8
                                    passes   weights  oneDNN   weights
=========================  =======  =======  =======  =======  =======
ResNet18                   2.7e-6   0        0.0004   0.019    0.027
PPLCNet_x0_5               1.4e-6   0        0.0006   0.007    0.011
ShuffleNetV2_x0_25         2.7e-6   0        0.0019   0.025    0.023
MobileNetV3_small_x0_35    1.4e-5   0        0.0056   0.049    0.011
MobileNetV1                1.7e-5   0        0.0136   0.281    0.231
=========================  =======  =======  =======  =======  =======

In 32 images MobileNetV1 changed two first classes in bfloat16; nothing else changed any. float16 weights are rounded and computed in float32, INT8
weights rounded by output channel to 255 steps. TensorRT was not run.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any

import numpy
import paddle
from paddle.inference import Config, create_predictor
from ppcls.arch import backbone
from ppcls.utils import logger

IMAGES, CLASSES, SURE = 32, 100, 0.7


class Scaled(paddle.nn.Layer):
    """A network whose logits are multiplied before the softmax."""

    def __init__(self, network: Any, factor: float) -> None:
        super().__init__()
        self.network = network
        self.factor = factor

    def forward(self, x: Any) -> Any:
        y = self.network(x)
        y = y[0] if isinstance(y, (list, tuple)) else y
        return paddle.nn.functional.softmax(y * self.factor, axis=-1)


def blocks() -> Any:
    """Images of 8×8 coloured blocks with a little noise, [N, 3, 224, 224]."""
    random = numpy.random.RandomState(0)
    noise = random.randn(IMAGES, 3, 224, 224)
    return (random.randn(IMAGES, 3, 28, 28).repeat(8, 2).repeat(8, 3) + 0.2 * noise).astype("float32")


def predicted(folder: str, images: Any, *, passes: bool = True, onednn: bool = False, bfloat16: bool = False) -> Any:
    """The exported network's scores."""
    config = Config(folder, "inference")
    config.disable_gpu()
    config.set_cpu_math_library_num_threads(1)
    config.switch_ir_optim(passes)
    if onednn or bfloat16:
        config.enable_mkldnn()
    else:
        config.disable_mkldnn()
    if bfloat16:
        config.enable_mkldnn_bfloat16()
    predictor = create_predictor(config)
    handle = predictor.get_input_handle(predictor.get_input_names()[0])
    out = []
    for start in range(0, IMAGES, 8):
        handle.copy_from_cpu(images[start : start + 8])
        predictor.run()
        out.append(predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu())
    return numpy.concatenate(out)


def rounded(values: Any, kind: str) -> Any:
    """Weights as they are after float16, or after INT8 by output channel."""
    if kind == "float16":
        return values.astype("float16").astype("float32")
    if values.ndim < 2:
        return values
    axes = tuple(range(1, values.ndim)) if values.ndim == 4 else (0,)
    step = abs(values).max(axis=axes, keepdims=True) / 127 + 1e-12
    return (numpy.round(values / step) * step).astype("float32")


def measure(name: str) -> dict[str, Any]:
    """Largest and mean difference, and changed first classes, by way of computing."""
    paddle.seed(3)
    images = blocks()
    tensor = paddle.to_tensor(images)
    network = getattr(backbone, name)(class_num=CLASSES)
    network.train()
    with paddle.no_grad():
        for _ in range(5):
            network(tensor)
    network.eval()
    whole = Scaled(network, 1.0)
    whole.eval()
    with paddle.no_grad():
        while float(whole(tensor).max(axis=1).mean()) < SURE and whole.factor < 1e5:
            whole.factor *= 1.3
        base = whole(tensor).numpy()

    def apart(other: Any) -> dict[str, Any]:
        return {
            "max": float(abs(base - other).max()),
            "mean": float(abs(base - other).mean()),
            "top1": int((base.argmax(1) != other.argmax(1)).sum()),
        }

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        spec = [paddle.static.InputSpec([None, 3, 224, 224], "float32")]
        paddle.jit.save(whole, os.path.join(folder, "inference"), input_spec=spec)
        found["plain"] = apart(predicted(folder, images))
        found["no passes"] = apart(predicted(folder, images, passes=False))
        found["oneDNN"] = apart(predicted(folder, images, onednn=True))
        found["bfloat16"] = apart(predicted(folder, images, bfloat16=True))
    stored = [(parameter, parameter.numpy()) for parameter in network.parameters()]
    for kind in ("float16", "int8"):
        for parameter, values in stored:
            parameter.set_value(rounded(values, kind))
        with paddle.no_grad():
            found[f"{kind} weights"] = apart(whole(tensor).numpy())
    return found


if __name__ == "__main__":
    logger.init_logger("tolerances")
    for each in sys.argv[1:]:
        print(each, json.dumps(measure(each)))
