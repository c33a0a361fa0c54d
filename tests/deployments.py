"""Small deployments for tests: a deploy config, an exported model with its shapes, an image and a label map, checked with the real engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doctor.run import Run
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


def pir(output: list[int], image: list[int], version: int = 4, inner: tuple[str, ...] = ()) -> bytes:
    """A PIR program that says no more than its shapes and the names of its inner operators (`paddle/fluid/pir/serialize_deserialize`)."""

    def operator(name: str, shape: list[int]) -> dict[str, Any]:
        return {"#": name, "O": [{"%": 1, "TT": {"#": "0.t_dtensor", "D": [{"#": "0.t_f32"}, shape, "NCHW", [], 0]}}]}

    block = {"ops": [operator("1.data", image), *(operator(name, []) for name in inner), operator("1.fetch", output)]}
    return json.dumps({"base_code": {"magic": "pir", "version": version}, "program": {"regions": [{"blocks": [block]}]}}).encode()


def field(number: int, content: bytes | int) -> bytes:
    """One field of a protobuf message."""

    def varint(value: int) -> bytes:
        value &= (1 << 64) - 1
        out = b""
        while value > 0x7F:
            out += bytes([value & 0x7F | 0x80])
            value >>= 7
        return out + bytes([value])

    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def program(output: list[int], image: list[int], inner: tuple[str, ...] = ()) -> bytes:
    """A ProgramDesc that says no more than its shapes and the types of its inner operators (`paddle/fluid/framework/framework.proto`)."""

    def variable(name: bytes, shape: list[int]) -> bytes:
        tensor = field(1, 5) + b"".join(field(2, side) for side in shape)
        return field(3, field(1, name) + field(2, field(1, 7) + field(3, field(1, tensor))))

    def operator(kind: bytes, name: bytes, place: int) -> bytes:
        return field(4, field(place, field(1, b"X") + field(2, name)) + field(3, kind))

    body = field(1, 0) + field(2, 0) + variable(b"x", image) + variable(b"y", output)
    within = b"".join(operator(kind.encode(), b"x", 1) for kind in inner)
    return field(1, body + operator(b"feed", b"x", 2) + within + operator(b"fetch", b"y", 1))


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
        shapes: tuple[list[int], list[int]] = ([-1, classes], [-1, 3, size, size])
        made.write(f"models/inference.{model}", pir(*shapes, version) if model == "json" else program(*shapes))
        made.write("models/inference.pdiparams", b"\0" * 16)
    for key, value in (changes or {}).items():
        made.set(key, value)
    made.save()
    return made
