"""CFG: values of another type than meant, and values that PaddleClas does not take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from checks.facts.components import Components
from checks.facts.training_config import TrainingConfig
from checks.listed_values import of_another_type
from checks.model import EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.value_reading import expand, fits, kinds_of, meant_value, python_type, stage_letter, written
from knowledge.likeness import nearest
from knowledge.value_types import ALLOWED, KINDS, PATHS, SWITCHES, Kind

ABSENT_WORDS = frozenset({"null", "none", "nil", "nan", "undefined", "false", "no", "n/a", "~", "-"})
"""Words for "nothing" that stay text where they are quoted, or where YAML and Python do not know them."""


PRESENT_WORDS = frozenset({"true", "yes", "on"})
"""Words for True that stay text in an override."""


@check("CFG130", name="value-of-another-type", stages=TRAIN | EVAL | INFER | EXPORT)
def value_of_another_type(config: TrainingConfig, components: Components | None) -> Iterator[Finding]:
    """A value that YAML, `literal_eval` or an override's `eval` reads as another type than the code works with (FAQ 5.1, 5.2)."""
    letter = stage_letter(config)
    for kind, path, value in kinds_of(config, letter, components):
        fitting = _fits(config, kind, path, value)
        if fitting != "yes":
            yield _misfit(config, kind, path, value, counts_as_one=fitting == "true")
    yield from of_another_type(config, letter)


def _fits(config: TrainingConfig, kind: Kind, path: str, value: Any) -> str:
    """How a value fits, with what single keys allow or refuse besides."""
    cosine = config.tree.raw("Optimizer.lr.name") == "Cosine"
    if cosine and kind.path.endswith("learning_rate") and value is None:
        return ""
    if cosine and kind.path.endswith("warmup_epoch") and type(value) is float:
        return ""  # the remaining epochs become T_max of CosineAnnealingDecay, an int
    lr = config.tree.raw("Optimizer.lr")
    if kind.takes == "list" and path.startswith("Optimizer.lr.") and lr.get("name") == "Piecewise" and lr.get("learning_rate"):
        return "yes"  # it reads neither list then, from 2.5.1 on
    if (
        value == ""
        and "text" in kind.takes
        and (path.endswith((".cls_label_path", ".image_root")) or path in ("Infer.infer_imgs", "Arch.name"))
    ):
        return ""
    if type(value) is float and kind.path in ("Global.epochs", "epochs") and not (cosine and value >= 1):
        return "yes"  # what else epochs do that are not whole: CFG207
    if kind.path == "Global.checkpoints" and value is False:
        return "yes"  # only asked whether it is true
    if kind.path.endswith("num_workers") and value == 0:
        return "yes"  # 0.0 works like 0
    if isinstance(value, str) and python_type(config, path) == "date":
        return ""
    return fits(value, kind.takes)


def _misfit(config: TrainingConfig, kind: Kind, path: str, value: Any, *, counts_as_one: bool) -> Finding:
    text, kinds = written(config, path), kind.takes.split()
    wanted = (
        "bool"
        if "bool" in kinds
        else "list"
        if kinds == ["list"]
        else "text"
        if "text" in kinds
        else "number"
        if "float" in kinds
        else "int"
    )
    if wanted == "text" and (kind.path.endswith("name") or kind.one_of):
        wanted = "name"
    elif wanted == "text" and not value and not isinstance(value, (int, float)):
        wanted = "no-path"
    case = "counts-as-one" if counts_as_one else {"int": "default"}.get(wanted, wanted)
    if isinstance(value, str) and case == "number" and re.search(r"\.\d+\.", path):
        case = "in-list"
    meant = None if counts_as_one else meant_value(text, kind.takes)
    meant = None if meant == value and type(meant) is type(value) else meant
    at = config.tree.at(path)
    fixes: tuple[Fix, ...] = ()
    if wanted == "list" and type(value) in (int, float):
        fixes = (Fix("set", "edit", "safe", at=at, value=[value], values={"meant": [value]}),)
    elif meant is not None:
        fixes = (Fix("set", "edit", "safe", at=at, value=meant, values={"meant": meant}),)
    elif isinstance(value, list) and path.endswith("no_weight_decay_name") and all(isinstance(item, str) for item in value):
        joined = " ".join(value)
        fixes = (Fix("set", "edit", "safe", at=at, value=joined, values={"meant": joined}),)
    elif wanted == "text" and (type(value) in (int, float) or python_type(config, path) == "date"):
        fixes = (Fix("quote-path", "advice", "safe", snippet=f"{path.rpartition('.')[2]}: ./{text}\n"),)
    says, shown = kind.says or "TypeError", python_type(config, path)
    return Finding(at=at, case=case, fixes=fixes, key=path, text=text, type=shown, says=says, since=kind.since)


