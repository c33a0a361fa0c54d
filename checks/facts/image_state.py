"""What a transform is handed and what it gives back: one image on its way from the bytes of a file to the batch."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["bytes", "array", "pil", "tensor"]
"""The bytes of a file, a numpy array, a PIL image, or a paddle tensor."""

Colour = Literal["rgb", "bgr"]

TroubleKind = Literal[
    "not-decoded",
    "decoded-again",
    "kind",
    "dtype",
    "layout",
    "order",
    "value",
    "crop-too-large",
    "crop-may-exceed",
    "read-only",
    "batch-operator",
    "sample-operator",
    "size-ignored",
    "shrinks-sometimes",
    "final-kind",
    "final-layout",
    "final-uint8",
]


CONTRAST_MAX = 20.0
"""How far black and white may lie apart after normalisation. In the 8,600 lists PaddleClas ships it is 1.0 to 5.2; in values that were never
divided by 255 it is 255 and more."""
CONTRAST_MIN = 0.2
"""How near they may lie. Normalised twice they are 0.08 apart."""
FARTHEST = 10.0
"""How far from 0 the nearer of black and white may lie after normalisation; in the lists PaddleClas ships 0 lies between them."""


class ImageState(msgspec.Struct, frozen=True):
    """An image between two transforms.

    `axes` names the dimensions in their order (`hwc`, after `ToCHWImage` `chw`; a second transpose makes `wch`). `height` and `width` are in
    pixels, None where they depend on the image; `shorter` is then the shorter side, where that one is known. `even` says that all images of
    a batch have one size, known or not. A value v of 0 … 255 in the file has become `v * gain + offset`, by channel. `colour` is None where
    it differs between branches of PaddleClas. `read_only` is memory that must not be written to, as `numpy.asarray` of a PIL
    image is. `ragged` is the place of a transform that now and then yields a smaller image than it should.
    """

    kind: Kind
    axes: str = "hwc"
    height: int | None = None
    width: int | None = None
    shorter: int | None = None
    even: bool = False
    channels: int = 3
    dtype: str = "uint8"
    colour: Colour | None = "rgb"
    gain: tuple[float, ...] = (1.0, 1.0, 1.0)
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    read_only: bool = False
    ragged: int | None = None

    def but(self, **changes: Any) -> ImageState:
        """The same image with some of it changed."""
        return msgspec.structs.replace(self, **changes)

    def sized(self, height: int | None, width: int | None, shorter: int | None = None) -> ImageState:
        """The same image in another size."""
        if height is not None and width is not None:
            return self.but(height=height, width=width, shorter=min(height, width), even=True, ragged=None)
        return self.but(height=height, width=width, shorter=shorter, even=False)

    @property
    def low(self) -> float:
        """The smallest value a black or white pixel has become."""
        return min(min(o, g * 255.0 + o) for g, o in zip(self.gain, self.offset, strict=True))

    @property
    def high(self) -> float:
        """The largest value a black or white pixel has become."""
        return max(max(o, g * 255.0 + o) for g, o in zip(self.gain, self.offset, strict=True))

    @property
    def contrast(self) -> float:
        """How far black and white lie apart in the channel where that is most; 255 in the file."""
        return max(abs(g) for g in self.gain) * 255.0

    @property
    def shifted(self) -> bool:
        """Whether all values lie far on one side of 0."""
        return self.low > FARTHEST or self.high < -FARTHEST

    @property
    def plausible(self) -> bool:
        """Whether the values are of a size that networks are trained with."""
        return CONTRAST_MIN <= self.contrast <= CONTRAST_MAX and not self.shifted

    @property
    def normalised(self) -> bool:
        """Whether the values are no longer those of the file."""
        return self.dtype != "uint8" and (any(g != 1.0 for g in self.gain) or any(self.offset))

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The dimensions in their order, None where they depend on the image."""
        sizes = {"h": self.height, "w": self.width, "c": self.channels}
        return tuple(sizes[axis] for axis in self.axes)


class Trouble(msgspec.Struct, frozen=True):
    """What goes wrong at a transform.

    `index` is its place in the list, -1 for the list as a whole. `always` says that it does so with every image, not only with some.
    `parameter` is the parameter to blame, and `values` holds what the message shows.
    """

    kind: TroubleKind
    index: int
    always: bool = True
    parameter: str | None = None
    values: dict[str, Any] = {}


class Fails(Exception):  # a verdict on the transform, not an error of ours
    """Raised by the model of a transform that cannot take its image or was given impossible parameters."""

    def __init__(self, kind: TroubleKind, parameter: str | None = None, **values: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.parameter = parameter
        self.values = values


class Unforeseeable(Exception):  # a verdict as well
    """Raised where nobody can tell what comes out: a transform that is not known, a parameter that is code."""
