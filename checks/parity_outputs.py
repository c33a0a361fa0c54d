"""PAR111 and on: two programs' results as they printed or saved them (`--outputs`, `--scripts`): how far they agree, and what that looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from checks.facts.base import Request
from checks.facts.deploy_config import DeployConfig
from checks.facts.printed import Printed
from checks.facts.printed_pair import Matched, PrintedPair, PrintedSide
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, INFER, Finding, Fix, Location
from checks.parity_causes import known_cause
from checks.parity_remedies import case_of, export_command, model_folder, numbers_of, place, precision_of
from checks.parity_statistics import FEW, TOLERANCES, Agreement, Pair, agreement, half_unit, images_for
from checks.registry import check

MOST = 0.9
"""The share of images from which on all are meant."""
LEAST_SHIFTED = 3
"""Images with the same shift of the first class from which on it is no chance, if they are nearly all."""
FLAT = 0.02
"""How near the highest score that softmax of probabilities can give a score must be kept below: rounding of two decimals, doubled."""
EXAMPLE = "paddle-doctor parity … --outputs TRAIN.log DEPLOY.log"


def pair_agreement(pair: PrintedPair, tolerance: float) -> Agreement:
    """Both sides over the images that both have; rounding of both counts."""
    return agreement((Pair(m.file, m.train.result, m.deploy.result) for m in pair.matched), tolerance, resolution(pair))


def resolution(pair: PrintedPair) -> float:
    """What the printed decimals of both sides leave open."""
    return half_unit(pair.train.results.decimals) + half_unit(pair.deploy.results.decimals)


@check("PAR111", name="output-without-results", stages=INFER | DEPLOY)
def output_without_results(config: TrainingConfig, pair: PrintedPair) -> Iterator[Finding]:
    """A file or a program of which no result could be read: it is missing, it crashed, it hung, or what it printed is none of the known formats."""
    for side in (pair.train, pair.deploy):
        if side.trouble is None:
            continue
        values: dict[str, Any] = {"error": None, "seconds": None, "status": None, "output": None, "images": 0, "lines": None, "names": None}
        values |= {"size": None, "limit": None, **side.trouble.values}
        line = str(values["output"] or values["error"] or "")
        fix = known_cause(line)
        case = f"{side.origin}-{side.trouble.kind}"
        yield Finding(
            at=Location(side.source if side.origin == "file" else config.file),
            case=case if case in _OUTPUT_CASES else "default",
            fixes=(fix,) if fix else (),
            source=_short(side),
            **values,
        )


_OUTPUT_CASES = (
    "file-missing", "file-not-a-file", "file-unreadable", "file-too-large", "file-no-array", "file-no-results",
    "script-no-program", "script-late", "script-ended", "script-no-results",
)  # fmt: skip


def _short(side: PrintedSide) -> str:
    return side.source if len(side.source) < 80 else side.source[:77] + "…"


@check("PAR112", name="printed-results-differ", stages=INFER | DEPLOY)
def printed_results_differ(config: TrainingConfig, pair: PrintedPair, deploy: DeployConfig | None, request: Request) -> Iterator[Finding]:
    """The two outputs have other first classes or scores for the same images, and how: shifted ids, flattened scores, a random head."""
    if not pair.matched:
        return
    precision = precision_of(None, deploy)
    found = pair_agreement(pair, TOLERANCES[precision])
    if found.agrees:
        return
    pattern, more = _pattern(pair, config)
    at = Location(pair.deploy.source) if pair.deploy.origin == "file" else place(config, deploy, "Global.inference_model_dir")
    fixes = []
    if pattern == "random":
        fixes.append(Fix("export-again", "command", "unsafe", command=export_command(config, request, model_folder(request, deploy))))
    if request.weights is None or request.inference_model is None or pair.train.origin == "file":
        command = f"paddle-doctor parity -c {config.file} --weights W --inference-model DIR --deploy-config D --images P"
        fixes.append(Fix("ladder", "advice", "safe", snippet=command))
    yield Finding(
        at=at,
        case=pattern or case_of(found),
        fixes=tuple(fixes),
        precision=precision,
        train_source=_short(pair.train),
        deploy_source=_short(pair.deploy),
        resolution=round(resolution(pair), 6),
        **{"shift": None, "bound": None, "classes": None, "top": None, **more},
        **numbers_of(found),
    )


def _pattern(pair: PrintedPair, config: TrainingConfig) -> tuple[str | None, dict[str, Any]]:
    """What the differences look like, where they look like one thing."""
    ranked = [m for m in pair.matched if m.train.kind == m.deploy.kind == "ranked" and m.train.result.ids and m.deploy.result.ids]
    if not ranked:
        return None, {}
    shifts = [m.deploy.result.ids[0] - m.train.result.ids[0] for m in ranked]
    shift = max(set(shifts), key=shifts.count)
    if shift and shifts.count(shift) >= max(LEAST_SHIFTED, MOST * len(ranked)) and len({m.train.result.ids[0] for m in ranked}) > 1:
        return "shifted", {"shift": shift}
    classes = config.class_num.value if config.class_num else None
    scored = [m for m in ranked if m.train.result.scores and m.deploy.result.scores]
    if classes is not None and classes > 1 and len(scored) >= 1:
        # softmax of probabilities lies between 1/(e+C-1)… and e/(e+C-1)
        bound = math.e / (math.e + classes - 1)
        same = sum(m.train.result.ids[0] == m.deploy.result.ids[0] for m in scored) >= MOST * len(scored)
        flat = all(m.deploy.result.scores[0] <= bound + FLAT for m in scored)
        if same and flat and sum(m.train.result.scores[0] > bound + 2 * FLAT for m in scored) >= MOST * len(scored):
            return "flattened", {"bound": round(bound, 4), "classes": classes}
    beyond = [m for m in scored if any(score > 1 + FLAT or score < -FLAT for score in m.deploy.result.scores)]
    if beyond and not any(score > 1 + FLAT or score < -FLAT for m in scored for score in m.train.result.scores):
        return "no-softmax", {"top": round(max(max(m.deploy.result.scores) for m in beyond), 4)}
    if classes is not None:
        above = [m for m in ranked if max(m.deploy.result.ids) >= classes]
        if above and not any(max(m.train.result.ids) >= classes for m in ranked):
            return "random", {"classes": classes, "top": max(max(m.deploy.result.ids) for m in above)}
    return None, {}


@check("PAR113", name="printed-names-differ", stages=INFER | DEPLOY)
def printed_names_differ(config: TrainingConfig, pair: PrintedPair, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The same class has another name in the two outputs."""
    names: dict[int, tuple[str, str]] = {}
    images = without = 0
    for match in pair.matched:
        other = _names_of(match, names)
        images += other
        without += (
            bool(match.train.result.names) and not match.deploy.result.names and match.deploy.kind == "ranked" and _says_names(match.deploy)
        )
    named = config.tree.raw("Infer.PostProcess.class_id_map_file")
    key = "PostProcess.Topk.class_id_map_file"
    fixes = []
    if deploy is not None and deploy.tree.has(key) and isinstance(named, str):
        file = config.resolve(named)
        fixes.append(Fix("use-map", "edit", "safe", deploy.tree.at(key), file, values={"file": file}))
    if images:
        example = ", ".join(f"{identity}: {one} / {other}" for identity, (one, other) in list(names.items())[:2])
        yield Finding(
            at=place(config, deploy, key), fixes=tuple(fixes), count=len(names), images=images, of=len(pair.matched), example=example
        )
    elif without:
        yield Finding(
            at=place(config, deploy, key), case="none", fixes=tuple(fixes), count=0, images=without, of=len(pair.matched), example="–"
        )


