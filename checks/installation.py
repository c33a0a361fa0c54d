"""ENV: what is installed here against what the config asks for, and whether a download could work."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from checks.facts.checkout import Checkout
from checks.facts.label_survey import Labels
from checks.facts.machine import Host
from checks.facts.network import Network, WeightsCache
from checks.facts.packages import Packages
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from knowledge.zoo import FLOAT32, parameters

PLUGGED = ("npu", "mlu", "mps", "intel_gpu", "ascend")
"""Devices that PaddlePaddle gets by a plug-in or a build of their own."""

ODD_FILES = {"ResNeXt101_32x16d_wsl": "ResNeXt101_32x16_wsl"}
"""Architectures whose published file does not begin with their name: 1 of 338 (`MODEL_URLS` in `ppcls/arch/backbone`)."""


@check("ENV103", name="device-not-supported", stages=TRAIN | EVAL | INFER | EXPORT)
def device_not_supported(config: TrainingConfig, packages: Packages, host: Host | None) -> Iterator[Finding]:
    """The device against the PaddlePaddle of this interpreter; silent where the user described another machine."""
    # legacy inference and export take their device from the command line
    if config.generation != "modern" and (config.generation != "legacy" or config.stage not in ("train", "eval")):
        raise NotApplicable("no-device")
    if host is not None and host.gpus_assumed:
        raise NotApplicable("machine-assumed")
    if packages.paddle is None or not packages.paddle_builds:
        raise NotApplicable("no-paddle")
    if packages.paddle_builds != ("paddlepaddle",) or packages.cuda:
        return  # another build, or several: what it can do is not told by its name
    path, device = "Global.device", config.tree.raw("Global.device")
    if config.generation == "legacy":
        xpu = config.tree.raw("use_xpu") is True and config.tree.raw("use_gpu") is False
        # `use_gpu` is True where the config does not say otherwise (`tools/train.py`)
        wanted = "xpu" if xpu else "gpu" if config.tree.raw("use_gpu") is True or not config.tree.has("use_gpu") else None
        path, device = ("use_xpu" if xpu else "use_gpu"), wanted
    cpu = False if config.generation == "legacy" else "cpu"
    evidence = {"device": device, "paddle": packages.paddle, "interpreter": packages.interpreter}
    at = config.tree.at(path)
    if device in ("gpu", "xpu"):
        yield Finding(at=at, case=None if device == "gpu" else "xpu", fixes=_device_fixes(at, cpu), **evidence)
    elif device in PLUGGED:
        yield Finding(at=at, case="plug-in", fixes=_device_fixes(at, cpu), **evidence)
    dali = "use_dali" if config.generation == "legacy" else "Global.use_dali"
    if config.tree.raw(dali) is True and config.stage in ("train", "eval") and device not in ("gpu", "xpu"):
        fixes = (Fix("no-dali", "edit", "safe", config.tree.at(dali), False),)
        yield Finding(at=config.tree.at(dali), case="dali", fixes=fixes, **evidence)


def _device_fixes(at: Location, cpu: object) -> tuple[Fix, ...]:
    return Fix("use-cpu", "edit", "unsafe", at, cpu), Fix("install-build", "advice", "unsafe")


@check("ENV104", name="several-paddle-builds", stages=TRAIN | EVAL | INFER | EXPORT)
def several_paddle_builds(config: TrainingConfig, packages: Packages) -> Iterator[Finding]:
    """`paddlepaddle` beside `paddlepaddle-gpu`: both write the same folder, and whichever came last is what is imported."""
    if not packages.paddle_builds:
        raise NotApplicable("no-paddle")
    if len(packages.paddle_builds) > 1:
        names = " ".join(packages.paddle_builds)
        yield Finding(
            at=Location(config.file),
            fixes=(Fix("keep-one", "command", "unsafe", command=f"python -m pip uninstall -y {names}"),),
            builds=list(packages.paddle_builds),
            paddle=packages.paddle,
            interpreter=packages.interpreter,
        )


@check("ENV105", name="sources-too-old", stages=TRAIN | EVAL | INFER | EXPORT)
def sources_too_old(config: TrainingConfig, checkout: Checkout, packages: Packages, host: Host | None) -> Iterator[Finding]:
    """Lines of the checkout that the installed Python, PaddlePaddle or numpy no longer accept."""
    if host is not None and host.gpus_assumed:
        raise NotApplicable("machine-assumed")
    if packages.paddle is None:
        raise NotApplicable("no-paddle")
    numpy = _version(packages.installed.get("numpy", ""))
    looping = config.stage in ("train", "eval")
    names = _operators(config)
    judged = (
        # trait of the checkout, whether what is installed refuses it, whether this run gets there
        ("first-of-scalar", _version(packages.paddle) >= (3, 0), looping),
        ("collections", _version(packages.python) >= (3, 10), True),
        ("np-int-autoaugment", numpy >= (1, 24), looping and "AutoAugment" in names),
        ("np-int-cutmix", numpy >= (1, 24), config.stage == "train" and "CutmixOperator" in names),
        ("np-bool-hybrid", (1, 24) <= numpy < (2, 0), config.stage == "train" and "MixupCutmixHybrid by sample" in names),
    )
    for trait, refused, reached in judged:
        line = checkout.first(trait)  # type: ignore[arg-type]  # one of its traits
        if line is None or not refused or not reached:
            continue
        yield Finding(
            at=line,
            case=None if trait == "first-of-scalar" else "collections" if trait == "collections" else "numpy",
            fixes=(Fix("newer-sources", "advice", "unsafe"),),
            file=line.file,
            line=line.line,
            paddle=packages.paddle,
            python=packages.python,
            numpy=packages.installed.get("numpy", "?"),
        )


def _version(text: str) -> tuple[int, int]:
    numbers = [int(n) for n in re.findall(r"\d+", text)[:2]]
    return (*numbers, 0, 0)[0], (*numbers, 0, 0)[1]


def _operators(config: TrainingConfig) -> set[str]:
    """Names of the operators on samples and batches that the stage builds."""
    names = set()
    for loader in config.used_loaders():
        for part in ("transform_ops", "batch_transform_ops"):
            ops = config.tree.raw(f"{loader.key}.dataset.{part}") or config.tree.raw(f"{loader.key}.transforms")
            for item in ops if isinstance(ops, list) else ():
                for name, params in item.items() if isinstance(item, dict) else ():
                    names.add(name)
                    inside = params if isinstance(params, dict) else {}
                    names.update(inside if name == "OpSampler" else ())
                    if name == "MixupCutmixHybrid" and inside.get("mode", "batch") != "batch":
                        names.add("MixupCutmixHybrid by sample")
    return names


@check("ENV109", name="weights-need-network", stages=TRAIN | EVAL | INFER | EXPORT)
def weights_need_network(
    config: TrainingConfig, cache: WeightsCache, network: Network | None, host: Host | None, labels: Labels | None
) -> Iterator[Finding]:
    """Weights that would be downloaded, on a machine without a way out. Nothing is sent to find that out."""
    wanted = list(_downloads(config))
    if not wanted:
        raise NotApplicable("no-download")
    assumed = host is not None and host.gpus_assumed
    # a config whose lists are not here will be trained elsewhere
    assumed = assumed or (config.stage in ("train", "eval") and not (labels and labels.surveys))
    for path, file, architecture in wanted:
        prefix = ODD_FILES.get(file, file)
        if any(name.startswith(prefix) for name in cache.names):
            continue
        size = (parameters(architecture) or 0) * FLOAT32 or None
        if network is None or network.reaches_out or assumed:
            if size is None:
                continue  # nothing to tell
            case = "size"
        else:
            case = "default"
        yield Finding(
            at=config.tree.at(path),
            case=case,
            fixes=(Fix("bring-file", "advice", "safe", values={"folder": cache.folder}),) if case == "default" else (),
            file=file,
            folder=cache.folder,
            bytes=size,
        )


def _downloads(config: TrainingConfig) -> Iterator[tuple[str, str, str]]:
    """Place in the config, first part of the file's name, and architecture, of everything that would be fetched."""
    if config.generation != "modern":
        return  # legacy networks take no `pretrained`
    url = config.tree.raw("Global.pretrained_model")
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        yield "Global.pretrained_model", _stem(url), ""
    for path in config.tree.spots:
        match = re.fullmatch(r"(Arch(?:\.models\.\d+\.[^.]+)*(?:\.Backbone)?)\.name", path)
        name = config.tree.raw(path) if match else None
        if match is None or not isinstance(name, str) or name in ("RecModel", "DistillationModel", "AttentionModel"):
            continue
        here = f"{match.group(1)}.pretrained"
        given = config.tree.raw(here)
        if isinstance(given, str) and given.startswith(("http://", "https://")):
            yield here, _stem(given), name
        elif given is True or (given is None and not config.tree.has(here) and name.startswith("UniFormer_")):
            yield here if given is True else path, name, name  # UniFormer's `pretrained` is True unless it is given


def _stem(url: str) -> str:
    """The first part of a published file's name; `use_ssld` and its like change what follows."""
    return posixpath.basename(url).partition(".pdparams")[0].partition("_pretrained")[0]
