"""What is known of a config's components: by the user's own PaddleClas where it is at hand, else by all branches together."""

from __future__ import annotations

from checks.facts.components import Components, Use
from checks.facts.own_paddleclas import OwnPaddleClas
from knowledge import components as table
from knowledge.namespaces import base
from knowledge.signature import Rest, Signature

BY_EVAL = frozenset(("arch.part", "loss", "metric", "dataset", "sampler", "transform.mix", "transform.nested"))
"""Kinds whose names PaddleClas puts through `eval`, so that `nn.CrossEntropyLoss` may stand there too."""


def known(use: Use, own: OwnPaddleClas | None) -> bool:
    """Whether PaddleClas can resolve a component's name."""
    choice = own.choice(use.kind) if own else None
    if choice is not None:
        return use.name in choice
    dotted = "." in use.name and use.kind in BY_EVAL and all(part.isidentifier() for part in use.name.split("."))
    return dotted or table.known(use.kind, use.name)


def signature(use: Use, own: OwnPaddleClas | None) -> Signature | None:
    """What its constructor takes, None where that cannot be told."""
    if own is not None:
        read = own.signatures.get(f"{use.kind}:{use.name}")
        if read is not None:
            return read.plain()
    branch = own.branch if own and own.branch and table.known(use.kind, use.name, own.branch) else None
    return table.signature(use.kind, use.name, branch)


def rests(use: Use, own: OwnPaddleClas | None) -> set[Rest]:
    """What becomes of a parameter that the constructor does not name, on the branches that it may be."""
    if own is not None:
        read = own.signatures.get(f"{use.kind}:{use.name}")
        if read is not None:
            return {read.rest}
    return table.rests(use.kind, use.name, own.branch if own else None)


class Judged:
    """The places that the rules about components judge, so that those about keys need not."""

    def __init__(self, components: Components | None, own: OwnPaddleClas | None) -> None:
        self._places: set[str] = set()
        self._below: tuple[str, ...] = ()
        if components is None:
            return
        for use in components.uses:
            self._places.add(use.path)
            found = signature(use, own) if known(use, own) else None
            if not known(use, own):
                self._places.update(use.place(p) for p in use.parameters)  # what an unknown class takes, nobody can say
            if found is not None and found.rest != "open":
                self._places.update(use.place(p) for p in use.parameters)
        self._places.update(item.path for item in components.malformed)
        self._below = tuple(path + "." for path in (*(item.path for item in components.malformed), *components.shapeless))

    def __contains__(self, path: str) -> bool:
        return path in self._places or path.startswith(self._below)


def choice(use: Use, own: OwnPaddleClas | None) -> frozenset[str]:
    """The names that may stand in this place, for a suggestion."""
    own_names = own.choice(use.kind) if own else None
    listed = frozenset(table.names(use.kind))
    if own_names is None or own is None:
        return listed
    # the helpers that a namespace happens to bind are no names to offer; the user's own classes are
    return own_names & (listed | frozenset(n for n in own_names if n[:1].isupper())) if base(use.kind) in own.names else own_names
