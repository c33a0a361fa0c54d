"""`ImageSizes`: the sizes of some listed images, for the splits whose transforms leave the size to the image."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from checks.facts.base import Fact, Request, World, collects, no_images
from checks.facts.image_look import HEADER_BYTES, image_size
from checks.facts.label_format import LabelFormat, Parsed, parse_line
from checks.facts.pipelines import Op, Pipeline, Pipelines, Role, follow
from checks.facts.training_config import Dataset, Loader, TrainingConfig
from checks.model import Location

MAX_IMAGES = 512
"""The most images of one split that are looked at; spread over the list. Half a second on a cold disk of 1 ms a file."""
_CHUNKS = 64
_CHUNK_BYTES = 4096


class SizedSplit(msgspec.Struct, frozen=True):
    """What becomes of sampled images of a split.

    `shapes` are up to four sizes (height, width) in which images leave the transforms, each with the first image that does, of `count`
    different ones. `too_small` counts the images smaller than a crop, the transform `crop`; `smallest` is the least of them (width, height).
    `batched` says that more than one image goes into a batch.
    """

    role: Role
    split: str
    at: Location
    sampled: int
    shapes: tuple[tuple[tuple[int, int], str], ...]
    count: int
    too_small: int
    smallest: tuple[int, int]
    crop: Op | None
    batched: bool


class ImageSizes(Fact, frozen=True):
    """The splits whose images keep a size of their own; `unseen` are those of them where no image could be looked at."""

    splits: tuple[SizedSplit, ...]
    unseen: tuple[str, ...] = ()


@collects(ImageSizes, deadline=30.0)
def collect_image_sizes(config: TrainingConfig, pipelines: Pipelines, request: Request, world: World) -> ImageSizes:
    """Read the first bytes of a sample of images, only for splits where their size matters."""
    found, unseen = [], []
    for pipeline in pipelines.of("train", "eval"):
        if not pipeline.used or not _depends(pipeline):
            continue
        loader = next((item for item in config.loaders if pipeline.split.split()[0] == item.split), None)
        if loader is None:
            continue
        split = _look(config, pipeline, loader, world) if no_images(request, world) is None else None
        if split is not None:
            found.append(split)
        else:
            unseen.append(pipeline.split)
    return ImageSizes(tuple(found), tuple(unseen))


def _depends(pipeline: Pipeline) -> bool:
    """Whether the size of the image decides how it ends."""
    if pipeline.dataset == "MultiScaleDataset" or any(
        t.always and t.kind not in ("size-ignored", "decoded-again") for t in pipeline.troubles
    ):
        return False
    if pipeline.final is None:
        return False
    before = (pipeline.start, *pipeline.states)
    crops = any(
        op.name in CROPS and before[place].height is None and (before[place].shorter is None or _rectangular(op))
        for place, op in enumerate(pipeline.ops)
    )
    return not pipeline.final.even or crops


CROPS = frozenset({"CropImage", "RandomCropImage", "RandCropImageV2", "CenterCrop"})
"""Transforms that cut a piece out of the image as it is."""


def _rectangular(op: Op) -> bool:
    size = op.params.get("size")
    return isinstance(size, list) and size != size[::-1]


def _look(config: TrainingConfig, pipeline: Pipeline, loader: Loader, world: World) -> SizedSplit | None:
    outcomes: dict[tuple[int, int], str] = {}
    seen: dict[tuple[int, int], tuple[tuple[int, int] | None, Op | None]] = {}
    sampled = too_small = 0
    smallest: tuple[int, int] | None = None
    crop: Op | None = None
    for path in _paths(config, loader):
        world.progress("ImageSizes", sampled, MAX_IMAGES)
        size = _size_of(config.resolve(path))
        if size is None:
            continue
        sampled += 1
        if size not in seen:
            seen[size] = _end(pipeline, size)
        shape, culprit = seen[size]
        if culprit is not None:
            too_small += 1
            crop = crop or culprit
            if smallest is None or min(size) < min(smallest):
                smallest = (size[1], size[0])
        elif shape is not None:
            outcomes.setdefault(shape, path)
    if not sampled:
        return None
    batch = loader.batch_size.value if loader.batch_size else 2
    return SizedSplit(
        role=pipeline.role,
        split=pipeline.split,
        at=pipeline.at,
        sampled=sampled,
        shapes=tuple(list(outcomes.items())[:4]),
        count=len(outcomes),
        too_small=too_small,
        smallest=smallest or (0, 0),
        crop=crop,
        batched=batch > 1,
    )


def _end(pipeline: Pipeline, size: tuple[int, int]) -> tuple[tuple[int, int] | None, Op | None]:
    """The size in which an image of this size leaves the transforms, or the crop that it is too small for."""
    dialect = "legacy" if pipeline.dataset == "CommonDataset" else "train"
    troubles, _, final = follow(pipeline.ops, pipeline.start.sized(*size), dialect=dialect, transposes=pipeline.transposes)
    for trouble in troubles:
        if trouble.kind == "crop-too-large":
            return None, pipeline.ops[trouble.index]
    if final is None or final.height is None or final.width is None:
        return None, None
    return (final.height, final.width), None


def _size_of(path: str) -> tuple[int, int] | None:
    try:
        with open(path, "rb") as stream:
            return image_size(stream.read(HEADER_BYTES))
    except (OSError, ValueError):
        return None


def _paths(config: TrainingConfig, loader: Loader) -> Iterator[str]:
    lists = [(dataset, item.value) for dataset in loader.datasets if dataset.format for item in dataset.lists]
    for dataset, name in lists:
        yield from _listed(config, dataset, name, max(1, MAX_IMAGES // len(lists)))


def _listed(config: TrainingConfig, dataset: Dataset, name: str, most: int) -> Iterator[str]:
    """Paths from all over a list: whole if it is short, else from chunks spread over it."""
    rule = dataset.format
    path = config.resolve(name)
    if rule is None or not os.path.isfile(path):
        return
    root = dataset.image_root.value if dataset.image_root else ""
    count = 0
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            starts = [0] if size <= _CHUNKS * _CHUNK_BYTES else [size * n // _CHUNKS for n in range(_CHUNKS)]
            for number, start in enumerate(starts, 1):
                stream.seek(start)
                if start:
                    stream.readline()
                text = stream.read(_CHUNK_BYTES if len(starts) > 1 else -1)
                lines = text.split(b"\n")
                lines = lines[:-1] if len(starts) > 1 else lines
                share = most if len(starts) == 1 else (most * number) // len(starts)
                step = max(1, len(lines) // max(1, share - count))
                for line in lines[::step]:
                    if count >= share:
                        break
                    relative = _path(line, rule)
                    if relative:
                        count += 1
                        yield os.path.join(root, relative)
    except OSError:
        return


def _path(line: bytes, rule: LabelFormat) -> str | None:
    try:
        parsed = parse_line(line.decode("utf-8"), rule)
    except UnicodeDecodeError:
        return None
    return parsed.path if isinstance(parsed, Parsed) and "\0" not in parsed.path else None
