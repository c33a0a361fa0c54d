"""WTS106 to WTS111 and WTS114: whether weights fit the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.projects import Project, passes, reason
from tests.weights import SMALL, STATES, optimizer, saved

KEY, CHECKPOINTS = "Global.pretrained_model", "Global.checkpoints"
LATE = ("eval", "infer", "export")
RULES = ("WTS106", "WTS107", "WTS108", "WTS109", "WTS110", "WTS111")
NETWORK = {"name": SMALL, "class_num": 3}
DISTILLATION = {
    "name": "DistillationModel",
    "models": [{"Teacher": dict(NETWORK)}, {"Student": dict(NETWORK)}],
    "infer_model_name": "Student",
}
RECOGNITION = {
    "name": "RecModel",
    "infer_output_key": "features",
    "Backbone": {"name": SMALL},
    "BackboneStopLayer": {"name": "flatten"},
    "Neck": {"name": "FC", "embedding_size": 1280, "class_num": 32},
    "Head": {"name": "ArcMargin", "embedding_size": 32, "class_num": 3},
}


def project(folder: Path, weights: bytes, key: str = KEY, **changes: Any) -> Project:
    given = {"Arch": dict(NETWORK), key: "w/model", **{name.replace("__", "."): value for name, value in changes.items()}}
    made = Project(folder, "modern", given)
    made.write("w/model.pdparams", weights)
    if key == CHECKPOINTS:
        made.write("w/model.pdopt", optimizer(classes=3))
        made.write("w/model.pdstates", STATES)
    return made


def spoken(made: Project, stage: str) -> list[str]:
    """The rules about the fit that say something."""
    return sorted({f.code for f in made.check(stage=stage).report.findings if f.code in RULES or f.code == "WTS114"})


@pytest.mark.parametrize("stage", [*LATE, "train"])
def test_negative_every_rule_is_silent_about_its_own_weights(tmp_path: Path, stage: str) -> None:
    assert spoken(project(tmp_path, saved(classes=3)), stage) == []


def test_wts106_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS106", stage="eval")


def test_wts107_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS107", stage="export")


def test_wts108_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS108", stage="infer")


def test_wts109_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS109", stage="eval")


def test_wts110_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS110", stage="eval")


def test_wts111_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3)), "WTS111", stage="train")


# WTS106 weights-of-another-network


@pytest.mark.parametrize("stage", [*LATE, "train"])
def test_wts106_positive_another_network_is_named(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, saved("PPLCNet_x0_25", 3))
    finding = made.finding("WTS106", stage=stage, shows=("PPLCNet_x0_25", SMALL, "100 %"))
    assert (finding.severity, finding.entry, finding.location.key) == (
        "warning" if stage == "train" else "error",
        "weights.shape-mismatch",
        KEY,
    )
    assert made.assert_repaired_by(finding, stage=stage) == ["PPLCNet_x0_25"]
    assert spoken(made, stage) == ["WTS106"]


def test_wts106_positive_a_sibling_that_shares_names(tmp_path: Path) -> None:
    made = project(tmp_path, saved("MobileNetV3_small_x0_5", 3))
    assert made.finding("WTS106", stage="eval", shows=("MobileNetV3_small_x0_5",)).severity == "error"
    assert spoken(made, "eval") == ["WTS106"]


def test_wts106_positive_nobodys_tensors_and_none_at_all(tmp_path: Path) -> None:
    assert "of 214" in project(tmp_path, saved(renamed="x.{}".format)).finding("WTS109", stage="eval").message
    made = project(tmp_path, saved(classes=3, renamed=lambda key: "".join(reversed(key))))
    assert made.finding("WTS106", stage="eval", shows=("214",)).severity == "error"
    made = project(tmp_path, saved(renamed=lambda key: None, inside=lambda found: {}))
    assert made.finding("WTS106", stage="infer").severity == "error"
    assert made.finding("WTS106", stage="train").severity == "warning"


def test_wts106_positive_names_of_torch_and_of_a_static_graph(tmp_path: Path) -> None:
    renamed = lambda key: key.replace("_mean", "running_mean").replace("_variance", "running_var")  # noqa: E731
    made = project(tmp_path, saved(classes=3, renamed=renamed))
    assert "running_mean" in made.finding("WTS106", stage="eval").message
    assert spoken(made, "eval") == ["WTS106"]


def test_wts106_positive_the_same_network_of_another_generation(tmp_path: Path) -> None:
    made = project(tmp_path, saved("MobileNetV3_small_x0_35", 3, branch="2.1"))
    assert made.finding("WTS106", stage="eval", shows=("2.1",)).severity == "error"
    legacy = Project(tmp_path, "legacy", {"ARCHITECTURE.name": SMALL, "pretrained_model": "w/model"})
    assert passes(legacy, "WTS106", stage="eval")
    legacy.write("w/model.pdparams", saved(classes=3))
    assert "develop" in legacy.finding("WTS106", stage="eval").message


def test_wts106_near_miss_more_than_needed_and_a_variant_that_is_not_known(tmp_path: Path) -> None:
    more = project(tmp_path, saved(classes=3, inside=lambda found: {**found, "loss.center": found["fc.bias"]}))
    assert spoken(more, "eval") == []
    # what a parameter of its own may have changed is not judged
    assert spoken(project(tmp_path, saved("MobileNetV3_small_x0_5", 3), Arch__scale=0.5), "eval") == []


def test_wts106_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS106", stage="eval") == "no-weights-named"
    made = project(tmp_path, saved(classes=3), Arch__name="NobodysNet")
    assert reason(made, "WTS106", stage="eval") == "network-state-unknown"
    assert reason(project(tmp_path, saved(classes=3), Slim={"quant": {"name": "pact"}}), "WTS106", stage="eval") == "state-by-slim"


# WTS107 weights-class-count


@pytest.mark.parametrize("stage", LATE)
def test_wts107_positive_another_class_count(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, saved(classes=5))
    finding = made.finding("WTS107", stage=stage, shows=("5", "3", SMALL))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "1.1", "Arch.class_num")
    assert [fix.value for fix in finding.fixes] == [5]
    assert spoken(made, stage) == ["WTS107"]


def test_wts107_positive_the_default_of_1000_where_the_key_is_absent(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=3), Arch={"name": SMALL})
    finding = made.finding("WTS107", stage="export", shows=("1000",))
    assert finding.fixes[0].snippet == "-o Arch.class_num=3"


def test_wts107_positive_legacy_and_recognition(tmp_path: Path) -> None:
    legacy = Project(tmp_path, "legacy", {"ARCHITECTURE.name": SMALL, "pretrained_model": "w/model"})
    legacy.write("w/model.pdparams", saved(classes=5, branch="2.1"))
    assert legacy.finding("WTS107", stage="eval", shows=("5", "3")).severity == "error"
    made = project(tmp_path, recognition(9), Arch=RECOGNITION)
    assert made.finding("WTS107", stage="eval").location.key == "Arch.Head.class_num"


def test_wts107_near_miss_fine_tuning_is_only_told(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=5))
    assert made.finding("WTS107", stage="train").severity == "info"
    # features are exported and compared without the head
    made = project(tmp_path, recognition(9), Arch=RECOGNITION)
    assert passes(made, "WTS107", stage="export")
    made.set("Global.eval_mode", "retrieval")
    made.save()
    assert passes(made, "WTS107", stage="eval")


def test_wts107_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS107", stage="eval") == "no-weights-named"


# WTS108 weights-without-head


@pytest.mark.parametrize("stage", LATE)
def test_wts108_positive_no_classifier(tmp_path: Path, stage: str) -> None:
    made = project(tmp_path, saved(classes=3, renamed=lambda key: None if key.startswith("fc.") else key))
    finding = made.finding("WTS108", stage=stage, shows=("fc.weight",))
    assert (finding.severity, finding.entry) == ("error", "1.4")
    assert spoken(made, stage) == ["WTS108"]


def test_wts108_near_miss_fine_tuning_and_features(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=3, renamed=lambda key: None if key.startswith("fc.") else key))
    assert spoken(made, "train") == []
    made = project(tmp_path, recognition(9, head=False), Arch=RECOGNITION)
    assert passes(made, "WTS108", stage="export")
    assert made.finding("WTS108", stage="infer").severity == "error"


def test_wts108_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS108", stage="eval") == "no-weights-named"


# WTS109 weights-under-other-names


@pytest.mark.parametrize("prefix", ["Student.", "module.", "_layers.", "backbone.", "Student.backbone."])
def test_wts109_positive_a_word_in_front(tmp_path: Path, prefix: str) -> None:
    made = project(tmp_path, saved(classes=3, renamed=lambda key: prefix + key))
    assert made.finding("WTS109", stage="eval", shows=(prefix,)).severity == "error"
    assert made.finding("WTS109", stage="train", shows=(prefix,)).severity == "warning"
    assert spoken(made, "eval") == ["WTS109"]


def test_wts109_positive_a_plain_file_for_a_distillation_or_a_recognition(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=3), Arch=DISTILLATION)
    finding = made.finding("WTS109", stage="eval", shows=("Student.",))
    assert finding.fixes[0].snippet == "-o Arch.models.1.Student.pretrained=PREFIX"
    made = project(tmp_path, saved(classes=3), Arch=RECOGNITION)
    finding = made.finding("WTS109", stage="train", shows=("backbone.",))
    assert (finding.severity, finding.fixes[0].snippet) == ("warning", "-o Arch.Backbone.pretrained=PREFIX")


def test_wts109_positive_a_dictionary_in_a_dictionary(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=3, inside=lambda found: {"model": found, "epoch": 3}))
    assert made.finding("WTS109", stage="eval", shows=('"model"',)).severity == "error"


def test_wts109_near_miss_where_the_prefix_belongs(tmp_path: Path) -> None:
    both = saved(classes=3, inside=lambda found: {f"{role}.{key}": value for role in ("Teacher", "Student") for key, value in plain(found)})
    made = project(tmp_path, both, Arch=DISTILLATION)
    assert [spoken(made, stage) for stage in (*LATE, "train")] == [[]] * 4
    # the student alone is enough for what evaluates the student
    made = project(tmp_path, saved(classes=3, renamed="Student.{}".format), Arch=DISTILLATION)
    assert [spoken(made, stage) for stage in (*LATE, "train")] == [[]] * 4
    assert spoken(project(tmp_path, recognition(3), Arch=RECOGNITION), "eval") == []
    # a role's own `pretrained` takes a plain file
    made = project(tmp_path, saved(classes=3), Arch=DISTILLATION)
    made.set(KEY, None)
    made.set("Arch.models.0.Teacher.pretrained", "w/model")
    made.save()
    assert spoken(made, "train") == []


def test_wts109_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS109", stage="eval") == "no-weights-named"


# WTS110 weights-fit-in-part


def test_wts110_positive_a_block_is_missing(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=3, renamed=lambda key: None if key.startswith("blocks.3.") else key))
    assert made.finding("WTS110", stage="eval", shows=("19", "blocks.3.expand_conv.conv.weight")).severity == "error"
    assert made.finding("WTS110", stage="train").severity == "info"
    assert spoken(made, "eval") == ["WTS110"]


def test_wts110_near_miss_of_a_network_that_is_not_known_to_the_last_tensor(tmp_path: Path) -> None:
    part = saved(classes=3, renamed=lambda key: None if key.startswith("blocks.3.") else key)
    assert spoken(project(tmp_path, part, Arch__scale=0.35), "eval") == []


def test_wts110_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS110", stage="eval") == "no-weights-named"


# WTS111 weights-of-another-type


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_wts111_positive_another_precision(tmp_path: Path, dtype: str) -> None:
    made = project(tmp_path, saved(classes=3, dtype=dtype))
    assert made.finding("WTS111", stage="train", shows=(dtype,)).severity == "error"
    assert spoken(made, "train") == ["WTS111"]


def test_wts111_near_miss_of_another_network_the_type_is_no_matter(tmp_path: Path) -> None:
    assert spoken(project(tmp_path, saved("PPLCNet_x0_25", 3, dtype="float16")), "eval") == ["WTS106"]


def test_wts111_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS111", stage="eval") == "no-weights-named"


# WTS114 checkpoint-of-another-model


def test_wts114_positive_class_count_and_network(tmp_path: Path) -> None:
    made = project(tmp_path, saved(classes=5), CHECKPOINTS)
    assert made.finding("WTS114", shows=("5", "3", "Variable Shape not match")).severity == "error"
    made = project(tmp_path, saved("PPLCNet_x0_25", 3), CHECKPOINTS)
    finding = made.finding("WTS114", shows=("PPLCNet_x0_25",))
    assert (finding.severity, finding.location.key) == ("error", CHECKPOINTS)
    assert spoken(made, "train") == ["WTS114"]
    assert made.finding("WTS114").entry == "train.resume"


def test_wts114_negative(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=3), CHECKPOINTS), "WTS114")


def test_wts114_near_miss(tmp_path: Path) -> None:
    assert passes(project(tmp_path, saved(classes=5)), "WTS114")  # a start, and nothing to go on from


def test_wts114_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "WTS114") == "no-weights-named"


def plain(found: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in found.items() if key != "StructuredToParameterName@@"]


def recognition(classes: int, *, head: bool = True) -> bytes:
    """A `.pdparams` of `RECOGNITION` with another class count, or without its head."""
    import numpy as np

    def inside(found: dict[str, Any]) -> dict[str, Any]:
        made = {f"backbone.{key}": value for key, value in plain(found) if not key.startswith("fc.")}
        made |= {"neck.fc.weight": np.zeros((1280, 32), "f4"), "neck.fc.bias": np.zeros(32, "f4")}
        return made | ({"head.weight": np.zeros((32, classes), "f4")} if head else {})

    return saved(inside=inside)
