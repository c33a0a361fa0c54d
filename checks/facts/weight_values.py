"""`WeightValues`: what the numbers say in the files of weights that are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from checks.facts.base import Fact, World, collects
from checks.facts.stored_weights import Role, StoredFile, StoredWeights
from checks.facts.training_config import TrainingConfig
from checks.model import Location
from checks.tensors.initialisers import Draw, drawn
from checks.tensors.layers import Normalisation, classifier, inputs_of, normalisations
from checks.tensors.model import Contents, NoValues, Tensor
from checks.tensors.statistics import Values, array_for, statistics_of

if TYPE_CHECKING:
    import numpy

MAX_BYTES = 2 << 30
"""Values of larger files are not looked at; a network of 300 million parameters has 1.2 GB."""


class Head(msgspec.Struct, frozen=True):
    """A classifier: the names of its tensors, and the draw that its weights still are, None where they are none."""

    weight: str
    bias: str | None
    draw: Draw | None


class Numbers(msgspec.Struct, frozen=True):
    """What the numbers of one file say. `head` is the classifier for the expected number of classes, None where there is none."""

    tensors: tuple[Values, ...]
    head: Head | None = None

    @property
    def normalisations(self) -> list[Normalisation]:
        """The BatchNorms."""
        return normalisations(self.tensors)

    @property
    def untrained(self) -> bool:
        """Whether the whole network is as it was built.

        All BatchNorms count alike, add nothing and have the statistics of new ones, and the classifier, if there is one, is as it was drawn;
        a network without BatchNorms has all its biases at zero.
        """
        layers = self.normalisations
        if self.head is not None and self.head.draw is None:
            return False
        if layers:
            return all(layer.untouched and layer.as_built for layer in layers)
        biases = [item for item in self.tensors if len(item.shape) == 1 and item.name.endswith(("bias", "offset", ".b_0"))]
        return self.head is not None and len(biases) > 1 and all(item.low == item.high == 0 for item in biases)


class FileValues(msgspec.Struct, frozen=True):
    """One file of weights. `numbers` is None where `problem` says in one word why."""

    role: Role
    key: str
    written: str
    path: str
    source: Location
    numbers: Numbers | None
    problem: str | None = None


class WeightValues(Fact, frozen=True):
    """The files of weights that are named, there, and can be read."""

    files: tuple[FileValues, ...]


@collects(WeightValues, deadline=60.0)
def collect_weight_values(config: TrainingConfig, weights: StoredWeights, world: World) -> WeightValues:
    """Go through the values of each file once, in blocks."""
    classes = config.class_num.value if config.class_num else None
    return WeightValues(tuple(_look(item, classes, world) for item in weights.files))


def _look(item: StoredFile, classes: int | None, world: World) -> FileValues:
    numbers, problem = None, item.problem
    if item.contents is not None:
        try:
            numbers = numbers_of(item.path, item.contents, classes, world)
        except NoValues as unavailable:
            problem = unavailable.reason
        except OSError:
            problem = "unreadable"
    return FileValues(item.role, item.key, item.written, item.path, item.source, numbers, problem)


def numbers_of(path: str, contents: Contents, classes: int | None, world: World) -> Numbers:
    """What the numbers of a file say; `classes` is how many outputs its classifier should have.

    Raises:
        NoValues: they cannot be had, or are too many (`large`).
        OSError: the file cannot be read.
    """
    if sum(tensor.nbytes for tensor in contents.tensors) > MAX_BYTES:
        raise NoValues("large")
    found = []
    for number, tensor in enumerate(contents.tensors):
        world.progress("WeightValues", number, len(contents.tensors))
        found.append(statistics_of(path, contents, tensor))
    return Numbers(tuple(found), _head(path, contents, classes) if classes else None)


def _head(path: str, contents: Contents, classes: int) -> Head | None:
    pair = classifier(contents.tensors, classes)
    if pair is None:
        return None
    weight, bias = pair
    if weight.dtype not in ("float16", "bfloat16", "float32"):
        return Head(weight.name, bias.name if bias else None, None)

    def array(tensor: Tensor) -> numpy.ndarray:
        return array_for(path, contents, tensor)

    draw = drawn(array(weight), array(bias) if bias else None, inputs_of(weight.shape), classes)
    return Head(weight.name, bias.name if bias else None, draw)
