"""`WeightFiles`: the weights that the config or the command line names, and what lies there, told by a file's first bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.facts.base import Fact, Request, World, collects, within
from checks.facts.data_paths import places_around
from checks.facts.training_config import TrainingConfig
from checks.model import Location

SUFFIX = ".pdparams"

State = Literal["file", "suffixed", "missing", "folder", "other-file", "empty", "not-text", "url", "unseen"]
"""What a value names: a prefix whose `.pdparams` is there (`file`), such a file by its full name (`suffixed`), nothing, a folder, a file of
another kind, an empty text, something that is no text at all, an address to download from, or nothing that can be seen from here."""

Content = Literal["weights", "empty", "html", "pointer", "archive", "cut", "torch", "safetensors", "exported", "other", "unreadable"]
"""What the first and last bytes say: a pickle (`weights`), 0 bytes, a web page, a Git LFS pointer, zip or gzip or tar, a pickle without its end,
PyTorch's own file of before 1.6, safetensors, the tensors of an exported model, something else."""

TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How `torch.save` began before 1.6 (a zip since): a number, pickled, and a second pickle behind it (torch/serialization.py, MAGIC_NUMBER)."""


class WeightFile(msgspec.Struct, frozen=True):
    """One place that names weights.

    `role` is `global` for `Global.pretrained_model` (or `--weights`), `arch` for a `pretrained` below `Arch`. `path` is the file that would be
    loaded. `nearest` is the longest part of the path that exists, `similar` are prefixes in that folder (or below it) that could be meant, best
    first, as the config would write them; `elsewhere` is a folder from which the path would be found.
    """

    role: Literal["global", "arch"]
    key: str
    written: str
    source: Location
    state: State
    path: str
    nearest: str
    similar: tuple[str, ...] = ()
    elsewhere: str | None = None
    content: Content | None = None
    size: int | None = None
    begins: str = ""


class WeightFiles(Fact, frozen=True):
    """Every value that names weights; `trained` are prefixes that a training left in the config's output folder, the best first."""

    files: tuple[WeightFile, ...]
    trained: tuple[str, ...] = ()

    @property
    def main(self) -> WeightFile | None:
        """The weights of the whole model."""
        return next((file for file in self.files if file.role == "global"), None)


@collects(WeightFiles, deadline=10.0)
def collect_weight_files(config: TrainingConfig, request: Request, world: World) -> WeightFiles:
    """Look at each place: names and a few bytes, nothing is loaded."""
    around = places_around(request, world)
    found = []
    if request.weights is not None:
        path = world.locate(request.weights)
        found.append(_look("global", "--weights", request.weights, path, Location(request.weights), config.root, ()))
    for role, key in _named(config):
        value = config.tree.get(key)
        if value is None or (role == "global" and request.weights is not None):
            continue
        for item in _texts(value.value, config.generation):
            where = config.tree.at(key)
            if not isinstance(item, str):
                found.append(WeightFile(role, key, repr(item), where, "not-text", "", ""))
            elif not item:
                found.append(WeightFile(role, key, item, where, "empty", SUFFIX, ""))
            elif item.startswith("http"):
                found.append(WeightFile(role, key, item, where, "url", item, ""))
            else:
                found.append(_look(role, key, item, within(config.sysroot, config.root, item), where, config.root, around))
    # of a file in a container that is too large to be copied, nobody has seen the first byte
    found = [msgspec.structs.replace(f, content=None, begins="") if f.content and world.unread(f.path) else f for f in found]
    found = [msgspec.structs.replace(f, state="unseen") if f.state == "missing" and world.unseen(f.path) else f for f in found]
    return WeightFiles(tuple(found), tuple(_trained(config)))


def _trained(config: TrainingConfig) -> Iterator[str]:
    """`best_model` and `latest` in the output folder (2.5.1 and later) and in the network's folder there (2.2 to 2.5; `ppcls` in legacy)."""
    if config.output_dir is None:
        return
    network = config.architecture.value if config.architecture else ""
    network = "RecModel" if isinstance(config.tree.raw("Arch.Backbone"), dict) else network
    for name in ("best_model", "latest", os.path.join("best_model", "ppcls")):
        for folder in dict.fromkeys((config.output_dir.value, os.path.join(config.output_dir.value, network))):
            prefix = os.path.join(folder, name)
            if _is_file(within(config.sysroot, config.root, prefix) + SUFFIX):
                yield prefix


def _texts(value: Any, generation: str) -> list[Any]:
    # legacy distillation takes a list: teacher, student
    return value if isinstance(value, list) and generation == "legacy" else [value]


def _named(config: TrainingConfig) -> Iterator[tuple[Literal["global", "arch"], str]]:
    if config.generation == "legacy":
        yield "global", "pretrained_model"
    elif config.generation == "modern":
        yield "global", "Global.pretrained_model"
        for path in config.tree.spots:
            first, _, rest = path.partition(".")
            # `pretrained` may also be True, which downloads, or False
            if first == "Arch" and rest.rpartition(".")[2] == "pretrained" and isinstance(config.tree.raw(path), str):
                yield "arch", path


