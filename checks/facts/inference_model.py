"""`InferenceModels`: the exported models that a deploy config names, and `DeployCode`: how the predictor at hand opens them."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Literal

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.deploy_config import find_deploy_config
from checks.facts.training_config import TrainingConfig
from checks.model import Location
from checks.tensors.programs import Program, read_program

Role = Literal["cls", "rec", "det"]

KEYS: dict[str, Role] = {
    "Global.inference_model_dir": "cls",
    "Global.rec_inference_model_dir": "rec",
    "Global.det_inference_model_dir": "det",
    "cls_model_path": "cls",
    "cls_model_dir": "cls",
    "clas_model_file": "cls",
}
"""Where a deploy config names its models."""

MODEL_FILES = ("inference.json", "inference.pdmodel", "inference_int8.json", "inference_int8.pdmodel", "inference.onnx")
PROGRAM_ENDS = (".json", ".pdmodel")
STATIC_PAIRS = (("model", "params"), ("__model__", "__params__"))
"""Program and parameters as the static branch, and PaddlePaddle 1.x by default, name them."""
_LISTED = 200


class InferenceModel(msgspec.Struct, frozen=True):
    """One exported model.

    `path` is its folder, or the model file where the config names that. `files` are the names in the folder that belong to models; `nearby` are
    folders beside or below it that hold an exported model. `program` is what the file says that the predictor would take (`program_file`), None
    where it cannot be read; `parameters_file` is where its values would lie. `empty` are those of the two that have 0 bytes.
    """

    role: Role
    written: str
    path: str
    source: Location
    state: Literal["folder", "file", "missing"]
    files: tuple[str, ...]
    nearby: tuple[str, ...]
    program: Program | None = None
    program_file: str | None = None
    parameters_file: str | None = None
    empty: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """The name without suffix that predictors of 2.4 and later take: the quantised model goes first."""
        return "inference_int8" if "inference_int8.pdiparams" in self.files else "inference"

    def has(self, suffix: str) -> bool:
        """Whether the folder holds the model in this format (`json`, `pdmodel`)."""
        return f"{self.prefix}.{suffix}" in self.files

    @property
    def classes(self) -> int | None:
        """The width of a classifier's single output, shape [N, C]."""
        if self.program is None or self.role != "cls" or len(self.program.outputs) != 1:
            return None
        output = self.program.outputs[0].shape
        return output[1] if len(output) == 2 and output[1] > 0 else None


class InferenceModels(Fact, frozen=True):
    """The exported models of a deploy config, or the one of `--inference-model`."""

    models: tuple[InferenceModel, ...]

    def of(self, role: Role) -> InferenceModel | None:
        """The model of a role, if the config names one."""
        return next((model for model in self.models if model.role == role), None)


@collects(InferenceModels, deadline=20.0)
def collect_inference_models(config: TrainingConfig, request: Request, world: World) -> InferenceModels:
    """Look into each folder, and read the program's shapes.

    Raises:
        Unreadable: neither a deploy config nor `--inference-model` names one.
    """
    models = []
    deploy = find_deploy_config(config, request, world)
    if request.inference_model is not None:
        path = os.path.normpath(world.locate(request.inference_model))
        models.append(look_at_model("cls", request.inference_model, path, Location(request.inference_model)))
    if deploy is not None:
        for key, role in KEYS.items():
            value = deploy.tree.get(key)
            if value is None or not isinstance(value.value, str) or not value.value:
                continue
            if role == "cls" and request.inference_model is not None:
                continue
            models.append(look_at_model(role, value.value, deploy.resolve(value.value), value.location))
    if not models:
        raise Unreadable("no-inference-model")
    seen = tuple(model for model in models if model.state != "missing" or not world.unseen(model.path))
    if not seen:
        raise Unreadable("path-not-seen", file=models[0].written)
    return InferenceModels(seen)


def look_at_model(role: Role, written: str, path: str, source: Location) -> InferenceModel:
    """What lies where a model is named."""
    try:
        state: Literal["folder", "file", "missing"] = "folder" if os.path.isdir(path) else "file" if os.path.exists(path) else "missing"
    except ValueError:  # a NUL in the path
        state = "missing"
    if state == "missing" and not source.key and _program_of_prefix(path):
        state = "file"  # the option may name what 2.0-beta calls a model: the path of its files without their ends
    folder = path if state == "folder" else os.path.dirname(path)
    files = _names(folder) if state != "missing" else ()
    program_file, parameters_file = _pair(path, state, files)
    program = read_program(program_file) if program_file else None
    nearby = _nearby(path) if not _holds(files) else ()
    whole = (program_file, parameters_file if program is None or program.parameters else None)  # a network may have none
    empty = tuple(os.path.basename(file) for file in whole if file and _is_empty(file))
    return InferenceModel(role, written, path, source, state, files, nearby, program, program_file, parameters_file, empty)


