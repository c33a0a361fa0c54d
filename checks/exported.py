"""EXP: what an exported model holds, against the checkpoint, the config and the deploy config that it goes with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from checks.facts.deploy_config import DeployConfig
from checks.facts.exported_settings import ExportedSettings, listed
from checks.facts.exported_weights import ExportedWeights
from checks.facts.inference_model import InferenceModel, InferenceModels
from checks.facts.stored_weights import StoredWeights
from checks.facts.training_config import TrainingConfig
from checks.model import DEPLOY, Finding, Fix, NotApplicable
from checks.registry import check
from checks.tensors.graphs import DECISIONS, PROBABILITIES
from checks.tensors.model import Contents
from checks.tensors.programs import Program

OF_THE_CHECKPOINT = 0.5
"""Share of the exported tensors that a checkpoint has in the same shapes, from which on it may be what was exported."""

LAYERS = frozenset({"add", "elementwise_add", "matmul", "matmul_v2", "mul", "fc", "conv2d", "linear", "fused_gemm_epilogue"})
"""What the last layer of a classifier ends with: behind it stand scores that are no probabilities."""


@check("EXP107", name="export-width", stages=DEPLOY)
def export_width(config: TrainingConfig, models: InferenceModels, weights: StoredWeights | None) -> Iterator[Finding]:
    """The exported model answers with another number of classes than the checkpoint, or the config, that it goes with.

    Exporting with another `class_num` succeeds: the classifier, of another shape than that in the file, keeps its random values.
    """
    model = models.of("cls")
    if model is None or model.program is None or model.classes is None:
        raise NotApplicable("model-output-unknown")
    counts = {item.count.value for item in config.class_counts} | ({config.class_num.value} if config.class_num is not None else set())
    if _gives_features(config):
        raise NotApplicable("features-exported")
    width = model.classes
    stored = weights.main if weights is not None else None
    saved = classes_of(stored.contents, model.program, width) if stored is not None and stored.contents is not None else None
    if stored is not None and saved is not None and stored.key != "--weights" and saved not in counts:
        saved = None  # what a training began with, which may be of other classes
    if saved is None and not counts:
        raise NotApplicable("no-class-num")
    if (saved is None or saved == width) and (not counts or width in counts or saved == width):
        return
    wanted = saved if saved is not None else config.class_num.value if config.class_num is not None else max(counts)
    named = stored.written if stored is not None and saved is not None else None
    key = "classes_num" if config.generation == "legacy" else "Arch.class_num"
    command = f"python3 tools/export_model.py -c CONFIG -o {key}={wanted} -o Global.pretrained_model={_prefix(named)}"
    if config.generation == "legacy":
        command = f"python3 tools/export_model.py --class_dim={wanted} --pretrained_model={_prefix(named)}"
    yield Finding(
        at=model.source,
        case="checkpoint" if saved is not None else "default",
        fixes=(Fix("export-again", "advice", "safe", snippet=command, values={"classes": wanted}),),
        path=model.path,
        width=width,
        weights=named,
        classes=wanted,
        config=config.file,
    )


def _prefix(weights: str | None) -> str:
    return weights.removesuffix(".pdparams") if weights else "output/best_model"


def _gives_features(config: TrainingConfig) -> bool:
    key = config.tree.raw("Arch.infer_output_key")
    return isinstance(key, str) and key != "logits"


def classes_of(contents: Contents, program: Program, width: int) -> int | None:
    """The class count of a checkpoint, told from what it has in other shapes than the export; None where that cannot be told.

    Tensors are paired by shape alone, as names change with each network that is built: of what is left over, a weight of the export with a side of
    `width` has one of the checkpoint that is the same but for that side. At least half of the tensors must be the same in both.
    """
    exported = Counter(item.shape for item in program.parameters)
    saved = Counter(item.shape for item in contents.tensors)
    common = exported & saved
    if common.total() < OF_THE_CHECKPOINT * max(1, exported.total()):
        return None
    found: set[int] = set()
    left = exported - saved
    for shape in left:
        if len(shape) not in (2, 4) or width not in shape:
            continue
        for other in saved - exported:
            apart = [n for n, (one, two) in enumerate(zip(shape, other, strict=False)) if one != two]
            if len(other) == len(shape) and len(apart) == 1 and shape[apart[0]] == width:
                found.add(other[apart[0]])
    if not found and not any(width in shape for shape in left):
        return width if any(width in shape and len(shape) in (2, 4) for shape in common) else None
    return found.pop() if len(found) == 1 else None


@check("EXP108", name="export-activation", stages=DEPLOY)
def export_activation(models: InferenceModels, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The exported model's last step is not what the scores need: softmax twice, none, one where each label has its own probability, or argmax.

    `tools/export_model.py` appends a softmax unless `Arch.infer_add_softmax` is False (a sigmoid with `Global.use_multilabel`), whatever the
    network ends with; `tools/infer.py` applies its own, `deploy/python` none.
    """
    model = models.of("cls")
    program = model.program if model is not None else None
    if model is None or program is None or not any(program.endings):
        raise NotApplicable("model-output-unknown")
    wanted = _wanted(deploy)
    for ending in program.endings:
        case = _activation_case(ending, wanted, len(program.endings), _is_classifier(model))
        if case is not None:
            yield Finding(
                at=model.source,
                case=case,
                fixes=tuple(_activation_fixes(case)),
                path=model.path,
                ending=" → ".join(ending),
                reader=wanted,
            )
            return


