"""What a file is that stands where a label list should: told from the lines that could not be read as path and label."""

from __future__ import annotations

import re

from checks.facts.label_scan import Scan

_BEGINNINGS = (
    ("file-is-lfs-pointer", re.compile(r"version https://git-lfs\.github\.com/spec/")),
    ("file-is-web-page", re.compile(r"(?i)<(!doctype html|html|head|meta|script)\b")),
    ("file-is-xml", re.compile(r"<(\?xml\b|annotation>)")),
    ("file-is-json", re.compile(r"(\{\s*(\"|$)|\[\s*(\{|\[|\"|$))")),
)
_IMAGE = re.compile(r"(?i)\.(jpe?g|png|bmp|webp|tiff?|gif)\b")
_ENTRY = re.compile(r"\d+(?:\s|\\t)+\D")  # a tab is kept as `\t`
_UNLIKE = frozenset({"no-label", "not-integer", "extra-column", "blank", "too-long"})


def other_kind(scan: Scan) -> str | None:
    """What a file is that is no label list, as the key of a phrase; None for a list, whatever is wrong with some of its lines.

    The beginning of the file says it, where that line cannot be read. Else, where fewer lines can be read than cannot and none of those kept
    names an image: lines such as `0 cat` are a label map, others are "no list".
    """
    bad = [row for row in sorted(scan.bad) if row[1] != "blank"]
    if not bad:
        return None
    line, _, text, _ = bad[0]
    if line <= 1 + scan.bad_counts.get("blank", 0):
        for reason, beginning in _BEGINNINGS:
            if beginning.match(text.strip()):
                return reason
    unread = sum(scan.bad_counts.values())
    if unread <= scan.samples or not _UNLIKE.issuperset(scan.bad_counts) or any(_IMAGE.search(text) for _, _, text, _ in bad):
        return None
    if not scan.samples and all(_ENTRY.match(text.strip()) for _, _, text, _ in bad):
        return "file-is-label-map"
    several = {"no-label", "not-integer"} <= scan.bad_counts.keys()
    return "file-is-no-list" if several and unread >= _ENOUGH else None


_ENOUGH = 8
"""Lines that must not be readable before a file is taken for something else altogether."""
