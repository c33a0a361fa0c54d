"""The names that PaddleClas can resolve for a kind of component, read from its sources."""

from __future__ import annotations

import re

from knowledge.namespaces import NAMESPACES
from knowledge.python_source import Found, Outside, Sources, list_in_function


def visible(sources: Sources, kind: str) -> set[str] | None:
    """The names that PaddleClas can resolve for a kind, as a config writes them; None where the module is absent or cannot be read."""
    space = NAMESPACES[kind]
    module = sources.module(space.module)
    if module is None or module.broken:
        return None
    if space.listed:
        listed = list_in_function(module, *space.listed)
        if listed is not None:
            return set(listed)
    found = sources.names(space.module)
    if space.names:
        found &= sources.names(space.names) | set(space.extra)
    names = set()
    for name in found:
        bare = name.removeprefix(space.prefix).removesuffix(space.suffix)
        if not name.startswith(space.prefix) or not name.endswith(space.suffix) or not bare or not re.fullmatch(space.keep, bare):
            continue
        meaning = sources.find(space.module, name)
        if isinstance(meaning, Found) or (isinstance(meaning, Outside) and _may_construct(meaning.dotted)):
            names.add(bare)
    return names


def _may_construct(dotted: str) -> bool:
    """Whether something of another package can be what a config names: paddle's own samplers, transforms and layers."""
    return dotted.startswith(("paddle.vision.transforms.", "paddle.io.", "paddle.nn.")) and dotted.rpartition(".")[2][0].isupper()
