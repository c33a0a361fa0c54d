"""Transforms that change the size of an image: resizing, cropping, padding, turning."""

from __future__ import annotations

from checks.facts import transform_values as values
from checks.facts.image_state import Fails, ImageState, Unforeseeable
from checks.facts.transform_run import Run, needs_array, needs_bytes_for_pil, needs_image


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


def resize_image(state: ImageState, run: Run) -> ImageState:
    """PaddleClas's ResizeImage."""
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
        needs_bytes_for_pil(state)
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


def crop_image(state: ImageState, run: Run) -> ImageState:
    """CropImage, and RandomCropImage, whose place is drawn."""
    width, height = values.width_height(run.get("size"))
    needs_array(state)
    _check_crop(state, run, height, width)
    return state.sized(height, width)


def random_crop_v2(state: ImageState, run: Run) -> ImageState:
    """RandCropImageV2."""
    width, height = values.width_height(run.get("size"))
    needs_image(state)
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


def rand_crop(state: ImageState, run: Run) -> ImageState:
    """RandCropImage: a random piece, resized."""
    width, height = values.width_height(run.get("size"))
    _positive_pair(run, "scale")
    _positive_pair(run, "ratio")
    _, backend = _resampling(run)
    needs_array(state)
    if backend == "pil":
        needs_bytes_for_pil(state)
    return state.sized(height, width).but(read_only=backend == "pil")


def rot90(state: ImageState, run: Run) -> ImageState:
    """RandomRot90."""
    del run
    if state.kind != "array" or state.axes != "hwc":
        raise Unforeseeable
    if state.height is not None and state.height == state.width:
        return state
    return state.sized(None, None, state.shorter)


def rotation(state: ImageState, run: Run) -> ImageState:
    """RandomRotation."""
    degrees = run.get("degrees")
    if (isinstance(degrees, (int, float)) and degrees < 0) or (isinstance(degrees, list) and len(degrees) != 2):
        raise Fails("value", "degrees", value=degrees)
    needs_image(state)
    return state.sized(None, None) if run.get("expand") else state


def padv2(state: ImageState, run: Run) -> ImageState:
    """Padv2."""
    width, height = values.width_height(run.get("size"))
    if run.get("pad_mode") not in (-1, 0, 1, 2):
        raise Fails("value", "pad_mode", value=run.get("pad_mode"))
    needs_array(state)
    larger = state.height is not None and state.width is not None and (state.height > height or state.width > width)
    if larger or (state.shorter is not None and state.shorter > min(width, height)):
        raise Fails("value", "size", value=run.get("size"))
    return state.sized(height, width).but(dtype="float32", read_only=False)


def pad(state: ImageState, run: Run) -> ImageState:
    """Pad."""
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


def pad_paddle(state: ImageState, run: Run) -> ImageState:
    """Paddle's Pad."""
    needs_image(state)
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


def resize(state: ImageState, run: Run) -> ImageState:
    """Paddle's Resize."""
    size = _height_width(run, lone_is_square=False)
    needs_image(state)
    if isinstance(size, tuple):
        return state.sized(*size).but(read_only=state.kind == "pil")
    if state.height and state.width:
        height, width = state.height, state.width
        return state.sized(size, size * width // height) if height <= width else state.sized(size * height // width, size)
    return state.sized(None, None, size).but(even=state.even)


def center_crop(state: ImageState, run: Run) -> ImageState:
    """Paddle's CenterCrop."""
    if isinstance(size := run.get("size"), float) and size >= 1:
        run.params["size"] = int(size)  # as the transform itself does
    elif isinstance(size, list) and any(isinstance(item, float) for item in size):
        raise Unforeseeable
    height, width = _height_width(run, lone_is_square=True)  # type: ignore[misc]  # two numbers, as asked
    needs_image(state)
    if state.kind == "array":
        _check_crop(state, run, height, width)
    return state.sized(height, width)


def random_resized_crop(state: ImageState, run: Run) -> ImageState:
    """Paddle's RandomResizedCrop."""
    height, width = _height_width(run, lone_is_square=True)  # type: ignore[misc]  # two numbers, as asked
    needs_image(state)
    return state.sized(height, width)


def crop_at_ratio(state: ImageState, run: Run) -> ImageState:
    """CropImageAtRatio."""
    size = values.side(run.get("size"))
    if not isinstance(run.get("pad"), (int, float)):
        raise Unforeseeable
    needs_array(state)
    return state.sized(size, size).but(read_only=False)
