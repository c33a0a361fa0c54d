"""`ExportedSettings`: what `inference.yml` says, the config that PaddleClas writes beside an exported model for other programs to deploy it.

Written with `Global.export_for_fd` (2.5.1 and later) or `Global.uniform_output_enabled` (develop): the transforms of `Infer` without the decoding,
`topk`, and the names of the label map in the order of its lines (`dump_infer_config` in ppcls/utils/config.py).
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from checks.facts.base import Fact, Unreadable, World, collects
from checks.facts.inference_model import InferenceModels
from checks.facts.yaml_tree import read_tree
from checks.model import Location

NAME = "inference.yml"
SHOWN_OPERATORS = ("ResizeImage", "CropImage", "NormalizeImage")
"""The transforms with values that decide what a model is fed."""


class ExportedSettings(Fact, frozen=True):
    """One `inference.yml`; `names` is None where it has no list of labels."""

    file: str
    operators: tuple[tuple[str, dict[str, Any]], ...]
    topk: int | None
    names: tuple[str, ...] | None
    source: Location


@collects(ExportedSettings, deadline=5.0)
def collect_exported_settings(models: InferenceModels, world: World) -> ExportedSettings:
    """Read the file beside the classifier.

    Raises:
        Unreadable: there is none, or it is no YAML mapping.
    """
    model = models.of("cls")
    folder = (model.path if model.state == "folder" else os.path.dirname(model.path)) if model is not None else None
    if model is None or folder is None or NAME not in model.files:
        raise Unreadable("no-inference-yml")
    path = os.path.join(folder, NAME)
    if world.unread(path):
        raise Unreadable("path-not-seen", file=NAME)
    tree = read_tree(path, path)
    topk = tree.raw("PostProcess.Topk.topk")
    names = tree.raw("PostProcess.Topk.label_list")
    return ExportedSettings(
        file=path,
        operators=listed(tree.raw("PreProcess.transform_ops")),
        topk=topk if type(topk) is int else None,
        names=tuple(str(name) for name in names) if isinstance(names, list) else None,
        source=Location(path),
    )


def listed(operators: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
    """A list of transforms as names and parameters, those of `SHOWN_OPERATORS` alone."""
    pairs = [
        (str(name), values if isinstance(values, dict) else {})
        for item in (operators if isinstance(operators, list) else ())
        if isinstance(item, dict)
        for name, values in item.items()
    ]
    return tuple((name, msgspec.to_builtins(values)) for name, values in pairs if name in SHOWN_OPERATORS)
