"""EXP: the exported model, and what will load it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.deploy_config import DeployConfig
from checks.facts.export_target import ExportTarget
from checks.facts.geometry import channels_last
from checks.facts.inference_model import DeployCode, InferenceFlags, InferenceModel, InferenceModels
from checks.facts.machine import Host
from checks.facts.packages import Packages
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, EXPORT, Finding, Fix, NotApplicable
from checks.registry import check

PIR_FLAG = "FLAGS_enable_pir_api"
PIR_VERSIONS = ((3, 0, 0), (3, 3, 1))
"""The first and last PaddlePaddle that was seen to fail in `enable_memory_optim()` on a PIR program."""
VERSION_OF_3_0_0 = 1
"""The number in a PIR file of 3.0.0; that of 3.3.1 is 4, which 3.0.0 does not read."""

FEWEST_SUMS = 2
"""Sums of parallel convolutions from which on a network is one of re-parameterisable blocks; PPLCNetV2_small has 6."""


def version_numbers(text: str | None) -> tuple[int, ...] | None:
    """`3.3.1` as numbers; None for none, and for builds of the development branch (`0.0.0`)."""
    parts = (text or "").split(".")[:3]
    digits = ["".join(c for c in part if c.isdigit()) for part in parts]
    numbers = tuple(int(d) for d in digits if d)
    return numbers if len(numbers) == 3 and numbers != (0, 0, 0) else None


@check("EXP101", name="inference-model-missing", stages=DEPLOY)
def inference_model_missing(models: InferenceModels, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The folder of the exported model is not there, or holds no model file, or only half of one."""
    for model in models.models:
        case, missing = _what_is_missing(model, deploy)
        if case is None:
            continue
        fixes = []
        if model.nearby and model.source.key:
            best = model.nearby[0] if os.path.isabs(model.written) or deploy is None else os.path.relpath(model.nearby[0], deploy.root)
            fixes.append(Fix("use-nearby", "edit", "safe", model.source, best, values={"folder": best}))
        fixes.append(
            Fix("export", "advice", "safe", snippet="python3 tools/export_model.py -c CONFIG -o Global.pretrained_model=output/best_model")
        )
        yield Finding(
            at=model.source,
            case=case,
            fixes=tuple(fixes),
            role=model.role,
            written=model.written,
            path=model.path,
            missing=missing,
            files=list(model.files),
            nearby=list(model.nearby),
        )


def _what_is_missing(model: InferenceModel, deploy: DeployConfig | None) -> tuple[str | None, str | None]:
    key = (model.source.key or "").rpartition(".")[2]
    by_file = key in ("cls_model_path", "clas_model_file") or (not key and model.state == "file" and model.program_file is not None)
    if model.state == "missing":
        return ("file" if by_file else "default"), None
    if by_file:
        return (None, None) if model.state == "file" else ("not-a-file", None)
    if model.state == "file":
        return "not-a-folder", None
    onnx = deploy.switch("onnx") if deploy is not None else None
    if onnx and onnx.value:
        return (None, None) if "inference.onnx" in model.files else ("no-program", "inference.onnx")
    if model.empty:
        return "empty", model.empty[0]
    static = key == "cls_model_dir" and {"model", "params"} <= set(model.files)
    if static:
        return None, None
    if not (model.has("json") or model.has("pdmodel")):
        return "no-program", f"{model.prefix}.json / {model.prefix}.pdmodel"
    if f"{model.prefix}.pdiparams" not in model.files:
        return "no-parameters", f"{model.prefix}.pdiparams"
    return None, None


