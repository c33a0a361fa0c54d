"""Where a daemon may listen: Docker's and Podman's sockets, what the environment and the Docker context say, or what the user names."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

DEFAULT_SOCKET = "/var/run/docker.sock"

ToldBy = Literal["option", "DOCKER_HOST", "context", "default"]


class Endpoint(NamedTuple):
    """An address at which a daemon may listen, and who named it."""

    url: str
    told_by: ToldBy

    @property
    def socket(self) -> str:
        """How the user knows it: a path for a socket, else the address."""
        return self.url.removeprefix("unix://") or self.url

    @property
    def local(self) -> bool:
        """Whether the daemon runs on this machine (or in a virtual machine of it)."""
        return self.url.startswith(("unix://", "npipe://"))


def endpoints(environ: Mapping[str, str], given: str | None) -> list[Endpoint]:
    """Where to look, best first: what was named, else the context in force, Docker's own sockets, then Podman's."""
    if given:
        return [Endpoint(_url(given), "option")]
    if environ.get("DOCKER_HOST"):
        return [Endpoint(_url(environ["DOCKER_HOST"]), "DOCKER_HOST")]
    context = _context(environ)
    if context:
        return [Endpoint(context, "context")]
    runtime = environ.get("XDG_RUNTIME_DIR")
    sockets = [DEFAULT_SOCKET]
    if runtime:
        sockets += [os.path.join(runtime, "docker.sock"), os.path.join(runtime, "podman", "podman.sock")]
    sockets.append("/run/podman/podman.sock")
    return [Endpoint(f"unix://{path}", "default") for path in sockets]


def _url(text: str) -> str:
    return f"unix://{text}" if text.startswith("/") else text


def _context(environ: Mapping[str, str]) -> str | None:
    """The address of the Docker context in force (`docker context use`), None where that is the default."""
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".docker")
    try:
        name = environ.get("DOCKER_CONTEXT")
        if name is None:
            with open(os.path.join(folder, "config.json"), encoding="utf-8") as stream:
                name = json.load(stream).get("currentContext")
        if not name or name == "default":
            return None
        place = os.path.join(folder, "contexts", "meta", hashlib.sha256(name.encode()).hexdigest(), "meta.json")
        with open(place, encoding="utf-8") as stream:
            host = json.load(stream)["Endpoints"]["docker"]["Host"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return host if isinstance(host, str) and host else None


def is_address(url: str) -> bool:
    """Whether a daemon could have this address."""
    scheme, _, rest = url.partition("://")
    if scheme == "unix":
        return bool(rest.strip("/"))
    try:
        parts = urlsplit(url)
        return scheme in ("tcp", "http", "https", "ssh") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # the port is none
        return False


def knock(endpoint: Endpoint, seconds: float) -> None:
    """Connect to a socket and hang up: the SDK would leave its own open where that fails.

    Raises:
        OSError: it cannot be used.
    """
    if endpoint.url.startswith("unix://") and hasattr(socket, "AF_UNIX"):
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(seconds)
            plain.connect(endpoint.socket)
