"""Values inside lists, which PaddleClas leaves as YAML reads them: rates, epochs, top-k, label smoothing, the image's shape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from checks.facts.training_config import TrainingConfig
from checks.model import Finding, Fix
from checks.sections import eval_mode, evaluates
from checks.value_reading import meant_value, python_type, written


def of_another_type(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """What CFG130 finds in lists."""
    yield from _milestones(config, letter)
    yield from _topk(config, letter)
    yield from _epsilon(config, letter)
    yield from _image_shape(config, letter)


def _milestones(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """Rates and epochs of a schedule in a list: YAML reads `1e-3` as text, and in a list PaddleClas leaves it so (modern)."""
    lr = config.tree.raw("Optimizer.lr")
    if config.generation != "modern" or letter != "t" or not isinstance(lr, dict):
        return
    keys = {"Piecewise": ("decay_epochs", "values"), "MultiStepDecay": ("milestones",)}.get(str(lr.get("name")), ())
    if lr.get("name") == "Piecewise" and lr.get("learning_rate") is not None:
        return  # from 2.5.1 on the list is not read then
    for key in keys:
        items = lr.get(key)
        texts = [index for index, item in enumerate(items if isinstance(items, list) else ()) if isinstance(item, str)]
        if texts:
            says = "ValueError: Unknown format code 'f'" if key == "values" else "TypeError"
            yield _in_list(config, f"Optimizer.lr.{key}", texts, "int float" if key == "values" else "int", says)


def _in_list(config: TrainingConfig, path: str, bad: list[int], takes: str, says: str) -> Finding:
    """Items of one list that are no numbers: the first is named, and the fix is for all of them."""
    places = [f"{path}.{index}" for index in bad]
    meant = [meant_value(written(config, place), takes) for place in places]
    fixes: tuple[Fix, ...] = ()
    if None not in meant:
        if len(bad) == 1:
            at, value = config.tree.at(places[0]), meant[0]
        else:
            whole = list(config.tree.raw(path))
            for index, number in zip(bad, meant, strict=True):
                whole[index] = number
            at, value = config.tree.at(path), whole
        fixes = (Fix("set", "edit", "safe", at=at, value=value, values={"meant": value}),)
    first = places[0]
    case = "in-list" if isinstance(config.tree.raw(first), str) else "default"
    at, shown = config.tree.at(first), python_type(config, first)
    return Finding(at=at, case=case, fixes=fixes, key=first, text=written(config, first), type=shown, says=says, since="")


def _topk(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """TopkAcc asserts an int or a list; strings inside are compared with numbers (modern). The post-process asserts an int."""
    if config.generation != "modern":
        return
    places = ["Infer.PostProcess.topk"] if letter == "i" and config.tree.raw("Infer.PostProcess.name") == "Topk" else []
    splits = (["Train"] if letter == "t" else []) + (
        ["Eval"] if evaluates(config, letter) and eval_mode(config) == "classification" else []
    )
    for split in splits:
        metrics = config.tree.raw(f"Metric.{split}")
        for index, item in enumerate(metrics if isinstance(metrics, list) else ()):
            if isinstance(item, dict) and isinstance(item.get("TopkAcc"), dict) and "topk" in item["TopkAcc"]:
                places.append(f"Metric.{split}.{index}.TopkAcc.topk")
    for path in places:
        if not config.tree.has(path):
            continue
        value = config.tree.raw(path)
        if isinstance(value, str) and path.startswith("Metric"):
            continue  # CFG201
        if value == [] and path.startswith("Metric.Eval") and letter == "t" and _only_empty(config):
            at, says = config.tree.at(path), "TypeError: '>=' not supported between instances of …"
            fix = Fix("set", "edit", "safe", at=at, value=[1, 5], values={"meant": [1, 5]})
            yield Finding(at=at, case="empty-list", fixes=(fix,), key=path, text="[]", type="list", says=says, since="")
        if isinstance(value, list) and not path.startswith("Infer"):
            bad = [index for index, item in enumerate(value) if type(item) not in (int, bool, float)]
            if bad:
                yield _in_list(config, path, bad, "int", "TypeError: '<' not supported between instances of 'int' and 'str'")
        elif type(value) not in (int, bool):
            yield _no_count(config, path)


def _no_count(config: TrainingConfig, path: str) -> Finding:
    text, at = written(config, path), config.tree.at(path)
    numbers = [int(n) for n in re.findall(r"\d+", unicodedata.normalize("NFKC", text).removesuffix(".0"))]
    meant: Any = None if not numbers else numbers[0] if path.startswith("Infer") else numbers
    fixes = (Fix("set", "edit", "safe", at=at, value=meant, values={"meant": meant}),) if meant is not None else ()
    shown = python_type(config, path)
    return Finding(at=at, case="default", fixes=fixes, key=path, text=text, type=shown, says="AssertionError", since="")


def _only_empty(config: TrainingConfig) -> bool:
    """Whether no metric of the evaluation gives a number."""
    metrics = config.tree.raw("Metric.Eval")
    items = [item.get("TopkAcc") for item in metrics if isinstance(item, dict)] if isinstance(metrics, list) else []
    return all(isinstance(params, dict) and params.get("topk") == [] for params in items)


def _epsilon(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """Label smoothing of CELoss is compared with 0 and 1; a string inside the list of losses stays one (modern)."""
    splits = (["Train"] if letter == "t" else []) + (["Eval"] if evaluates(config, letter) else [])
    for split in splits if config.generation == "modern" else ():
        losses = config.tree.raw(f"Loss.{split}")
        for index in range(len(losses) if isinstance(losses, list) else 0):
            path = f"Loss.{split}.{index}.CELoss.epsilon"
            value, text = config.tree.raw(path), written(config, path)
            if value is None or isinstance(value, (int, float)):
                continue
            meant = meant_value(text, "int float")
            fixes = (
                (Fix("set", "edit", "safe", at=config.tree.at(path), value=meant, values={"meant": meant}),) if meant is not None else ()
            )
            yield Finding(
                at=config.tree.at(path),
                case="in-list" if isinstance(value, str) else "number",
                fixes=fixes,
                key=path,
                text=text,
                type=python_type(config, path),
                says="TypeError: '<=' not supported between instances of 'str' and 'int'",
                since="",
            )


def _image_shape(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """`[None] + image_shape` at export: a list of three whole numbers, -1 or null for a side that is left open."""
    path = "Global.image_shape"
    if config.generation != "modern" or letter != "x" or not config.tree.has(path):
        return
    value, text = config.tree.raw(path), written(config, path)
    numbers_only = isinstance(value, list) and all(item is None or type(item) is int for item in value)
    if value is None or (numbers_only and python_type(config, path) == "list"):
        return  # EXP105
    numbers = [int(n) for n in re.findall(r"\d+", unicodedata.normalize("NFKC", text))]
    fixes: tuple[Fix, ...] = ()
    if len(numbers) == 3 and not re.search(r"\d\.[1-9]|e", text):
        fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=numbers, values={"meant": numbers}),)
    says = "TypeError: can only concatenate list" if python_type(config, path) != "list" else "ValueError"
    yield Finding(
        at=config.tree.at(path), case="shape", fixes=fixes, key=path, text=text, type=python_type(config, path), says=says, since=""
    )
