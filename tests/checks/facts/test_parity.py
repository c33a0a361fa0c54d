"""The engine of parity without PaddlePaddle: arrays, activations, steps that are put right, label maps, images, and programs that fail."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.base import ParityRequest, Request, Unreadable, World
from checks.facts.deploy_config import collect_deploy_config
from checks.facts.parity import RUNGS, Parity, Side, TensorPair, Trouble, WeightsMatch, collect_parity
from checks.facts.parity_arrays import activate, as_seen, error_of, orientation, recognise, settle, undo
from checks.facts.parity_chain import Chains, Unit, marks_of, meant, ops_of, smallest
from checks.facts.parity_images import spread
from checks.facts.parity_labels import compare_labels, labels_rung
from checks.facts.parity_plan import lone_program
from checks.facts.parity_states import weights_rung
from checks.facts.training_config import collect_training_config

TRAIN = [
    {"DecodeImage": {"to_rgb": True}},
    {"ResizeImage": {"resize_short": 72}},
    {"CropImage": {"size": 64}},
    {"NormalizeImage": {"scale": "1.0/255.0", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "order": ""}},
    {"ToCHWImage": None},
]
DEPLOY = [
    {"ResizeImage": {"resize_short": 72, "interpolation": "bilinear"}},
    {"CropImage": {"size": [64, 64]}},
    {"NormalizeImage": {"scale": 0.00392157, "order": "", "channel_num": 3}},
    {"ToCHWImage": None},
]


def chains(deploy: Any = DEPLOY, train: Any = TRAIN) -> Chains:
    return Chains(ops_of(train, "Infer.transforms"), ops_of(deploy, "PreProcess.transform_ops"))


# arrays and activations


@given(st.lists(st.floats(-8, 8), min_size=3, max_size=12), st.sampled_from(["none", "softmax", "softmax-twice", "sigmoid"]))
def test_undoing_an_activation_gives_the_logits_as_they_can_be_seen(values: list[float], activation: str) -> None:
    logits = np.array([values])
    seen = undo(activate(logits, activation).astype("float32"), activation)
    error, _ = error_of(as_seen(logits, activation), seen)
    assert error is not None and error < (1e-3 if activation != "softmax-twice" else 0.02)


@given(st.lists(st.floats(-8, 8), min_size=4, max_size=12, unique=True))
def test_two_softmaxes_of_logits_without_a_winner_are_not_claimed(values: list[float]) -> None:
    logits = np.array([values]) / 100
    assert settle([recognise(activate(logits, "softmax"))]) == "softmax"


@pytest.mark.parametrize("activation", ["none", "softmax", "softmax-twice", "sigmoid"])
def test_an_activation_is_recognised_by_its_numbers(activation: str) -> None:
    rows = [np.array([[6.0, -1.0, 0.5, 2.0]]), np.array([[-3.0, 5.0, 4.9, -2.0]])]
    assert settle(recognise(activate(row, activation)) for row in rows) == activation


def test_errors_of_shapes_and_of_what_is_not_finite() -> None:
    one = np.array([1.0, np.nan])
    assert error_of(one, np.array([1.0])) == (None, None)
    assert error_of(one, one)[0] == 0.0
    assert error_of(one, np.array([1.0, 2.0]))[0] == 1e300
    assert error_of(np.array([0], "uint8"), np.array([255], "uint8"))[0] == 255  # no wrap-around


@pytest.mark.parametrize("turn", [lambda a: np.rot90(a), lambda a: np.rot90(a, 3), lambda a: a[:, ::-1], lambda a: a[::-1, ::-1]])
def test_a_turned_image_is_recognised(turn: Any) -> None:
    image = np.random.RandomState(0).randint(0, 255, (6, 9, 3)).astype("uint8")
    assert orientation(image, turn(image)) is not None
    assert orientation(image, image) is None
    assert orientation(image, 255 - image) is None


# the steps of both sides


def test_parameters_are_compared_as_they_take_effect() -> None:
    assert chains().units == []  # another spelling of the same


@given(
    st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=5), st.floats(allow_nan=False)), lambda s: st.lists(s, max_size=3))
)
def test_any_value_of_a_parameter_is_taken(value: Any) -> None:
    for name in ("ResizeImage", "CropImage", "NormalizeImage", "DecodeImage", "Other"):
        for parameter in ("size", "resize_short", "scale", "mean", "order", "backend", "interpolation"):
            meant(name, {parameter: value})
    chains([{"ResizeImage": {"size": value}}, value, {"NormalizeImage": value}])
    assert isinstance(marks_of(ops_of(value, "k")), dict)


def test_where_a_chain_is_one_of_a_rung() -> None:
    assert marks_of(ops_of(TRAIN, "k")) == {0: "decoded", 2: "resized", 4: "tensor"}
    assert marks_of(ops_of(DEPLOY, "k")) == {1: "resized", 3: "tensor"}
    assert marks_of(()) == {}


@pytest.mark.parametrize(
    "number, change, kind, parameter",
    [
        (0, {"ResizeImage": {"resize_short": 80}}, "parameter", "resize_short"),
        (0, {"ResizeImage": {"size": 64}}, "parameter", "resize_short"),
        (0, {"ResizeImage": {"resize_short": 72, "backend": "pil"}}, "backend", "backend"),
        (1, {"CropImage": {"size": 60}}, "parameter", "size"),
        (2, {"NormalizeImage": {"order": "", "scale": 1.0}}, "parameter", "scale"),
        (3, None, "missing-step", None),
    ],
)
def test_a_difference_is_one_unit_with_its_places(number: int, change: Any, kind: str, parameter: str | None) -> None:
    deploy = [*DEPLOY[:number], *([change] if change else []), *DEPLOY[number + 1 :]]
    made = chains(deploy)
    assert len(made.units) == 1
    cause = made.cause(made.units[0], True, True)
    assert (cause.kind, cause.parameter) == (kind, parameter)
    assert cause.deploy_key is None or cause.deploy_key.startswith(f"PreProcess.transform_ops.{number}")
    right = [(name, meant(name, parameters)) for _, name, parameters in made.chain(made.units)]
    assert [name for name, _ in right] == [next(iter(spec)) for spec in TRAIN[1:]]
    assert chains([{name: parameters} for _, name, parameters in made.chain(made.units)]).units == []


def test_an_order_of_ops_is_put_right() -> None:
    made = chains([DEPLOY[1], DEPLOY[0], *DEPLOY[2:]])
    assert [unit.kind for unit in made.units] == ["order"]
    assert [name for _, name, _ in made.chain(made.units)] == [next(iter(spec)) for spec in DEPLOY]


@given(st.sets(st.integers(0, 7)))
def test_the_smallest_set_is_found(needed: set[int]) -> None:
    units = [Unit("parameter", "resize", number) for number in range(8)]
    kept, enough = smallest(units, lambda chosen: needed <= {unit.pair for unit in chosen})
    assert enough and {unit.pair for unit in kept} == needed


def test_where_all_together_are_not_enough_that_is_said() -> None:
    assert smallest([Unit("order", "other", -1)], lambda chosen: False)[1] is False


# weights and labels


def match(**values: Any) -> WeightsMatch:
    plain = {"train": 10, "deploy": 10, "equal": 10, "near": 0, "unlike": 0, "missing": 0, "extra": 0, "dtypes": ("float32",)}
    return WeightsMatch(train_file="w", train_fresh=False, deploy_fresh=False, **{**plain, **values})


@pytest.mark.parametrize(
    "weights, kinds",
    [
        (match(), []),
        (match(equal=4, unlike=6), ["other-weights"]),
        (match(equal=0, near=10), ["half-precision"]),
        (match(missing=1, pairs=(TensorPair("fc.weight", (9, 5), (9, 7)),)), ["class-count"]),
        (match(missing=5, pairs=(TensorPair("a.weight", (9, 5), (9, 7)), TensorPair("b.weight", (4, 8), (4, 16)))), ["other-weights"]),
        (match(equal=0, near=2, unlike=8), ["other-weights"]),
        (match(missing=1, unlike=4, pairs=(TensorPair("fc.weight", (9, 5), (9, 7)),)), ["class-count", "other-weights"]),
        (msgspec.structs.replace(match(unlike=6), deploy_fresh=True), ["no-weights"]),
        (msgspec.structs.replace(match(unlike=6), train_file=None), ["no-weights"]),
    ],
)
def test_causes_of_weights(weights: WeightsMatch, kinds: list[str]) -> None:
    rung = weights_rung(weights, False, None)
    assert [cause.kind for cause in rung.causes] == kinds and rung.state == ("differs" if kinds else "same")


def test_fused_branches_are_no_missing_weights() -> None:
    assert weights_rung(match(missing=4), True, None).state == "same"


def labels(folder: Path, one: dict[int, str] | None, other: dict[int, str] | None) -> Any:
    told: dict[Any, str | None] = {}
    for side, names in (("train", one), ("deploy", other)):
        told[side] = None
        if names is not None:
            (folder / f"{side}.json").write_text(json.dumps([[key, name] for key, name in names.items()]))
            told[side] = f"{side}.json"
    return compare_labels(str(folder), told, {"train": "a.txt", "deploy": "b.txt"})


def test_label_maps(tmp_path: Path) -> None:
    names = {number: f"name {number}" for number in range(6)}
    sides: dict[Any, Side] = {side: Side("python", code="clas", width=6) for side in ("train", "deploy")}
    cases = [
        (names, [], None),
        ({number + 1: name for number, name in names.items()}, ["label-shift"], 1),
        ({number - 1: name for number, name in names.items()}, ["label-shift"], -1),
        ({**names, 3: "other"}, ["label-names"], None),
        ({**names, 6: "beyond"}, [], None),
        ({0: names[0]}, ["label-count"], None),
        (None, ["label-map-missing"], None),
    ]
    for other, kinds, shift in cases:
        maps = labels(tmp_path, names, other)
        assert [cause.kind for cause in labels_rung(maps, sides, Trouble("x")).causes] == kinds
        assert maps.shift == shift
    assert labels_rung(labels(tmp_path, None, None), sides, Trouble("x")).state == "unknown"


@given(st.integers(0, 500), st.integers(1, 50))
def test_images_are_spread_evenly(count: int, most: int) -> None:
    chosen = spread([str(number) for number in range(count)], most)
    assert len(chosen) == min(count, most) == len(set(chosen))


# programs that fail

WRITES = """exec python3 -c "import os, sys, time; os.write(int(sys.argv[3]), bytes([{data}])); time.sleep(30)" "$@\""""


