"""What findings of `parity` share: what the model computes in, what a difference does to the results, and the ways out."""

from __future__ import annotations

import shlex
from typing import Any

import msgspec

from checks.facts.base import Request
from checks.facts.deploy_config import DeployConfig
from checks.facts.parity import Cause, Parity
from checks.facts.training_config import TrainingConfig
from checks.model import Location
from checks.parity_statistics import Agreement, Pair, Precision, agreement


def precision_of(parity: Parity | None, deploy: DeployConfig | None) -> Precision:
    """What the deployed model computes in, as far as the config and its weights tell."""
    on = {
        concept
        for concept in ("fp16", "tensorrt", "onednn", "gpu")
        if deploy is not None and (found := deploy.switch(concept)) and found.value
    }
    int8 = deploy is not None and deploy.tree.raw("Global.use_int8") not in (None, False, 0, "")
    dtypes = parity.weights.dtypes if parity is not None and parity.weights is not None else ()
    if int8 or "int8" in dtypes:
        return "int8"
    if "bfloat16" in dtypes:
        return "bfloat16"
    if "fp16" in on or "float16" in dtypes:
        return "float16"
    if "tensorrt" in on and "gpu" in on:
        return "tensorrt"
    return "onednn" if "onednn" in on and "gpu" not in on else "float32"


def whole_agreement(parity: Parity, tolerance: float) -> Agreement:
    """Both sides as they run."""
    return part_agreement(parity, "train", "deploy", tolerance)


def part_agreement(parity: Parity, one: str, other: str, tolerance: float) -> Agreement:
    """Two of the results that every image has, over all images that have both."""
    sides = ((image.file, getattr(image, one), getattr(image, other)) for image in parity.images)
    return agreement((Pair(file, a, b) for file, a, b in sides if a is not None and b is not None), tolerance)


def effect_of(parity: Parity, other: str, tolerance: float) -> Agreement:
    """What a part alone does to the results of the training side: its tensor, or its model; both together where that was not run."""
    found = part_agreement(parity, "train", other, tolerance)
    return found if found.images else whole_agreement(parity, tolerance)


def numbers_of(found: Agreement) -> dict[str, Any]:
    """The values that every message about results has."""
    return {
        "images": found.images,
        "top1": found.top1,
        "ranks": found.ranks,
        "drift": "–" if found.drift is None else round(found.drift, 6),
        "mean_drift": "–" if found.mean_drift is None else round(found.mean_drift, 6),
        "needed": "–" if found.needed is None else round(found.needed, 6),
        "tolerance": found.tolerance,
        "low": round(100 * found.low, 1),
        "high": round(100 * found.high, 1),
        "worst": found.worst,
        "flipped": list(found.flipped),
    }


def case_of(found: Agreement) -> str | None:
    """The case: another first class, another score, or nothing that the tolerance does not allow."""
    return None if found.changed else "drift" if not found.agrees else "harmless"


def place(config: TrainingConfig, deploy: DeployConfig | None, key: str | None) -> Location:
    """A place in the deploy config, or as near as there is one."""
    if deploy is None:
        return Location(config.file)
    while key and not deploy.tree.has(key):
        key = key.rpartition(".")[0]
    return deploy.tree.at(key) if key else Location(deploy.file)


def export_command(config: TrainingConfig, request: Request, folder: str | None, class_num: int | None = None) -> str:
    """The command that exports these weights with this class count."""
    words = ["python3", "tools/export_model.py", "-c", config.file]
    given = list(request.overrides)
    weights = request.weights or config.tree.raw("Global.pretrained_model") or "output/best_model"
    given = [item for item in given if not item.startswith(("Global.pretrained_model=", "Global.save_inference_dir="))]
    given.append(f"Global.pretrained_model={str(weights).removesuffix('.pdparams')}")
    if class_num is not None and not any(item.startswith("Arch.class_num=") for item in given) and config.tree.has("Arch.class_num"):
        given.append(f"Arch.class_num={class_num}")
    given.append(f"Global.save_inference_dir={folder or './inference'}")
    return shlex.join(words) + "".join(f" -o {shlex.quote(item)}" for item in given)


def model_folder(request: Request, deploy: DeployConfig | None) -> str | None:
    """The folder of the exported model, as it is written."""
    named = request.inference_model or (deploy.tree.raw("Global.inference_model_dir") if deploy is not None else None)
    return named if isinstance(named, str) else None


def flow(value: Any) -> str:
    """A value as one line of JSON, which is YAML too."""
    return msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=0).decode()


def as_text(value: Any) -> str:
    """A value of a config for a sentence."""
    return value if isinstance(value, str) else flow(value)


def what_differs(cause: Cause | None) -> str:
    """A difference in names and values, which need no language: `ResizeImage.resize_short: 72 → 256`."""
    if cause is None:
        return "?"
    key = cause.deploy_key or cause.train_key
    name = ".".join(key.split(".")[-2:]) if key and cause.parameter else ".".join(part for part in (cause.step, cause.parameter) if part)
    if cause.kind in ("missing-step", "extra-step"):
        return str(cause.parameter or cause.train or cause.deploy or cause.step)
    return f"{name}: {as_text(cause.train)} → {as_text(cause.deploy)}"


def transform_ops(parity: Parity, deploy: DeployConfig) -> str:
    """The pre-processing of the deploy config as it should be: the training side's ops, without the decoding that `predict_cls.py` does itself."""
    section = "RecPreProcess" if deploy.tree.has("RecPreProcess") and not deploy.tree.has("PreProcess") else "PreProcess"
    lines = [f"{section}:", "  transform_ops:"]
    for op in parity.train.ops:
        if op.step in ("read", "decode"):
            continue
        lines.append(f"    - {op.name}:")
        lines += [f"        {key}: {_yaml(value)}" for key, value in op.parameters.items()]
    return "\n".join(lines)


def _yaml(value: Any) -> str:
    """A value in YAML's flow style, which JSON is a part of."""
    if isinstance(value, str) and value and value.isprintable() and not set(value) & set(":#{}[],&*!|>'\"%@`") and value == value.strip():
        return value
    return flow(value)
