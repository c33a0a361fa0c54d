"""Whatever a config holds, walking its components ends, and the rules about them end too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks import components as rules
from checks.facts.base import Request, World
from checks.facts.components import Components, collect_components
from checks.facts.training_config import collect_training_config
from tests.projects import legacy_config, modern_config

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 300), st.sampled_from(["", "ResNet50", "CELoss", "name", "x.y", "RecModel"]))
KEYS = st.sampled_from(
    [
        "name",
        "models",
        "Backbone",
        "Head",
        "OpSampler",
        "RandomApply",
        "transforms",
        "lr",
        "regularizer",
        "CELoss",
        "weight",
        "func",
        "params",
    ]
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
PLACES = st.sampled_from(
    [
        "Arch", "Arch.Backbone", "Loss", "Loss.Train", "Metric.Eval", "Optimizer", "Optimizer.lr", "Optimizer.regularizer", "DataLoader.Train",
        "DataLoader.Train.dataset", "DataLoader.Train.dataset.transform_ops", "DataLoader.Train.dataset.batch_transform_ops",
        "DataLoader.Train.sampler", "Infer", "Infer.transforms", "Infer.PostProcess", "Global", "Global.train_mode", "ARCHITECTURE", "TRAIN",
        "TRAIN.transforms", "LEARNING_RATE", "OPTIMIZER", "PreProcess", "PostProcess",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.lists(st.tuples(PLACES, VALUES), max_size=4), st.sampled_from(["train", "eval", "export", "infer", "deploy"]))
def test_any_config_is_walked(tmp_path: Path, legacy: bool, changes: list[tuple[str, Any]], stage: Any) -> None:
    data = legacy_config() if legacy else modern_config()
    for place, value in changes:
        *parents, last = place.split(".")
        here: Any = data
        for part in parents:
            here = here.setdefault(part, {}) if isinstance(here, dict) else {}
        if isinstance(here, dict):
            here[last] = value
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    config = collect_training_config(Request("c.yaml", stage=stage), World(cwd=str(tmp_path)))
    components = collect_components(config)
    assert msgspec.json.decode(msgspec.json.encode(components), type=Components) == components
    for use in components.uses:
        assert config.tree.has(use.path), use
    for item in components.malformed:
        assert config.tree.has(item.path), item
    if components.uses:
        for rule in (rules.unknown_component, rules.unknown_parameter, rules.missing_parameter, rules.malformed_list_item):
            for finding in rule.function(config, components, None):
                assert finding.at.line


def test_a_huge_list_is_judged_in_time(tmp_path: Path) -> None:
    data = modern_config()
    data["DataLoader"]["Train"]["dataset"]["transform_ops"] = [{f"RandCropImagee{n}": {"sizee": n}} for n in range(5000)]
    data["Loss"]["Train"] = [{"CELoss": {"weight": 1.0, f"epsilonn{n}": n}} for n in range(5000)]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    config = collect_training_config(Request("c.yaml"), World(cwd=str(tmp_path)))
    components = collect_components(config)
    assert len(list(rules.unknown_component.function(config, components, None))) == 5000
    assert len(list(rules.unknown_parameter.function(config, components, None))) == 5000
