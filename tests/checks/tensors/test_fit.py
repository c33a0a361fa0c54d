"""How a file of weights stands to a model, told by names and shapes alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.tensors.fit import Verdict, judge, wanted
from knowledge.states import CLASSES, LEGACY_BRANCHES, Shape, known, likest, states_of
from tests.weights import SMALL, shapes


def held(found: Mapping[str, Shape], network: str, classes: int = 1000, branch: str = "develop", prefix: str = "") -> Verdict:
    """The verdict on a file for one network."""
    fitting = [state for state in states_of(network) if branch in state.branches]
    others = {state.branches[-1]: [wanted([(prefix, state, classes)])] for state in states_of(network) if state not in fitting}
    models = [wanted([(prefix, state, classes)]) for state in fitting]
    return judge(found, {}, models, prefix=prefix, others=others, own=(network,))


@pytest.mark.parametrize(
    ("file", "network", "names"),
    [
        ("ResNet50", "ResNet50_vd", "ResNet50"),
        ("ResNet50_vd", "ResNet50", "ResNet50_vd"),
        ("ResNet101", "ResNet50", "ResNet101"),
        ("RepVGG_A0", "RepVGG_A1", "RepVGG_A0"),
        ("PPLCNetV2_base", "PPLCNet_x1_0", "PPLCNetV2_base"),
        ("ViT_large_patch16_224", "ViT_base_patch16_224", "ViT_large_patch16_224"),
        ("HRNet_W18_C", "SqueezeNet1_0", "HRNet_W18_C"),
    ],
)
def test_the_network_of_a_file_is_named(file: str, network: str, names: str) -> None:
    verdict = held(shapes(file, 7), network)
    assert verdict.kind == "other" and names in verdict.likes and verdict.share == 1.0, verdict


def test_a_transformer_of_another_image_size() -> None:
    file = "ViT_base_patch16_384"
    verdict = held(shapes(file), "ViT_base_patch16_224")
    assert (verdict.kind, verdict.lost, verdict.count) == ("position", ("pos_embed",), 1)
    assert file in verdict.likes
    assert held(shapes("SwinTransformer_base_patch4_window12_384"), "SwinTransformer_base_patch4_window7_224").kind == "position"


def test_buffers_need_no_file() -> None:
    network = "SwinTransformer_tiny_patch4_window7_224"
    state = states_of(network)[-1]
    found = {key: shape for key, shape in shapes(network).items() if key in state.parameters}
    assert len(found) < len(state.shapes)
    assert held(found, network).kind == "fits"


def test_linear_layers_of_torch_are_turned() -> None:
    found = {key: shape[::-1] if len(shape) == 2 else shape for key, shape in shapes("ViT_base_patch16_224").items()}
    verdict = held(found, "ViT_base_patch16_224")
    assert verdict.kind == "torch" and verdict.detail.endswith(".weight")


def test_parameter_names_of_a_static_graph() -> None:
    (state,) = (state for state in states_of("ResNet50") if "2.1" in state.branches)
    found = {state.parameters[key]: shape for key, shape in shapes("ResNet50", branch="2.1").items()}
    verdict = held(found, "ResNet50", branch="2.1")
    assert (verdict.kind, verdict.filled) == ("static", 0)


@pytest.mark.parametrize("network", ["ResNet50", "MobileNetV3_small_x0_35", "VGG16", "HRNet_W18_C", "InceptionV3"])
def test_a_network_whose_names_changed_between_generations(network: str) -> None:
    verdict = held(shapes(network, branch="2.1"), network)
    assert verdict.kind == "branch" and verdict.detail == "2.1", verdict
    assert held(shapes(network, branch="2.1"), network, branch="2.1").kind == "fits"


def test_any_branch_of_the_layout_is_good_enough() -> None:
    branches = [state.branches for state in states_of("ResNeSt50")]
    assert len(branches) == 2
    models = [wanted([("", state, 1000)]) for state in states_of("ResNeSt50")]
    for names in branches:
        assert judge(shapes("ResNeSt50", branch=names[-1]), {}, models).kind == "fits"


@pytest.mark.parametrize("role", ["Student.", "Student.backbone."])
@pytest.mark.parametrize("start", ["", "module.", "Teacher.", "Student.model."])
def test_whatever_stands_in_front_of_the_keys(role: str, start: str) -> None:
    verdict = held({start + key: shape for key, shape in shapes(SMALL).items()}, SMALL, prefix=role)
    assert (verdict.kind, verdict.found) == ("prefix", start)


@given(st.dictionaries(st.text(max_size=12), st.lists(st.integers(0, 9), max_size=4).map(tuple), max_size=30))
def test_any_names_and_shapes_get_a_verdict(found: dict[str, Shape]) -> None:
    verdict = held(found, SMALL)
    assert verdict.kind in ("other", "empty") and verdict.filled == 0


@given(st.integers(2, 5000), st.integers(2, 5000))
def test_the_class_count_is_that_of_the_file(have: int, built: int) -> None:
    verdict = held(shapes(SMALL, have), SMALL, built)
    assert verdict.kind == ("fits" if have == built else "classes") and verdict.have == (None if have == built else have)


@given(st.sets(st.integers(0, 213), min_size=1, max_size=80))
def test_what_is_missing_is_counted(missing: set[int]) -> None:
    keys = list(shapes(SMALL))
    gone = {keys[number] for number in missing}
    verdict = held({key: shape for key, shape in shapes(SMALL).items() if key not in gone}, SMALL)
    assert (verdict.filled, verdict.count) == (214 - len(gone), len(gone))
    assert verdict.kind == ("headless" if gone <= {"fc.weight", "fc.bias"} else "partial")


def test_every_state_is_likest_to_itself() -> None:
    for network in ("GoogLeNet", "SqueezeNet1_1", "LeViT_128S", "TNT_small", "MobileViTV2_x0_5"):
        (best, *_) = likest(shapes(network, 11))
        assert network in best.names and best.share == 1.0


def test_both_generations_are_known() -> None:
    found = {branch for state in states_of("ResNet50") for branch in state.branches}
    assert {"develop", "2.2", "2.5.2"} <= found and found & set(LEGACY_BRANCHES)
    assert not known("NobodysNet") and states_of("NobodysNet") == ()


def test_the_classifier_is_what_moves_with_the_class_count() -> None:
    state = states_of("GoogLeNet")[-1]
    assert {key for key, shape in state.shapes.items() if CLASSES in shape} == state.heads
    assert {key.partition(".")[0] for key in state.heads} == {"_fc_out", "_out1", "_out2"}
