"""Transforms that change what the numbers of an image mean, or their order: decoding, normalising, augmenting."""

from __future__ import annotations

from checks.facts import transform_values as values
from checks.facts.image_state import Fails, ImageState, Unforeseeable
from checks.facts.transform_run import Run, needs_array, needs_bytes_for_pil, needs_image


def decode(state: ImageState, run: Run) -> ImageState:
    """DecodeImage."""
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
        raise Unforeseeable  # up to 2.4 the channels come first all the same
    if state.kind == "array":
        if state.axes != "hwc":
            if not to_np or not (to_rgb or first):
                return state
            raise Fails("layout")
        if to_np and to_rgb:
            run.note("decoded-again", "to_rgb", always=True)
            return state.but(colour={"rgb": "bgr", "bgr": "rgb"}.get(state.colour or ""), axes="chw" if first else "hwc")
        return state.but(axes="chw" if first and to_np else "hwc")
    if not to_np:
        # from 2.5 on `to_rgb` then counts for nothing: OpenCV's BGR stays; before, `to_np` itself did
        return state.but(kind="pil" if backend == "pil" else "array", colour="rgb" if backend == "pil" else None)
    return state.but(
        kind="array", colour="rgb" if to_rgb else "bgr", axes="chw" if first else "hwc", read_only=backend == "pil", dtype="uint8"
    )


def flip(state: ImageState, run: Run) -> ImageState:
    """RandFlipImage."""
    code = run.get("flip_code")
    if code not in (-1, 0, 1):
        raise Fails("value", "flip_code", value=code)
    if state.dtype == "float16":
        raise Unforeseeable
    if state.axes != "hwc":
        run.note("layout")
    return state


def flip_horizontally(state: ImageState, run: Run) -> ImageState:
    """Paddle's RandomHorizontalFlip."""
    if state.dtype == "float16":
        raise Unforeseeable
    if state.kind == "array" and state.axes != "hwc":
        run.note("layout")
    return state


def normalize_image(state: ImageState, run: Run) -> ImageState:
    """PaddleClas's NormalizeImage."""
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


def normalize(state: ImageState, run: Run) -> ImageState:
    """Paddle's Normalize."""
    mean, std = (
        (float(v),) * 3 if isinstance(v := run.get(p), (int, float)) else values.triple("None" if v is None else v, p, ())
        for p in ("mean", "std")
    )
    if 0.0 in std:
        raise Fails("value", "std", value=run.get("std"))
    for parameter in ("mean", "std"):
        found = run.get(parameter)
        if state.kind == "tensor" and isinstance(found, list) and any(isinstance(item, str) for item in found):
            raise Fails("value", parameter, value=found)
    if state.channels != 3:
        raise Fails("layout")
    axes = str(run.get("data_format")).lower()
    if run.get("to_rgb") or axes not in ("chw", "hwc"):
        raise Unforeseeable
    if state.axes != axes:
        raise Fails("order", "data_format", order=run.get("data_format"), axes=state.axes)
    kind = "tensor" if state.kind == "tensor" else "array"
    return _affine(state, 1.0, mean, std).but(kind=kind, dtype="float32", read_only=False)


def to_tensor(state: ImageState, run: Run) -> ImageState:
    """Paddle's ToTensor."""
    axes = run.get("data_format")
    if state.kind == "tensor" or axes not in ("CHW", "HWC"):
        raise Unforeseeable
    if state.dtype == "uint8":
        state = _affine(state, values.SCALE_255, (0.0,) * 3, (1.0,) * 3).but(dtype="float32")
    return state.but(kind="tensor", axes=transposed(state.axes) if axes == "CHW" else state.axes)


def transposed(axes: str) -> str:
    """The axes after `transpose((2, 0, 1))`."""
    return axes[2] + axes[0] + axes[1]


def to_chw(state: ImageState, run: Run) -> ImageState:
    """ToCHWImage."""
    del run
    return state.but(axes=transposed(state.axes), kind="array" if state.kind == "pil" else state.kind)


def policy(state: ImageState, run: Run) -> ImageState:
    """AutoAugment and its kin: to a PIL image, and back to an array that must not be written to."""
    if run.name == "TimmAutoAugment" and run.get("interpolation", "bicubic") not in ("bicubic", "bilinear", "random"):
        raise Unforeseeable  # some of its operators refuse other filters of Pillow's
    recipe = run.get("config_str")
    if run.name == "TimmAutoAugment" and isinstance(recipe, str) and not recipe.startswith(("rand", "augmix", "auto")):
        raise Fails("value", "config_str", value=recipe)
    needs_bytes_for_pil(state)
    return state.but(kind="array", read_only=True)


def color_jitter(state: ImageState, run: Run) -> ImageState:
    """ColorJitter."""
    prob = run.get("prob", 2)
    for parameter in ("brightness", "contrast", "saturation"):
        strength = run.get(parameter)
        if isinstance(strength, (int, float)) and strength < 0:
            raise Fails("value", parameter, value=strength)
    try:
        needs_bytes_for_pil(state)
    except Fails as failure:
        if isinstance(prob, (int, float)) and prob >= 1:
            raise
        if prob:
            run.sometimes(failure)
        return state
    if state.kind == "pil" and not (isinstance(prob, (int, float)) and prob >= 1):
        raise Unforeseeable  # an array now, a PIL image then
    return state.but(kind="array", read_only=True)


def augmix(state: ImageState, run: Run) -> ImageState:
    """AugMix."""
    prob = run.get("prob", 0.5)
    failure = None
    if state.kind != "array":
        failure = Fails("kind", takes="array", gets=state.kind)
    else:
        try:
            needs_bytes_for_pil(state)
        except Fails as found:
            failure = found
    if failure is not None:
        if isinstance(prob, (int, float)) and prob >= 1:
            raise failure
        run.sometimes(failure)
    return state.but(kind="array", read_only=False)


def erasing(state: ImageState, run: Run) -> ImageState:
    """RandomErasing."""
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


def hide(state: ImageState, run: Run) -> ImageState:
    """HideAndSeek and GridMask."""
    if state.kind == "pil":
        raise Fails("kind", takes="array", gets="pil")
    if state.read_only and run.name == "HideAndSeek":
        run.note("read-only")
    return state


def pca_lighting(state: ImageState, run: Run) -> ImageState:
    """PCALighting."""
    del run
    needs_array(state)
    return state.but(dtype="float32" if state.dtype == "uint8" else state.dtype, read_only=False)


def grayscale(state: ImageState, run: Run) -> ImageState:
    """RandomGrayscale."""
    del run
    if state.kind != "pil":
        raise Fails("kind", takes="pil", gets=state.kind)
    return state


def cutout(state: ImageState, run: Run) -> ImageState:
    """Cutout."""
    del run
    if state.kind == "pil":
        raise Fails("kind", takes="array", gets="pil")
    if state.axes != "hwc":
        raise Unforeseeable  # OpenCV draws on it from 2.5.2 on, and cannot
    return state


def same(state: ImageState, run: Run) -> ImageState:
    """Transforms that hand on an image of the same kind."""
    del run
    needs_image(state)
    return state
