"""`Parity`: the training side and the deploy side of the user's PaddleClas over the same images, compared rung by rung.

The training side is what `tools/infer.py` does (`Infer.transforms`, the network of `Arch` with its weights, `Infer.PostProcess`), the deploy side
what `deploy/python/predict_cls.py` does (`PreProcess.transform_ops`, the exported model, `PostProcess`). Everything here is measured; what it means
for the user is said by the rules.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.deploy_config import DeployConfig
from checks.facts.training_config import TrainingConfig

RungName = Literal["bytes", "decoded", "resized", "tensor", "weights", "logits", "probabilities", "topk", "labels"]

RUNGS: tuple[RungName, ...] = ("bytes", "decoded", "resized", "tensor", "weights", "logits", "probabilities", "topk", "labels")
"""The ladder, in the order in which an image climbs it."""

RungState = Literal["same", "differs", "unknown", "not-applicable"]
"""`unknown`: it could not be measured, and `trouble` says why; `not-applicable`: the model has no such thing (features have no class names)."""

Step = Literal["read", "decode", "resize", "crop", "normalize", "layout", "other", "weights", "activation", "post-process", "labels"]

Output = Literal["classes", "labels", "attributes", "score", "features"]
"""What the model gives: one class of many (softmax), several labels at once (sigmoid), PULC attributes, a bare score, or an embedding."""

CauseKind = Literal[
    "parameter",
    "missing-step",
    "extra-step",
    "order",
    "colour-order",
    "backend",
    "orientation",
    "code",
    "class-count",
    "other-weights",
    "no-weights",
    "half-precision",
    "activation-missing",
    "activation-doubled",
    "activation-other",
    "graph",
    "top-k",
    "threshold",
    "label-shift",
    "label-names",
    "label-map-missing",
    "label-count",
]
"""Why a rung differs.

