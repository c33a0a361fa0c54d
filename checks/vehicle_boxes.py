"""LAB: the boxes that CompCars cuts images by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.facts.bounding_boxes import BoundingBoxes
from checks.facts.label_lines import visible
from checks.model import EVAL, TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check


@check("LAB126", name="bounding-box-unusable", stages=TRAIN | EVAL)
def bounding_box_unusable(boxes: BoundingBoxes) -> Iterator[Finding]:
    """CompCars with `bbox_crop`: no `label_root`, no such folder, no file for an image, or no box in it."""
    if not boxes.lists:
        raise NotApplicable("no-boxes")
    roots = set()
    for item in boxes.lists:
        values: dict[str, Any] = {"split": item.split, "file": item.file, "root": item.root or ""}
        if not item.root_exists:
            if item.root_source not in roots and (item.root is None or item.images_exist):
                roots.add(item.root_source)
                case = "no-root" if item.root is None else "root-missing"
                advice = "give-root" if item.root is None else "set-root"
                yield Finding(at=item.root_source, via=item.source, case=case, fixes=(Fix(advice, "advice", "safe"),), **values)
            continue
        for fault, count in item.faults.items():
            example = next(bad for bad in item.examples if bad.fault == fault)
            yield Finding(
                at=Location(item.file, example.line),
                via=item.root_source,
                case="default" if fault == "missing" else fault,
                fixes=(Fix("complete", "advice", "unsafe"),),
                **values,
                count=count,
                looked=item.looked,
                listed=item.listed,
                line=example.line,
                path=visible(example.path, None),
                text=visible(example.text) or '""',
            )
