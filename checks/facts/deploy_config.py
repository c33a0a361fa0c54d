"""`DeployConfig`: the deploy config that goes with a training config, or is the config itself."""

from __future__ import annotations

import os
import re
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, Request, StageName, Unreadable, World, collects, within
from checks.facts.key_value import BadLine, is_key_value_name, parse_key_values, read_key_values
from checks.facts.training_config import TrainingConfig, find_root, generation_of
from checks.facts.yaml_tree import Tree, read_text, read_tree
from checks.model import Value

Program = Literal["python", "cpp", "cpp-text", "lite"]
"""What reads a deploy config: the scripts in `deploy/python` (YAML), the C++ demo of 2.3 and later (the same YAML), the C++ demo up to 2.2
(`config.txt`), or the Paddle-Lite demo (another `config.txt`)."""

_SWITCHES: dict[str, dict[Program, str]] = {
    "gpu": {"python": "Global.use_gpu", "cpp-text": "use_gpu"},
    "onednn": {"python": "Global.enable_mkldnn", "cpp-text": "use_mkldnn"},
    "tensorrt": {"python": "Global.use_tensorrt", "cpp-text": "use_tensorrt"},
    "fp16": {"python": "Global.use_fp16", "cpp-text": "use_fp16"},
    "onnx": {"python": "Global.use_onnx"},
}
_NUMBERS: dict[str, dict[Program, str]] = {
    "threads": {"python": "Global.cpu_num_threads", "cpp-text": "cpu_math_library_num_threads", "lite": "num_threads"},
    "batch": {"python": "Global.batch_size", "lite": "batch_size"},
}


class DeployConfig(Fact, frozen=True):
    """A deploy config; `tree` holds it with the place of each value, relative paths count from `root`.

    `bad` are the lines of a text config that its program cannot read. `companion` is true beside a training config.
    """

    file: str
    kind: Literal["yaml", "text"]
    tree: Tree
    root: str
    program: Program = "python"
    bad: tuple[BadLine, ...] = ()
    companion: bool = False
    sysroot: str = ""

    def resolve(self, path: str) -> str:
        """A path of the config as its program would open it."""
        return os.path.normpath(within(self.sysroot, self.root, path))

    def key(self, concept: str) -> str | None:
        """The key of a switch or number in this kind of config."""
        program: Program = "python" if self.program == "cpp" else self.program
        return (_SWITCHES.get(concept) or _NUMBERS[concept]).get(program)

    def switch(self, concept: str) -> Value[bool] | None:
        """A switch that is set to something the program takes; C++ reads text with `stoi`, Python asks whether it is true."""
        found = self._found(concept)
        if found is None:
            return None
        number = self._number(found.value)
        if number is not None:
            return Value(bool(number), found.location)
        return Value(found.value, found.location) if isinstance(found.value, bool) else None

    def number(self, concept: str) -> Value[int] | None:
        """A whole number that is set."""
        found = self._found(concept)
        number = self._number(found.value) if found else None
        return None if found is None or number is None else Value(number, found.location)

    def _found(self, concept: str) -> Value[Any] | None:
        key = self.key(concept)
        return self.tree.get(key) if key else None

    def _number(self, value: Any) -> int | None:
        if type(value) is int:
            return value
        digits = value.removeprefix("-").removeprefix("+") if isinstance(value, str) and self.kind == "text" else ""
        return int(value) if digits.isdecimal() and len(digits) < 10 else None


@collects(DeployConfig, deadline=20.0)
def collect_deploy_config(config: TrainingConfig, request: Request, world: World) -> DeployConfig:
    """Read `--deploy-config`, or take the config itself where it is a deploy config.

    Raises:
        Unreadable: there is none, or as `read_tree` and `read_key_values`.
    """
    if config.generation == "deploy":
        return DeployConfig(config.file, "yaml", config.tree, config.root, program_of(world.locate(config.file)), sysroot=world.sysroot)
    if config.generation == "text":
        # the tree has the overrides; which lines are bad stands in the file only
        parsed = parse_key_values(read_text(world.locate(config.file), config.file), config.file)
        return DeployConfig(
            config.file, "text", config.tree, config.root, "lite" if parsed.lite else "cpp-text", parsed.bad, sysroot=world.sysroot
        )
    if request.deploy_config is None:
        raise Unreadable("no-deploy-config")
    path, name = world.locate(request.deploy_config), request.deploy_config
    if not os.path.lexists(path) and "\0" not in path and not world.unseen(path):
        raise Unreadable("deploy-config-missing", file=name)
    if is_key_value_name(name):
        values = read_key_values(path, name)
        root = _root(config, request, world, [v for v in values.tree.data.values() if "/" in v])
        return DeployConfig(name, "text", values.tree, root, "lite" if values.lite else "cpp-text", values.bad, True, world.sysroot)
    tree = read_tree(path, name)
    if generation_of(tree.data) != "deploy":
        raise Unreadable("not-a-deploy-config", file=name)
    return DeployConfig(name, "yaml", tree, _root(config, request, world, _paths(tree)), program_of(path), (), True, world.sysroot)


def stage_told_by(path: str) -> StageName:
    """The stage that a config is for, where the user names none: `deploy` for a deploy config, told by its name or its first lines."""
    if is_key_value_name(path):
        return "deploy"
    try:
        if not os.path.isfile(path):
            return "train"  # a pipe would have us wait for ever; whatever it is, the reader of the config says so
        with open(path, "rb") as stream:
            head = stream.read(1 << 16)
    except (OSError, ValueError):
        return "train"
    deploys = re.search(rb"^(?:(?:Rec|Det)?P(?:re|ost)Process|IndexProcess)\s*:", head, re.MULTILINE)
    trains = re.search(rb"^(?:Arch|DataLoader|ARCHITECTURE|TRAIN)\s*:", head, re.MULTILINE)
    return "deploy" if deploys and not trains else "train"


def find_deploy_config(config: TrainingConfig, request: Request, world: World) -> DeployConfig | None:
    """The deploy config, or None where there is none or it cannot be read: for facts that can do without."""
    try:
        found: DeployConfig = collect_deploy_config(config, request, world)
    except Unreadable:
        return None
    return found


def program_of(path: str) -> Program:
    """What reads a YAML config, told by its folder: the C++ demo is handed a copy in `deploy/cpp` or below it."""
    parts = os.path.abspath(path).split(os.sep)
    inside = any(parts[n] == "deploy" and parts[n + 1] in ("cpp", "cpp_infer") for n in range(len(parts) - 1))
    return "cpp" if inside else "python"


def _paths(tree: Tree) -> list[str]:
    wanted = ("infer_imgs", "inference_model_dir", "class_id_map_file", "index_dir", "image_root", "data_file")
    values = [tree.raw(path) for path in tree.spots if path.rpartition(".")[2].endswith(wanted)]
    return [value for value in values if isinstance(value, str) and value]


def _root(config: TrainingConfig, request: Request, world: World, named: list[str]) -> str:
    """The folder that a companion's relative paths count from: `deploy/` of the checkout, unless another holds what it names."""
    itself = msgspec.structs.replace(request, config=request.deploy_config or request.config, root=None)
    root, reason = find_root(itself, world, "deploy", named)
    if reason == "checkout":
        return root
    relative = [path for path in named if not os.path.isabs(path) and "\0" not in path]
    for folder in (root, os.path.join(config.root, "deploy"), config.root):
        if any(os.path.exists(os.path.join(folder, path)) for path in relative):
            return folder
    beside = os.path.join(config.root, "deploy")
    return beside if config.root_reason != "cwd" and os.path.isdir(beside) else config.root