@check("CFG131", name="number-out-of-range", stages=TRAIN | EVAL | INFER | EXPORT)
def number_out_of_range(config: TrainingConfig, components: Components | None) -> Iterator[Finding]:
    """A number of the right type that cannot work: below the smallest one, or above the largest. Counts and rates: CFG207, CFG208."""
    letter = stage_letter(config)
    for kind, path, value in kinds_of(config, letter, components):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            continue
        case = _beyond(kind, value)
        if case is None:
            continue
        low = kind.low if kind.low is not None else 1
        fixes: tuple[Fix, ...] = ()
        if kind.path.endswith("num_workers"):
            fixes = (Fix("set", "edit", "safe", at=config.tree.at(path), value=0, values={"low": 0}),)
        elif "class" in path or "batch_size" in path:
            fixes = (Fix("choose", "advice", "safe", values={"low": int(low)}),)
        values: dict[str, Any] = {"key": path, "value": value, "low": kind.low, "high": kind.high, "says": kind.says or "an exception"}
        yield Finding(at=config.tree.at(path), case=case, fixes=fixes, **values)


def _beyond(kind: Kind, value: float) -> str | None:
    """The page's case for a number outside of what works; None inside."""
    if kind.path == "Optimizer.momentum":
        return None if 0 <= value < 1 else "momentum"
    if kind.high is not None and (value > kind.high or (value == kind.high and kind.excludes == "high")):
        case = "high" if kind.excludes != "high" else "below"
    elif kind.low is not None and (value < kind.low or (value == kind.low and kind.excludes == "low")):
        case = "nothing-trained" if kind.path == "Global.iter_per_epoch" else "default" if kind.excludes != "low" else "above"
    else:
        return None
    return f"{case}-soft" if kind.soft else case


@check("CFG132", name="text-that-is-always-true", stages=TRAIN | EVAL | INFER | EXPORT)
def text_that_is_always_true(config: TrainingConfig) -> Iterator[Finding]:
    """`"false"` or `-o …=false`: text, and any text that is not empty counts as true, so the opposite happens (FAQ 5.2)."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("sections-other-stage")
    seen = set()  # a YAML alias brings the same value into several lists
    strict = {path for kind in KINDS if kind.takes == "bool" for path in expand(config, kind, "t")}
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
            if at.file != OVERRIDE_FILE and (at.line, at.column) in seen:
                continue
            seen.add((at.line, at.column))
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
def value_not_allowed(config: TrainingConfig, components: Components | None) -> Iterator[Finding]:
    """A device, evaluation or training mode that the engine does not know: an assertion without a message."""
    if config.generation != "modern":
        raise NotApplicable("sections-modern")
    letter = stage_letter(config)
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
        text = written(config, path) or '""'  # an empty value is shown as one
        yield Finding(at=config.tree.at(path), case=case, fixes=fixes, key=path, text=text, allowed=", ".join(values), since=since, says="")
    level, taken = config.tree.raw("AMP.level"), ("O1", "O2")
    if letter in ("t", "e") and level is not None and level not in taken and config.tree.raw("AMP.use_amp") is not False:
        text = written(config, "AMP.level")
        meant = _nearest(text.upper(), taken, fold=False)
        yield _not_one_of(config, "AMP.level", taken, "amp-level", meant)
    for kind, path, value in kinds_of(config, letter, components):
        if kind.one_of and isinstance(value, str) and value not in kind.one_of:
            yield _not_one_of(config, path, kind.one_of, "stops", _nearest(value, kind.one_of), kind.says)


def _not_one_of(config: TrainingConfig, path: str, allowed: tuple[str, ...], case: str, meant: str | None, says: str = "") -> Finding:
    at = config.tree.at(path)
    fixes = (Fix("set", "edit", "safe", at=at, value=meant, values={"meant": meant}),) if meant else ()
    return Finding(at=at, case=case, fixes=fixes, key=path, text=written(config, path), allowed=", ".join(allowed), since="", says=says)


def _nearest(value: str, values: tuple[str, ...], *, fold: bool = True) -> str | None:
    if not fold:
        return value if value in values else None
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
    return nearest(word, values, 0.75)
