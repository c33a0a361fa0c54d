"""WTS: whether the weights fit the network that the config builds, told by the names and shapes in the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.training_config import TrainingConfig
from checks.facts.weights_fit import FileFit, WeightsFit
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix
from checks.registry import check

ABOUT_FILES = TRAIN | EVAL | INFER | EXPORT


def _of_kinds(fit: WeightsFit, *kinds: str) -> Iterator[FileFit]:
    """The files that are so; what a training goes on from is WTS114's matter."""
    for file in fit.files:
        if file.verdict.kind in kinds and file.role != "checkpoint":
            yield file


def _case(config: TrainingConfig, kind: str) -> str:
    """A training from there can be meant, the others give results of random numbers."""
    return f"{kind}-train" if config.stage == "train" else kind


def _values(config: TrainingConfig, file: FileFit) -> dict[str, Any]:
    verdict = file.verdict
    return {
        "file": file.written,
        "path": file.path,
        "network": file.network,
        "player": file.player,
        "stage": config.stage,
        "filled": verdict.filled,
        "total": verdict.total,
        "lost": list(verdict.lost),
        "count": verdict.count,
        "likes": list(verdict.likes),
        "share": f"{100 * verdict.share:.0f} %",
    }


def _name_fix(config: TrainingConfig, file: FileFit) -> Iterator[Fix]:
    """The network that the file is surely of, in place of the one that is built."""
    verdict = file.verdict
    if verdict.share >= 0.99 and verdict.likes and not verdict.found and file.role == "global":
        key = "ARCHITECTURE.name" if config.generation == "legacy" else file.class_key.replace("class_num", "name")
        if config.tree.raw(key) == file.network:
            name = verdict.likes[0]
            yield Fix("use-network", "edit", "unsafe", config.tree.at(key), name, values={"name": name})


