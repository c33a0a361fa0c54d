"""MDL: what a network gives against what loss, metric and evaluation take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.components import Components
from checks.facts.own_paddleclas import OwnPaddleClas
from checks.facts.sub_networks import entries_of, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.sections import absent_keys
from knowledge import components as table
from knowledge.zoo import known

TAKES_FEATURES = frozenset(
    {
        "CenterLoss", "DSHSDLoss", "EmlLoss", "MSMLoss", "NpairsLoss", "SupConLoss", "TriHardLoss", "TripletAngularMarginLoss", "TripletLoss",
        "TripletLossV2",
    }
)  # fmt: skip
"""Losses that look up `features` in a dictionary, which only a RecModel gives."""

MULTILABEL_METRICS = frozenset({"ATTRMetric", "AccuracyScore", "HammingDistance", "MultiLabelMAP"})
WITHOUT_RATIO = frozenset({"AccuracyScore", "HammingDistance", "MultiLabelMAP"})
"""Metrics that cannot read the second row that `label_ratio` puts beside the labels."""
SINGLE_METRICS = frozenset({"TopkAcc"})
RETRIEVAL_METRICS = frozenset({"Precisionk", "Recallk", "mAP", "mINP"})


def _modern(config: TrainingConfig) -> str:
    name = config.tree.raw("Arch.name")
    if config.generation != "modern" or not isinstance(name, str):
        raise NotApplicable("no-network")
    return name


def _evaluates(config: TrainingConfig) -> bool:
    return config.stage == "eval" or (config.stage == "train" and config.tree.raw("Global.eval_during_train") is not False)


def _used(config: TrainingConfig, section: str) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """The losses or metrics that the stage builds: split, key, name, parameters."""
    splits = (["Train"] if config.stage == "train" else []) + (["Eval"] if _evaluates(config) else [])
    for split in splits:
        for key, name, params in entries_of(config, f"{section}.{split}"):
            yield split, key, name, params


@check("MDL106", name="loss-does-not-fit-network", stages=TRAIN | EVAL)
def loss_does_not_fit_network(config: TrainingConfig, components: Components | None, own: OwnPaddleClas | None) -> Iterator[Finding]:
    """A loss or metric that reads what this kind of network does not give."""
    name = _modern(config)
    if name == "AttentionModel" or not (is_distillation(config) or name == "RecModel" or known(name)):
        raise NotApplicable("no-network")
    distils = is_distillation(config)
    student = _student_alone(config, components, own)
    plain = not distils and name not in ("RecModel", "GoogLeNet")
    for section in ("Loss", "Metric"):
        for split, key, user, params in _used(config, section):
            case = None
            if distils and split == "Train" and (user in ("CELoss", "TopkAcc")):
                case = "default"
            elif section == "Loss" and user.startswith("Distillation") and not distils:
                case = "plain"
            elif student and split == "Eval" and _reads_roles(user, params):
                case = student
            elif section == "Metric" and split == "Train" and user in RETRIEVAL_METRICS:
                case = "retrieval"
            elif plain and user in TAKES_FEATURES and section == "Loss":
                case = "features"
            elif name == "GoogLeNet" and user in ("CELoss", "TopkAcc"):
                case = "googlenet"
            elif plain and user in ("GoogLeNetLoss", "GoogLeNetTopkAcc"):
                case = "not-googlenet"
            elif name == "RecModel" and section == "Loss" and split == "Train" and user == "CELoss" and not config.tree.has("Arch.Head"):
                case = "no-head"
            if case:
                right = {"CELoss": "GoogLeNetLoss", "TopkAcc": "GoogLeNetTopkAcc", "GoogLeNetLoss": "CELoss", "GoogLeNetTopkAcc": "TopkAcc"}
                values = {"right": right.get(user, ""), "user": user, "split": split, "section": section}
                yield Finding(
                    at=config.tree.key_at(key),
                    case=case,
                    fixes=(Fix(f"fit-{case.removesuffix('-later')}", "advice", "safe", values=values),),
                    user=user,
                    split=split,
                    section=section,
                    architecture=name,
                )


def _reads_roles(user: str, params: dict[str, Any]) -> bool:
    """Whether a loss or metric of Eval looks into a dictionary."""
    return (user.endswith("Loss") and user.startswith("Distillation")) or (
        user == "DistillationTopkAcc" and params.get("feature_key") is not None
    )


def _student_alone(config: TrainingConfig, components: Components | None, own: OwnPaddleClas | None) -> str | None:
    """Whether an evaluation takes the Student's output out before losses and metrics see it, which 2.2 does not: the case, None for no."""
    if config.tree.raw("Global.eval_mode") not in (None, "classification") or all(role.name != "Student" for role in roles_of(config)):
        return None
    if own and own.branch:
        return "student" if own.branch != "release/2.2" else None
    era = table.era((u.kind, u.name, u.parameters) for u in components.uses) if components else ()
    return "student-later" if "release/2.2" in era else "student"


