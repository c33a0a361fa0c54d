"""`ExpectedState`: the state dict of the model that the config builds: which networks, under which prefixes, with which class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.stored_weights import StoredWeights
from checks.facts.sub_networks import DEFAULT_CLASSES, is_distillation, roles_of
from checks.facts.training_config import TrainingConfig
from knowledge.layers import layers_of
from knowledge.states import CLASSES, LEGACY_BRANCHES, Shape, State, states_of

HARMLESS = frozenset(
    {
        "attn_drop_rate", "bias_lr_factor", "class_num", "classifier_dropout", "data_format", "drop_path_rate", "drop_rate", "dropout",
        "dropout_prob", "freeze_befor", "head_feature_from", "head_init_scale", "infer_add_softmax", "infer_model_name", "infer_output_key",
        "init_scale", "lr_mult_list", "name", "pretrained", "return_patterns", "return_stages", "stop_grad_layers", "stride_list", "use_ssld",
        "use_imagenet22k_pretrained", "use_imagenet22kto1k_pretrained", "use_ssld_stage1_pretrained", "use_sync_bn",
    }
)  # fmt: skip
"""Parameters that leave the keys and shapes of a network as they are; with any other the table is not what will be built."""

GEARS: dict[str, dict[str, tuple[str | int, ...]]] = {
    "AdaMargin": {"kernel": ("embedding_size", "class_num")},
    "ArcMargin": {"weight": ("embedding_size", "class_num")},
    "BNNeck": {f"feat_bn.{name}": ("num_features",) for name in ("weight", "bias", "_mean", "_variance")},
    "CircleMargin": {"weight": ("embedding_size", "class_num")},
    "CosMargin": {"weight": ("embedding_size", "class_num")},
    "FC": {"fc.weight": ("embedding_size", "class_num"), "fc.bias": ("class_num",)},
    "FRFNNeck": {
        "fc1.weight": ("num_features", "num_features"),
        "fc1.bias": ("num_features",),
        "fc2.weight": ("num_features", "low_dim"),
        "fc2.bias": ("low_dim",),
    },
    "MetaBNNeck": {f"feat_bn.{name}": ("num_features",) for name in ("weight", "bias", "_mean", "_variance")},
    "Tanh": {},
    "VehicleNeck": {"conv.weight": ("out_channels", "in_channels", "kernel_size", "kernel_size"), "conv.bias": ("out_channels",)},
}
"""Necks and heads of a RecModel (`ppcls/arch/gears`, the same in every branch): key → sides, each the parameter that it is. Buffers are left out."""

GEAR_DEFAULTS: dict[str, dict[str, int]] = {"AdaMargin": {"embedding_size": 512, "class_num": 70722}, "VehicleNeck": {"kernel_size": 1}}
GEAR_SHAPERS = frozenset({"bias_attr", "weight_attr", "groups"})
"""Parameters of a gear that can take a tensor away or divide one."""


class Part(msgspec.Struct, frozen=True):
    """One piece of the model: a network of `ppcls.arch`, or the neck or head of a RecModel.

    `prefix` is what its keys begin with in the state dict of the whole model, `key` its block in the config. `classes` is the class count it is
    built with, None for one that cannot be told. `certain` says that nothing in its block moves keys or shapes. `stopped` are the children that
    `BackboneStopLayer` replaces by an identity, which has no tensors.
    """

    name: str
    key: str
    prefix: str
    piece: str
    classes: int | None
    certain: bool
    stopped: tuple[str, ...] = ()
    sides: dict[str, Any] = {}

    def states(self, legacy: bool) -> tuple[State, ...]:
        """Its states in the branches of the config's layout; none where the network is not known."""
        if self.piece in ("Neck", "Head"):
            shapes = {key: tuple(self._side(side) for side in sides) for key, sides in GEARS[self.name].items()}
            return (State((), shapes, {}, {}),)
        found = (s for s in states_of(self.name) if any((branch in LEGACY_BRANCHES) == legacy for branch in s.branches))
        if not self.stopped:
            return tuple(found)
        return tuple(
            State(s.branches, {k: v for k, v in s.shapes.items() if k.partition(".")[0] not in self.stopped}, s.parameters, s.types)
            for s in found
        )

    def _side(self, side: str | int) -> int:
        if side == "class_num" and self.piece == "Head":
            return CLASSES
        return side if isinstance(side, int) else self.sides[side]


class Role(msgspec.Struct, frozen=True):
    """One whole model: the only one, or that of a role in a distillation. `name` is the role's, else empty; `network` what to call the model."""

    name: str
    network: str
    key: str
    parts: tuple[Part, ...]

    @property
    def certain(self) -> bool:
        """Whether everything about it is known."""
        return all(part.certain for part in self.parts)

    @property
    def classes(self) -> int | None:
        """The class count of its last part."""
        return self.parts[-1].classes

    @property
    def class_key(self) -> str:
        """Where the class count stands, or would."""
        return f"{self.parts[-1].key}.class_num"


class ExpectedState(Fact, frozen=True):
    """The models whose state dicts, one behind the other, are that of what the config builds; `used` is the role that the stage takes outputs of."""

    roles: tuple[Role, ...]
    used: str
    legacy: bool

    @property
    def main(self) -> Role:
        """The role that is used: of a training the student."""
        return next((role for role in self.roles if role.name == self.used), self.roles[-1])


