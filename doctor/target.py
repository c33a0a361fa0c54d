"""The world that a run looks at: this machine, or a container that the user named."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from checks.facts.base import Request, Unreadable, World
from doctor.engine import SLOW_AFTER, FactFinished, FactProgress, FactSlow, Listener, RequestRefused

FACT = "ContainerFiles"
"""What listeners hear of while a container is looked through."""

_REFUSED = ("container-unknown", "container-unknown-similar", "container-config-missing", "container-config-unseen", "image-config-missing")
"""What only the user can put right: a wrong name or path is no reason to check something else."""


@contextlib.contextmanager
def world_of_container(request: Request, docker_host: str | None, listener: Listener | None) -> Iterator[World]:
    """The world of `request.container`, for as long as the block lasts.

    Where its daemon cannot be asked and the config is on this machine too, it is a world of which only the config is left.

    Raises:
        RequestRefused: there is no such container, no such config in it, or neither a daemon nor a config.
    """
    from checks.facts.container_visit import visit  # it brings the Docker SDK along

    assert request.container is not None
    emit = listener or (lambda event: None)
    here = World()
    with contextlib.ExitStack() as stack:
        slow = threading.Timer(SLOW_AFTER, lambda: emit(FactSlow(FACT, SLOW_AFTER)))
        slow.daemon = True
        slow.start()
        try:
            tell = lambda done, total: emit(FactProgress(FACT, done, total))  # noqa: E731
            world = stack.enter_context(visit(request.container, request, here.environ, docker_host, tell))
        except Unreadable as error:
            why = error.unavailable
            if why.reason in _REFUSED or not os.path.isfile(here.locate(request.config)):
                raise RequestRefused(why.reason, **why.values) from None
            world = here
            world.lost = why
        finally:
            slow.cancel()
            emit(FactFinished(FACT, True, 0.0))
        yield world
