"""`OwnPaddleClas`: the user's own checkout of PaddleClas, where one is at hand, read with `ast` and never imported.

Its names win over those of the branches that we know: a class that the user added is known, and one that only another branch has is not. Little
is parsed: a namespace that is, byte for byte, a known branch's is not parsed at all, and a constructor only where our table does not clear the
parameters that the config gives it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import msgspec

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.components import Components, Use
from checks.facts.training_config import TrainingConfig
from knowledge import components as table
from knowledge.namespaces import NAMESPACES, base, written
from knowledge.signature import Rest, Signature

if TYPE_CHECKING:  # they bring `ast` along, which most runs do without
    from knowledge.python_source import Sources
    from knowledge.signatures import Signatures

MAX_BYTES = 1 << 20
"""The largest source that is read."""


class OwnSignature(msgspec.Struct, frozen=True):
    """What a constructor of the checkout takes; see `knowledge.signature.Signature`."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    rest: Rest

    def plain(self) -> Signature:
        """The same for comparing."""
        return Signature(frozenset(self.required), frozenset(self.optional), self.rest)


class OwnPaddleClas(Fact, frozen=True):
    """A checkout of PaddleClas. `branch` is what it is, as far as its files or its HEAD tell, else None.

    `names` are the names that it can resolve, for those kinds whose namespace is unlike any known branch's; `like` names a branch that has exactly
    the same namespace, for the others. `signatures` are those constructors, as `kind:name`, that had to be read.
    """

    folder: str
    branch: str | None
    names: dict[str, tuple[str, ...]]
    like: dict[str, str]
    signatures: dict[str, OwnSignature]

    def choice(self, kind: str) -> frozenset[str] | None:
        """The names of a kind here; None where that could not be told."""
        kind = base(kind)
        if kind in self.names:
            return frozenset(self.names[kind])
        if kind in self.like:
            return frozenset(table.names(kind, self.like[kind]))
        return None


@collects(OwnPaddleClas, deadline=10.0)
def collect_own_paddleclas(config: TrainingConfig, components: Components, request: Request, world: World) -> OwnPaddleClas:
    """Find the checkout, tell its branch, and read what the config's components need.

    Raises:
        Unreadable: no checkout is at hand.
    """
    folder = find_checkout(config, request, world)
    if folder is None:
        raise Unreadable("no-own-paddleclas")
    blobs = {path: blob for path in table.markers() if (blob := _blob(os.path.join(folder, path)))}
    branch = table.branch_of(blobs) or _head(folder)
    reading = _Reading(folder, branch, blobs)
    for use in components.uses:
        reading.take(use)
    return OwnPaddleClas(folder, branch, reading.names, reading.like, reading.signatures)


def find_checkout(config: TrainingConfig, request: Request, world: World) -> str | None:
    """The checkout: `--root`, the current folder, or one that the config lies in; of a deploy config also the one above `deploy/`."""
    starts = [config.root, world.cwd]
    above = world.above(os.path.dirname(os.path.abspath(world.locate(request.config))))
    for folder in (*starts, os.path.dirname(config.root), *above):
        if _is_checkout(folder):
            return folder
    return None


def _is_checkout(folder: str) -> bool:
    return any(
        os.path.isfile(os.path.join(folder, "ppcls", *part.split("/")))
        for part in ("arch/__init__.py", "modeling/architectures/__init__.py")
    ) and os.path.isfile(os.path.join(folder, "tools", "train.py"))


def _blob(path: str) -> str | None:
    """The id that git gives to a file's content."""
    import hashlib

    try:
        if os.path.getsize(path) > MAX_BYTES:
            return None
        with open(path, "rb") as stream:
            content = stream.read()
    except OSError:
        return None
    content = content.replace(b"\r\n", b"\n")  # as git keeps it, whatever a Windows checkout made of it
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _head(folder: str) -> str | None:
    """The branch that a checkout's HEAD names, if it is one of PaddleClas's."""
    try:
        with open(os.path.join(folder, ".git", "HEAD"), encoding="utf-8", errors="replace") as stream:
            name = stream.read(200).strip().removeprefix("ref: refs/heads/")
    except OSError:
        return None
    return name if table.is_branch(name) else None