def run(folder: Path, program: str | None, **more: Any) -> Parity:
    import yaml

    config = {
        "Global": {"device": "cpu"},
        "Arch": {"name": "ResNet50"},
        "Infer": {"transforms": TRAIN, "PostProcess": {"name": "Topk", "topk": 1}},
    }
    deploy = {"Global": {"inference_model_dir": "model"}, "PreProcess": {"transform_ops": DEPLOY}, "PostProcess": {"Topk": {"topk": 1}}}
    (folder / "train.yaml").write_text(yaml.safe_dump(config))
    (folder / "deploy.yaml").write_text(yaml.safe_dump(deploy))
    (folder / "image.jpg").write_bytes(b"x")
    python = folder / "python"
    if program is not None:
        python.write_text(f"#!/bin/sh\n{program}\n")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
    parity = more.pop("parity", ParityRequest(images=("image.jpg",), seconds=1.0))
    request = Request("train.yaml", root=str(folder), deploy_config="deploy.yaml", python=str(python), stage="infer", parity=parity, **more)
    world = World(environ=dict(os.environ), cwd=str(folder))
    training = collect_training_config(request, world)
    found: Parity = collect_parity(training, collect_deploy_config(training, request, world), request, world)
    return found


@pytest.mark.parametrize(
    "program, kind",
    [
        (None, "no-python"),
        ("exit 3", "ended"),
        ("echo garbage; kill -9 $$", "ended"),
        (WRITES.format(data="255, 255, 255, 255, 1"), "garbled"),
        (WRITES.format(data="4, 0, 0, 0, 1, 1, 1, 1"), "garbled"),
    ],
    ids=["none", "ends", "is killed", "huge frame", "no JSON"],
)
def test_a_program_that_fails_is_the_trouble_of_its_side(tmp_path: Path, program: str | None, kind: str) -> None:
    parity = run(tmp_path, program)
    for side in (parity.train, parity.deploy):
        assert side.trouble is not None and side.trouble.kind == kind
    assert [rung.name for rung in parity.rungs] == list(RUNGS)
    assert all(rung.state == "unknown" and rung.trouble for rung in parity.rungs) and parity.first is None and not parity.clean
    assert msgspec.json.decode(msgspec.json.encode(parity), type=Parity) == parity


