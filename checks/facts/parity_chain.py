"""The steps of both pre-processings side by side, and which of their differences make the difference.

A chain is a list of (side, op name, parameters): mixed chains, with some of the deploy side's parameters put right, are run on both sides' real ops.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from typing import Any, Literal

import msgspec

from checks.facts.parity import Cause, CauseKind, Op, RungName, Step

SideName = Literal["train", "deploy"]

STEPS: dict[str, Step] = {
    "DecodeImage": "decode",
    "ResizeImage": "resize",
    "Resize": "resize",
    "CropImage": "crop",
    "CenterCrop": "crop",
    "RandCropImage": "crop",
    "RandCropImageV2": "crop",
    "CropImageAtRatio": "crop",
    "NormalizeImage": "normalize",
    "Normalize": "normalize",
    "ToCHWImage": "layout",
    "ToTensor": "layout",
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "DecodeImage": {"to_rgb": True, "to_np": True, "channel_first": False, "backend": "cv2"},
    "ResizeImage": {"size": None, "resize_short": None, "interpolation": None, "backend": "cv2", "return_numpy": True},
    "CropImage": {"size": None},
    "NormalizeImage": {
        "scale": 1 / 255,
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "order": "chw",
        "output_fp16": False,
        "channel_num": 3,
    },
    "ToCHWImage": {},
}
"""What ops take where a config is silent (`operators.py` and `deploy/python/preprocess.py`, 2.2 to develop)."""

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {ast.Div: operator.truediv, ast.Mult: operator.mul}


def step_of(name: str) -> Step:
    """What an op does."""
    return STEPS.get(name, "other")


def rung_of(step: Step) -> RungName:
    """The rung that a step belongs to."""
    if step in ("read", "decode"):
        return "decoded"
    return "tensor" if step in ("normalize", "layout") else "resized"


def ops_of(specs: Any, key: str) -> tuple[Op, ...]:
    """The ops of a list of a config; what is no op is left to the user's code to refuse."""
    found = []
    for number, spec in enumerate(specs if isinstance(specs, list) else ()):
        if isinstance(spec, dict) and len(spec) == 1:
            ((name, given),) = spec.items()
            found.append(Op(str(name), step_of(str(name)), f"{key}.{number}", given if isinstance(given, dict) else {}))
        else:
            found.append(Op(str(spec)[:80], "other", f"{key}.{number}"))
    return tuple(found)


def marks_of(ops: Iterable[Op]) -> dict[int, str]:
    """After which op (by number) an array is one of a rung: `decoded`, `resized`, `tensor`."""
    ops = list(ops)
    marks: dict[int, str] = {}
    first = next((n for n, op in enumerate(ops) if op.step in ("normalize", "layout")), len(ops))
    decode = next((n for n, op in enumerate(ops) if op.step == "decode"), None)
    if decode is not None:
        marks[decode] = "decoded"
    if first - 1 >= 0 and first - 1 not in marks and first < len(ops):
        marks[first - 1] = "resized"
    if ops:
        marks[len(ops) - 1] = "tensor"
    return marks


