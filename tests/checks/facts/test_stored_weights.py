"""What the named files of weights hold."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from checks.facts.base import Request, Unreadable, World
from checks.facts.stored_weights import StoredWeights, collect_stored_weights
from checks.facts.training_config import collect_training_config
from checks.facts.weight_files import collect_weight_files
from tests.projects import CONFIG, Project


def stored(folder: Path, weights: str | None = None) -> StoredWeights:
    request, world = Request(CONFIG, weights=weights), World(cwd=str(folder))
    config = collect_training_config(request, world)
    return collect_stored_weights(config, collect_weight_files(config, request, world), world)


def test_weights_and_checkpoint_with_what_lies_beside(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"Global.pretrained_model": "w/best", "Global.checkpoints": "w/latest"})
    for name in ("best", "latest"):
        made.write(f"w/{name}.pdparams", pickle.dumps({"fc.weight": np.ones((2, 3), "f4")}))
    made.write("w/latest.pdopt", pickle.dumps({"fc_w_0_moment1_0": np.ones((2, 3), "f4"), "LR_Scheduler": {"last_epoch": 4}}))
    made.write("w/latest.pdstates", pickle.dumps({"epoch": 4}))
    found = stored(tmp_path)
    assert [(file.role, file.key, file.written) for file in found.files] == [
        ("global", "Global.pretrained_model", "w/best"),
        ("checkpoint", "Global.checkpoints", "w/latest"),
    ]
    assert found.main is not None and found.main.contents is not None and found.main.contents.shapes == {"fc.weight": (2, 3)}
    assert found.main.optimizer is None
    checkpoint = found.checkpoint
    assert checkpoint is not None and checkpoint.optimizer is not None and checkpoint.states is not None and checkpoint.ema is None
    assert checkpoint.states.scalars == {"epoch": 4}
    assert checkpoint.optimizer.tables == {"LR_Scheduler": {"last_epoch": 4}}


def test_a_file_that_holds_none_and_one_that_is_not_there(tmp_path: Path) -> None:
    made = Project(tmp_path, "modern", {"Global.pretrained_model": "w/best"})
    with pytest.raises(Unreadable):
        stored(tmp_path)
    made.write("w/best.pdparams", "<html>")
    found = stored(tmp_path)
    assert found.main is not None and (found.main.contents, found.main.problem) == (None, "other")
