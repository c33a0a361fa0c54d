"""Build networks of one PaddleClas checkout and write what their state dicts hold, one line of JSON for each network and class count.

Usage: `python scripts/collect_states.py CHECKOUT OUT.jsonl [NAME …]` with an interpreter that has paddle, where CHECKOUT holds `ppcls/`; the names
are read from standard input where none is given. Lines that OUT already has are not made again. What `make_state_dicts.py` packs is made so.
"""

from __future__ import annotations

import collections.abc
import contextlib
import importlib
import inspect
import json
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COUNTS = (1000, 37)
"""Two class counts tell which sides of which tensors depend on them."""

KEYWORDS = ("class_num", "class_dim", "num_classes", "classes_num")


def without_chance() -> None:
    """Let every initialiser give zeros: shapes are asked for, and random numbers are what takes the time."""
    from paddle.nn import initializer

    zeros, fill = initializer.Constant(0.0), initializer.Constant.forward

    def constant(self: Any, var: Any, block: Any = None) -> Any:
        return fill(zeros, var, block)

    for name in ("Normal", "TruncatedNormal", "Uniform", "XavierNormal", "XavierUniform", "KaimingNormal", "KaimingUniform"):
        getattr(initializer, name).forward = constant


def networks(checkout: str) -> Any:
    """The module of the networks: `ppcls.arch` (2.2 and later), `ppcls.modeling.architectures` before."""
    sys.path.insert(0, checkout)
    collections.Callable = collections.abc.Callable  # type: ignore[attr-defined]  # 2.2 imports it from there, as Python 3.9 still allowed
    if (Path(checkout) / "ppcls" / "arch").is_dir():
        with contextlib.suppress(Exception):
            from ppcls.utils import logger

            logger.init_logger()
        return importlib.import_module("ppcls.arch")
    # the package's own start pulls in the data pipeline, which old branches cannot import today
    package = types.ModuleType("ppcls")
    package.__path__ = [os.path.join(checkout, "ppcls")]
    sys.modules["ppcls"] = package
    modeling = types.ModuleType("ppcls.modeling")
    modeling.__path__ = [os.path.join(checkout, "ppcls", "modeling")]
    sys.modules["ppcls.modeling"] = modeling
    return importlib.import_module("ppcls.modeling.architectures")


def state_of(module: Any, name: str, classes: int) -> list[list[Any]]:
    """Key, shape, type, name of the parameter, and whether it is a parameter, of everything in a network's state dict."""
    import paddle

    maker = getattr(module, name)
    taken = inspect.signature(maker).parameters
    keywords = [k for k in KEYWORDS if k in taken]
    loose = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken.values())
    tries = [{k: classes} for k in keywords[:1]] if keywords else [{k: classes} for k in KEYWORDS[:2]] if loose else []
    error: Exception | None = None
    for given in (*tries, {}):
        for more in ({"pretrained": False}, {}):
            try:
                with paddle.utils.unique_name.guard():
                    net = maker(**given, **more)
                    parameters = {id(p) for p in net.parameters()}
                    found = []
                    for key, value in net.state_dict().items():
                        kind = str(value.dtype).rpartition(".")[2]
                        found.append([key, [int(s) for s in value.shape], kind, value.name, id(value) in parameters])
                    return found
            except TypeError as reason:
                error = reason
    raise error or TypeError(name)


def missing(out: Path, names: list[str]) -> Iterator[tuple[str, int]]:
    done = set()
    if out.exists():
        with out.open(encoding="utf-8") as stream:
            done = {(row["name"], row["classes"]) for row in map(json.loads, stream)}
    for name in names:
        for count in COUNTS:
            if (name, count) not in done:
                yield name, count


def main(checkout: str, out: str, *names: str) -> None:
    module = networks(checkout)
    without_chance()
    for name, count in missing(Path(out), list(names) or sys.stdin.read().split()):
        row: dict[str, Any] = {"name": name, "classes": count}
        try:
            row["state"] = state_of(module, name, count)
        except BaseException as error:  # networks that cannot be built fail in any way they like, some by ending the process
            row["error"] = f"{type(error).__name__}: {error}"[:200]
        with open(out, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
