"""IMG: the images for inference, and the settings by which images are decoded."""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.image_inference import InferImages
from checks.facts.label_lines import visible
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, INFER, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check


@check("IMG110", name="infer-image-missing", stages=INFER)
def infer_image_missing(config: TrainingConfig, images: InferImages) -> Iterator[Finding]:
    """`Infer.infer_imgs` names nothing, or nothing that PaddleClas takes for an image; the run stops with an exception."""
    if not images.written or (images.listed and images.exists):
        return  # an empty path is CFG130's
    if images.taken or not images.complete:
        return
    if not images.exists:
        case, fix = "default", "set-path"
    elif images.is_folder:
        case, fix = "empty-folder", "rename" if images.passed_over else "set-path"
    else:
        case, fix = "extension", "rename"
    yield Finding(
        at=images.source,
        case=case,
        fixes=(Fix(fix, "advice", "unsafe"),),
        path=images.written,
        resolved=images.path,
        root=config.root,
        passed_over=images.passed_over,
    )


@check("IMG111", name="infer-images-passed-over", stages=INFER)
def infer_images_passed_over(images: InferImages) -> Iterator[Finding]:
    """Pictures in the folder that are not read, because their names do not end as PaddleClas wants it."""
    if not images.taken or not images.is_folder:
        return
    if images.passed_over:
        yield Finding(
            at=images.source,
            fixes=(Fix("rename", "advice", "unsafe"),),
            path=images.written,
            count=images.passed_over,
            taken=images.taken,
            first=visible(images.passed_examples[0], None),
        )
    if images.nested and images.complete:
        yield Finding(
            at=images.source,
            case="none-on-top" if images.nested == images.taken else "nested",
            fixes=(Fix("one-folder", "advice", "unsafe"),),
            path=images.written,
            count=images.nested,
            taken=images.taken,
        )


@check("IMG112", name="infer-image-broken", stages=INFER)
def infer_image_broken(images: InferImages) -> Iterator[Finding]:
    """An image that cannot be read: passed over, and if it is the last one, the results of the batch before it are lost with it."""
    if not images.looked:
        raise NotApplicable("no-infer-images")
    broken = [fault for fault in images.faults if fault.fate == "replaced"]
    if not broken:
        return
    first = min((image for fault in broken for image in fault.examples), key=lambda image: image.line)
    count = sum(fault.files for fault in broken)
    if count == images.looked:
        case = "all"
    elif images.last is not None and images.lost:
        case = "last"
    else:
        case = "default"
    shown = images.last if case == "last" and images.last is not None else first
    yield Finding(
        at=images.source,
        case=case,
        fixes=(Fix("replace-or-drop", "advice", "unsafe"),),
        path=images.written,
        image=visible(shown.path, None),
        count=count,
        looked=images.looked,
        lost=images.lost,
        batch_size=images.batch_size,
        kinds=sorted({fault.kind or fault.fault for fault in broken}),
        opencv=images.opencv,
    )


@check("IMG113", name="unknown-decode-backend", stages=TRAIN | EVAL | INFER)
def unknown_decode_backend(config: TrainingConfig) -> Iterator[Finding]:
    """A `backend` of DecodeImage that is neither cv2 nor pil; PaddleClas logs it and uses cv2."""
    if not any(path.endswith(".DecodeImage") for path in config.tree.spots):
        raise NotApplicable("no-decode-image")
    spots = [path for path in config.tree.spots if path.endswith(".DecodeImage.backend")] if config.generation == "modern" else []
    used = tuple(f"{loader.key}." for loader in config.used_loaders()) + (("Infer.",) if config.stage == "infer" else ())
    for path in spots:
        value = config.tree.raw(path)
        if isinstance(value, str) and value.lower() not in ("cv2", "pil") and path.startswith(used):
            meant = "pil" if "pil" in value.lower() else "cv2"
            at = config.tree.at(path)
            yield Finding(
                at=at, fixes=(Fix("set-backend", "edit", "safe", at=at, value=meant, values={"meant": meant}),), backend=value, key=path
            )
