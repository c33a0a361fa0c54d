"""Collect every configuration key PaddleClas knows into ``knowledge/vocabulary/keys.json``.

    python scripts/make_vocabulary.py PATH_TO_PADDLECLAS_GIT [--branches NAME ...] [--output FILE] [--verbose]

PATH_TO_PADDLECLAS_GIT is a clone (bare or not) of https://github.com/PaddlePaddle/PaddleClas. Nothing is checked out,
imported or executed: sources are read from git's object store and parsed with ``ast``.

A key is known in a *slot*, the kind of mapping it stands in (``sampler``, ``lr``, ``op.params`` …). Two witnesses are
heard for each slot, over all branches together: what the source reads or takes as a constructor parameter, and what
the shipped YAML files write. ``GRAMMAR`` below says which slot follows which key; it is the only part a person has to
keep up with PaddleClas. Two files hold the same vocabulary if and only if they are equal byte for byte.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from knowledge.python_source import Found, Module
from knowledge.signatures import Signatures
from scripts.branches import LEGACY_BRANCHES, MODERN_BRANCHES, BranchSources, Repository

OUTPUT = Path(__file__).resolve().parent.parent / "knowledge" / "vocabulary" / "keys.json"


class Slot(NamedTuple):
    """How one kind of mapping (or list) continues.

    ``to``: the slot below a given key. ``below``: the slot below every other known key. ``any``: the slot below a key
    of free choice (a role name). ``items``: the slot of a list element. ``open``: PaddleClas hands the mapping on to
    code outside itself, so no key can be called unknown. A key without a slot below is a leaf: what its value holds
    is the value's own business.
    """

    to: Mapping[str, str] = {}
    below: str = ""
    any: str = ""
    items: str = ""
    open: bool = False


_SPLITS = ("Train", "Eval", "Test", "Query", "Gallery", "UnLabelTrain")  # what build_dataloader accepts as mode
_LOSS_BLOCKS = ("Train", "Eval", "Basic", "MetaTrain", "MetaTest")

GRAMMAR: dict[str, Slot] = {
    "open": Slot(open=True),
    # --- 2.2 and later -------------------------------------------------------------------------------------------
    "modern": Slot(
        {
            "AMP": "amp",
            "Arch": "arch",
            "DataLoader": "loaders",
            "EMA": "ema",
            "Global": "global",
            "IndexProcess": "index",
            "Infer": "infer",
            "Loss": "losses",
            "MLDecoder": "gear",
            "Metric": "metrics",
            "Optimizer": "optimizer",
            "SSL": "ssl",
            "Slim": "slim",
            "UnLabelLoss": "losses",
        }
    ),
    "global": Slot(),
    "amp": Slot(),
    "ema": Slot(),
    "ssl": Slot(),
    "slim": Slot({"prune": "slim.method", "quant": "slim.method"}),
    "slim.method": Slot(),
    "arch": Slot({"Backbone": "arch", "BackboneStopLayer": "stop_layer", "Head": "gear", "Neck": "gear", "models": "roles"}),
    "stop_layer": Slot(),
    "roles": Slot(items="role"),
    "role": Slot(any="arch"),
    "gear": Slot({"bias_attr": "param_attr", "weight_attr": "param_attr"}),
    "param_attr": Slot({"initializer": "open", "regularizer": "open"}),
    "loaders": Slot({**dict.fromkeys(_SPLITS, "split"), "Metalearning": "loaders"}),
    "split": Slot({**dict.fromkeys(_SPLITS, "split"), "dataset": "dataset", "loader": "loader", "sampler": "sampler"}),
    "dataset": Slot(
        {
            "batch_transform_ops": "ops",
            "datasets_config": "datasets",
            "transform": "ops",
            "transform_ops": "ops",
            "transform_ops_strong": "ops",
            "transform_ops_strong2": "ops",
            "transform_ops_weak": "ops",
        }
    ),
    "datasets": Slot(items="dataset"),
    "loader": Slot(),
    "sampler": Slot({"sample_configs": "samplers"}),
    "samplers": Slot(items="sampler"),
    "ops": Slot(items="op"),
    "op": Slot({"OpSampler": "op.sampler"}, below="op.params"),
    "op.sampler": Slot({"class_num": ""}, below="op.params"),
    "op.params": Slot({"transforms": "ops"}),
    "infer": Slot({"PostProcess": "postprocess", "transforms": "ops"}),
    "postprocess": Slot(),
    "losses": Slot(dict.fromkeys(_LOSS_BLOCKS, "loss.list")),
    "loss.list": Slot(items="loss"),
    "loss": Slot(below="loss.params"),
    "loss.params": Slot(),
    "metrics": Slot({"Eval": "metric.list", "Train": "metric.list"}),
    "metric.list": Slot(items="metric"),
    "metric": Slot(below="metric.params"),
    "metric.params": Slot(),
    "optimizer": Slot({"lr": "lr", "regularizer": "regularizer"}, items="optimizer.item"),
    "optimizer.item": Slot(below="optimizer"),
    "lr": Slot(),
    "regularizer": Slot(),
    # --- 2.1 and before ------------------------------------------------------------------------------------------
    "legacy": Slot(
        {
            "AMP": "amp",
            "ARCHITECTURE": "legacy.architecture",
            "LEARNING_RATE": "legacy.schedule",
            "OPTIMIZER": "legacy.optimizer",
            "TEST": "legacy.split",
            "TRAIN": "legacy.split",
            "VALID": "legacy.split",
        }
    ),
    "legacy.architecture": Slot({"params": "legacy.arch"}),
    "legacy.arch": Slot(),
    "legacy.schedule": Slot({"params": "legacy.lr"}),
    "legacy.lr": Slot(),
    "legacy.optimizer": Slot({"params": "legacy.optimizer.params", "regularizer": "legacy.regularizer"}),
    "legacy.optimizer.params": Slot(),
    "legacy.regularizer": Slot(),
    "legacy.split": Slot({"mix": "legacy.ops", "transforms": "legacy.ops"}),
    "legacy.ops": Slot(items="legacy.op"),
    "legacy.op": Slot(below="legacy.op.params"),
    "legacy.op.params": Slot(),
    # --- deploy/ ---------------------------------------------------------------------------------------------------
    # Distillation … TrainConfig are read by PaddleSlim, Hpi by a runtime outside PaddleClas.
    "deploy": Slot(
        {
            "DataLoader": "loaders",
            "DetPostProcess": "deploy.post",
            "DetPreProcess": "deploy.pre",
            "Distillation": "open",
            "Eval": "deploy.eval",
            "Global": "deploy.global",
            "Hpi": "open",
            "IndexProcess": "index",
            "PostProcess": "deploy.post",
            "PreProcess": "deploy.pre",
            "QuantAware": "open",
            "Quantization": "open",
            "RecPostProcess": "deploy.post",
            "RecPreProcess": "deploy.pre",
            "TrainConfig": "open",
        }
    ),
    "deploy.global": Slot(),
    "deploy.eval": Slot(),
    "index": Slot({"transform_ops": "ops"}),
    "deploy.pre": Slot({"transform_ops": "deploy.ops"}),
    "deploy.ops": Slot(items="deploy.op"),
    "deploy.op": Slot(below="deploy.op.params"),
    "deploy.op.params": Slot(),
    "deploy.post": Slot({"main_indicator": ""}, below="deploy.post.params"),
    "deploy.post.params": Slot(),
}

ROOTS = {"legacy": "legacy", "modern": "modern", "deploy": "deploy"}

# Parameters of classes that live in paddle, not in PaddleClas (paddle's public API reference, 2.x and 3.x).
PADDLE: dict[str, tuple[str, ...]] = {
    "sampler": ("batch_size", "drop_last", "num_replicas", "rank", "sampler", "shuffle"),
    "loss.params": ("delta", "name", "reduction"),
    "op.params": (
        *("brightness", "center", "contrast", "data_format", "degrees", "expand", "fill", "hue", "interpolation"),
        *("keys", "mean", "num_output_channels", "padding", "padding_mode", "prob", "ratio", "saturation", "scale"),
        *("size", "std", "to_rgb"),
    ),
    "gear": ("name",),
    "param_attr": ("initializer", "learning_rate", "name", "regularizer"),
    "regularizer": ("coeff", "name"),
}

# Keys handed over under a name that is only known at run time, so that no reader below can see them.
RUNTIME: dict[str, tuple[str, ...]] = {
    "arch": ("name",),  # popped, then looked up by name
    "dataset": ("name", "batch_transform_ops"),
    "sampler": ("name", "ratio"),  # ratio: MixSampler's sample_configs
    "loss.params": ("weight",),
    "op.params": ("class_num",),  # injected by create_operators
    "postprocess": ("name",),
    "lr": ("name",),
    "optimizer": ("clip_norm", "name", "scope"),
    "legacy.architecture": ("name", "params"),
    "legacy.schedule": ("function", "params"),
    "legacy.optimizer": ("function", "params", "regularizer"),
    "legacy.regularizer": ("function",),
}


# Not keys after all. "name" at the top: 2.2's build_model takes the Arch mapping under the name it later gives the
# whole configuration; "topk" of PostProcess: 2.2's wheel asks for it where only post-processors stand. The others are
# passed by the builders themselves: writing one is a TypeError ("multiple values").
NO_KEYS: dict[str, tuple[str, ...]] = {
    "deploy.post": ("topk",),
    "modern": ("name",),
    "legacy.arch": ("class_dim",),
    "legacy.optimizer.params": ("learning_rate", "parameter_list"),
    "optimizer": ("grad_clip", "learning_rate"),
    "sampler": ("data_source", "dataset"),
}


class Reader(NamedTuple):
    """Where the source reads the configuration: files, and which local name holds which part of it.

    ``names`` maps ``variable`` or ``function:variable`` to the path held; the latter wins. ``skip`` names functions
    that are dead code or read something else.
    """

    generation: str
    files: str
    names: Mapping[str, str]
    skip: tuple[str, ...] = ()


_ROOT = {"config": "", "configs": "", "cfg": "", "engine.config": "", "self.config": "", "trainer.config": ""}
READERS: tuple[Reader, ...] = (
    Reader("modern", r"ppcls/engine/.*\.py", {**_ROOT, "ExportModel.__init__:config": "Arch"}),
    Reader(
        "modern",
        r"ppcls/static/(program|train)\.py",
        {**_ROOT, "create_optimizer:config": "", "build_dataloader:config": "DataLoader"},
    ),
    Reader(
        "modern",
        r"ppcls/utils/(config|gallery2fc|save_result)\.py",
        _ROOT,
        # check_config and its helpers serve the old layout only and are not called any more.
        # update_train_results asks for a lower-case "infer" that no configuration has.
        ("check_config", "override_config", "override", "update_train_results"),
    ),
    Reader("modern", r"ppcls/(utils|static)/save_load\.py", {"config": "Global"}),
    Reader("modern", r"ppcls/arch/slim/.*\.py", {"config": ""}),
    Reader(
        "modern",
        r"ppcls/arch/__init__\.py",
        {"config": "", "RecModel.__init__:config": "Arch", "model_config": "Arch", "backbone_config": "Arch.Backbone"},
    ),
    Reader("modern", r"ppcls/arch/gears/__init__\.py", {"build_gear:config": "Arch.Head", "config": "MLDecoder"}),
    Reader("modern", r"ppcls/arch/utils\.py", {"ParamAttr_config": "Arch.Head.weight_attr"}),
    Reader(
        "modern",
        r"ppcls/data/__init__\.py",
        {
            "build_dataloader:config": "DataLoader",
            "config_dataset": "DataLoader.Train.dataset",
            "config_sampler": "DataLoader.Train.sampler",
            "config_loader": "DataLoader.Train.loader",
        },
    ),
    Reader("modern", r"ppcls/data/dataloader/dali\.py", {"op_cfg": "DataLoader.Train.dataset.transform_ops.0.DecodeImage"}),
    Reader(
        "modern",
        r"ppcls/optimizer/__init__\.py",
        {
            "build_lr_scheduler:lr_config": "Optimizer.lr",
            "build_optimizer:config": "Optimizer",
            "optim_cfg": "Optimizer",
            "optim_config": "Optimizer",
            "reg_config": "Optimizer.regularizer",
        },
    ),
    Reader("modern", r"ppcls/metric/.*\.py|ppcls/loss/__init__\.py", {}),
    Reader("modern", r"ppcls/utils/ema\.py", {}),
    Reader("modern", r"tools/(train|eval|infer|export_model)\.py", {**_ROOT, "ExportModel.__init__:config": "Arch"}),
    Reader("modern", r"deploy/slim/(quant_post_static)\.py", _ROOT),
    Reader(
        "deploy",
        r"deploy/slim/(act|auto_compression)/run[a-z_]*\.py",
        {**_ROOT, "all_config": "", "global_config": "Global", "data_config": ""},
    ),
    Reader("deploy", r"deploy/utils/predictor\.py", {"args": "Global", "self.args": "Global"}),
    Reader(
        "deploy",
        r"deploy/(python/(predict_.*|build_gallery|eval_shitu_pipeline)|lite_shitu/.*|vector_search/.*)\.py",
        {
            "config": "",
            "configs": "",
            "self.config": "",
            "self.args": "Global",
            **{
                f"GalleryBuilder.{name}:config": "IndexProcess"
                for name in (
                    *("build", "_create_index_for_android_demo", "_extract_features", "_load_index"),
                    *("_create_index", "_add_gallery", "_save_gallery"),
                )
            },
        },
        ("parse_args",),
    ),
    Reader("deploy", r"deploy/shitu_index_manager/server\.py", {"model_config": "", "self.config": ""}),
    Reader("deploy", r"deploy/python/postprocess\.py", {"build_postprocess:config": "PostProcess"}),
    Reader("deploy", r"paddleclas\.py", {"cfg": "", "self._config": ""}, ("main",)),
    Reader(
        "legacy",
        r"(tools/(static/)?|deploy/slim/quant/)(train|program|eval|quant|save_load)\.py"
        r"|ppcls/utils/(config|save_load)\.py",
        {**_ROOT, "create_model:architecture": "ARCHITECTURE"},
    ),
    Reader(
        "legacy",
        r"ppcls/data/reader\.py|tools/static/dali\.py",
        {**_ROOT, "params": "TRAIN", "self.params": "TRAIN"},
        ("create_operators",),
    ),
    Reader("legacy", r"ppcls/utils/check\.py", {}),
)


# The C++ predictors read the same deploy files: config["Global"]["gpu_id"].
CPP_FILES = r"deploy/cpp.*\.(h|hpp|cc|cpp)"
CPP_READ = re.compile(r'\w\["([A-Z]\w+)"\]\s*\["(\w+)"\]')


class Family(NamedTuple):
    """Constructors whose parameters are keys: everything ``namespace`` binds, filtered by ``keep``."""

    generation: str
    namespace: str  # regular expression over paths
    names: str | None  # slot that takes the constructors' names
    params: str | None  # slot that takes their parameters
    keep: str = ".*"


FAMILIES: tuple[Family, ...] = (
    Family("modern", r"ppcls/arch/backbone/__init__\.py", None, "arch"),
    Family(
        "modern",
        r"ppcls/arch/__init__\.py",
        None,
        "arch",
        r"RecModel|DistillationModel|AttentionModel|LinearTransform.*",
    ),
    Family("modern", r"ppcls/arch/gears/__init__\.py", None, "gear", r"[A-Z].*"),
    Family("modern", r"ppcls/loss/__init__\.py", "loss", "loss.params", r"(?!CombinedLoss)[A-Z].*"),
    Family("modern", r"ppcls/loss/(?!__init__).*\.py", None, "loss.params", r"[A-Z].*"),
    Family("modern", r"ppcls/metric/__init__\.py", "metric", "metric.params", r"(?!CombinedMetrics|build_|AvgMetrics).*"),
    Family("modern", r"ppcls/optimizer/optimizer\.py", "optimizer.item", "optimizer", r"[A-Z].*"),
    Family("modern", r"ppcls/optimizer/learning_rate\.py", None, "lr", r"[A-Z].*"),
    Family("modern", r"ppcls/data/(dataloader/)?__init__\.py", None, "dataset", r".*Dataset|[A-Z](?!.*Sampler).*"),
    Family("modern", r"ppcls/data/(dataloader/)?__init__\.py", None, "sampler", r".*Sampler"),
    Family("modern", r"ppcls/data/preprocess/__init__\.py", "op", "op.params", r"(?!Raw|Image$)[A-Z].*"),
    Family(
        "modern",
        r"ppcls/data/preprocess/batch_ops/batch_operators\.py",
        "op.sampler",
        None,
        r".*Operator|MixupCutmixHybrid",
    ),
    Family("modern", r"ppcls/data/postprocess/__init__\.py", None, "postprocess", r"[A-Z].*"),
    Family("deploy", r"deploy/python/(det_)?preprocess\.py", "deploy.op", "deploy.op.params", r"(?!Unified|.*Error)[A-Z].*"),
    Family("deploy", r"deploy/python/preprocess\.py", None, "deploy.op.params", r"UnifiedResize"),
    Family("deploy", r"deploy/python/postprocess\.py", "deploy.post", "deploy.post.params", r"(?!PostProcesser)[A-Z].*"),
    Family("legacy", r"ppcls/modeling/architectures/__init__\.py", None, "legacy.arch"),
    Family("legacy", r"ppcls/data/imaug/__init__\.py", "legacy.op", "legacy.op.params", r"(?!Raw|Image$)[A-Z].*"),
    Family("legacy", r"ppcls/optimizer/learning_rate\.py", None, "legacy.lr", r"(?!.*Builder)[A-Z].*"),
    Family(
        "legacy",
        r"(ppcls/optimizer|tools/static)/optimizer\.py",
        None,
        "legacy.optimizer.params",
        r"(?!.*(Builder|Decay))[A-Z].*",
    ),
    Family("legacy", r"(ppcls/optimizer|tools/static)/optimizer\.py", None, "legacy.regularizer", r"L[12]Decay"),
)


def _constants(nodes: Iterable[ast.expr]) -> set[str]:
    return {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}


_METHODS = frozenset(("append", "copy", "get", "items", "keys", "pop", "setdefault", "update", "values"))


class Reads(ast.NodeVisitor):
    """Finds which configuration paths a module reads, writes or tests."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.paths: set[tuple[str, ...]] = set()
        self._scope: list[str] = []
        self._local: list[dict[str, tuple[str, ...]]] = [{}]

    def _enter(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self._scope.append(node.name)
        if ".".join(self._scope) not in self.reader.skip and node.name not in self.reader.skip:
            self._local.append({})
            self.generic_visit(node)
            self._local.pop()
        self._scope.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._enter(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._enter(node)

    def _named(self, name: str) -> tuple[str, ...] | None:
        for scope in (".".join(self._scope), *reversed(self._scope)):
            path = self.reader.names.get(f"{scope}:{name}")
            if path is not None:
                return tuple(path.split(".")) if path else ()
        for local in reversed(self._local):
            if name in local:
                return local[name]
        path = self.reader.names.get(name)
        if path is None:
            return None
        return tuple(path.split(".")) if path else ()

    def _path(self, node: ast.expr) -> tuple[str, ...] | None:
        """The configuration path an expression stands for, noted as read; None when it is something else."""
        found: tuple[str, ...] | None = None
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            whole = self._named(ast.unparse(node)) if isinstance(node.value, ast.Name) else None
            if whole is not None:
                return whole
            if node.attr not in _METHODS and not node.attr.startswith("_"):
                base = self._path(node.value)
                found = None if base is None else (*base, node.attr)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            base = self._path(node.value)
            found = None if base is None else (*base, str(node.slice.value))
        elif isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute) and function.attr in ("get", "pop", "setdefault"):
                base = self._path(function.value)
                keys = [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                found = None if base is None or not keys else (*base, keys[0])
            elif node.args and ast.unparse(function) in ("copy.deepcopy", "deepcopy", "dict", "AttrDict"):
                return self._path(node.args[0])
        if found is not None:
            self.paths.add(found)
        return found

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        path = self._path(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name) and path is not None:
                self._local[-1][target.id] = path

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self._path(node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._path(node)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._path(node)
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr == "update" and node.args:
            base = self._path(function.value)
            argument = node.args[0]
            if base is not None and isinstance(argument, ast.Dict):
                for key in _constants(k for k in argument.keys if k is not None):
                    self.paths.add((*base, key))
        # A method's name is not a key, so the function itself is passed over.
        self.visit(function.value if isinstance(function, ast.Attribute) else function)
        for child in (*node.args, *(k.value for k in node.keywords)):
            self.visit(child)

    def visit_Compare(self, node: ast.Compare) -> None:
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            base = self._path(node.comparators[0])
            if base is not None:
                for key in _constants([node.left]):
                    self.paths.add((*base, key))
        self.generic_visit(node)


# ------------------------------------------------------------------------------------------------------- vocabulary


def _is_index(part: object) -> bool:
    return isinstance(part, int) or (isinstance(part, str) and bool(re.fullmatch(r"-?\d+", part)))


class Vocabulary:
    """Known keys per slot, with the number of shipped files that write each one."""

    def __init__(self) -> None:
        self.keys: dict[str, Counter[str]] = {name: Counter() for name in GRAMMAR}
        self.paths: dict[str, Counter[str]] = {name: Counter() for name in ROOTS}
        self.from_source: dict[str, set[str]] = {name: set() for name in GRAMMAR}
        for name, slot in GRAMMAR.items():
            for key in slot.to:
                self.keys[name][key] += 0
        for table in (PADDLE, RUNTIME):
            for name, known in table.items():
                self.learn(name, known)

    def learn(self, slot: str, keys: Iterable[str]) -> None:
        """Take keys from the source."""
        for key in keys:
            self.keys[slot][key] += 0
            self.from_source[slot].add(key)

    def learn_path(self, generation: str, path: tuple[str, ...]) -> None:
        """Take a path the source reads. A step the grammar leaves open ends it."""
        slot = ROOTS[generation]
        for part in path:
            rule = GRAMMAR[slot]
            if _is_index(part):
                slot = rule.items
            else:
                if rule.open:
                    return
                if not rule.any:
                    self.learn(slot, [part])
                slot = rule.to.get(part, rule.any or rule.below)
            if not slot:
                return

    def learn_file(self, generation: str, document: object) -> None:
        """Take every key of one shipped YAML file, each counted once per file."""
        seen: set[tuple[str, str]] = set()
        paths: set[str] = set()

        def walk(value: object, slot: str, path: tuple[str, ...], plain: bool) -> None:
            rule = GRAMMAR[slot]
            if isinstance(value, dict) and not rule.open:
                for key, inner in value.items():
                    name = str(key)
                    if not rule.any:
                        seen.add((slot, name))
                    if plain and not rule.any:
                        paths.add(".".join((*path, name)))
                    below = rule.to.get(name, rule.any or rule.below)
                    if below:
                        walk(inner, below, (*path, name), plain and not rule.any)
            elif isinstance(value, list) and rule.items:
                for inner in value:
                    walk(inner, rule.items, path, False)

        walk(document, ROOTS[generation], (), True)
        for slot, key in seen:
            self.keys[slot][key] += 1
        self.paths[generation].update(paths)


def generation_of(path: str, document: object) -> str | None:
    """Which layout a shipped YAML file has; None for files that are not PaddleClas configurations."""
    if not isinstance(document, dict) or "search_dict" in document or "base_config_file" in document:
        return None
    keys = set(document)
    if keys & {"ARCHITECTURE", "TRAIN", "VALID", "classes_num"}:
        return "legacy"
    if "Arch" in keys:
        return "modern"
    if (path.startswith("deploy/") and "Global" in keys) or keys & {"PreProcess", "RecPreProcess", "DetPreProcess"}:
        return "deploy"
    return "modern" if "DataLoader" in keys else None


def shipped(repository: Repository, tree: Mapping[str, str]) -> Iterator[tuple[str, str, object]]:
    """(path, generation, document) of every PaddleClas configuration of a branch."""
    for path, blob in sorted(tree.items()):
        if path.endswith((".yaml", ".yml")) and not path.startswith("."):
            text = repository.text(blob)
            try:
                document = yaml.safe_load(text) if text is not None else None
            except yaml.YAMLError:
                continue
            if (generation := generation_of(path, document)) is not None:
                yield path, generation, document


def collect(repository: Repository, branches: Mapping[str, str], verbose: bool) -> Vocabulary:
    """The vocabulary of all branches (name -> commit) together."""
    vocabulary = Vocabulary()
    cache: dict[str, Module | None] = {}
    escapes: set[str] = set()
    for branch, commit in branches.items():
        legacy = branch in LEGACY_BRANCHES
        tree = repository.tree(commit)
        sources = BranchSources(repository, tree, cache)
        signatures = Signatures(sources, {})
        files = [path for path in sorted(tree) if path.endswith(".py")]
        for reader in READERS:
            if (reader.generation == "legacy") != legacy:
                continue
            for path in files:
                if re.fullmatch(reader.files, path) and (module := sources.module(path)) and module.tree:
                    reads = Reads(reader)
                    reads.visit(module.tree)
                    for read in reads.paths:
                        vocabulary.learn_path(reader.generation, read)
        for path, blob in sorted(tree.items()):
            if not legacy and re.fullmatch(CPP_FILES, path):
                for block, key in CPP_READ.findall(repository.text(blob) or ""):
                    if block in GRAMMAR["deploy"].to:
                        vocabulary.learn_path("deploy", (block, key))
        for family in FAMILIES:
            if (family.generation == "legacy") != legacy:
                continue
            for path in files:
                if not re.fullmatch(family.namespace, path):
                    continue
                module = sources.module(path)
                bound = sorted(name for name in sources.names(path) if isinstance(sources.find(path, name), Found))
                if module is not None and family.names is not None:
                    # A name imported straight from paddle is an operator too, though its parameters are out of reach.
                    bound += [n for n, (origin, named) in module.imports.items() if named and origin.startswith("paddle.vision")]
                for name in bound:
                    if not re.fullmatch(family.keep, name):
                        continue
                    if family.names is not None:
                        vocabulary.learn(family.names, [name])
                    if family.params is not None and (found := signatures.of(path, name)) is not None:
                        vocabulary.learn(family.params, sorted(found.names))
        escapes |= signatures.escapes
        for _, generation, document in shipped(repository, tree):
            vocabulary.learn_file(generation, document)
        print(f"{branch}: {commit[:10]}", file=sys.stderr)
    for slot, names in NO_KEYS.items():
        for key in names:
            if not vocabulary.keys[slot].get(key):
                vocabulary.keys[slot].pop(key, None)
    if verbose:
        for line in sorted(escapes):
            print(f"**kwargs handed on: {line}", file=sys.stderr)
        for slot, known in sorted(vocabulary.keys.items()):
            only = sorted(k for k in known if k not in vocabulary.from_source[slot] and k not in GRAMMAR[slot].to)
            if only:
                print(f"only in YAML, {slot}: {' '.join(f'{k}({known[k]})' for k in only)}", file=sys.stderr)
    return vocabulary


# A path must stand in this many shipped files to be offered as the home of a misplaced key.
_MIN_FILES = 3
_FLAT = ("global", "amp", "ema", "infer", "deploy.global", "index")
# Splits other than these repeat Train's and Eval's paths and are never the home of a misplaced key.
_COPIES = ("Query", "Gallery", "UnLabelTrain", "Test", "Metalearning")


def render(vocabulary: Vocabulary, branches: Mapping[str, str]) -> str:
    """The JSON text: one slot per line, so that a change shows as a short difference."""
    slots: dict[str, dict[str, Any]] = {}
    for name, slot in sorted(GRAMMAR.items()):
        entry: dict[str, Any] = {"keys": dict(sorted(vocabulary.keys[name].items()))}
        links = {key: below for key, below in sorted(slot.to.items()) if below}
        leaves = [key for key, below in sorted(slot.to.items()) if not below]
        if slot.below and leaves:
            links.update(dict.fromkeys(leaves, ""))
        for label, value in (("to", links), ("below", slot.below), ("any", slot.any), ("items", slot.items)):
            if value:
                entry[label] = value
        if slot.open:
            entry["open"] = True
        slots[name] = entry
    paths: dict[str, dict[str, int]] = {}
    for generation, counter in sorted(vocabulary.paths.items()):
        homes = {path: count for path, count in counter.items() if count >= _MIN_FILES and not set(path.split(".")) & set(_COPIES)}
        # Keys of the flat top-level blocks that only the source knows (Global.seed) have one home all the same.
        for block, kind in GRAMMAR[ROOTS[generation]].to.items():
            if kind in _FLAT:
                homes |= {f"{block}.{key}": counter[f"{block}.{key}"] for key in vocabulary.keys[kind]}
        paths[generation] = dict(sorted(homes.items()))
    about = {
        "what": "Configuration keys known to PaddleClas, per kind of mapping; numbers are shipped YAML files using it.",
        "source": "https://github.com/PaddlePaddle/PaddleClas (Apache-2.0); names of keys only, no code or text.",
        "made_by": "scripts/make_vocabulary.py",
        "branches": dict(branches),
    }

    def compact(value: object) -> str:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))

    lines = [f'"about":{compact(about)}', f'"roots":{compact(ROOTS)}', '"slots":{']
    lines[2] += ",\n".join(f"{compact(name)}:{compact(entry)}" for name, entry in slots.items()) + "}"
    lines.append('"paths":{' + ",\n".join(f"{compact(g)}:{compact(p)}" for g, p in paths.items()) + "}")
    return "{" + ",\n".join(lines) + "}\n"


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Collect PaddleClas's configuration keys.")
    parser.add_argument("repository", type=Path, help="a clone of PaddleClas, bare or not")
    parser.add_argument("--branches", nargs="+", default=[*LEGACY_BRANCHES, *MODERN_BRANCHES], metavar="NAME")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    parser.add_argument("--verbose", action="store_true", help="also say what only YAML files know")
    options = parser.parse_args(arguments)
    repository = Repository(options.repository)
    try:
        branches = {branch: repository.commit(branch) for branch in options.branches}
        text = render(collect(repository, branches, options.verbose), branches)
    finally:
        repository.close()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="ascii")
    print(f"{options.output}: {len(text)} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
