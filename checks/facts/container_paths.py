"""Which paths of a container matter for a config: what it names, with the suffixes and neighbours that PaddleClas adds to it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

MOST_TEXTS = 1000
"""Texts of one config that are taken for paths."""
LONGEST = 1024

_PATH_KEY = re.compile(r"(path|dir|file|list|root|imgs|images|pretrained|model|checkpoints|weights|label_map|delta|save)", re.IGNORECASE)
_WEIGHTS_KEY = re.compile(r"(pretrained|checkpoints|weights|model)", re.IGNORECASE)
_WRITTEN_KEY = re.compile(r"(output_dir|save_dir|save_inference_dir)$")
_LISTED_KEY = re.compile(
    r"(inference_model_dir|infer_imgs|index_dir|index_path|save_inference_dir|output_dir|save_dir|model_path|checkpoints)$"
)

WEIGHT_SUFFIXES = (".pdparams", ".pdopt", ".pdstates", ".pdema")
_PREFIXES, _ENDINGS = ("inference", "inference_int8"), ("pdmodel", "pdiparams", "json", "yml", "onnx")
MODEL_FILES = (
    *(f"{prefix}.{ending}" for prefix in _PREFIXES for ending in _ENDINGS),
    "model", "params", "__model__", "__params__", "vector.index", "id_map.pkl",
)  # fmt: skip
SAVED = ("best_model", "latest", "best_model/ppcls")

CHECKOUT_SOURCES = ("ppcls", "tools", "deploy/python", "deploy/utils")
CHECKOUT_FILES = (".git/HEAD", "setup.py")
"""What is read of a checkout of PaddleClas: Python sources below these folders, and these files."""


class Text(NamedTuple):
    """A text of a config that could be a path, and the last key above it."""

    key: str
    text: str


class Wanted(NamedTuple):
    """Paths of a container: those to look at, and folders whose names are wanted, whose disk is written to."""

    paths: tuple[str, ...]
    listed: tuple[str, ...]
    written: tuple[str, ...]


def texts(data: Any) -> list[Text]:
    """What could be a path in a config: texts under keys that name paths, and others that look like one."""
    found = (item for item in _walk(data, "") if _could_be(item))
    return list(dict.fromkeys(found))[:MOST_TEXTS]


def _walk(data: Any, key: str) -> Iterator[Text]:
    if isinstance(data, str):
        yield Text(key, data)
    elif isinstance(data, dict):
        for name, value in data.items():
            yield from _walk(value, str(name))
    elif isinstance(data, (list, tuple)):
        for value in data:
            yield from _walk(value, key)


def _could_be(item: Text) -> bool:
    text = item.text
    if not text.strip() or len(text) > LONGEST or "\0" in text or "\n" in text or "://" in text:
        return False
    return bool(_PATH_KEY.search(item.key)) or "/" in text or re.search(r"\.\w{1,10}$", text) is not None


def wanted(found: Iterable[Text], folders: Iterable[str], architecture: str | None = None) -> Wanted:
    """The paths that these texts may mean, each counted from every folder.

    Args:
        found: what `texts` told.
        folders: absolute ones, that relative paths may count from.
        architecture: of the network; older trainings save into a folder of its name.
    """
    paths: dict[str, None] = {}
    listed: dict[str, None] = {}
    written: dict[str, None] = {}
    bases = list(dict.fromkeys(folders))
    for key, text in found:
        for base in bases[:1] if text.startswith("/") else bases:
            path = posixpath.normpath(posixpath.join(base, text))
            paths[path] = None
            if _WEIGHTS_KEY.search(key):
                stem = path.removesuffix(".pdparams")
                paths.update(dict.fromkeys(stem + suffix for suffix in WEIGHT_SUFFIXES))
                if not path.endswith("/"):
                    listed[posixpath.dirname(path)] = None  # what else could have been meant
            if _LISTED_KEY.search(key):
                listed[path] = None
                paths.update(dict.fromkeys(posixpath.join(path, name) for name in MODEL_FILES))
            if _WRITTEN_KEY.search(key):
                written[path] = None
                places = [path, posixpath.join(path, "best_model"), *([posixpath.join(path, architecture)] if architecture else [])]
                listed.update(dict.fromkeys(places))
                paths.update(dict.fromkeys(f"{place}/{name}.pdparams" for place in (path, *places[2:]) for name in SAVED))
    return Wanted(tuple(paths), tuple(listed), tuple(written))


def above(folder: str, most: int = 8) -> list[str]:
    """A folder and those above it, at most so many."""
    found = [folder]
    while len(found) < most and posixpath.dirname(found[-1]) != found[-1]:
        found.append(posixpath.dirname(found[-1]))
    return found
