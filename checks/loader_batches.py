"""What a batch of each loader is made of: the bytes of every field of a sample, after the transforms, the dataset class and the batch operators.

Sources: `ppcls/data/dataloader/*.py`, `ppcls/data/preprocess/batch_ops/batch_operators.py` (2.2 to develop), `ppcls/data/imaug/batch_operators.py`
(2.0, 2.1). The types that the batch operators make of an image were measured with develop and NumPy 1.26: `FmixOperator` always makes float64
of it (its mask is one), `MixupOperator` makes float64 of uint8, `CutmixOperator` leaves it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.image_state import ImageState
from checks.facts.label_survey import Labels
from checks.facts.pipelines import Op, Pipeline, Pipelines, follow
from checks.facts.probed_batches import ProbedBatches
from checks.facts.training_config import Loader, TrainingConfig
from checks.shm_sizes import INT64, batch_bytes

Origin = Literal["transforms", "probe", "least"]
"""Where the sizes come from: the config's transforms, a real batch, or a lower bound, where only the shorter side of an image is known."""

ITEM_BYTES = {"uint8": 1, "float16": 2, "float32": 4, "float64": 8}

CAMERAS = frozenset({"Market1501", "MSMT17", "DukeMTMC", "VeriWild"})
"""Dataset classes whose samples have a camera beside the label; VeriWild's only if the list has a third column, which is taken for granted (a page a
batch)."""

_MULTILABEL = frozenset({"MultiLabelDataset", "MLClsDataset"})

_MIXES = frozenset({"MixupOperator", "FmixOperator", "MixupCutmixHybrid"})
"""Batch operators that add images, each with a weight: uint8 becomes float64."""


