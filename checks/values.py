"""CFG: values of another type than meant, and values that PaddleClas does not take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.sections import LETTER, eval_mode, evaluates
from knowledge.value_types import (
    ALLOWED,
    KINDS,
    LEGACY_KINDS,
    PATHS,
    PLAIN_DATASETS,
    SAMPLERS,
    SWITCHES,
    Kind,
)

ABSENT_WORDS = frozenset({"null", "none", "nil", "nan", "undefined", "false", "no", "n/a", "~", "-"})
"""Words for "nothing" that stay text where they are quoted, or where YAML and Python do not know them."""


PRESENT_WORDS = frozenset({"true", "yes", "on"})
"""Words for True that stay text in an override."""


def written(config: TrainingConfig, path: str) -> str:
    """A value as the file or the override has it, before YAML and `literal_eval` (or the override's `eval`) read it."""
    spot = config.tree.spots.get(path)
    if spot is not None and spot.override:
        override = config.overrides[spot.override - 1]
        if override.key == path:
            return override.text.partition("=")[2]
    elif path in config.tree.written:
        return config.tree.written[path]
    value = config.tree.raw(path)
    if value is None:
        return "null"
    return value if isinstance(value, str) else str(value)


def python_type(config: TrainingConfig, path: str) -> str:
    """The Python type that PaddleClas sees; a tuple is a list here, and known by its text."""
    value = config.tree.raw(path)
    if isinstance(value, list) and not written(config, path).lstrip().startswith("["):
        return "tuple"
    return "null" if value is None else type(value).__name__


def stage_letter(config: TrainingConfig) -> str:
    """The letter of the stage.

    Raises:
        NotApplicable: PaddleClas's engine reads no config of this layout at this stage.
    """
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("sections-other-stage")
    letter = LETTER.get(config.stage, "")
    if config.generation == "legacy" and letter not in ("t", "e"):
        raise NotApplicable("sections-other-stage")
    return letter


def _expand(config: TrainingConfig, kind: Kind, letter: str) -> Iterator[str]:
    """The paths that a row of the table stands for in this config and stage."""
    if kind.path.startswith("DataLoader.*.dataset"):
        for loader in config.loaders:
            if loader.used and loader.datasets and loader.datasets[0].name in PLAIN_DATASETS:
                yield kind.path.replace("DataLoader.*", loader.key)
        return
    if kind.path.startswith("DataLoader.*"):
        for loader in config.loaders:
            if loader.used and (".sampler." not in kind.path or loader.sampler in SAMPLERS):
                yield kind.path.replace("DataLoader.*", loader.key)
        return
    unused = kind.path.startswith("VALID.") and letter == "t" and not config.tree.raw("validate")
    if unused or (kind.path == "Global.eval_interval" and not evaluates(config, letter)):
        return
    if kind.path == "Arch.class_num":
        arch = config.tree.raw("Arch")
        if isinstance(arch, dict) and arch.get("name") not in ("DistillationModel", "AttentionModel", "RecModel", "WideResNet"):
            yield kind.path
    else:
        yield kind.path


def _kinds(config: TrainingConfig, letter: str) -> Iterator[tuple[Kind, str, Any]]:
    table = LEGACY_KINDS if config.generation == "legacy" else KINDS
    for kind in table:
        if letter in kind.stages:
            for path in _expand(config, kind, letter):
                if config.tree.has(path):
                    yield kind, path, config.tree.raw(path)


def _is(value: Any, takes: str) -> str:
    """How a value fits: `yes`, `true` for a Boolean that counts as a number, or empty."""
    kinds = takes.split()
    if value is None:
        return "yes" if "null" in kinds else ""
    if isinstance(value, bool):
        return "yes" if "bool" in kinds or (value is False and "false" in kinds) else "true" if "true" in kinds else ""
    if isinstance(value, int):
        return "yes" if "int" in kinds else ""
    if isinstance(value, float):
        return "yes" if "float" in kinds else ""
    return "yes" if ("text" if isinstance(value, str) else "list") in kinds else ""


def meant_value(text: str, takes: str) -> Any:
    """What a text was probably meant to be, of one of the kinds taken; None where that is not clear.

    Full-width digits and punctuation count as plain ones, `0,05` and `1,000` as numbers, `5*64` as its product, `8.0` as 8.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'[]()\u200b\ufeff ")
    kinds = takes.split()
    if "bool" in kinds:
        words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
        return words.get(plain.lower())
    if "int" not in kinds:
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})+", plain) and not ("float" in kinds and plain.count(",") == 1):
        plain = plain.replace(",", "")
    elif re.fullmatch(r"[-+]?\d+,\d+", plain) and "float" in kinds:
        plain = plain.replace(",", ".")
    product = re.fullmatch(r"(\d{1,6})((?:\s*[*x×]\s*\d{1,6})+)", plain)
    if product and "float" not in kinds:
        total = 1
        for factor in re.findall(r"\d+", plain):
            total *= int(factor)
        return total
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", plain):
        return None
    number = float(plain)
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return number if "float" in kinds else None


@check("CFG130", name="value-of-another-type", stages=TRAIN | EVAL | INFER | EXPORT)
def value_of_another_type(config: TrainingConfig) -> Iterator[Finding]:
    """A value that YAML, `literal_eval` or an override's `eval` reads as another type than the code works with (FAQ 5.1, 5.2)."""
    letter = stage_letter(config)
    for kind, path, value in _kinds(config, letter):
        fits = _is(value, kind.takes)
        cosine = config.tree.raw("Optimizer.lr.name") == "Cosine"
        if cosine and kind.path.endswith("learning_rate") and value is None:
            fits = ""
        if cosine and kind.path.endswith("warmup_epoch") and type(value) is float:
            fits = ""  # the remaining epochs become T_max of CosineAnnealingDecay, an int
        if value == "" and "text" in kind.takes and ("dataset" in path or path in ("Infer.infer_imgs", "Arch.name")):
            fits = ""
        fraction = type(value) is float and kind.path in ("Global.epochs", "epochs") and not (cosine and value >= 1)
        if fits == "yes" or fraction:
            continue  # what else epochs do that are not whole: CFG207
        if kind.path == "Global.checkpoints" and value is False:
            continue  # only asked whether it is true
        if kind.path.endswith("num_workers") and value == 0:
            continue  # 0.0 works like 0
        text, kinds = written(config, path), kind.takes.split()
        wanted = "bool" if "bool" in kinds else "text" if "text" in kinds else "number" if "float" in kinds else "int"
        if wanted == "text" and kind.path.endswith("name"):
            wanted = "name"
        elif wanted == "text" and not value and not isinstance(value, (int, float)):
            wanted = "no-path"
        case = "counts-as-one" if fits == "true" else {"int": "default"}.get(wanted, wanted)
        meant = None if fits == "true" else meant_value(text, kind.takes)
        meant = None if meant == value and type(meant) is type(value) else meant
        fixes: tuple[Fix, ...] = ()
        if meant is not None:
            fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=meant, values={"meant": meant}),)
        elif wanted == "text" and isinstance(value, (int, float)) and not isinstance(value, bool):
            fixes = (Fix("quote-path", "advice", "safe", snippet=f"{path.rpartition('.')[2]}: ./{text}\n"),)
        yield Finding(
            at=config.tree.at(path),
            case=case,
            fixes=fixes,
            key=path,
            text=text,
            type=python_type(config, path),
            says=kind.says or "TypeError",
            since=kind.since,
        )
    yield from _milestones(config, letter)
    yield from _topk(config, letter)
    yield from _epsilon(config, letter)
    yield from _image_shape(config, letter)