class _Reading:
    """Reads what the components of one config need from a checkout."""

    def __init__(self, folder: str, branch: str | None, blobs: dict[str, str]) -> None:
        self.folder = folder
        self.branch = branch
        self.blobs = blobs
        self.generation = "legacy" if os.path.isdir(os.path.join(folder, "ppcls", "modeling")) else "modern"
        self.names: dict[str, tuple[str, ...]] = {}
        self.like: dict[str, str] = {}
        self.signatures: dict[str, OwnSignature] = {}
        self._done: set[str] = set()
        self._sources: Sources | None = None

    def take(self, use: Use) -> None:
        kind = base(use.kind)
        if kind not in NAMESPACES or NAMESPACES[kind].generation not in (self.generation, "deploy"):
            return
        self._namespace(kind)
        known = use.name in self.names[kind] if kind in self.names else table.known(kind, use.name, self.like.get(kind, "?"))
        if not known or kind.endswith("_mode") or self._cleared(use):
            return
        key = f"{use.kind}:{use.name}"
        if key not in self.signatures:
            found = self._signatures().of(NAMESPACES[kind].module, written(kind, use.name))
            if found is not None:
                seen = table.taken(use.kind, found)
                self.signatures[key] = OwnSignature(tuple(sorted(seen.required)), tuple(sorted(seen.optional)), seen.rest)

    def _namespace(self, kind: str) -> None:
        """Learn the names of a kind, once."""
        if kind in self._done:
            return
        self._done.add(kind)
        space = NAMESPACES[kind]
        files = [space.module, *([space.names] if space.names else [])]
        same = table.blob_branches(self.blobs, files)
        if same:
            self.like[kind] = self.branch if self.branch in same else same[-1]
            return
        found = self._bound(kind)
        if found is not None:
            self.names[kind] = tuple(sorted(found))

    def _bound(self, kind: str) -> set[str] | None:
        """The names that a namespace binds, not followed to what they stand for; None where it cannot be read."""
        from knowledge.python_source import list_in_function

        space = NAMESPACES[kind]
        sources = self._source()
        module = sources.module(space.module)
        if module is None or module.broken or not all(self._readable(star) for star in module.stars):
            return None
        if space.listed:
            listed = list_in_function(module, *space.listed)
            if listed is not None:
                return set(listed)
        return {
            bare
            for name in sources.names(space.module)
            if name.startswith(space.prefix)
            and name.endswith(space.suffix)
            and (bare := name[len(space.prefix) : len(name) - len(space.suffix)])
            and (re.fullmatch(space.keep, bare) or name in module.definitions)
        }

    def _readable(self, dotted: str) -> bool:
        sources = self._source()
        path = sources.file(dotted)
        module = sources.module(path) if path else None
        return module is not None and not module.broken

    def _cleared(self, use: Use) -> bool:
        """Whether our table has no objection to the parameters that the config gives."""
        if not table.known(use.kind, use.name):
            return False
        branches = [self.branch] if self.branch and table.known(use.kind, use.name, self.branch) else table.present_in(use.kind, use.name)
        given = frozenset(use.parameters)
        for branch in branches:
            found = table.signature(use.kind, use.name, branch)
            if found is None or not found.required <= given or not found.names >= given:
                return False
        return True

    def _source(self) -> Sources:
        if self._sources is None:
            from knowledge.python_source import Sources

            self._sources = Sources(self._read)
        return self._sources

    def _signatures(self) -> Signatures:
        from knowledge.signatures import Signatures

        return Signatures(self._source(), table.outside())

    def _read(self, path: str) -> str | None:
        full = os.path.join(self.folder, path)
        try:
            if os.path.getsize(full) > MAX_BYTES or not os.path.isfile(full):
                return None
            with open(full, encoding="utf-8", errors="replace") as stream:
                return stream.read()
        except OSError:
            return None
