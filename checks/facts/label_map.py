"""`LabelMaps`: the files that give class ids their names (`class_id_map_file`)."""

from __future__ import annotations

import os
import stat

import msgspec

from checks.facts.base import Fact, Request, World, collects
from checks.facts.deploy_config import DeployConfig, find_deploy_config
from checks.facts.training_config import TrainingConfig
from checks.facts.yaml_tree import Tree
from checks.model import Location, Unavailable

MAX_BYTES = 64 << 20


class LabelMap(msgspec.Struct, frozen=True):
    """One label map.

    PaddleClas splits each line at its first `delimiter` (a blank) and wants an integer before it (`ppcls/data/postprocess/topk.py`).

    `entries` counts different ids. A line that has no id makes PaddleClas drop the whole map (`first_bad_line`). `deployed` says that a deploy
    config names it. `names` and `lines` hold the name and the line of each id, of the first line where an id stands twice.
    """

    file: str
    path: str
    source: Location
    entries: int
    max_id: int | None
    missing: tuple[int, ...]
    missing_count: int
    first_bad_line: int | None
    unavailable: Unavailable | None = None
    deployed: bool = False
    names: dict[int, str] = {}
    lines: dict[int, int] = {}


class LabelMaps(Fact, frozen=True):
    """Every label map that the config and its deploy config name."""

    maps: tuple[LabelMap, ...]


@collects(LabelMaps, deadline=10.0)
def collect_label_maps(config: TrainingConfig, request: Request, world: World) -> LabelMaps:
    """Read each label map; one that cannot be had says why."""
    deploy = find_deploy_config(config, request, world)
    maps = []
    for item in config.label_maps:
        read = _seen(_read(config.resolve(item.value), item.value, item.location, _separator(config.tree, item.location.key)), world)
        maps.append(msgspec.structs.replace(read, deployed=config.generation == "deploy"))
    if deploy is not None:
        maps += [_seen(read, world) for read in _deployed(deploy)]
    return LabelMaps(tuple(maps))


def _seen(read: LabelMap, world: World) -> LabelMap:
    if read.unavailable is not None and read.unavailable.reason == "file-missing" and world.unseen(read.path):
        return msgspec.structs.replace(read, unavailable=Unavailable("path-not-seen", {"file": read.file}))
    return read


def _separator(tree: Tree, key: str | None) -> str:
    delimiter = tree.raw((key or "").rpartition(".")[0] + ".delimiter")
    return delimiter if isinstance(delimiter, str) and delimiter else " "


def _deployed(deploy: DeployConfig) -> list[LabelMap]:
    """The maps that only the deploy config names; Paddle-Lite's `label_path` counts its names by line, so it is none."""
    if not deploy.companion or deploy.kind == "text":
        return []
    maps = []
    for path in deploy.tree.spots:
        value = deploy.tree.get(path) if path.startswith("PostProcess.") and path.endswith(".class_id_map_file") else None
        if value is not None and isinstance(value.value, str) and value.value:
            read = _read(deploy.resolve(value.value), value.value, value.location, _separator(deploy.tree, path))
            maps.append(msgspec.structs.replace(read, deployed=True))
    return maps


def _read(path: str, name: str, source: Location, separator: str) -> LabelMap:
    def without(reason: str, **values: str) -> LabelMap:
        return LabelMap(name, path, source, 0, None, (), 0, None, Unavailable(reason, {"file": name, **values}))

    names: dict[int, str] = {}
    lines: dict[int, int] = {}
    bad: int | None = None
    try:
        found = os.stat(path)
        if not stat.S_ISREG(found.st_mode):
            return without("file-is-directory" if stat.S_ISDIR(found.st_mode) else "file-not-regular")
        if found.st_size > MAX_BYTES:
            return without("file-too-large")
        with open(path, encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream, 1):
                figures, _, called = line.partition(separator)
                try:
                    known_id = int(figures)
                except ValueError:
                    bad = bad or number
                    continue
                names.setdefault(known_id, called.strip())
                lines.setdefault(known_id, number)
    except FileNotFoundError:
        return without("file-missing")
    except PermissionError:
        return without("file-no-permission")
    except (OSError, ValueError) as error:
        return without("file-unreadable", error=getattr(error, "strerror", None) or str(error))
    known = {k for k in names if k >= 0}
    top = max(known, default=-1)
    missing = [k for k in range(min(top + 1, len(known) + 20)) if k not in known][:20]
    return LabelMap(
        name, path, source, len(names), max(names, default=None), tuple(missing), top + 1 - len(known), bad, names=names, lines=lines
    )
