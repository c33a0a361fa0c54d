"""A transform at work on an image, and what transforms ask of the image they are handed."""

from __future__ import annotations

from typing import Any

from checks.facts import transform_values as values
from checks.facts.image_state import Fails, ImageState, Trouble, TroubleKind


class Run:
    """One transform at work: its place, its parameters with the defaults filled in, and what is to be noted about it."""

    def __init__(self, index: int, name: str, params: dict[str, Any], dialect: str) -> None:
        self.index = index
        self.name = name
        self.given = params
        self.params = {**values.DEFAULTS.get(name, {}), **params}
        self.dialect = dialect
        self.notes: list[Trouble] = []

    def get(self, parameter: str, default: Any = None) -> Any:
        """A parameter's value."""
        return self.params.get(parameter, default)

    def note(self, kind: TroubleKind, parameter: str | None = None, always: bool = False, **shown: Any) -> None:
        """Remember what befalls some of the images, or is merely odd."""
        self.notes.append(Trouble(kind, self.index, always, parameter, shown))

    def sometimes(self, failure: Fails) -> None:
        """A failure of a transform that acts at random."""
        self.notes.append(Trouble(failure.kind, self.index, False, failure.parameter, failure.values))


def needs_array(state: ImageState) -> None:
    """Only a numpy array of height, width and channels will do."""
    if state.kind != "array":
        raise Fails("kind", takes="array", gets=state.kind)
    if state.axes != "hwc":
        raise Fails("layout")


def needs_image(state: ImageState) -> None:
    """An array of height, width and channels will do, or a PIL image."""
    if state.axes != "hwc":
        raise Fails("layout")


def needs_bytes_for_pil(state: ImageState) -> None:
    """`PIL.Image.fromarray` takes 8-bit arrays of height, width and channels only."""
    if state.kind == "array" and state.dtype != "uint8":
        raise Fails("dtype", dtype=state.dtype)
    if state.axes != "hwc":
        raise Fails("layout")