def _look(
    role: Literal["global", "arch"], key: str, written: str, path: str, source: Location, root: str, around: tuple[str, ...]
) -> WeightFile:
    with_suffix = path if path.endswith(SUFFIX) else path + SUFFIX
    if _is_file(path + SUFFIX):
        state: State = "file"
        with_suffix = path + SUFFIX
    elif path.endswith(SUFFIX) and _is_file(path):
        state = "suffixed"
    else:
        state = "folder" if _is_folder(path) else "other-file" if _is_file(path) else "missing"
    if state in ("file", "suffixed"):
        content, size, begins = _content(with_suffix)
        there = os.path.normpath(with_suffix)
        return WeightFile(role, key, written, source, state, there, path, content=content, size=size, begins=begins)
    nearest = path.rstrip("/") if state == "folder" else os.path.dirname(path)
    while not _is_folder(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    relative = not os.path.isabs(written)
    similar = tuple(os.path.relpath(p, root) if relative else p for p in _similar(path, nearest))
    elsewhere = None
    if relative:
        places = (place for place in around if place != root)
        elsewhere = next((p for p in places if _is_file(os.path.join(p, written.removesuffix(SUFFIX) + SUFFIX))), None)
    return WeightFile(role, key, written, source, state, os.path.normpath(with_suffix), nearest, similar, elsewhere)


def _similar(path: str, folder: str) -> list[str]:
    """Prefixes of weights in a folder and one level below it, the most alike first; of equals those that training calls its best."""
    import difflib  # 3 ms, and only for a path that leads nowhere

    found: list[str] = []
    try:
        names = sorted(os.listdir(folder))[:500]
    except (OSError, ValueError):
        return []
    for name in names:
        full = os.path.join(folder, name)
        if name.endswith(SUFFIX):
            found.append(full.removesuffix(SUFFIX))
        elif len(names) <= 50 and os.path.isdir(full):
            try:
                found += [os.path.join(full, n).removesuffix(SUFFIX) for n in sorted(os.listdir(full))[:100] if n.endswith(SUFFIX)]
            except OSError:
                continue
    wanted = os.path.basename(path.rstrip(" ").replace("\\", "/")).removesuffix(SUFFIX)

    def likeness(prefix: str) -> tuple[float, bool]:
        name = os.path.relpath(prefix, folder)
        return max(difflib.SequenceMatcher(None, wanted, part).ratio() for part in (name, os.path.basename(prefix))), "best" in name

    return sorted(found, key=likeness, reverse=True)[:3]


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a NUL in the path
        return False


def _is_folder(path: str) -> bool:
    try:
        return os.path.isdir(path)
    except ValueError:
        return False


def _content(path: str) -> tuple[Content, int, str]:
    """What a file is, its size in bytes, and its beginning as text.

    `paddle.save` writes a pickle of protocol 2 to 4, which begins with 0x80 and the protocol's number and ends with a dot
    (`python/paddle/framework/io.py`, 2.0 and later; the same for the `.pdparams` of 1.x).
    """
    try:
        with open(path, "rb") as stream:
            head = stream.read(512)
            size = stream.seek(0, os.SEEK_END)
            last = b""
            if size:
                stream.seek(size - 1)
                last = stream.read(1)
    except OSError:
        return "unreadable", 0, ""
    shown = head[:16].hex(" ")
    if not size:
        return "empty", 0, ""
    lower = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lower.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")):
        return "html", size, printable_head(head)
    if head.startswith(b"version https://git-lfs"):
        return "pointer", size, printable_head(head)
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf", b"\xfd7zXZ")) or head[257:262] == b"ustar":
        return "archive", size, shown
    if head.startswith(TORCH):
        return "torch", size, shown
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= size:
        return "safetensors", size, shown
    if head[:4] == bytes(4) and _of_export(path):
        return "exported", size, shown
    if head[:1] == b"\x80" and len(head) > 1 and 2 <= head[1] <= 5:
        return ("weights" if last == b"." or _ends(path) else "cut"), size, shown
    # protocols 0 and 1 are printable at the start; nobody's weights are, but pickle reads them
    return ("weights" if last == b"." and head[:1] in b"(]})cN" else "other"), size, shown


def _ends(path: str) -> bool:
    """Whether a pickle comes to its end before the file does; its opcodes are followed, and none is carried out."""
    from checks.tensors.formats import NotTensors, look_into  # only for files that look cut off

    try:
        return look_into(path).flaw != "cut"
    except NotTensors:
        return False


def _of_export(path: str) -> bool:
    from checks.tensors.formats import NotTensors, look_into

    try:
        return look_into(path).format == "static"
    except NotTensors:
        return False


def printable_head(head: bytes) -> str:
    """The first line of a text, at most 40 characters."""
    return head.decode("utf-8", "replace").strip().splitlines()[0][:40]
