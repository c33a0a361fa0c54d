"""IMG: are the listed images whole, readable by the decoder of the config, and what their labels say?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from checks.facts.image_files import ImageFiles, dataset_of
from checks.facts.image_health import HUGE, FoundImage, ImageFault, ImageHealth, ImageSurvey
from checks.facts.image_odds import CONFIDENCE, lower_bound, percent, upper_bound
from checks.facts.label_lines import visible
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

RECURSION = 980
"""How often PaddleClas tries another sample before Python's limit of recursion ends the worker: 982 were measured on develop."""
UNGUARDED = frozenset({"CompCars", "AdaFaceDataset"})
"""Dataset classes that do not catch what goes wrong with a sample."""
TINY = 32
"""Short sides below this can be outliers in a set of larger images."""
MANY_TURNED = 0.05
MANY_COPIES = 0.01
"""The share of an evaluation list that copies of training images may have before they are a warning."""


def _surveys(health: ImageHealth) -> list[ImageSurvey]:
    found = [survey for survey in health.surveys if survey.files]
    if not found:
        raise NotApplicable("no-images-read")
    return found


def _at(survey: ImageSurvey, image: FoundImage | None) -> Location:
    return Location(survey.file, image.line if image else None)


def _case(fault: ImageFault, survey: ImageSurvey) -> str | None:
    """The case of the page that a fault belongs to; None where nothing can be said for certain."""
    if fault.fault in ("slow", "died", "huge"):
        return "not-decoded"
    if fault.fault == "special":
        return "special"
    if fault.fate == "unknown":
        return None
    if fault.fault in ("cut", "damaged"):
        return f"{fault.fault}-partly" if fault.fate == "partly" else fault.fault
    if fault.fault in ("denied", "io"):
        return "denied"
    if fault.fault == "checksum":
        return "damaged"
    if fault.fault:
        return fault.fault
    return "format-assumed" if survey.backend == "cv2" else "format-pil"


@check("IMG104", name="broken-image", stages=TRAIN | EVAL)
def broken_image(config: TrainingConfig, health: ImageHealth, files: ImageFiles) -> Iterator[Finding]:
    """Files that are there but that no image comes out of. PaddleClas logs each and takes a random other sample in its place.

    Of a list that it cannot get through for them, IMG105 speaks.
    """
    classes = {(item.split, item.source): item.dataset for item in files.lists}
    for survey in _surveys(health):
        cases: dict[str, list[ImageFault]] = {}
        hopeless = _hopeless(config, survey)
        for fault in survey.faults:
            case = _case(fault, survey)
            if fault.fate == "replaced" and hopeless:
                continue
            if case == "format-assumed" and not health.assumed:
                case = "format"
            if case is not None:
                cases.setdefault(case, []).append(fault)
        for case, faults in sorted(cases.items()):
            images = sorted((image for fault in faults for image in fault.examples), key=lambda image: image.line)
            samples = sum(fault.samples for fault in faults)
            unguarded = classes.get((survey.split, survey.source)) in UNGUARDED and case not in (
                "cut-partly",
                "damaged-partly",
                "not-decoded",
            )
            yield Finding(
                at=_at(survey, images[0]),
                via=survey.source,
                case="unguarded" if unguarded else "default" if case == "empty" else case,
                fixes=_fixes(case),
                split=survey.split,
                file=survey.file,
                fault=case,
                kinds=sorted({fault.kind for fault in faults if fault.kind}),
                files=sum(fault.files for fault in faults),
                samples=samples,
                looked=survey.samples,
                share=percent(samples, survey.samples),
                path=visible(images[0].path, None),
                lines=[image.line for image in images][:11],
                opencv=health.opencv,
                backend=survey.backend,
            )


def _fixes(case: str) -> tuple[Fix, ...]:
    if case.startswith("format"):
        return Fix("convert", "advice", "unsafe"), *((Fix("use-pil", "advice", "unsafe"),) if case != "format-pil" else ())
    if case == "denied":
        return (Fix("grant", "advice", "unsafe"),)
    if case == "not-decoded":
        return ()
    return (Fix("replace-or-drop", "advice", "unsafe"),)


def _hopeless(config: TrainingConfig, survey: ImageSurvey) -> bool:
    bad = survey.with_fate("replaced")
    share = bad / max(1, survey.samples)
    if not bad or share < 0.9:
        return False
    epochs = config.epochs.value if config.epochs and survey.split == "Train" else 1
    # each try draws one of all samples, so a worker dies with this chance at every broken one
    return survey.listed * max(1, epochs) * share**RECURSION >= 0.5


