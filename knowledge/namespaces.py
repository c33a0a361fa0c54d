"""Where PaddleClas looks up each name of a config: the module that it does `getattr` or `eval` in, and what its builders add themselves.

The script that collects the components of all branches and the fact that reads the user's own PaddleClas follow the same list.
"""

from __future__ import annotations

from typing import NamedTuple


class Namespace(NamedTuple):
    """One kind of component.

    `module` is the file whose names count. `names`, where given, is the file whose names are meant, the others being helpers that happen to be
    visible; `keep` a pattern that they must match whole. `listed` is the function and the variable of a list that alone allows a name. `prefix`
    and `suffix` are put around what the config says. `folder` holds the classes that could be exported but may not be.
    """

    generation: str
    module: str
    keep: str = r"[A-Z].*"
    names: str = ""
    extra: tuple[str, ...] = ()
    listed: tuple[str, str] | None = None
    prefix: str = ""
    suffix: str = ""
    folder: str = ""


_ARCHITECTURES = ("RecModel", "DistillationModel", "AttentionModel", "LinearTransformStudent", "LinearTransformTeacher")

NAMESPACES: dict[str, Namespace] = {
    # --- 2.2 and later
    "arch": Namespace(
        "modern",
        "ppcls/arch/__init__.py",
        r"(?!_).*",
        names="ppcls/arch/backbone/__init__.py",
        extra=_ARCHITECTURES,
        folder="ppcls/arch/backbone/",
    ),
    "gear": Namespace("modern", "ppcls/arch/gears/__init__.py", listed=("build_gear", "support_dict"), folder="ppcls/arch/gears/"),
    "loss": Namespace("modern", "ppcls/loss/__init__.py", r"(?!CombinedLoss)[A-Z].*", folder="ppcls/loss/"),
    "metric": Namespace(
        "modern", "ppcls/metric/__init__.py", r"(?!CombinedMetrics|AvgMetrics|OrderedDict)(mAP|mINP|[A-Z].*)", folder="ppcls/metric/"
    ),
    "optimizer": Namespace("modern", "ppcls/optimizer/optimizer.py"),
    "schedule": Namespace("modern", "ppcls/optimizer/learning_rate.py", r"(?!LRBase|LRScheduler)[A-Z].*"),
    "dataset": Namespace(
        "modern",
        "ppcls/data/__init__.py",
        r"(?!.*Sampler$|DataLoader$)[A-Z].*",
        folder="ppcls/data/dataloader/(?!.*sampler|.*Sampler|dali)",
    ),
    "sampler": Namespace("modern", "ppcls/data/__init__.py", r".*Sampler", folder="ppcls/data/dataloader/.*[sS]ampler"),
    "dataset.part": Namespace("modern", "ppcls/data/dataloader/__init__.py", r"(?!.*Sampler$)[A-Z].*"),
    "sampler.part": Namespace("modern", "ppcls/data/dataloader/__init__.py", r".*Sampler"),
    "transform": Namespace("modern", "ppcls/data/preprocess/__init__.py", r"(?!Raw|Image$)[A-Z].*", folder="ppcls/data/preprocess/ops/"),
    "transform.nested": Namespace("modern", "ppcls/data/preprocess/ops/randaugment.py", r"(?!Image|T$)[A-Z].*"),
    "transform.mix": Namespace("modern", "ppcls/data/preprocess/batch_ops/batch_operators.py", r".*Operator|MixupCutmixHybrid"),
    "postprocess": Namespace("modern", "ppcls/data/postprocess/__init__.py", folder="ppcls/data/postprocess/"),
    "train_mode": Namespace("modern", "ppcls/engine/train/__init__.py", r"[a-z].*", prefix="train_epoch_"),
    "eval_mode": Namespace("modern", "ppcls/engine/evaluation/__init__.py", r"[a-z].*", suffix="_eval"),
    # --- 2.1 and before
    "legacy.arch": Namespace("legacy", "ppcls/modeling/architectures/__init__.py", r"[A-Z].*", folder="ppcls/modeling/architectures/"),
    "legacy.optimizer": Namespace("legacy", "ppcls/optimizer/optimizer.py", r"(?!.*(Builder|Decay)$)[A-Z].*"),
    "legacy.regularizer": Namespace("legacy", "ppcls/optimizer/optimizer.py", r"[A-Z].*", suffix="Decay"),
    "legacy.schedule": Namespace("legacy", "ppcls/optimizer/learning_rate.py", r"(?!.*(Builder|Decay)$|LinearWarmup)[A-Z].*"),
    "legacy.transform": Namespace("legacy", "ppcls/data/imaug/__init__.py", r"(?!Raw|Image$)[A-Z].*", folder="ppcls/data/imaug/"),
    # --- deploy/
    "deploy.transform": Namespace("deploy", "deploy/python/preprocess.py", r"(?!Unified|Image$|.*Error)[A-Z].*"),
    "deploy.postprocess": Namespace("deploy", "deploy/python/postprocess.py", r"(?!PostProcesser)[A-Z].*"),
}

