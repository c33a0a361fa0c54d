"""Lists of transforms followed without running them, against what the real ones made of the same images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.deploy_config import DeployConfig
from checks.facts.image_state import Fails, ImageState, Unforeseeable
from checks.facts.pipelines import Op, Pipelines, collect_deployed_pipelines, follow
from checks.facts.transform_values import arithmetic, width_height
from checks.facts.yaml_tree import read_tree
from checks.model import Location

OUTCOMES = Path(__file__).parent / "data" / "transform_outcomes.json"
STARTS = {"bytes": ImageState("bytes", colour=None), "array": ImageState("array"), "pil": ImageState("pil")}
HARMLESS = ("decoded-again", "size-ignored")
"""Troubles that leave an image which a network takes."""


def good(outcome: str) -> bool:
    """Whether an outcome is an image that a network takes."""
    dtype, _, shape = outcome.partition(" ")
    sides = [int(side) for side in shape.split("x")] if shape else []
    return dtype in ("float32", "float16") and len(sides) == 3 and sides[0] in (3, 4) and min(sides) > 0


def disagreements(records: list[dict[str, Any]]) -> tuple[list[Any], int]:
    """Where our verdict and the real outcome part, and on how many images they were compared.

    A crop that is too large is wrong even where numpy cuts a strip of it without a word. What fails at random may go well in a few trials.
    """
    wrong, compared = [], 0
    for record in records:
        ops = tuple(Op(name, params or {}, Location("x")) for item in record["ops"] for name, params in item.items())
        for height, width, outcomes in record["runs"]:
            dialect = "deploy" if record["end"] == "deploy" else "train"
            start = STARTS[record["start"]].sized(height, width)
            troubles, _, final = follow(ops, start, dialect=dialect, transposes=record["end"] == "train")
            certain = [t for t in troubles if t.always and t.kind not in HARMLESS]
            compared += 1
            if certain:
                if any(map(good, outcomes)) and not any(t.kind in ("crop-too-large", "not-decoded") for t in troubles):
                    wrong.append((record["ops"], (height, width), outcomes, troubles))
            elif any(not t.always for t in troubles) or final is None:
                continue
            elif set(outcomes) != {f"{final.dtype} {'x'.join(map(str, final.shape))}"} and None not in final.shape:
                wrong.append((record["ops"], (height, width), outcomes, final))
    return wrong, compared


def test_every_list_ends_as_the_real_transforms_did() -> None:
    wrong, compared = disagreements(json.loads(OUTCOMES.read_text(encoding="utf-8")))
    assert compared > 1000
    assert wrong == []


def test_a_text_config_of_the_cpp_demo_is_a_list_too(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("resize_short_size: '256'\ncrop_size: 224\n", encoding="utf-8")
    deploy = DeployConfig("config.txt", "yaml", read_tree(str(path), "config.txt"), str(tmp_path))
    (pipeline,) = collect_deployed_pipelines(deploy).all
    assert pipeline.final is not None
    assert pipeline.final.shape == (3, 224, 224)
    assert pipeline.geometry() == (("resize-short", 256, "bilinear", "cv2"), ("crop", 224, 224))
    assert (pipeline.at.file, pipeline.at.line) == ("config.txt", 1)


def test_a_pipeline_is_the_same_after_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(Pipelines(())), type=Pipelines) == Pipelines(())


NAMES = st.sampled_from(
    ["DecodeImage", "ResizeImage", "CropImage", "RandCropImage", "NormalizeImage", "ToCHWImage", "ToTensor", "Pad", "Cutout"]
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 500), st.floats(allow_nan=True), st.text(max_size=6), st.lists(st.integers(), max_size=4)
)
PARAMETERS = st.dictionaries(
    st.sampled_from(
        ["size", "resize_short", "scale", "mean", "std", "order", "backend", "interpolation", "to_np", "padding", "channel_num"]
    ),
    VALUES,
    max_size=4,
)


@given(st.lists(st.tuples(NAMES, PARAMETERS), max_size=6), st.booleans())
def test_no_list_is_too_odd(steps: list[tuple[str, dict[str, Any]]], transposes: bool) -> None:
    ops = tuple(Op(name, params, Location("x")) for name, params in steps)
    troubles, states, final = follow(ops, STARTS["bytes"], transposes=transposes)
    assert len(states) <= len(ops)
    assert all(-1 <= t.index < max(len(ops), 1) for t in troubles)
    assert final is None or final.axes == "chw"


@given(
    st.recursive(
        st.integers(1, 999).map(str),
        lambda part: st.tuples(part, st.sampled_from("+-*/"), part).map(lambda t: f"({t[0]}{t[1]}{t[2]})"),
        max_leaves=6,
    )
)
def test_arithmetic_is_pythons(text: str) -> None:
    try:
        expected = eval(text)  # digits and operators made above
    except ZeroDivisionError:
        with pytest.raises(ValueError, match=r".*"):
            arithmetic(text)
    else:
        assert arithmetic(text) == expected


@given(st.text(max_size=30))
def test_no_text_is_run(text: str) -> None:
    try:
        value = arithmetic(text)
    except (ValueError, Unforeseeable):
        return
    assert isinstance(value, (int, float))


@pytest.mark.parametrize("text", ["__import__('os').getpid()", "scale", "2**9**9", "[1]*9", "'a'*9", "(1).real"])
def test_code_is_not_run(text: str) -> None:
    with pytest.raises((ValueError, Unforeseeable)):
        arithmetic(text)


@pytest.mark.parametrize("size", [0, -1, 1.5, "224", [], [1], [1, 2, 3], [1.0, 2.0], None, True])
def test_impossible_sizes(size: Any) -> None:
    with pytest.raises(Fails):
        width_height(size)
