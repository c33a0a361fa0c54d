"""The `@check` decorator, and the registry that finds the checks: ours and those of plug-ins."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from checks.facts.base import Need, needs_of
from checks.model import Finding, Stage

FAMILIES = (
    "batching",
    "checkpoint_match",
    "checkpoints",
    "components",
    "config",
    "container_files",
    "deployment",
    "distillation",
    "distillation_lists",
    "embedding_losses",
    "environment",
    "export",
    "export_values",
    "exported",
    "image_contents",
    "image_inference",
    "images",
    "installation",
    "label_balance",
    "label_lists",
    "label_names",
    "label_roles",
    "label_sets",
    "labels",
    "learning_rate",
    "network_choice",
    "networks",
    "objectives",
    "optimizer_state",
    "optimizers",
    "output",
    "override_effects",
    "parity",
    "parity_outputs",
    "pipeline",
    "preprocessing",
    "probing",
    "recognition",
    "schedule",
    "sections",
    "shared_memory",
    "texts",
    "values",
    "vehicle_boxes",
    "weight_values",
    "weights",
)
"""The rooms of our own rules, one module per family."""

PLUGIN_GROUP = "paddle_doctor.checks"

CheckFunction = Callable[..., Iterator[Finding]]


class Check:
    """One rule: a pure function from facts to findings. `needs` holds the facts it takes, by parameter name."""

    __slots__ = ("_needs", "code", "function", "name", "pages", "stages")

    def __init__(self, code: str, name: str, stages: Stage, function: CheckFunction, pages: str | None) -> None:
        self.code = code
        self.name = name
        self.stages = stages
        self.function = function
        self.pages = pages
        self._needs: dict[str, Need] | None = None

    @property
    def needs(self) -> dict[str, Need]:
        """The facts this check takes, read from the annotations of its parameters (`X | None` is optional)."""
        if self._needs is None:
            self._needs = needs_of(self.function)
        return self._needs

    def __call__(self, *args: Any, **facts: Any) -> Iterator[Finding]:
        return self.function(*args, **facts)

    def __repr__(self) -> str:
        return f"<check {self.code} {self.name}>"


def check(code: str, *, name: str, stages: Stage = Stage.ANY) -> Callable[[CheckFunction], Check]:
    """Make a rule of a function. Severity, entry and wording stand in its page, `rules/<code>.md`.

    The page of a plug-in's rule lies in a folder `rules` beside the plug-in's module; ours are in `knowledge/rules`.
    """

    def make(function: CheckFunction) -> Check:
        module = sys.modules[function.__module__]
        ours = function.__module__.partition(".")[0] in ("checks", "doctor")
        pages = None if ours or not module.__file__ else os.path.join(os.path.dirname(module.__file__), "rules")
        return Check(code, name, stages, function, pages)

    return make


class Registry:
    """The checks of one run, by code; two checks of one code are refused."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks: dict[str, Check] = {}
        for item in checks:
            if item.code in self.checks:
                raise ValueError(f"two checks have the code {item.code}")
            self.checks[item.code] = item

    @classmethod
    def discover(cls, plugins: bool = True) -> Registry:
        """Our families, then whatever plug-ins registered in the entry-point group `paddle_doctor.checks`."""
        modules: list[Any] = [importlib.import_module(f"checks.{family}") for family in FAMILIES]
        if plugins and _plugin_installed():
            # importlib.metadata costs as much as all else at start (about 35 ms), so it is loaded only when a plug-in is there
            from importlib.metadata import entry_points

            modules += [entry.load() for entry in sorted(entry_points(group=PLUGIN_GROUP), key=lambda e: e.name)]
        found = [item for module in modules for item in vars(module).values() if isinstance(item, Check)]
        return cls(sorted(found, key=lambda c: c.code))

    def select(self, select: Iterable[str], ignore: Iterable[str]) -> list[Check]:
        """The checks named by `select` (all, if it is empty) without those named by `ignore`.

        A name is a code (`LAB102`), a rule's name (`label-exceeds-class-num`) or a prefix of codes (`LAB`, `LAB1`).

        Raises:
            KeyError: a name matches no check.
        """
        wanted, dropped = list(select), list(ignore)
        for pattern in (*wanted, *dropped):
            if not any(matches(item.code, item.name, pattern) for item in self.checks.values()):
                raise KeyError(pattern)
        return [
            item
            for item in self.checks.values()
            if (not wanted or any(matches(item.code, item.name, p) for p in wanted))
            and not any(matches(item.code, item.name, p) for p in dropped)
        ]


def matches(code: str, name: str, pattern: str) -> bool:
    """Whether a code, a rule's name or a prefix of codes names this rule; case does not matter."""
    pattern = pattern.strip()
    return bool(pattern) and (code.startswith(pattern.upper()) or name == pattern.lower())


def _plugin_installed() -> bool:
    needle = f"[{PLUGIN_GROUP}]".encode()
    for folder in sys.path:
        try:
            names = [n for n in os.listdir(folder or ".") if n.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for name in names:
            try:
                with open(os.path.join(folder or ".", name, "entry_points.txt"), "rb") as stream:
                    if needle in stream.read():
                        return True
            except OSError:
                continue
    return False