@check("MDL107", name="single-and-multi-label-mixed", stages=TRAIN | EVAL)
def single_and_multi_label_mixed(config: TrainingConfig) -> Iterator[Finding]:
    """Data, loss, metric and `use_multilabel` that do not speak of the same kind of label."""
    _modern(config)
    tree = config.tree
    kinds = {loader.split: loader.datasets[0].name for loader in config.used_loaders() if loader.datasets}
    multi = {split for split, name in kinds.items() if name == "MultiLabelDataset"}
    single = {split for split, name in kinds.items() if name == "ImageNetDataset"}
    if not multi and not single:
        raise NotApplicable("no-labels-read")
    switched = tree.raw("Global.use_multilabel")
    ratios = {split: tree.raw(f"DataLoader.{split}.dataset.label_ratio") for split in multi}
    lacking: set[str] = set()
    for split, key, user, params in _used(config, "Loss"):
        if split in multi and user == "MultiLabelLoss" and params.get("weight_ratio") is True and not ratios[split]:
            lacking.add(split)
            yield _mixed(config, f"{key}.weight_ratio", "no-label-ratio", user, split, kinds[split], "label-ratio")
    for split, key, user, _ in _used(config, "Metric"):
        if split in single and switched is True and user.endswith("TopkAcc"):
            yield _mixed(config, "Global.use_multilabel", "switched-on", user, split, kinds[split], "switch-off")
            return
        if split in multi and ratios[split] and user in WITHOUT_RATIO:
            yield _mixed(config, key, "ratio-metric", user, split, kinds[split], "no-ratio")
        elif split in multi and user in SINGLE_METRICS:
            yield _mixed(config, key, "default", user, split, kinds[split], "multilabel-metric")
        elif split in multi and user == "ATTRMetric" and not ratios[split] and split not in lacking:
            yield _mixed(config, key, "attr-no-ratio", user, split, kinds[split], "label-ratio")
        elif split in single and user in MULTILABEL_METRICS:
            yield _mixed(config, key, "metric-multi", user, split, kinds[split], "single-metric")
    for split, key, user, params in _used(config, "Loss"):
        if split in single and user == "MultiLabelLoss" and _switched_off(params.get("epsilon")):
            yield _mixed(config, key, "loss-multi", user, split, kinds[split], "single-loss")
        elif split in multi and user == "CELoss":
            yield _mixed(config, key, "loss-ratio" if ratios[split] else "loss-single", user, split, kinds[split], "multilabel-loss")
        elif split in multi and user == "MultiLabelLoss" and split == "Eval" and not switched and _switched_off(params.get("epsilon")):
            yield _mixed(config, "Global.use_multilabel", "not-switched-on", user, split, kinds[split], "switch-on")


def _switched_off(epsilon: Any) -> bool:
    return not isinstance(epsilon, float) or not 0 < epsilon < 1


def _mixed(config: TrainingConfig, key: str, case: str, user: str, split: str, dataset: str, fix: str) -> Finding:
    there = config.tree.has(key)
    at = config.tree.at(key) if case in ("no-label-ratio", "not-switched-on", "switched-on") else config.tree.key_at(key)
    if fix in ("switch-on", "switch-off") and there:
        fixes: tuple[Fix, ...] = (Fix(fix, "edit", "safe", at=at, value=fix == "switch-on"),)
    else:
        snippet = {"switch-on": "use_multilabel: True", "label-ratio": "label_ratio: True"}.get(fix)
        fixes = (Fix(fix, "advice", "safe", snippet=snippet, values={"split": split}),)
    return Finding(at=at, case=case, fixes=fixes, user=user, split=split, dataset=dataset)


