"""`ImageHealth`: are the listed images images, whole, and readable by the decoder of the config?

By default the first and last bytes of each are read; lists of more than `SAMPLE_ABOVE` images are sampled, always the same images of a list.
With `--images full` every image is decoded. Results are kept from run to run, one entry for each list, and used while a file's size and mtime are
the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.cache import Cache, cache_of
from checks.facts.image_crew import see_all
from checks.facts.image_files import ImageFiles, ImageList, dataset_of
from checks.facts.image_look import Look
from checks.facts.image_readers import REQUIRED_OPENCV, Backend, Fate, fate_of, numbers_of
from checks.facts.image_scan import paths_at
from checks.facts.image_twins import Place, TwinImages, find_twins
from checks.facts.image_worker import Seen
from checks.facts.label_rows import listed_paths
from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.packages import Packages
from checks.facts.training_config import Dataset, TrainingConfig
from checks.model import Location

VERSION = 2
"""Of the rule by which a file is judged: results of another version are not used."""
SAMPLE_ABOVE = 50_000
SAMPLE = 10_000
EXAMPLES = 11
TINY = 5
"""Of a short side of fewer pixels a random crop of 8 % may be less than a pixel wide."""
HUGE = 50_000_000
"""Pixels from which on an image is called huge: decoding it takes 150 MB and about half a second."""


class FoundImage(msgspec.Struct, frozen=True):
    """One image: its line, its path, and its size in pixels."""

    line: int
    path: str
    width: int = 0
    height: int = 0


class ImageFault(msgspec.Struct, frozen=True):
    """Images of one list with one fault. `fault` and `kind` are those of `image_look.Look`, `fate` is what the decoder makes of them."""

    fault: str
    kind: str
    fate: Fate
    files: int
    samples: int
    examples: tuple[FoundImage, ...]


class PixelSizes(msgspec.Struct, frozen=True):
    """The sizes in pixels of the images that could be told. `tiny` have a short side below 5.

    `common` is the most frequent (width, height), `common_share` its share, 0 to 1.
    """

    known: int
    smallest: FoundImage
    largest: FoundImage
    huge: int
    tiny: int
    first_tiny: FoundImage | None
    widths: tuple[int, int]
    heights: tuple[int, int]
    common: tuple[int, int]
    common_share: float


class ImageSurvey(msgspec.Struct, frozen=True):
    """The images of one label file.

    `files` different files on `samples` lines were looked at, of `listed` lines; `sampled` says that these are not all. `kinds`, `modes` and
    `turned` (EXIF orientation other than 1) count files. `decoders` are those that decoded them, none if only their ends were read.
    `labelled` says that each has a class, `numbered` that the loss sees the class as the list numbers it.
    """

    split: str
    file: str
    source: Location
    backend: Backend
    labelled: bool
    numbered: bool
    listed: int
    files: int
    samples: int
    sampled: bool
    faults: tuple[ImageFault, ...]
    kinds: dict[str, int]
    modes: dict[str, int]
    turned: int
    first_turned: FoundImage | None
    sizes: PixelSizes | None
    decoders: tuple[str, ...]

    def with_fate(self, *fates: Fate) -> int:
        """How many samples meet one of these fates."""
        return sum(fault.samples for fault in self.faults if fault.fate in fates)


class ImageHealth(Fact, frozen=True):
    """The images of every list of the stage. `opencv` is the version that reads them, `assumed` if none was found; `twins` are equal files."""

    surveys: tuple[ImageSurvey, ...]
    opencv: str
    assumed: bool
    pillow: str | None
    twins: TwinImages | None


class _Kept(msgspec.Struct, array_like=True):
    """What a former run saw, as columns: paths (one text, a line each), sizes, mtimes, checksums, and rows of `table`."""

    paths: bytes
    sizes: list[int]
    mtimes: list[int]
    marks: list[int]
    rows: list[int]
    table: list[Look]
    decoders: list[str]


@collects(ImageHealth, deadline=3600.0)
def collect_image_health(
    config: TrainingConfig, labels: Labels, files: ImageFiles, packages: Packages, request: Request, world: World
) -> ImageHealth:
    """Look into the images that are there.

    Raises:
        Unreadable: they are not to be looked into (`--images off` or `exists`), or are to be decoded and no decoder is installed.
    """
    if request.images in ("off", "exists"):
        raise Unreadable("images-not-opened", depth=request.images)
    full = request.images == "full"
    versions = {name: version for name, version in packages.installed.items() if "opencv" in name}
    opencv = max(versions.values(), key=numbers_of, default=None)
    pillow = packages.installed.get("pillow")
    cache: Cache | None = None
    surveys: list[ImageSurvey] = []
    places: list[Place] = []
    for survey in labels.surveys:
        item, dataset = files.of(survey), dataset_of(config, survey.split, survey.source)
        if item is None or dataset is None or item.missing >= item.listed:
            continue
        cache = cache or cache_of(request, world)
        sampled = not full and item.listed > SAMPLE_ABOVE
        try:
            rows = _rows(survey, item.listed, sampled)
        except Unreadable:
            continue
        lines: dict[str, list[int]] = {}
        for line, path in rows:
            lines.setdefault(path, []).append(line)
        seen, decoders = _seen(cache, item, list(lines), full, world)
        present = {path: found for path, found in zip(lines, seen, strict=True) if found[0].fault != "gone"}
        judge = _Judge(_backend(config, dataset), numbers_of(opencv or REQUIRED_OPENCV), numbers_of(pillow))
        surveys.append(_survey(survey, item, lines, present, sampled, judge, decoders))
        if survey.format.labels != "none":
            places += [
                Place(len(surveys) - 1, path, lines[path][0], found[1], found[3])
                for path, found in present.items()
                if found[1] and not found[0].fault
            ]
    twins = find_twins(config, files, surveys, places, labels) if len(places) <= 2 * SAMPLE_ABOVE else None
    return ImageHealth(tuple(surveys), opencv or REQUIRED_OPENCV, opencv is None, pillow, twins)


def _rows(survey: LabelSurvey, listed: int, sampled: bool) -> Iterable[tuple[int, str]]:
    if not sampled:
        return list(listed_paths(survey.path, survey.format))
    # the same lines in every run, so that two runs can be compared and the cache serves
    import random

    numbers = random.Random(survey.lines).sample(range(1, survey.lines + 1), min(SAMPLE, survey.lines))
    return paths_at(survey.path, survey.format, numbers)


def _seen(cache: Cache, item: ImageList, paths: list[str], full: bool, world: World) -> tuple[list[Seen], list[str]]:
    """What each file is: from a former run where size and mtime are the same, else by looking."""
    kind, key = ("image-full" if full else "image-quick"), f"{item.root}\0{item.path}\0{item.dataset}"
    kept = cache.read(kind, key, (VERSION,), _Kept)
    known: dict[str, int] = {}
    if kept is not None:
        names = kept.paths.decode("utf-8", "surrogateescape").split("\n")
        if len(names) == len(kept.rows) == len(kept.sizes) == len(kept.mtimes) == len(kept.marks):
            known = {name: place for place, name in enumerate(names)}
    found: list[Seen | None] = [None] * len(paths)
    below = item.root.rstrip("/") + "/"  # os.path.join takes a third of the time of looking at a file
    if kept is not None and known:
        for place, path in enumerate(paths):
            row = known.get(path)
            if row is None:
                continue
            try:
                now = os.stat(path if path.startswith("/") else below + path)
            except (OSError, ValueError):
                continue
            if now.st_size == kept.sizes[row] and now.st_mtime_ns == kept.mtimes[row] and kept.rows[row] < len(kept.table):
                found[place] = (kept.table[kept.rows[row]], kept.sizes[row], kept.mtimes[row], kept.marks[row])
    new = [place for place, seen in enumerate(found) if seen is None]
    decoders = list(kept.decoders) if kept is not None else []
    if new:
        total, before = len(paths), len(paths) - len(new)
        places = [path if (path := paths[place]).startswith("/") else below + path for place in new]
        results, used = see_all(places, full, lambda done: world.progress("ImageHealth", before + done, total))
        if full and not used:
            raise Unreadable("no-image-decoder")
        decoders = used or decoders
        for place, seen in zip(new, results, strict=True):
            found[place] = seen
        _keep(cache, kind, key, paths, [seen for seen in found if seen is not None], decoders)
    return [seen for seen in found if seen is not None], decoders


def _keep(cache: Cache, kind: str, key: str, paths: list[str], found: list[Seen], decoders: list[str]) -> None:
    if cache.folder is None:
        return
    # a refusal has no mtime to know it again by, and may be gone the next time
    rows = [(path, seen) for path, seen in zip(paths, found, strict=True) if seen[2] and seen[0].fault not in ("slow", "died", "io")]
    table: dict[Look, int] = {}
    kept = _Kept(
        "\n".join(path for path, _ in rows).encode("utf-8", "surrogateescape"),
        [seen[1] for _, seen in rows],
        [seen[2] for _, seen in rows],
        [seen[3] for _, seen in rows],
        [table.setdefault(seen[0], len(table)) for _, seen in rows],
        list(table),
        decoders,
    )
    cache.write(kind, key, (VERSION,), kept)


def _backend(config: TrainingConfig, dataset: Dataset) -> Backend:
    """The decoder of a dataset: that of its `DecodeImage`, or its own `backend` (VeriWild and its kin)."""
    block = config.tree.raw(dataset.key)
    found = block.get("backend") if isinstance(block, dict) else None
    ops = block.get("transform_ops") if isinstance(block, dict) else None
    for op in ops if isinstance(ops, list) else ():
        params = op.get("DecodeImage") if isinstance(op, dict) else None
        if isinstance(params, dict) and "backend" in params:
            found = params["backend"]
    return "pil" if isinstance(found, str) and found.lower() == "pil" else "cv2"


class _Judge:
    def __init__(self, backend: Backend, opencv: tuple[int, ...], pillow: tuple[int, ...]) -> None:
        self.backend = backend
        self.opencv = opencv
        self.pillow = pillow
        self.fates: dict[Look, Fate] = {}

    def fate(self, look: Look) -> Fate:
        """What becomes of a file, remembered, since most files of a list are alike."""
        if look not in self.fates:
            self.fates[look] = fate_of(look, self.backend, self.opencv, self.pillow)
        return self.fates[look]


def _survey(
    survey: LabelSurvey,
    item: ImageList,
    lines: dict[str, list[int]],
    present: dict[str, Seen],
    sampled: bool,
    judge: _Judge,
    decoders: list[str],
) -> ImageSurvey:
    alike: dict[Look, list[str]] = {}
    for path, seen in present.items():
        if seen[0] in alike:
            alike[seen[0]].append(path)
        else:
            alike[seen[0]] = [path]
    faults: dict[tuple[str, str, Fate], list[tuple[int, str, Look]]] = {}
    kinds: dict[str, int] = {}
    modes: dict[str, int] = {}
    turned: list[tuple[int, str, Look]] = []
    turned_files = 0
    sized: dict[Look, int] = {}
    for look, paths in alike.items():
        fate = judge.fate(look)
        if look.fault or fate in ("replaced", "partly"):
            faults.setdefault((look.fault, look.kind, fate), []).extend((lines[path][0], path, look) for path in paths)
            continue
        kinds[look.kind] = kinds.get(look.kind, 0) + len(paths)
        modes[look.mode] = modes.get(look.mode, 0) + len(paths)
        if look.orientation != 1:
            turned_files += len(paths)
            turned.append((lines[paths[0]][0], paths[0], look))
        if look.width and look.height:
            sized[look] = len(paths)
    return ImageSurvey(
        split=survey.split,
        file=survey.file,
        source=survey.source,
        backend=judge.backend,
        labelled=survey.format.labels == "class",
        numbered=survey.format.labels == "class" and not survey.relabel,
        listed=item.listed,
        files=len(present),
        samples=sum(len(lines[path]) for path in present),
        sampled=sampled,
        faults=tuple(
            ImageFault(
                fault,
                kind,
                fate,
                len(rows),
                sum(len(lines[path]) for _, path, _ in rows),
                tuple(FoundImage(line, path, look.width, look.height) for line, path, look in sorted(rows)[:EXAMPLES]),
            )
            for (fault, kind, fate), rows in sorted(faults.items())
        ),
        kinds=dict(sorted(kinds.items())),
        modes=dict(sorted(modes.items())),
        turned=turned_files,
        first_turned=_found(min(turned)) if turned else None,
        sizes=_sizes(sized, {look: _found((lines[paths[0]][0], paths[0], look)) for look, paths in alike.items()}) if sized else None,
        decoders=tuple(decoders),
    )


def _found(row: tuple[int, str, Look]) -> FoundImage:
    line, path, look = row
    return FoundImage(line, path, look.width, look.height)


def _sizes(files: dict[Look, int], first: dict[Look, FoundImage]) -> PixelSizes:
    counts: dict[tuple[int, int], int] = {}
    for look, number in files.items():
        counts[look.width, look.height] = counts.get((look.width, look.height), 0) + number
    common = max(counts, key=lambda size: (counts[size], size))
    known = sum(files.values())
    tiny = [look for look in files if min(look.width, look.height) < TINY]
    return PixelSizes(
        known=known,
        smallest=first[min(files, key=lambda look: (min(look.width, look.height), first[look].line))],
        largest=first[max(files, key=lambda look: (look.width * look.height, -first[look].line))],
        huge=sum(number for (width, height), number in counts.items() if width * height > HUGE),
        tiny=sum(files[look] for look in tiny),
        first_tiny=min((first[look] for look in tiny), key=lambda image: image.line, default=None),
        widths=(min(width for width, _ in counts), max(width for width, _ in counts)),
        heights=(min(height for _, height in counts), max(height for _, height in counts)),
        common=common,
        common_share=counts[common] / known,
    )
