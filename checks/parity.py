"""PAR: where the training side and the deploy side part, and why; what was measured is in `Parity`."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.base import Request
from checks.facts.deploy_config import DeployConfig
from checks.facts.parity import Cause, ImageParity, Parity, Rung, Trouble
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, INFER, Finding, Fix, Location, NotApplicable
from checks.parity_causes import known_cause
from checks.parity_remedies import (
    as_text,
    case_of,
    effect_of,
    export_command,
    model_folder,
    numbers_of,
    place,
    precision_of,
    transform_ops,
    what_differs,
    whole_agreement,
)  # fmt: skip
from checks.parity_statistics import FEW, TOLERANCES, images_for
from checks.registry import check

TRAIN_PROGRAM, DEPLOY_PROGRAM = "tools/infer.py", "predict_cls.py"
PREPROCESSING = ("bytes", "decoded", "resized", "tensor")
KINDS = {
    "parameter": "another value",
    "missing-step": "a step is missing",
    "extra-step": "a step too many",
    "order": "another order of steps",
    "colour-order": "another order of colours",
    "backend": "another library",
    "orientation": "the orientation of EXIF",
    "code": "other code of the same step",
}
"""How a pre-processing differs, in words that `knowledge.phrases_rules.OUTCOMES_ZH` has in Chinese too."""
UNREAD = {
    "unread": "it cannot be decoded",
    "late": "the step did not end in time",
    "ended": "the process ended",
    "ended-often": "the process ended",
}
"""Why an image was not read, where no exception says it; in Chinese in `OUTCOMES_ZH` too."""
OTHER_NETWORK = 0.1
"""The share of tensors without a counterpart of their shape from which on the exported network is another one, not one with another head."""
SHARE_SHOWN = 0.05
"""The share of images with another first class that enough images rule out."""


@check("PAR101", name="parity-side-not-run", stages=INFER | DEPLOY)
def parity_side_not_run(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None, request: Request) -> Iterator[Finding]:
    """A side that gave no result, so that nothing can be compared: the interpreter, a package, or the user's own code."""
    for side, trouble, program in (
        (parity.train, parity.train.trouble, TRAIN_PROGRAM),
        (parity.deploy, parity.deploy.trouble, DEPLOY_PROGRAM),
    ):
        if trouble is None:
            continue
        values = {
            "python": side.python,
            "times": None,
            "stage": None,
            "error": None,
            "seconds": None,
            "status": None,
            "output": None,
            **trouble.values,
        }
        line = str(values["error"] or values["output"] or "")
        fixes = [known_cause(line)] if known_cause(line) else []
        weights = request.weights or config.tree.raw("Global.pretrained_model")
        if not fixes and side is parity.train and values["stage"] == "weights" and isinstance(weights, str):
            command = shlex.join(("paddle-doctor", "check", "-c", config.file, "--stage", "infer", "--weights", weights))
            fixes = [Fix("check-weights", "command", "safe", command=command)]
        if trouble.kind in ("no-python", "no-paddle"):
            fixes = [Fix("name-python", "advice", "safe", snippet="paddle-doctor parity … --python PATH")]
        elif trouble.kind in ("no-ppcls", "no-deploy"):
            fixes.append(Fix("name-checkout", "advice", "safe", snippet="paddle-doctor parity … --root PaddleClas"))
        elif trouble.kind == "no-parameters":
            command = export_command(config, request, model_folder(request, deploy))
            name = os.path.basename(str(values["file"]))
            fixes = [Fix("export-again", "command", "unsafe", command=command), Fix("copy-file", "advice", "safe", values={"name": name})]
        key = "Global.inference_model_dir" if trouble.kind == "no-parameters" else "Global"
        yield Finding(
            at=Location(config.file) if side is parity.train else place(config, deploy, key),
            case=trouble.kind if trouble.kind in _SIDE_CASES else None,
            fixes=tuple(fix for fix in fixes if fix is not None),
            program=program,
            **values,
        )


_SIDE_CASES = ("no-python", "no-paddle", "no-ppcls", "no-deploy", "late", "ended", "ended-often", "garbled", "no-parameters")