def _milestones(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """Rates and epochs of a schedule in a list: YAML reads `1e-3` as text, and in a list PaddleClas leaves it so (modern)."""
    lr = config.tree.raw("Optimizer.lr")
    if config.generation != "modern" or letter != "t" or not isinstance(lr, dict):
        return
    keys = {"Piecewise": ("decay_epochs", "values"), "MultiStepDecay": ("milestones",)}.get(str(lr.get("name")), ())
    if lr.get("name") == "Piecewise" and lr.get("learning_rate") is not None:
        return  # from 2.5.1 on the list is not read then
    for key in keys:
        items = lr.get(key)
        for index, item in enumerate(items if isinstance(items, list) else ()):
            path = f"Optimizer.lr.{key}.{index}"
            if not isinstance(item, str):
                continue
            text = written(config, path)
            meant = meant_value(text, "int float" if key == "values" else "int")
            at = config.tree.at(path)
            fixes = (Fix("set", "edit", "safe", at=at, value=meant, values={"meant": meant}),) if meant is not None else ()
            says = "ValueError: Unknown format code 'f'" if key == "values" else "TypeError"
            yield Finding(at=at, case="in-list", fixes=fixes, key=path, text=text, type="str", says=says, since="")


def _topk(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """TopkAcc asserts an int or a list; strings inside are compared with numbers (modern). The post-process asserts an int."""
    if config.generation != "modern":
        return
    places = ["Infer.PostProcess.topk"] if letter == "i" and config.tree.raw("Infer.PostProcess.name") == "Topk" else []
    splits = (["Train"] if letter == "t" else []) + (
        ["Eval"] if evaluates(config, letter) and eval_mode(config) == "classification" else []
    )
    for split in splits:
        metrics = config.tree.raw(f"Metric.{split}")
        for index, item in enumerate(metrics if isinstance(metrics, list) else ()):
            if isinstance(item, dict) and isinstance(item.get("TopkAcc"), dict) and "topk" in item["TopkAcc"]:
                places.append(f"Metric.{split}.{index}.TopkAcc.topk")
    for path in places:
        if not config.tree.has(path):
            continue
        value = config.tree.raw(path)
        if isinstance(value, str) and path.startswith("Metric"):
            continue  # CFG201
        listed = isinstance(value, list) and not path.startswith("Infer")
        items = [(f"{path}.{n}", item) for n, item in enumerate(value)] if listed else [(path, value)]
        for place, item in items:
            if type(item) in (int, bool) or (listed and type(item) is float):
                continue
            text = written(config, place)
            meant: Any = meant_value(text, "int")
            if not listed:
                numbers = re.findall(r"\d+", unicodedata.normalize("NFKC", text).removesuffix(".0"))
                meant = None if not numbers else int(numbers[0]) if path.startswith("Infer") else [int(n) for n in numbers]
            fixes = (
                (Fix("set", "edit", "safe", at=config.tree.at(place), value=meant, values={"meant": meant}),) if meant is not None else ()
            )
            case = "in-list" if isinstance(item, str) and not path.startswith("Infer") else "default"
            yield Finding(
                at=config.tree.at(place),
                case=case,
                fixes=fixes,
                key=place,
                text=text,
                type=python_type(config, place),
                says="TypeError: '<' not supported between instances of 'int' and 'str'" if listed else "AssertionError",
                since="",
            )


def _epsilon(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """Label smoothing of CELoss is compared with 0 and 1; a string inside the list of losses stays one (modern)."""
    splits = (["Train"] if letter == "t" else []) + (["Eval"] if evaluates(config, letter) else [])
    for split in splits if config.generation == "modern" else ():
        losses = config.tree.raw(f"Loss.{split}")
        for index in range(len(losses) if isinstance(losses, list) else 0):
            path = f"Loss.{split}.{index}.CELoss.epsilon"
            value, text = config.tree.raw(path), written(config, path)
            if value is None or isinstance(value, (int, float)):
                continue
            meant = meant_value(text, "int float")
            fixes = (
                (Fix("set", "edit", "safe", at=config.tree.at(path), value=meant, values={"meant": meant}),) if meant is not None else ()
            )
            yield Finding(
                at=config.tree.at(path),
                case="in-list" if isinstance(value, str) else "number",
                fixes=fixes,
                key=path,
                text=text,
                type=python_type(config, path),
                says="TypeError: '<=' not supported between instances of 'str' and 'int'",
                since="",
            )


def _image_shape(config: TrainingConfig, letter: str) -> Iterator[Finding]:
    """`[None] + image_shape` at export: a list of three whole numbers, -1 or null for a side that is left open."""
    path = "Global.image_shape"
    if config.generation != "modern" or letter != "x" or not config.tree.has(path):
        return
    value, text = config.tree.raw(path), written(config, path)
    good = isinstance(value, list) and python_type(config, path) == "list" and len(value) == 3
    if good and all(item is None or type(item) is int for item in value):
        return
    numbers = [int(n) for n in re.findall(r"\d+", unicodedata.normalize("NFKC", text))]
    fixes: tuple[Fix, ...] = ()
    if len(numbers) == 3 and not re.search(r"\d\.[1-9]|e", text):
        fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=numbers, values={"meant": numbers}),)
    says = "TypeError: can only concatenate list" if python_type(config, path) != "list" else "ValueError"
    yield Finding(
        at=config.tree.at(path), case="shape", fixes=fixes, key=path, text=text, type=python_type(config, path), says=says, since=""
    )


@check("CFG131", name="number-out-of-range", stages=TRAIN | EVAL | INFER | EXPORT)
def number_out_of_range(config: TrainingConfig) -> Iterator[Finding]:
    """A number of the right type that cannot work: below the smallest one, or above the largest. Counts and rates: CFG207, CFG208."""
    letter = stage_letter(config)
    for kind, path, value in _kinds(config, letter):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        values: dict[str, Any] = {"key": path, "value": value, "low": kind.low, "high": kind.high, "says": kind.says or "an exception"}
        case = None
        if kind.path == "Optimizer.momentum":
            case = None if 0 <= value < 1 else "momentum"
        elif kind.high is not None and value > kind.high:
            case = "high"
        elif kind.low is not None and value < kind.low:
            case = "nothing-trained" if kind.path == "Global.iter_per_epoch" else "default"
        if case is None:
            continue
        low = kind.low if kind.low is not None else 1
        fixes: tuple[Fix, ...] = ()
        if kind.path.endswith("num_workers"):
            fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=0, values={"low": 0}),)
        elif "class" in path or "batch_size" in path:
            fixes = (Fix("choose", "advice", "safe", values={"low": int(low)}),)
        yield Finding(at=config.tree.at(path), case=case, fixes=fixes, **values)


