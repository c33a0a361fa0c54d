"""CFG: how samples become batches: samplers, operators that mix a batch, the last batch, gradient accumulation."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from checks.facts.label_survey import Labels
from checks.facts.sub_networks import entries_of
from checks.facts.training_config import Loader, TrainingConfig
from checks.facts.transform_ops import BATCH_OPERATORS, MODELS
from checks.model import EVAL, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from knowledge.value_types import PLAIN_DATASETS, SAMPLERS

MIXING = ("MixupOperator", "CutmixOperator", "FmixOperator", "OpSampler")
"""Operators that get `class_num` from `Arch.class_num` and make labels one-hot (`ppcls/data/preprocess/batch_ops`)."""

ALPHA = ("MixupOperator", "CutmixOperator")
"""Those that refuse an `alpha` of 0 or less."""


@check("CFG213", name="batch-mixing", stages=TRAIN | EVAL)
def batch_mixing(config: TrainingConfig) -> Iterator[Finding]:
    """`batch_transform_ops` that stop, that are never applied, or whose labels nothing can read."""
    found = False
    for loader in config.used_loaders():
        path = f"{loader.key}.dataset.batch_transform_ops"
        ops = config.tree.raw(path)
        for finding in _in_the_wrong_list(config, loader):
            found = True
            yield finding
        if config.generation != "modern" or not ops or not isinstance(ops, list):
            continue
        found = True
        for index, item in enumerate(ops):
            for name, params in item.items() if isinstance(item, dict) else ():
                yield from _operator(config, f"{path}.{index}.{name}", name, params if isinstance(params, dict) else {})
        mixers = [(index, name) for index, item in enumerate(ops) if isinstance(item, dict) for name in item if name in MIXING]
        for index, name in mixers[1:]:
            at = config.tree.key_at(f"{path}.{index}.{name}")
            values = {"operator": name, "first": mixers[0][1]}
            yield Finding(at=at, case="one-after-the-other", fixes=(Fix("sample", "advice", "unsafe"),), **values)
        if loader.split.startswith("Eval"):
            yield Finding(
                at=config.tree.key_at(path), case="evaluation", fixes=(Fix("no-eval-mixing", "advice", "safe"),), split=loader.split
            )
        if loader.split == "Train":
            yield from _readers_of_labels(config)
        if any(dataset.name == "MultiLabelDataset" for dataset in loader.datasets):
            operator = next((name for item in ops if isinstance(item, dict) for name in item), "")
            yield Finding(at=config.tree.key_at(path), case="multi-label", split=loader.split, operator=operator)
    if not found:
        raise NotApplicable("no-batch-operators")


def _in_the_wrong_list(config: TrainingConfig, loader: Loader) -> Iterator[Finding]:
    """An operator of batches among the transforms of one image, or the reverse; modern layout."""
    if config.generation != "modern":
        return
    for key, name, _ in entries_of(config, f"{loader.key}.dataset.transform_ops"):
        if name in BATCH_OPERATORS:
            fix = Fix("to-batch", "advice", "safe")
            yield Finding(at=config.tree.key_at(key), case="among-samples", fixes=(fix,), operator=name, split=loader.split)
    for key, name, _ in entries_of(config, f"{loader.key}.dataset.batch_transform_ops"):
        if name in MODELS:
            fix = Fix("to-samples", "advice", "safe")
            yield Finding(at=config.tree.key_at(key), case="sample-in-batch", fixes=(fix,), operator=name, split=loader.split)


def _operator(config: TrainingConfig, path: str, name: str, params: dict[str, Any]) -> Iterator[Finding]:
    counted = config.tree.raw("Arch.class_num") or config.tree.raw("Global.class_num")
    if name in MIXING and not counted:
        yield Finding(
            at=config.tree.key_at(path),
            case="no-class-num",
            fixes=(Fix("set-class-num", "advice", "safe"),),
            operator=name,
        )
    alpha = params.get("alpha")
    if name in ALPHA and isinstance(alpha, (int, float)) and alpha <= 0:
        at = config.tree.at(f"{path}.alpha")
        yield Finding(at=at, case="alpha", fixes=(Fix("set-alpha", "edit", "unsafe", at, 0.2),), operator=name, alpha=alpha)
    if name == "MixupCutmixHybrid":
        yield from _hybrid(config, path, params)
    if name == "FmixOperator":
        yield _of_doubles(config, path, name)
    if name != "OpSampler":
        return
    total = 0.0
    for inner, inside in params.items():
        if not isinstance(inside, dict):
            continue
        probability = inside.get("prob")
        if probability is None:
            yield Finding(
                at=config.tree.key_at(f"{path}.{inner}"), case="no-probability", fixes=(Fix("set-prob", "advice", "safe"),), operator=inner
            )
        elif type(probability) in (int, float):
            total += probability
            if inner == "FmixOperator" and probability > 0:
                yield _of_doubles(config, f"{path}.{inner}", inner)
        alpha = inside.get("alpha")
        if inner in ALPHA and isinstance(alpha, (int, float)) and alpha <= 0:
            at = config.tree.at(f"{path}.{inner}.alpha")
            yield Finding(at=at, case="alpha", fixes=(Fix("set-alpha", "edit", "unsafe", at, 0.2),), operator=inner, alpha=alpha)
    if total > 1 + 1e-9:
        yield Finding(
            at=config.tree.key_at(path), case="probabilities", fixes=(Fix("lower-prob", "advice", "unsafe"),), total=round(total, 6)
        )


def _hybrid(config: TrainingConfig, path: str, params: dict[str, Any]) -> Iterator[Finding]:
    """MixupCutmixHybrid counts the classes by itself, 4 unless told, and pairs the two halves of a batch (2.5 and later)."""
    counted, given = config.tree.raw("Arch.class_num"), params.get("num_classes", 4)
    values: dict[str, Any] = {"operator": "MixupCutmixHybrid"}
    if type(counted) is int and type(given) is int and counted != given:
        at = config.tree.at(f"{path}.num_classes") if "num_classes" in params else config.tree.key_at(path)
        fix = Fix("same-classes", "advice", "safe", snippet=f"num_classes: {counted}", values={"class_num": counted})
        if "num_classes" in params:
            fix = Fix("same-classes", "edit", "safe", at, counted, values={"class_num": counted})
        yield Finding(at=at, case="hybrid-classes", fixes=(fix,), given=given, class_num=counted, **values)
    loader = config.loader("Train")
    batch = loader.batch_size if loader and path.startswith(f"{loader.key}.") else None
    if batch is not None and batch.value % 2:
        fix = Fix("even", "edit", "safe", batch.location, batch.value + 1, values={"batch": batch.value + 1})
        yield Finding(at=batch.location, case="hybrid-odd", fixes=(fix,), batch_size=batch.value, **values)


def _of_doubles(config: TrainingConfig, path: str, name: str) -> Finding:
    """The masks of Fmix are numbers of 64 bits, and so are the images that they are multiplied with (`ops/fmix.py`, 2.2 to develop)."""
    return Finding(at=config.tree.key_at(path), case="float64", fixes=(Fix("cutmix", "advice", "unsafe"),), operator=name)


PAIRWISE = (
    "CenterLoss",
    "ContrastiveLoss",
    "EmlLoss",
    "MSMLoss",
    "NpairsLoss",
    "PairwiseCosface",
    "SupConLoss",
    "TriHardLoss",
    "TripletAngularMarginLoss",
    "TripletLoss",
    "TripletLossV2",
)
"""Losses that compare the labels of a batch with one another, so that each must be one number (`ppcls/loss`)."""


def _readers_of_labels(config: TrainingConfig) -> Iterator[Finding]:
    """What reads the labels of the training, which mixing has made vectors."""
    metrics = config.tree.raw("Metric.Train")
    top = [index for index, item in enumerate(metrics if isinstance(metrics, list) else ()) if isinstance(item, dict) and "TopkAcc" in item]
    beside = next((b for a, b in itertools.pairwise(top) if b == a + 1), None)
    if beside is not None:
        # PaddleClas removes items of the list that it walks through, and so steps over the next
        yield Finding(
            at=config.tree.key_at(f"Metric.Train.{beside}.TopkAcc"),
            case="two-metrics",
            fixes=(Fix("one-metric", "advice", "safe"),),
            split="Train",
        )
    for key, name, _ in entries_of(config, "Metric.Train"):
        if name == "DistillationTopkAcc":  # PaddleClas removes TopkAcc only
            yield Finding(
                at=config.tree.key_at(key), case="role-metric", fixes=(Fix("no-metric", "advice", "safe"),), operator=name, split="Train"
            )
    losses = config.tree.raw("Loss.Train")
    for index, item in enumerate(losses if isinstance(losses, list) else ()):
        for name in item if isinstance(item, dict) else ():
            if name in PAIRWISE:
                yield Finding(at=config.tree.key_at(f"Loss.Train.{index}.{name}"), case="loss", operator=name, split="Train")


PER_CLASS = {"PKSampler": "sample_per_id", "DistributedRandomIdentitySampler": "num_instances"}
"""Samplers that fill a batch with the same number of samples of each class: the key of that number."""


@check("CFG214", name="sampler-batch-mismatch", stages=TRAIN)
def sampler_batch_mismatch(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """PKSampler and DistributedRandomIdentitySampler: the batch must be whole classes, and no more classes than there are.

    MultiScaleSampler gives triples of width, height and index, which only MultiScaleDataset takes, and that takes nothing else.
    """
    odd = [finding for loader in config.used_loaders() for finding in _scales_apart(config, loader)]
    yield from odd
    loaders = [loader for loader in config.used_loaders() if loader.sampler in PER_CLASS]
    if not loaders and not odd:
        raise NotApplicable("no-class-sampler")
    for loader in loaders:
        assert loader.sampler is not None
        if any(dataset.name == "MultiLabelDataset" for dataset in loader.datasets):
            fixes = (Fix("plain-sampler", "advice", "safe"),)
            at = config.tree.at(f"{loader.key}.sampler.name")
            yield Finding(at=at, case="multi-label", fixes=fixes, split=loader.split, sampler=loader.sampler)
            continue
        key = PER_CLASS[loader.sampler]
        path = f"{loader.key}.sampler.{key}"
        each = config.tree.raw(path)
        if type(each) is not int or each < 1 or loader.batch_size is None or loader.batch_size.value < 1:
            continue
        batch = loader.batch_size.value
        values: dict[str, Any] = {"sampler": loader.sampler, "key": key, "each": each, "batch_size": batch, "split": loader.split}
        if batch % each:
            better = max(each, batch // each * each)
            fixes = (Fix("divisible", "edit", "safe", loader.batch_size.location, better, values={"batch": better}),)
            yield Finding(at=loader.batch_size.location, fixes=fixes, **values)
            continue
        classes = _classes(loader, labels)
        if classes and classes * each < batch:
            better = classes * each
            fixes = (Fix("divisible", "edit", "safe", loader.batch_size.location, better, values={"batch": better}),)
            yield Finding(
                at=loader.batch_size.location, case="too-few-classes", fixes=fixes, classes=classes, wanted=batch // each, **values
            )


def _scales_apart(config: TrainingConfig, loader: Loader) -> Iterator[Finding]:
    """A sampler of triples on a dataset that is asked for by number, or the reverse; classes of the user's own may do as they like."""
    dataset = loader.datasets[0].name if len(loader.datasets) == 1 else None
    if loader.sampler == "MixSampler" and dataset in PLAIN_DATASETS:
        fix = Fix("plain-sampler", "advice", "safe")
        at = config.tree.at(f"{loader.key}.sampler.name")
        yield Finding(at=at, case="mix", fixes=(fix,), split=loader.split, sampler=loader.sampler, dataset=dataset)
        return
    triples, takes = loader.sampler == "MultiScaleSampler", dataset == "MultiScaleDataset"
    other = dataset in PLAIN_DATASETS if triples else loader.sampler in (*SAMPLERS, *PER_CLASS)
    if triples == takes or not other:
        return
    at = config.tree.at(f"{loader.key}.dataset.name") if triples else config.tree.at(f"{loader.key}.sampler.name")
    fixes = (Fix("multi-scale", "edit", "safe", at, "MultiScaleDataset"),) if triples else (Fix("plain-images", "advice", "safe"),)
    yield Finding(
        at=at, case="multi-scale", fixes=fixes, split=loader.split, sampler=loader.sampler or "DistributedBatchSampler", dataset=dataset
    )


