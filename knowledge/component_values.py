"""What single parameters of optimizers, schedules, losses, metrics, samplers and post-processes take.

Every row was run on develop with paddle 3 and compared with the sources of the older branches: values that are not taken end the run, or (`soft`)
let it end with exit status 0 and not do what they say.
"""

from __future__ import annotations

from typing import NamedTuple

from knowledge.value_types import Kind


class Bound(NamedTuple):
    """One parameter of some components of a kind (of all of them, if `names` is empty).

    `several`: it counts only where the list holds more than one component. PaddleClas multiplies a loss by its weight only then (2.3 and later).
    `below`: only in this section.
    """

    kind: str
    names: tuple[str, ...]
    parameter: str
    value: Kind
    several: bool = False
    below: str = ""


_ADAM = ("Adam", "AdamW", "AdamWDL")
_NUMBER = "int float true"
_MIXERS = ("MixupOperator", "CutmixOperator")
_BETA = Kind("", "t", "int float", 0, 1, "ValueError: Invalid value of beta1, expect beta1 in [0,1)", excludes="high")
_NAN = "exit status 0, but the loss becomes nan"
_NEGATIVE_RATE = "the learning rate turns negative, and the loss is driven up"

_ACT = Kind("", "t", "text null", says="AssertionError", one_of=("softmax", "sigmoid"))
_DISTANCE = Kind("", "te", "text", says="AssertionError", one_of=("l1", "l2", "smooth_l1"))
_SOFT_TARGETS = ("DistillationDKDLoss", "DistillationKLDivLoss", "DistillationWSLLoss", "KLDivLoss")

EMBEDDING_BOUNDS: tuple[Bound, ...] = (
    Bound("loss", ("DMLLoss", "DistillationDMLLoss", "DistillationDistanceLoss"), "act", _ACT),
    Bound("loss", ("DistanceLoss", "DistillationDistanceLoss"), "mode", _DISTANCE),
    Bound("loss", ("SupConLoss",), "contrast_mode", Kind("", "t", "text", says="ValueError: Unknown mode", one_of=("all", "one"))),
    Bound("loss", _SOFT_TARGETS, "temperature", Kind("", "t", "any", 0, None, _NAN, excludes="low", soft=True)),
    Bound(
        "arch",
        ("RecModel",),
        "head_feature_from",
        Kind("", "teix", "text", says="UnboundLocalError: local variable 'y' …", one_of=("neck", "backbone")),
    ),
    *(
        Bound(kind, (), "dropout_prob", Kind("", "teix", "any", 0, 1, "ValueError: p argument should between 0 and 1"))
        for kind in ("arch", "arch.part")
    ),
    *(
        Bound("gear", (), parameter, Kind("", "teix", "int", 1, None, "the first batch fails, or the network cannot be built"))
        for parameter in ("embedding_size", "class_num", "num_features", "low_dim", "in_channels", "out_channels")
    ),
    Bound("gear", (), "margin", Kind("", "t", _NUMBER, says="TypeError: must be real number")),
    Bound("gear", (), "scale", Kind("", "t", _NUMBER, 0, None, "the loss cannot tell the classes apart", excludes="low", soft=True)),
)
"""Distillation, losses on embeddings and networks."""


