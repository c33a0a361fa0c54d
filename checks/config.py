"""CFG: what the config itself says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.label_map import LabelMap, LabelMaps
from checks.facts.label_survey import Labels
from checks.facts.overrides import Override
from checks.facts.training_config import TrainingConfig
from checks.model import ANY, DEPLOY, EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from knowledge.vocabulary import unknown_key

GENERATIONS_WITH_KEYS = ("modern", "legacy", "deploy")
"""The layouts whose keys the vocabulary knows; search drivers and fragments are read by other programs."""

MOST_SUGGESTIONS = 200
"""So many unknown keys get a suggestion, at about a millisecond each; a file with more of them is no config with a slip in it."""


@check("CFG101", name="unknown-config-key", stages=ANY)
def unknown_config_key(config: TrainingConfig) -> Iterator[Finding]:
    """A key of the file that exists nowhere in PaddleClas, which reads what it knows and ignores the rest."""
    if config.generation not in GENERATIONS_WITH_KEYS:
        raise NotApplicable("no-vocabulary", generation=config.generation)
    reported: set[str] = set()
    for path, spot in config.tree.spots.items():
        parts = tuple(path.split("."))
        if spot.override or (reported and any(".".join(parts[:n]) in reported for n in range(1, len(parts)))):
            continue
        found = unknown_key(parts, config.generation, _siblings(config, parts), suggest=len(reported) < MOST_SUGGESTIONS)
        if found is None or found.at != len(parts) - 1:
            continue
        reported.add(path)
        fixes = (Fix("rename", "advice", "safe", values={"suggestion": found.suggestion}),) if found.suggestion else ()
        yield Finding(
            at=config.tree.key_at(path),
            case="default" if found.suggestion else "no-suggestion",
            fixes=fixes,
            key=path,
            suggestion=found.suggestion,
        )


def _siblings(config: TrainingConfig, parts: tuple[str, ...]) -> dict[str, object]:
    parent = config.tree.raw(parts[:-1])
    return parent if isinstance(parent, dict) else {}


@check("CFG102", name="unknown-override-key", stages=ANY)
def unknown_override_key(config: TrainingConfig) -> Iterator[Finding]:
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
        if found is None:
            continue
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
            yield Finding(at=_override(item), fixes=fixes, key=item.key, value=value, expression=item.detail)


@check("CFG104", name="override-rejected", stages=ANY)
def override_rejected(config: TrainingConfig) -> Iterator[Finding]:
    """An override that PaddleClas stops on: no `=` or two, an index that is not there, a path through a scalar."""
    if not config.overrides:
        raise NotApplicable("no-overrides")
    for item in config.overrides:
        if item.problem and item.problem != "code":
            yield Finding(at=_override(item), case=item.problem, text=item.text, key=item.key, detail=item.detail)


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


@check("CFG201", name="topk-exceeds-class-num", stages=TRAIN | EVAL)
def topk_exceeds_class_num(config: TrainingConfig) -> Iterator[Finding]:
    """A top-k metric with k above the number of classes: always 1 on recent branches, an exception on older ones."""
    if config.class_num is None:
        raise NotApplicable("no-class-num")
    if not config.topk:
        raise NotApplicable("no-topk")
    classes = config.class_num.value
    for item in config.topk:
        above = [k for k in item.ks if k > classes]
        if above and not (config.stage == "eval" and item.split == "Train"):
            keep = [k for k in item.ks if k <= classes] or [1]
            value = keep if config.generation == "modern" else min(item.ks[0], classes)
            fixes = (Fix("lower-topk", "edit", "safe", at=item.location, value=value, values={"topk": value}),)
            case = "legacy" if config.generation == "legacy" else "default"
            yield Finding(at=item.location, case=case, fixes=fixes, split=item.split, topk=above[-1], class_num=classes)


@check("CFG202", name="label-map-size-mismatch", stages=TRAIN | INFER | EXPORT | DEPLOY)
def label_map_size_mismatch(config: TrainingConfig, maps: LabelMaps) -> Iterator[Finding]:
    """The label map has another number of names than the model has classes, or is not there.

    A predicted id without a name stops `tools/infer.py` (a KeyError of which only the number is printed); a map of another data set, such as
    the ImageNet one that most configs ship with, prints wrong names. In training nothing reads the map, so there it is a note for later.
    """
    if not maps.maps:
        raise NotApplicable("no-label-map")
    later = config.stage == "train"
    if config.class_num is None and (later or all(item.unavailable is None and item.first_bad_line is None for item in maps.maps)):
        raise NotApplicable("no-class-num")
    for item in maps.maps:
        if config.stage == "export" and not config.tree.raw("Global.export_for_fd"):
            continue
        if item.unavailable is not None:
            if not later:
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
        if config.class_num is None:
            continue
        classes = config.class_num.value
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


def _map_values(item: LabelMap) -> dict[str, Any]:
    return {"file": item.file, "path": item.path, "names": item.entries, "line": item.first_bad_line}


@check("CFG203", name="batch-exceeds-dataset", stages=TRAIN | EVAL)
def batch_exceeds_dataset(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """A batch larger than the whole list with `drop_last` on: there is no full batch, so nothing is trained or evaluated."""
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
    if not known:
        raise NotApplicable("no-samples-known")
