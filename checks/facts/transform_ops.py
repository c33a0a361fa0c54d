"""What each transform of PaddleClas makes of an image.

Sources: `ppcls/data/preprocess` of 2.2 to develop, `ppcls/data/imaug` of 2.0 and 2.1, `deploy/python/preprocess.py`, and for the ones that
they take from there `paddle.vision.transforms`.

A model takes the image's state and the parameters and returns the state afterwards. `Fails` says that the real one raises an exception or
makes of every image something that no network takes; what befalls only some images is noted in `Run.notes`.
"""

from __future__ import annotations

from collections.abc import Callable

from checks.facts import transform_pixels as pixels
from checks.facts import transform_shapes as shapes
from checks.facts.image_state import Fails, ImageState, Unforeseeable
from checks.facts.transform_run import Run

BATCH_OPERATORS = frozenset({"MixupOperator", "CutmixOperator", "FmixOperator", "OpSampler", "MixupCutmixHybrid"})


Model = Callable[[ImageState, Run], ImageState]


def apply(state: ImageState, run: Run) -> ImageState:
    """The image after a transform.

    Raises:
        Fails: the transform cannot take the image, or cannot be built.
        Unforeseeable: nobody can tell what comes out.
    """
    if run.name in BATCH_OPERATORS and run.dialect != "deploy":
        raise Fails("batch-operator")
    model = MODELS.get(run.name)
    if model is None or (run.dialect == "deploy" and run.name not in DEPLOYED):
        raise Unforeseeable
    if state.kind == "bytes" and run.name != "DecodeImage":
        if run.name in SOMETIMES and not _certain(run):
            run.note("not-decoded")
            return state
        raise Fails("not-decoded")
    if state.kind == "tensor" and run.name not in TAKES_TENSORS:
        raise Unforeseeable
    return model(state, run)


def _certain(run: Run) -> bool:
    """Whether a transform that acts with some probability does so every time."""
    chance = run.get("prob", run.get("p", run.get("EPSILON", 2 if run.name == "ColorJitter" else None)))
    return isinstance(chance, (int, float)) and chance >= 1


MODELS: dict[str, Model] = {
    "AugMix": pixels.augmix,
    "AutoAugment": pixels.policy,
    "CenterCrop": shapes.center_crop,
    "ColorJitter": pixels.color_jitter,
    "CropImage": shapes.crop_image,
    "CropImageAtRatio": shapes.crop_at_ratio,
    "Cutout": pixels.cutout,
    "DecodeImage": pixels.decode,
    "GridMask": pixels.hide,
    "HideAndSeek": pixels.hide,
    "Normalize": pixels.normalize,
    "NormalizeImage": pixels.normalize_image,
    "PCALighting": pixels.pca_lighting,
    "Pad": shapes.pad,
    "Pad_paddle_vision": shapes.pad_paddle,
    "Padv2": shapes.padv2,
    "RandAugment": pixels.policy,
    "RandAugmentV2": pixels.policy,
    "RandAugmentV3": pixels.policy,
    "RandAugmentV4": pixels.policy,
    "RandCropImage": shapes.rand_crop,
    "RandCropImageV2": shapes.random_crop_v2,
    "RandFlipImage": pixels.flip,
    "RandomApply": pixels.same,
    "RandomCropImage": shapes.crop_image,
    "RandomErasing": pixels.erasing,
    "RandomGrayscale": pixels.grayscale,
    "RandomHorizontalFlip": pixels.flip_horizontally,
    "RandomInterpolationAugment": pixels.same,
    "RandomResizedCrop": shapes.random_resized_crop,
    "RandomRot90": shapes.rot90,
    "RandomRotation": shapes.rotation,
    "Resize": shapes.resize,
    "ResizeImage": shapes.resize_image,
    "TimmAutoAugment": pixels.policy,
    "ToCHWImage": pixels.to_chw,
    "ToTensor": pixels.to_tensor,
}
"""Transform → what it does to an image."""

RANDOM = frozenset(MODELS) - {
    "CenterCrop",
    "CropImage",
    "CropImageAtRatio",
    "DecodeImage",
    "Normalize",
    "NormalizeImage",
    "Pad",
    "Pad_paddle_vision",
    "Padv2",
    "Resize",
    "ResizeImage",
    "ToCHWImage",
    "ToTensor",
}
"""Transforms that act at random: augmentation."""

DEPLOYED = frozenset(
    {
        "CenterCrop",
        "CropImage",
        "DecodeImage",
        "Normalize",
        "NormalizeImage",
        "RandCropImage",
        "RandFlipImage",
        "Resize",
        "ResizeImage",
        "ToCHWImage",
        "ToTensor",
    }
)
"""The transforms that `deploy/python/preprocess.py` has (develop); its AutoAugment dies of a name that it does not know."""

SOMETIMES = frozenset(
    {
        "ColorJitter",
        "GridMask",
        "RandFlipImage",
        "RandomApply",
        "RandomErasing",
        "RandomHorizontalFlip",
        "RandomInterpolationAugment",
        "RandomRot90",
        "RandomRotation",
    }
)
"""Transforms that hand some images on without a look at them."""

TAKES_TENSORS = frozenset({"DecodeImage", "Normalize", "NormalizeImage", "RandomErasing", "RandomHorizontalFlip", "ToCHWImage", "ToTensor"})
"""Transforms whose way with a paddle tensor is known."""