class BatchFields(msgspec.Struct, frozen=True):
    """The fields of a loader's samples, in bytes per sample; each field of a batch is a file in /dev/shm.

    `scales` are the sizes (height, width) that MultiScaleSampler draws from, and `base` the pixels of the first as it is written: the first field
    then holds the bytes of one pixel. `share` is the number of processes that share a batch (legacy: all of a launch).
    """

    fields: tuple[int, ...]
    origin: Origin = "transforms"
    scales: tuple[tuple[int, int], ...] = ()
    base: int = 0
    share: int = 1

    def counts_of(self, batch_size: int) -> tuple[int, ...]:
        """How many samples a batch of each scale has, from the batch size as the config writes it."""
        return tuple(int(max(1, self.base * batch_size / (height * width))) for height, width in self.scales)

    def bytes_of(self, batch_size: int) -> int:
        """What the largest batch takes of /dev/shm in one process, from the batch size as the config writes it."""
        if not self.scales:
            return batch_bytes(max(1, batch_size // self.share), self.fields)
        pixel, *labels = self.fields
        best = 0
        for (height, width), count in zip(self.scales, self.counts_of(batch_size), strict=True):
            best = max(best, batch_bytes(count, (pixel * height * width, *labels)))
        return best


def fields_of(
    config: TrainingConfig, loader: Loader, pipelines: Pipelines, labels: Labels | None, probed: ProbedBatches | None = None, share: int = 1
) -> BatchFields | None:
    """The fields of a loader's samples; None where the config does not tell the size of an image (and nothing was put through)."""
    share = share if loader.batch_is_total else 1
    batch = probed.of(loader.split) if probed and not _grows(config, loader) else None
    if batch is not None and batch.batch_size > 0 and batch.arrays:
        # the batches of MultiScaleSampler are not of the size that the config gives: per sample means per sample of that
        samples = loader.batch_size.value if loader.sampler == "MultiScaleSampler" and loader.batch_size else batch.batch_size
        return BatchFields(tuple(math.ceil(array.bytes / max(1, samples)) for array in batch.arrays), "probe", share=share)
    found = [fields for dataset in loader.datasets if (fields := _of_dataset(config, loader, dataset.name, pipelines, labels))]
    if not found or len(found) != len(loader.datasets):
        return None
    fields = max(found, key=lambda item: item.fields)  # of a MixDataset, whose images must be equal
    if loader.sampler == "MultiScaleSampler":
        return _scaled(config, loader, fields)
    return msgspec.structs.replace(fields, share=share)


def _of_dataset(config: TrainingConfig, loader: Loader, name: str, pipelines: Pipelines, labels: Labels | None) -> BatchFields | None:
    legacy = config.generation == "legacy"  # one list of transforms, whatever the class
    lists = [p for p in pipelines.of("train", "eval") if p.split.split(" ")[0] == loader.split and (legacy or p.dataset == name)]
    plain = [p for p in lists if " " not in p.split]
    # a dataset with a plain list reads no other; FixMatch's have two or three, each for an image of its own
    images = [_image(config, p, loader) for p in plain[:1] or lists]
    if not images or any(image is None for image in images):
        return None
    sizes, origins = zip(*(image for image in images if image), strict=True)
    mixed = _mixed(config, lists[0], [*sizes, *_labels(config, loader, name, labels)])
    return BatchFields(tuple(mixed), "least" if "least" in origins else "transforms")


def _image(config: TrainingConfig, pipeline: Pipeline, loader: Loader) -> tuple[int, Origin] | None:
    """The bytes of an image as a list of transforms leaves it, or of one of its pixels where the sampler chooses the size."""
    final = pipeline.final
    if _grows(config, loader):
        final = _last_stage(pipeline) or final
    if final is None:
        return None
    pixel = final.channels * ITEM_BYTES.get(final.dtype, 4)
    if loader.sampler == "MultiScaleSampler":
        return pixel, "transforms"
    if final.height is not None and final.width is not None:
        return final.height * final.width * pixel, "transforms"
    if final.shorter is not None:
        return final.shorter**2 * pixel, "least"
    return None


def _grows(config: TrainingConfig, loader: Loader) -> bool:
    """Whether the images grow in the course of the training, so that those of its begin do not tell what it needs."""
    return config.tree.raw("Global.train_mode") == "progressive" and loader.split == "Train"


def _last_stage(pipeline: Pipeline) -> ImageState | None:
    """The image at the largest `progress_size` of a progressive training (`ppcls/engine/train/train_progressive.py`)."""
    ops = []
    for op in pipeline.ops:
        sides = op.params.get("progress_size")
        largest = max((s for s in sides if type(s) is int), default=None) if isinstance(sides, list) else None
        ops.append(op if largest is None else msgspec.structs.replace(op, params={**op.params, "size": largest}))
    return follow(tuple(ops), pipeline.start, transposes=pipeline.transposes)[2]


def _labels(config: TrainingConfig, loader: Loader, name: str, labels: Labels | None) -> list[int]:
    """The bytes of a sample's other fields, as its dataset class gives them."""
    if name in _MULTILABEL:
        widths = [width for survey in (labels.of(loader.split) if labels else []) for width in survey.widths]
        count = max(widths, default=0) or (config.class_num.value if config.class_num else 1)
        ratio = config.tree.raw(f"{loader.key}.dataset.label_ratio")
        return [4 * count * (2 if ratio not in (None, False) else 1)]
    return [INT64, INT64] if name in CAMERAS else [INT64]


def _mixed(config: TrainingConfig, pipeline: Pipeline, fields: list[int]) -> list[int]:
    """The fields of a sample after the batch operators: the most that any outcome of theirs can take."""
    if not pipeline.batch_ops:
        return fields
    itemsize = ITEM_BYTES.get(pipeline.final.dtype, 4) if pipeline.final else 4
    classes = config.tree.raw("Arch.class_num")
    classes = config.tree.raw("Global.class_num") if classes is None else classes
    image, label, *others = fields
    operators = list(_operators(pipeline.batch_ops))
    if any(op.name == "FmixOperator" or (op.name in _MIXES and itemsize == 1) for op, _ in operators):
        image = image // itemsize * 8
    if config.generation == "legacy":  # both labels, and the weight: float32, float64 from Fmix
        return [image, label, label, INT64]
    counts = [op.params.get("num_classes", 4) if op.name == "MixupCutmixHybrid" else classes for op, _ in operators]
    one_hot = max((4 * count for count in counts if type(count) is int and count > 0), default=label)
    return [image, one_hot] if any(certain for _, certain in operators) else [image, max(label, one_hot), *others]


def _operators(ops: tuple[Op, ...]) -> Iterator[tuple[Op, bool]]:
    """The batch operators, those of an OpSampler one by one, and whether one of them surely acts on every batch."""
    for op in ops:
        if op.name != "OpSampler":
            yield op, True
            continue
        inner = [(name, params) for name, params in op.params.items() if isinstance(params, dict)]
        chances = [params.get("prob", 0) for _, params in inner]
        certain = all(isinstance(chance, (int, float)) for chance in chances) and sum(chances) >= 1
        for name, params in inner:
            yield Op(name, params, op.at), certain


def _scaled(config: TrainingConfig, loader: Loader, fields: BatchFields) -> BatchFields | None:
    """The same with the sizes of MultiScaleSampler (`ppcls/data/dataloader/multi_scale_sampler.py`, 2.4 to develop).

    Its batches shrink as the images grow, so that each has about the pixels of the first; sizes are cut to multiples of `divided_factor`.
    """
    place = f"{loader.key}.sampler"
    factor = config.tree.raw(f"{place}.divided_factor")
    factor = 32 if factor is None else factor
    written = config.tree.raw(f"{place}.scales")
    sides = [_sides(scale) for scale in written] if isinstance(written, list) else []
    if not sides or type(factor) is not int or factor < 1 or any(side is None or min(side) < 1 for side in sides):
        return None
    pairs = [side for side in sides if side]
    base = math.prod(pairs[0])
    if config.tree.raw(f"{place}.is_training") is False:
        return msgspec.structs.replace(fields, scales=(pairs[0],), base=base)
    cut = tuple(dict.fromkeys((h // factor * factor, w // factor * factor) for h, w in pairs))
    cut = tuple(pair for pair in cut if min(pair) > 0)
    return msgspec.structs.replace(fields, scales=cut, base=base) if cut else None


def _sides(value: Any) -> tuple[int, int] | None:
    if type(value) is int:
        return (value, value)
    if isinstance(value, list) and len(value) == 2 and all(type(side) is int for side in value):
        return (value[0], value[1])
    return None
