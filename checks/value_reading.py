"""How a config's values are written, what PaddleClas reads, and what was meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from checks.facts.components import Components, Use
from checks.facts.training_config import TrainingConfig
from checks.model import NotApplicable
from checks.sections import LETTER, evaluates
from knowledge.component_values import BOUNDS
from knowledge.value_types import KINDS, LEGACY_KINDS, PLAIN_DATASETS, SAMPLERS, Kind

_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?")
"""What YAML reads as a date, written without quotes."""


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
    if isinstance(value, str) and _DATE.fullmatch(config.tree.written.get(path, "")):
        return "date"
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


def expand(config: TrainingConfig, kind: Kind, letter: str) -> Iterator[str]:
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


def kinds_of(config: TrainingConfig, letter: str, components: Components | None) -> Iterator[tuple[Kind, str, Any]]:
    """Every value that a table says something of: what it says, the value's path, and the value."""
    table = LEGACY_KINDS if config.generation == "legacy" else KINDS
    for kind in table:
        if letter in kind.stages:
            for path in expand(config, kind, letter):
                if config.tree.has(path):
                    yield kind, path, config.tree.raw(path)
    for use in components.uses if components else ():
        for bound in BOUNDS:
            if bound.kind != use.kind or use.when != "now" or (bound.names and use.name not in bound.names):
                continue
            path = use.place(bound.parameter)
            if bound.parameter in use.parameters and path.startswith(bound.below) and not (bound.several and _alone(config, use)):
                yield bound.value._replace(path=path), path, config.tree.raw(path)


def _alone(config: TrainingConfig, use: Use) -> bool:
    """Whether a component is the only one of its list."""
    listed = config.tree.raw(use.path.rsplit(".", 2)[0])
    return isinstance(listed, list) and len(listed) < 2


def fits(value: Any, takes: str) -> str:
    """How a value fits: `yes`, `true` for a Boolean that counts as a number, or empty."""
    kinds = takes.split()
    if "any" in kinds or ("numeric" in kinds and isinstance(value, str) and _is_number(value)):
        return "yes"
    if value is None:
        return "yes" if "null" in kinds else ""
    if isinstance(value, bool):
        return "yes" if "bool" in kinds or (value is False and "false" in kinds) else "true" if "true" in kinds else ""
    if isinstance(value, int):
        return "yes" if "int" in kinds else ""
    if isinstance(value, float):
        return "yes" if "float" in kinds else ""
    return "yes" if ("text" if isinstance(value, str) else "list") in kinds else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


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
