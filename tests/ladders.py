"""Comparisons of infer and predict for tests: a healthy one of a small project, and what is unlike in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from checks.facts.parity import RUNGS, Cause, ImageParity, LabelMaps, Op, Parity, Ranked, Rung, Side, Spread, WeightsMatch
from checks.facts.printed_pair import PrintedPair, PrintedSide, pair_up
from checks.facts.printed_results import read_results
from tests.deployments import deploy_config
from tests.projects import Project

DEPLOY = "deploy.yaml"
SCORES = (0.9, 0.1)
OPS = (
    Op("DecodeImage", "decode", "Infer.transforms.0", {"to_rgb": True}),
    Op("ResizeImage", "resize", "Infer.transforms.1", {"resize_short": 256}),
    Op("CropImage", "crop", "Infer.transforms.2", {"size": 224}),
    Op("NormalizeImage", "normalize", "Infer.transforms.3", {"scale": "1.0/255.0", "mean": [0.5, 0.5, 0.5], "order": ""}),
    Op("ToCHWImage", "layout", "Infer.transforms.4", {}),
)
SAME = Spread(20, 0, 0.0, 0.0)
FAR = Spread(20, 20, 1.5, 0.2, "03.jpg")


def ranked(first: int = 1, scores: tuple[float, ...] = SCORES) -> Ranked:
    return Ranked((first, 1 - first), scores, (f"class{first}", f"class{1 - first}"))


def image(number: int, *, flip: bool = False, score: float = SCORES[0], through: str = "deploy_model", **changes: Any) -> ImageParity:
    """An image whose deploy side is as told; `through` is the cross-run that shows the same."""
    other = ranked(0) if flip else ranked(1, (score, 1 - score))
    results: dict[str, Any] = {"train": ranked(), "deploy": other, "deploy_model": ranked(), "train_model": ranked(), through: other}
    return ImageParity(f"{number:02d}.jpg", **{**results, **changes})


def images(count: int = 20, flips: int = 0, **changes: Any) -> tuple[ImageParity, ...]:
    return tuple(image(number, flip=number < flips, **changes) for number in range(count))


def ladder(**changes: Any) -> Parity:
    """A healthy pair over 20 images; `changes` set its fields, or, by the name of a rung, its causes (`resized=(Cause(…),)`)."""
    causes = {name: changes.pop(name) for name in RUNGS if name in changes and name not in ("weights", "labels")}
    causes |= {name: changes.pop(f"{name}_rung") for name in ("weights", "labels") if f"{name}_rung" in changes}
    rungs = tuple(
        Rung(name, "differs", 1e-4, FAR, FAR, causes[name]) if name in causes else Rung(name, "same", 1e-4, SAME, SAME) for name in RUNGS
    )
    healthy: dict[str, Any] = {
        "output": "classes",
        "train": Side("/venv/bin/python", "3.3.1", "/clas", ops=OPS, width=3, activations=("softmax",), post_process="Topk", topk=2),
        "deploy": Side("/venv/bin/python", "3.3.1", "/clas/deploy", width=3, activations=("softmax",), post_process="Topk", topk=2),
        "rungs": rungs,
        "images": images(),
        "images_from": "--images",
        "listed": 20,
        "weights": WeightsMatch("best_model.pdparams", 40, 40, 40, 0, 0, 0, 0, ("float32",), False, False),
        "labels": LabelMaps("data/label_map.txt", "map.txt", 3, 3, 3),
    }
    return Parity(**{**healthy, **changes})


def deployed(folder: Path, changes: dict[str, Any] | None = None) -> Project:
    """A project with a deploy config beside it."""
    project = Project(folder, "modern")
    data = deploy_config()
    data["PreProcess"]["transform_ops"][0]["ResizeImage"]["resize_short"] = 200
    for key, value in (changes or {}).items():
        section, name = key.split(".")
        data[section][name] = value
    project.write(DEPLOY, yaml.safe_dump(data, sort_keys=False))
    return project


def asked(**more: Any) -> dict[str, Any]:
    return {"stage": "infer", "deploy_config": DEPLOY, "select": ("PAR",), **more}


def side(role: Any, text: str, **changes: Any) -> PrintedSide:
    return msgspec.structs.replace(PrintedSide(role, "file", f"{role}.log", read_results(text)), **changes)


def lines(*rows: tuple[int, float], name: str = "class", shift: int = 0, decimals: int = 4, names: bool = True) -> str:
    """What predict_cls.py prints of images 0.jpg, 1.jpg …, of two classes each."""
    out = ""
    for number, (first, score) in enumerate(rows):
        ids = [first + shift, first + 1 + shift]
        labels = [f"{name}{identity}" for identity in ids] if names else []
        scores = f"[{score:.{decimals}f}, {1 - score:.{decimals}f}]"
        out += f"{number}.jpg:\tclass id(s): {ids}, score(s): {scores}, label_name(s): {labels}\n"
    return out


def printed(train: str, deploy: str) -> PrintedPair:
    return pair_up(side("train", train), side("deploy", deploy))


def cause(kind: Any, step: Any, **more: Any) -> tuple[Cause, ...]:
    return (Cause(kind, step, **more),)
