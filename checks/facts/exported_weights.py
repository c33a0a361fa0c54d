"""`ExportedWeights`: the values that lie beside each exported program, named through the program."""

from __future__ import annotations

from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.inference_model import InferenceModel, InferenceModels, Role
from checks.model import Location
from checks.tensors.model import Contents, Tensor
from checks.tensors.programs import Program

Problem = Literal["missing", "unreadable", "unread", "not-static", "cut", "broken", "count", "type", "shape"]
"""No file; one that cannot be opened, or whose content is not known; one that holds other things than a static graph's values; one that ends
within a value, or goes on with something else; another number of values than the program has parameters; a value of another type or shape."""


class ExportedFile(msgspec.Struct, frozen=True):
    """The parameters of one exported model.

    `contents` are named through `program`, and None where `problem` says why that cannot be. `stored` counts the values in the file. `parameter`
    is the first one that does not fit, `wanted` its shape and type in the program, `found` that in the file.
    """

    role: Role
    written: str
    path: str
    source: Location
    program: Program
    contents: Contents | None
    problem: Problem | None
    stored: int = 0
    parameter: str | None = None
    wanted: str | None = None
    found: str | None = None


class ExportedWeights(Fact, frozen=True):
    """The parameters of every exported model whose program can be read."""

    files: tuple[ExportedFile, ...]

    @property
    def main(self) -> ExportedFile | None:
        """Those of the classifier."""
        return next((file for file in self.files if file.role == "cls"), None)


@collects(ExportedWeights, deadline=20.0)
def collect_exported_weights(models: InferenceModels, world: World) -> ExportedWeights:
    """Read names, shapes and places; no values.

    Raises:
        Unreadable: there is no program that can be read.
    """
    files = tuple(file for model in models.models if (file := _file(model, world)) is not None)
    if not files:
        raise Unreadable("no-readable-program")
    return ExportedWeights(files)


def _file(model: InferenceModel, world: World) -> ExportedFile | None:
    program, path = model.program, model.parameters_file
    if program is None or path is None:
        return None
    from checks.tensors.read import NotTensors, read_contents  # few runs name an export

    about = (model.role, model.written, path, model.source, program)
    if world.unread(path):
        return ExportedFile(*about, None, "unread")
    try:
        contents = read_contents(path)
    except NotTensors as error:
        problem: Problem = "missing" if error.reason == "missing" else "unreadable" if error.reason == "unreadable" else "not-static"
        return ExportedFile(*about, None, problem)
    if contents.format != "static":
        return ExportedFile(*about, None, "not-static")
    stored = len(contents.tensors)
    if contents.flaw is not None:
        return ExportedFile(*about, None, "cut" if contents.flaw == "cut" else "broken", stored)
    for tensor, parameter in zip(contents.tensors, program.parameters, strict=False):
        case: Problem | None = "shape" if tensor.shape != parameter.shape else "type" if tensor.dtype != parameter.dtype else None
        if case is not None:
            shown = (described(parameter.shape, parameter.dtype), described(tensor.shape, tensor.dtype))
            return ExportedFile(*about, None, "count" if stored != len(program.parameters) else case, stored, parameter.name, *shown)
    if stored != len(program.parameters):
        return ExportedFile(*about, None, "count", stored)
    return ExportedFile(*about, named(contents, program), None, stored)


def named(contents: Contents, program: Program) -> Contents:
    """The values of a static graph with the names of the program's parameters; there are as many of the one as of the other."""
    pairs = zip(contents.tensors, program.parameters, strict=True)
    return msgspec.structs.replace(contents, tensors=tuple(_renamed(tensor, parameter.name) for tensor, parameter in pairs))


def _renamed(tensor: Tensor, name: str) -> Tensor:
    return msgspec.structs.replace(tensor, name=name)


def described(shape: tuple[int, ...], dtype: str) -> str:
    """`1280×5 float32`."""
    return f"{'×'.join(map(str, shape)) or '1'} {dtype}".strip()
