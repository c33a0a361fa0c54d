"""MDL: losses on embeddings against the batch and the classes, and what an evaluation by retrieval needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.batching import PER_CLASS
from checks.facts.label_survey import Labels
from checks.facts.rec_parts import feature_width
from checks.facts.sub_networks import entries_of
from checks.facts.training_config import Loader, TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

OWN_BATCH: dict[str, int] = {"EmlLoss": 40, "MSMLoss": 120, "TriHardLoss": 120}
"""Losses with a batch size of their own, and its default (`ppcls/loss`)."""

OWN_SAMPLES, OWN_VIEWS = 2, 16
"""Defaults of `samples_each_class` of those, and of `views` of SupConLoss."""

CLASSES_OF = {"CenterLoss": "num_classes", "DCHLoss": "n_class", "LCDSHLoss": "n_class"}
"""Losses with a class count of their own."""

WIDTH_OF = {"CenterLoss": "feat_dim", "ContrastiveLoss_XBM": "embedding_size", "TripletAngularMarginLoss_XBM": "embedding_size"}
"""Losses that keep a table of features, and the parameter that is its width."""


def _loss_list(config: TrainingConfig, names: Any) -> list[tuple[str, str, dict[str, Any]]]:
    if config.generation != "modern" or config.tree.raw("Arch.name") != "RecModel":
        raise NotApplicable("no-rec-model")
    return [entry for entry in entries_of(config, "Loss.Train") if entry[1] in names]


@check("MDL116", name="loss-batch-mismatch", stages=TRAIN)
def loss_batch_mismatch(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """TriHardLoss, MSMLoss, EmlLoss, SupConLoss and NpairsLoss cut a batch into groups of one class: the sampler has to fill it so."""
    losses = _loss_list(config, (*OWN_BATCH, "SupConLoss", "NpairsLoss"))
    loader = config.loader("Train")
    if not losses or loader is None or loader.batch_size is None or loader.batch_size.value < 1:
        raise NotApplicable("no-grouping-loss")
    for key, name, params in losses:
        found = next(_of_loss(config, loader, key, name, params, labels), None)
        if found:
            yield found


def _of_loss(
    config: TrainingConfig, loader: Loader, key: str, name: str, params: dict[str, Any], labels: Labels | None
) -> Iterator[Finding]:
    assert loader.batch_size is not None
    batch = loader.batch_size.value
    each, given = _each(name, params)
    own = params.get("batch_size", OWN_BATCH.get(name, batch))
    if type(own) is not int or type(each) is not int or each < 1:
        return
    values: dict[str, Any] = {
        "loss": name,
        "own": own,
        "batch_size": batch,
        "each": each,
        "given": given or "",
        "sampler": loader.sampler or "",
    }
    if own != batch:
        at = _place(config, key, "batch_size")
        smaller = own < batch and name != "TriHardLoss"
        yield Finding(
            at=at,
            via=loader.batch_size.location,
            case="smaller" if smaller else None,
            fixes=_set(config, key, "batch_size", batch),
            **values,
        )
        return
    left = _left_over(loader, name, labels)
    if left:
        at = loader.drop_last.location if loader.drop_last else config.tree.key_at(key)
        edit = (Fix("drop-last", "edit", "safe", at, True),) if loader.drop_last else ()
        yield Finding(at=at, case="last-batch", fixes=edit, left=left, **values)
        return
    filled = config.tree.raw(f"{loader.key}.sampler.{PER_CLASS[loader.sampler]}") if loader.sampler in PER_CLASS else None
    right = filled if type(filled) is int and filled > 0 else None
    if batch % each:
        at = _place(config, key, given) if given else config.tree.key_at(key)
        fixes = _set(config, key, given, right) if given and right else ()
        yield Finding(at=at, via=loader.batch_size.location, case="odd", fixes=fixes, **values)
    elif right is None and loader.sampler in (None, "DistributedBatchSampler", "BatchSampler"):
        fix = Fix(
            "fill-by-class", "advice", "safe", snippet=f"sampler:\n  name: PKSampler\n  batch_size: {batch}\n  sample_per_id: {each}\n"
        )
        yield Finding(at=config.tree.key_at(key), via=loader.batch_size.location, case="by-chance", fixes=(fix,), **values)
    elif right is not None and right != each and (right % each or name == "TriHardLoss" or name == "NpairsLoss"):
        at = _place(config, key, given) if given else config.tree.key_at(key)
        fixes = _set(config, key, given, right) if given else ()
        yield Finding(at=at, case="other-groups", fixes=fixes, filled=right, **values)


def _left_over(loader: Loader, name: str, labels: Labels | None) -> int:
    """Samples of a last batch that is smaller than the loss takes; samplers by class give whole batches only."""
    if loader.sampler not in (None, "DistributedBatchSampler", "BatchSampler") or (loader.drop_last and loader.drop_last.value):
        return 0
    samples = labels.samples(loader) if labels and name in OWN_BATCH else None
    return samples % loader.batch_size.value if samples and loader.batch_size else 0


def _each(name: str, params: dict[str, Any]) -> tuple[Any, str]:
    """The samples of one class that stand together, and the parameter that says so."""
    if name == "SupConLoss":
        return params.get("views", OWN_VIEWS), "views"
    if name == "NpairsLoss":
        return 2, ""
    return params.get("samples_each_class", OWN_SAMPLES), "samples_each_class"


def _place(config: TrainingConfig, key: str, parameter: str) -> Location:
    return config.tree.at(f"{key}.{parameter}") if config.tree.has(f"{key}.{parameter}") else config.tree.key_at(key)


def _set(config: TrainingConfig, key: str, parameter: str, value: int) -> tuple[Fix, ...]:
    values = {"parameter": parameter, "value": value}
    if config.tree.has(f"{key}.{parameter}"):
        return (Fix("set-parameter", "edit", "safe", at=config.tree.at(f"{key}.{parameter}"), value=value, values=values),)
    return (Fix("set-parameter", "advice", "safe", snippet=f"{parameter}: {value}", values=values),)


@check("MDL117", name="loss-table-mismatch", stages=TRAIN)
def loss_table_mismatch(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """A loss that keeps a table of classes or features of another size than the labels or the features have."""
    losses = _loss_list(config, {*CLASSES_OF, *WIDTH_OF})
    if not losses:
        raise NotApplicable("no-loss-table")
    arch = config.tree.raw("Arch")
    surveys = [s for s in labels.of("Train") if s.format.labels == "class"] if labels else []
    needed = max((s.needed_class_num or 0 for s in surveys), default=0)
    for key, name, params in losses:
        classes = params.get(CLASSES_OF.get(name, ""))
        if type(classes) is int and 0 < classes < needed:
            at = config.tree.at(f"{key}.{CLASSES_OF[name]}")
            yield Finding(
                at=at,
                case="classes-ignored" if name == "CenterLoss" else "classes",
                fixes=_set(config, key, CLASSES_OF[name], needed),
                loss=name,
                given=classes,
                wanted=needed,
                parameter=CLASSES_OF[name],
            )
        width = params.get(WIDTH_OF.get(name, ""))
        gives = feature_width(arch, str(params.get("feature_from", "features")))
        if type(width) is int and gives is not None and width != gives:
            parameter = WIDTH_OF[name]
            at = config.tree.at(f"{key}.{parameter}")
            yield Finding(at=at, fixes=_set(config, key, parameter, gives), loss=name, given=width, wanted=gives, parameter=parameter)


MEASURED_BY = (
    ("Metric", "no-metric", "add-metric", "Recallk:\n        topk: [1, 5]"),
    ("Loss", "no-loss", "add-eval-loss", "CELoss:\n        weight: 1.0"),
)
"""What an evaluation by retrieval cannot do without: the section, its case and fix, and an item to begin with."""


@check("MDL118", name="retrieval-cannot-be-measured", stages=TRAIN | EVAL)
def retrieval_cannot_be_measured(config: TrainingConfig, labels: Labels | None) -> Iterator[Finding]:
    """An evaluation by retrieval that stops, or measures nothing, or something else."""
    tree = config.tree
    off = config.stage == "train" and tree.raw("Global.eval_during_train") is False
    if config.generation != "modern" or tree.raw("Global.eval_mode") != "retrieval" or off:
        raise NotApplicable("no-retrieval")
    for section, case, title, item in MEASURED_BY:
        key = f"{section}.Eval"
        if not tree.raw(key):
            at = tree.at(key) if tree.has(key) else tree.key_at(section if tree.has(section) else "Global.eval_mode")
            fix = Fix(title, "advice", "safe", snippet=f"{section}:\n  Eval:\n    - {item}\n")
            yield Finding(at=at, case=case, fixes=(fix,), **_blank())
            return
    block = tree.raw("Global.sim_block_size")
    if tree.has("Global.sim_block_size") and (type(block) not in (int, bool) or block < 1):
        at = tree.at("Global.sim_block_size")
        yield Finding(at=at, case="block", fixes=(Fix("usual-block", "edit", "safe", at=at, value=64),), **_blank(value=str(block)))
    feature = tree.raw("Global.retrieval_feature_from")
    if feature is not None and feature not in ("features", "backbone"):
        at = tree.at("Global.retrieval_feature_from")
        fixes = (Fix("use-features", "edit", "safe", at=at, value="features"),)
        yield Finding(at=at, case="feature", fixes=fixes, **_blank(value=str(feature)))
    gallery = _gallery(config, labels)
    for key, metric, params in entries_of(config, "Metric.Eval"):
        yield from _of_metric(config, key, metric, params, gallery)
    yield from _re_ranking(config, labels, gallery)


def _blank(**given: Any) -> dict[str, Any]:
    return {"value": "", "metric": "", "gallery": None, **given}


def _gallery(config: TrainingConfig, labels: Labels | None) -> int | None:
    """Images that a query is compared with; None where they are not all known."""
    section = config.tree.raw("DataLoader.Eval")
    if labels is None or not isinstance(section, dict):
        return None
    name = "Gallery" if len(section) > 1 else next(iter(section), "")
    loader = config.loader(f"Eval.{name}")
    return labels.samples(loader) if loader else None


def _of_metric(config: TrainingConfig, key: str, metric: str, params: dict[str, Any], gallery: int | None) -> Iterator[Finding]:
    if metric in ("Recallk", "Precisionk") and gallery:
        topk = params.get("topk", (1, 5))
        ks = topk if isinstance(topk, (list, tuple)) else (topk,)
        for index, k in enumerate(ks):
            if type(k) is int and k > gallery:
                place = f"{key}.topk.{index}" if isinstance(topk, list) else f"{key}.topk"
                there = config.tree.has(place)
                at = config.tree.at(place) if there else config.tree.key_at(key)
                fixes = (Fix("smaller-k", "edit", "unsafe", at=at, value=gallery, values={"gallery": gallery}),) if there else ()
                yield Finding(at=at, fixes=fixes, **_blank(value=k, metric=metric, gallery=gallery))
    if params.get("descending") is False:
        at = config.tree.at(f"{key}.descending")
        fix = Fix("descend", "edit", "safe", at=at, value=True)
        yield Finding(at=at, case="ascending", fixes=(fix,), **_blank(metric=metric))


NEIGHBOURS = 20
"""Nearest neighbours that re-ranking asks for (`k1` in `retrieval_eval`)."""


def _re_ranking(config: TrainingConfig, labels: Labels | None, gallery: int | None) -> Iterator[Finding]:
    """Query and gallery together must hold more images than re-ranking asks neighbours for."""
    section = config.tree.raw("DataLoader.Eval")
    if config.tree.raw("Global.re_ranking") is not True or gallery is None or labels is None or not isinstance(section, dict):
        return
    query = config.loader("Eval.Query") if len(section) > 1 else None
    queries = gallery if len(section) == 1 else labels.samples(query) if query else None
    if queries is not None and 0 < queries + gallery <= NEIGHBOURS:
        at = config.tree.at("Global.re_ranking")
        fix = Fix("no-re-ranking", "edit", "safe", at=at, value=False)
        yield Finding(at=at, case="re-ranking", fixes=(fix,), **_blank(value=queries + gallery, gallery=gallery))