@pytest.mark.parametrize(
    "files, lone",
    [
        (("inference.json",), True),
        (("inference.pdmodel", "inference.pdiparams.info"), True),
        (("inference.json", "inference.pdiparams"), False),
        (("inference.pdmodel", "inference.pdiparams"), False),
        (("inference.pdmodel", "inference_int8.pdmodel", "inference_int8.pdiparams"), False),
        (("inference.onnx",), False),
        (("model", "params"), False),
        (("__model__",), False),
        ((), False),
    ],
)
def test_a_program_without_its_parameters_is_not_run(tmp_path: Path, files: tuple[str, ...], lone: bool) -> None:
    folder = tmp_path / "exported"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(b"x")
    found = lone_program(str(folder))
    assert found == ((str(folder / files[0]), str(folder / "inference.pdiparams")) if lone else None)
    parity = run(tmp_path, f"touch {tmp_path}/started; exit 3", inference_model="exported")
    assert parity.deploy.trouble is not None
    assert parity.deploy.trouble.kind == ("no-parameters" if lone else "ended")
    assert (tmp_path / "started").exists() is not lone
    assert all(rung.state == "unknown" for rung in parity.rungs) and parity.first is None
    assert parity.train.trouble is None or not lone


def test_a_crew_that_is_left_while_the_interpreter_ends_leaves_no_folder(tmp_path: Path) -> None:
    """The thread of a fact is a daemon: it is stopped wherever it is."""
    program = """
import sys, threading, time
from checks.facts.parity_run import Crew
from checks.facts.parity_side import SideProcess
def work():
    with Crew() as crew:
        side = SideProcess(sys.argv[1], {"folder": crew.folder, "side": "train"}, crew.scratch, {}, 9.0, lambda: None)
        crew.sides["train"] = side
        side.start()
        print(side.process.pid, flush=True)
        there.set()
        time.sleep(60)
there = threading.Event()
threading.Thread(target=work, daemon=True).start()
there.wait()
"""
    side = tmp_path / "side"
    side.write_text('#!/bin/sh\nwhile :; do mkdir -p "$PWD/arrays"; echo x > "$PWD/arrays/x"; done\n')
    side.chmod(0o755)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, str(side)], env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert list(scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)


def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.facts.parity_side.GREETING", 0.5)
    parity = run(tmp_path, "sleep 60")
    assert parity.train.trouble is not None and parity.train.trouble.kind == "late"


def test_an_interpreter_without_paddle_is_said(tmp_path: Path) -> None:
    parity = run(tmp_path, 'exec python3 -S "$@"')
    assert parity.train.trouble is not None and parity.train.trouble.kind == "no-paddle"


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="parity-not-asked"):
        run(tmp_path, None, parity=None)
    with pytest.raises(Unreadable, match="parity-image-missing"):
        run(tmp_path, None, parity=ParityRequest(images=("nothing.jpg",)))
    with pytest.raises(Unreadable, match="parity-no-images"):
        run(tmp_path, None, parity=ParityRequest())
    (tmp_path / "empty").mkdir()
    with pytest.raises(Unreadable, match="parity-no-images-in"):
        run(tmp_path, None, parity=ParityRequest(images=("empty",)))
