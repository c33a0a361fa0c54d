"""Networks of PaddleClas built and run for their tables in `knowledge/zoo`, one line of JSON for each."""

from __future__ import annotations

import contextlib
import inspect
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ZOO = Path(__file__).parent.parent / "knowledge" / "zoo"
SECONDS = 60
"""What one forward pass may take, or all of those that one table needs of a network."""


class TooSlow(Exception):
    """It ran past its limit: neither accepted nor refused."""


@contextlib.contextmanager
def limit() -> Iterator[None]:
    """Raise `TooSlow` after `SECONDS`."""

    def stop(*_: Any) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


@contextlib.contextmanager
def built(name: str, side: int, given: dict[str, Any], static: bool) -> Iterator[tuple[Any, Callable[[], Any]]]:
    """A network without weights in training mode, and one forward pass of it with two square images.

    In the static graph that is shapes only, no arithmetic. `given` are more parameters of its constructor.
    """
    import paddle
    import ppcls.arch

    maker = getattr(ppcls.arch, name)
    kwargs = {"pretrained": False, **given} if "pretrained" in inspect.signature(maker).parameters else given
    with contextlib.ExitStack() as stack:
        stack.enter_context(limit())
        stack.enter_context(paddle.utils.unique_name.guard())
        if static:
            paddle.enable_static()
            stack.enter_context(paddle.static.program_guard(paddle.static.Program(), paddle.static.Program()))
        else:
            paddle.disable_static()
            stack.enter_context(paddle.no_grad())
        net = maker(**kwargs)
        net.train()
        shape = [2, 3, side, side]
        yield net, lambda: net(paddle.static.data("x", shape, "float32") if static else paddle.rand(shape))


def write(out: Path, table: dict[str, Any]) -> None:
    """One line per network, sorted by name."""
    lines = [f"{json.dumps(name)}: {json.dumps(line)}" for name, line in sorted(table.items())]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def measure_all(checkout: str, names: list[str], out: Path, measure: Callable[[str, int], Any], side: int | None = None) -> None:
    """Measure the named networks, or all of the zoo, at their own size, and add the lines to what is there.

    `side` is the size of networks that the zoo does not hold; without it they are left out.
    """
    sys.path.insert(0, checkout)
    from ppcls.utils import logger

    logger.init_logger()
    zoo = json.loads((ZOO / "architectures.json").read_text(encoding="utf-8"))
    table = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    for name in names or sorted(zoo):
        own = zoo[name]["input"][1] if name in zoo else side
        if own is None:
            raise SystemExit(f"{name} is no network of {ZOO / 'architectures.json'}")
        with contextlib.suppress(TooSlow, AttributeError):
            found = measure(name, own)
            table.pop(name, None)
            if found:
                table[name] = found
            write(out, table)