@collects(ExpectedState, deadline=5.0, touches=False)
def collect_expected_state(config: TrainingConfig, stored: StoredWeights) -> ExpectedState:
    """View the config's networks as state dicts; only where there are weights to hold against them, as the table costs milliseconds.

    Raises:
        Unreadable: there is no network in it that is known, or its weights are rewritten by a compression.
    """
    if config.tree.raw("Slim"):
        raise Unreadable("state-by-slim")  # quantisation renames, pruning narrows
    legacy = config.generation == "legacy"
    roles = tuple(_roles(config))
    for role in roles:
        for part in role.parts:
            if part.piece in ("Neck", "Head"):
                continue
            if not part.states(legacy):
                raise Unreadable("network-state-unknown", network=part.name)
    if not roles:
        raise Unreadable("network-state-unknown", network=config.architecture.value if config.architecture else "?")
    unused = _unused(config)
    roles = tuple(msgspec.structs.replace(role, parts=tuple(part for part in role.parts if part.piece not in unused)) for role in roles)
    wanted = config.tree.raw("Arch.infer_model_name") if config.stage == "export" else None
    return ExpectedState(roles, wanted if isinstance(wanted, str) else "Student", legacy)


def _unused(config: TrainingConfig) -> tuple[str, ...]:
    """The pieces of a RecModel that the stage computes nothing with: the export cuts them off, a retrieval compares features."""
    if config.stage == "export":
        return {"features": ("Head",), "neck": ("Head",), "backbone": ("Neck", "Head")}.get(
            str(config.tree.raw("Arch.infer_output_key")), ()
        )
    return ("Head",) if config.stage == "eval" and config.tree.raw("Global.eval_mode") == "retrieval" else ()


def _roles(config: TrainingConfig) -> Iterator[Role]:
    if config.generation == "legacy":
        block = config.tree.raw("ARCHITECTURE.params")
        count = config.tree.raw("classes_num")
        if config.architecture is not None:
            name = config.architecture.value
            block = block if isinstance(block, dict) else {}
            part = Part(name, "ARCHITECTURE", "", "network", count if type(count) is int else None, set(block) <= HARMLESS)
            yield Role("", name, "ARCHITECTURE", (part,))
    elif config.generation == "modern":
        if is_distillation(config):
            if config.tree.raw("Arch.name") != "DistillationModel":
                return  # the roles of an AttentionModel are fed with each other's outputs
            for role in roles_of(config):
                parts = _parts(role.key, f"{role.name}.", role.params)
                if not parts:
                    raise Unreadable("network-state-unknown", network=str(role.params.get("name")))
                yield Role(role.name, _called(parts), role.key, parts)
        else:
            block = config.tree.raw("Arch")
            given = block if isinstance(block, dict) else {}
            if "class_num" not in given and type(config.tree.raw("Global.class_num")) is int and given.get("name") != "RecModel":
                given = {**given, "class_num": None}  # copied from Global by 2.3 and later, not by 2.2
            parts = _parts("Arch", "", given)
            if parts:
                yield Role("", _called(parts), "Arch", parts)


def _called(parts: tuple[Part, ...]) -> str:
    return parts[0].name


def _parts(key: str, prefix: str, block: dict[str, Any]) -> tuple[Part, ...]:
    name = block.get("name")
    if not isinstance(name, str):
        return ()
    if name != "RecModel":
        count = block.get("class_num", DEFAULT_CLASSES)
        return (Part(name, key, prefix, "network", count if type(count) is int else None, set(block) <= HARMLESS),)
    backbone = block.get("Backbone")
    if not isinstance(backbone, dict) or not isinstance(backbone.get("name"), str):
        return ()
    count = backbone.get("class_num", DEFAULT_CLASSES)
    stopped, sure = _stopped(backbone["name"], block)
    found = [
        Part(
            backbone["name"],
            f"{key}.Backbone",
            f"{prefix}backbone.",
            "Backbone",
            count if type(count) is int else None,
            sure and set(backbone) <= HARMLESS,
            stopped,
        )
    ]
    for piece in ("Neck", "Head"):
        gear = block.get(piece)
        if gear is not None:
            part = _gear(f"{key}.{piece}", f"{prefix}{piece.lower()}.", piece, gear)
            if part is None:
                return ()
            found.append(part)
    return tuple(found)


def _gear(key: str, prefix: str, piece: str, block: Any) -> Part | None:
    name = block.get("name") if isinstance(block, dict) else None
    if name not in GEARS:
        return None
    given = {**GEAR_DEFAULTS.get(name, {}), **block}
    needed = {side for sides in GEARS[name].values() for side in sides if isinstance(side, str)}
    if not all(type(given.get(side)) is int for side in needed):
        return None
    count = given.get("class_num")
    # only `bias_attr: False` takes a tensor away; other values are initialisers
    certain = not any(given.get(field) is False for field in GEAR_SHAPERS) and given.get("groups", 1) == 1
    return Part(name, key, prefix, piece, count if type(count) is int else None, certain, (), {side: given[side] for side in needed})


def _stopped(network: str, block: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The children behind the layer at which the backbone is stopped, and whether that is all that is taken away."""
    stop = block.get("BackboneStopLayer")
    if stop is None:
        return (), True
    layers = layers_of(network)
    name = stop.get("name") if isinstance(stop, dict) else None
    if layers is None or name not in layers.layers:
        return (), False
    return layers.layers[layers.layers.index(name) + 1 :], True


def shapes_of(part: Part, state: State) -> dict[str, Shape]:
    """The part's tensors under their keys in the whole model, with the class count put in where it is known."""
    count = CLASSES if part.classes is None else part.classes
    return {
        part.prefix + key: tuple(count if side == CLASSES else side for side in shape) if key in state.heads else shape
        for key, shape in state.shapes.items()
    }
