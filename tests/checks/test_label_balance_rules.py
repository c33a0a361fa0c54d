"""How the samples are spread over the classes, and how many of them are real."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.base import World
from checks.label_balance import balance
from doctor.run import run_check
from doctor.settings import Settings
from tests.checks.test_label_sets_rules import folders, project
from tests.projects import Project, Samples, found, passes, reason, rows


# LAB120
def sized(*sizes: int) -> Samples:
    return [(f"train/{label}/{n}.png", label) for label, size in enumerate(sizes) for n in range(size)]


def test_lab120_positive_ten_to_one_is_a_note(tmp_path: Path) -> None:
    finding = project(tmp_path, rows(sized(40, 4))).finding("LAB120", shows=("10:1", 40, 4))
    assert (finding.severity, finding.location.file, finding.location.line) == ("info", "./data/train_list.txt", 41)


def test_lab120_positive_a_hundred_to_one_is_a_warning(tmp_path: Path) -> None:
    finding = project(tmp_path, rows(sized(1000, 100, 10))).finding("LAB120", shows=("100:1", "63.5:1"))
    assert finding.severity == "warning"
    assert finding.evidence["effective_classes"] == pytest.approx(1.4, abs=0.1)


def test_lab120_near_miss_retrieval_data_are_like_that(tmp_path: Path) -> None:
    changes = {
        "Arch": {"name": "RecModel", "Backbone": {"name": "ResNet50"}, "Head": {"name": "FC", "class_num": 6, "embedding_size": 2048}}
    }
    assert project(tmp_path, rows(sized(500, 4)), changes=changes, classes=None).finding("LAB120").severity == "info"


def test_lab120_near_miss_nine_to_one(tmp_path: Path) -> None:
    assert passes(project(tmp_path, rows(sized(36, 4))), "LAB120")


def test_lab120_skipped_a_sampler_that_balances(tmp_path: Path) -> None:
    sampler = {"name": "PKSampler", "batch_size": 2, "sample_per_id": 2, "drop_last": True, "sample_method": "id_avg_prob"}
    assert reason(project(tmp_path, rows(sized(40, 4)), changes={"DataLoader.Train.sampler": sampler}), "LAB120") == "sampler-balances"


def test_lab120_positive_the_sampler_snippet_fits_batch_and_classes(tmp_path: Path) -> None:
    made = project(tmp_path, rows(sized(640, 4, 4)), changes={"train_batch": 64})
    snippet = next(f.snippet for f in made.finding("LAB120").fixes if f.snippet)
    assert "sample_per_id: 32" in snippet  # 3 classes × 32 > 64
    assert "sample_method: id_avg_prob" in snippet


def test_lab120_positive_the_command_repeats_small_classes(tmp_path: Path) -> None:
    made = project(tmp_path, rows(sized(40, 4, 1)))
    command = next(f.command for f in made.finding("LAB120").fixes if f.command)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    lines = (tmp_path / "data" / "train_list.txt.balanced").read_text().splitlines()
    assert [sum(line.endswith(f" {label}") for line in lines) for label in range(3)] == [40, 40, 10]


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 10_000), min_size=2))
def test_figures_keep_their_bounds(counts: dict[int, int]) -> None:
    found = balance(counts)
    assert 1 <= found.effective_classes <= len(counts) + 0.1
    assert 1 <= found.effective_ratio <= round(found.ratio, 1) + 0.1
    assert counts[found.smallest] == found.fewest == min(counts.values())


def test_even_classes_count_fully() -> None:
    assert balance(dict.fromkeys(range(100), 7)).effective_classes == 100


# LAB121
def lab121_project(tmp_path: Path, synthetic: dict[int, int], val: int = 0) -> Project:
    train = folders("train")
    train += [(f"train/gen_{label}/{n}.png", label) for label, count in synthetic.items() for n in range(count)]
    evaluation = [*folders("val", each=2), *((f"val/gen_0/{n}.png", 0) for n in range(val))]
    return project(tmp_path, train, evaluation)


def checked(made: Project, lang: str = "en", *patterns: str) -> Any:
    return run_check("config.yaml", lang=lang, synthetic=patterns or ("*/gen_*",), settings=Settings(), world=World(cwd=str(made.folder)))


def test_lab121_positive_a_share_is_told(tmp_path: Path) -> None:
    (finding,) = found(checked(lab121_project(tmp_path, {0: 4, 1: 1})), "LAB121")
    assert (finding.severity, finding.evidence["synthetic"], finding.evidence["share"]) == ("info", 5, 20.0)
    assert (finding.evidence["worst"], finding.evidence["worst_share"]) == (0, 50.0)


def test_lab121_positive_a_class_of_nothing_else(tmp_path: Path) -> None:
    for lang in ("en", "zh"):
        (finding,) = found(checked(lab121_project(tmp_path, {5: 3}), lang), "LAB121")
        assert (finding.severity, finding.evidence["only"], finding.evidence["all_real"]) == ("warning", [5], 5)


def test_lab121_positive_in_the_evaluation(tmp_path: Path) -> None:
    (finding,) = found(checked(lab121_project(tmp_path, {}, val=2)), "LAB121")
    assert (finding.severity, finding.location.file) == ("warning", "./data/val_list.txt")


def test_lab121_near_miss_nothing_matches(tmp_path: Path) -> None:
    run = checked(lab121_project(tmp_path, {0: 1}), "en", "*render*")
    assert [c.reason for c in run.report.checks if c.code == "LAB121"] == ["no listed image matches *render*"]


def test_lab121_skipped_without_patterns(tmp_path: Path) -> None:
    assert reason(project(tmp_path), "LAB121") == "no-synthetic"


def test_lab120_negative_even_classes(tmp_path: Path) -> None:
    assert passes(project(tmp_path), "LAB120")


def test_lab121_negative_patterns_that_match_real_images_nowhere_else(tmp_path: Path) -> None:
    run = checked(lab121_project(tmp_path, {0: 1}), "en", "*/never_*")
    assert not found(run, "LAB121")
