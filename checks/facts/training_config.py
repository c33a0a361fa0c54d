"""`TrainingConfig`: one view over every kind of config that PaddleClas has had.

Legacy (2.0, 2.1): `ARCHITECTURE / TRAIN / VALID` with `classes_num`. Modern (2.2 and later): `Global / Arch / DataLoader`. Beside them deploy
configs (`PreProcess / PostProcess`), strategy-search drivers and fragments. What a config does not say is absent here, never guessed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, Request, StageName, Unreadable, World, collects, within
from checks.facts.key_value import is_key_value_name, read_key_values
from checks.facts.label_format import LEGACY, LEGACY_MULTILABEL, MODERN, TAKES_DELIMITER, LabelFormat
from checks.facts.overrides import Override, apply_overrides
from checks.facts.yaml_tree import Tree, read_tree
from checks.model import Location, Value

Generation = Literal["modern", "legacy", "deploy", "text", "search", "fragment"]
"""The layout of a config; `text` is a `config.txt` of the C++ demos."""

_WHERE: dict[str, dict[str, str]] = {
    # concept: path by generation; FIELD names are those of the modern layout
    "architecture": {"modern": "Arch.name", "legacy": "ARCHITECTURE.name"},
    "epochs": {"modern": "Global.epochs", "legacy": "epochs"},
    "image_shape": {"modern": "Global.image_shape", "legacy": "image_shape"},
    "pretrained": {"modern": "Global.pretrained_model", "legacy": "pretrained_model"},
    "checkpoints": {"modern": "Global.checkpoints", "legacy": "checkpoints"},
    "output_dir": {"modern": "Global.output_dir", "legacy": "model_save_dir"},
    "learning_rate": {"modern": "Optimizer.lr.learning_rate", "legacy": "LEARNING_RATE.params.lr"},
}

_COMPRESSION_KEYS = frozenset({"Distillation", "QuantAware", "Quantization", "TrainConfig", "QuantPost", "Prune", "UnstructurePrune"})
"""Sections of the automatic compression under `deploy/slim`; no training config has one at the top."""


class ClassCount(msgspec.Struct, frozen=True):
    """A class count that builds a classifier: the last layer's width. `role` is the sub-model's name in a distillation, else empty."""

    count: Value[int]
    role: str = ""
    architecture: str | None = None


class Dataset(msgspec.Struct, frozen=True):
    """One dataset of a split: its class, its label files and its image root, as the config names them."""

    name: str
    key: str
    lists: tuple[Value[str], ...]
    image_root: Value[str] | None
    format: LabelFormat | None
    relabel: bool = False


class Loader(msgspec.Struct, frozen=True):
    """One data loader.

    `split` is `Train`, `Eval`, `Eval.Query`, `UnLabelTrain` … (`Train` and `Eval` for the legacy `TRAIN` and `VALID`). `used` says whether the
    stage asked for builds it. `batch_size` counts samples per process, except where `batch_is_total` (legacy: over all trainers).
    """

    split: str
    key: str
    used: bool
    datasets: tuple[Dataset, ...]
    sampler: str | None
    batch_size: Value[int] | None
    batch_is_total: bool
    num_workers: Value[int] | None
    shared_memory: bool
    drop_last: Value[bool] | None

    @property
    def trains(self) -> bool:
        """Whether its labels reach the loss of the training."""
        return self.split == "Train"


class TopK(msgspec.Struct, frozen=True):
    """The `k` values of a top-k metric or post-process; `split` is Train, Eval or Infer."""

    split: str
    ks: tuple[int, ...]
    location: Location


class TrainingConfig(Fact, frozen=True):
    """A PaddleClas config with its overrides applied. Every value knows its file, line, column and key, or the `-o` that set it."""

    file: str
    generation: Generation
    stage: StageName
    root: str
    root_reason: Literal["given", "cwd", "checkout"]
    tree: Tree
    overrides: tuple[Override, ...]
    architecture: Value[str] | None
    class_counts: tuple[ClassCount, ...]
    loaders: tuple[Loader, ...]
    topk: tuple[TopK, ...]
    label_maps: tuple[Value[str], ...]
    epochs: Value[int] | None
    image_shape: Value[list[int]] | None
    pretrained: Value[str] | None
    checkpoints: Value[str] | None
    output_dir: Value[str] | None
    learning_rate: Value[float] | None
    sysroot: str = ""

    @property
    def class_num(self) -> Value[int] | None:
        """The class count that bounds the labels: the smallest, where a distillation has several; None for one that is no count at all."""
        smallest = min((c.count for c in self.class_counts), key=lambda count: count.value, default=None)
        return smallest if smallest and smallest.value > 0 else None

    def loader(self, split: str) -> Loader | None:
        """The loader of a split, if the config has it."""
        return next((loader for loader in self.loaders if loader.split == split), None)

    def used_loaders(self) -> tuple[Loader, ...]:
        """The loaders that the stage builds."""
        return tuple(loader for loader in self.loaders if loader.used)

    def resolve(self, path: str) -> str:
        """A path of the config as PaddleClas would open it: relative ones count from the root."""
        return os.path.normpath(within(self.sysroot, self.root, path))


@collects(TrainingConfig, deadline=20.0, touches=False)
def collect_training_config(request: Request, world: World) -> TrainingConfig:
    """Read the config, apply the overrides, and view it.

    Raises:
        Unreadable: see `read_tree` and `read_key_values`; also a `--root` that is no folder.
    """
    path = world.locate(request.config)
    text = is_key_value_name(request.config)
    tree, overrides = apply_overrides(
        read_key_values(path, request.config).tree if text else read_tree(path, request.config), request.overrides
    )
    generation = "text" if text else generation_of(tree.data)
    view = _View(tree, generation, request.stage)
    loaders = tuple(view.loaders())
    maps = tuple(view.label_maps())
    named = [v.value for loader in loaders for d in loader.datasets for v in (*d.lists, d.image_root) if v] + [m.value for m in maps]
    root, reason = find_root(request, world, generation, named)
    return TrainingConfig(
        file=request.config,
        generation=generation,
        stage=request.stage,
        root=root,
        root_reason=reason,
        tree=tree,
        overrides=overrides,
        architecture=view.concept("architecture", str),
        class_counts=tuple(view.class_counts()),
        loaders=loaders,
        topk=tuple(view.topk()),
        label_maps=maps,
        epochs=view.concept("epochs", int),
        image_shape=view.image_shape(),
        pretrained=view.concept("pretrained", str),
        checkpoints=view.concept("checkpoints", str),
        output_dir=view.concept("output_dir", str),
        learning_rate=view.concept("learning_rate", float),
        sysroot=world.sysroot,
    )


def generation_of(data: dict[str, Any]) -> Generation:
    """Which layout a config has, told by its top-level keys."""
    keys = set(data)
    if keys & _COMPRESSION_KEYS:
        return "fragment"  # read by deploy/slim with PaddleSlim's own config reader
    if keys & {"ARCHITECTURE", "TRAIN", "VALID", "classes_num"}:
        return "legacy"
    if "Arch" in keys or "DataLoader" in keys:
        return "modern"
    if keys & {"search_dict", "base_config_file"}:
        return "search"
    settings = data.get("Global")
    if keys == {"Global"} and isinstance(settings, dict) and "model_dir" in settings:
        return "fragment"  # the evaluation settings of the automatic compression
    served = isinstance(settings, dict) and bool({"infer_imgs", "inference_model_dir", "rec_inference_model_dir"} & set(settings))
    if any(key.endswith(("PreProcess", "PostProcess")) for key in keys) or "IndexProcess" in keys or served:
        return "deploy"
    if "Hpi" in keys:
        return "fragment"
    return "modern" if keys & {"Global", "Optimizer", "Loss", "Metric", "Infer"} else "fragment"


def find_root(request: Request, world: World, generation: Generation, named: list[str]) -> tuple[str, Literal["given", "cwd", "checkout"]]:
    """The folder that relative paths count from, and why.

    PaddleClas opens paths as they are, so they count from the folder it is started in: the root of its checkout for the tools, `deploy/`
    below it for a deploy config. So: `--root` if given; else the current folder if any named path is there; else the checkout that the
    config lies in, if one is there; else the current folder.
    """
    if request.root is not None:
        root = world.locate(request.root)
        if not os.path.isdir(root):
            raise Unreadable("root-missing", root=request.root)
        return os.path.normpath(root), "given"
    relative = [path for path in named if not os.path.isabs(path) and "\0" not in path]
    if any(os.path.exists(os.path.join(world.cwd, path)) for path in relative):
        return world.cwd, "cwd"
    for folder in world.above(os.path.dirname(os.path.abspath(world.locate(request.config)))):
        if all(os.path.exists(os.path.join(folder, part)) for part in ("ppcls", os.path.join("tools", "train.py"))):
            deploy = os.path.join(folder, "deploy")
            return (deploy if generation == "deploy" and os.path.isdir(deploy) else folder), "checkout"
    return world.cwd, "cwd"


class _View:
    """Finds the concepts of one generation in a tree."""

    def __init__(self, tree: Tree, generation: Generation, stage: StageName) -> None:
        self.tree = tree
        self.generation = generation
        self.stage = stage

    def concept(self, name: str, kind: type) -> Value[Any] | None:
        path = _WHERE[name].get(self.generation)
        return self.typed(path, kind) if path else None

    def typed(self, path: str, kind: type) -> Value[Any] | None:
        """A value of the type PaddleClas wants there; of another type it is as good as absent for the view."""
        found = self.tree.get(path)
        if found is None:
            return None
        value = found.value
        if kind is float and type(value) is int:
            return Value(float(value), found.location)
        if kind is str and value == "":
            return None
        return found if type(value) is kind else None

    def class_counts(self) -> Iterator[ClassCount]:
        if self.generation == "legacy":
            count = self.typed("classes_num", int)
            if count:
                name = self.concept("architecture", str)
                yield ClassCount(count, architecture=name.value if name else None)
            return
        if self.generation != "modern" or not isinstance(self.tree.raw("Arch"), dict):
            return
        found = list(self._of_model("Arch", ""))
        if not found and self._takes_class_num(self.tree.raw("Arch")):
            # 2.3 and later copy a Global.class_num into an Arch without one
            count = self.typed("Global.class_num", int)
            if count and not self.tree.has("Arch.class_num"):
                name = self.concept("architecture", str)
                found = [ClassCount(count, architecture=name.value if name else None)]
        yield from found

    @staticmethod
    def _takes_class_num(model: dict[str, Any]) -> bool:
        """Whether the architecture reads the `class_num` beside its name."""
        parts = any(isinstance(model.get(part), dict) for part in ("Head", "Backbone")) or isinstance(model.get("models"), list)
        return not parts and model.get("name") not in ("RecModel", "DistillationModel", "AttentionModel", "WideResNet")

    def image_shape(self) -> Value[list[int]] | None:
        found = self.concept("image_shape", list)
        return found if found and all(type(side) is int for side in found.value) else None

    def _of_model(self, path: str, role: str) -> Iterator[ClassCount]:
        model = self.tree.raw(path)
        if not isinstance(model, dict):
            return
        inner = model.get("models")
        if isinstance(inner, list):  # DistillationModel, and AttentionModel as one of its roles; they ignore a class_num of their own
            for index, item in enumerate(inner):
                for part in item if isinstance(item, dict) else ():
                    yield from self._of_model(f"{path}.models.{index}.{part}", role or part)
            return
        name = model.get("name")
        if name == "RecModel" or isinstance(model.get("Head"), dict) or isinstance(model.get("Backbone"), dict):
            backbone = self.tree.raw(f"{path}.Backbone.name")
            # the head classifies; a Neck's class_num is the width of the embedding
            place = f"{path}.Head" if isinstance(model.get("Head"), dict) else f"{path}.Backbone"
            count = self.typed(f"{place}.class_num", int)
            name = backbone if place.endswith("Backbone") else None
        elif name == "WideResNet":
            count = self.typed(f"{path}.num_classes", int)
        else:
            count = self.typed(f"{path}.class_num", int)
        if count:
            yield ClassCount(count, role, name if isinstance(name, str) else None)

    def loaders(self) -> Iterator[Loader]:
        if self.generation == "legacy":
            for split, key in (("Train", "TRAIN"), ("Eval", "VALID")):
                if isinstance(self.tree.raw(key), dict):
                    yield self._legacy_loader(split, key)
        elif self.generation == "modern":
            section = self.tree.raw("DataLoader")
            yield from self._modern_loaders("DataLoader", section) if isinstance(section, dict) else ()

    def _modern_loaders(self, path: str, section: dict[str, Any]) -> Iterator[Loader]:
        for name, block in section.items():
            if not isinstance(block, dict):
                continue
            here = f"{path}.{name}"
            if isinstance(block.get("dataset"), dict):
                yield self._modern_loader(here, block)
            elif path.count(".") < 2:
                yield from self._modern_loaders(here, block)  # Eval.Query, Eval.Gallery, Metalearning.Train

    def _uses(self, split: str) -> bool:
        train = split in ("Train", "UnLabelTrain") or split.endswith(".Train")
        if self.stage == "train":
            switch = self.tree.raw("validate" if self.generation == "legacy" else "Global.eval_during_train")
            return train or switch is not False
        return self.stage == "eval" and split.startswith("Eval")

    def _modern_loader(self, key: str, block: dict[str, Any]) -> Loader:
        split = key.partition(".")[2]
        sampler = block.get("sampler")
        name = sampler.get("name") if isinstance(sampler, dict) else None
        batch = self.typed(f"{key}.sampler.batch_size", int) or self.typed(f"{key}.sampler.first_bs", int)
        shared = block["loader"].get("use_shared_memory") if isinstance(block.get("loader"), dict) else None
        return Loader(
            split=split,
            key=key,
            used=self._uses(split),
            datasets=tuple(self._datasets(f"{key}.dataset", block["dataset"])),
            sampler=name if isinstance(name, str) else None,
            batch_size=batch,
            batch_is_total=False,
            num_workers=self.typed(f"{key}.loader.num_workers", int),
            shared_memory=bool(shared) and not self.tree.raw("Global.use_dali"),
            drop_last=self.typed(f"{key}.sampler.drop_last", bool),
        )

    def _datasets(self, key: str, block: dict[str, Any]) -> Iterator[Dataset]:
        name = block.get("name")
        if name == "MixDataset" and isinstance(block.get("datasets_config"), list):
            for index, item in enumerate(block["datasets_config"]):
                if isinstance(item, dict):
                    yield from self._datasets(f"{key}.datasets_config.{index}", item)
            return
        if not isinstance(name, str):
            return
        rule = MODERN.get(name)
        delimiter = block.get("delimiter")
        if rule and name in TAKES_DELIMITER and isinstance(delimiter, str):
            rule = msgspec.structs.replace(rule, separator=delimiter)
        lists: list[Value[str]] = []
        if rule:
            field = "label_path" if name == "AdaFaceDataset" else "cls_label_path"
            lists = list(self._strings(f"{key}.{field}"))
        root = self.typed(f"{key}.{'root_dir' if name == 'AdaFaceDataset' else 'image_root'}", str)
        yield Dataset(name, key, tuple(lists), root, rule, block.get("relabel") is True)

    def _strings(self, path: str) -> Iterator[Value[str]]:
        value = self.tree.raw(path)
        if isinstance(value, list):
            for index in range(len(value)):
                yield from self._strings(f"{path}.{index}")
        elif isinstance(value, str) and value:
            yield Value(value, self.tree.at(path))

    def _legacy_loader(self, split: str, key: str) -> Loader:
        batch = self.typed(f"{key}.batch_size", int)
        rule = LEGACY_MULTILABEL if self.tree.raw("multilabel") is True else LEGACY
        delimiter = self.tree.raw(f"{key}.delimiter")
        if isinstance(delimiter, str):
            rule = msgspec.structs.replace(rule, separator=delimiter)
        dataset = Dataset(
            "MultiLabelDataset" if rule.labels == "multilabel" else "CommonDataset",
            key,
            tuple(self._strings(f"{key}.file_list")),
            self.typed(f"{key}.data_dir", str),
            rule,
        )
        return Loader(
            split=split,
            key=key,
            used=self._uses(split),
            datasets=(dataset,),
            sampler="DistributedBatchSampler",
            batch_size=batch,
            batch_is_total=True,
            num_workers=self.typed(f"{key}.num_workers", int),
            shared_memory=not self.tree.raw("use_dali"),
            drop_last=Value(split == "Train", self.tree.at(key)),
        )

    def topk(self) -> Iterator[TopK]:
        if self.generation == "legacy":
            found = self.typed("topk", int)
            if found and self.tree.raw("multilabel") is not True:  # 2.1 measures multi-label data without top-k (ppcls/.../program.py)
                yield TopK("Eval", (found.value,), found.location)
            return
        for split in ("Train", "Eval"):
            mixed = bool(self.tree.raw(f"DataLoader.{split}.dataset.batch_transform_ops"))
            if not self._uses(split) or (split == "Train" and mixed):
                continue  # with batch operators PaddleClas takes TopkAcc out of Metric.Train itself
            metrics = self.tree.raw(f"Metric.{split}")
            for index, item in enumerate(metrics if isinstance(metrics, list) else ()):
                for name, params in item.items() if isinstance(item, dict) else ():
                    if name in ("TopkAcc", "DistillationTopkAcc", "GoogLeNetTopkAcc") and isinstance(params, dict):
                        path = f"Metric.{split}.{index}.{name}.topk"
                        ks = params.get("topk")
                        numbers = tuple(k for k in (ks if isinstance(ks, list) else [ks]) if type(k) is int)
                        if numbers:
                            yield TopK(split, numbers, self.tree.at(path))

    def label_maps(self) -> Iterator[Value[str]]:
        """Every `class_id_map_file` of an `Infer` or `PostProcess` section."""
        if self.generation in ("modern", "deploy"):
            for path in list(self.tree.spots):
                if path.endswith(".class_id_map_file") and path.split(".")[0] in ("Infer", "PostProcess", "RecPostProcess"):
                    yield from self._strings(path)