def _is_classifier(model: InferenceModel) -> bool:
    return model.classes is not None and model.classes > 1


def _wanted(deploy: DeployConfig | None) -> str | None:
    """The post-processing that speaks: the last one that `main_indicator` names (a substring is enough for PaddleClas)."""
    section = deploy.tree.raw("PostProcess") if deploy is not None and deploy.kind == "yaml" else None
    if not isinstance(section, dict):
        return None
    indicator = section.get("main_indicator")
    named = [
        name for name in section if name != "main_indicator" and isinstance(indicator, str) and isinstance(name, str) and name in indicator
    ]
    return named[-1] if named else None


def _activation_case(ending: tuple[str, ...], wanted: str | None, outputs: int, classifier: bool) -> str | None:
    probabilities = [kind for kind in ending if kind in PROBABILITIES]
    if len(probabilities) > 1:
        return "doubled"
    if wanted is None or outputs != 1:
        return None
    if wanted in ("Topk", "ThreshOutput", "MultiLabelThreshOutput") and any(kind in DECISIONS for kind in ending):
        return "decided"
    bare = not probabilities and ending[0] in LAYERS and "log_softmax" not in ending and not any(kind in DECISIONS for kind in ending)
    if wanted == "Topk" and bare and classifier:
        return "missing"
    if (wanted == "ThreshOutput" or wanted == "MultiLabelThreshOutput" or wanted.endswith("Attribute")) and bare and classifier:
        return "missing-threshold"
    if (wanted == "MultiLabelThreshOutput" or wanted.endswith("Attribute")) and probabilities == ["softmax"]:
        return "softmax-for-labels"
    return None


def _activation_fixes(case: str) -> Iterator[Fix]:
    if case == "doubled":
        yield Fix("no-second", "advice", "safe", snippet="Arch:\n  infer_add_softmax: False")
    elif case in ("missing", "missing-threshold"):
        yield Fix("add", "advice", "safe", snippet="Arch:\n  infer_add_softmax: True")
    elif case == "softmax-for-labels":
        yield Fix("sigmoid", "advice", "safe", snippet="Global:\n  use_multilabel: True")
    else:
        yield Fix("no-decision", "advice", "safe")


@check("EXP109", name="export-input", stages=DEPLOY)
def export_input(models: InferenceModels, deploy: DeployConfig | None) -> Iterator[Finding]:
    """The exported model takes what the predictors of PaddleClas do not send: another type than float32, or more than one input."""
    known = [
        (model, model.program) for model in models.models if model.program is not None and model.program.inputs and model.role != "det"
    ]
    if not known:
        raise NotApplicable("model-input-unknown")
    if deploy is not None and deploy.program == "lite":
        raise NotApplicable("not-the-python-predictor")
    for model, program in known:
        first = program.inputs[0]
        if len(program.inputs) > 1:
            names = ", ".join(item.name for item in program.inputs)
            yield Finding(at=model.source, case="several", path=model.path, inputs=names, dtype=first.dtype)
        elif first.dtype in ("float16", "bfloat16", "float64"):
            yield Finding(at=model.source, case="type", path=model.path, inputs=first.name, dtype=first.dtype)
        elif first.dtype == "uint8":
            yield Finding(at=model.source, case="bytes", path=model.path, inputs=first.name, dtype=first.dtype)


