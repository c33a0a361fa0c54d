"""`Pipelines`: every list of transforms of a config and its deploy config, followed from the bytes of a file to the batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, collects
from checks.facts.deploy_config import DeployConfig
from checks.facts.geometry import geometry
from checks.facts.image_state import Fails, ImageState, Trouble, Unforeseeable
from checks.facts.training_config import TrainingConfig
from checks.facts.transform_ops import BATCH_OPERATORS, MODELS, RANDOM, apply
from checks.facts.transform_pixels import transposed
from checks.facts.transform_run import Run
from checks.facts.yaml_tree import Tree
from checks.model import Location

Role = Literal["train", "eval", "infer", "deploy"]

Loss = Literal["resampled", "raised", "logged"]
"""What an exception in a transform does: the dataset takes a random other sample (for ever, if all fail), the run stops, or the image is
logged and left out (`tools/infer.py`)."""

SAMPLE_OPERATORS = frozenset(MODELS)
KNOWN = SAMPLE_OPERATORS | BATCH_OPERATORS | {"CropWithPadding"}


class Op(msgspec.Struct, frozen=True):
    """One transform of a list: its name, what the config gives it, where its name stands and where each of its parameters."""

    name: str
    params: dict[str, Any]
    at: Location
    places: dict[str, Location] = {}

    def place(self, parameter: str | None) -> Location:
        """Where a parameter stands, or the name where it is left out."""
        return self.places.get(parameter or "", self.at)

    @property
    def random(self) -> bool:
        """Whether it acts at random, which a probability of 0 keeps it from."""
        if self.name not in RANDOM:
            return False
        return all(self.params.get(p, 1) not in (0, 0.0) for p in ("prob", "p", "EPSILON"))


class Pipeline(msgspec.Struct, frozen=True):
    """One list of transforms.

    `split` names it as the config does (`Train`, `Eval.Query`, `UnLabelTrain weak`, `Infer`, `PreProcess`), `at` is the key of the list.
    `start` is what the first transform is handed; `transposes` says
    that the dataset puts the channels first itself. `states` are the image after each transform as far as that can be told, `final` is the one
    that reaches the network, None where that cannot be told.
    """

    role: Role
    split: str
    at: Location
    used: bool
    ops: tuple[Op, ...]
    batch_ops: tuple[Op, ...]
    start: ImageState
    transposes: bool
    loss: Loss
    dataset: str
    troubles: tuple[Trouble, ...]
    states: tuple[ImageState, ...]
    final: ImageState | None

    @property
    def random(self) -> bool:
        """Whether anything in it acts at random."""
        return bool(self.batch_ops) or any(op.random for op in self.ops)

    def blamed(self, trouble: Trouble) -> Location:
        """The place to blame: the parameter, else the transform, else the list."""
        ops = self.batch_ops if trouble.kind == "sample-operator" else self.ops
        return ops[trouble.index].place(trouble.parameter) if 0 <= trouble.index < len(ops) else self.at

    def geometry(self) -> tuple[tuple[Any, ...], ...]:
        """The resizing and cropping that every image undergoes: name, numbers, interpolation and backend."""
        found = []
        for op in self.ops[: len(self.states)]:
            step = geometry(op)
            if step is not None:
                found.append(step)
        return tuple(found)


class Pipelines(Fact, frozen=True):
    """The lists of transforms of a training config, in its order."""

    all: tuple[Pipeline, ...]

    def of(self, *roles: Role) -> tuple[Pipeline, ...]:
        """The lists of these roles."""
        return tuple(p for p in self.all if p.role in roles)


class DeployedPipelines(Fact, frozen=True):
    """The lists of transforms of a deploy config."""

    all: tuple[Pipeline, ...]


@collects(Pipelines, deadline=20.0, touches=False)
def collect_pipelines(config: TrainingConfig) -> Pipelines:
    """Follow the transforms of a training config; a deploy config has none of this kind."""
    if config.generation == "modern":
        return Pipelines(tuple(_modern(config)))
    return Pipelines(tuple(_legacy(config)) if config.generation == "legacy" else ())


@collects(DeployedPipelines, deadline=20.0)
def collect_deployed_pipelines(deploy: DeployConfig) -> DeployedPipelines:
    """Follow the transforms of the deploy config: `PreProcess`, `RecPreProcess` of a recognition system, or the sizes in a `config.txt`."""
    return DeployedPipelines(tuple(_deployed(deploy)))


def follow(
    ops: tuple[Op, ...],
    start: ImageState,
    *,
    dialect: str = "train",
    transposes: bool = True,
    batch_ops: tuple[Op, ...] = (),
) -> tuple[tuple[Trouble, ...], tuple[ImageState, ...], ImageState | None]:
    """The troubles on the way, the image after each transform, and the one that reaches the network (channels first)."""
    troubles: list[Trouble] = []
    states: list[ImageState] = []
    state = start
    culprit = -1
    for index, op in enumerate(ops):
        run = Run(index, op.name, op.params, dialect)
        try:
            state = apply(state, run)
        except Fails as failure:
            always = op.params.get("prob", 1) not in (0, 0.0)
            troubles += [*run.notes, Trouble(failure.kind, _blame(failure, index, culprit), always, failure.parameter, failure.values)]
            return tuple(troubles), tuple(states), None
        except Unforeseeable:
            return (*troubles, *run.notes), tuple(states), None
        troubles += run.notes
        if state.axes != "hwc" and culprit < 0:
            culprit = index
        states.append(state)
    for index, op in enumerate(batch_ops):
        if op.name in SAMPLE_OPERATORS:
            troubles.append(Trouble("sample-operator", index))
    if state.kind == "bytes":
        return (*troubles, Trouble("not-decoded", -1)), tuple(states), None
    if transposes:
        if state.kind == "pil":
            return (*troubles, Trouble("final-kind", len(ops) - 1, values={"gets": "pil"})), tuple(states), None
        state = state.but(axes=transposed(state.axes))
    elif state.kind == "pil":
        return (*troubles, Trouble("final-kind", len(ops) - 1, values={"gets": "pil"})), tuple(states), None
    if state.ragged is not None:
        troubles.append(Trouble("shrinks-sometimes", state.ragged, False, "size"))
    if state.axes != "chw":
        return (*troubles, Trouble("final-layout", culprit, values={"axes": state.axes})), tuple(states), None
    if state.dtype == "uint8":
        troubles.append(Trouble("final-uint8", -1))
    return tuple(troubles), tuple(states), state


def _blame(failure: Fails, index: int, culprit: int) -> int:
    """Where channels come first too early, the transform that put them there is to blame."""
    return culprit if failure.kind == "layout" and culprit >= 0 else index


# --- where the lists are

_BYTES = ImageState("bytes", colour=None)
_ARRAY = ImageState("array")
_PIL = ImageState("pil")

_FROM_BYTES = frozenset(
    {
        "ImageNetDataset",
        "MultiLabelDataset",
        "CommonDataset",
        "ClsDataset",
        "MLClsDataset",
        "ShiTuRecDataset",
        "ICartoonDataset",
        "LogoDataset",
    }
)


def _entry(name: Any, block: dict[str, Any]) -> tuple[ImageState, bool, Loss] | None:
    """What a dataset class hands to the first transform, whether it puts the channels first at the end, and what an exception does.

    Source: `ppcls/data/dataloader/*.py` of 2.2 to develop. None for a class whose images take another way.
    """
    backend = block.get("backend", "cv2")
    if name in _FROM_BYTES:
        return _BYTES, True, "resampled"
    if name in ("VeriWild", "SOP", "Inshop", "Aliproduct"):
        return (_BYTES, True, "resampled") if backend == "cv2" else (_PIL, False, "resampled")
    if name == "MultiScaleDataset":
        return _BYTES, True, "resampled"
    if name in ("Market1501", "DukeMTMC"):
        return (_ARRAY, True, "resampled") if backend == "cv2" else (_PIL, False, "resampled")
    if name == "MSMT17":
        return _ARRAY, True, "resampled"
    if name == "CompCars":
        return _ARRAY, True, "raised"
    if name == "AdaFaceDataset":
        return _PIL, False, "raised"
    if name in ("Cifar10", "Cifar100") and block.get("backend", "pil") == "pil":
        side = 32
        return _PIL.sized(side, side), True, "raised"
    return None


def operators(tree: Tree, key: str) -> tuple[Op, ...]:
    """The transforms of a list, each a mapping of one name to its parameters; cut short where the list is malformed."""
    found = []
    items = tree.raw(key)
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if not isinstance(item, dict) or len(item) != 1:
            break
        ((name, params),) = item.items()
        if params is not None and not isinstance(params, dict):
            break
        place = f"{key}.{index}.{name}"
        places = {str(p): tree.at(f"{place}.{p}") for p in params or ()}
        found.append(Op(str(name), params or {}, tree.key_at(place), places))
    return tuple(found)


def _whole(tree: Tree, key: str, ops: tuple[Op, ...]) -> bool:
    items = tree.raw(key)
    return isinstance(items, list) and len(items) == len(ops)


def _pipeline(
    tree: Tree,
    role: Role,
    split: str,
    key: str,
    entry: tuple[ImageState, bool, Loss],
    *,
    used: bool,
    dataset: str = "",
    batch_key: str | None = None,
    dialect: str = "train",
) -> Pipeline | None:
    ops = operators(tree, key)
    if not _whole(tree, key, ops):
        return None
    start, transposes, loss = entry
    batch_ops = operators(tree, batch_key) if batch_key else ()
    followed = ops
    if dataset == "MultiScaleDataset":
        # the sampler's sizes take the place of all parameters
        sized = {"RandCropImage", "ResizeImage", "CropImage"}
        followed = tuple(msgspec.structs.replace(op, params={"size": 224}) if op.name in sized else op for op in ops)
    troubles, states, final = follow(followed, start, dialect=dialect, transposes=transposes, batch_ops=batch_ops)
    if any(op.name not in KNOWN for op in (*ops, *batch_ops)):
        troubles = ()  # no such list can be built, which is a finding of its own, or it holds a transform of the user's own
    return Pipeline(role, split, tree.key_at(key), used, ops, batch_ops, start, transposes, loss, dataset, troubles, states, final)


def _modern(config: TrainingConfig) -> Iterator[Pipeline]:
    tree = config.tree
    if tree.raw("Global.use_dali") is not True:
        for loader in config.loaders:
            role: Role = "train" if loader.split in ("Train", "UnLabelTrain") or loader.split.endswith(".Train") else "eval"
            if role == "eval" and not loader.split.startswith(("Eval", "Gallery", "Query", "Test")):
                continue
            for dataset in loader.datasets:
                yield from _of_dataset(tree, role, loader.split, dataset.key, dataset.name, loader.used)
    infer = _pipeline(tree, "infer", "Infer", "Infer.transforms", (_BYTES, False, "logged"), used=config.stage == "infer")
    if infer and infer.ops:  # an empty list is CFG107's
        yield infer


_LISTS = (
    ("transform_ops", ""),
    ("transform", ""),
    ("transform_ops_weak", " weak"),
    ("transform_ops_strong", " strong"),
    ("transform_ops_strong2", " strong2"),
)
"""The keys of a dataset under which its transforms stand, and what the split is called with them."""


def _without_transforms(
    tree: Tree, role: Role, split: str, key: str, entry: tuple[ImageState, bool, Loss], used: bool, dataset: str
) -> Pipeline:
    start, transposes, loss = entry
    troubles, states, final = follow((), start, transposes=transposes)
    batch_ops = operators(tree, f"{key}.batch_transform_ops")
    above = tree.key_at(key)
    at = Location(above.file, above.line, above.column, f"{key}.transform_ops")
    return Pipeline(role, split, at, used, (), batch_ops, start, transposes, loss, dataset, troubles, states, final)


def _of_dataset(tree: Tree, role: Role, split: str, key: str, name: str, used: bool) -> Iterator[Pipeline]:
    block = tree.raw(key)
    entry = _entry(name, block) if isinstance(block, dict) else None
    if entry is None:
        return
    if entry[0].kind != "pil" and not any(field in block for field, _ in _LISTS):
        # no list at all: the dataset goes on with what it has read, as with an empty one
        yield _without_transforms(tree, role, split, key, entry, used, name)
        return
    for field, suffix in _LISTS:
        found = _pipeline(
            tree, role, split + suffix, f"{key}.{field}", entry, used=used, dataset=name, batch_key=f"{key}.batch_transform_ops"
        )
        if found:
            yield found


def _legacy(config: TrainingConfig) -> Iterator[Pipeline]:
    tree = config.tree
    if tree.raw("use_dali") is True:
        return
    for loader in config.loaders:
        role: Role = "train" if loader.split == "Train" else "eval"
        mix = f"{loader.key}.mix" if role == "train" and tree.raw("use_mix") is True else None
        found = _pipeline(
            tree,
            role,
            loader.split,
            f"{loader.key}.transforms",
            (_BYTES, False, "resampled"),
            used=loader.used,
            dataset="CommonDataset",
            batch_key=mix,
            dialect="legacy",
        )
        if found:
            yield found


def _deployed(deploy: DeployConfig) -> Iterator[Pipeline]:
    tree = deploy.tree
    for section in ("PreProcess", "RecPreProcess"):
        found = _pipeline(tree, "deploy", section, f"{section}.transform_ops", (_ARRAY, False, "raised"), used=True, dialect="deploy")
        if found:
            yield found
    ops = tuple(_text_operators(tree))
    if ops:
        troubles, states, final = follow(ops, _ARRAY, dialect="deploy", transposes=False)
        yield Pipeline("deploy", deploy.file, ops[0].at, True, ops, (), _ARRAY, False, "raised", "", troubles, states, final)


def _text_operators(tree: Tree) -> Iterator[Op]:
    """What a C++ demo with a `config.txt` does: both sizes are read from it, the normalisation of ImageNet is built in.

    Source: `deploy/cpp/src/cls.cpp` of 2.2, `deploy/cpp_infer` of 2.0 and 2.1, `deploy/lite/image_classfication.cpp`.
    """
    for name, parameter, key in (("ResizeImage", "resize_short", "resize_short_size"), ("CropImage", "size", "crop_size")):
        value = tree.raw(key)
        if isinstance(value, str) and value.isascii() and value.isdecimal():
            value = int(value)
        if type(value) is not int:
            return
        yield Op(name, {parameter: value}, tree.at(key), {parameter: tree.at(key)})
    yield Op("NormalizeImage", {"order": ""}, tree.at("crop_size"))
    yield Op("ToCHWImage", {}, tree.at("crop_size"))
