"""`WeightsFit`: how each file of weights that is named stands to the model of the config."""

from __future__ import annotations

from typing import Literal

import msgspec

from checks.facts.base import Fact, Unreadable, collects
from checks.facts.expected_state import ExpectedState, Part, Role
from checks.facts.stored_weights import StoredFile, StoredWeights
from checks.facts.training_config import TrainingConfig
from checks.model import Location
from checks.tensors.fit import Verdict, Wanted, judge, wanted
from knowledge.states import states_of

ORDER = ("fits", "dtype", "classes", "headless", "unknown", "position", "partial")
"""Kinds from best to worst; of a distillation's roles the best fitting one tells what a file is for."""


class FileFit(msgspec.Struct, frozen=True):
    """One file of weights held against the model, or that piece of the model, which reads it.

    `role` is that of the file: all weights (`global`), a `pretrained` below `Arch` (`arch`) or those a training goes on from (`checkpoint`).
    `network` is what the config builds, `player` its role in a distillation, `classes` the class count it is built with, `class_key` where that
    count stands.
    """

    role: Literal["global", "arch", "checkpoint"]
    key: str
    written: str
    path: str
    source: Location
    network: str
    player: str
    classes: int | None
    class_key: str
    verdict: Verdict


class WeightsFit(Fact, frozen=True):
    """Each file of weights that could be read and whose model is known."""

    files: tuple[FileFit, ...]

    @property
    def other_count(self) -> int | None:
        """The class count of all the model's weights, where it is another than that the model is built with."""
        return next((file.verdict.have for file in self.files if file.role == "global" and file.verdict.kind == "classes"), None)


@collects(WeightsFit, deadline=20.0, touches=False)
def collect_weights_fit(config: TrainingConfig, expected: ExpectedState, stored: StoredWeights) -> WeightsFit:
    """Compare names and shapes; values are not looked at.

    Raises:
        Unreadable: no file of weights could be read.
    """
    found = []
    all_given = any(file.role == "global" and file.contents is not None for file in stored.files)
    for file in stored.files:
        if file.contents is None or file.contents.calls or file.contents.flaw:
            continue  # what would run, or is broken, is told by others
        if file.role == "arch" and all_given:
            continue  # what it fills is filled again
        if config.generation == "legacy" and (config.tree.raw("load_static_weights") or config.tree.raw("use_distillation")):
            continue  # matched by the names of parameters, or loaded into one of two networks
        fit = _fit(config, expected, file)
        if fit is not None:
            found.append(fit)
    if not found:
        raise Unreadable("no-weights-read")
    return WeightsFit(tuple(found))


def _fit(config: TrainingConfig, expected: ExpectedState, file: StoredFile) -> FileFit | None:
    if file.role == "arch":
        role = _reader(expected, file.key)
        roles: tuple[Role, ...] = () if role is None else (role,)
    else:
        roles = expected.roles if config.stage == "train" else (expected.main,)
    judged = [(role, _verdict(expected, role, file)) for role in roles]
    if not judged:
        return None
    role, verdict = min(judged, key=lambda pair: (_rank(pair[1]), pair[0].name != expected.used))
    return FileFit(
        role=file.role,
        key=file.key,
        written=file.written,
        path=file.path,
        source=file.source,
        network=role.network,
        player=role.name,
        classes=role.classes,
        class_key=role.class_key,
        verdict=verdict,
    )


def _rank(verdict: Verdict) -> int:
    return ORDER.index(verdict.kind) if verdict.kind in ORDER else len(ORDER)


def _reader(expected: ExpectedState, key: str) -> Role | None:
    """The piece of the model into which a `pretrained` of `Arch` is read: a network as it is built, before any layer of it is replaced."""
    for role in expected.roles:
        for part in role.parts:
            if key == f"{part.key}.pretrained":
                return Role(role.name, part.name, part.key, (msgspec.structs.replace(part, prefix="", stopped=()),))
    return None


def _verdict(expected: ExpectedState, role: Role, file: StoredFile) -> Verdict:
    contents = file.contents
    assert contents is not None
    types = {tensor.name: tensor.dtype for tensor in contents.tensors}
    branches: dict[str, list[Wanted]] = {}
    if len(role.parts) == 1:
        mine = {state.branches for state in role.parts[0].states(expected.legacy)}
        for state in states_of(role.parts[0].name):
            if state.branches not in mine:
                branches[state.branches[-1]] = [wanted([(role.parts[0].prefix, state, role.parts[0].classes)])]
    return judge(
        contents.shapes,
        types,
        _models(role.parts, expected.legacy),
        prefix=f"{role.name}." if role.name and file.role != "arch" else "",
        certain=role.certain,
        nested=contents.nested,
        others=branches,
        own=tuple(part.name for part in role.parts),
    )


def _models(parts: tuple[Part, ...], legacy: bool) -> list[Wanted]:
    """The model in each set of branches in which it has another state; only networks differ, necks and heads do not."""
    versions = [part.states(legacy) for part in parts]
    most = max(len(states) for states in versions)
    return [
        wanted([(part.prefix, states[min(number, len(states) - 1)], part.classes) for part, states in zip(parts, versions, strict=True)])
        for number in range(most)
    ]
