"""Exported programs and their parameters, written by the real PaddlePaddle from networks of PaddleClas, and read without it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from checks.export import PIR_FLAG
from checks.exported import classes_of
from checks.facts.base import World
from checks.facts.exported_weights import ExportedFile, ExportedWeights, collect_exported_weights
from checks.facts.inference_model import InferenceModels, look_at_model
from checks.model import Location
from checks.tensors.programs import Program, read_program
from checks.tensors.read import read_contents
from checks.tensors.values import array_of
from tests.real.probing import probe

EXPORT = """
sys.path.insert(0, given["here"])
import exported_nets

found.update(exported_nets.export(ppcls.arch, given["folder"], given["nets"]))
"""

NETS: dict[str, tuple[str, dict[str, object]]] = {
    "branched": ("RepVGG_A0", {}),
    "fused": ("RepVGG_A0", {"fuse": True}),
    "numbered": ("ResNet18", {"number": True}),
    "bare": ("ResNet18", {"softmax": 0}),
    "twice": ("ResNet18", {"softmax": 2}),
    "dense": ("DenseNet121", {}),
    "squeeze": ("SqueezeNet1_0", {}),
}
NEW_ONLY: dict[str, tuple[str, dict[str, object]]] = {
    "lcnetv2": ("PPLCNetV2_base", {}),
    "lcnetv2-fused": ("PPLCNetV2_base", {"fuse": True}),
    "mobile": ("MobileNetV3_small_x0_35", {}),
}
"""Networks with squeeze-and-excitation: 3.3.1 does not export them in the old format."""

FORMATS = ("json", "pdmodel")


@pytest.fixture(scope="module")
def exports(real_python: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, dict[str, dict[str, float]]]]:
    """Per format a folder of exports, and the values that were given to the parameters."""
    made = {}
    for kind, nets in (("json", {**NETS, **NEW_ONLY}), ("pdmodel", NETS)):
        folder = tmp_path_factory.mktemp(kind)
        before = dict(os.environ)
        os.environ[PIR_FLAG] = "1" if kind == "json" else "0"
        try:
            made[kind] = (folder, probe(real_python, EXPORT, {"here": str(Path(__file__).parent), "folder": str(folder), "nets": nets}))
        finally:
            os.environ.clear()
            os.environ.update(before)
    return made


Exports = dict[str, tuple[Path, dict[str, dict[str, float]]]]


def program(exports: Exports, kind: str, name: str) -> Program:
    found = read_program(str(exports[kind][0] / name / f"inference.{kind}"))
    assert found is not None
    return found


def weights(exports: Exports, kind: str, name: str) -> ExportedFile:
    path = str(exports[kind][0] / name)
    models = InferenceModels((look_at_model("cls", path, path, Location(path)),))
    found: ExportedWeights = collect_exported_weights(models, World())
    assert found.main is not None
    return found.main


@pytest.mark.parametrize("kind", FORMATS)
def test_inputs_outputs_and_endings(exports: Exports, kind: str) -> None:
    for name, activations in (("numbered", ("softmax",)), ("bare", ()), ("twice", ("softmax", "softmax")), ("squeeze", ("softmax",))):
        found = program(exports, kind, name)
        assert [(item.name, item.dtype, item.shape) for item in found.inputs] == [("x", "float32", (-1, 3, 64, 64))]
        assert [(item.dtype, item.shape) for item in found.outputs] == [("float32", (-1, 5))]
        assert found.activations == activations, name
        assert (found.version is None, found.quantised, found.half) == (False, False, None)


@pytest.mark.parametrize("kind", FORMATS)
def test_branches(exports: Exports, kind: str) -> None:
    counts = {name: program(exports, kind, name).branched for name in NETS}
    assert counts == {**dict.fromkeys(NETS, 0), "branched": 22}
    assert program(exports, kind, "branched").normalisations == 61


def test_branches_of_networks_with_squeeze_and_excitation(exports: Exports) -> None:
    assert [program(exports, "json", name).branched for name in NEW_ONLY] == [8, 0, 0]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_value_stands_under_its_own_name(exports: Exports, kind: str) -> None:
    found = weights(exports, kind, "numbered")
    given = exports[kind][1]["numbered"]
    assert found.contents is not None
    assert len(found.contents.tensors) == len(given) > 100
    for tensor in found.contents.tensors:
        assert np.all(array_of(found.path, found.contents, tensor) == np.float32(given[tensor.name])), tensor.name


@pytest.mark.parametrize("kind", FORMATS)
def test_the_parameters_of_one_export_fit_no_other(exports: Exports, kind: str) -> None:
    folder = exports[kind][0]
    for name in NETS:
        assert weights(exports, kind, name).problem is None, name
    whole = (folder / "dense" / "inference.pdiparams").read_bytes()
    other = folder / "swapped"
    other.mkdir(exist_ok=True)
    (other / f"inference.{kind}").write_bytes((folder / "bare" / f"inference.{kind}").read_bytes())
    for content, problem in ((whole, "count"), ((folder / "bare" / "inference.pdiparams").read_bytes()[:-9], "cut")):
        (other / "inference.pdiparams").write_bytes(content)
        assert weights(exports, kind, "swapped").problem == problem


@pytest.mark.parametrize("kind", FORMATS)
def test_the_class_count_of_its_checkpoint(exports: Exports, kind: str) -> None:
    folder = exports[kind][0]
    for name in NETS:
        contents = read_contents(str(folder / f"{name}.pdparams"))
        assert classes_of(contents, program(exports, kind, name), 5) == 5, name
    other = read_contents(str(folder / "dense.pdparams"))
    assert classes_of(other, program(exports, kind, "squeeze"), 5) is None
