"""IMG: are the images where the config says, and under which root would they be?"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from checks.facts.data_paths import DataPath, DataPaths
from checks.facts.image_files import ImageFiles, ImageList
from checks.facts.image_odds import percent
from checks.facts.label_lines import visible
from checks.facts.label_survey import Labels
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check


@check("IMG101", name="image-root-missing", stages=TRAIN | EVAL)
def image_root_missing(config: TrainingConfig, paths: DataPaths, files: ImageFiles | None) -> Iterator[Finding]:
    """The folder that image paths count from is not there, or is no folder.

    2.2 and later stop at start; 2.0 and 2.1 find no image, log each and go on with others, unless the list's paths are absolute.
    """
    if not paths.roots:
        raise NotApplicable("no-image-root")
    if all(root.unseen for root in paths.roots):
        raise NotApplicable("path-not-seen", file=paths.roots[0].written)
    for root in paths.roots:
        if root.is_folder or root.unseen:
            continue
        lists = [item for item in files.lists if item.root_source == root.source] if files else []
        if config.generation == "legacy" and lists and all(item.listed and not item.missing for item in lists):
            continue  # the root is only joined to each path, and absolute ones do not need it
        fixes = [*_use_root(root, lists)]
        if root.elsewhere:
            command = shlex.join(["paddle-doctor", "check", "--config", config.file, "--root", root.elsewhere])
            fixes.append(Fix("start-elsewhere", "command", "safe", command=command, values={"elsewhere": root.elsewhere}))
        fixes.append(Fix("set-path", "advice", "safe"))
        yield Finding(
            at=root.source,
            case="not-a-folder" if root.exists else "default",
            fixes=tuple(fixes),
            split=root.split,
            path=root.written,
            resolved=root.path,
            root=config.root,
            absolute=os.path.isabs(root.written),
            nearest=root.nearest,
        )


def _use_root(root: DataPath | ImageList, lists: list[ImageList]) -> Iterator[Fix]:
    """Set the root to where the images are, if all lists that count from it agree on that."""
    source = root.source if isinstance(root, DataPath) else root.root_source
    moved = lists[0].moved if lists else None
    if (
        moved is None
        or moved.strip
        or source is None
        or any(not i.moved or (i.moved.root, i.moved.strip) != (moved.root, 0) for i in lists)
    ):
        return
    values = {"new_root": moved.written, "found": moved.found, "tried": moved.tried}
    yield Fix("use-root", "edit", "safe", at=source, value=moved.written, values=values)


def _lists(config: TrainingConfig, files: ImageFiles, labels: Labels) -> list[ImageList]:
    """The lists whose root is there, or that find some of their images without it.

    Neither those in another encoding, whose names are not read as they are meant (LAB114), nor those of 2.2 and later without a root (CFG130).
    """
    foreign = {(survey.split, survey.source) for survey in labels.surveys if survey.not_utf8}
    found = [
        item
        for item in files.lists
        if item.listed
        and (item.root_exists or item.missing < item.listed)
        and (item.split, item.source) not in foreign
        and (item.root_written or config.generation == "legacy")
    ]
    if not found:
        raise NotApplicable("no-images-listed")
    return found


@check("IMG102", name="listed-image-missing", stages=TRAIN | EVAL)
def listed_image_missing(config: TrainingConfig, files: ImageFiles, labels: Labels) -> Iterator[Finding]:
    """Lines that name no file. 2.2 and later look at the whole list and stop at the first; 2.0 and 2.1 train on other images instead."""
    for item in _lists(config, files, labels):
        if not item.missing or item.moved:
            continue
        fixes = []
        if item.near:
            fixes.append(Fix(f"near-{item.near.kind}", "advice", "unsafe", values={"found": visible(item.near.found)}))
        fixes.append(Fix("correct-list", "advice", "unsafe"))
        if config.generation == "legacy":
            case = "legacy-all" if item.missing == item.listed else "legacy"
        else:
            case = "default" if item.checked_at_start else "when-read"
        first = item.examples[0]
        yield Finding(
            at=Location(item.file, first.line),
            via=item.source,
            case=f"{case}-near" if item.near and case == "default" else case,
            fixes=tuple(fixes),
            split=item.split,
            file=item.file,
            missing=item.missing,
            listed=item.listed,
            share=percent(item.missing, item.listed),
            lines=[example.line for example in item.examples],
            path=visible(first.path, None),
            resolved=visible(os.path.join(item.root, first.path), None),
            root=item.root_written,
            near=visible(item.near.found, None) if item.near else None,
            near_line=item.near.line if item.near else None,
            near_kind=item.near.kind if item.near else None,
            near_count=item.near.count if item.near else None,
            looked=item.looked,
        )


@check("IMG103", name="image-root-off", stages=TRAIN | EVAL)
def image_root_off(config: TrainingConfig, files: ImageFiles, labels: Labels) -> Iterator[Finding]:
    """The image root is there, but its images are under another folder, or a folder stands in the root and in each path."""
    lists = _lists(config, files, labels)
    for item in lists:
        moved = item.moved
        if not moved or not item.missing:
            continue
        first = item.examples[0]
        together = [other for other in files.lists if other.root_source == item.root_source]
        fixes = list(_use_root(item, together))
        if moved.strip:
            fixes.append(Fix("strip-folders", "advice", "unsafe", values={"strip": moved.strip, "new_root": moved.written}))
        elif not fixes:
            fixes.append(
                Fix("use-root", "advice", "unsafe", values={"new_root": moved.written, "found": moved.found, "tried": moved.tried})
            )
        yield Finding(
            at=item.root_source or item.source,
            via=item.source,
            case="strip" if moved.strip else "default",
            fixes=tuple(fixes),
            split=item.split,
            file=item.file,
            line=first.line,
            path=visible(first.path, None),
            root=item.root_written or item.root,
            resolved=item.root,
            missing=item.missing,
            listed=item.listed,
            new_root=moved.written,
            found=moved.found,
            tried=moved.tried,
            strip=moved.strip,
        )