@check("EXP110", name="export-parameters", stages=DEPLOY)
def export_parameters(models: InferenceModels, exported: ExportedWeights) -> Iterator[Finding]:
    """The file of parameters beside the program is not its own, or is damaged: other tensors in number, shape or type, or an end in the middle.

    PaddlePaddle goes through both in the order of the sorted names.
    """
    looked = [file for file in exported.files if file.problem not in ("unread", "unreadable")]
    if not looked:
        raise NotApplicable("path-not-seen", file=exported.files[0].written)
    for file in looked:
        if file.problem is None or file.problem == "missing":
            continue  # of a file that is missing EXP101 speaks
        yield Finding(
            at=file.source,
            case="cut" if file.problem == "broken" else file.problem,
            fixes=(Fix("export-again", "advice", "safe"),),
            file=file.path,
            stored=file.stored,
            wanted=len(file.program.parameters),
            parameter=file.parameter,
            declared=file.wanted,
            found=file.found,
        )


@check("EXP111", name="inference-yml-differs", stages=DEPLOY)
def inference_yml_differs(settings: ExportedSettings, models: InferenceModels, deploy: DeployConfig | None) -> Iterator[Finding]:
    """`inference.yml` and the deploy config prepare images differently, or its list of labels is not as long as the model's output."""
    model = models.of("cls")
    if settings.names is not None and model is not None and model.classes is not None and len(settings.names) != model.classes:
        yield Finding(
            at=settings.source,
            case="labels",
            file=settings.file,
            ours=str(len(settings.names)),
            theirs=str(model.classes),
            step="label_list",
        )
    if deploy is None or deploy.kind != "yaml" or not settings.operators:
        return
    theirs = listed(deploy.tree.raw("PreProcess.transform_ops"))
    difference = _difference(settings.operators, theirs) if theirs else None
    if difference is not None:
        step, one, other = difference
        yield Finding(at=deploy.tree.at("PreProcess.transform_ops"), file=settings.file, step=step, ours=one, theirs=other)


def _difference(
    ours: tuple[tuple[str, dict[str, Any]], ...], theirs: tuple[tuple[str, dict[str, Any]], ...]
) -> tuple[str, str, str] | None:
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        return "transform_ops", " → ".join(name for name, _ in ours), " → ".join(name for name, _ in theirs)
    for (name, one), (_, other) in zip(ours, theirs, strict=True):
        for key in ("resize_short", "size", "scale", "mean", "std", "interpolation", "backend"):
            if key in one and key in other and not _same(one[key], other[key]):
                return f"{name}.{key}", str(one[key]), str(other[key])
    return None


def _same(one: Any, other: Any) -> bool:
    """Whether two values mean the same; a scale of 1/255 is written with six digits in deploy configs, one side for a square."""
    if isinstance(one, list) or isinstance(other, list):
        first, second = (value if isinstance(value, list) else [value, value] for value in (one, other))
        return len(first) == len(second) and all(_same(a, b) for a, b in zip(first, second, strict=True))
    numbers = [_number(value) for value in (one, other)]
    if numbers[0] is None or numbers[1] is None:
        return bool(one == other)
    return abs(numbers[0] - numbers[1]) <= 1e-4 * max(abs(numbers[0]), abs(numbers[1]))


def _number(value: Any) -> float | None:
    if isinstance(value, str) and value.count("/") == 1:
        top, _, bottom = value.partition("/")
        parts = [_number(part) for part in (top, bottom)]
        return parts[0] / parts[1] if parts[0] is not None and parts[1] else None
    try:
        return float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError):
        return None
