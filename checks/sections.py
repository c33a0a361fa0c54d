"""CFG: sections and keys that must be there, and sections of the right shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from knowledge.mandatory import LEGACY, MODERN, NAMELESS_SAMPLER, SPLIT, Key
from knowledge.vocabulary import unknown_key

RATE_KEYS = ("learning_rate", "base_lr", "init_lr")
"""Names of a learning rate; beside an optimizer's parameters it is not looked for, only in the block `lr` below them."""

LETTER = {"train": "t", "eval": "e", "infer": "i", "export": "x"}

TOP = ("Arch", "Loss", "Optimizer", "DataLoader", "Metric")
"""Of these a training config has all; one that lacks three is made for another program (`tools/` of its own, inference only)."""


def _stage(config: TrainingConfig) -> str:
    """The letter of the stage.

    Raises:
        NotApplicable: PaddleClas's engine does not read this config at this stage.
    """
    letter = LETTER.get(config.stage, "")
    if config.generation == "legacy":
        mode = config.tree.raw("mode")
        if letter not in ("t", "e") or (letter == "t" and isinstance(mode, str) and mode.lower() != "train"):
            raise NotApplicable("sections-other-stage")
    elif config.generation != "modern" or (sum(not config.tree.has(part) for part in TOP) >= 3 and not _for_prediction(config)):
        raise NotApplicable("sections-other-stage")
    elif letter == "e" and not config.tree.has("DataLoader"):
        return letter  # whatever it was made for, there is nothing to evaluate on
    elif letter in ("t", "e") and not config.tree.has("Loss") and not config.tree.has("Optimizer"):
        raise NotApplicable("sections-other-stage")  # made for prediction alone
    return letter


def _for_prediction(config: TrainingConfig) -> bool:
    """Whether a config was cut down to what predicting and exporting seem to need."""
    return config.tree.has("Arch") and config.tree.has("Infer")


def eval_mode(config: TrainingConfig) -> Any:
    """`Global.eval_mode`, with the engine's default."""
    settings = config.tree.raw("Global")
    return settings.get("eval_mode", "classification") if isinstance(settings, dict) else "classification"


def evaluates(config: TrainingConfig, letter: str) -> bool:
    """Whether the run evaluates: the eval stage, or a training with evaluation on."""
    return letter == "e" or (letter == "t" and bool(config.tree.raw("Global.eval_during_train")))


def built_splits(config: TrainingConfig, letter: str) -> list[str]:
    """Paths of the `DataLoader` blocks that the engine builds at this stage, whether or not they are there."""
    splits = ["DataLoader.Train"] if letter == "t" else []
    if letter == "t" and config.tree.raw("DataLoader.UnLabelTrain") is not None:
        splits.append("DataLoader.UnLabelTrain")
    if evaluates(config, letter):
        block = config.tree.raw("DataLoader.Eval")
        if eval_mode(config) != "retrieval" or not isinstance(block, dict):
            splits.append("DataLoader.Eval")
        elif len(block) == 1:
            splits.append(f"DataLoader.Eval.{next(iter(block))}")
        else:
            splits += ["DataLoader.Eval.Gallery", "DataLoader.Eval.Query"]
    return splits


def mandatory(config: TrainingConfig) -> Iterator[Key]:
    """The keys that this run of this config reads without a default, parents first.

    Raises:
        NotApplicable: PaddleClas's engine does not read this config at this stage.
    """
    letter = _stage(config)
    if config.generation == "legacy":
        yield from _legacy(config, letter)
        return
    yield from (key for key in MODERN if letter in key.stages)
    tree, evaluating = config.tree, evaluates(config, letter)
    if letter == "t" and evaluating:
        yield Key("Global.eval_interval", "t", example="1")
    if isinstance(tree.raw("Optimizer"), dict) and letter == "t":
        yield Key("Optimizer.name", "t", example="Momentum")
        yield Key("Optimizer.lr", "t")
        if isinstance(tree.raw("Optimizer.lr"), dict):
            yield Key("Optimizer.lr.name", "t", example="Cosine", says="AttributeError: 'float' object has no attribute 'step'")
        if isinstance(tree.raw("Optimizer.regularizer"), dict):
            yield Key("Optimizer.regularizer.name", "t", example="L2")
    dali = bool(tree.raw("Global.use_dali"))
    for split in built_splits(config, letter):
        name = split.rpartition(".")[2]
        yield Key(split, "te", says=f"AssertionError: {name} config not in yaml")
        sampler = tree.raw(f"{split}.sampler")
        nameless = NAMELESS_SAMPLER if isinstance(sampler, dict) and sampler and "name" not in sampler else ()
        if sampler == {}:
            nameless = (Key("sampler.name", "", example="DistributedBatchSampler"),)
        for key in (*SPLIT, *nameless):
            if not (dali and key.path == "loader.use_shared_memory"):
                yield key._replace(path=f"{split}.{key.path}")
    if evaluating and eval_mode(config) == "classification":
        yield Key("Metric", "te", "2.3")
        yield Key("Metric.Eval", "te", "2.3")
    if letter == "x" and not tree.raw("Global.use_multilabel"):
        yield Key("Metric", "x", "2.4")
        yield Key("Metric.Eval", "x", "2.4")


