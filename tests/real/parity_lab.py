"""A small network with weights, exported in several ways by the real PaddlePaddle, and the configs of both sides with this or that changed."""

from __future__ import annotations

import copy
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from checks.facts.base import ParityRequest, Request, World
from checks.facts.deploy_config import collect_deploy_config
from checks.facts.parity import Parity
from checks.facts.parity_run import Crew, ParityRun
from checks.facts.training_config import collect_training_config

EXPORTS = """
import copy, importlib.util, os, sys, zlib
sys.path.insert(0, os.path.dirname(importlib.util.find_spec("paddleclas").origin))
import numpy, paddle, ppcls.arch
from ppcls.utils import logger
logger.init_logger(log_file=None)
out = sys.argv[1]

class Deployed(paddle.nn.Layer):
    def __init__(self, base, activations):
        super().__init__()
        self.base_model = base
        self.activations = activations
    def forward(self, x):
        x = self.base_model(x)
        for _ in range(self.activations):
            x = paddle.nn.functional.softmax(x, axis=-1)
        return x

def network(classes, seed, trained=True):
    paddle.seed(seed)
    with paddle.utils.unique_name.guard():
        net = ppcls.arch.build_model({"Arch": {"name": "MobileNetV3_small_x0_35", "class_num": classes}, "Global": {"device": "cpu"}}, "infer")
    random = numpy.random.RandomState(seed)
    for name, tensor in net.state_dict().items():
        values = tensor.numpy()
        if not trained:
            continue
        if name.endswith("_mean"):
            values = values + random.normal(0, 0.1, values.shape)
        elif name.endswith("_variance"):
            values = values * random.uniform(0.6, 1.6, values.shape)
        else:
            values = values + random.normal(0, 0.02, values.shape)
        tensor.set_value((values * (6 if values.ndim == 2 else 1)).astype("float32"))
    return net

def export(net, name, activations=1):
    net.eval()
    whole = paddle.jit.to_static(Deployed(net, activations), input_spec=[paddle.static.InputSpec([None, 3, 32, 32], "float32")])
    whole.eval()
    paddle.jit.save(whole, os.path.join(out, name, "inference"))

net = network(5, 1)
weights = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
paddle.save(net.state_dict(), os.path.join(out, "best.pdparams"))
export(net, "good")
export(net, "twice", 2)
export(net, "bare", 0)
export(network(5, 2), "other")
# as the export of develop, which copies the network: every parameter has another name then
export(copy.deepcopy(network(5, 3, trained=False)), "fresh")
seven = network(7, 4)
seven.set_dict({name: value for name, value in weights.items() if not name.startswith("fc.")})
export(seven, "seven")
net.set_dict({name: value.astype("float16").astype("float32") for name, value in weights.items()})
export(net, "half")
"""

TRAIN: dict[str, Any] = {
    "Global": {"pretrained_model": None, "device": "cpu", "image_shape": [3, 32, 32]},
    "Arch": {"name": "MobileNetV3_small_x0_35", "class_num": 5},
    "Infer": {
        "infer_imgs": "images",
        "batch_size": 1,
        "transforms": [
            {"DecodeImage": {"to_rgb": True, "channel_first": False}},
            {"ResizeImage": {"resize_short": 40}},
            {"CropImage": {"size": 32}},
            {"NormalizeImage": {"scale": "1.0/255.0", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": ""}},
            {"ToCHWImage": None},
        ],
        "PostProcess": {"name": "Topk", "topk": 3, "class_id_map_file": "map.txt"},
    },
}

DEPLOY: dict[str, Any] = {
    "Global": {
        "infer_imgs": "images",
        "inference_model_dir": "good",
        "batch_size": 1,
        "use_gpu": False,
        "enable_mkldnn": False,
        "cpu_num_threads": 1,
        "use_fp16": False,
        "ir_optim": True,
        "use_tensorrt": False,
        "gpu_mem": 100,
        "enable_profile": False,
    },
    "PreProcess": {
        "transform_ops": [
            {"ResizeImage": {"resize_short": 40}},
            {"CropImage": {"size": 32}},
            {
                "NormalizeImage": {
                    "scale": 0.00392157,
                    "mean": [0.485, 0.456, 0.406],
                    "std": [0.229, 0.224, 0.225],
                    "order": "",
                    "channel_num": 3,
                }
            },
            {"ToCHWImage": None},
        ]
    },
    "PostProcess": {"main_indicator": "Topk", "Topk": {"topk": 3, "class_id_map_file": "map.txt"}},
}

REMOVED = object()


def change(tree: Any, path: str, value: Any) -> None:
    """Set, or remove, what stands at a dotted path."""
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in outer:
        tree = tree[part]
    if value is REMOVED:
        del tree[last]
    else:
        tree[last] = value


class Lab:
    """A folder with exports, images and configs; runs with the same folder share their processes."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder = folder
        self.python = python
        self.crew = Crew()
        program = folder / "exports.py"  # a file, since PaddlePaddle reads the source of what it makes static
        program.write_text(EXPORTS)
        done = subprocess.run([python, str(program), str(folder)], capture_output=True, text=True, timeout=300, check=False, env=environ())
        assert (folder / "half").is_dir(), done.stderr[-2000:]
        (folder / "map.txt").write_text("".join(f"{number} class{number}\n" for number in range(7)))
        (folder / "shifted.txt").write_text("".join(f"{number + 1} class{number}\n" for number in range(-1, 7)))
        pictures(folder / "images")

    def run(
        self, model: str = "good", weights: str | None = "best", train: Any = (), deploy: Any = (), alone: bool = False, **more: Any
    ) -> Parity:
        """Both sides, with these changes to the configs; `alone` in processes of its own."""
        written = {}
        for name, plain, changes in (("train", TRAIN, train), ("deploy", DEPLOY, deploy)):
            tree = copy.deepcopy(plain)
            for path, value in dict(changes).items():
                change(tree, path, value)
            written[name] = self.folder / f"{name}.yaml"
            written[name].write_text(yaml.safe_dump(tree))
        parity = ParityRequest(**{name: more.pop(name) for name in ("images", "seconds", "arrays") if name in more})
        request = Request(
            "train.yaml",
            stage="infer",
            root=str(self.folder),
            weights=f"{weights}.pdparams" if weights else None,
            deploy_config="deploy.yaml",
            inference_model=model,
            **{"python": self.python, "parity": parity, **more},
        )
        world = World(environ=environ(), cwd=str(self.folder))
        config = collect_training_config(request, world)
        run = ParityRun(config, collect_deploy_config(config, request, world), request, world)
        return run.run() if alone else run.run_with(self.crew)


def environ() -> dict[str, str]:
    """Ours, for one thread."""
    return {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}


def pictures(folder: Path) -> None:
    """A few images with colour and structure."""
    from PIL import Image

    folder.mkdir()
    for number in range(4):
        noise = np.random.RandomState(number).randint(0, 255, (6, 8, 3)).astype("uint8")
        Image.fromarray(noise).resize((90 + 10 * number, 70), Image.Resampling.BICUBIC).save(folder / f"image{number}.jpg", quality=92)
