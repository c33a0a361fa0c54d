"""`ExportedWeights`: the values beside an exported program, named through it."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.base import World
from checks.facts.exported_weights import ExportedFile, ExportedWeights, collect_exported_weights
from checks.facts.inference_model import InferenceModels, look_at_model
from checks.model import Location
from tests.exports import Net, classifier, repvgg, stored_tensor


def read(path: Path) -> ExportedFile:
    models = InferenceModels((look_at_model("cls", str(path), str(path), Location(str(path))),))
    found: ExportedWeights = collect_exported_weights(models, World())
    assert found.main is not None
    return found.main


@pytest.mark.parametrize("model", ["json", "pdmodel"])
@pytest.mark.parametrize("net", [classifier(), repvgg(2), classifier(dtype="float16")])
def test_named(tmp_path: Path, net: Net, model: str) -> None:
    net.write(tmp_path, model)
    found = read(tmp_path)
    assert found.problem is None
    assert found.contents is not None
    assert [(t.name, t.shape, t.dtype) for t in found.contents.tensors] == [(n, tuple(s), d) for n, s, d in net.sorted_parameters]
    assert [t.offset for t in found.contents.tensors] == sorted(t.offset or 0 for t in found.contents.tensors)


@pytest.mark.parametrize(
    "names", [("inference_int8.pdmodel", "inference_int8.pdiparams"), ("model", "params"), ("__model__", "__params__")]
)
def test_other_names(tmp_path: Path, names: tuple[str, str]) -> None:
    net = classifier()
    (tmp_path / names[0]).write_bytes(net.program())
    (tmp_path / names[1]).write_bytes(net.stored())
    assert read(tmp_path).contents is not None


def test_a_prefix_as_2_0_beta_writes_it(tmp_path: Path) -> None:
    classifier().write(tmp_path, "pdmodel", "best")
    assert read(tmp_path / "best").contents is not None
    assert read(tmp_path / "best.pdmodel").contents is not None


def test_what_does_not_fit(tmp_path: Path) -> None:
    net = classifier()
    net.write(tmp_path)
    place = tmp_path / "inference.pdiparams"
    whole = net.stored()
    for content, problem in (
        (whole + stored_tensor((3,)), "count"),
        (stored_tensor((5,)), "count"),
        (repvgg(2).stored(), "count"),
        (stored_tensor((5,)) + stored_tensor((16, 6)), "shape"),
        (stored_tensor((5,)) + stored_tensor((16, 5), "float16"), "type"),
        (whole[:-7], "cut"),
        (b"", "not-static"),
        (b"\x80\x04}.", "not-static"),
        (b"<html>", "not-static"),
    ):
        place.write_bytes(content)
        found = read(tmp_path)
        assert (found.problem, found.contents) == (problem, None), content[:20]
    place.write_bytes(stored_tensor((5,)) + stored_tensor((16, 6)))
    found = read(tmp_path)
    assert (found.parameter, found.wanted, found.found) == ("linear.w_0", "16×5 float32", "16×6 float32")
    place.unlink()
    assert read(tmp_path).problem == "missing"
