"""`ExportValues` and `ExportMatch`: what the numbers of exported models say, and whether they are those of the weights that were named."""

from __future__ import annotations

import os
import re

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.exported_weights import ExportedFile, ExportedWeights
from checks.facts.inference_model import Role
from checks.facts.stored_weights import StoredFile, StoredWeights
from checks.facts.weight_files import SUFFIX
from checks.facts.weight_values import MAX_BYTES, Numbers, numbers_of
from checks.model import OVERRIDE_FILE, Location
from checks.tensors.matching import Matching, match
from checks.tensors.model import Contents, NoValues
from checks.tensors.statistics import statistics_of

_COPY = re.compile(r"_deepcopy_\d+$")
MOST_BESIDE = 24
"""Other checkpoints beside the named one that are looked into for the one that was exported."""


class ModelValues(msgspec.Struct, frozen=True):
    """One exported model. `classes` is the width of its only output; `numbers` is None where `problem` says in one word why."""

    role: Role
    written: str
    path: str
    source: Location
    classes: int | None
    numbers: Numbers | None
    problem: str | None = None


class ExportValues(Fact, frozen=True):
    """The exported models whose program can be read."""

    models: tuple[ModelValues, ...]

    @property
    def main(self) -> ModelValues | None:
        """The classifier."""
        return next((model for model in self.models if model.role == "cls"), None)


@collects(ExportValues, deadline=60.0)
def collect_export_values(exported: ExportedWeights, world: World) -> ExportValues:
    """Go through the values of each exported model once, in blocks."""
    return ExportValues(tuple(_look(item, world) for item in exported.files))


def _look(item: ExportedFile, world: World) -> ModelValues:
    numbers, problem = None, item.problem
    classes = _classes(item)
    contents = _contents(item)
    if contents is not None:
        try:
            numbers = numbers_of(item.path, contents, classes, world)
        except (NoValues, OSError) as unavailable:
            problem = getattr(unavailable, "reason", "unreadable")
    return ModelValues(item.role, item.written, item.path, item.source, classes, numbers, problem)


def _contents(item: ExportedFile) -> Contents | None:
    """The parameters by the names that the network gave them: develop exports a copy of it, with `_deepcopy_7` behind each."""
    if item.contents is None:
        return None
    names = [_COPY.sub("", tensor.name) for tensor in item.contents.tensors]
    if len(set(names)) < len(names):
        return item.contents
    tensors = tuple(msgspec.structs.replace(tensor, name=name) for tensor, name in zip(item.contents.tensors, names, strict=True))
    return msgspec.structs.replace(item.contents, tensors=tensors)


def _classes(item: ExportedFile) -> int | None:
    outputs = item.program.outputs
    shape = outputs[0].shape if item.role == "cls" and len(outputs) == 1 else ()
    return shape[1] if len(shape) == 2 and shape[1] > 0 else None


class ExportMatch(Fact, frozen=True):
    """The exported classifier beside the weights that were named for it.

    `beside` is the prefix of another checkpoint in the same folder whose classifier the exported model has, None where there is none or where
    the weights are equal.
    """

    weights: str
    source: Location
    model: str
    model_source: Location
    classes: int | None
    matching: Matching
    beside: str | None = None


@collects(ExportMatch, deadline=60.0)
def collect_export_match(weights: StoredWeights, exported: ExportedWeights, values: ExportValues) -> ExportMatch:
    """Compare tensor by tensor, by value.

    Raises:
        Unreadable: weights or exported model cannot be read, or the weights were not named for this model: what a config names may be what the
            training began with.
    """
    stored, file, known = weights.main, exported.main, values.main
    if stored is None or not (stored.key == "--weights" or stored.source.file == OVERRIDE_FILE):
        raise Unreadable("weights-not-of-export")
    if stored.contents is None or not stored.contents.tensors:
        raise Unreadable("weights-not-read", file=stored.written)
    contents = _contents(file) if file else None
    if file is None or contents is None or known is None or known.numbers is None:
        raise Unreadable("export-not-read")
    if file.program.quantised:
        raise Unreadable("export-quantised")
    if sum(tensor.nbytes for tensor in stored.contents.tensors) > MAX_BYTES:
        raise Unreadable("weights-too-large", file=stored.written)
    try:
        found = match(stored.path, stored.contents, file.path, contents, known.classes, values=known.numbers.tensors)
    except (NoValues, OSError):
        raise Unreadable("weights-not-read", file=stored.written) from None
    beside = _beside(stored, known.numbers) if found.verdict in ("related", "other", "head") else None
    return ExportMatch(stored.written, stored.source, file.written, file.source, known.classes, found, beside)


def _beside(stored: StoredFile, numbers: Numbers) -> str | None:
    """Another checkpoint of the folder, the classifier of which is the exported one."""
    head = numbers.head.weight if numbers.head else None
    wanted = next((item for item in numbers.tensors if item.name == head), None)
    if wanted is None:
        return None
    folder = os.path.dirname(stored.path)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((SUFFIX, ".pdema")))[:MOST_BESIDE]
    except OSError:
        return None
    for name in names:
        path = os.path.join(folder, name)
        if path != stored.path and _has(path, wanted.shape, wanted.dtype, wanted.digest):
            return os.path.join(os.path.dirname(stored.written), name.removesuffix(SUFFIX))
    return None


def _has(path: str, shape: tuple[int, ...], dtype: str, digest: str) -> bool:
    from checks.tensors.read import NotTensors, read_contents

    try:
        contents: Contents = read_contents(path)
        alike = [tensor for tensor in contents.tensors if tensor.shape == shape and tensor.dtype == dtype]
        return any(statistics_of(path, contents, tensor).digest == digest for tensor in alike)
    except (NotTensors, NoValues, OSError):
        return False
