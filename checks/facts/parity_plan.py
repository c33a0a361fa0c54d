"""What each side is told: its config with the user's weights and model, its ops, and where an array is one of a rung."""

from __future__ import annotations

import os
from typing import Any

from checks.facts.base import Request, Unreadable, World
from checks.facts.deploy_config import DeployConfig
from checks.facts.own_paddleclas import find_checkout
from checks.facts.parity import Op, Output
from checks.facts.parity_chain import marks_of, ops_of
from checks.facts.probe_run import plain
from checks.facts.training_config import TrainingConfig
from checks.facts.weight_files import SUFFIX

_OUTPUTS: dict[str, Output] = {
    "Topk": "classes",
    "ThreshOutput": "classes",
    "MultiLabelThreshOutput": "labels",
    "MultiLabelTopk": "labels",
    "ScoreOutput": "score",
    "PersonAttribute": "attributes",
    "VehicleAttribute": "attributes",
    "TableAttribute": "attributes",
    "FaceAttribute": "attributes",
}


class Plan:
    """Both sides' orders, before they have a folder.

    Raises:
        Unreadable: the configs are not of a kind that can be run.
    """

    def __init__(self, config: TrainingConfig, deploy: DeployConfig, request: Request, world: World) -> None:
        if config.generation != "modern":
            raise Unreadable("parity-legacy" if config.generation == "legacy" else "parity-no-training-config")
        if deploy.kind != "yaml" or deploy.program != "python":
            raise Unreadable("parity-no-python-config", file=deploy.file)
        self.features = isinstance(deploy.tree.raw("RecPreProcess"), dict) and not isinstance(deploy.tree.raw("PreProcess"), dict)
        self.script = "predict_rec" if self.features else "predict_cls"
        self.output = self._output(config)
        self.train_ops = self._train_ops(config)
        section = "RecPreProcess" if self.features else "PreProcess"
        self.deploy_key = f"{section}.transform_ops"
        self.deploy_ops = ops_of(deploy.tree.raw(self.deploy_key), self.deploy_key)
        self.post_process = self._name_of(config)
        topk = config.tree.raw("Infer.PostProcess.topk")
        self.topk = topk if type(topk) is int else None if self.post_process != "Topk" else 1
        checkout = find_checkout(config, request, world)
        self.roots = [root for root in dict.fromkeys((checkout, config.root)) if root]
        self.train_cwd, self.deploy_cwd = config.root, deploy.root
        self.train_config = plain(config.tree.data)
        self.deploy_config = plain(deploy.tree.data)
        self._weights(config, request, world)
        self.model = self._model(deploy, request, world)
        onnx = deploy.switch("onnx")
        self.onnx = onnx is not None and bool(onnx.value)
        places = [deploy.root, os.path.join(deploy.root, "deploy"), *(os.path.join(root, "deploy") for root in self.roots)]
        self.places = list(dict.fromkeys(place for place in places if os.path.isdir(os.path.join(place, "python"))))

    def orders(self, folder: str) -> dict[str, dict[str, Any]]:
        """What the programs of both sides are given."""
        return {
            "train": {
                "side": "train",
                "folder": folder,
                "roots": self.roots,
                "config": self.train_config,
                "transforms": self.transforms,
                "kinds": [op.step for op in self.train_ops],
                "marks": marks_of(self.train_ops),
                "output": self.output,
            },
            "deploy": {
                "side": "deploy",
                "folder": folder,
                "places": self.places,
                "config": self.deploy_config,
                "script": self.script,
                "kinds": [op.step for op in self.deploy_ops],
                "marks": marks_of(self.deploy_ops),
                "repairs": [],
            },
        }

    def _output(self, config: TrainingConfig) -> Output:
        if self.features:
            return "features"
        return _OUTPUTS.get(self._name_of(config) or "", "classes")

    @staticmethod
    def _name_of(config: TrainingConfig) -> str | None:
        section = config.tree.raw("Infer.PostProcess")
        name = section.get("func" if section.get("name") == "DistillationPostProcess" else "name") if isinstance(section, dict) else None
        return name if isinstance(name, str) else None

    def _train_ops(self, config: TrainingConfig) -> tuple[Op, ...]:
        """`Infer.transforms`, else what the evaluation does, whose datasets turn the image to CHW themselves."""
        for key in ("Infer.transforms", *(f"DataLoader.{split}.dataset.transform_ops" for split in ("Eval", "Eval.Query", "Eval.Gallery"))):
            specs = config.tree.raw(key)
            if not isinstance(specs, list) or not specs:
                continue
            ops = ops_of(specs, key)
            if not key.startswith("Infer") and not any(op.step == "layout" for op in ops):
                specs = [*specs, {"ToCHWImage": None}]
                ops = (*ops, Op("ToCHWImage", "layout", None))
            self.transforms = plain(specs)
            return ops
        raise Unreadable("parity-no-transforms")

    def _weights(self, config: TrainingConfig, request: Request, world: World) -> None:
        whole = self.train_config.setdefault("Global", {})
        if not isinstance(whole, dict):
            raise Unreadable("parity-no-training-config")
        if request.weights is not None:
            whole["pretrained_model"] = _prefix(world.locate(os.path.expanduser(request.weights)))
        written = whole.get("pretrained_model")
        if isinstance(written, str) and written.endswith(SUFFIX) and os.path.isfile(config.resolve(written)):
            whole["pretrained_model"] = _prefix(written)  # which every branch takes

    def _model(self, deploy: DeployConfig, request: Request, world: World) -> str | None:
        """The folder of the exported model, put into the config as an absolute path."""
        whole = self.deploy_config.setdefault("Global", {})
        key = "rec_inference_model_dir" if self.features else "inference_model_dir"
        if request.inference_model is not None:
            path = os.path.abspath(world.locate(os.path.expanduser(request.inference_model)))
            whole[key] = os.path.dirname(path) if os.path.isfile(path) else path
        written = whole.get(key)
        return deploy.resolve(written) if isinstance(written, str) and written and "\0" not in written else None


def _prefix(path: str) -> str:
    return path.removesuffix(SUFFIX) if os.path.isfile(path) else path


def model_files(folder: str | None) -> tuple[str, str] | None:
    """The program and the parameters that the deploy side opens in a folder; None where they are not there."""
    pair = _pair(folder)
    return pair if pair is not None and os.path.isfile(pair[1]) else None


def lone_program(folder: str | None) -> tuple[str, str] | None:
    """The program that the deploy side opens and the parameters missing beside it; None for a whole pair or another kind of model."""
    pair = _pair(folder)
    return pair if pair is not None and not os.path.isfile(pair[1]) else None


def _pair(folder: str | None) -> tuple[str, str] | None:
    """A program, and where its parameters belong."""
    if folder is None:
        return None
    prefix = os.path.join(folder, "inference_int8" if os.path.isfile(os.path.join(folder, "inference_int8.pdiparams")) else "inference")
    program = next((path for path in (f"{prefix}.json", f"{prefix}.pdmodel") if os.path.isfile(path)), None)
    return (program, f"{prefix}.pdiparams") if program is not None else None