@check("MDL108", name="evaluation-mode-mismatch", stages=TRAIN | EVAL)
def evaluation_mode_mismatch(config: TrainingConfig) -> Iterator[Finding]:
    """`Global.eval_mode` against the evaluation data, the metrics and the network."""
    name = _modern(config)
    tree = config.tree
    section = tree.raw("DataLoader.Eval")
    if not _evaluates(config) or not isinstance(section, dict):
        raise NotApplicable("no-evaluation")
    mode = tree.raw("Global.eval_mode") or "classification"
    flat = isinstance(section.get("dataset"), dict)
    parts = [part for part in ("Gallery", "Query") if isinstance(section.get(part), dict)]
    at = tree.at("Global.eval_mode") if tree.has("Global.eval_mode") else tree.key_at("DataLoader.Eval")
    wants = "retrieval" if parts and not flat else "classification"
    if mode in ("retrieval", "classification") and mode != wants and (flat or parts):
        fix = (
            Fix("set-mode", "edit", "safe", at=at, value=wants, values={"mode": wants})
            if tree.has("Global.eval_mode")
            else Fix("add-mode", "advice", "safe", snippet=f"eval_mode: {wants}", values={"mode": wants})
        )
        yield Finding(at=at, case=f"data-for-{wants}", fixes=(fix,), mode=mode, wants=wants, metric="", architecture=name)
        return
    misspelt = any(meant.startswith("DataLoader.Eval.") for _, meant in absent_keys(config)) if len(parts) == 1 else False
    if mode == "retrieval" and len(section) > 1 and len(parts) == 1 and not misspelt:
        missing = "Query" if "Gallery" in parts else "Gallery"
        fixes = (Fix("add-part", "advice", "safe", values={"missing": missing}),)
        yield Finding(
            at=tree.key_at("DataLoader.Eval"), case="part-missing", fixes=fixes, mode=mode, wants=missing, metric="", architecture=name
        )
    for key, metric, _ in entries_of(config, "Metric.Eval"):
        wrong = (mode == "retrieval" and metric in (SINGLE_METRICS | MULTILABEL_METRICS)) or (
            mode == "classification" and metric in RETRIEVAL_METRICS
        )
        if wrong:
            fixes = (
                Fix(
                    "metric-of-mode",
                    "advice",
                    "safe",
                    values={"metrics": sorted(RETRIEVAL_METRICS) if mode == "retrieval" else ["TopkAcc"]},
                ),
            )
            yield Finding(at=tree.key_at(key), case="default", fixes=fixes, mode=mode, wants=mode, metric=metric, architecture=name)
    if mode == "retrieval" and known(name):
        fixes = (Fix("use-rec-model", "advice", "unsafe"),)
        yield Finding(at=tree.at("Arch.name"), case="plain-network", fixes=fixes, mode=mode, wants="RecModel", metric="", architecture=name)


MIX_OPERATORS = frozenset({"CutmixOperator", "FmixOperator", "MixupOperator", "OpSampler"})
"""Batch operators that make a row of `Arch.class_num` numbers of each label (2.3 to develop)."""

READS_LABELS = frozenset({"CELoss", "DistillationGTCELoss", "SoftTargetCrossEntropy"})
MARGIN_HEADS = frozenset({"AdaMargin", "ArcMargin", "CircleMargin", "CosMargin"})


@check("MDL111", name="mixed-labels-do-not-fit", stages=TRAIN)
def mixed_labels_do_not_fit(config: TrainingConfig) -> Iterator[Finding]:
    """Mixup and its like make rows of `Arch.class_num`, whatever the head inside a RecModel or a role has (field guide, trap 9)."""
    name = _modern(config)
    tree = config.tree
    path = "DataLoader.Train.dataset.batch_transform_ops"
    mixing = next(((key, user) for key, user, _ in entries_of(config, path) if user in MIX_OPERATORS), None)
    if mixing is None:
        raise NotApplicable("no-mixing")
    key, user = mixing
    place = "Arch.class_num" if tree.has("Arch.class_num") else "Global.class_num"
    width = tree.raw(place)
    outputs = min((count.count.value for count in config.class_counts), default=None)
    head = tree.raw("Arch.Head.name")
    if name == "RecModel" and head in MARGIN_HEADS and width is not None:
        fixes = (Fix("plain-head", "advice", "unsafe"),)
        yield Finding(at=tree.key_at(key), case="margin", fixes=fixes, user=user, width=width, outputs=outputs, head=str(head))
        return
    reads = any(loss in READS_LABELS for _, loss, _ in entries_of(config, "Loss.Train"))
    inner = is_distillation(config) or name == "RecModel"
    # without an outer count CFG213 speaks
    if inner and reads and type(width) is int and outputs is not None and width != outputs:
        at = tree.at(place)
        fixes = (Fix("same-count", "edit", "safe", at=at, value=outputs, values={"outputs": outputs}),)
        yield Finding(at=at, case="default", fixes=fixes, user=user, width=width, outputs=outputs, head="")
