"""CFG: texts in a config that are not what they look like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check
from checks.value_reading import stage_letter

_INVISIBLE = re.compile("[\u00a0\u00ad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
_WIDE_COLON = re.compile(r"\w\uff1a")


@check("CFG135", name="path-not-expanded", stages=TRAIN | EVAL | INFER | EXPORT)
def path_not_expanded(config: TrainingConfig) -> Iterator[Finding]:
    """`~` or `$HOME` in an output path: Python does not expand it, so a folder of that very name is made where the run is started."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("sections-other-stage")
    stage_letter(config)
    for path in ("Global.output_dir", "Global.save_inference_dir", "model_save_dir"):
        value = config.tree.raw(path)
        if path == "Global.output_dir" and value == "":
            yield Finding(at=config.tree.at(path), case="empty", fixes=(Fix("write-out", "advice", "safe"),), key=path, text=value)
        if isinstance(value, str) and (re.match(r"~\w*(/|$)", value) or re.search(r"\$\{?[A-Za-z_]\w*", value)):
            yield Finding(at=config.tree.at(path), fixes=(Fix("write-out", "advice", "safe"),), key=path, text=value)


@check("CFG136", name="invisible-character", stages=TRAIN | EVAL | INFER | EXPORT)
def invisible_character(config: TrainingConfig) -> Iterator[Finding]:
    """A no-break space, a zero-width character or a full-width colon in a key or a value, as text copied from a web page has."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("no-vocabulary", generation=config.generation)
    for path in config.tree.spots:
        key = path.rpartition(".")[2]
        odd = odd_character(key)
        if odd:
            clean = _INVISIBLE.sub("", unicodedata.normalize("NFKC", key)).strip()
            fixes = (Fix("retype-key", "advice", "safe", values={"clean": clean}),)
            yield Finding(at=config.tree.key_at(path), case="key", fixes=fixes, key=path, clean=clean, code=_code(odd))
        value = config.tree.raw(path)
        if not isinstance(value, str) or value.isascii():
            continue
        odd = odd_character(value)
        colon = None if odd else _WIDE_COLON.search(value)
        if odd or colon:
            clean = _INVISIBLE.sub("", value.replace("\u00a0", " ").replace("\u3000", " ")).strip() if odd else value
            fixes = (
                (Fix("retype", "edit", "safe", at=config.tree.at(path), value=clean),) if odd else (Fix("ascii-colon", "advice", "safe"),)
            )
            yield Finding(
                at=config.tree.at(path),
                case="default" if odd else "colon",
                fixes=fixes,
                key=path,
                clean=clean,
                code=_code(odd or "\uff1a"),
            )


def odd_character(text: str) -> str:
    """The first character of a text that cannot be seen or looks like a blank, or "" where there is none."""
    found = None if text.isascii() else _INVISIBLE.search(text)
    return found[0] if found else ""


def _code(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