`parameter`: one of an op's; `missing-step`, `extra-step`: the deploy side lacks an op, or has one too many; `order`: the same ops in another
order; `colour-order`: RGB and BGR; `backend`: OpenCV and Pillow; `orientation`: EXIF followed on one side only; `code`: the same op with the same
parameters gives something else. `class-count`: the widths of the last layers; `no-weights`: the one side has an initialiser's values;
`other-weights`: both have values of a training, unlike each other; `half-precision`: the same values as float16; `graph`: the same weights give
other outputs. `top-k`: another number of results.
"""


class Trouble(msgspec.Struct, frozen=True):
    """Why something could not be had; `values` are text or numbers.

    Kinds of a side: `no-python`, `no-paddle`, `no-ppcls`, `no-deploy`, `raised` (with `stage` and `error`), `late` (`stage`, `seconds`), `ended`
    (`stage`, `status`, `output`), `ended-often` (`times`), `garbled`, `no-parameters` (`model`, `file`: the program, and what is missing beside it).
    Of an image: `unread`, `raised`, `late`, `ended`. Of a rung also: `no-images`, `other-input` (no tensor
    that both models take), `reparameterised`, `no-parameters`, `other-widths`, `no-map`, `side` (that side failed before).
    """

    kind: str
    values: dict[str, Any] = {}


class Spread(msgspec.Struct, frozen=True):
    """How far apart two arrays are, over the images.

    `images` were compared, `differing` of them by more than the tolerance or in shape; `max_error` and `mean_error` are of absolute differences
    over all numbers of all images with equal shapes (None where no image has), `worst` is the image of the largest. `shapes` are those of the first
    image where they are unequal: training side, deploy side.
    """

    images: int
    differing: int
    max_error: float | None = None
    mean_error: float | None = None
    worst: str | None = None
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    @property
    def share(self) -> float:
        """The share of images that differ, 0 to 1."""
        return self.differing / self.images if self.images else 0.0


class Cause(msgspec.Struct, frozen=True):
    """One reason for a difference.

    `step` is where it lies, `parameter` the op's parameter (`resize_short`), `train` and `deploy` the values as they take effect, defaults included.
    `train_key` and `deploy_key` are the dotted paths in the configs, None where the config says nothing. `alone`: putting this one right
    removes the rung's difference; `proven`: it was tried, not concluded.
    """

    kind: CauseKind
    step: Step
    parameter: str | None = None
    train: Any = None
    deploy: Any = None
    train_key: str | None = None
    deploy_key: str | None = None
    alone: bool = True
    proven: bool = True


class Rung(msgspec.Struct, frozen=True):
    """One rung of the ladder.

    `whole` compares both sides as they run, so that it differs from the first difference on; `alone` compares what this rung makes of the *same*
    input, the training side's, so that it differs only where the rung itself does. `state` is that of `alone`. `tolerance` is the
    largest absolute difference that counts as none.
    """

    name: RungName
    state: RungState
    tolerance: float = 0.0
    whole: Spread | None = None
    alone: Spread | None = None
    causes: tuple[Cause, ...] = ()
    trouble: Trouble | None = None


class Ranked(msgspec.Struct, frozen=True):
    """The classes of one image in order of their scores, as a post-process gives them."""

    ids: tuple[int, ...]
    scores: tuple[float, ...]
    names: tuple[str, ...] = ()


class ImageParity(msgspec.Struct, frozen=True):
    """What became of one image.

    `train` and `deploy` are the results of both sides as they run, `deploy_model` that of the deployed model for the training side's tensor,
    `train_model` that of the training network for the deploy side's tensor (None where it was not needed or not possible). `whole` and
    `alone` are the largest absolute differences by rung.
    """

    file: str
    train_trouble: Trouble | None = None
    deploy_trouble: Trouble | None = None
    train: Ranked | None = None
    deploy: Ranked | None = None
    deploy_model: Ranked | None = None
    train_model: Ranked | None = None
    whole: dict[RungName, float] = {}
    alone: dict[RungName, float] = {}


class Op(msgspec.Struct, frozen=True):
    """One op of a pre-processing, in order; `key` is its path in the config, None for what the program itself does. `parameters` as written."""

    name: str
    step: Step
    key: str | None
    parameters: dict[str, Any] = {}


class Repair(msgspec.Struct, frozen=True):
    """Something that stops the user's own predictor, and was left out to measure on.

    `kind`: `memory-optim` (`enable_memory_optim()` on a `.json` model), `files` (the model's folder and prefix), `gpu`, `tensorrt`, `imports`
    (the package `paddleclas` is not installed), `folder` (relative paths), `other`; `error` is what the predictor said.
    """

    kind: Literal["memory-optim", "files", "gpu", "tensorrt", "imports", "folder", "other"]
    error: str


class Side(msgspec.Struct, frozen=True):
    """How one side was run.

    `code` is the folder of the PaddleClas that ran, `stand_in`: `ppcls.data` is not in it (the wheel has none), so that the ops of
    `deploy/python/preprocess.py`, which are the same code, stand for it. `device` is where it ran, `wanted` where the config wants it.
    `width` is the size of the output, `activations` what it was put through after the network (training side) or is recognised as (deploy side, in
    order). `trouble` ends a side; `repairs` are those of the deploy side.
    `start`, `first` and `next` are seconds: until it was ready, for the first image, and for each further one on average.
    """

    python: str
    paddle: str | None = None
    code: str | None = None
    stand_in: bool = False
    device: str = "cpu"
    wanted: str = "cpu"
    ops: tuple[Op, ...] = ()
    width: int | None = None
    activations: tuple[str, ...] = ()
    post_process: str | None = None
    topk: int | None = None
    repairs: tuple[Repair, ...] = ()
    trouble: Trouble | None = None
    start: float | None = None
    first: float | None = None
    next: float | None = None


class TensorPair(msgspec.Struct, frozen=True):
    """A tensor of the training network and the one of the deployed model that corresponds; `error` is the largest difference."""

    name: str
    train: tuple[int, ...]
    deploy: tuple[int, ...] | None
    error: float | None = None


class WeightsMatch(msgspec.Struct, frozen=True):
    """The weights of the training network as really loaded, beside those in the deployed model.

    Of `train` tensors `equal` are bit for bit in the deployed model, `near` within half precision, `unlike` have a counterpart with other values, and
    `missing` have none of their shape. `train_file` is the file that was loaded, None where the network kept its initial
    values. `train_fresh` and `deploy_fresh`: BatchNorm statistics are those of an initialiser (None where there is no BatchNorm).
    """

    train_file: str | None
    train: int
    deploy: int
    equal: int
    near: int
    unlike: int
    missing: int
    extra: int
    dtypes: tuple[str, ...]
    train_fresh: bool | None
    deploy_fresh: bool | None
    pairs: tuple[TensorPair, ...] = ()


class LabelMaps(msgspec.Struct, frozen=True):
    """The names that both sides give to class ids, within the width of the model.

    `equal` and `unlike` count the ids that both name. `shift` is k where the deploy side's name of id + k is the training side's of id, for
    (nearly) all. `examples` are (id, training side's, deploy side's).
    """

    train_file: str | None
    deploy_file: str | None
    train: int | None
    deploy: int | None
    equal: int = 0
    unlike: int = 0
    shift: int | None = None
    examples: tuple[tuple[int, str, str], ...] = ()


class Parity(Fact, frozen=True):
    """Both sides over the same images. `rungs` are all nine, in order; `images_from` is the key that names the images (`--images`, …).

    `listed` images were found, `images` are those that were run. `arrays` is the `.npz` asked for, with `train_resized`, `deploy_resized`,
    `train_tensor`, `deploy_tensor` of the image `pictured` (those that there are).
    """

    output: Output
    train: Side
    deploy: Side
    rungs: tuple[Rung, ...]
    images: tuple[ImageParity, ...]
    images_from: str
    listed: int
    weights: WeightsMatch | None = None
    labels: LabelMaps | None = None
    arrays: str | None = None
    pictured: str | None = None

    def rung(self, name: RungName) -> Rung:
        """A rung by its name."""
        return self.rungs[RUNGS.index(name)]

    @property
    def first(self) -> Rung | None:
        """The first rung that differs."""
        return next((rung for rung in self.rungs if rung.state == "differs"), None)

    @property
    def clean(self) -> bool:
        """Whether every rung that applies was measured and is the same."""
        return all(rung.state in ("same", "not-applicable") for rung in self.rungs)


@collects(Parity, deadline=6 * 3600.0)
def collect_parity(config: TrainingConfig, deploy: DeployConfig, request: Request, world: World) -> Parity:
    """Run both sides; every step has a deadline of its own, so that all together need none but the number of images.

    Raises:
        Unreadable: it was not asked for, the configs are of a kind that cannot be run this way, there are no images, or the files are elsewhere.
            What goes wrong with the user's code becomes the `trouble` of a side, a rung or an image.
    """
    if request.parity is None or request.parity.outputs or request.parity.scripts:
        raise Unreadable("parity-not-asked")
    if config.sysroot or not hasattr(os, "killpg"):
        raise Unreadable("parity-elsewhere")
    from checks.facts.parity_run import ParityRun  # a check that is not asked for it goes without

    return ParityRun(config, deploy, request, world).run()