EQUALLY_OFTEN = ("TripletAngularMarginLoss", "TripletLossV2")
"""Losses that make a table of a batch's pairs with one row for each sample (`ppcls/loss/triplet.py`), so every class must be there equally often."""

SURELY = 20
"""So many pairs of one class expected in an epoch mean that some batch has classes unequally often."""


@check("CFG220", name="loss-needs-class-sampler", stages=TRAIN)
def loss_needs_class_sampler(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """TripletLossV2 and TripletAngularMarginLoss with a sampler that takes samples as they come: no table of pairs can be made of the batch."""
    loader = config.loader("Train")
    losses = [(key, name) for key, name, _ in entries_of(config, "Loss.Train") if name in EQUALLY_OFTEN]
    if not losses or loader is None or config.tree.raw("Arch.name") != "RecModel":
        raise NotApplicable("no-loss-of-pairs")
    if loader.sampler not in (None, "DistributedBatchSampler", "BatchSampler") or loader.batch_size is None:
        return
    pairs = _pairs(loader, labels, loader.batch_size.value)
    for key, name in losses:
        yield Finding(
            at=config.tree.key_at(key),
            via=loader.batch_size.location,
            case="default" if pairs is not None and pairs >= SURELY else "perhaps",
            fixes=(Fix("fill-by-class", "advice", "safe", snippet="sampler:\n  name: PKSampler\n  batch_size: 64\n  sample_per_id: 2"),),
            loss=name,
            sampler=loader.sampler or "BatchSampler",
            batch_size=loader.batch_size.value,
            pairs=round(pairs) if pairs is not None else None,
        )


def _pairs(loader: Loader, labels: Labels | None, batch: int) -> float | None:
    """How many pairs of one class the batches of an epoch are expected to hold; None where the labels are not all known."""
    if not labels or not _classes(loader, labels) or batch < 2:
        return None
    counts = [tally.samples for survey in labels.surveys if survey.split == loader.split for tally in survey.per_class.values()]
    total = sum(counts)
    return (batch - 1) / 2 * sum(count * (count - 1) for count in counts) / max(1, total - 1)


def _classes(loader: Loader, labels: Labels | None) -> int:
    """Different labels of a split; 0 where they are not all known."""
    surveys = [survey for survey in labels.surveys if survey.split == loader.split] if labels else []
    lists = sum(len(dataset.lists) for dataset in loader.datasets)
    if len(surveys) != lists or not all(survey.samples for survey in surveys):
        return 0
    return len({label for survey in surveys for label in survey.per_class})


@check("CFG215", name="evaluation-drops-samples", stages=TRAIN | EVAL)
def evaluation_drops_samples(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """`drop_last` on in the evaluation: the samples of the last batch are left out of the metric without a word."""
    loaders = [
        x for x in config.used_loaders() if x.split.startswith("Eval") and x.drop_last and x.batch_size and config.generation == "modern"
    ]
    if not loaders:
        raise NotApplicable("no-evaluation")
    for loader in loaders:
        assert loader.drop_last is not None
        assert loader.batch_size is not None
        samples, batch = labels.samples(loader) if labels else None, loader.batch_size.value
        if not loader.drop_last.value or batch < 2 or (samples is not None and (samples < batch or samples % batch == 0)):
            continue
        yield Finding(
            at=loader.drop_last.location,
            case="unknown" if samples is None else "default",
            fixes=(Fix("keep-last", "edit", "safe", loader.drop_last.location, False),),
            split=loader.split,
            batch_size=batch,
            samples=samples,
            dropped=None if samples is None else samples % batch,
        )


@check("CFG216", name="accumulation-exceeds-epoch", stages=TRAIN)
def accumulation_exceeds_epoch(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """`update_freq` above the batches of an epoch: from 2.5.1 on it becomes 1, so nothing is accumulated."""
    frequency = config.tree.raw("Global.update_freq")
    loader = config.loader("Train")
    if type(frequency) is not int or frequency < 2 or loader is None or config.tree.raw("Global.iter_per_epoch"):
        raise NotApplicable("no-accumulation")
    samples = labels.samples(loader)
    if not samples or loader.batch_size is None or loader.batch_size.value < 1 or loader.sampler not in (None, "DistributedBatchSampler"):
        raise NotApplicable("no-samples-known")
    drop_last = bool(loader.drop_last and loader.drop_last.value)
    batches = samples // loader.batch_size.value if drop_last else -(-samples // loader.batch_size.value)
    if 0 < batches < frequency:
        at = config.tree.at("Global.update_freq")
        yield Finding(
            at=at,
            fixes=(Fix("lower", "edit", "safe", at, batches, values={"frequency": batches}),),
            update_freq=frequency,
            batches=batches,
            samples=samples,
            batch_size=loader.batch_size.value,
        )
