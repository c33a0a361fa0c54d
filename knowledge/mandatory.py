"""The sections and keys that PaddleClas's own engine reads without a default, so that a run without them stops.

Read from `ppcls/engine`, `ppcls/data/__init__.py`, `ppcls/optimizer/__init__.py` and `tools/` of all branches (legacy: `tools/train.py`,
`tools/program.py`, `ppcls/utils/check.py`, `ppcls/data/reader.py`), and measured on develop by leaving out one key after the other and
running all four tools. The parameters that a single dataset, sampler, loss or network demands are not here.
"""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One key that must be there.

    `stages` holds `t`, `e`, `i` and `x` (train, eval, infer, export); `since` is the first branch of the layout that reads it there, empty
    for all of them; `example` a value to start from; `says` what PaddleClas ends with where that is no `KeyError` of the key's own name.
    """

    path: str
    stages: str
    since: str = ""
    example: str = ""
    says: str = ""


MODERN: tuple[Key, ...] = (
    Key("Global", "teix"),
    Key("Global.output_dir", "teix", example="./output/"),
    Key("Global.device", "teix", example="gpu"),
    Key("Global.pretrained_model", "teix", example="null"),
    Key("Global.use_visualdl", "tei", example="False"),
    Key("Global.use_visualdl", "x", "2.3", "False"),
    Key("Global.epochs", "t", example="100"),
    Key("Global.epochs", "eix", "2.5.1", "100"),
    Key("Global.print_batch_step", "te", example="10"),
    Key("Global.save_interval", "t", example="1"),
    Key("Global.eval_during_train", "t", example="True"),
    Key("Global.checkpoints", "t", example="null"),
    Key("Global.image_shape", "x", example="[3, 224, 224]"),
    Key("Global.save_inference_dir", "x", example="./inference"),
    Key("Arch", "teix"),
    Key("Arch.name", "teix"),
    Key("Loss", "t"),
    Key("Loss.Train", "t"),
    Key("Optimizer", "t"),
    Key("DataLoader", "te"),
    Key("DataLoader", "ix", "2.3"),
    Key("Infer", "i"),
    Key("Infer.transforms", "i"),
    Key("Infer.PostProcess", "i"),
    Key("Infer.PostProcess.name", "i", example="Topk"),
    Key("Infer.infer_imgs", "i", example="docs/images/inference_deployment/whl_demo.jpg"),
    Key("Infer.batch_size", "i", example="10"),
)
"""2.2 to develop. What depends on other values (the splits of `DataLoader`, `Metric.Eval`, `Global.eval_interval`) is added by the rule."""

SPLIT: tuple[Key, ...] = (
    Key("dataset", ""),
    Key("dataset.name", "", example="ImageNetDataset"),
    Key("sampler", ""),
    Key("loader", ""),
    Key("loader.num_workers", "", example="4"),
    Key("loader.use_shared_memory", "", example="True"),
)
"""Below each split that is built."""

NAMELESS_SAMPLER: tuple[Key, ...] = (
    Key("sampler.batch_size", "", example="64"),
    Key("sampler.drop_last", "", example="False"),
    Key("sampler.shuffle", "", example="False"),
)
"""Below a split whose sampler has no `name`."""

LEGACY: tuple[Key, ...] = (
    Key("ARCHITECTURE", "te", says="AssertionError: the type of architecture(None) should be dict"),
    Key("ARCHITECTURE.name", "te", says="AssertionError: name must be in the architecture keys"),
    Key("classes_num", "te", example="1000", says="classes_num(None) should be a positive integer"),
    Key("LEARNING_RATE", "t", says="AssertionError: LEARNING_RATE is required in config"),
    Key("LEARNING_RATE.function", "t", example="'Cosine'", says="AssertionError: function is required LEARNING_RATE config"),
    Key("LEARNING_RATE.params", "t", says="AssertionError: params is required in LEARNING_RATE config"),
    Key("OPTIMIZER", "t", says="AssertionError: OPTIMIZER is required in config"),
    Key("OPTIMIZER.function", "t", example="'Momentum'", says="AssertionError: function is required OPTIMIZER config"),
    Key("OPTIMIZER.params", "t", says="AssertionError: params is required in OPTIMIZER config"),
    Key("epochs", "t", example="120"),
    Key("topk", "te", example="5"),
    Key("total_images", "t", example="1281167"),
    Key("validate", "t", example="True"),
    Key("save_interval", "t", example="1"),
    Key("model_save_dir", "t", example='"./output/"'),
    Key("TRAIN", "t"),
    Key("TRAIN.batch_size", "t", example="256"),
    Key("TRAIN.num_workers", "t", example="4"),
    Key("TRAIN.file_list", "t", example='"./dataset/train_list.txt"', says="AssertionError:  doesn't exist, please check file list path"),
    Key("TRAIN.data_dir", "t", example='"./dataset/"', says="AssertionError:  doesn't exist, please check datadir path"),
    Key("TRAIN.transforms", "t"),
)
"""2.0-beta to 2.1. `VALID` and `valid_interval` are added by the rule where `validate` is on."""