@check("EXP102", name="inference-model-format", stages=DEPLOY)
def inference_model_format(
    models: InferenceModels,
    packages: Packages,
    deploy: DeployConfig | None,
    code: DeployCode | None,
    host: Host | None,
    flags: InferenceFlags,
) -> Iterator[Finding]:
    """A model file that the PaddlePaddle here, or the program that is to load it, does not open.

    Each verdict that is an error was seen with PaddlePaddle 2.6.2, 3.0.0 and 3.3.1 on a CPU and the predictors of 2.5.2 and develop.
    """
    readable = [m for m in models.models if m.state == "folder" and (m.has("json") or m.has("pdmodel"))]
    if not readable:
        raise NotApplicable("no-inference-model")
    onnx = deploy.switch("onnx") if deploy is not None else None
    if onnx and onnx.value:
        raise NotApplicable("onnx-model")
    by_name = deploy is not None and deploy.program in ("cpp", "cpp-text")
    version = version_numbers(packages.paddle)
    if version is None and not by_name:
        raise NotApplicable("no-paddle")
    gpu = bool(packages.cuda) and (host is None or host.gpu_count > 0 or not host.gpus_known)
    for model in readable:
        if by_name:
            verdict = None if model.has("pdmodel") else "cpp-json"
        else:
            assert version is not None
            verdict = _verdict(model, version, code, legacy_flag=flags.pir_off, gpu=gpu)
        if verdict is None:
            continue
        old = "pdmodel" if model.has("pdmodel") else "json"
        yield Finding(
            at=model.source,
            case=verdict,
            fixes=tuple(_format_fixes(verdict)),
            paddle=packages.paddle,
            file=f"{model.prefix}.{'json' if verdict in _ABOUT_JSON else old}",
            path=model.path,
            code=code.file if code else None,
            files=list(model.files),
            format_version=model.program.version if model.program else None,
        )


_ABOUT_JSON = ("cpp-json", "old-paddle-json", "json-by-file", "json-memory", "json-memory-unproven", "json-newer", "flag-json")


def _verdict(model: InferenceModel, version: tuple[int, ...], code: DeployCode | None, *, legacy_flag: bool, gpu: bool) -> str | None:
    json, pdmodel = model.has("json"), model.has("pdmodel")
    if version < (2, 6, 0):
        return None if pdmodel else "old-paddle-json"
    by_prefix = code.by_prefix if code else None
    if version < (3, 0, 0):
        if not pdmodel:
            return "old-paddle-json"
        if by_prefix is False:
            return None
        return "prefix-on-26" if by_prefix and version == (2, 6, 2) else "prefix-on-26-unproven"
    if by_prefix is False:
        return None if pdmodel else "json-by-file"
    if legacy_flag:
        return None if pdmodel else "flag-json"
    if not json:
        return "pdmodel-by-prefix" if by_prefix else "pdmodel-unproven"
    written = model.program.version if model.program else None
    if version == (3, 0, 0) and written is not None and written > VERSION_OF_3_0_0:
        return "json-newer"
    if code is not None and not code.memory_optim:
        return None
    return "json-memory" if PIR_VERSIONS[0] <= version <= PIR_VERSIONS[1] and not gpu else "json-memory-unproven"


def _format_fixes(verdict: str) -> Iterator[Fix]:
    if verdict in ("json-memory", "json-memory-unproven"):
        yield Fix("no-memory-optim", "advice", "unsafe", snippet="config.enable_memory_optim(False)")
    if verdict in ("pdmodel-by-prefix", "pdmodel-unproven"):
        yield Fix("flag", "command", "safe", command=f"export {PIR_FLAG}=0")
    if verdict == "flag-json":
        yield Fix("no-flag", "command", "safe", command=f"unset {PIR_FLAG}")
    if verdict in ("prefix-on-26", "prefix-on-26-unproven"):
        yield Fix("by-file", "advice", "unsafe", snippet="config = Config(model_file, params_file)")
    if verdict in ("cpp-json", "old-paddle-json", "json-by-file", "json-newer"):
        yield Fix("export-old", "advice", "safe", snippet=f"{PIR_FLAG}=0 python3 tools/export_model.py -c CONFIG")
    yield Fix("same-paddle", "advice", "safe")