@check("WTS106", name="weights-of-another-network", stages=ABOUT_FILES)
def weights_of_another_network(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """Names and shapes are not those of the network: nothing or little of it is filled, with `Finish load pretrained model` and exit status 0."""
    for file in _of_kinds(fit, "other", "torch", "static", "branch", "empty"):
        verdict = file.verdict
        kind = "unnamed" if verdict.kind == "other" and not verdict.likes else verdict.kind
        fixes = [*_name_fix(config, file)]
        if kind in ("torch", "static", "branch"):
            fixes.append(Fix(f"convert-{kind}", "advice", "safe"))
        elif not fixes:
            fixes.append(Fix("other-weights", "advice", "safe", values={"network": file.network}))
        yield Finding(at=file.source, case=_case(config, kind), fixes=tuple(fixes), detail=verdict.detail, **_values(config, file))


@check("WTS107", name="weights-class-count", stages=ABOUT_FILES)
def weights_class_count(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """The classifier in the file has another width than the network's, which then stays random (FAQ 1.1)."""
    for file in _of_kinds(fit, "classes"):
        verdict = file.verdict
        if verdict.have is None or (file.role == "arch" and config.stage != "train"):
            continue  # of a piece that is read before the whole is built, the width need not be the one that is used
        if file.role == "arch" and file.class_key.endswith("Backbone.class_num"):
            continue
        fixes = []
        at = config.tree.at(file.class_key)
        if config.stage != "train":
            if config.tree.has(file.class_key) and at.key == file.class_key:
                fixes.append(Fix("use-count", "edit", "unsafe", at, verdict.have, values={"have": verdict.have, "key": file.class_key}))
            else:
                snippet = f"-o {file.class_key}={verdict.have}"
                fixes.append(Fix("use-count", "advice", "safe", snippet=snippet, values={"have": verdict.have, "key": file.class_key}))
        yield Finding(
            at=at,
            via=file.source,
            case=_case(config, "default"),
            fixes=tuple(fixes),
            have=verdict.have,
            classes=file.classes,
            **_values(config, file),
        )


@check("WTS108", name="weights-without-head", stages=EVAL | INFER | EXPORT)
def weights_without_head(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """Everything is there but the classifier, as in the weights of 100,000 classes (FAQ 1.4): a start for fine-tuning, not for results."""
    for file in _of_kinds(fit, "headless"):
        fixes = (Fix("fine-tune", "advice", "safe"),)
        yield Finding(at=file.source, fixes=fixes, **_values(config, file))


@check("WTS109", name="weights-under-other-names", stages=ABOUT_FILES)
def weights_under_other_names(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """The right tensors under keys that begin otherwise: those of a distillation, of a RecModel, of data parallelism, or one level deeper."""
    for file in _of_kinds(fit, "prefix", "nested"):
        verdict = file.verdict
        found, needed = verdict.found, verdict.needed
        fixes: tuple[Fix, ...]
        if verdict.kind == "nested":
            case, fixes = "nested", (Fix("unpack", "advice", "safe", snippet=_unpack(verdict.detail), values={"level": verdict.detail}),)
        elif found and not needed:
            student = Fix("take-student", "advice", "safe", values={"prefix": found})
            strip = Fix("strip", "advice", "safe", snippet=_strip(found), values={"prefix": found})
            case, fixes = "default", (student, strip) if found == "Student." else (strip,)
        elif needed and not found:
            key = _place_of(config, file, needed)
            case, fixes = "missing", (Fix("as-arch-pretrained", "advice", "safe", snippet=f"-o {key}=PREFIX", values={"key": key}),)
        else:
            case, fixes = "moved", (Fix("strip", "advice", "safe", snippet=_strip(found), values={"prefix": found}),)
        yield Finding(
            at=file.source,
            case=_case(config, case),
            fixes=fixes,
            found=found,
            needed=needed,
            level=verdict.detail,
            **_values(config, file),
        )


def _place_of(config: TrainingConfig, file: FileFit, needed: str) -> str:
    """The `pretrained` that reads a file into the piece alone."""
    base = file.class_key.rpartition(".")[0]
    root = base.removesuffix(".Head").removesuffix(".Neck").removesuffix(".Backbone")
    return f"{root}.Backbone.pretrained" if needed.endswith("backbone.") else f"{root}.pretrained"


def _strip(found: str) -> str:
    return (
        "import paddle\n"
        'state = paddle.load("OLD.pdparams")\n'
        f'paddle.save({{k[{len(found)}:]: v for k, v in state.items() if k.startswith({found!r})}}, "NEW.pdparams")'
    )


def _unpack(level: str) -> str:
    inside = "".join(f'["{part}"]' for part in level.split("."))
    return f'import paddle\npaddle.save(paddle.load("OLD.pdparams"){inside}, "NEW.pdparams")'


@check("WTS110", name="weights-fit-in-part", stages=ABOUT_FILES)
def weights_fit_in_part(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """Most of the network is filled, and some of it stays random: position embeddings of another image size, or other pieces."""
    for file in _of_kinds(fit, "partial", "position"):
        kind = "default" if file.verdict.kind == "partial" else "position"
        fixes = [*_name_fix(config, file)] or [Fix("other-weights", "advice", "safe", values={"network": file.network})]
        yield Finding(at=file.source, case=_case(config, kind), fixes=tuple(fixes), **_values(config, file))


@check("WTS111", name="weights-of-another-type", stages=ABOUT_FILES)
def weights_of_another_type(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """Half-precision weights in a network of single precision: `set_state_dict` stops with `Variable dtype not match`."""
    for file in _of_kinds(fit, "dtype"):
        snippet = (
            'import paddle\nstate = paddle.load("OLD.pdparams")\n'
            'paddle.save({k: v.astype("float32") if v.is_floating_point() else v for k, v in state.items()}, "NEW.pdparams")'
        )
        fixes = (Fix("convert", "advice", "safe", snippet=snippet),)
        yield Finding(at=file.source, fixes=fixes, dtype=file.verdict.detail, **_values(config, file))


@check("WTS114", name="checkpoint-of-another-model", stages=TRAIN)
def checkpoint_of_another_model(config: TrainingConfig, fit: WeightsFit) -> Iterator[Finding]:
    """A training cannot go on from the checkpoint of another network or class count: the state of its optimizer fits no parameter."""
    for file in fit.files:
        verdict = file.verdict
        if file.role != "checkpoint" or verdict.kind in ("fits", "unknown"):
            continue
        case = verdict.kind if verdict.kind in ("classes", "dtype") else "named" if verdict.likes else "default"
        key = config.checkpoints.location.key if config.checkpoints else None
        snippet = f"-o Global.pretrained_model={file.written} -o Global.checkpoints=None"
        fixes = [*_name_fix(config, file)]
        if verdict.kind == "classes" and config.generation == "modern":
            fixes.append(Fix("start-anew", "advice", "safe", snippet=snippet))
        yield Finding(
            at=file.source,
            case=case,
            fixes=tuple(fixes),
            key=key,
            have=verdict.have,
            classes=file.classes,
            dtype=verdict.detail,
            **_values(config, file),
        )