BOUNDS: tuple[Bound, ...] = (
    Bound(
        "optimizer",
        (),
        "clip_norm",
        Kind("", "t", f"{_NUMBER} numeric", 0, None, "ValueError: max_norm should be greater than 0", excludes="low"),
    ),
    Bound("optimizer", _ADAM, "beta1", _BETA),
    Bound("optimizer", _ADAM, "beta2", _BETA._replace(says="ValueError: Invalid value of beta2, expect beta2 in [0,1)")),
    Bound("optimizer", _ADAM, "epsilon", Kind("", "t", "int float", 0, None, _NAN, excludes="low")),
    Bound("optimizer", ("RMSProp",), "rho", Kind("", "t", "int float", 0, 1, _NAN, excludes="high")),
    Bound(
        "optimizer",
        (),
        "weight_decay",
        Kind("", "t", f"{_NUMBER} null", 0, None, "the weights are driven apart, exit status 0"),
    ),
    Bound(
        "optimizer",
        ("AdamW", "AdamWDL"),
        "no_weight_decay_name",
        Kind("", "t", "text null false", says="AttributeError: … object has no attribute 'split'"),
    ),
    Bound("regularizer", (), "coeff", Kind("", "t", f"{_NUMBER} numeric", 0, None, "the weights are driven apart, exit status 0")),
    Bound("schedule", (), "warmup_start_lr", Kind("", "t", _NUMBER, 0, None, _NEGATIVE_RATE)),
    Bound("schedule", ("Cosine",), "eta_min", Kind("", "t", _NUMBER, 0, None, _NEGATIVE_RATE)),
    Bound("schedule", ("Linear",), "end_lr", Kind("", "t", _NUMBER, 0, None, _NEGATIVE_RATE)),
    Bound("schedule", ("Constant", "ConstLR"), "learning_rate", Kind("", "t", _NUMBER, says="TypeError: float() argument must be …")),
    Bound(
        "schedule",
        ("Linear",),
        "power",
        Kind("", "t", _NUMBER, 0, None, "AssertionError: 'power' must be greater than 0.0", excludes="low"),
    ),
    Bound(
        "schedule",
        ("Step",),
        "step_size",
        Kind("", "t", _NUMBER, 0, None, "AssertionError: 'step_size' must be a positive integer", excludes="low"),
    ),
    Bound(
        "schedule",
        ("ReduceOnPlateau",),
        "factor",
        Kind("", "t", "int float", None, 1, "ValueError: … gamma should be < 1.0", excludes="high"),
    ),
    Bound("schedule", ("ReduceOnPlateau",), "mode", Kind("", "t", "text", says="ValueError: mode: … is unknown!", one_of=("min", "max"))),
    Bound(
        "schedule",
        ("ReduceOnPlateau",),
        "threshold_mode",
        Kind("", "t", "text", says="ValueError: threshold mode: … is unknown!", one_of=("rel", "abs")),
    ),
    Bound(
        "schedule",
        ("OneCycleLR",),
        "divide_factor",
        Kind("", "t", _NUMBER, 0, None, "ZeroDivisionError: float division by zero", excludes="low"),
    ),
    Bound("schedule", ("OneCycleLR",), "phase_pct", Kind("", "t", "int float", 0, 1, "ValueError: 'phase_pct' must be between 0 and 1")),
    Bound(
        "schedule",
        ("OneCycleLR",),
        "anneal_strategy",
        Kind("", "t", "text", says="ValueError: 'anneal_strategy' must by one of 'cos' or 'linear'", one_of=("cos", "linear")),
    ),
    Bound("schedule", ("Piecewise",), "decay_epochs", Kind("", "t", "list", says="TypeError: … object is not iterable")),
    Bound("schedule", ("Piecewise",), "values", Kind("", "t", "list", says="TypeError: … object is not iterable")),
    Bound("schedule", ("MultiStepDecay",), "milestones", Kind("", "t", "list", says="TypeError: … object is not iterable")),
    Bound("schedule", ("Step", "MultiStepDecay"), "gamma", Kind("", "t", "int float", says="TypeError: '>=' not supported between …")),
    Bound(
        "schedule",
        ("Cyclic",),
        "step_size_up",
        Kind("", "t", "int float", 0, None, "ValueError: 'step_size_up' must be a positive integer", excludes="low"),
    ),
    Bound("schedule", ("Cyclic",), "exp_gamma", Kind("", "t", "int float", says="TypeError: The type of 'exp_gamma' must be float")),
    Bound(
        "schedule",
        ("Cyclic",),
        "mode",
        Kind("", "t", "text", says="ValueError: 'mode' is invalid", one_of=("triangular", "triangular2", "exp_range")),
    ),
    Bound(
        "loss",
        (),
        "weight",
        Kind("", "te", f"{_NUMBER} false", 0, None, "this loss is driven up, exit status 0", soft=True),
        several=True,
    ),
    Bound(
        "loss",
        (),
        "weight",
        Kind("", "te", "any", None, 1000, "the other losses hardly count any more, and the sum may become nan", soft=True),
        several=True,
    ),
    Bound("loss", ("CELoss",), "reduction", Kind("", "te", "text", says="AssertionError", one_of=("mean", "sum")), below="Loss."),
    Bound(
        "loss",
        ("CELoss",),
        "reduction",
        Kind("", "te", "text", says="AssertionError", one_of=("mean", "sum", "none")),
        below="UnLabelLoss.",
    ),
    Bound(
        "loss",
        ("CELoss",),
        "epsilon",
        Kind("", "te", "any", 0, 1, "from 2.3 on there is then no label smoothing at all", excludes="high", soft=True),
    ),
    Bound("metric", ("ATTRMetric",), "threshold", Kind("", "te", _NUMBER, None, 1, "no attribute ever reaches it", soft=True)),
    Bound(
        "sampler",
        ("PKSampler",),
        "sample_per_id",
        Kind("", "t", "int true", 1, None, "ZeroDivisionError, TypeError or a run that hangs"),
    ),
    Bound(
        "sampler",
        ("PKSampler",),
        "sample_method",
        Kind(
            "",
            "t",
            "text",
            says="AttributeError: 'PKSampler' object has no attribute 'prob_list'",
            one_of=("sample_avg_prob", "id_avg_prob"),
        ),
    ),
    Bound(
        "sampler",
        ("PKSampler", "DistributedRandomIdentitySampler"),
        "batch_size",
        Kind("", "t", "int", 1, None, "an AssertionError or TypeError"),
    ),
    Bound(
        "sampler", ("DistributedRandomIdentitySampler",), "num_instances", Kind("", "t", "int", 1, None, "ZeroDivisionError or TypeError")
    ),
    Bound(
        "sampler",
        ("DistributedBatchSampler",),
        "num_replicas",
        Kind("", "te", "int true null", 1, None, "AssertionError: num_replicas should be a positive integer"),
    ),
    Bound("transform.batch", _MIXERS, "alpha", Kind("", "te", _NUMBER, says="TypeError: '<=' not supported between …")),
    Bound("transform.mix", _MIXERS, "alpha", Kind("", "te", _NUMBER, says="TypeError: '<=' not supported between …")),
    Bound("transform.mix", (), "prob", Kind("", "te", f"{_NUMBER} null", says="TypeError: unsupported operand type(s) for +=")),
    Bound("transform", ("RandomErasing",), "attempt", Kind("", "te", "int", says="RecursionError, and the run hangs")),
    Bound("transform", ("RandAugment",), "num_layers", Kind("", "te", "int true", says="RecursionError, and the run hangs")),
    Bound("transform", ("TimmAutoAugment",), "img_size", Kind("", "te", "int list", says="TypeError: can't multiply sequence by …")),
    Bound(
        "transform", ("RandomHorizontalFlip",), "prob", Kind("", "te", "any", 0, 1, "AssertionError: probability must be between 0 and 1")
    ),
    *(
        Bound("transform", ("ColorJitter",), name, Kind("", "te", "int float list", says="RecursionError, and the run hangs"))
        for name in ("brightness", "contrast", "saturation", "hue")
    ),
    Bound(
        "postprocess",
        ("ThreshOutput", "MultiLabelThreshOutput"),
        "threshold",
        Kind("", "i", _NUMBER, None, 1, "no class ever reaches it", soft=True),
    ),
    Bound("postprocess", ("Topk",), "topk", Kind("", "i", "any", 1, None, "another number of classes is listed", soft=True)),
    *EMBEDDING_BOUNDS,
)
