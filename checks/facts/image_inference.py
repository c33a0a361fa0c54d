"""`InferImages`: the images that `tools/infer.py` would read for `Infer.infer_imgs`, in its order, and those it would pass over.

Source: `get_image_list` in `ppcls/data/utils/get_image_list.py`, and `infer` of the engine. Branches differ: 2.2 to 2.5 list one folder, 2.5.1 and
later walk through those below it too; from 2.5.2 on an image that fails is logged and passed over, before it ends the run.
"""

from __future__ import annotations

import os
import time

from checks.facts.base import Fact, Request, Unreadable, World, collects, no_images
from checks.facts.image_crew import see_all
from checks.facts.image_files import EXAMPLES
from checks.facts.image_health import FoundImage, ImageFault
from checks.facts.image_readers import REQUIRED_OPENCV, Backend, fate_of, numbers_of
from checks.facts.packages import Packages
from checks.facts.training_config import TrainingConfig
from checks.model import Location

TAKEN = frozenset({"jpg", "png", "jpeg", "JPEG", "JPG", "bmp"})
"""The name extensions that PaddleClas takes, spelt exactly so."""
PICTURES = TAKEN | {"gif", "webp", "tif", "tiff", "jfif", "jpe", "jp2", "avif", "heic", "dib", "ppm", "pgm"}
MOST = 2_000
"""Images that are looked into; a folder with more is judged by its existence alone."""

MOST_ENTRIES = 100_000
SECONDS = 2.0
"""What is gone through at most: a folder that holds more, such as `/`, is not that of the images."""


class InferImages(Fact, frozen=True):
    """What `Infer.infer_imgs` names.

    `taken` counts the images that are read, `nested` those of them in folders below, `passed_over` pictures that are not read for their names'
    extensions. `faults` are those of the images looked into (none if there are too many); `last` is the last image if it cannot be read, and
    `lost` how many good ones before it are then without a result. `complete` is False where there is so much in the folder that
    not all of it was gone through.
    """

    written: str
    path: str
    source: Location
    exists: bool
    is_folder: bool
    listed: bool
    taken: int
    nested: int
    passed_over: int
    passed_examples: tuple[str, ...]
    looked: int
    faults: tuple[ImageFault, ...]
    last: FoundImage | None
    lost: int
    batch_size: int
    backend: Backend
    opencv: str
    complete: bool = True


@collects(InferImages, deadline=60.0)
def collect_infer_images(config: TrainingConfig, packages: Packages, request: Request, world: World) -> InferImages:
    """Look at the images for inference.

    Raises:
        Unreadable: none are named, or they are not to be looked at.
    """
    unseen = no_images(request, world)
    if unseen is not None:
        raise Unreadable(unseen)
    named = config.tree.get("Infer.infer_imgs")
    if config.generation != "modern" or named is None or not isinstance(named.value, str) or "\0" in named.value:
        raise Unreadable("no-infer-images")
    path = config.resolve(named.value) if named.value else ""
    is_folder = os.path.isdir(path)
    listed = isinstance(config.tree.raw("Infer.infer_list"), str)
    names, passed, complete = ([], [], True) if listed else _names(path, is_folder)
    batch = config.tree.raw("Infer.batch_size")
    size = batch if type(batch) is int and batch > 0 else 1
    backend: Backend = "cv2"
    ops = config.tree.raw("Infer.transforms")
    for op in ops if isinstance(ops, list) else ():
        params = op.get("DecodeImage") if isinstance(op, dict) else None
        if isinstance(params, dict) and str(params.get("backend", "")).lower() == "pil":
            backend = "pil"
    installed = packages.installed
    opencv = max((version for name, version in installed.items() if "opencv" in name), key=numbers_of, default=REQUIRED_OPENCV)
    found: dict[tuple[str, str, str], list[FoundImage]] = {}
    last: FoundImage | None = None
    lost = 0
    open_them = request.images != "exists" and len(names) <= MOST and complete
    if open_them:
        seen, _ = see_all(names, False, lambda done: world.progress("InferImages", done, len(names)))
        good = 0
        for number, (name, (look, *_)) in enumerate(zip(names, seen, strict=True), 1):
            fate = fate_of(look, backend, numbers_of(opencv), numbers_of(installed.get("pillow")))
            image = FoundImage(number, os.path.relpath(name, path) if is_folder else name, look.width, look.height)
            if fate in ("replaced", "partly") and look.fault != "gone":
                found.setdefault((look.fault, look.kind, fate), []).append(image)
            if fate != "replaced":
                good += 1
            elif number == len(names):
                last, lost = image, good % size
    faults = (
        ImageFault(fault, kind, fate, len(images), len(images), tuple(images[:EXAMPLES]))  # type: ignore[arg-type]  # a fate, see above
        for (fault, kind, fate), images in sorted(found.items())
    )
    return InferImages(
        written=named.value,
        path=path,
        source=named.location,
        exists=bool(path) and os.path.exists(path),
        is_folder=is_folder,
        listed=listed,
        taken=len(names),
        nested=sum(os.path.dirname(name) != path for name in names) if is_folder else 0,
        passed_over=len(passed),
        passed_examples=tuple(os.path.relpath(name, path) if is_folder else name for name in passed[:EXAMPLES]),
        looked=len(names) if open_them else 0,
        faults=tuple(faults),
        last=last,
        lost=lost,
        batch_size=size,
        backend=backend,
        opencv=opencv,
        complete=complete and (os.path.exists(path) or not world.unseen(path)),
    )


def _names(path: str, is_folder: bool) -> tuple[list[str], list[str], bool]:
    """(images that are read, sorted as PaddleClas does; pictures that are not; whether these are all)."""
    if not is_folder:
        taken = os.path.isfile(path) and path.split(".")[-1] in TAKEN
        return ([path], [], True) if taken else ([], [path] if os.path.isfile(path) else [], True)
    names: list[str] = []
    passed: list[str] = []
    entries, end = 0, time.monotonic() + SECONDS
    for folder, folders, files in os.walk(path):
        entries += len(files) + len(folders)
        for name in files:
            extension = name.split(".")[-1]
            if extension in TAKEN:
                names.append(os.path.join(folder, name))
            elif extension.lower() in PICTURES and not name.startswith("."):
                passed.append(os.path.join(folder, name))
        if entries > MOST_ENTRIES or time.monotonic() > end:
            return sorted(names), sorted(passed), False
    return sorted(names), sorted(passed), True