def meant(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an op as they take effect: defaults filled in, spellings made one."""
    known = DEFAULTS.get(name)
    values = {**(known or {}), **parameters}
    if name in ("ResizeImage", "CropImage") and type(values.get("size")) is int:
        values["size"] = [values["size"]] * 2
    if name == "ResizeImage":
        short = values.get("resize_short")
        short = short if isinstance(short, (int, float)) and short > 0 else None
        values["resize_short"] = short
        values["size"] = None if short is not None else values["size"]
        values["interpolation"] = str(values["interpolation"] or "bilinear").lower()
        values.pop("return_numpy", None)
    if "backend" in values:
        values["backend"] = str(values["backend"]).lower()
    if name == "NormalizeImage":
        values["scale"] = _number(values["scale"]) if values["scale"] is not None else 1 / 255
        values["order"] = "chw" if values["order"] == "chw" else "hwc"
        for each in ("mean", "std"):
            default = DEFAULTS[name][each]
            values[each] = list(values[each]) if isinstance(values[each], (list, tuple)) else values[each] or default
    return values


def _number(value: Any) -> Any:
    """`1.0/255.0` as a number; PaddleClas evaluates it."""

    def reckon(node: ast.expr) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return float(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return float(_OPERATORS[type(node.op)](reckon(node.left), reckon(node.right)))
        raise ValueError

    if not isinstance(value, str) or len(value) > 100:
        return value
    try:
        return reckon(ast.parse(value.strip(), mode="eval").body)
    except (ValueError, SyntaxError, ZeroDivisionError, RecursionError, MemoryError):
        return value


def _same(one: Any, other: Any) -> bool:
    if (isinstance(one, float) and isinstance(other, (int, float))) or (isinstance(other, float) and isinstance(one, (int, float))):
        return abs(one - other) <= 1e-6 * max(abs(one), abs(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


class Unit(msgspec.Struct, frozen=True):
    """One difference that can be put right by itself: of a pair of ops some parameters, a whole op, or the order."""

    kind: CauseKind
    step: Step
    pair: int
    names: tuple[str, ...] = ()


class Chains:
    """Both lists of ops without decoding, paired, with their differences; `chain` is the deploy side's with some of them put right."""

    def __init__(self, train: Iterable[Op], deploy: Iterable[Op]) -> None:
        ours = [op for op in train if op.step != "decode"]
        theirs = [op for op in deploy if op.step != "decode"]
        self.pairs: list[tuple[Op | None, Op | None]] = []
        free = list(theirs)
        for op in ours:
            same = next((other for other in free if other.name == op.name), None)
            same = same or next((other for other in free if other.step == op.step and op.step != "other"), None)
            if same is not None:
                free = [other for other in free if other is not same]
            self.pairs.append((op, same))
        self.pairs += [(None, op) for op in free]
        self.theirs = [self._pair_of(op, 1) for op in theirs]
        self.ours = [self._pair_of(op, 0) for op in ours]
        self.units = list(self._units())

    def _pair_of(self, op: Op, side: int) -> int:
        return next(n for n, pair in enumerate(self.pairs) if pair[side] is op)

    def _units(self) -> Iterable[Unit]:
        for number, (train, deploy) in enumerate(self.pairs):
            if train is None or deploy is None:
                op = train or deploy
                assert op is not None
                yield Unit("missing-step" if deploy is None else "extra-step", op.step, number)
                continue
            if train.name != deploy.name:
                yield Unit("code", train.step, number)
                continue
            one, other = meant(train.name, train.parameters), meant(deploy.name, deploy.parameters)
            unlike = [name for name in sorted({*one, *other}) if not _same(one.get(name), other.get(name))]
            if train.name == "ResizeImage" and {"size", "resize_short"} & set(unlike):
                unlike = [name for name in unlike if name not in ("size", "resize_short")]
                yield Unit("parameter", train.step, number, ("resize_short", "size"))
            for name in unlike:
                yield Unit("parameter", train.step, number, (name,))
        both = [n for n in self.ours if n in self.theirs]
        if both != [n for n in self.theirs if n in self.ours]:
            yield Unit("order", "other", -1)

    def chain(self, right: Iterable[Unit]) -> list[tuple[SideName, str, dict[str, Any]]]:
        """The deploy side's ops with these differences put right."""
        right = set(right)
        whole = {unit.pair for unit in right if unit.kind in ("missing-step", "extra-step", "code")}
        order = list(self.theirs)
        if any(unit.kind == "order" for unit in right):
            inside = iter([n for n in self.ours if n in self.theirs])
            order = [next(inside) if n in self.ours else n for n in order]
        order = [n for n in order if self.pairs[n][0] is not None or n not in whole]
        for place, number in enumerate(self.ours):
            if number in whole and number not in order:
                before = next((n for n in reversed(self.ours[:place]) if n in order), None)
                order.insert(order.index(before) + 1 if before is not None else 0, number)
        made: list[tuple[SideName, str, dict[str, Any]]] = []
        for number in order:
            train, deploy = self.pairs[number]
            if train is not None and (deploy is None or number in whole):
                made.append(("train", train.name, train.parameters))
                continue
            assert deploy is not None
            parameters = dict(deploy.parameters)
            for unit in right:
                if unit.kind == "parameter" and unit.pair == number and train is not None:
                    for name in unit.names:
                        parameters.pop(name, None)
                        if name in train.parameters:
                            parameters[name] = train.parameters[name]
            made.append(("deploy", deploy.name, parameters))
        return made

    def cause(self, unit: Unit, alone: bool, proven: bool) -> Cause:
        """A difference in words of the record."""
        if unit.pair < 0:
            order = [" → ".join(self._name(n) for n in side) for side in (self.ours, self.theirs)]
            return Cause("order", "other", None, order[0], order[1], alone=alone, proven=proven)
        train, deploy = self.pairs[unit.pair]
        if unit.kind != "parameter" or train is None or deploy is None:
            return Cause(
                unit.kind,
                unit.step,
                None,
                train.name if train else None,
                deploy.name if deploy else None,
                train.key if train else None,
                deploy.key if deploy else None,
                alone,
                proven,
            )
        one, other = meant(train.name, train.parameters), meant(deploy.name, deploy.parameters)
        name = next((n for n in unit.names if one.get(n) is not None), unit.names[0])
        theirs = next((n for n in unit.names if other.get(n) is not None), name)
        written = next((n for n in (theirs, *unit.names) if n in deploy.parameters), theirs)
        return Cause(
            "backend" if name == "backend" else "parameter",
            unit.step,
            name,
            one.get(name),
            other.get(theirs),
            f"{train.key}.{train.name}.{name}" if name in train.parameters else None,
            f"{deploy.key}.{deploy.name}.{written}" if written in deploy.parameters else None,
            alone,
            proven,
        )

    def _name(self, pair: int) -> str:
        op = self.pairs[pair][0] or self.pairs[pair][1]
        return op.name if op else "-"


def smallest(units: list[Unit], equal: Callable[[list[Unit]], bool]) -> tuple[list[Unit], bool]:
    """The fewest differences that must be put right for both sides to be equal, and whether all together are enough.

    Each is left out in turn and stays out where the rest is enough, so there is one run for each.
    """
    if not equal(units):
        return units, False
    kept = list(units)
    for unit in units:
        without = [other for other in kept if other is not unit]
        if equal(without):
            kept = without
    return kept, True
