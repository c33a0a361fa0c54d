"""CFG: overrides that PaddleClas accepts and that then do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.overrides import Override
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, EXPORT, INFER, OVERRIDE_FILE, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.sections import LETTER, built_splits

READ_AT: tuple[tuple[str, str], ...] = (
    # the longest prefix counts; stages that read what is below it
    ("Global.checkpoints", "t"),
    ("Global.epochs", "t"),
    ("Global.save_interval", "t"),
    ("Global.eval_interval", "t"),
    ("Global.eval_during_train", "t"),
    ("Global.start_eval_epoch", "t"),
    ("Global.update_freq", "t"),
    ("Global.iter_per_epoch", "t"),
    ("Global.print_batch_step", "te"),
    ("Global.image_shape", "x"),
    ("Global.save_inference_dir", "x"),
    ("Optimizer", "t"),
    ("EMA", "t"),
    ("Loss.Train", "t"),
    ("Loss.Eval", "te"),
    ("Metric.Train", "t"),
    ("Metric.Eval", "tex"),
    ("Infer", "i"),
)

_INNER = {"DistillationModel": "Arch.models", "AttentionModel": "Arch.models", "RecModel": "Arch.Head.class_num"}


def _overrides(config: TrainingConfig) -> list[Override]:
    if config.generation != "modern":
        raise NotApplicable("sections-modern")
    applied = [item for item in config.overrides if not item.problem]
    if not applied:
        raise NotApplicable("no-overrides")
    return applied


def _at(item: Override) -> Location:
    return Location(OVERRIDE_FILE, item.position, None, item.key or None)


@check("CFG140", name="override-without-effect", stages=TRAIN | EVAL | INFER | EXPORT)
def override_without_effect(config: TrainingConfig) -> Iterator[Finding]:
    """An override of a key that exists, but that this stage, this architecture or this configuration never reads (FAQ 5.2)."""
    letter = LETTER[config.stage]
    for item in _overrides(config):
        name = config.tree.raw("Arch.name")
        if item.key == "Arch.class_num" and name in _INNER and isinstance(name, str):
            inner = config.class_num
            if any(count.count.value != item.value for count in config.class_counts) and inner is not None:
                snippet = "".join(f"-o {count.count.location.key}={item.value}\n" for count in config.class_counts)
                fixes = (Fix("inner", "advice", "safe", snippet=snippet),)
                yield Finding(
                    at=_at(item), case="inner-class-num", fixes=fixes, key=item.key, architecture=name, value=item.value, used=inner.value
                )
            continue
        if item.key.startswith("DataLoader."):
            if _split_unused(config, item.key, letter):
                yield Finding(at=_at(item), case="split", key=item.key, stage=config.stage)
            continue
        stages = next((stages for path, stages in READ_AT if item.key == path or item.key.startswith(path + ".")), "teix")
        if letter in stages or _exports_too(config, item.key):
            continue
        if item.key.startswith("Global.image_shape"):
            if letter == "t" and not (item.known_before and item.previous == item.value):  # else it says what the file says
                yield Finding(at=_at(item), case="image-shape", fixes=(Fix("crops", "advice", "safe"),), key=item.key, stage=config.stage)
        elif item.key != "Global.checkpoints":  # CFG212
            yield Finding(at=_at(item), key=item.key, stage=config.stage)


def _exports_too(config: TrainingConfig, key: str) -> bool:
    """Whether this run exports or traces the network besides, and reads what only the export reads else."""
    settings = ("uniform_output_enabled", "to_static", "export_for_fd")
    return key.startswith(("Infer", "Global.image_shape", "Global.save_inference_dir")) and any(
        config.tree.raw(f"Global.{name}") for name in settings
    )


def _split_unused(config: TrainingConfig, key: str, letter: str) -> bool:
    if not key.startswith(("DataLoader.Train.", "DataLoader.Eval.")):
        return False
    built = built_splits(config, letter)
    return not any(key.startswith(split + ".") or split.startswith(".".join(key.split(".")[:2]) + ".") for split in built)


@check("CFG141", name="override-undone", stages=TRAIN | EVAL | INFER | EXPORT)
def override_undone(config: TrainingConfig) -> Iterator[Finding]:
    """Two overrides of one key, or of a section after a key in it: the later one wins without a word."""
    if config.generation not in ("modern", "legacy"):
        raise NotApplicable("sections-other-stage")
    applied = [item for item in config.overrides if not item.problem]
    if len(applied) < 2:
        raise NotApplicable("one-override")
    for index, item in enumerate(applied):
        for later in applied[index + 1 :]:
            same = later.key == item.key and later.value != item.value
            if same or item.key.startswith(later.key + "."):
                case = "default" if same else "section"
                fixes = (Fix("drop", "advice", "safe", values={"text": item.text}),)
                yield Finding(at=_at(item), case=case, fixes=fixes, key=item.key, text=item.text, later=later.text, position=later.position)
                break


@check("CFG142", name="override-cut-by-shell", stages=TRAIN | EVAL | INFER | EXPORT)
def override_cut_by_shell(config: TrainingConfig) -> Iterator[Finding]:
    """A value that begins a list, a mapping or a string and does not end it: the shell split it at a blank."""
    if not config.overrides:
        raise NotApplicable("no-overrides")
    for item in config.overrides:
        value = item.text.partition("=")[2].strip()
        if item.problem or not isinstance(item.value, str) or value[:1] not in ("[", "(", "{", '"', "'"):
            continue
        closing = {"[": "]", "(": ")", "{": "}", '"': '"', "'": "'"}[value[0]]
        if len(value) > 1 and value.endswith(closing):
            if value[0] not in "[({" or _literal(value):
                continue
            case = "words"  # balanced, but its words are no Python: the shell took the quotes
        else:
            case = "default"
        fixes = (Fix("quote", "advice", "safe", snippet=f"-o '{item.key}={value}'" if case == "words" else f"-o '{item.key}=[1, 2]'"),)
        yield Finding(at=_at(item), case=case, fixes=fixes, key=item.key, value=value)


def _literal(value: str) -> bool:
    import ast  # 1 ms, and few overrides look like a list

    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True
