"""Parameters of PaddleClas's transforms: what they are where a config leaves them out, and which values a transform dies of."""

from __future__ import annotations

import builtins
import math
from typing import Any

from checks.facts.image_state import Fails, Unforeseeable

SCALE_255 = 1.0 / 255.0
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

DEFAULTS: dict[str, dict[str, Any]] = {
    "DecodeImage": {"to_np": True, "to_rgb": True, "channel_first": False, "backend": "cv2"},
    "ResizeImage": {"size": None, "resize_short": None, "interpolation": None, "backend": "cv2", "return_numpy": True},
    "CropImage": {},
    "RandCropImage": {"scale": [0.08, 1.0], "ratio": [3 / 4, 4 / 3], "interpolation": None, "backend": "cv2"},
    "NormalizeImage": {"scale": None, "mean": None, "std": None, "order": "chw", "output_fp16": False, "channel_num": 3},
    "RandFlipImage": {"flip_code": 1},
    "RandomErasing": {"EPSILON": 0.5, "r1": 0.3, "mode": "const"},
    "Pad": {"padding": 0, "fill": 0, "backend": "pil"},
    "Padv2": {"size": None, "pad_mode": 0},
    "Resize": {"interpolation": "bilinear"},
    "CropWithPadding": {"prob": 1},
    "Normalize": {"mean": 0.0, "std": 1.0, "data_format": "CHW", "to_rgb": False},
    "ToTensor": {"data_format": "CHW"},
}
"""Transform → what its parameters are if not given (develop). Older branches: `DecodeImage.to_np` is False and without effect before
2.5; `interpolation` is a number of OpenCV's in 2.2 and before."""

CV2_INTERPOLATIONS = frozenset({"nearest", "bilinear", "area", "bicubic", "lanczos", "random"})
PIL_INTERPOLATIONS = frozenset({"nearest", "bilinear", "bicubic", "box", "lanczos", "hamming", "random"})


def arithmetic(text: str) -> float:
    """The number that an expression such as `1.0/255.0` is worth, computed without running anything.

    Raises:
        ValueError: Python itself could not read or compute it.
        Unforeseeable: it is more than arithmetic (a name, a call, a power).
    """
    import ast  # 1 ms, and many configs have no such string
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
        body: Any = tree.body
        if type(body).__name__ in ("Tuple", "List") and len(body.elts) == 1:
            body = body.elts[0]  # one number in brackets counts as that number
        value = _compute(body)
    except (SyntaxError, ZeroDivisionError, OverflowError, MemoryError, RecursionError, TypeError) as error:
        raise ValueError(text) from error
    return value


def _compute(node: Any) -> float:
    """The worth of a node of Python's syntax tree, told by the names of its classes."""
    import operator

    kind = type(node).__name__
    if kind == "Constant" and type(node.value) in (int, float):
        return node.value  # type: ignore[no-any-return]  # told by the line above
    if kind in ("Tuple", "List", "Constant"):
        raise ValueError("no number")
    if kind == "Name" and node.id.islower() and node.id not in _NAMES and node.id not in dir(builtins):
        raise ValueError(node.id)  # a NameError
    parts = {"BinOp": ("left", "right"), "UnaryOp": ("operand",)}.get(kind)
    name = _ARITHMETIC.get(type(node.op).__name__) if parts else None
    if parts is None or name is None:
        raise Unforeseeable
    return getattr(operator, name)(*(_compute(getattr(node, part)) for part in parts))  # type: ignore[no-any-return]  # an operator of numbers


_NAMES = frozenset(
    {
        "absolute_import", "augmentations", "cv2", "division", "functional", "importlib", "inspect", "io", "logger", "math", "mean", "np", "order",
        "output_fp16", "channel_num", "partial", "print_function", "random", "scale", "self", "six", "std", "unicode_literals",
    }
)  # fmt: skip
"""Names that the expression would find (`ppcls/data/preprocess/ops/operators.py` of all branches)."""

_ARITHMETIC = {
    "Add": "add",
    "Sub": "sub",
    "Mult": "mul",
    "Div": "truediv",
    "FloorDiv": "floordiv",
    "Mod": "mod",
    "USub": "neg",
    "UAdd": "pos",
}


def number(value: Any, parameter: str, default: float) -> float:
    """A number, or a string that PaddleClas evaluates to one."""
    if value is None:
        return default
    if isinstance(value, str):
        try:
            return float(arithmetic(value))
        except (ValueError, OverflowError):
            raise Fails("value", parameter, value=value) from None
    if isinstance(value, (int, float)):
        return float(value)
    raise Unforeseeable


def triple(value: Any, parameter: str, default: tuple[float, ...]) -> tuple[float, ...]:
    """Three numbers, one for each channel, as `numpy.array(value).reshape((1, 1, 3))` takes them."""
    if value is None:
        return default
    items = value if isinstance(value, list) else [value]
    try:
        numbers = tuple(float(item) for item in items)
    except (TypeError, ValueError):
        if any(isinstance(item, list) for item in items):
            raise Unforeseeable from None
        raise Fails("value", parameter, value=value) from None
    if len(numbers) != 3 or not all(math.isfinite(n) for n in numbers):
        raise Fails("value", parameter, value=value)
    return numbers


def side(value: Any, parameter: str = "size", whole: Any = None) -> int:
    """One side of a size in pixels; a whole number above 0."""
    if type(value) is not int or value <= 0:
        raise Fails("value", parameter, value=value if whole is None else whole)
    return value


def width_height(value: Any, parameter: str = "size", longer: bool = False) -> tuple[int, int]:
    """A size as PaddleClas's own transforms read it: one number, or width and height (with `longer`, whatever follows is ignored)."""
    if isinstance(value, list):
        if len(value) < 2 or (len(value) > 2 and not longer):
            raise Fails("value", parameter, value=value)
        return side(value[0], parameter, value), side(value[1], parameter, value)
    one = side(value, parameter)
    return one, one


def interpolation(value: Any, backend: Any, parameter: str = "interpolation") -> tuple[str, str]:
    """The interpolation and backend that `UnifiedResize` ends up with.

    A backend that it does not know is replaced by OpenCV's bilinear. A number (2.2 and before) is OpenCV's or PIL's own and kept as it is.
    """
    if not isinstance(backend, str):
        raise Fails("value", "backend", value=backend)
    chosen = backend.lower()
    if chosen not in ("cv2", "pil"):
        return "bilinear", "cv2"
    if value is None:
        return "bilinear", chosen
    if isinstance(value, str):
        if value.lower() not in (CV2_INTERPOLATIONS if chosen == "cv2" else PIL_INTERPOLATIONS):
            raise Fails("value", parameter, value=value)
        return value.lower(), chosen
    names = {0: "nearest", 1: "bilinear", 2: "bicubic", 3: "area", 4: "lanczos"} if chosen == "cv2" else {}
    return names.get(value, str(value)) if isinstance(value, int) else str(value), chosen