@check("PAR102", name="predictor-stops", stages=INFER | DEPLOY)
def predictor_stops(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None) -> Iterator[Finding]:
    """What stops the user's own predictor, and was left out here so that the rest could be measured."""
    keys = {"gpu": "Global.use_gpu", "tensorrt": "Global.use_tensorrt"}
    for repair in parity.deploy.repairs:
        key = keys.get(repair.kind, "Global.inference_model_dir" if repair.kind in ("memory-optim", "files") else None)
        fix = known_cause(repair.error)
        if repair.kind in keys and deploy is not None and key is not None and deploy.tree.has(key):
            fix = Fix("switch-off", "edit", "safe", deploy.tree.at(key), False, values={"key": key})
        elif repair.kind == "memory-optim":
            fix = Fix("no-memory-optim", "advice", "unsafe", snippet="config.enable_memory_optim(False)")
        yield Finding(
            at=place(config, deploy, key),
            case=repair.kind,
            fixes=(fix,) if fix else (),
            program=DEPLOY_PROGRAM,
            error=repair.error,
            paddle=parity.deploy.paddle,
        )


@check("PAR103", name="image-read-by-one-side", stages=INFER | DEPLOY)
def image_read_by_one_side(config: TrainingConfig, parity: Parity) -> Iterator[Finding]:
    """Images that one side reads and the other does not, so that results stand beside other images; and those that neither reads."""
    found: dict[str, list[ImageParity]] = {"train": [], "deploy": [], "neither": []}
    if parity.train.trouble or parity.deploy.trouble:
        return  # a side that gets through no image is told of as a whole, PAR101
    for image in parity.images:
        trouble = image.train_trouble or image.deploy_trouble
        if trouble is None:
            continue
        if image.train_trouble and image.deploy_trouble:
            found["neither"].append(image)
        elif trouble.kind == "unread" or parity.first is None:  # what a rung explains is told there
            found["train" if image.train_trouble else "deploy"].append(image)
    for side, images in found.items():
        if not images:
            continue
        trouble = images[0].train_trouble or images[0].deploy_trouble
        assert trouble is not None
        case: str | None
        if side == "neither":
            case = "neither" if any(not (image.train_trouble or image.deploy_trouble) for image in parity.images) else "neither-any"
        else:
            case = None if trouble.kind == "unread" else "stops"
        yield Finding(
            at=Location(images[0].file),
            case=case,
            program=TRAIN_PROGRAM if side == "train" else DEPLOY_PROGRAM,
            count=len(images),
            images=len(parity.images),
            error=_words(trouble),
            files=[image.file for image in images[:10]],
        )


def _words(trouble: Trouble) -> str:
    return str(trouble.values.get("error") or trouble.values.get("output") or UNREAD.get(trouble.kind, trouble.kind))


