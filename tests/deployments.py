"""Small deployments for tests: a deploy config, an exported model with its shapes, an image and a label map, checked with the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doctor.run import Run
from tests.exports import classifier
from tests.projects import PIXEL, Project

MACHINE = ("cpus=16", "gpus=0")


def deploy_config() -> dict[str, Any]:
    """The shipped one, for a CPU and a network of 64 px."""
    return {
        "Global": {
            "infer_imgs": "a.png",
            "inference_model_dir": "models",
            "batch_size": 1,
            "use_gpu": False,
            "enable_mkldnn": True,
            "cpu_num_threads": 2,
            "enable_benchmark": True,
            "use_fp16": False,
            "ir_optim": True,
            "use_tensorrt": False,
            "gpu_mem": 8000,
            "enable_profile": False,
        },
        "PreProcess": {
            "transform_ops": [
                {"ResizeImage": {"resize_short": 72}},
                {"CropImage": {"size": 64}},
                {"NormalizeImage": {"scale": 0.00392157, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": ""}},
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {"main_indicator": "Topk", "Topk": {"topk": 2, "class_id_map_file": "map.txt"}},
    }


class Deployment(Project):
    """A deploy config and what it names, in a folder."""

    def __init__(self, folder: Path) -> None:  # a training project's files are not wanted
        self.folder = folder
        self.generation = "modern"
        self.data = deploy_config()
        self.text = ""

    def check(self, *overrides: str, **how: Any) -> Run:
        """Run every rule over the deploy config, started in its folder."""
        return super().check(*overrides, **{"stage": "deploy", "assume": MACHINE, **how})


def pir(output: list[int], image: list[int], version: int = 4) -> bytes:
    """A classifier as a PIR program."""
    return classifier(output, image).pir(version)


def deploy_project(
    folder: Path,
    model: str | None = "json",
    changes: Mapping[str, Any] | None = None,
    *,
    classes: int = 5,
    size: int = 64,
    version: int = 4,
    label_map: str | None = None,
) -> Deployment:
    """A deployment without a fault; `changes` set keys of its config."""
    made = Deployment(folder)
    made.write("a.png", PIXEL)
    made.write("map.txt", "".join(f"{n} class{n}\n" for n in range(5)) if label_map is None else label_map)
    if model is not None:
        net = classifier([-1, classes], [-1, 3, size, size])
        made.write(f"models/inference.{model}", net.pir(version) if model == "json" else net.program())
        made.write("models/inference.pdiparams", net.stored())
    for key, value in (changes or {}).items():
        made.set(key, value)
    made.save()
    return made
