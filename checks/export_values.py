"""EXP: what the numbers say in an exported model, by themselves and beside the weights that were to be exported."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.export_values import ExportMatch, ExportValues, ModelValues
from checks.facts.weight_values import Numbers
from checks.model import DEPLOY, Finding, Fix, Location, NotApplicable
from checks.registry import check
from checks.tensors.matching import Matching
from checks.weight_values import NAMED, not_finite

EXPORT_AGAIN = "python3 tools/export_model.py -c CONFIG -o Global.pretrained_model={prefix} -o Arch.class_num={classes}"


def _seen(values: ExportValues) -> list[tuple[ModelValues, Numbers]]:
    found = [(model, model.numbers) for model in values.models if model.numbers is not None and model.numbers.tensors]
    if not found:
        raise NotApplicable("export-not-read")
    return found


def _fixes(prefix: str, classes: int | None) -> tuple[Fix, ...]:
    snippet = EXPORT_AGAIN.format(prefix=prefix.removesuffix(".pdparams"), classes=classes if classes else "N")
    return (Fix("export-again", "advice", "safe", snippet=snippet),)


@check("EXP120", name="export-has-other-weights", stages=DEPLOY)
def export_has_other_weights(found: ExportMatch, values: ExportValues) -> Iterator[Finding]:
    """The exported model does not have the weights that were named for it."""
    matching = found.matching
    if matching.verdict == "unknown":
        raise NotApplicable("export-not-comparable")
    main = values.main
    random = main is not None and main.numbers is not None and _random(main.numbers) is not None
    if matching.verdict == "same" or random or _of_another_width(matching):
        return  # a classifier or a network that is as it was drawn is EXP121's, one of another width EXP107's
    case = {"other": "default"}.get(matching.verdict, matching.verdict)
    if found.beside is not None:
        case = "beside"
    largest = [d.largest for d in matching.differing if d.largest is not None]
    yield Finding(
        at=found.model_source,
        via=found.source,
        case=case,
        fixes=_fixes(found.weights, found.classes),
        path=found.model,
        weights=found.weights,
        beside=found.beside,
        equal=matching.equal,
        compared=matching.compared,
        differing=[d.name for d in matching.differing[:NAMED]],
        largest=float(f"{max(largest):.4g}") if largest else None,
        correlation=round(matching.correlation, 3) if matching.correlation is not None else None,
        cast=matching.cast,
        fused=matching.fused,
    )


def _of_another_width(matching: Matching) -> bool:
    """Whether all but the classifier is equal, and that has another number of classes."""
    return matching.verdict == "head" and any(d.other_shape != d.shape for d in matching.differing)


def _random(numbers: Numbers) -> str | None:
    if numbers.untrained:
        return "default"
    return "head" if numbers.head is not None and numbers.head.draw is not None and numbers.head.draw.zeros else None


@check("EXP121", name="export-is-random", stages=DEPLOY)
def export_is_random(values: ExportValues, found: ExportMatch | None) -> Iterator[Finding]:
    """An exported network, or its classifier, is as an initialiser drew it: exported without weights, or with another class count."""
    for model, numbers in _seen(values):
        case = _random(numbers) if model.role == "cls" else None
        if case is None or (found is not None and _of_another_width(found.matching)):
            continue
        head = numbers.head
        yield Finding(
            at=model.source,
            case=case,
            fixes=_fixes(found.weights if found else "output/best_model", None),
            path=model.path,
            classes=model.classes,
            head=head.weight if head else None,
            law=head.draw.law if head and head.draw else None,
            scale=float(f"{head.draw.scale:.4g}") if head and head.draw else None,
            layers=len(numbers.normalisations),
            equal=found.matching.equal if found else None,
        )


@check("EXP122", name="export-not-finite", stages=DEPLOY)
def export_not_finite(values: ExportValues) -> Iterator[Finding]:
    """NaN or infinite numbers among the parameters of an exported model."""
    for model, numbers in _seen(values):
        bad = not_finite(numbers)
        if bad:
            yield Finding(
                at=model.source,
                via=Location(model.path),
                fixes=(Fix("earlier-checkpoint", "advice", "safe"),),
                path=model.path,
                tensors=len(bad),
                all=len(numbers.tensors),
                bad=sum(tensor.nan + tensor.inf for tensor in bad),
                first=bad[0].name,
                names=[tensor.name for tensor in bad[:NAMED]],
            )
