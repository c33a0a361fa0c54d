"""CFG210 to CFG212: `Global.checkpoints`. The kinds of tests are told by their names, see `test_config_rules.py`."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts import checkpoint
from tests.projects import CONFIG, REMOVED, Project, passes, reason

KEY = "Global.checkpoints"
FILES = (".pdparams", ".pdopt", ".pdstates")


def saved(project: Project, prefix: str, epoch: int = 2, files: tuple[str, ...] = FILES) -> Project:
    """Files like those of a checkpoint, with the states as paddle.save writes them."""
    for suffix in files:
        project.write(prefix + suffix, pickle.dumps({"metric": 0.5, "epoch": epoch}, protocol=4) if suffix == ".pdstates" else b"x")
    return project


def resumed(folder: Path, prefix: str = "out/latest", **changes: Any) -> Project:
    return Project(folder, "modern", {KEY: prefix, **changes})


def epoch_of(content: bytes) -> int | None:
    with tempfile.NamedTemporaryFile(suffix=".pdstates") as stream:
        stream.write(content)
        stream.flush()
        return checkpoint.epoch_of(stream.name)


@given(epoch=st.integers(0, 1_000_000), protocol=st.integers(0, 5), metric=st.floats(allow_nan=False) | st.none() | st.text(max_size=20))
def test_epoch_of_any_pickle(epoch: int, protocol: int, metric: float | str | None) -> None:
    assert epoch_of(pickle.dumps({"metric": metric, "epoch": epoch}, protocol)) == epoch
    assert epoch_of(pickle.dumps({"epoch": epoch, "metric": metric}, protocol)) == epoch


@given(st.binary(max_size=300))
def test_epoch_of_any_bytes(content: bytes) -> None:
    found = epoch_of(content)
    assert found is None or 0 <= found <= 1_000_000


class Trap:
    """Unpickling this would write a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def test_epoch_of_runs_nothing(tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    assert epoch_of(pickle.dumps({"metric": Trap(str(trace)), "epoch": 7})) == 7
    assert not trace.exists()
    assert epoch_of(pickle.dumps({"epoch": "7"})) is None
    assert epoch_of(pickle.dumps({"epochs": 7})) is None
    assert epoch_of(b"") is None


# CFG210 resume-past-last-epoch


@pytest.mark.parametrize("done, epochs", [(2, 2), (5, 2), (20, 20)])
def test_cfg210_positive(tmp_path: Path, done: int, epochs: int) -> None:
    project = saved(resumed(tmp_path, epochs=epochs), "out/latest", done)
    finding = project.finding("CFG210", shows=("out/latest", done, epochs))
    assert (finding.severity, finding.entry) == ("error", "train.resume")
    assert (finding.location.file, finding.location.line, finding.location.key) == (
        CONFIG,
        project.place(f"epochs: ^{epochs}")[0],
        "Global.epochs",
    )
    assert finding.evidence == {"checkpoint": "out/latest", "done": done, "epochs": epochs}
    more = (finding.fixes[0].snippet or "").removeprefix("-o ")
    assert passes(project, "CFG210", more)


def test_cfg210_positive_by_its_name_where_the_states_tell_nothing(tmp_path: Path) -> None:
    project = saved(resumed(tmp_path, "out/epoch_12", epochs=12), "out/epoch_12")
    project.write("out/epoch_12.pdstates", b"no pickle")
    assert project.finding("CFG210").evidence["done"] == 12


def test_cfg210_positive_legacy(tmp_path: Path) -> None:
    project = saved(Project(tmp_path, "legacy", {"checkpoints": "out/1/ppcls", "last_epoch": 1}), "out/1/ppcls", files=FILES[:2])
    assert project.finding("CFG210").evidence["done"] == 2


def test_cfg210_negative(tmp_path: Path) -> None:
    assert passes(saved(resumed(tmp_path, epochs=20), "out/latest", 2), "CFG210")


def test_cfg210_near_miss_one_epoch_is_left(tmp_path: Path) -> None:
    assert passes(saved(resumed(tmp_path, epochs=3), "out/latest", 2), "CFG210")
    assert passes(saved(resumed(tmp_path, epochs=2), "out/latest", 2), "CFG210", "Global.epochs=3")


def test_cfg210_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG210") == "no-checkpoint"
    assert reason(resumed(tmp_path), "CFG210") == "no-checkpoint-epoch"
    assert reason(saved(resumed(tmp_path, epochs=REMOVED), "out/latest"), "CFG210") == "no-epochs"


# CFG211 checkpoint-incomplete


def test_cfg211_positive_suffix(tmp_path: Path) -> None:
    project = saved(resumed(tmp_path, "out/latest.pdparams", epochs=9), "out/latest")
    finding = project.finding("CFG211", shows=("out/latest.pdparams.pdparams",))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.resume", KEY)
    assert (finding.location.line, finding.location.column) == project.place("checkpoints: ^out/latest.pdparams")
    assert project.assert_repaired_by(finding) == ["out/latest"]


def test_cfg211_positive_folder(tmp_path: Path) -> None:
    project = saved(saved(resumed(tmp_path, "out", epochs=9), "out/latest"), "out/epoch_1")
    assert project.assert_repaired_by(project.finding("CFG211", shows=("out",))) == ["out/latest"]


@pytest.mark.parametrize("missing", FILES)
def test_cfg211_positive_a_file_is_missing(tmp_path: Path, missing: str) -> None:
    project = saved(resumed(tmp_path), "out/latest", files=tuple(s for s in FILES if s != missing))
    assert project.finding("CFG211", shows=("out/latest", missing)).evidence["missing"] == [missing]


def test_cfg211_positive_nothing_there(tmp_path: Path) -> None:
    assert resumed(tmp_path).finding("CFG211", shows=("out/latest", ".pdparams")).fixes == []


def test_cfg211_negative(tmp_path: Path) -> None:
    assert passes(saved(resumed(tmp_path), "out/latest"), "CFG211")


def test_cfg211_near_miss(tmp_path: Path) -> None:
    both = saved(saved(resumed(tmp_path, "out/best_model"), "out/best_model"), "out/best_model/model", files=FILES[:1])
    assert passes(both, "CFG211")  # a folder of the same name lies beside it
    old = saved(Project(tmp_path, "legacy", {"checkpoints": "out/1/ppcls"}), "out/1/ppcls", files=FILES[:2])
    assert passes(old, "CFG211")  # 2.0 and 2.1 write no states


def test_cfg211_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern"), "CFG211") == "no-checkpoint"
    assert reason(Project(tmp_path, "modern", {KEY: ""}), "CFG211") == "no-checkpoint"


# CFG212 checkpoint-not-read


@pytest.mark.parametrize("stage", ["eval", "infer", "export"])
def test_cfg212_positive(tmp_path: Path, stage: str) -> None:
    project = resumed(tmp_path)
    finding = project.finding("CFG212", stage=stage, shows=("out/latest",))
    assert (finding.severity, finding.entry, finding.location.key) == ("error", "train.resume", KEY)
    assert [(fix.key, fix.value) for fix in finding.fixes] == [("Global.pretrained_model", "out/latest")]


def test_cfg212_positive_beside_other_weights_a_note(tmp_path: Path) -> None:
    project = resumed(tmp_path, **{"Global.pretrained_model": "out/best_model"})
    assert project.finding("CFG212", stage="eval").severity == "info"


def test_cfg212_negative(tmp_path: Path) -> None:
    project = Project(tmp_path, "modern", {"Global.pretrained_model": "out/best_model"})
    assert reason(project, "CFG212", stage="eval") == "no-checkpoint"


def test_cfg212_near_miss_the_training_reads_it(tmp_path: Path) -> None:
    run = saved(resumed(tmp_path, epochs=9), "out/latest").check()
    assert "CFG212" not in {f.code for f in run.report.findings}


def test_cfg212_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "legacy", {"checkpoints": "x"}), "CFG212", stage="eval") == "no-checkpoint"


# CFG217 checkpoint-beside-pretrained


def test_cfg217_positive(tmp_path: Path) -> None:
    project = saved(resumed(tmp_path, epochs=9, **{"Global.pretrained_model": "good/best_model"}), "out/latest")
    finding = project.finding("CFG217", shows=("good/best_model", "out/latest"))
    assert (finding.severity, finding.entry, finding.location.key) == ("info", "train.resume", "Global.pretrained_model")
    assert project.assert_repaired_by(finding) == [None]


def test_cfg217_negative(tmp_path: Path) -> None:
    assert passes(saved(resumed(tmp_path, epochs=9), "out/latest"), "CFG217")


def test_cfg217_near_miss_no_checkpoint_there(tmp_path: Path) -> None:
    assert passes(resumed(tmp_path, **{"Global.pretrained_model": "good/best_model"}), "CFG217")


def test_cfg217_skipped(tmp_path: Path) -> None:
    assert reason(Project(tmp_path, "modern", {"Global.pretrained_model": "good/best_model"}), "CFG217") == "no-checkpoint"