@check("IMG105", name="no-readable-image", stages=TRAIN | EVAL)
def no_readable_image(config: TrainingConfig, health: ImageHealth) -> Iterator[Finding]:
    """So few images can be read that the search for a replacement ends in a RecursionError; the run hangs."""
    for survey in _surveys(health):
        if not _hopeless(config, survey):
            continue
        bad = survey.with_fate("replaced")
        worst = max((fault for fault in survey.faults if fault.fate == "replaced"), key=lambda fault: fault.samples)
        yield Finding(
            at=_at(survey, worst.examples[0]),
            via=survey.source,
            case="default" if bad == survey.samples else "nearly",
            fixes=(Fix("replace-or-drop", "advice", "unsafe"),),
            split=survey.split,
            file=survey.file,
            bad=bad,
            looked=survey.samples,
            share=percent(bad, survey.samples),
            path=visible(worst.examples[0].path, None),
            fault=worst.fault or "format",
            kind=worst.kind or None,
        )


@check("IMG106", name="images-sampled", stages=TRAIN | EVAL)
def images_sampled(config: TrainingConfig, health: ImageHealth) -> Iterator[Finding]:
    """A list too long to open every image: what its sample says of the whole."""
    for survey in _surveys(health):
        if not survey.sampled:
            continue
        broken = survey.with_fate("replaced", "partly")
        command = shlex.join(["paddle-doctor", "check", "--config", config.file, "--images", "full"])
        yield Finding(
            at=survey.source,
            fixes=(Fix("decode-all", "command", "safe", command=command),),
            split=survey.split,
            file=survey.file,
            looked=survey.samples,
            listed=survey.listed,
            broken=broken,
            bound=float(f"{100 * upper_bound(broken, survey.samples):.2g}"),
            confidence=round(100 * CONFIDENCE),
        )


@check("IMG107", name="extreme-image-size", stages=TRAIN | EVAL)
def extreme_image_size(config: TrainingConfig, health: ImageHealth) -> Iterator[Finding]:
    """Images of more than 50 megapixels, which are slow to decode, and a few tiny ones among large ones.

    Of a few pixels `RandCropImage` may cut less than one: `int(sqrt(area * scale * ratio))` is 0 (`ppcls/data/preprocess/ops/operators.py`).
    """
    for survey in _surveys(health):
        sizes = survey.sizes
        if sizes is None:
            continue
        large, small = sizes.largest, sizes.smallest
        if sizes.huge:
            yield Finding(
                at=_at(survey, large),
                via=survey.source,
                case="default",
                fixes=(Fix("shrink", "advice", "unsafe"),),
                split=survey.split,
                file=survey.file,
                count=sizes.huge,
                looked=survey.files,
                limit=HUGE // 1_000_000,
                path=visible(large.path, None),
                width=large.width,
                height=large.height,
                bytes=large.width * large.height * 3,
            )
        if sizes.first_tiny and 2 * sizes.tiny < sizes.known and "RandCropImage" in _transforms(config, survey):
            yield Finding(
                at=_at(survey, sizes.first_tiny),
                via=survey.source,
                case="uncroppable",
                fixes=(Fix("look-at-it", "advice", "safe"),),
                split=survey.split,
                file=survey.file,
                count=sizes.tiny,
                looked=survey.files,
                path=visible(sizes.first_tiny.path, None),
                width=sizes.first_tiny.width,
                height=sizes.first_tiny.height,
            )
            continue
        short = min(small.width, small.height)
        if short < TINY and short * 8 < min(sizes.common) and sizes.common_share >= 0.01:
            yield Finding(
                at=_at(survey, small),
                via=survey.source,
                case="tiny",
                fixes=(Fix("look-at-it", "advice", "safe"),),
                split=survey.split,
                file=survey.file,
                path=visible(small.path, None),
                width=small.width,
                height=small.height,
                common=f"{sizes.common[0]}x{sizes.common[1]}",
            )


def _transforms(config: TrainingConfig, survey: ImageSurvey) -> set[str]:
    """The names of the transforms that the images of a list go through."""
    dataset = dataset_of(config, survey.split, survey.source)
    block = config.tree.raw(dataset.key) if dataset else None
    ops = (block.get("transform_ops") or block.get("transforms")) if isinstance(block, dict) else None
    return {str(name) for op in (ops if isinstance(ops, list) else ()) if isinstance(op, dict) for name in op}