def _names_of(match: Matched, names: dict[int, tuple[str, str]]) -> bool:
    """Whether a class that both sides list has two names; notes them."""
    one, other = match.train.result, match.deploy.result
    if match.train.kind != "ranked" or len(one.names) != len(one.ids) or len(other.names) != len(other.ids):
        return False
    left, right = dict(zip(one.ids, one.names, strict=True)), dict(zip(other.ids, other.names, strict=True))
    unlike = {identity: (left[identity], right[identity]) for identity in left if identity in right and left[identity] != right[identity]}
    names.update(unlike)
    return bool(unlike)


def _says_names(printed: Printed) -> bool:
    """Whether the program prints the names that it has."""
    return printed.form in ("list-of-dicts", "predict-cls", "wheel")


@check("PAR114", name="images-not-matched", stages=INFER | DEPLOY)
def images_not_matched(config: TrainingConfig, pair: PrintedPair) -> Iterator[Finding]:
    """Images that are in one output only, could not be read by one program, or whose names recur so that none can be told from the other."""
    if pair.train.trouble or pair.deploy.trouble:
        return
    unread = {"train": dict(pair.train.results.unread), "deploy": dict(pair.deploy.results.unread)}
    for role, side, only in (("train", pair.deploy, pair.only_train), ("deploy", pair.train, pair.only_deploy)):
        if not only:
            continue
        error = next((text for text in unread["deploy" if role == "train" else "train"].values() if text), None)
        yield Finding(
            at=Location(side.source) if side.origin == "file" else Location(config.file),
            case=None if pair.matched else "none",
            source=_short(side),
            count=len(only),
            images=len(pair.matched),
            files=list(only[:10]),
            error=error,
        )
    if pair.ambiguous:
        yield Finding(
            at=Location(config.file),
            case="ambiguous",
            source=_short(pair.deploy),
            count=len(pair.ambiguous),
            images=len(pair.matched),
            files=list(pair.ambiguous[:10]),
            error=None,
        )


@check("PAR115", name="too-few-printed-results", stages=INFER | DEPLOY)
def too_few_printed_results(config: TrainingConfig, pair: PrintedPair) -> Iterator[Finding]:
    """So few images agree that much could still differ among others."""
    found = pair_agreement(pair, TOLERANCES["float32"])
    if not 0 < found.images < FEW or found.top1:
        return
    fix = Fix("more-images", "advice", "safe", snippet=EXAMPLE, values={"wanted": images_for(0.05)})
    yield Finding(
        at=Location(config.file), fixes=(fix,), images=found.images, high=round(100 * found.high, 1), wanted=images_for(0.05), share=5
    )
