"""What the real transforms of PaddleClas make of lists of transforms, correct and broken ones.

Runs in an interpreter with paddle and OpenCV, from the top of a checkout of PaddleClas:

    python transform_oracle.py OUT.json [--seed N] [--lists N]     # makes lists of its own and writes what became of them
    python transform_oracle.py --replay IN.json OUT.json           # runs those of a file again
    python transform_oracle.py OUT.json --deployed                 # only lists of deployment: the wheel `paddleclas` has what they need

A record is `{"ops", "start", "dialect", "runs"}`; a run is `[height, width, [outcome, …]]`, and an outcome is the dtype and shape of the image
that would be put into the batch, or the name of the exception.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import functools
import io
import json
import logging
import random
import sys
import warnings
from typing import Any

TRIALS = 4
SIZES = [(240, 320), (256, 256), (300, 200), (40, 30)]

HEALTHY: list[tuple[str, str, list[dict[str, Any]]]] = [
    (
        "train",
        "bytes",
        [{"DecodeImage": {"to_rgb": True, "channel_first": False}}, {"RandCropImage": {"size": 224}}, {"RandFlipImage": {"flip_code": 1}}],
    ),
    (
        "train",
        "bytes",
        [
            {"DecodeImage": {"to_np": False, "channel_first": False, "backend": "pil"}},
            {"RandCropImage": {"size": 96}},
            {"RandFlipImage": None},
        ],
    ),
    (
        "train",
        "bytes",
        [
            {"DecodeImage": {"to_rgb": True, "channel_first": False, "backend": "pil"}},
            {"RandCropImage": {"size": 224, "interpolation": "bicubic", "backend": "pil"}},
            {"TimmAutoAugment": {"config_str": "rand-m9-mstd0.5-inc1", "interpolation": "bicubic", "img_size": 224}},
        ],
    ),
    ("train", "bytes", [{"DecodeImage": None}, {"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}]),
    ("train", "bytes", [{"DecodeImage": None}, {"ResizeImage": {"size": [192, 256]}}, {"RandFlipImage": {"flip_code": 0}}]),
    (
        "train",
        "bytes",
        [
            {"DecodeImage": None},
            {"ResizeImage": {"size": [128, 256], "return_numpy": False, "interpolation": "bilinear", "backend": "pil"}},
            {"RandFlipImage": None},
            {"Pad": {"padding": 10}},
            {"RandCropImageV2": {"size": [128, 256]}},
        ],
    ),
    (
        "train",
        "bytes",
        [
            {"DecodeImage": None},
            {"ResizeImage": {"size": 248}},
            {"Padv2": {"size": 276, "pad_mode": 1}},
            {"RandomCropImage": {"size": 224}},
        ],
    ),
    ("train", "array", [{"ResizeImage": {"size": 224}}, {"RandomRotation": {"prob": 0.5, "degrees": 30}}, {"AugMix": {"prob": 0.5}}]),
    ("tensor", "pil", [{"Resize": {"size": 256}}, {"RandomResizedCrop": {"size": 224}}, {"RandomHorizontalFlip": {"prob": 0.5}}]),
    ("tensor", "pil", [{"Resize": {"size": [256, 128]}}, {"CenterCrop": {"size": 100}}]),
    ("infer", "bytes", [{"DecodeImage": None}, {"ResizeImage": {"resize_short": 256}}, {"CropImage": {"size": 224}}]),
    ("infer", "bytes", [{"DecodeImage": {"backend": "pil"}}, {"CropImageAtRatio": {"size": 224, "pad": 32}}]),
    (
        "deploy",
        "array",
        [{"ResizeImage": {"resize_short": 256, "interpolation": "bicubic", "backend": "pil"}}, {"CropImage": {"size": 224}}],
    ),
    ("deploy", "array", [{"ResizeImage": {"size": [96, 128]}}]),
    ("deploy", "array", [{"ResizeImage": {"resize_short": 64}}, {"CropImage": {"size": [48, 56]}}]),
]
"""How the list ends up (as in a dataset, as one that makes tensors, as in infer.py, as in deployment), what it is handed, its transforms."""

NORMAL: dict[str, Any] = {"scale": "1.0/255.0", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": ""}

ENDS: dict[str, list[dict[str, Any]]] = {
    "train": [{"NormalizeImage": NORMAL}],
    "tensor": [{"ToTensor": None}, {"Normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}],
    "infer": [{"NormalizeImage": NORMAL}, {"ToCHWImage": None}],
    "deploy": [{"NormalizeImage": {**NORMAL, "scale": 0.00392157, "channel_num": 3}}, {"ToCHWImage": None}],
}

INSERTED: list[dict[str, Any]] = [
    {"AutoAugment": None},
    {"RandAugment": {"num_layers": 2, "magnitude": 5}},
    {"TimmAutoAugment": {"prob": 0.5}},
    {"ColorJitter": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}},
    {"ColorJitter": {"prob": 0.5, "brightness": 0.4}},
    {"RandomErasing": {"EPSILON": 0.5}},
    {"RandomErasing": {"EPSILON": 1.0, "mode": "pixel"}},
    {"RandomErasing": {"EPSILON": "0.25", "sl": 0.02, "sh": "1.0/3.0", "r1": 0.3, "attempt": 10, "use_log_aspect": True, "mode": "pixel"}},
    {"AugMix": {"prob": 1.0}},
    {"Cutout": {"n_holes": 1, "length": 32, "fill_value": "none"}},
    {"HideAndSeek": None},
    {"RandFlipImage": {"flip_code": -1}},
    {"RandomHorizontalFlip": None},
    {"ToCHWImage": None},
    {"NormalizeImage": NORMAL},
    {"NormalizeImage": {"scale": "1/255"}},
    {"NormalizeImage": None},
    {"NormalizeImage": {**NORMAL, "channel_num": 4}},
    {"NormalizeImage": {**NORMAL, "output_fp16": True}},
    {"DecodeImage": None},
    {"DecodeImage": {"to_rgb": False}},
    {"DecodeImage": {"channel_first": True}},
    {"ResizeImage": {"size": 128}},
    {"ResizeImage": {"resize_short": 200}},
    {"ResizeImage": {"resize_short": 100.0, "interpolation": "lanczos"}},
    {"ResizeImage": {"size": 224, "resize_short": 256}},
    {"ResizeImage": {"size": 64, "backend": "pil", "return_numpy": False}},
    {"ResizeImage": {"resize_short": 80, "backend": "pil"}},
    {"CropImage": {"size": 32}},
    {"CropImage": {"size": [200, 48]}},
    {"RandCropImage": {"size": [96, 64], "scale": [1.0, 0.08]}},
    {"RandCropImage": {"size": 64, "backend": "pil", "interpolation": "random"}},
    {"RandCropImageV2": {"size": 48}},
    {"RandomCropImage": {"size": 48}},
    {"PCALighting": None},
    {"RandomRot90": None},
    {"RandomGrayscale": {"p": 1.0}},
    {"Pad": {"padding": 4}},
    {"Pad": {"padding": 4, "backend": "cv2"}},
    {"Pad_paddle_vision": {"padding": 3}},
    {"RandomInterpolationAugment": {"prob": 0.5}},
    {"CropWithPadding": {"prob": 1, "size": 64}},
    {"CenterCrop": {"size": [40, 60]}},
    {"Resize": {"size": 100}},
    {"ToTensor": None},
    {"Normalize": {"mean": 0.5, "std": 0.5}},
    {"Normalize": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "data_format": "HWC"}},
    {"MixupOperator": {"alpha": 0.2}},
    {"CutmixOperator": {"alpha": 0.2}},
]

ODD: dict[str, list[Any]] = {
    "size": [0, -8, 224.0, "224", [224], [96, 64], [96, 64, 3], [96.0, 64.0], ["96", "64"], 500, None],
    "resize_short": [0, -1, 256.0, "256", 20, None, 64],
    "scale": ["1/255", 0.00392157, None, "1.0/255.O", "abc(", "0,0039", 1, "255", [0.08, 1.0], 0.5],
    "mean": [[0.5, 0.5], [0.5] * 4, 0.5, ["0.5", "0.5", "0.5"], None, ["a", 1, 2], [[0.1, 0.2, 0.3]]],
    "std": [[0.5, 0.5], 0.5, None],
    "order": ["chw", "hwc", "CHW", None, "HWC"],
    "channel_num": [1, 4, "3", None],
    "flip_code": [2, 0, -1, "1", None],
    "interpolation": ["linear", "BICUBIC", "box", "area", "hamming", None],
    "backend": ["PIL", "cv2", "pillow", None],
    "ratio": [[0.75, 1.33], 1.0, [0, 0], [1.0]],
    "to_rgb": [False, True],
    "to_np": [False, True],
    "channel_first": [True],
    "padding": [0, [1, 2]],
    "pad_mode": [3, 0],
    "EPSILON": [0, 1, "0.5"],
    "prob": [0, 1.0],
    "return_numpy": [True, False],
}


def broken(rng: random.Random, deployed: bool) -> dict[str, Any]:
    """One of the healthy lists with up to three things changed."""
    end, start, ops = copy.deepcopy(rng.choice([row for row in HEALTHY if row[0] == "deploy" or not deployed]))
    ops += copy.deepcopy(ENDS[end])
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3])):
        if not ops:
            break
        place = rng.randrange(len(ops))
        kind = rng.random()
        if kind < 0.15:
            del ops[place]
        elif kind < 0.25:
            other = rng.randrange(len(ops))
            ops[place], ops[other] = ops[other], ops[place]
        elif kind < 0.6:
            ops.insert(rng.randrange(len(ops) + 1), copy.deepcopy(rng.choice(INSERTED)))
        else:
            ((name, params),) = ops[place].items()
            params = dict(params or {})
            known = [p for p in ODD if p in params] or ["size"]
            if rng.random() < 0.2:
                known = [p for p in TAKES.get(name, ()) if p in ODD] or known
            parameter = rng.choice(known)
            if name in ("MixupOperator", "CutmixOperator") or (parameter not in params and parameter not in TAKES.get(name, ())):
                continue
            params[parameter] = copy.deepcopy(rng.choice(ODD[parameter]))
            ops[place] = {name: params}
    return {"end": end, "start": start, "ops": ops}


TAKES = {
    "DecodeImage": ("to_np", "to_rgb", "channel_first", "backend"),
    "ResizeImage": ("size", "resize_short", "interpolation", "backend", "return_numpy"),
    "CropImage": ("size",),
    "RandCropImage": ("size", "scale", "ratio", "interpolation", "backend"),
    "RandCropImageV2": ("size",),
    "RandomCropImage": ("size",),
    "RandFlipImage": ("flip_code",),
    "NormalizeImage": ("scale", "mean", "std", "order", "channel_num"),
    "Pad": ("padding", "backend"),
    "Padv2": ("size", "pad_mode"),
    "RandomErasing": ("EPSILON",),
}


class Real:
    """The real transforms, found below the current folder."""

    def __init__(self) -> None:
        sys.path.insert(0, ".")
        warnings.simplefilter("ignore")
        import cv2
        import numpy
        import PIL.Image

        logging.disable(logging.CRITICAL)
        cv2.setNumThreads(1)
        self.cv2, self.numpy, self.pil = cv2, numpy, PIL.Image
        self.files: dict[tuple[int, int], bytes] = {}

    @functools.cached_property
    def trained(self) -> Any:
        """The transforms of training."""
        from ppcls.data import preprocess
        from ppcls.utils import logger

        logger.init_logger()  # without it a transform that warns dies of the warning
        return preprocess

    @functools.cached_property
    def deployed(self) -> Any:
        """The transforms of deployment."""
        import types

        for name in ("paddleclas", "paddleclas.deploy", "paddleclas.deploy.python"):
            sys.modules.setdefault(name, types.ModuleType(name))
        det = types.ModuleType("paddleclas.deploy.python.det_preprocess")
        for name in ("DetNormalizeImage", "DetPadStride", "DetPermute", "DetResize"):
            setattr(det, name, object)
        sys.modules.setdefault("paddleclas.deploy.python.det_preprocess", det)
        import importlib.util

        spec = importlib.util.spec_from_file_location("deploy_preprocess", "deploy/python/preprocess.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules["deploy_preprocess"] = module
        spec.loader.exec_module(module)
        return module

    def image(self, start: str, size: tuple[int, int]) -> Any:
        """An image of noise, as the file's bytes, an array or a PIL image."""
        if size not in self.files:
            noise = self.numpy.random.RandomState(1).randint(0, 255, (*size, 3)).astype("uint8")
            self.files[size] = bytes(self.cv2.imencode(".png", noise)[1])
        data = self.files[size]
        if start == "bytes":
            return data
        image = self.pil.open(io.BytesIO(data)).convert("RGB")
        return image if start == "pil" else self.numpy.array(image)

    def outcomes(self, record: dict[str, Any], size: tuple[int, int], trials: int) -> list[str]:
        """What became of one image in each trial; one is enough where the transforms cannot be built."""
        module = self.deployed if record["end"] == "deploy" else self.trained
        numpy, found = self.numpy, []
        for _ in range(trials):
            try:
                ops = []
                for item in copy.deepcopy(record["ops"]):
                    ((name, params),) = item.items()
                    ops.append(getattr(module, name)(**(params or {})))
                image = self.image(record["start"], size)
                for op in ops:
                    image = op(image)
                if record["end"] == "train":
                    image = image.transpose((2, 0, 1))
                if isinstance(image, bytes) or not hasattr(image, "shape"):
                    raise TypeError(type(image).__name__)
                batch = numpy.stack([numpy.asarray(image)])
                if not numpy.isfinite(batch).all():
                    raise FloatingPointError
                found.append(f"{batch.dtype} {'x'.join(map(str, batch.shape[1:]))}")
            except Exception as error:  # any of them is an outcome
                found.append(type(error).__name__)
        return found


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--replay")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lists", type=int, default=400)
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--deployed", action="store_true")
    parser.add_argument("out")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    if arguments.replay:
        with open(arguments.replay, encoding="utf-8") as stream:
            records = [{k: r[k] for k in ("end", "start", "ops")} for r in json.load(stream)]
    else:
        rng = random.Random(arguments.seed)
        seen: dict[str, dict[str, Any]] = {}
        while len(seen) < arguments.lists:
            record = broken(rng, arguments.deployed)
            seen.setdefault(json.dumps(record), record)
        records = list(seen.values())
    with contextlib.redirect_stdout(io.StringIO()):
        real = Real()
        for record in records:
            runs = []
            for height, width in SIZES:
                outcomes = real.outcomes(record, (height, width), arguments.trials)
                runs.append([height, width, sorted(set(outcomes))])
            record["runs"] = runs
    with open(arguments.out, "w", encoding="utf-8") as stream:
        stream.write("[\n" + ",\n".join(json.dumps(record, separators=(",", ":")) for record in records) + "\n]\n")


if __name__ == "__main__":
    main()
