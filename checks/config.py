"""CFG: what the config itself says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from checks.facts.components import Components
from checks.facts.inference_model import InferenceModels
from checks.facts.label_map import LabelMap, LabelMaps
from checks.facts.label_survey import Labels
from checks.facts.machine import Host
from checks.facts.overrides import Override
from checks.facts.own_paddleclas import OwnPaddleClas
from checks.facts.training_config import TopK, TrainingConfig
from checks.facts.weights_fit import WeightsFit
from checks.judged import Judged
from checks.model import ANY, DEPLOY, EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.sections import absent_keys
from checks.texts import odd_character
from knowledge.vocabulary import unknown_key

_ARITHMETIC = re.compile(r"[\d\s.+\-*/%()]+")

GENERATIONS_WITH_KEYS = ("modern", "legacy", "deploy")
"""The layouts whose keys the vocabulary knows; search drivers and fragments are read by other programs."""

MOST_SUGGESTIONS = 200
"""So many unknown keys get a suggestion, at about a millisecond each; a file with more of them is no config with a slip in it."""


@check("CFG101", name="unknown-config-key", stages=ANY)
def unknown_config_key(config: TrainingConfig, components: Components | None, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """A key of the file that exists nowhere in PaddleClas, which reads what it knows and ignores the rest."""
    if config.generation not in GENERATIONS_WITH_KEYS:
        raise NotApplicable("no-vocabulary", generation=config.generation)
    reported: set[str] = set()
    theirs: Judged | None = None
    missed = _said_by_others(config)
    for path, spot in config.tree.spots.items():
        parts = tuple(path.split("."))
        if spot.override or (reported and any(".".join(parts[:n]) in reported for n in range(1, len(parts)))):
            continue
        found = unknown_key(parts, config.generation, _siblings(config, parts), suggest=len(reported) < MOST_SUGGESTIONS)
        if found is None or found.at != len(parts) - 1:
            continue
        if theirs is None:
            theirs = Judged(components, own)
        if path in theirs:
            continue  # CFG110 to CFG114 know the class, this rule only the kind of place
        reported.add(path)
        if path in missed:
            continue
        fixes = (Fix("rename", "advice", "safe", values={"suggestion": found.suggestion}),) if found.suggestion else ()
        yield Finding(
            at=config.tree.key_at(path),
            case="default" if found.suggestion else "no-suggestion",
            fixes=fixes,
            key=path,
            suggestion=found.suggestion,
        )


def _said_by_others(config: TrainingConfig) -> set[str]:
    """Keys that a more exact rule reports: those that stand in place of a mandatory one (CFG106), those with an odd character (CFG136)."""
    said = {path for path in config.tree.spots if odd_character(path.rpartition(".")[2])}
    with contextlib.suppress(NotApplicable):
        said.update(meant for _, meant in absent_keys(config) if meant)
    return said


def _siblings(config: TrainingConfig, parts: tuple[str, ...]) -> dict[str, object]:
    parent = config.tree.raw(parts[:-1])
    return parent if isinstance(parent, dict) else {}


@check("CFG102", name="unknown-override-key", stages=ANY)
def unknown_override_key(config: TrainingConfig, components: Components | None, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """An override of a key that exists nowhere: from 2.4 on a new subtree that nothing reads, before that a KeyError (FAQ 5.2)."""
    if not config.overrides:
        raise NotApplicable("no-overrides")
    if config.generation not in GENERATIONS_WITH_KEYS:
        raise NotApplicable("no-vocabulary", generation=config.generation)
    for item in config.overrides:
        if item.problem or item.known_before:
            continue
        parts = tuple(item.key.split("."))
        found = unknown_key(parts, config.generation)
        if found is None or item.key in Judged(components, own):
            continue
        dotted = re.sub(r"\[[\"']?([^\]\"']+)[\"']?\]", r".\1", item.key).replace("/", ".").strip()
        if found.suggestion is None and dotted != item.key and unknown_key(tuple(dotted.split(".")), config.generation) is None:
            found = found._replace(suggestion=dotted)
        fixes: tuple[Fix, ...] = ()
        if found.suggestion:
            value = item.text.partition("=")[2]
            fixes = (
                Fix("use-key", "advice", "safe", snippet=f"-o {found.suggestion}={value.strip()}", values={"suggestion": found.suggestion}),
            )
        yield Finding(
            at=_override(item),
            case="default" if found.suggestion else "no-suggestion",
            fixes=fixes,
            key=item.key,
            unknown=found.key,
            suggestion=found.suggestion,
            missing_parent=item.missing_parent,
        )


def _override(item: Override) -> Location:
    return Location(OVERRIDE_FILE, item.position, None, item.key or None)


@check("CFG103", name="override-runs-code", stages=ANY)
def override_runs_code(config: TrainingConfig) -> Iterator[Finding]:
    """An override's value that PaddleClas would run: it puts every value through Python's `eval`."""
    if not config.overrides:
        raise NotApplicable("no-overrides")
    for item in config.overrides:
        if item.problem == "code":
            value = item.text.partition("=")[2]
            fixes = (Fix("quote", "advice", "safe", snippet=f"-o '{item.key}=\"{value.strip()}\"'"),)
            case = "arithmetic" if _ARITHMETIC.fullmatch(value) else "default"
            yield Finding(at=_override(item), case=case, fixes=fixes, key=item.key, value=value, expression=item.detail)


@check("CFG104", name="override-rejected", stages=ANY)
def override_rejected(config: TrainingConfig) -> Iterator[Finding]:
    """An override that PaddleClas stops on: no `=` or two, an index that is not there, a path through a scalar."""
    if not config.overrides:
        raise NotApplicable("no-overrides")
    for item in config.overrides:
        if item.problem and item.problem != "code":
            fixes = _ways_out(config, item)
            yield Finding(at=_override(item), case=item.problem, fixes=fixes, text=item.text, key=item.key, detail=item.detail)


def _ways_out(config: TrainingConfig, item: Override) -> tuple[Fix, ...]:
    """What a rejected override was probably meant to be: another sign for `=`, several pairs in one, a name for a list position."""
    if item.problem == "no-equals":
        pair = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*[:：＝]\s*(\S.*)", item.text)
        return (Fix("equals", "advice", "safe", snippet=f"-o {pair[1]}={pair[2]}"),) if pair else ()
    if item.problem == "two-equals":
        pairs = re.findall(r"([A-Za-z_][\w.]*)=([^=]*?)(?=[\s,;]+[A-Za-z_][\w.]*=|$)", item.text)
        known = [key for key, _ in pairs if unknown_key(tuple(key.split(".")), config.generation) is None] if len(pairs) > 1 else []
        if len(known) > 1:
            return (Fix("split", "advice", "safe", snippet=" ".join(f"-o {key}={value.strip()}" for key, value in pairs)),)
        double = re.fullmatch(r"([A-Za-z_][\w.]*)==([^=]*)", item.text)
        return (Fix("equals", "advice", "safe", snippet=f"-o {double[1]}={double[2]}"),) if double else ()
    if item.problem == "index-not-a-number":
        path, _, name = item.detail.partition("]")[0].rpartition("[")
        entries = config.tree.raw(path)
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict) and name in entry:
                pair_text = item.text.replace(f"{path}.{name}", f"{path}.{index}.{name}", 1)
                return (Fix("index", "advice", "safe", snippet=f"-o {pair_text}", values={"index": index, "name": name}),)
    return ()


@check("CFG105", name="duplicate-yaml-key", stages=ANY)
def duplicate_yaml_key(config: TrainingConfig) -> Iterator[Finding]:
    """One key twice in a mapping: YAML keeps the last without a word."""
    for duplicate in config.tree.duplicates:
        yield Finding(
            at=duplicate.location,
            fixes=(Fix("remove", "advice", "unsafe", values={"line": duplicate.first_line}),),
            key=duplicate.key,
            first_line=duplicate.first_line,
            second_line=duplicate.location.line,
        )


TOPK_METRICS = ("TopkAcc", "DistillationTopkAcc", "GoogLeNetTopkAcc")


@check("CFG201", name="topk-exceeds-class-num", stages=TRAIN | EVAL)
def topk_exceeds_class_num(config: TrainingConfig) -> Iterator[Finding]:
    """A top-k metric that cannot be computed, or that is always 1 and, standing first, chooses the best model."""
    odd = list(_odd_topk(config))
    yield from odd
    if not config.topk:
        if not odd:
            raise NotApplicable("no-topk")
        return
    if config.class_num is None:
        if not odd:
            raise NotApplicable("no-class-num")
        return
    classes = config.class_num.value
    for item in config.topk:
        if (config.stage == "eval" and item.split == "Train") or any(k < 1 for k in item.ks):
            continue
        above = [k for k in item.ks if k > classes]
        keep = [k for k in item.ks if k < classes] or [1]
        decides = config.stage == "train" and item.split == "Eval" and item == _first_eval(config)
        if decides and classes > 1 and item.ks[0] >= classes:
            # all others are above or equal, and would be 1 as well
            fixes = (Fix("lower-topk", "edit", "safe", at=item.location, value=keep, values={"topk": keep}),)
            yield Finding(at=item.location, case="first", fixes=fixes, split=item.split, topk=item.ks[0], class_num=classes)
        elif above:
            keep = [k for k in item.ks if k <= classes] or [1]
            value = keep if config.generation == "modern" else min(item.ks[0], classes)
            fixes = (Fix("lower-topk", "edit", "safe", at=item.location, value=value, values={"topk": value}),)
            case = "legacy" if config.generation == "legacy" else "default"
            yield Finding(at=item.location, case=case, fixes=fixes, split=item.split, topk=above[-1], class_num=classes)


def _metrics(config: TrainingConfig) -> Iterator[tuple[str, int, str, Any]]:
    """Split, place in its list, name and `topk` of each top-k metric that the stage computes."""
    for split in ("Train", "Eval"):
        mixed = split == "Train" and config.tree.raw("DataLoader.Train.dataset.batch_transform_ops")
        loaders = [loader for loader in config.used_loaders() if loader.split.partition(".")[0] == split]
        metrics = config.tree.raw(f"Metric.{split}")
        for index, item in enumerate(metrics if isinstance(metrics, list) and loaders and not mixed else ()):
            for name, params in item.items() if isinstance(item, dict) else ():
                if name in TOPK_METRICS and isinstance(params, dict):
                    yield split, index, name, params.get("topk")


def _odd_topk(config: TrainingConfig) -> Iterator[Finding]:
    for split, index, name, topk in _metrics(config):
        path = f"Metric.{split}.{index}.{name}.topk"
        # a string here stands inside a list item, where PaddleClas does not turn it into a value
        below = [k for k in (topk if isinstance(topk, list) else [topk]) if type(k) is int and k < 1]
        if below:
            keep = [k for k in topk if type(k) is int and k > 0] if isinstance(topk, list) else []
            fixes = (Fix("lower-topk", "edit", "safe", config.tree.at(path), keep or [1], values={"topk": keep or [1]}),)
            yield Finding(at=config.tree.at(path), case="below-one", fixes=fixes, split=split, topk=below[0], class_num=None)
        elif isinstance(topk, str):
            yield Finding(
                at=config.tree.at(path), case="text", fixes=(Fix("unquote", "advice", "safe"),), split=split, topk=topk, class_num=None
            )


def _first_eval(config: TrainingConfig) -> TopK | None:
    """The top-k metric whose first value rules `best_model`: the first metric of `Metric.Eval`, if it is one."""
    first = next((m for m in _metrics(config) if m[0] == "Eval" and m[1] == 0), None)
    return next((item for item in config.topk if first and item.split == "Eval"), None)


@check("CFG202", name="label-map-size-mismatch", stages=TRAIN | INFER | EXPORT | DEPLOY)
def label_map_size_mismatch(
    config: TrainingConfig, maps: LabelMaps, models: InferenceModels | None, fit: WeightsFit | None
) -> Iterator[Finding]:
    """The label map has another number of names than the model has classes, or is not there.

    A predicted id without a name stops `tools/infer.py` (a KeyError of which only the number is printed); a map of another data set, such as
    the ImageNet one that most configs ship with, prints wrong names. In training nothing reads the map, so there it is a note for later. The
    map of a deploy config is held against the training config it goes with, else against the output of the exported model.
    """
    deploys = config.stage == "deploy" or config.generation == "deploy"
    looked = [item for item in maps.maps if item.deployed == deploys] or (list(maps.maps) if deploys else [])
    if not looked:
        raise NotApplicable("no-label-map")
    later = config.stage == "train" and not deploys
    model = models.of("cls") if models is not None and deploys else None
    classes = model.classes if model else None  # what was exported speaks the ids, whatever a config says
    if classes is None and config.class_num is not None:
        # where the weights have another count than the config, it is the config that is wrong (WTS107), and the map belongs to the weights
        classes = (fit.other_count if fit is not None and not later else None) or config.class_num.value
    if classes is None and (later or all(item.unavailable is None and item.first_bad_line is None for item in looked)):
        raise NotApplicable("no-class-num")
    for item in looked:
        if config.stage == "export" and not config.tree.raw("Global.export_for_fd"):
            continue
        if item.unavailable is not None:
            if not later and item.unavailable.reason != "path-not-seen":
                yield Finding(
                    at=item.source, case="missing-export" if config.stage == "export" else "missing", **_map_values(item), class_num=None
                )
            continue
        if item.first_bad_line is not None:
            if not later:
                yield Finding(
                    at=Location(item.file, item.first_bad_line), via=item.source, case="bad-line", **_map_values(item), class_num=None
                )
            continue
        if classes is None:
            continue
        if model is not None and config.class_num is not None and _fits(item, config.class_num.value):
            continue  # where the model has another width than the config, EXP107 says it
        beyond = range((item.max_id if item.max_id is not None else -1) + 1, classes)
        short = [k for k in item.missing if k < classes] + list(beyond[:20])
        if short:
            case = "short-later" if later else "short"
        elif item.entries > classes:
            case = "long-later" if later else "long"
        else:
            continue
        yield Finding(
            at=item.source,
            case=case,
            fixes=(Fix("own-map", "advice", "safe"),),
            **_map_values(item),
            class_num=classes,
            missing=short,
        )


def _fits(item: LabelMap, classes: int) -> bool:
    return item.max_id == classes - 1 and not item.missing and item.entries == classes


def _map_values(item: LabelMap) -> dict[str, Any]:
    return {"file": item.file, "path": item.path, "names": item.entries, "line": item.first_bad_line}


@check("CFG203", name="batch-exceeds-dataset", stages=TRAIN | EVAL)
def batch_exceeds_dataset(config: TrainingConfig, labels: Labels, host: Host | None) -> Iterator[Finding]:
    """A batch larger than the whole list with `drop_last` on: there is no full batch, so nothing is trained or evaluated.

    On several cards each gets its share of the list, rounded up (`DistributedBatchSampler`).
    """
    cards = max(1, host.gpu_count) if host and config.tree.raw("Global.device") == "gpu" else 1
    known = False
    for loader in config.used_loaders():
        samples = labels.samples(loader)
        if not samples or loader.batch_size is None or loader.drop_last is None or loader.sampler == "MultiScaleSampler":
            continue
        known = True
        if loader.drop_last.value and loader.batch_size.value > samples:
            fixes = [Fix("smaller-batch", "edit", "safe", at=loader.batch_size.location, value=samples, values={"batch": samples})]
            if config.generation == "modern":
                fixes.append(Fix("keep-last", "edit", "safe", at=loader.drop_last.location, value=False))
            yield Finding(
                at=loader.batch_size.location, fixes=tuple(fixes), split=loader.split, batch_size=loader.batch_size.value, samples=samples
            )
        elif loader.drop_last.value and not loader.batch_is_total and loader.batch_size.value > -(-samples // cards):
            share = -(-samples // cards)
            fixes = [Fix("smaller-batch", "edit", "safe", at=loader.batch_size.location, value=share, values={"batch": share})]
            fixes.append(Fix("keep-last", "edit", "safe", at=loader.drop_last.location, value=False))
            yield Finding(
                at=loader.batch_size.location,
                case="all-cards",
                fixes=tuple(fixes),
                split=loader.split,
                batch_size=loader.batch_size.value,
                samples=samples,
                cards=cards,
                share=share,
            )
    if not known:
        raise NotApplicable("no-samples-known")