def _legacy(config: TrainingConfig, letter: str) -> Iterator[Key]:
    mode = config.tree.raw("mode")
    checked = mode is None or (isinstance(mode, str) and mode.lower() == "train")
    for key in LEGACY:
        # both tools check LEARNING_RATE and OPTIMIZER of a config whose `mode` is train
        if letter in key.stages or (checked and key.path.startswith(("LEARNING_RATE", "OPTIMIZER"))):
            yield key
    if letter == "t" and config.tree.raw("validate"):
        yield Key("valid_interval", "t", example="1")
    if letter == "e" or config.tree.raw("validate"):
        yield Key("VALID", "te", says="Only the following 3 modes are supported: train, valid, test")
        for key in LEGACY:
            if key.path.startswith("TRAIN."):
                yield key._replace(path="VALID." + key.path.removeprefix("TRAIN."), example=key.example.replace("train_list", "val_list"))
    if letter == "t" and config.tree.raw("use_mix"):
        yield Key("TRAIN.mix", "t")


def absent_keys(config: TrainingConfig) -> Iterator[tuple[Key, str]]:
    """Mandatory keys that are not there though their section is, each with the key of the file that was probably meant to be it, or "".

    Raises:
        NotApplicable: PaddleClas's engine does not read this config at this stage.
    """
    seen: set[str] = set()
    for key in mandatory(config):
        parent, _, name = key.path.rpartition(".")
        section = config.tree.raw(parent) if parent else config.tree.data
        if not isinstance(section, dict) or name in section or key.path in seen:
            continue
        if section == {} and parent and config.generation == "modern":
            continue  # an empty section is said once (CFG107)
        seen.add(key.path)
        yield key, _meant(config, parent, key.path, section)


def _meant(config: TrainingConfig, parent: str, path: str, section: dict[str, Any]) -> str:
    if path == "Optimizer.lr":
        return next((f"{parent}.{name}" for name in RATE_KEYS if config.tree.key_at(f"{parent}.{name}").line and name in section), "")
    for sibling in section:
        written = f"{parent}.{sibling}" if parent else str(sibling)
        if config.tree.spots.get(written) is None or config.tree.spots[written].override:
            continue
        found = unknown_key(tuple(written.split(".")), config.generation)
        if found is not None and found.suggestion == path:
            return written
    return _nested(config, parent, path, section)


def _nested(config: TrainingConfig, parent: str, path: str, section: dict[str, Any]) -> str:
    """The section of that name that stands a level too deep, inside one beside which it belongs, or ""."""
    name = path.rpartition(".")[2]
    for sibling, value in section.items():
        written = f"{parent}.{sibling}.{name}" if parent else f"{sibling}.{name}"
        if isinstance(value, dict) and isinstance(value.get(name), dict) and unknown_key(tuple(written.split(".")), config.generation):
            return written
    return ""


def section_place(config: TrainingConfig, path: str) -> Location:
    """Where something is missing: the key of the nearest section above it."""
    parent = path.rpartition(".")[0]
    while parent and not config.tree.has(parent):
        parent = parent.rpartition(".")[0]
    at = config.tree.key_at(parent)
    return Location(at.file, at.line, at.column, path)