@check("CFG132", name="text-that-is-always-true", stages=TRAIN | EVAL | INFER | EXPORT)
def text_that_is_always_true(config: TrainingConfig) -> Iterator[Finding]:
    """`"false"` or `-o …=false`: text, and any text that is not empty counts as true, so the opposite happens (FAQ 5.2)."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("sections-other-stage")
    strict = {path for kind in KINDS if kind.takes == "bool" for path in _expand(config, kind, "t")}
    for path in config.tree.spots:
        key = path.rpartition(".")[2]
        if key not in SWITCHES or path in strict:
            continue
        value = config.tree.raw(path)
        softmax = key == "infer_add_softmax"
        if softmax and config.stage != "export":
            continue  # only the exported network gets the Softmax
        if isinstance(value, str) and value.strip().lower() in ("false", "no", "off", "none", "null", "0", "n", "f"):
            at = config.tree.at(path)
            yield Finding(
                at=at,
                case="softmax" if softmax else "override" if at.file == OVERRIDE_FILE else "default",
                fixes=(Fix("set", "edit", "safe", at=at, value=False),),
                key=path,
                text=value,
            )


@check("CFG133", name="word-taken-for-path", stages=TRAIN | EVAL | INFER | EXPORT)
def word_taken_for_path(config: TrainingConfig) -> Iterator[Finding]:
    """Weights given as `""`, `"null"` or `none`: text, so PaddleClas looks for `null.pdparams` (FAQ 5.2)."""
    if config.generation != "modern":
        raise NotApplicable("sections-modern")
    letter = stage_letter(config)
    for path, stages in PATHS.items():
        if letter not in stages or not config.tree.has(path):
            continue
        value, text = config.tree.raw(path), written(config, path)
        fixes: tuple[Fix, ...] = (Fix("write-null", "edit", "safe", at=config.tree.at(path), value=None),)
        if path == "Arch.pretrained":
            fixes = (Fix("write-false", "edit", "safe", at=config.tree.at(path), value=False),)
            if value is None or type(value) in (int, float, list):
                if takes_pretrained(config):
                    yield Finding(at=config.tree.at(path), case="pretrained-type", fixes=fixes, key=path, text=text, looked_for="")
                continue
        if not isinstance(value, str):
            continue
        word = value.strip()
        if not word and (path != "Global.checkpoints" or value):
            yield Finding(at=config.tree.at(path), case="empty", fixes=fixes, key=path, text=text, looked_for=f"{value}.pdparams")
        elif path == "Arch.pretrained" and word.lower() in PRESENT_WORDS:
            yes = (Fix("write-true", "edit", "safe", at=config.tree.at(path), value=True),)
            yield Finding(at=config.tree.at(path), case="meant-true", fixes=yes, key=path, text=text, looked_for=f"{value}.pdparams")
        elif word_no_path(path, word):
            yield Finding(at=config.tree.at(path), fixes=fixes, key=path, text=text, looked_for=f"{value}.pdparams")


def word_for_nothing(text: str) -> bool:
    """Whether a text is a word for "nothing" that no reader of the config takes for null."""
    return text.strip().lower() in ABSENT_WORDS


def word_no_path(path: str, text: str) -> bool:
    """Whether what is written where weights are named is a word for "nothing", or for "yes" where a switch may stand."""
    return word_for_nothing(text) or (path == "Arch.pretrained" and text.strip().lower() in PRESENT_WORDS)


def takes_pretrained(config: TrainingConfig) -> bool:
    """Whether the network is a plain one of PaddleClas, whose `_load_pretrained` accepts False, True and text only."""
    arch = config.tree.raw("Arch")
    return isinstance(arch, dict) and not any(isinstance(arch.get(part), (dict, list)) for part in ("Backbone", "Head", "models"))


@check("CFG134", name="value-not-allowed", stages=TRAIN | EVAL | INFER | EXPORT)
def value_not_allowed(config: TrainingConfig) -> Iterator[Finding]:
    """A device, evaluation or training mode that the engine does not know: an assertion without a message."""
    if config.generation != "modern":
        raise NotApplicable("sections-modern")
    stage_letter(config)
    for path, (values, since) in ALLOWED.items():
        if not config.tree.has(path):
            continue
        value = config.tree.raw(path)
        if path != "Global.device" and isinstance(value, str):
            continue  # a name that CFG110 knows or does not know
        if value in values or (path == "Global.train_mode" and (value is None or config.stage == "export")):
            continue
        meant = _nearest(str(value), values)
        fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=meant, values={"meant": meant}),) if meant else ()
        case = "device-number" if path == "Global.device" and re.fullmatch(r"(gpu|xpu|npu|cuda):?\d+", str(value).lower()) else "default"
        text = written(config, path)
        yield Finding(at=config.tree.at(path), case=case, fixes=fixes, key=path, text=text, allowed=", ".join(values), since=since)


def _nearest(value: str, values: tuple[str, ...]) -> str | None:
    word = unicodedata.normalize("NFKC", value).strip().lower().partition(":")[0].rstrip("0123456789")
    word = {
        "cuda": "gpu",
        "nvidia": "gpu",
        "rocm": "gpu",
        "dcu": "gpu",
        "ascend310": "ascend",
        "metal": "mps",
        "cls": "classification",
    }.get(word, word)
    if word in values:
        return word
    import difflib

    return next(iter(difflib.get_close_matches(word, values, 1, 0.75)), None)