# paddle's own: paddle.regularizer, under the name without "Decay"
FIXED: dict[str, tuple[str, ...]] = {"regularizer": ("L1", "L2")}

LOOKED_UP_AS = {"arch.part": "arch", "transform.batch": "transform"}
"""Kinds that other code builds, from the names of another kind."""

INJECTED: dict[str, tuple[str, ...]] = {
    # what the builders pass themselves: nobody has to write it, and who does gets a TypeError
    "sampler": ("dataset", "data_source"),
    "sampler.part": ("dataset", "data_source"),
    "optimizer": ("learning_rate", "grad_clip", "parameters", "parameter_list"),
    "legacy.arch": ("class_dim",),
    "legacy.optimizer": ("learning_rate", "parameter_list"),
}
OVERWRITTEN: dict[str, tuple[str, ...]] = {
    # what the builders write into the mapping: nobody has to, and what the config says there is lost
    "schedule": ("epochs", "step_each_epoch"),
    "legacy.schedule": ("epochs", "step_each_epoch"),
    "legacy.optimizer": ("regularization",),
    "sampler": ("total_epochs",),
    "sampler.part": ("batch_size",),
    "transform.mix": ("class_num",),
    "transform.batch": ("class_num",),
}
TAKEN: dict[str, tuple[str, ...]] = {
    # what the builders take out before they call the constructor
    "arch": ("name", "use_sync_bn", "use_ml_decoder"),
    "arch.part": ("name",),
    "gear": ("name",),
    "loss": ("weight",),
    "optimizer": ("name", "scope", "lr", "regularizer", "clip_norm"),
    "schedule": ("name",),
    "regularizer": ("name",),
    "dataset": ("name", "batch_transform_ops"),
    "dataset.part": ("name",),
    "sampler": ("name",),
    "sampler.part": ("name", "ratio"),
    "transform.mix": ("prob",),
    "postprocess": ("name",),
    "legacy.regularizer": ("function",),
}
READ_ELSEWHERE: dict[str, tuple[str, ...]] = {
    # keys of the same mapping that something else reads, so that they mean something even where the constructor passes over them
    "arch": ("infer_model_name", "infer_output_key", "infer_add_softmax", "is_rec", "class_num", "pretrained", "Head"),
    "arch.part": ("infer_model_name", "infer_output_key", "infer_add_softmax", "class_num", "pretrained"),
}


def base(kind: str) -> str:
    """The kind whose names count: a Backbone is looked up as an architecture."""
    return LOOKED_UP_AS.get(kind, kind)


def written(kind: str, name: str) -> str:
    """The Python name behind a config's name: `fixmatch` is `train_epoch_fixmatch`."""
    space = NAMESPACES[base(kind)]
    return f"{space.prefix}{name}{space.suffix}"