@check("EXP103", name="quantised-model-first", stages=DEPLOY)
def quantised_model_first(models: InferenceModels, deploy: DeployConfig) -> Iterator[Finding]:
    """From 2.4 on a quantised model in the folder goes before the plain one, and refuses FP16; INT8 without one stops."""
    if deploy.program != "python":
        raise NotApplicable("not-the-python-predictor")
    fp16 = deploy.switch("fp16")
    int8 = deploy.tree.get("Global.use_int8")
    wants_int8 = int8 is not None and int8.value not in (False, None, 0, "")
    for model in models.models:
        if model.state != "folder" or not model.files:
            continue
        quantised = model.prefix == "inference_int8"
        values: dict[str, Any] = {"path": model.path, "files": list(model.files)}
        if quantised and fp16 and fp16.value:
            yield Finding(at=fp16.location, case="fp16", fixes=(Fix("fp16-off", "edit", "safe", fp16.location, False),), **values)
        elif quantised and ("inference.pdmodel" in model.files or "inference.json" in model.files):
            yield Finding(at=model.source, case="both", **values)
        elif not quantised and wants_int8 and int8 is not None:
            yield Finding(at=int8.location, case="int8", fixes=(Fix("int8-off", "edit", "safe", int8.location, False),), **values)


@check("EXP104", name="export-target", stages=EXPORT)
def export_target(target: ExportTarget) -> Iterator[Finding]:
    """The folder of the export cannot be made or written to: PaddleClas finds out after building and loading the network."""
    if target.blocked is not None:
        yield Finding(at=target.source, case="blocked", written=target.written, path=target.blocked)
    elif target.unwritable is not None:
        command = shlex.join(["ls", "-ld", target.unwritable])
        fixes = (Fix("look", "command", "safe", command=command),)
        yield Finding(at=target.source, case="default", fixes=fixes, written=target.written, path=target.unwritable)


@check("EXP105", name="export-input-shape", stages=EXPORT)
def export_input_shape(config: TrainingConfig) -> Iterator[Finding]:
    """`Global.image_shape` is the input of the exported model: three whole numbers, channels first."""
    if config.generation != "modern" or not config.tree.has("Arch"):
        raise NotApplicable("shape-by-option")
    shape = config.tree.raw("Global.image_shape")
    case = None
    if shape is None:
        case = "missing" if config.tree.has("Global.image_shape") else None  # where the key is absent, CFG106 says it
    elif not isinstance(shape, list) or not all(side is None or type(side) is int for side in shape):
        return  # CFG130
    elif len(shape) != 3:
        case = "not-three"
    elif channels_last(shape):
        case = "channels-last"
    if case:
        sides = shape if isinstance(shape, list) else []
        better = (
            [sides[2], *sides[:2]] if case == "channels-last" else [3, *sides] if case == "not-three" and len(sides) == 2 else [3, 224, 224]
        )
        at = config.tree.at("Global.image_shape")
        yield Finding(
            at=at, case=case, fixes=(Fix("set-shape", "edit", "safe", at, better, values={"shape": str(better)}),), shape=str(shape)
        )


@check("EXP106", name="branches-not-fused", stages=DEPLOY)
def branches_not_fused(models: InferenceModels) -> Iterator[Finding]:
    """An exported network that still has the branches of its training: convolutions of one value, with their BatchNorms, that are summed.

    Exported by develop on PaddlePaddle 3.3.1: RepVGG_A0 has 22 such sums, B1g2 28, D2se 48, PPLCNetV2_base 8, and after fusing none; of the other
    networks of `ppcls.arch.backbone` none has any.
    """
    known = [(model, model.program) for model in models.models if model.program is not None and model.program.convolutions]
    if not known:
        raise NotApplicable("no-convolutions")
    for model, program in known:
        if program.branched >= FEWEST_SUMS:
            yield Finding(
                at=model.source,
                fixes=(
                    Fix("export-again", "advice", "safe", snippet="python3 tools/export_model.py -c CONFIG -o Global.pretrained_model=…"),
                ),
                path=model.path,
                blocks=program.branched,
                convolutions=program.convolutions,
                normalisations=program.normalisations,
            )