@check("CFG106", name="mandatory-key-missing", stages=TRAIN | EVAL | INFER | EXPORT)
def mandatory_key_missing(config: TrainingConfig) -> Iterator[Finding]:
    """A section or key that the engine reads without a default: the run stops with its bare name (FAQ 5.1)."""
    if config.stage == "infer" and config.generation == "modern" and eval_mode(config) != "classification":
        raise NotApplicable("infer-needs-classification")
    for key, meant in absent_keys(config):
        name = key.path.rpartition(".")[2]
        says = key.says or f"KeyError: '{name}'"
        values: dict[str, Any] = {
            "key": key.path,
            "name": name,
            "says": says,
            "since": key.since,
            "meant": meant,
            "tool": _tool(config),
            "mode": eval_mode(config),
        }
        if meant:
            fix = Fix("rename", "advice", "safe", values={"key": key.path, "meant": meant})
            if key.path == "Optimizer.lr":
                snippet = f"Optimizer:\n  lr:\n    name: Cosine\n    learning_rate: {config.tree.raw(meant)}\n"
                fix = Fix("rate-below-lr", "advice", "safe", snippet=snippet)
            nested = meant.rpartition(".")[2] == name and meant.count(".") > key.path.count(".")
            if nested:
                fix = Fix("dedent", "advice", "safe", values={"key": key.path, "meant": meant})
            yield Finding(at=config.tree.key_at(meant), case="nested" if nested else "misspelt", fixes=(fix,), **values)
            continue
        if _of_another_layout(config, key.path):
            continue  # MDL108: the mode does not fit the evaluation data
        fixes = []
        if key.example:
            fixes.append(Fix("add", "advice", "safe", snippet=_snippet(key), values={"key": key.path}))
        else:
            fixes.append(Fix("add-section", "advice", "safe", values={"key": key.path}))
        case = "since" if key.since else "section" if not key.example else "default"
        if key.since == "2.4":
            case = "export-metric"  # 2.2, 2.3 and 2.5 export without it
        elif key.path == "Infer" and _not_for_prediction(config):
            case = "no-infer"
        yield Finding(at=section_place(config, key.path), case=case, fixes=tuple(fixes), **values)


def _of_another_layout(config: TrainingConfig, path: str) -> bool:
    """Whether a block of `DataLoader.Eval` is laid out for the other evaluation mode."""
    block = config.tree.raw("DataLoader.Eval")
    if not isinstance(block, dict):
        return False
    flat, parts = isinstance(block.get("dataset"), dict), [part for part in ("Gallery", "Query") if isinstance(block.get(part), dict)]
    if path in ("DataLoader.Eval.Gallery", "DataLoader.Eval.Query"):
        return flat or len(parts) == 1
    return bool(parts) and not flat and path in ("DataLoader.Eval.dataset", "DataLoader.Eval.sampler", "DataLoader.Eval.loader")


def _not_for_prediction(config: TrainingConfig) -> bool:
    """Whether the model is of a kind that PaddleClas ships without an `Infer` section: retrieval nets, attributes, semi-supervised."""
    arch, metrics = config.tree.raw("Arch"), config.tree.raw("Metric.Eval")
    attributes = isinstance(metrics, list) and any(isinstance(item, dict) and "ATTRMetric" in item for item in metrics)
    return (isinstance(arch, dict) and "Head" in arch) or attributes or config.tree.has("DataLoader.UnLabelTrain")


def _tool(config: TrainingConfig) -> str:
    return {"train": "tools/train.py", "eval": "tools/eval.py", "infer": "tools/infer.py"}.get(config.stage, "tools/export_model.py")


def _snippet(key: Key) -> str:
    parts = key.path.split(".")
    return (
        "".join(f"{'  ' * depth}{part}:\n" for depth, part in enumerate(parts[:-1]))
        + f"{'  ' * (len(parts) - 1)}{parts[-1]}: {key.example}\n"
    )


_SHAPES: tuple[tuple[str, str, str], ...] = (
    # path, stages at which another shape stops the run, shape
    ("Global", "teix", "mapping"),
    ("Arch", "teix", "mapping"),
    ("DataLoader", "teix", "mapping"),
    ("Loss", "t", "mapping"),
    ("Loss.Train", "t", "list"),
    ("Optimizer", "t", "mapping or list"),
    ("Optimizer.lr", "t", "mapping"),
    ("Infer", "i", "mapping"),
    ("Infer.PostProcess", "i", "mapping"),
    ("Infer.transforms", "i", "list"),
)

_KINDS: dict[type, str] = {type(None): "null", dict: "mapping", list: "list", str: "text", bool: "bool", int: "number", float: "number"}


