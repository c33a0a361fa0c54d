"""What each transform of PaddleClas makes of an image.

Sources: `ppcls/data/preprocess` of 2.2 to develop, `ppcls/data/imaug` of 2.0 and 2.1, `deploy/python/preprocess.py`, and for the ones that
they take from there `paddle.vision.transforms`.

A model takes the image's state and the parameters and returns the state afterwards. `Fails` says that the real one raises an exception or
makes of every image something that no network takes; what befalls only some images is noted in `Run.notes`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from checks.facts import transform_values as values
from checks.facts.image_state import Fails, ImageState, Trouble, TroubleKind, Unforeseeable

BATCH_OPERATORS = frozenset({"MixupOperator", "CutmixOperator", "FmixOperator", "OpSampler", "MixupCutmixHybrid"})


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


Model = Callable[[ImageState, Run], ImageState]


def apply(state: ImageState, run: Run) -> ImageState:
    """The image after a transform.

    Raises:
        Fails: the transform cannot take the image, or cannot be built.
        Unforeseeable: nobody can tell what comes out.
    """
    if run.name in BATCH_OPERATORS and run.dialect != "deploy":
        raise Fails("batch-operator")
    model = MODELS.get(run.name)
    if model is None or (run.dialect == "deploy" and run.name not in DEPLOYED):
        raise Unforeseeable
    if state.kind == "bytes" and run.name != "DecodeImage":
        if run.name in SOMETIMES and not _certain(run):
            run.note("not-decoded")
            return state
        raise Fails("not-decoded")
    if state.kind == "tensor" and run.name not in TAKES_TENSORS:
        raise Unforeseeable
    return model(state, run)


def _certain(run: Run) -> bool:
    """Whether a transform that acts with some probability does so every time."""
    chance = run.get("prob", run.get("p", run.get("EPSILON")))
    return isinstance(chance, (int, float)) and chance >= 1


def _array(state: ImageState) -> None:
    """Only a numpy array of height, width and channels will do."""
    if state.kind != "array":
        raise Fails("kind", takes="array", gets=state.kind)
    if state.axes != "hwc":
        raise Fails("layout")


def _image(state: ImageState) -> None:
    """An array of height, width and channels will do, or a PIL image."""
    if state.axes != "hwc":
        raise Fails("layout")


def _to_pil(state: ImageState) -> None:
    """`PIL.Image.fromarray` takes 8-bit arrays of height, width and channels only."""
    if state.kind == "array" and state.dtype != "uint8":
        raise Fails("dtype", dtype=state.dtype)
    if state.axes != "hwc":
        raise Fails("layout")


def _decode(state: ImageState, run: Run) -> ImageState:
    backend = run.get("backend")
    if not isinstance(backend, str):
        raise Fails("value", "backend", value=backend)
    backend = "pil" if backend.lower() == "pil" else "cv2"
    to_np, to_rgb, first = (bool(run.get(p)) for p in ("to_np", "to_rgb", "channel_first"))
    if run.dialect == "deploy":
        if state.kind != "bytes":
            raise Fails("decoded-again")
        backend, to_np = "cv2", True
    if state.kind == "tensor" or (state.kind == "pil" and backend == "cv2") or (state.kind == "array" and backend == "pil"):
        raise Fails("kind", takes="bytes", gets=state.kind)
    if not to_np and first:
        raise Unforeseeable  # up to 2.5 the channels come first all the same
    if state.kind == "array":
        if state.axes != "hwc":
            raise Fails("layout")
        if to_np and to_rgb:
            run.note("decoded-again", "to_rgb", always=True)
            return state.but(colour={"rgb": "bgr", "bgr": "rgb"}.get(state.colour or ""), axes="chw" if first else "hwc")
        return state.but(axes="chw" if first and to_np else "hwc")
    if not to_np:
        # from 2.5.1 on `to_rgb` then counts for nothing: OpenCV's BGR stays; before, `to_np` itself did
        return state.but(kind="pil" if backend == "pil" else "array", colour="rgb" if backend == "pil" else None)
    return state.but(
        kind="array", colour="rgb" if to_rgb else "bgr", axes="chw" if first else "hwc", read_only=backend == "pil", dtype="uint8"
    )


def _resampling(run: Run) -> tuple[str, str]:
    backend = run.get("backend")
    if run.dialect == "deploy" and isinstance(backend, str) and backend.lower() not in ("cv2", "pil"):
        raise Fails("value", "backend", value=backend)  # where training warns, deployment dies of a name it does not know
    return values.interpolation(run.get("interpolation"), backend)


def _resized_short(state: ImageState, short: float) -> ImageState:
    if state.height and state.width:
        percent = short / min(state.height, state.width)
        return state.sized(round(state.height * percent), round(state.width * percent))
    found = state.sized(None, None, round(short))
    return found.but(even=state.even)


def _resize_image(state: ImageState, run: Run) -> ImageState:
    short, size = run.get("resize_short"), run.get("size")
    if short is not None and not isinstance(short, (int, float)):
        raise Fails("value", "resize_short", value=short)
    by_side = short is not None and short > 0
    if not by_side and size is None:
        raise Fails("value", "resize_short" if short is not None else None, value=short)
    width, height = (0, 0) if by_side else values.width_height(size, longer=True)
    _, backend = _resampling(run)
    if state.kind == "pil" and backend == "cv2":
        raise Fails("kind", takes="array", gets="pil")
    if backend == "pil":
        _to_pil(state)
    elif state.axes != "hwc":
        raise Fails("layout")
    elif state.dtype == "float16":
        raise Unforeseeable
    if by_side and size is not None:
        run.note("size-ignored", "size", always=True, size=size, resize_short=short)
    state = _resized_short(state, float(short or 0)) if by_side else state.sized(height, width)
    if state.shorter is not None and state.shorter < 1:
        raise Fails("value", "resize_short", value=short)
    if backend == "cv2":
        return state.but(read_only=False)
    return state.but(kind="array" if run.get("return_numpy") else "pil", read_only=True)


def _check_crop(state: ImageState, run: Run, height: int, width: int, slack: int = 0) -> None:
    """Whether a crop fits into the image; `slack` pixels more are let pass."""
    if state.height is not None and state.width is not None:
        if height > state.height + slack or width > state.width + slack:
            raise Fails("crop-too-large", "size", crop=[width, height], image=[state.width, state.height])
    elif state.shorter is not None:
        if min(height, width) > state.shorter + slack:
            raise Fails("crop-too-large", "size", crop=[width, height], image=[state.shorter])
        if max(height, width) > state.shorter + slack:
            run.note("crop-may-exceed", "size", crop=[width, height], image=[state.shorter])


def _crop_image(state: ImageState, run: Run) -> ImageState:
    width, height = values.width_height(run.get("size"))
    _array(state)
    _check_crop(state, run, height, width)
    return state.sized(height, width)


def _random_crop_v2(state: ImageState, run: Run) -> ImageState:
    width, height = values.width_height(run.get("size"))
    _image(state)
    _check_crop(state, run, height, width, slack=1)
    exact = (state.height, state.width) == (height, width)
    # the last possible corner lies one pixel too far, and a slice of an array that ends outside is shorter
    return state.sized(height, width).but(ragged=None if state.kind == "pil" or exact else run.index)


def _positive_pair(run: Run, parameter: str) -> None:
    found = run.get(parameter)
    if found is None:
        return
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(n, (int, float)) for n in found):
        raise Fails("value", parameter, value=found)
    if max(found) <= 0 or (parameter == "ratio" and min(found) <= 0):
        raise Fails("value", parameter, value=found)


def _rand_crop(state: ImageState, run: Run) -> ImageState:
    width, height = values.width_height(run.get("size"))
    _positive_pair(run, "scale")
    _positive_pair(run, "ratio")
    _, backend = _resampling(run)
    _array(state)
    if backend == "pil":
        _to_pil(state)
    return state.sized(height, width).but(read_only=backend == "pil")


def _flip(state: ImageState, run: Run) -> ImageState:
    code = run.get("flip_code")
    if code not in (-1, 0, 1):
        raise Fails("value", "flip_code", value=code)
    if state.axes != "hwc":
        run.note("layout")
    return state


def _flip_horizontally(state: ImageState, run: Run) -> ImageState:
    if state.kind == "array" and state.axes != "hwc":
        run.note("layout")
    return state


def _normalize_image(state: ImageState, run: Run) -> ImageState:
    scale = values.number(run.get("scale"), "scale", values.SCALE_255)
    mean = values.triple(run.get("mean"), "mean", values.IMAGENET_MEAN)
    std = values.triple(run.get("std"), "std", values.IMAGENET_STD)
    channels = run.get("channel_num")
    if channels not in (3, 4):
        raise Fails("value", "channel_num", value=channels)
    if 0.0 in std:
        raise Fails("value", "std", value=list(std))
    if state.kind == "tensor":
        raise Fails("kind", takes="array", gets="tensor")
    axes = "chw" if run.get("order") == "chw" else "hwc"
    if state.axes != axes:
        raise Fails("order" if state.axes in ("chw", "hwc") else "layout", "order", order=run.get("order"), axes=state.axes)
    if state.channels != 3:
        raise Fails("layout")
    state = _affine(state, scale, mean, std)
    dtype = "float16" if run.get("output_fp16") else "float32"
    return state.but(kind="array", dtype=dtype, channels=channels, read_only=False)


def _affine(state: ImageState, scale: float, mean: tuple[float, ...], std: tuple[float, ...]) -> ImageState:
    gain = tuple(g * scale / s for g, s in zip(state.gain, std, strict=True))
    offset = tuple((o * scale - m) / s for o, m, s in zip(state.offset, mean, std, strict=True))
    return state.but(gain=gain, offset=offset)


def _normalize(state: ImageState, run: Run) -> ImageState:
    mean, std = (
        (float(v),) * 3 if isinstance(v := run.get(p), (int, float)) else values.triple("None" if v is None else v, p, ())
        for p in ("mean", "std")
    )
    if 0.0 in std:
        raise Fails("value", "std", value=run.get("std"))
    axes = str(run.get("data_format")).lower()
    if run.get("to_rgb") or axes not in ("chw", "hwc"):
        raise Unforeseeable
    if state.axes != axes:
        raise Fails("order", "data_format", order=run.get("data_format"), axes=state.axes)
    kind = "tensor" if state.kind == "tensor" else "array"
    return _affine(state, 1.0, mean, std).but(kind=kind, dtype="float32", read_only=False)


def _to_tensor(state: ImageState, run: Run) -> ImageState:
    axes = run.get("data_format")
    if state.kind == "tensor" or axes not in ("CHW", "HWC"):
        raise Unforeseeable
    if state.dtype == "uint8":
        state = _affine(state, values.SCALE_255, (0.0,) * 3, (1.0,) * 3).but(dtype="float32")
    return state.but(kind="tensor", axes=transposed(state.axes) if axes == "CHW" else state.axes)


def transposed(axes: str) -> str:
    """The axes after `transpose((2, 0, 1))`."""
    return axes[2] + axes[0] + axes[1]


def _to_chw(state: ImageState, run: Run) -> ImageState:
    del run
    return state.but(axes=transposed(state.axes), kind="array" if state.kind == "pil" else state.kind)


def _policy(state: ImageState, run: Run) -> ImageState:
    """AutoAugment and its kin: to a PIL image, and back to an array that must not be written to."""
    del run
    _to_pil(state)
    return state.but(kind="array", read_only=True)


def _color_jitter(state: ImageState, run: Run) -> ImageState:
    prob = run.get("prob", 2)
    try:
        _to_pil(state)
    except Fails as failure:
        if isinstance(prob, (int, float)) and prob >= 1:
            raise
        if prob:
            run.sometimes(failure)
        return state
    if state.kind == "pil" and not (isinstance(prob, (int, float)) and prob >= 1):
        raise Unforeseeable  # an array now, a PIL image then
    return state.but(kind="array", read_only=True)


def _augmix(state: ImageState, run: Run) -> ImageState:
    prob = run.get("prob", 0.5)
    failure = None
    if state.kind != "array":
        failure = Fails("kind", takes="array", gets=state.kind)
    else:
        try:
            _to_pil(state)
        except Fails as found:
            failure = found
    if failure is not None:
        if isinstance(prob, (int, float)) and prob >= 1:
            raise failure
        run.sometimes(failure)
    return state.but(kind="array", read_only=False)


def _erasing(state: ImageState, run: Run) -> ImageState:
    chance = run.get("EPSILON", 0.5)
    chance = values.number(chance, "EPSILON", 0.5)
    ratio = values.number(run.get("r1"), "r1", 0.3)
    if ratio <= 0:
        raise Fails("value", "r1", value=run.get("r1"))
    if run.get("mode") not in ("const", "rand", "pixel"):
        raise Fails("value", "mode", value=run.get("mode"))
    failure = None
    if state.kind == "pil":
        failure = Fails("kind", takes="array", gets="pil")
    elif state.read_only:
        failure = Fails("read-only")
    elif state.kind == "array" and state.axes != "hwc" and run.dialect == "train" and run.get("mode") == "const":
        failure = Fails("layout")
    if failure is not None and chance > 0:
        if chance >= 1:
            raise failure
        run.sometimes(failure)
    return state


def _hide(state: ImageState, run: Run) -> ImageState:
    if state.kind == "pil":
        raise Fails("kind", takes="array", gets="pil")
    if state.read_only and run.name == "HideAndSeek":
        run.note("read-only")
    return state


def _rot90(state: ImageState, run: Run) -> ImageState:
    del run
    if state.kind != "array":
        raise Unforeseeable
    if state.axes != "hwc":
        raise Fails("layout")
    if state.height is not None and state.height == state.width:
        return state
    return state.sized(None, None, state.shorter)


def _rotation(state: ImageState, run: Run) -> ImageState:
    _image(state)
    return state.sized(None, None) if run.get("expand") else state


def _pca(state: ImageState, run: Run) -> ImageState:
    del run
    _array(state)
    return state.but(dtype="float32" if state.dtype == "uint8" else state.dtype, read_only=False)


def _padv2(state: ImageState, run: Run) -> ImageState:
    width, height = values.width_height(run.get("size"))
    if run.get("pad_mode") not in (-1, 0, 1, 2):
        raise Fails("value", "pad_mode", value=run.get("pad_mode"))
    _array(state)
    larger = state.height is not None and state.width is not None and (state.height > height or state.width > width)
    if larger or (state.shorter is not None and state.shorter > min(width, height)):
        raise Fails("value", "size", value=run.get("size"))
    return state.sized(height, width).but(dtype="float32", read_only=False)


def _pad(state: ImageState, run: Run) -> ImageState:
    backend, padding = run.get("backend"), run.get("padding")
    if backend not in ("pil", "cv2"):
        raise Fails("value", "backend", value=backend)
    if (state.kind == "pil") != (backend == "pil"):
        raise Fails("kind", "backend", takes="pil" if backend == "pil" else "array", gets=state.kind)
    if state.axes != "hwc":
        raise Fails("layout")
    if type(padding) is not int:
        raise Unforeseeable
    if state.height is not None and state.width is not None:
        return state.sized(state.height + 2 * padding, state.width + 2 * padding).but(read_only=False)
    shorter = None if state.shorter is None else state.shorter + 2 * padding
    return state.sized(None, None, shorter).but(even=state.even, read_only=False)


def _pad_paddle(state: ImageState, run: Run) -> ImageState:
    _image(state)
    padding = run.get("padding")
    items = padding if isinstance(padding, list) else [padding] * 4
    if len(items) == 2:
        items = items * 2
    if len(items) != 4 or not all(type(item) is int for item in items):
        raise Fails("value", "padding", value=padding)
    left, top, right, bottom = items
    if state.height is not None and state.width is not None:
        return state.sized(state.height + top + bottom, state.width + left + right)
    return state.sized(None, None).but(even=state.even)


def _height_width(run: Run, lone_is_square: bool) -> tuple[int, int] | int:
    size = run.get("size")
    if isinstance(size, list):
        if len(size) != 2:
            raise Fails("value", "size", value=size)
        return values.side(size[0], "size", size), values.side(size[1], "size", size)
    one = values.side(size)
    return (one, one) if lone_is_square else one


def _resize(state: ImageState, run: Run) -> ImageState:
    size = _height_width(run, lone_is_square=False)
    _image(state)
    if isinstance(size, tuple):
        return state.sized(*size).but(read_only=state.kind == "pil")
    if state.height and state.width:
        height, width = state.height, state.width
        return state.sized(size, size * width // height) if height <= width else state.sized(size * height // width, size)
    return state.sized(None, None, size).but(even=state.even)


def _center_crop(state: ImageState, run: Run) -> ImageState:
    if isinstance(size := run.get("size"), float) and size >= 1:
        run.params["size"] = int(size)  # as the transform itself does
    height, width = _height_width(run, lone_is_square=True)  # type: ignore[misc]  # two numbers, as asked
    _image(state)
    if state.kind == "array":
        _check_crop(state, run, height, width)
    return state.sized(height, width)


def _random_resized_crop(state: ImageState, run: Run) -> ImageState:
    height, width = _height_width(run, lone_is_square=True)  # type: ignore[misc]  # two numbers, as asked
    _image(state)
    return state.sized(height, width)


def _at_ratio(state: ImageState, run: Run) -> ImageState:
    size = values.side(run.get("size"))
    if not isinstance(run.get("pad"), (int, float)):
        raise Unforeseeable
    _array(state)
    return state.sized(size, size).but(read_only=False)


def _grayscale(state: ImageState, run: Run) -> ImageState:
    del run
    if state.kind != "pil":
        raise Fails("kind", takes="pil", gets=state.kind)
    return state


def _cutout(state: ImageState, run: Run) -> ImageState:
    del run
    if state.kind == "pil":
        raise Fails("kind", takes="array", gets="pil")
    return state


def _same(state: ImageState, run: Run) -> ImageState:
    del run
    _image(state)
    return state


MODELS: dict[str, Model] = {
    "AugMix": _augmix,
    "AutoAugment": _policy,
    "CenterCrop": _center_crop,
    "ColorJitter": _color_jitter,
    "CropImage": _crop_image,
    "CropImageAtRatio": _at_ratio,
    "Cutout": _cutout,
    "DecodeImage": _decode,
    "GridMask": _hide,
    "HideAndSeek": _hide,
    "Normalize": _normalize,
    "NormalizeImage": _normalize_image,
    "PCALighting": _pca,
    "Pad": _pad,
    "Pad_paddle_vision": _pad_paddle,
    "Padv2": _padv2,
    "RandAugment": _policy,
    "RandAugmentV2": _policy,
    "RandAugmentV3": _policy,
    "RandAugmentV4": _policy,
    "RandCropImage": _rand_crop,
    "RandCropImageV2": _random_crop_v2,
    "RandFlipImage": _flip,
    "RandomApply": _same,
    "RandomCropImage": _crop_image,
    "RandomErasing": _erasing,
    "RandomGrayscale": _grayscale,
    "RandomHorizontalFlip": _flip_horizontally,
    "RandomInterpolationAugment": _same,
    "RandomResizedCrop": _random_resized_crop,
    "RandomRot90": _rot90,
    "RandomRotation": _rotation,
    "Resize": _resize,
    "ResizeImage": _resize_image,
    "TimmAutoAugment": _policy,
    "ToCHWImage": _to_chw,
    "ToTensor": _to_tensor,
}
"""Transform → what it does to an image."""

RANDOM = frozenset(MODELS) - {
    "CenterCrop",
    "CropImage",
    "CropImageAtRatio",
    "DecodeImage",
    "Normalize",
    "NormalizeImage",
    "Pad",
    "Pad_paddle_vision",
    "Padv2",
    "Resize",
    "ResizeImage",
    "ToCHWImage",
    "ToTensor",
}
"""Transforms that act at random: augmentation."""

DEPLOYED = frozenset(
    {
        "CenterCrop",
        "CropImage",
        "DecodeImage",
        "Normalize",
        "NormalizeImage",
        "RandCropImage",
        "RandFlipImage",
        "Resize",
        "ResizeImage",
        "ToCHWImage",
        "ToTensor",
    }
)
"""The transforms that `deploy/python/preprocess.py` has (develop); its AutoAugment dies of a name that it does not know."""

SOMETIMES = frozenset(
    {
        "GridMask",
        "RandFlipImage",
        "RandomApply",
        "RandomErasing",
        "RandomHorizontalFlip",
        "RandomInterpolationAugment",
        "RandomRot90",
        "RandomRotation",
    }
)
"""Transforms that hand some images on without a look at them."""

TAKES_TENSORS = frozenset({"DecodeImage", "Normalize", "NormalizeImage", "RandomErasing", "RandomHorizontalFlip", "ToCHWImage", "ToTensor"})
"""Transforms whose way with a paddle tensor is known."""
