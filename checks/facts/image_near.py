"""What a missing image nearly matches, and the root under which the images of a list would be found."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import msgspec

from checks.facts.image_scan import exists

CHILDREN = 100
"""Folders below a root that are tried as roots."""
_FOREIGN = re.compile(r"(?:[A-Za-z]:)?[\\/]+")
"""What an absolute path begins with, on Linux and on Windows."""
FIRST_LOOK = 8
"""Paths that a root must hold one of before all of the sample are tried."""


class Relocation(msgspec.Struct, frozen=True):
    """A root under which images are there: `found` of `tried` sampled paths. `written` is the root as the config would name it.

    `strip` leading folders of each path are to be taken away first; 0 where the root alone is to be changed.
    """

    root: str
    written: str
    found: int
    tried: int
    strip: int


def near_match(root: str, path: str, listings: dict[str, list[str]]) -> tuple[str, str] | None:
    """(what is different, the path that is there) for an image that is not; `listings` keeps folders between calls."""
    for kind, other in _spellings(path):
        if other != path and exists(os.path.join(root, other)):
            return kind, other
    folder, slash, name = path.rpartition("/")
    names = _listed(os.path.join(root, folder + slash), listings)
    if name in names:
        return None  # a link that leads nowhere, and nothing is wrong with its name
    lower = name.lower()
    stem = os.path.splitext(lower)[0]
    same = sorted(other for other in names if other.lower() == lower)
    if same:
        return "case", folder + slash + same[0]
    if not names and folder:
        parts = _folder_in_other_case(root, folder, listings)
        if parts is not None and exists(os.path.join(root, parts, name)):
            return "case", parts + "/" + name
    suffix = sorted(other for other in names if os.path.splitext(other.lower())[0] == stem and stem)
    return ("suffix", folder + slash + suffix[0]) if suffix else None


def _spellings(path: str) -> Iterator[tuple[str, str]]:
    visible = "".join(c for c in path if c.isprintable() and c != "\ufeff")
    yield "blank", path.strip()
    yield "blank", visible.strip()
    yield "quotes", path.strip("\"'`\u201c\u201d\u2018\u2019")
    if path.startswith("/"):
        yield "slash", path.lstrip("/")
    if "\\" in path:
        yield "backslash", path.replace("\\", "/")
    if "%" in path:
        from urllib.parse import unquote

        yield "url", unquote(path)
    if not path.isascii():
        import unicodedata

        for form in ("NFC", "NFD", "NFKC"):
            try:
                yield "unicode", unicodedata.normalize(form, path)
            except ValueError:
                break


def _listed(place: str, listings: dict[str, list[str]]) -> list[str]:
    """What is in a folder; nothing where it cannot be read."""
    if place not in listings:
        try:
            listings[place] = os.listdir(place)
        except (OSError, ValueError):
            listings[place] = []
    return listings[place]


def _folder_in_other_case(root: str, folder: str, listings: dict[str, list[str]]) -> str | None:
    here = root
    parts = []
    for part in folder.split("/"):
        names = _listed(here, listings)
        match = part if part in names or part in ("", ".", "..") else next((n for n in sorted(names) if n.lower() == part.lower()), None)
        if match is None:
            return None
        parts.append(match)
        here = os.path.join(here, match)
    return "/".join(parts)


def find_root(root: str, written: str | None, start: str, list_path: str, paths: list[str]) -> Relocation | None:
    """The folder under which most of the paths are there, looked for around the root and around the list.

    Args:
        root: the folder that the paths count from now.
        written: the same as the config writes it.
        start: the folder that relative paths of the config count from.
        list_path: the label file.
        paths: some of its paths, none of which is there now.
    """
    paths = [path for path in paths if "\0" not in path]
    if not paths:
        return None
    step = max(1, len(paths) // 50)
    sample = paths[::step][:50]
    strips: tuple[int, ...] = (0, 1, 2)
    if all(_FOREIGN.match(path) for path in sample):  # of another machine: what they end with may be here
        sample, strips = [_FOREIGN.sub("", path, count=1).replace("\\", "/") for path in sample], tuple(range(1, 9))
        if 2 * sum(exists(os.path.join(root, path)) for path in sample) > len(sample):
            return None  # nothing is wrong but the slash in front
    elif any(os.path.isabs(path) for path in sample):
        sample = [path for path in sample if not os.path.isabs(path)]
    candidates = list(dict.fromkeys(_candidates(root, os.path.dirname(list_path), start)))
    for strip in strips:
        tried = [shorter for path in sample if (shorter := without_folders(path, strip)) is not None]
        best: tuple[int, str] = (0, "")
        for candidate in candidates:
            if strip == 0 and os.path.normpath(candidate) == os.path.normpath(root):
                continue
            if not any(exists(os.path.join(candidate, path)) for path in tried[:FIRST_LOOK]):
                continue
            found = sum(exists(os.path.join(candidate, path)) for path in tried)
            if found > best[0]:
                best = (found, candidate)
            if found == len(sample):
                break
        if best[0] * 2 > len(sample):
            return Relocation(best[1], _as_written(best[1], written, start), best[0], len(sample), strip)
    return None


def _candidates(root: str, beside: str, start: str) -> Iterator[str]:
    yield root
    yield from _above(root, 4)
    yield from _below(root)
    yield beside
    yield from _above(beside, 2)
    yield from _below(beside)
    for child in list(_below(root))[:20]:
        yield from _below(child)
    yield start


def _above(folder: str, levels: int) -> Iterator[str]:
    for _ in range(levels):
        folder, before = os.path.dirname(folder), folder
        if folder == before or os.path.dirname(folder) == folder:
            return  # the root of the disk holds everybody's files
        yield folder


def _below(folder: str) -> Iterator[str]:
    found: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number > 100 * CHILDREN or len(found) >= CHILDREN:
                    break
                if not entry.name.startswith(".") and entry.is_dir():
                    found.append(entry.path)
    except (OSError, ValueError):
        return
    yield from sorted(found)


def without_folders(path: str, levels: int) -> str | None:
    """A path without its first folders, None where it has not so many; of an absolute one its root does not count."""
    if levels:
        path = _FOREIGN.sub("", path, count=1) if _FOREIGN.match(path) else path
    for _ in range(levels):
        head, slash, path = path.partition("/")
        while slash and head in ("", "."):
            head, slash, path = path.partition("/")
        if not slash:
            return None
    return path or None


def _as_written(root: str, written: str | None, start: str) -> str:
    """A folder in the manner of the old value: relative where that was, with its `./` and its last slash."""
    if written is None or os.path.isabs(written):
        return root + ("/" if written and written.endswith("/") else "")
    try:
        relative = os.path.relpath(root, start).replace(os.sep, "/")
    except ValueError:  # another drive
        return root
    if relative == "..":
        relative = "../"
    elif not relative.startswith("../"):
        relative = ("./" if written.startswith("./") or relative == "." else "") + ("" if relative == "." else relative)
    return relative.rstrip("/") + "/" if written.endswith("/") or relative in ("./", "../") else relative
