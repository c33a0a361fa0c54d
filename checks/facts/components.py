"""`Components`: everything that a config has PaddleClas build by name, with the parameters it gives, and the list items that name nothing.

Where PaddleClas looks, by layout: `build_model`, `RecModel` and `DistillationModel` (ppcls/arch), `CombinedLoss`, `CombinedMetrics`,
`build_optimizer`, `build_dataloader`, `create_operators`, `build_postprocess` and the engine's modes of 2.2 to develop; their predecessors of 2.1 and
before; `create_operators` and `build_postprocess` of deploy/python.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, collects
from checks.facts.training_config import TrainingConfig
from checks.facts.yaml_tree import Tree

When = Literal["now", "later"]
"""Whether the stage asked for builds it. A training does not read `Infer`: that is for later."""

Problem = Literal["not-a-list", "not-a-mapping", "null-item", "empty-item", "two-keys", "bad-parameters"]


class Use(msgspec.Struct, frozen=True):
    """One component. `path` is where its name stands: a key of a list item (`keyed`), or the value of a `name`.

    `holder` is the mapping of its parameters, `parameters` their names. `part`: it stands inside another component of the same list.
    """

    kind: str
    name: str
    path: str
    keyed: bool
    holder: str
    parameters: tuple[str, ...]
    when: When

    def place(self, parameter: str) -> str:
        """The path of one of its parameters."""
        return f"{self.holder}.{parameter}" if self.holder else parameter


class Malformed(msgspec.Struct, frozen=True):
    """A list, or an item of one, that PaddleClas cannot build from; `kind` is what should stand there, `keys` what does."""

    problem: Problem
    kind: str
    path: str
    when: When
    keys: tuple[str, ...] = ()
    value: str = ""


class Components(Fact, frozen=True):
    """All components of a config in the order of the file's sections, and all malformed items.

    `shapeless` are lists that are none, of which the rules about sections speak.
    """

    uses: tuple[Use, ...]
    malformed: tuple[Malformed, ...]
    shapeless: tuple[str, ...] = ()


@collects(Components, deadline=5.0, touches=False)
def collect_components(config: TrainingConfig) -> Components:
    """Walk the config. Whatever has another shape than PaddleClas reads is passed over: other rules speak of that."""
    walk = _Walk(config)
    if config.generation == "modern":
        walk.modern()
    elif config.generation == "legacy":
        walk.legacy()
    elif config.generation == "deploy":
        walk.deploy()
    return Components(tuple(walk.uses), tuple(walk.malformed), tuple(walk.shapeless))


class _Walk:
    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.tree: Tree = config.tree
        self.stage = config.stage
        self.uses: list[Use] = []
        self.malformed: list[Malformed] = []
        self.shapeless: list[str] = []

    # --- shapes that components come in

    def named(self, kind: str, holder: str, when: When, *, key: str = "name", params: str | None = None) -> str | None:
        """A mapping with the component's name under `key`; its parameters stand beside the name, or under `params`. Returns the name."""
        block = self.tree.raw(holder)
        if not isinstance(block, dict) or not isinstance(block.get(key), str) or not block[key]:
            return None
        place = holder if params is None else f"{holder}.{params}"
        given = block if params is None else block.get(params)
        given = given if isinstance(given, dict) else {}
        names = tuple(name for name in given if params is not None or name != key)
        self.uses.append(Use(kind, block[key], f"{holder}.{key}", False, place, names, when))
        return str(block[key])

    def listed(self, kind: str, path: str, when: When, *, shape: bool = False, null_ok: bool = True) -> Iterator[tuple[str, str, Any]]:
        """A list whose items are mappings of one name to its parameters; yields name, path and parameters of each.

        `shape`: a value that is no list is reported here, not by the rules about sections.
        """
        block = self.tree.raw(path)
        if block is None:
            return
        if not isinstance(block, list):
            if shape:
                keys = tuple(block) if isinstance(block, dict) else ()
                self.malformed.append(Malformed("not-a-list", kind, path, when, keys, "" if keys else _short(block)))
            else:
                self.shapeless.append(path)
            return
        for index, item in enumerate(block):
            here = f"{path}.{index}"
            if not isinstance(item, dict):
                problem: Problem = "null-item" if item is None else "not-a-mapping"
                self.malformed.append(Malformed(problem, kind, here, when, (), _short(item)))
            elif len(item) != 1:
                problem = "two-keys" if item else "empty-item"
                self.malformed.append(Malformed(problem, kind, here, when, tuple(item), "" if item else "{}"))
            else:
                ((name, params),) = item.items()
                yield from self.single(kind, name, f"{here}.{name}", params, when, null_ok)

    def single(self, kind: str, name: str, path: str, params: Any, when: When, null_ok: bool = True) -> Iterator[tuple[str, str, Any]]:
        """One mapping of a name to its parameters."""
        if isinstance(params, dict) or (params is None and null_ok):
            self.uses.append(Use(kind, name, path, True, path, tuple(params or ()), when))
            yield name, path, params or {}
        else:
            self.malformed.append(Malformed("bad-parameters", kind, path, when, (name,), _short(params)))

    # --- 2.2 and later

    def built(self, *stages: str) -> When | None:
        """Whether the stage builds what the given stages build. While training, what comes after it is told too."""
        return "now" if self.stage in stages else "later" if self.stage == "train" else None

    def evaluates(self) -> When | None:
        return self.built("train", "eval") if self.tree.raw("Global.eval_during_train") is not False else self.built("eval")

    def modern(self) -> None:
        tree = self.tree
        self.architecture("arch", "Arch", "now")
        for section in ("Loss", "UnLabelLoss"):
            for split, when in (("Train", self.built("train")), ("Eval", self.evaluates())):
                if when and (section == "Loss" or split == "Train"):
                    for _ in self.listed("loss", f"{section}.{split}", when, null_ok=True):
                        pass
        for split, when in (("Train", self.built("train")), ("Eval", self.evaluates())):
            for _ in self.listed("metric", f"Metric.{split}", when) if when else ():
                pass
        if self.stage == "train":
            self.optimizers()
        loaders = tree.raw("DataLoader")
        if isinstance(loaders, dict):
            self.loaders("DataLoader", loaders)
        infer = self.built("infer")
        if infer:
            self.transforms("transform", "Infer.transforms", infer)
            self.postprocess(infer)
        for key in ("train_mode", "eval_mode"):
            mode = tree.raw(f"Global.{key}")
            if isinstance(mode, str) and (key == "eval_mode" or self.stage == "train"):
                self.uses.append(Use(key, mode, f"Global.{key}", False, "", (), "now"))

    def architecture(self, kind: str, path: str, when: When) -> None:
        """A network, and those inside it."""
        name = self.named(kind, path, when)
        if name == "RecModel":
            if isinstance(self.tree.raw(f"{path}.Backbone"), dict):
                self.architecture("arch.part", f"{path}.Backbone", when)
            for part in ("Neck", "Head"):
                self.named("gear", f"{path}.{part}", when)
        elif name in ("DistillationModel", "AttentionModel"):
            models = self.tree.raw(f"{path}.models")
            if isinstance(models, dict):
                self.malformed.append(Malformed("not-a-list", "role", f"{path}.models", when, tuple(models)))
            for index, item in enumerate(models if isinstance(models, list) else ()):
                here = f"{path}.models.{index}"
                if isinstance(item, dict) and len(item) == 1:
                    ((role, model),) = item.items()
                    if isinstance(model, dict):
                        self.architecture("arch.part", f"{here}.{role}", when)
                elif isinstance(item, dict) and item:
                    self.malformed.append(Malformed("two-keys", "role", here, when, tuple(item)))

    def optimizers(self) -> None:
        block = self.tree.raw("Optimizer")
        if isinstance(block, dict):
            if self.named("optimizer", "Optimizer", "now"):
                self.optimizer_parts("Optimizer")
            return
        for _, path, _ in self.listed("optimizer", "Optimizer", "now", null_ok=False):
            self.optimizer_parts(path)

    def optimizer_parts(self, path: str) -> None:
        self.named("schedule", f"{path}.lr", "now")
        self.named("regularizer", f"{path}.regularizer", "now")

    def loaders(self, path: str, section: dict[str, Any]) -> None:
        used = {loader.key for loader in self.config.loaders if loader.used}
        for name, block in section.items():
            here = f"{path}.{name}"
            if not isinstance(block, dict):
                continue
            if isinstance(block.get("dataset"), dict):
                when: When | None = "now" if here in used else "later" if self.stage == "train" else None
                if when:
                    self.dataset("dataset", f"{here}.dataset", when)
                    self.sampler(f"{here}.sampler", when)
            elif path == "DataLoader":
                self.loaders(here, block)

    def dataset(self, kind: str, path: str, when: When) -> None:
        name = self.named(kind, path, when)
        block = self.tree.raw(path)
        if not isinstance(block, dict):
            return
        for key in block:
            if key == "batch_transform_ops":
                self.transforms("transform.batch", f"{path}.{key}", when, shape=True)
            elif key == "transform_ops":
                self.transforms("transform", f"{path}.{key}", when, shape=kind != "dataset")
            elif key.startswith("transform_ops_") or (key == "transform" and name == "AdaFaceDataset"):
                self.transforms("transform", f"{path}.{key}", when, shape=True)
        parts = block.get("datasets_config")
        for index in range(len(parts)) if name == "MixDataset" and isinstance(parts, list) else ():
            self.dataset("dataset.part", f"{path}.datasets_config.{index}", when)

    def sampler(self, path: str, when: When) -> None:
        name = self.named("sampler", path, when)
        parts = self.tree.raw(f"{path}.sample_configs")
        for index in range(len(parts)) if name == "MixSampler" and isinstance(parts, list) else ():
            self.named("sampler.part", f"{path}.sample_configs.{index}", when)

    def transforms(self, kind: str, path: str, when: When, *, shape: bool = False) -> None:
        """Operators, and those inside `OpSampler` and `RandomApply`."""
        if self.tree.raw("Global.use_dali") and self.config.generation == "modern" and not path.startswith("Infer"):
            return  # DALI has operators of its own
        for name, here, params in self.listed(kind, path, when, shape=shape):
            if name == "OpSampler":
                for inner, value in params.items():
                    if inner != "class_num":
                        for _ in self.single("transform.mix", inner, f"{here}.{inner}", value, when, null_ok=False):
                            pass
            elif name == "RandomApply":
                for _ in self.listed("transform.nested", f"{here}.transforms", when, shape=True, null_ok=False):
                    pass

    def postprocess(self, when: When) -> None:
        name = self.named("postprocess", "Infer.PostProcess", when)
        func = self.tree.raw("Infer.PostProcess.func")
        if name == "DistillationPostProcess" and isinstance(func, str):
            self.uses.append(Use("postprocess", func, "Infer.PostProcess.func", False, "", (), when))

    # --- 2.1 and before

    def legacy(self) -> None:
        train = self.stage == "train"
        self.named("legacy.arch", "ARCHITECTURE", "now", params="params")
        if train:
            self.named("legacy.schedule", "LEARNING_RATE", "now", key="function", params="params")
            if self.named("legacy.optimizer", "OPTIMIZER", "now", key="function", params="params"):
                self.named("legacy.regularizer", "OPTIMIZER.regularizer", "now", key="function")
        splits = {"TRAIN": "now" if train else None, "VALID": "now" if self.stage == "eval" or self.tree.raw("validate") else None}
        for split, when in splits.items():
            if when and self.stage in ("train", "eval") and not self.tree.raw("use_dali"):
                self.transforms("legacy.transform", f"{split}.transforms", "now", shape=True)
                if split == "TRAIN" and self.tree.raw("use_mix"):
                    self.transforms("legacy.transform", f"{split}.mix", "now", shape=True)

    # --- deploy/

    def deploy(self) -> None:
        for section in ("PreProcess", "RecPreProcess", "DetPreProcess"):
            self.transforms("deploy.transform", f"{section}.transform_ops", "now", shape=True)
        for section in ("PostProcess", "RecPostProcess"):
            block = self.tree.raw(section)
            for name, params in block.items() if isinstance(block, dict) else ():
                if name != "main_indicator":
                    for _ in self.single("deploy.postprocess", name, f"{section}.{name}", params, "now", null_ok=False):
                        pass


def _short(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