def _is_empty(file: str) -> bool:
    try:
        return os.path.isfile(file) and os.path.getsize(file) == 0
    except (OSError, ValueError):
        return False


def _pair(path: str, state: str, files: tuple[str, ...]) -> tuple[str | None, str | None]:
    """The files of the program and of its parameters."""
    if state == "folder":
        prefix = "inference_int8" if "inference_int8.pdiparams" in files else "inference"
        pairs = [(f"{prefix}.json", f"{prefix}.pdiparams"), (f"{prefix}.pdmodel", f"{prefix}.pdiparams"), *STATIC_PAIRS]
        program, parameters = next(((one, other) for one, other in pairs if one in files), (None, None))
        return (os.path.join(path, program), os.path.join(path, parameters)) if program and parameters else (None, None)
    if state == "file":
        program = path if path.endswith(PROGRAM_ENDS) else _program_of_prefix(path)
        return (program, os.path.splitext(program)[0] + ".pdiparams") if program else (None, None)
    return None, None


def _program_of_prefix(path: str) -> str | None:
    for end in PROGRAM_ENDS:
        with contextlib.suppress(ValueError):
            if os.path.isfile(path + end):
                return path + end
    return None


def _names(folder: str) -> tuple[str, ...]:
    wanted = (".json", ".pdmodel", ".pdiparams", ".onnx", ".nb", ".yml")
    static = {name for pair in STATIC_PAIRS for name in pair}
    try:
        return tuple(sorted(name for name in os.listdir(folder) if name.endswith(wanted) or name in static)[:_LISTED])
    except (OSError, ValueError):
        return ()


def _holds(files: tuple[str, ...]) -> bool:
    return any(name in files for name in MODEL_FILES)


def _nearby(path: str) -> tuple[str, ...]:
    """Folders with an exported model: below the path, else below the nearest folder above it that is there."""
    base = path
    while not os.path.isdir(base) and os.path.dirname(base) != base:
        base = os.path.dirname(base)
    found = []
    try:
        for name in (".", *sorted(os.listdir(base))[:_LISTED]):
            folder = os.path.normpath(os.path.join(base, name))
            if os.path.isdir(folder) and _holds(_names(folder)):
                found.append(folder)
    except (OSError, ValueError):
        return ()
    return tuple(found[:5])


class DeployCode(Fact, frozen=True):
    """What the Python predictor at hand does (`deploy/utils/predictor.py`), read as text.

    `by_prefix`: it hands `Config` a folder and a prefix (develop and the wheel 2.6.0, for PaddlePaddle 2.6 and later) instead of two files.
    `memory_optim`: it calls `enable_memory_optim()`, as every branch does, without `enable_new_executor()`.
    """

    file: str
    by_prefix: bool
    memory_optim: bool


@collects(DeployCode, deadline=5.0)
def collect_deploy_code(config: TrainingConfig, request: Request, world: World) -> DeployCode:
    """Read the installed package's predictor, which 2.4 and later import, else that of the checkout.

    Raises:
        Unreadable: there is none.
    """
    deploy = find_deploy_config(config, request, world)
    candidates = [os.path.join(folder or ".", "paddleclas", "deploy") for folder in world.search_path]
    for root in (deploy.root if deploy else None, config.root):
        candidates += [root, os.path.join(root, "deploy")] if root else []
    for folder in candidates:
        file = os.path.join(folder, "utils", "predictor.py")
        try:
            with open(file, encoding="utf-8", errors="replace") as stream:
                text = stream.read(1 << 16)
        except OSError:
            continue
        if "create_predictor" not in text:
            continue
        code = re.sub(r"(?m)#.*$", "", text)
        return DeployCode(
            file=file,
            by_prefix=re.search(r"Config\(\s*inference_model_dir\b", code) is not None,
            memory_optim=re.search(r"enable_memory_optim\(\s*(True)?\s*\)", code) is not None and "enable_new_executor" not in code,
        )
    raise Unreadable("no-deploy-code")


class InferenceFlags(Fact, frozen=True):
    """What the environment tells PaddlePaddle 3: `pir_off` with `FLAGS_enable_pir_api=0`, under which programs are `.pdmodel` as before."""

    pir_off: bool


@collects(InferenceFlags, deadline=1.0)
def collect_inference_flags(world: World) -> InferenceFlags:
    """Read the environment."""
    return InferenceFlags(world.environ.get("FLAGS_enable_pir_api", "").strip().lower() in ("0", "false", "off", "no"))