@check("IMG108", name="image-mode-mishandled", stages=TRAIN | EVAL)
def image_mode_mishandled(health: ImageHealth) -> Iterator[Finding]:
    """What the decoder makes of unusual images: the Pillow backend ignores EXIF orientation and bleaches 16-bit grey; both drop transparency."""
    for survey in _surveys(health):
        values: dict[str, Any] = {"split": survey.split, "file": survey.file, "looked": survey.files, "backend": survey.backend}
        if survey.backend == "pil":
            bleached = survey.modes.get("L;16", 0)
            if bleached:
                yield Finding(
                    at=survey.source,
                    case="sixteen-bit",
                    fixes=(Fix("use-cv2", "advice", "unsafe"),),
                    count=bleached,
                    share=percent(bleached, survey.files),
                    **values,
                )
            turned = survey.first_turned
            if turned is not None:
                yield Finding(
                    at=_at(survey, turned),
                    via=survey.source,
                    case="turned" if survey.turned >= MANY_TURNED * survey.files else "turned-few",
                    fixes=(Fix("turn", "advice", "unsafe"),),
                    count=survey.turned,
                    share=percent(survey.turned, survey.files),
                    path=visible(turned.path, None),
                    **values,
                )
        clear = sum(number for mode, number in survey.modes.items() if "A" in mode.partition(";")[0] or "alpha" in mode)
        if clear:
            yield Finding(
                at=survey.source,
                case="default",
                fixes=(Fix("flatten", "advice", "unsafe"),),
                count=clear,
                share=percent(clear, survey.files),
                **values,
            )


@check("IMG109", name="same-image-other-label", stages=TRAIN)
def same_image_other_label(health: ImageHealth) -> Iterator[Finding]:
    """One picture under two names and with two labels: in training and evaluation, or twice in one list."""
    twins = health.twins
    if twins is None or not any(survey.labelled for survey in health.surveys):
        raise NotApplicable("twins-not-compared")
    for case, count in (("across", twins.across), ("within", twins.within)):
        pairs = [
            twin for twin in twins.examples if (health.surveys[twin.first].split != health.surveys[twin.second].split) == (case == "across")
        ]
        if not count or not pairs:
            continue
        twin = pairs[0]
        first, second = health.surveys[twin.first], health.surveys[twin.second]
        yield Finding(
            at=Location(second.file, twin.second_line),
            via=second.source,
            case="default" if case == "across" else case,
            fixes=(Fix("one-label", "advice", "unsafe"),),
            count=count,
            path=visible(twin.second_path, None),
            label=twin.second_label,
            file=second.file,
            line=twin.second_line,
            other_path=visible(twin.first_path, None),
            other_label=twin.first_label,
            other_file=first.file,
            other_line=twin.first_line,
            lines=[pair.second_line for pair in pairs],
        )


@check("IMG114", name="copied-image-leaks", stages=TRAIN)
def copied_image_leaks(health: ImageHealth) -> Iterator[Finding]:
    """Evaluation images that are copies, byte for byte, of training images with the same label under another name.

    The same name in both lists is LAB111's, another label IMG109's.
    """
    if health.twins is None or {survey.split for survey in health.surveys if survey.files} < {"Train", "Eval"}:
        raise NotApplicable("twins-not-compared")
    for copied in health.twins.copies:
        train, other = health.surveys[copied.train], health.surveys[copied.other]
        # of the training images only those looked at can be known again
        seen = train.samples / max(1, train.listed) if train.sampled else 1.0
        share = min(1.0, copied.files / max(1, other.files) / seen)
        sampled = train.sampled or other.sampled
        least = min(1.0, lower_bound(copied.files, other.files) / seen) if sampled else share
        case = "sampled" if sampled else "default"
        yield Finding(
            at=Location(other.file, copied.line),
            via=other.source,
            case=case if least >= MANY_COPIES else f"{case}-few",
            fixes=(Fix("split-again", "advice", "unsafe"),),
            count=copied.files,
            looked=other.files,
            train_looked=train.files,
            train_listed=train.listed,
            share=percent(share, 1.0),
            least=percent(least, 1.0),
            confidence=round(100 * CONFIDENCE),
            path=visible(copied.path, None),
            train_file=train.file,
            train_path=visible(copied.train_path, None),
            train_line=copied.train_line,
            line=copied.line,
            file=other.file,
        )
