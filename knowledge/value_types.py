"""What PaddleClas's engine and its usual components make of the type of each value: 2.2 to develop.

Measured on develop by giving each key values of every kind, and compared with the sources of the older branches; a kind is listed as wrong
only where all of them stop on it.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """The values that one key takes.

    `path` may hold `*` for one step (a split of `DataLoader`). `stages` are those at which a wrong value stops the run (`t`, `e`, `i`, `x`).
    `takes` names the kinds that work: `int`, `float`, `bool`, `true` (a Boolean, which counts as 1 and is hardly meant), `false`, `null`,
    `text`. `numeric` (a text that is a number), `any` (what else is not looked at). `low` is the smallest number that works, `high` the largest;
    `excludes` names the one of them that does not work itself. `one_of` are the only texts taken. `says` is what PaddleClas ends with. `soft`: it
    runs on, and does not do what was written.
    """

    path: str
    stages: str
    takes: str
    low: float | None = None
    high: float | None = None
    says: str = ""
    since: str = ""
    excludes: str = ""
    one_of: tuple[str, ...] = ()
    soft: bool = False


_BATCH = "AssertionError: batch_size should be a positive integer"

KINDS: tuple[Kind, ...] = (
    Kind("Global.epochs", "t", "int true"),
    Kind("Global.eval_interval", "t", "int float true"),
    Kind("Global.save_interval", "t", "int float true"),
    Kind("Global.print_batch_step", "te", "int float true"),
    Kind("Global.update_freq", "t", "int true", since="2.5"),
    Kind("Global.start_eval_epoch", "t", "int float true", since="2.4"),
    Kind("Global.iter_per_epoch", "t", "int true null false", 0, since="2.5.1"),
    Kind("Global.seed", "teix", "int true null false", 0, 2**32 - 1, "AssertionError: The 'seed' must be a integer!", "2.3"),
    Kind("Global.output_dir", "teix", "text", says="TypeError: expected str, bytes or os.PathLike object"),
    Kind("Global.save_inference_dir", "x", "text", says="TypeError: expected str, bytes or os.PathLike object"),
    Kind("Global.pretrained_model", "teix", "text null", says="AttributeError: … has no attribute 'startswith'"),
    Kind("Global.checkpoints", "t", "text null", says="TypeError: unsupported operand type(s) for +"),
    Kind("Arch.class_num", "teix", "int", 1),
    Kind("Arch.Head.class_num", "teix", "int", 1),
    Kind("DataLoader.*.sampler.batch_size", "te", "int true", 1, says=_BATCH),
    Kind("DataLoader.*.sampler.drop_last", "te", "bool", says="AssertionError: drop_last should be a boolean number"),
    Kind("DataLoader.*.sampler.shuffle", "te", "bool", says="AssertionError: shuffle should be a boolean value"),
    Kind("DataLoader.*.loader.num_workers", "te", "int true", 0, says="AssertionError: num_workers should be a non-negative value"),
    Kind("Optimizer.lr.learning_rate", "t", "int float true null", says="TypeError: The type of learning rate must be float"),
    Kind("Optimizer.lr.warmup_epoch", "t", "int float true", 0, says="the schedule then ends after the last epoch", soft=True),
    Kind("Optimizer.momentum", "t", "int float true"),
    Kind("Optimizer.regularizer.coeff", "t", "int float true"),
    Kind("Arch.name", "teix", "text", says="TypeError: attribute name must be string"),
    Kind("Optimizer.name", "t", "text", says="TypeError: attribute name must be string"),
    Kind("Optimizer.lr.name", "t", "text", says="TypeError: attribute name must be string"),
    Kind("DataLoader.*.dataset.cls_label_path", "te", "text", says="TypeError: stat: path should be string, bytes, os.PathLike or integer"),
    Kind("DataLoader.*.dataset.image_root", "te", "text", says="TypeError: stat: path should be string, bytes, os.PathLike or integer"),
    Kind("DataLoader.*.dataset.delimiter", "te", "text null", says="TypeError: must be str or None"),
    Kind("Infer.infer_imgs", "i", "text", says="Exception: not found any img file"),
    Kind("Infer.batch_size", "i", "int float true"),
    Kind("EMA.decay", "t", "int float true", since="2.5"),
)

LEGACY_KINDS: tuple[Kind, ...] = (
    Kind("classes_num", "te", "int", 2, says="classes_num(…) should be a positive integer and larger than 1"),
    Kind("epochs", "t", "int true"),
    Kind("TRAIN.batch_size", "t", "int float true", 1),
    Kind("VALID.batch_size", "te", "int float true", 1),
    Kind("TRAIN.num_workers", "t", "int true", 0, says="AssertionError: num_workers should be a non-negative value"),
    Kind("VALID.num_workers", "te", "int true", 0, says="AssertionError: num_workers should be a non-negative value"),
    Kind("total_images", "t", "int float true"),
    Kind("topk", "te", "int true", 1),
    Kind("valid_interval", "t", "int float true"),
    Kind("save_interval", "t", "int float true"),
    Kind("LEARNING_RATE.params.lr", "t", "int float true null"),
    Kind("model_save_dir", "t", "text"),
)
"""2.0-beta to 2.1, read from the sources."""

SAMPLERS = frozenset({None, "DistributedBatchSampler", "BatchSampler"})
"""Samplers whose parameters paddle checks as above; None is a sampler without a name."""

PLAIN_DATASETS = frozenset({"ImageNetDataset", "MultiLabelDataset"})
"""Datasets whose `cls_label_path` and `image_root` are one path each."""

SWITCHES = frozenset(
    {
        "eval_during_train", "use_visualdl", "use_dali", "to_static", "use_multilabel", "print_mem_info", "uniform_output_enabled",
        "export_for_fd", "use_shared_memory", "use_amp", "use_dynamic_loss_scaling", "use_fp16_test", "use_promote", "relabel",
        "feature_normalize", "re_ranking", "use_sync_bn", "infer_add_softmax", "use_gpu", "use_xpu", "validate", "use_mix", "multilabel",
        "use_distillation", "load_static_weights", "to_rgb", "channel_first", "use_ssld", "use_nesterov", "one_dim_param_no_weight_decay",
    }
)  # fmt: skip
"""Keys whose value is only asked whether it is true; a string that is not empty always is."""

ALLOWED: dict[str, tuple[tuple[str, ...], str]] = {
    # path: the values, and the branch from which the last ones work
    "Global.device": (("cpu", "gpu", "xpu", "npu", "mlu", "ascend", "intel_gpu", "mps"), "2.4"),
    "Global.eval_mode": (("classification", "retrieval", "adaface"), "2.4"),
    "Global.train_mode": (("progressive", "fixmatch", "fixmatch_ccssl", "metabin"), "2.5.1"),
}
"""Keys of which PaddleClas asserts that the value is one of these; letters count."""

PATHS: dict[str, str] = {
    # path: stages at which it is opened
    "Global.pretrained_model": "teix",
    "Global.checkpoints": "t",
    "Arch.pretrained": "teix",
}
"""Weights by path, where null means none."""