@check("PAR104", name="preprocessing-differs", stages=INFER | DEPLOY)
def preprocessing_differs(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The deploy side makes another tensor of an image than the training side: the step, the parameter, and what that does to the results."""
    tolerance = TOLERANCES[precision_of(parity, deploy)]
    effect = effect_of(parity, "train_model", tolerance)
    for rung in (parity.rung(name) for name in PREPROCESSING):  # type: ignore[arg-type]  # four of the rungs
        if rung.state != "differs":
            continue
        for cause in _told(rung):
            yield Finding(
                at=place(config, deploy, cause.deploy_key if cause else None),
                case=case_of(effect) if effect.images else "no-result",
                fixes=tuple(_preprocessing_fixes(parity, deploy, cause)),
                rung=rung.name,
                kind=KINDS.get(cause.kind, cause.kind) if cause else "another result",
                what=what_differs(cause),
                train_key=cause.train_key if cause else None,
                pixels=rung.alone.max_error if rung.alone else None,
                **numbers_of(effect),
            )


def _told(rung: Rung) -> tuple[Cause | None, ...]:
    """The causes to be told of: all that were tried out, else the first; one that is unknown is told too."""
    proven = tuple(cause for cause in rung.causes if cause.proven)
    return proven or rung.causes[:1] or (None,)


def _preprocessing_fixes(parity: Parity, deploy: DeployConfig | None, cause: Cause | None) -> Iterator[Fix]:
    if deploy is not None and cause is not None and cause.kind == "parameter" and cause.deploy_key and deploy.tree.has(cause.deploy_key):
        at = deploy.tree.at(cause.deploy_key)
        yield Fix("set-value", "edit", "safe", at, cause.train, values={"key": cause.deploy_key, "value": as_text(cause.train)})
    elif deploy is not None and parity.train.ops:
        yield Fix("whole-section", "advice", "safe", snippet=transform_ops(parity, deploy))


@check("PAR105", name="exported-weights-differ", stages=INFER | DEPLOY)
def exported_weights_differ(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None, request: Request) -> Iterator[Finding]:
    """The deployed model holds other weights than the training side loads: another class count, none at all, those of another training, or halves."""
    rung = parity.rung("weights")
    if rung.state != "differs":
        return
    precision = precision_of(parity, deploy)
    cause = next(iter(rung.causes), None)
    kind = cause.kind if cause is not None else None
    halves = TOLERANCES["float16"] if kind == "half-precision" else 0.0
    effect = effect_of(parity, "deploy_model", max(halves, TOLERANCES[precision]))
    weights = parity.weights
    train_fresh = kind == "no-weights" and weights is not None and weights.train_fresh is True and weights.deploy_fresh is not True
    case: str | None = (
        "half-precision-harmless" if kind == "half-precision" and effect.agrees else "no-weights-train" if train_fresh else kind
    )
    if case == "other-weights" and weights is not None and weights.missing > OTHER_NETWORK * weights.train:
        case = "other-network"
    width = parity.train.width if kind == "class-count" else config.class_num.value if config.class_num else None
    fixes: tuple[Fix, ...] = ()
    if train_fresh:
        fixes = (Fix("give-weights", "advice", "safe", snippet="paddle-doctor parity … --weights output/best_model"),)
    elif case != "half-precision-harmless":
        command = export_command(config, request, model_folder(request, deploy), width)
        fixes = (Fix("export-again", "command", "unsafe", command=command),)
    yield Finding(
        at=place(config, deploy, "Global.inference_model_dir") if not train_fresh else config.tree.at("Global.pretrained_model"),
        case=case if case in _WEIGHT_CASES else None,
        fixes=fixes,
        train_classes=_width(parity.train.width, cause.train if cause else None),
        deploy_classes=_width(parity.deploy.width, cause.deploy if cause else None),
        weights=weights.train_file if weights else None,
        tensors=weights.train if weights else None,
        equal=weights.equal if weights else None,
        unlike=weights.unlike if weights else None,
        missing=weights.missing if weights else None,
        model=model_folder(request, deploy),
        **numbers_of(effect),
    )


def _width(known: int | None, shape: Any) -> int | None:
    """The classes of a last layer: the size of the output, else the last side of the weights."""
    if known is not None:
        return known
    last = shape[-1] if isinstance(shape, (list, tuple)) and shape else shape
    return last if type(last) is int else None


_WEIGHT_CASES = (
    "class-count",
    "no-weights",
    "no-weights-train",
    "other-weights",
    "other-network",
    "half-precision",
    "half-precision-harmless",
)


@check("PAR106", name="exported-graph-differs", stages=INFER | DEPLOY)
def exported_graph_differs(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The same weights and the same tensor give other outputs: the graph, or how it is computed."""
    rung = parity.rung("logits")
    if rung.state != "differs" or parity.rung("weights").state != "same":
        return  # what the weights explain, PAR105 says; of unknown ones nothing is said
    precision = precision_of(parity, deploy)
    effect = effect_of(parity, "deploy_model", TOLERANCES[precision])
    if effect.agrees and effect.images and precision not in ("float32", "onednn"):
        return  # as far apart as this precision is
    fixes = []
    if deploy is not None:
        for concept, key in (("onednn", "Global.enable_mkldnn"), ("tensorrt", "Global.use_tensorrt"), ("fp16", "Global.use_fp16")):
            switch = deploy.switch(concept)
            if switch and switch.value:
                fixes.append(Fix("switch-off", "edit", "unsafe", switch.location, False, values={"key": key}))
    yield Finding(
        at=place(config, deploy, "Global.inference_model_dir"),
        case=case_of(effect),
        fixes=tuple(fixes),
        precision=precision,
        logits=rung.alone.max_error if rung.alone else None,
        **numbers_of(effect),
    )


@check("PAR107", name="activation-differs", stages=INFER | DEPLOY)
def activation_differs(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None, request: Request) -> Iterator[Finding]:
    """The deployed model ends in no softmax (or sigmoid), in two, or in another: its scores are no longer those of the training side."""
    rung = parity.rung("probabilities")
    if rung.state != "differs":
        return
    cause = next(iter(rung.causes), None)
    kind = cause.kind if cause is not None else None
    effect = effect_of(parity, "deploy_model", TOLERANCES[precision_of(parity, deploy)])
    fixes = []
    if kind == "activation-missing":
        if config.tree.raw("Arch.infer_add_softmax") is False:
            at = config.tree.at("Arch.infer_add_softmax")
            fixes.append(Fix("set-value", "edit", "safe", at, True, values={"key": "Arch.infer_add_softmax", "value": "True"}))
        fixes.append(Fix("export-again", "command", "unsafe", command=export_command(config, request, model_folder(request, deploy))))
    elif kind == "activation-doubled":
        fixes.append(Fix("once", "advice", "safe", snippet="Arch:\n  infer_add_softmax: False"))
    yield Finding(
        at=place(config, deploy, "Global.inference_model_dir"),
        case=kind if kind in ("activation-missing", "activation-doubled", "activation-other") else None,
        fixes=tuple(fixes),
        train_ends=", ".join(parity.train.activations) or "–",
        deploy_ends=", ".join(parity.deploy.activations) or "–",
        **numbers_of(effect),
    )


@check("PAR108", name="results-differ", stages=INFER | DEPLOY)
def results_differ(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None) -> Iterator[Finding]:
    """Equal probabilities become other results: another number of classes listed, another threshold, or what no rung before explains."""
    rung = parity.rung("topk")
    if rung.state != "differs":
        return
    effect = whole_agreement(parity, TOLERANCES[precision_of(parity, deploy)])
    causes = rung.causes or (None,)
    for cause in causes:
        fixes: tuple[Fix, ...] = ()
        if cause is not None and deploy is not None and cause.deploy_key and deploy.tree.has(cause.deploy_key):
            at = deploy.tree.at(cause.deploy_key)
            fixes = (Fix("set-value", "edit", "safe", at, cause.train, values={"key": cause.deploy_key, "value": as_text(cause.train)}),)
        yield Finding(
            at=place(config, deploy, cause.deploy_key if cause and cause.deploy_key else "PostProcess"),
            case=cause.kind if cause is not None and cause.kind in ("top-k", "threshold") else None,
            fixes=fixes,
            train=as_text(cause.train) if cause else None,
            deploy=as_text(cause.deploy) if cause else None,
            **numbers_of(effect),
        )


@check("PAR109", name="label-names-differ", stages=INFER | DEPLOY)
def label_names_differ(config: TrainingConfig, parity: Parity, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The same class has another name on the deploy side, or none: another label map, one that is shifted, or a path that leads nowhere."""
    rung = parity.rung("labels")
    if rung.state != "differs":
        return
    cause, maps = next(iter(rung.causes), None), parity.labels
    key = cause.deploy_key if cause is not None and cause.deploy_key else "PostProcess.Topk.class_id_map_file"
    fixes = []
    train_lacks = maps is not None and maps.train is None and maps.deploy is not None
    if maps is not None and maps.train_file and not train_lacks and deploy is not None and deploy.tree.has(key):
        fixes.append(Fix("use-map", "edit", "safe", deploy.tree.at(key), maps.train_file, values={"file": maps.train_file}))
    examples = maps.examples if maps is not None else ()
    yield Finding(
        at=config.tree.at("Infer.PostProcess.class_id_map_file") if train_lacks else place(config, deploy, key),
        case="label-map-missing-train"
        if train_lacks
        else cause.kind
        if cause is not None and cause.kind in ("label-shift", "label-map-missing", "label-count")
        else None,
        fixes=tuple(fixes),
        train_file=(maps.train_file if maps else None) or "–",
        deploy_file=(maps.deploy_file if maps else None) or as_text(deploy.tree.raw(key) if deploy else None),
        train_count=(maps.train if maps else None) or 0,
        deploy_count=(maps.deploy if maps else None) or 0,
        equal=maps.equal if maps else 0,
        unlike=maps.unlike if maps else 0,
        shift=(maps.shift if maps else None) or 0,
        example=", ".join(f"{identity}: {one} / {other}" for identity, one, other in examples[:2]) or "–",
    )


@check("PAR110", name="too-few-images", stages=INFER | DEPLOY)
def too_few_images(config: TrainingConfig, parity: Parity) -> Iterator[Finding]:
    """So few images agree that much could still differ among others."""
    found = whole_agreement(parity, TOLERANCES["float32"])
    if not found.images:
        raise NotApplicable("parity-no-results")
    if found.images < FEW and not found.top1:
        wanted = images_for(SHARE_SHOWN)
        fix = Fix("more-images", "advice", "safe", snippet="paddle-doctor parity … --images FOLDER", values={"wanted": wanted})
        yield Finding(
            at=Location(config.file),
            fixes=(fix,),
            images=found.images,
            high=round(100 * found.high, 1),
            wanted=wanted,
            share=round(100 * SHARE_SHOWN),
        )