def _shapes(config: TrainingConfig, letter: str) -> Iterator[tuple[str, str]]:
    """Path and shape of each section that the stage reads; modern layout."""
    yield from ((path, shape) for path, stages, shape in _SHAPES if letter in stages)
    tree = config.tree
    for split in built_splits(config, letter):
        yield split, "mapping"
        for part in ("dataset", "sampler", "loader"):
            yield f"{split}.{part}", "mapping"
        if tree.raw(f"{split}.dataset.transform_ops") != []:  # what an empty list leads to is not a matter of shape
            yield f"{split}.dataset.transform_ops", "list"
    if evaluates(config, letter) and eval_mode(config) == "classification":
        yield "Metric", "mapping"
        yield "Metric.Eval", "list"
        if tree.raw("Loss.Eval") is not None:
            yield "Loss.Eval", "list"
    elif letter == "x" and not tree.raw("Global.use_multilabel"):
        yield "Metric", "mapping"
        if not tree.raw("Metric.Eval"):  # only searched for the name of a metric
            yield "Metric.Eval", "list"
    if evaluates(config, letter) and tree.raw("Loss") is not None:
        yield "Loss", "mapping"
    if letter == "t":
        yield "Metric", "mapping"
        if tree.raw("Metric.Train"):
            yield "Metric.Train", "list"
        if tree.has("Optimizer.regularizer"):
            yield "Optimizer.regularizer", "mapping"
        for part in ("AMP", "EMA"):
            if tree.raw(part) or (part == "EMA" and tree.has(part)):
                yield part, "mapping"


@check("CFG107", name="section-of-another-shape", stages=TRAIN | EVAL | INFER | EXPORT)
def section_of_another_shape(config: TrainingConfig) -> Iterator[Finding]:
    """A section that is null, empty, a list or a single value where PaddleClas looks for keys, or a mapping where it wants a list."""
    if config.generation != "modern":
        raise NotApplicable("sections-modern")
    letter = _stage(config)
    if letter == "i" and eval_mode(config) != "classification":
        raise NotApplicable("infer-needs-classification")
    seen: set[str] = set()
    lacks = dict.fromkeys(key.path for key in mandatory(config))
    for path, shape in _shapes(config, letter):
        if path in seen or not config.tree.has(path):
            continue
        seen.add(path)
        value = config.tree.raw(path)
        kind = _KINDS.get(type(value), "text")
        lacking = [key for key in lacks if key.rpartition(".")[0] == path] if value == {} else []
        if kind in shape and value != [] and not lacking:
            continue
        case = "default"
        if value is None:
            case = "is-null"
        elif value == []:
            case = "empty-list"
        elif lacking:
            case = "empty"
        elif kind == "mapping":
            case = "no-dash"
        fixes = [Fix("as-list", "advice", "safe")] if case == "no-dash" else [Fix("write-out", "advice", "safe", values={"key": path})]
        at = config.tree.at(path)
        if at.file != OVERRIDE_FILE:
            at = config.tree.key_at(path)
        yield Finding(at=at, case=case, fixes=tuple(fixes), key=path, kind=kind, shape=shape, missing=lacking)


@check("CFG108", name="infer-needs-classification", stages=INFER)
def infer_needs_classification(config: TrainingConfig) -> Iterator[Finding]:
    """`tools/infer.py` with a retrieval config: it asserts `eval_mode == "classification"`, without a message."""
    if config.generation != "modern" or not isinstance(config.tree.raw("Global"), dict):
        raise NotApplicable("sections-modern")
    mode = eval_mode(config)
    if mode != "classification":
        at = config.tree.at("Global.eval_mode")
        yield Finding(at=at, fixes=(Fix("export-instead", "advice", "safe"),), mode=mode)


@check("CFG109", name="deprecated-class-num", stages=TRAIN | EVAL | INFER | EXPORT)
def deprecated_class_num(config: TrainingConfig) -> Iterator[Finding]:
    """`Global.class_num`: 2.3 and later copy it into an `Arch` without one and ignore it otherwise, 2.2 never reads it (FAQ 2.1)."""
    if config.generation != "modern" or not isinstance(config.tree.raw("Arch"), dict):
        raise NotApplicable("sections-modern")
    if not config.tree.has("Global.class_num"):
        raise NotApplicable("no-global-class-num")
    old, new = config.tree.raw("Global.class_num"), config.tree.raw("Arch.class_num")
    case = "default"
    if config.tree.has("Arch.class_num"):
        case = "both-same" if old == new else "both"
    fixes = (
        [Fix("move", "advice", "safe", snippet=f"Arch:\n  class_num: {old}\n")] if case == "default" else [Fix("drop", "advice", "safe")]
    )
    at = config.tree.at("Global.class_num")
    yield Finding(
        at=at if at.file == OVERRIDE_FILE else config.tree.key_at("Global.class_num"), case=case, fixes=tuple(fixes), old=old, new=new
    )
