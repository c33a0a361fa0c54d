"""The images that both sides are run over: those that the user names, else those of the configs."""

from __future__ import annotations

import os
import time
from itertools import islice
from typing import NamedTuple

from checks.facts.base import Request, Unreadable, World
from checks.facts.deploy_config import DeployConfig
from checks.facts.image_inference import MOST_ENTRIES, PICTURES, SECONDS, TAKEN
from checks.facts.training_config import TrainingConfig

MOST_OF_CONFIG = 50
"""How many images of a config are run where the user names none."""
MOST_LINES = 1_000_000


class Chosen(NamedTuple):
    """The images, the key that named them, and how many there were to choose from."""

    files: list[str]
    source: str
    listed: int


def choose_images(config: TrainingConfig, deploy: DeployConfig, request: Request, world: World) -> Chosen:
    """The images of `--images`, of `Infer.infer_imgs`, of the deploy config's `Global.infer_imgs`, or of the list for evaluation.

    Raises:
        Unreadable: none of these has any; or one that the user named is not there.
    """
    assert request.parity is not None
    limit = request.parity.limit
    if request.parity.images:
        files: list[str] = []
        found = 0
        for written in request.parity.images:
            path = world.locate(os.path.expanduser(written))
            if os.path.isdir(path):
                inside = _walk(path, TAKEN) or _walk(path, PICTURES)
                if not inside:
                    raise Unreadable("parity-no-images-in", file=written)
                found += len(inside)
                files += spread(inside, limit)
            elif os.path.exists(path):
                found += 1
                files.append(path)
            else:
                raise Unreadable("parity-image-missing", file=written)
        return Chosen(list(dict.fromkeys(files)), "--images", found)
    limit = min(limit, MOST_OF_CONFIG)
    named = [(config.tree.raw("Infer.infer_imgs"), config.resolve, "Infer.infer_imgs")]
    named.append((deploy.tree.raw("Global.infer_imgs"), deploy.resolve, "Global.infer_imgs"))
    for value, resolve, key in named:
        if isinstance(value, str) and value and "\0" not in value:
            path = resolve(value)
            inside = _walk(path, TAKEN) if os.path.isdir(path) else [path] if os.path.isfile(path) else []
            if inside:
                return Chosen(spread(inside, limit), key, len(inside))
    listed = _listed(config)
    if listed:
        return Chosen(spread(listed, limit), "DataLoader.Eval", len(listed))
    raise Unreadable("parity-no-images")


def spread(items: list[str], most: int) -> list[str]:
    """At most so many of them, evenly from the first to the last."""
    if len(items) <= most:
        return items
    return [items[index * len(items) // most] for index in range(most)]


def _walk(folder: str, endings: frozenset[str]) -> list[str]:
    found: list[str] = []
    entries, end = 0, time.monotonic() + SECONDS
    for place, _, names in os.walk(folder):
        entries += len(names)
        found += [os.path.join(place, name) for name in names if name.split(".")[-1] in endings and not name.startswith(".")]
        if entries > MOST_ENTRIES or time.monotonic() > end:
            break
    return sorted(found)


def _listed(config: TrainingConfig) -> list[str]:
    """The images of the first label list for evaluation that are there, in its order."""
    for loader in config.loaders:
        if loader.split.partition(".")[0] != "Eval":
            continue
        for dataset in loader.datasets:
            root = config.resolve(dataset.image_root.value) if dataset.image_root else config.root
            form = dataset.format
            if form is None:
                continue
            for named in dataset.lists:
                try:
                    with open(config.resolve(named.value), encoding="utf-8", errors="replace") as stream:
                        lines = [line.strip().split(form.separator) for line in islice(stream, MOST_LINES)]
                except (OSError, ValueError):
                    continue
                names = [os.path.join(root, parts[form.image_column]) for parts in lines if len(parts) > form.image_column]
                names = [name for name in spread(names, MOST_OF_CONFIG) if "\0" not in name and os.path.isfile(name)]
                if names:
                    return names
    return []
