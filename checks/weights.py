"""WTS: the weights that the config or the command line names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.stored_weights import StoredWeights
from checks.facts.training_config import TrainingConfig
from checks.facts.weight_files import WeightFile, WeightFiles
from checks.facts.weights_fit import WeightsFit
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.tensors.harm import does_harm
from checks.tensors.model import Call, Contents
from checks.values import word_no_path
from knowledge.value_types import PATHS
from knowledge.zoo import has_class_head

PUBLISHED_CLASSES = 1000
"""Classes of the published weights that `Arch.pretrained: True` downloads; those of 21,841 classes have a switch of their own."""

MAX_TOLD = 8
"""Calls of one file that are listed."""

ABOUT_FILES = TRAIN | EVAL | INFER | EXPORT


def _reads_weights(config: TrainingConfig) -> None:
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("no-weights-in-config")
    if config.generation == "legacy" and config.stage in ("export", "infer"):
        raise NotApplicable("weights-by-option")


def _global_key(config: TrainingConfig) -> str:
    return "pretrained_model" if config.generation == "legacy" else "Global.pretrained_model"


@check("WTS101", name="weights-not-given", stages=EVAL | INFER | EXPORT)
def weights_not_given(config: TrainingConfig, weights: WeightFiles) -> Iterator[Finding]:
    """Evaluation, inference or export without weights: PaddleClas goes on with random ones and exits with 0."""
    _reads_weights(config)
    key = _global_key(config)
    main = weights.main
    if main is not None and not (config.generation == "legacy" and main.state == "empty"):
        return  # something is named; whether it can be loaded is WTS103's matter
    if config.generation == "modern" and (not config.tree.has(key) or _arch_gives(config)):
        return
    checkpoints = config.checkpoints
    fixes = []
    if checkpoints is not None:
        fixes.append(Fix("use-checkpoint", "edit", "safe", config.tree.at(key), checkpoints.value, values={"prefix": checkpoints.value}))
    elif weights.trained:
        prefix = weights.trained[0]
        fixes.append(Fix("use-trained", "edit", "safe", config.tree.at(key), prefix, values={"prefix": prefix}))
    fixes.append(Fix("give-weights", "advice", "safe", snippet=f"-o {key}=output/best_model"))
    yield Finding(
        at=checkpoints.location if checkpoints else config.tree.at(key),
        case="checkpoints" if checkpoints else "default",
        fixes=tuple(fixes),
        key=key,
        stage=config.stage,
        checkpoints=checkpoints.value if checkpoints else None,
        trained=list(weights.trained),
    )


def _arch_gives(config: TrainingConfig) -> bool:
    """Whether a `pretrained` below `Arch` fills the model that the stage uses."""
    models = config.tree.raw("Arch.models")
    given = [path for path in config.tree.spots if path.startswith("Arch.") and path.endswith(".pretrained") and config.tree.raw(path)]
    if not isinstance(models, list) or config.stage == "eval":
        return bool(given)  # which of several models an evaluation looks at, its metric decides
    role = config.tree.raw("Arch.infer_model_name") if config.stage == "export" else "Student"
    return any(f".{role}." in path for path in given)


@check("WTS102", name="weights-leave-a-part-random", stages=EVAL | INFER | EXPORT)
def weights_leave_a_part_random(config: TrainingConfig, weights: WeightFiles, fit: WeightsFit | None) -> Iterator[Finding]:
    """Weights that by their origin cannot fill the whole model: published ones under a head of one's own, a student's in a distillation."""
    if config.generation != "modern":
        raise NotApplicable("no-weights-in-config")
    main = weights.main
    if main is None:
        yield from _published_head(config)
    elif (
        fit is None
        and main.state in ("file", "suffixed")
        and _stem(main).endswith("_student")
        and isinstance(config.tree.raw("Arch.models"), list)
    ):
        yield Finding(at=main.source, case="student", file=main.written, class_num=None)


def _published_head(config: TrainingConfig) -> Iterator[Finding]:
    arch = config.tree.raw("Arch")
    name = config.architecture.value if config.architecture else None
    if not isinstance(arch, dict) or arch.get("pretrained") is not True or name is None or not has_class_head(name):
        return
    others = any(arch.get(switch) for switch in ("use_imagenet22k_pretrained", "use_imagenet22kto1k_pretrained"))
    count = config.class_num
    if others or count is None or count.value == PUBLISHED_CLASSES:
        return
    key = "Global.pretrained_model"
    fix = Fix("give-weights", "advice", "safe", snippet=f"-o {key}=output/best_model")
    yield Finding(at=config.tree.at("Arch.pretrained"), case="default", fixes=(fix,), file=None, class_num=count.value)


def _stem(file: WeightFile) -> str:
    return file.path.removesuffix(".pdparams")


@check("WTS103", name="weights-not-found", stages=ABOUT_FILES)
def weights_not_found(config: TrainingConfig, weights: WeightFiles) -> Iterator[Finding]:
    """A value that leads to no `.pdparams` file; what is appended to it, and when, changed with the branches."""
    _reads_weights(config)
    if not weights.files:
        raise NotApplicable("no-weights-named")
    if all(item.state == "unseen" for item in weights.files):
        raise NotApplicable("path-not-seen", file=weights.files[0].written)
    for item in weights.files:
        case = _path_case(config, item)
        if case is None or (config.generation == "modern" and item.key in PATHS and word_no_path(item.key, item.written)):
            continue  # of a word that is no path, CFG133 speaks
        yield Finding(
            at=item.source,
            case=case,
            fixes=tuple(_path_fixes(config, item, case)),
            key=item.key,
            written=item.written,
            path=item.path,
            nearest=item.nearest,
            similar=list(item.similar),
            elsewhere=item.elsewhere,
        )


def _path_case(config: TrainingConfig, item: WeightFile) -> str | None:
    if item.state in ("file", "url", "unseen"):
        return None
    if item.state in ("empty", "not-text"):
        # of Global.pretrained_model, CFG133 and CFG130 say it
        return "empty" if item.state == "empty" and item.role == "arch" else None
    if item.state == "suffixed":
        return None if item.key == "--weights" else "suffix"  # the option takes a file's name, PaddleClas does not see it
    if item.state == "folder" and config.generation == "legacy" and config.tree.raw("load_static_weights"):
        return None  # weights of 1.x: a file for each parameter
    if item.state in ("folder", "other-file"):
        return item.state
    if item.written != item.written.strip():
        return "blank"
    if item.written.startswith("~"):
        return "home"
    return "backslash" if "\\" in item.written else "default"


def _path_fixes(config: TrainingConfig, item: WeightFile, case: str) -> Iterator[Fix]:
    def edit(id: str, value: Any) -> Fix:
        if item.key == "--weights":
            return Fix("name-similar", "advice", "safe", snippet=f"--weights {value}", values={"prefix": value})
        return Fix(id, "edit", "safe", item.source, value, values={"prefix": value})

    if case == "empty":
        if config.stage == "train" and item.key != "--weights":
            yield Fix("unset", "edit", "safe", item.source, None)
        return
    if case == "suffix":
        if item.key != "--weights":
            yield edit("drop-suffix", item.written.removesuffix(".pdparams"))
        return
    if item.elsewhere:
        yield Fix("start-elsewhere", "advice", "safe", values={"elsewhere": item.elsewhere})
    if item.similar:
        yield edit("use-similar", item.similar[0])
    yield Fix("name-prefix", "advice", "safe")


@check("WTS104", name="weights-file-broken", stages=ABOUT_FILES)
def weights_file_broken(config: TrainingConfig, weights: WeightFiles, stored: StoredWeights | None) -> Iterator[Finding]:
    """A file that holds no weights by its first and last bytes, or by what stands between them. Nothing of it is unpickled."""
    _reads_weights(config)
    there = [item for item in weights.files if item.content is not None]
    if not there:
        raise NotApplicable("no-weights-named" if not weights.files else "no-weights-found")
    for item in there:
        case = _damage(item, stored) if item.content == "weights" else item.content
        if case in (None, "unreadable"):
            continue
        yield Finding(
            at=item.source,
            via=Location(item.path),
            case=case,
            fixes=(Fix("fetch-again", "advice", "safe") if case not in CONVERTIBLE else Fix("convert", "advice", "safe"),),
            file=item.path,
            size=item.size,
            begins=item.begins,
        )


CONVERTIBLE = ("safetensors", "torch", "nameless")
"""Files that hold weights, in a shape that `Layer.set_state_dict` does not take."""

UNLOADABLE = frozenset(
    "buffer cut extension length object opcode persistent protocol shape size stack state text".split()  # noqa: SIM905
)
"""Flaws on which `pickle.load` stops; the others are limits of ours."""


def _damage(item: WeightFile, stored: StoredWeights | None) -> str | None:
    found = next((file.contents for file in stored.files if file.path == item.path), None) if stored is not None else None
    if found is None or found.format != "pickle":
        return None
    if found.flaw in UNLOADABLE:
        return "damaged"
    return "nameless" if found.flaw is None and not found.calls and found.top != "mapping" else None


@check("WTS105", name="weights-run-code", stages=ABOUT_FILES)
def weights_run_code(config: TrainingConfig, stored: StoredWeights) -> Iterator[Finding]:
    """A file that does more, when it is loaded, than build arrays: `paddle.load` unpickles, and pickle calls what a file names."""
    _reads_weights(config)
    opened = unread = None
    for item in stored.files:
        if item.role == "checkpoint" and config.stage != "train":
            continue  # only a training opens it
        files: list[tuple[str, Contents | None, str | None]] = [(item.path, item.contents, item.problem)]
        if item.role == "checkpoint":
            files += [(beside.path, beside.contents, beside.problem) for beside in item.companions]
        for path, contents, problem in files:
            if problem in ("unread", "unreadable", "missing"):
                unread = path
                continue
            opened = path  # what is no pickle runs nothing
            if contents is not None and (contents.calls or contents.flaw == "excess"):
                yield _what_runs(item.source, path, contents)
    if opened is None:
        raise NotApplicable("path-not-seen", file=unread) if unread is not None else NotApplicable("no-weights-found")


def _what_runs(source: Location, path: str, contents: Contents) -> Finding:
    calls = contents.calls
    harmful = [call for call in calls if does_harm(call)]
    first = next(iter(harmful or calls), None)
    case = "several" if len(calls) > 1 else "default"
    if not harmful:
        case = "unfollowed" if contents.flaw == "excess" else "foreign"
    told = list(dict.fromkeys(_told(call) for call in calls))
    return Finding(
        at=source,
        via=Location(path),
        case=case,
        fixes=(Fix("take-another", "advice", "safe"),),
        file=path,
        first=_told(first) if first is not None else None,
        count=len(calls),
        calls=told[:MAX_TOLD],
    )


def _told(call: Call) -> str:
    if call.kind == "import":
        return f"import {call.function}"
    return f"{call.function} ← {call.argument}" if call.kind == "change" else f"{call.function}{call.argument or '()'}"
