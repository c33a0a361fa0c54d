"""A container's daemon, Docker or Podman: the few questions that are put to it, and what can go wrong with each.

The Docker SDK for Python is imported here and nowhere else, and only when a container was asked for. Every question has a deadline; whatever fails
becomes an `Unreadable` with one phrase that names the socket and the way out.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import json
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeVar

from checks.facts.base import Unreadable
from checks.facts.docker_endpoints import Endpoint, is_address, knock

T = TypeVar("T")

ANSWER_WITHIN = 5.0
"""Seconds within which a daemon has to answer one question."""

_ANY_VERSION = "1.24"
"""What the SDK is told before the daemon has said which version of the API it speaks; this question has none in its address."""

FOLDER, LINK, OTHER = 1 << 31, 1 << 27, (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19)
"""Bits of Go's `os.FileMode`, in which the archive API gives the kind of a file."""


class PathStat(NamedTuple):
    """What lies at a path of a container; `target` is where a link leads in the end."""

    kind: Literal["file", "folder", "link", "other"]
    size: int
    target: str


class Machine(NamedTuple):
    """Processors and bytes of memory of the daemon's machine, and whether it is this one, not a virtual or another one."""

    processors: int
    memory: int | None
    here: bool


class Executed(NamedTuple):
    """What a command in a container printed to stdout, and its exit status (None where the daemon did not tell)."""

    output: bytes
    status: int | None


def in_time(seconds: float, work: Callable[[], T], late: Callable[[], Exception]) -> T:
    """Do something in a thread that is left behind at the deadline: a socket that trickles never runs into a timeout of its own.

    Raises:
        Exception: what `late` makes, after `seconds`; or what the work raised.
    """
    outcome: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=body, daemon=True, name="daemon")
    thread.start()
    thread.join(seconds)
    if failure:
        raise failure[0]
    if not outcome:
        raise late()
    return outcome[0]


class Daemon:
    """A daemon that answers. Names are taken as they are: the daemon knows containers by name, by id, and by the beginning of an id."""

    def __init__(self, endpoint: Endpoint, client: Any, podman: bool = False) -> None:
        self.endpoint = endpoint
        self.podman = podman
        self._client = client

    @classmethod
    def connect(cls, endpoint: Endpoint, environ: Mapping[str, str]) -> Daemon:
        """Say hello.

        Raises:
            Unreadable: the SDK is not installed, or nobody answers, or in another way than we know.
        """
        if not is_address(endpoint.url):
            raise Unreadable("daemon-bad-address", socket=endpoint.socket)
        try:
            import docker
        except ImportError:
            raise Unreadable("docker-sdk-missing") from None

        def hello() -> Daemon:
            with _trouble(endpoint):
                knock(endpoint, ANSWER_WITHIN)
                tls = _tls(environ) if endpoint.url.startswith("tcp://") else False

                def client(version: str) -> Any:
                    return docker.APIClient(base_url=endpoint.url, version=version, timeout=ANSWER_WITHIN, tls=tls)

                # asked apart: a client that asks in its own constructor leaves its socket open when that fails
                with contextlib.closing(client(_ANY_VERSION)) as first:
                    told = first.version(api_version=False)
                wanted = environ.get("DOCKER_API_VERSION") or str(told["ApiVersion"])
                if not re.fullmatch(r"[0-9]{1,4}\.[0-9]{1,4}", wanted):
                    raise Unreadable("daemon-version", socket=endpoint.socket, error=f"DOCKER_API_VERSION={wanted}")
                podman = any("Podman" in str(part.get("Name")) for part in told.get("Components") or [])
                with contextlib.ExitStack() as stack:
                    made = stack.enter_context(contextlib.closing(client(wanted)))
                    made.ping()
                    stack.pop_all()
                return cls(endpoint, made, podman)

        return in_time(2 * ANSWER_WITHIN, hello, lambda: Unreadable("daemon-silent", socket=endpoint.socket, seconds=ANSWER_WITHIN))

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def container(self, name: str) -> dict[str, Any] | None:
        """What the daemon knows of a container, None if there is no such one."""
        return self._ask(lambda: self._client.inspect_container(name))

    def image(self, name: str) -> dict[str, Any] | None:
        """What the daemon knows of an image, None if there is no such one."""
        return self._ask(lambda: self._client.inspect_image(name))

    def names(self) -> list[str]:
        """The names of all containers, running ones first, and of the images."""
        found: list[str] = []
        for item in self._ask(lambda: self._client.containers(all=True)) or []:
            found += [name.lstrip("/") for name in item.get("Names") or []]
        for item in self._ask(lambda: self._client.images()) or []:
            found += [tag for tag in item.get("RepoTags") or [] if tag != "<none>:<none>"]
        return found

    def machine(self) -> Machine:
        """The machine that the daemon runs on."""
        told = self._ask(lambda: self._client.info()) or {}
        processors, memory = told.get("NCPU"), told.get("MemTotal")
        here = os.uname() if hasattr(os, "uname") else None
        same = here is not None and (told.get("Name"), told.get("KernelVersion")) == (here.nodename, here.release)
        return Machine(
            processors if type(processors) is int and processors > 0 else 1,
            memory if type(memory) is int and memory > 0 else None,
            self.endpoint.local and same,
        )

    def stat(self, container: str, path: str) -> PathStat | None:
        """What lies at a path, None if nothing does. The last part of the path is not followed if it is a link."""

        def ask() -> PathStat | None:
            url = self._client._url("/containers/{0}/archive", container)
            with self._client.head(url, params={"path": path}, timeout=ANSWER_WITHIN) as answer:
                if answer.status_code >= 500 and self._leads_nowhere(url, path):
                    return None
                self._client._raise_for_status(answer)
                return path_stat(answer.headers.get("X-Docker-Container-Path-Stat", ""))

        return self._ask(ask)

    def _leads_nowhere(self, url: str, path: str) -> bool:
        """Whether a path is at fault where the daemon fails: links in a circle, a name too long. An answer to HEAD has no text that would say so."""
        with self._client.get(url, params={"path": path}, stream=True, timeout=ANSWER_WITHIN) as answer:
            text = next(answer.iter_content(4096), b"").lower()
        return any(fault in text for fault in (b"too many links", b"too many levels", b"name too long", b"not a directory"))

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        """A file or folder as the pieces of a tar.

        Raises:
            Unreadable: the daemon fails, or has nothing at that path.
        """
        with _trouble(self.endpoint, container):
            url = self._client._url("/containers/{0}/archive", container)
            with self._client.get(url, params={"path": path}, stream=True, timeout=ANSWER_WITHIN) as answer:
                self._client._raise_for_status(answer)
                yield from answer.iter_content(1 << 18)

    def execute(self, container: str, command: list[str], seconds: float, most: int = 8 << 20) -> Executed | None:
        """Run a command in a container, as its own user and in its own folder; at most `most` bytes of stdout are taken.

        None where it cannot be run: the container is paused or restarting, or has no such program.

        Raises:
            Unreadable: it did not end in time, the container is gone, or the daemon fails.
        """

        def run() -> Executed | None:
            import docker.errors

            with _trouble(self.endpoint, container):
                try:
                    made = self._client.exec_create(container, command, stdout=True, stderr=False)["Id"]
                    # not the SDK's own `exec_start`: that waits without end, and may lose what comes together with the answer's head
                    url, body = self._client._url("/exec/{0}/start", made), {"Detach": False, "Tty": False}
                    with self._client.post(url, json=body, stream=True, timeout=(ANSWER_WITHIN, seconds)) as answer:
                        self._client._raise_for_status(answer)
                        output = stdout_of(_first(answer.iter_content(1 << 16), most))
                    status = self._client.exec_inspect(made).get("ExitCode")
                except docker.errors.NotFound:
                    raise
                except docker.errors.APIError:
                    return None  # paused, restarting, not running, or no such program
            if status in (126, 127):
                return None  # runtimes differ in whether the missing program is an error of the daemon or an exit status
            return Executed(output, status)

        return in_time(seconds, run, lambda: Unreadable("container-slow", name=container, seconds=seconds))

    def _ask(self, question: Callable[[], T]) -> T | None:
        """Put one question; None for "not found"."""

        def put() -> T | None:
            import docker.errors

            with _trouble(self.endpoint):
                try:
                    return question()
                except docker.errors.NotFound:
                    return None

        late = Unreadable("daemon-silent", socket=self.endpoint.socket, seconds=ANSWER_WITHIN)
        return in_time(2 * ANSWER_WITHIN, put, lambda: late)


def stdout_of(stream: bytes) -> bytes:
    """What a command printed to stdout, from the daemon's stream of frames: one byte for the kind, three zeros, the length in four, the content."""
    taken = []
    at = 0
    while at + 8 <= len(stream):
        size = int.from_bytes(stream[at + 4 : at + 8], "big")
        if stream[at] == 1:
            taken.append(stream[at + 8 : at + 8 + size])
        at += 8 + size
    return b"".join(taken)


def _first(pieces: Iterator[bytes], most: int) -> bytes:
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size >= most:
            break
    return b"".join(taken)


def path_stat(header: str) -> PathStat:
    """What the header `X-Docker-Container-Path-Stat` says: base64 of JSON with `size`, `mode` (Go's bits) and `linkTarget`.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(base64.b64decode(header))
        mode, size = int(found["mode"]), int(found["size"])
        target = str(found.get("linkTarget") or "")
    except (binascii.Error, KeyError, TypeError, AttributeError):
        raise ValueError("no path stat") from None
    kind: Literal["file", "folder", "link", "other"] = "file"
    if mode & FOLDER:
        kind = "folder"
    elif mode & LINK:
        kind = "link"
    elif mode & OTHER:
        kind = "other"
    return PathStat(kind, max(0, size), target)


def _tls(environ: Mapping[str, str]) -> Any:
    """The certificates that Docker's own variables name, False for none."""
    if not environ.get("DOCKER_TLS_VERIFY") and not environ.get("DOCKER_CERT_PATH"):
        return False
    import docker.tls

    folder = environ.get("DOCKER_CERT_PATH") or os.path.join(environ.get("HOME", ""), ".docker")
    key = (os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    return docker.tls.TLSConfig(client_cert=key, ca_cert=os.path.join(folder, "ca.pem"), verify=bool(environ.get("DOCKER_TLS_VERIFY")))


@contextlib.contextmanager
def _trouble(endpoint: Endpoint, container: str | None = None) -> Iterator[None]:
    """Turns whatever the SDK raises into the one line for the user; "not found" is left to questions that name no container."""
    try:
        yield
    except Unreadable:
        raise
    except Exception as error:
        import docker.errors

        if isinstance(error, docker.errors.NotFound) and container is None:
            raise  # the question's own answer
        raise _named(endpoint, container, error) from None


def _named(endpoint: Endpoint, container: str | None, error: Exception) -> Unreadable:
    import docker.errors
    import requests

    place = endpoint.socket
    number = _errno(error)
    text = " ".join(str(getattr(error, "explanation", None) or error).split())[:300]
    if isinstance(error, docker.errors.NotFound):
        return Unreadable("container-gone", name=container)
    if isinstance(error, docker.errors.InvalidVersion) or "client version" in text:
        return Unreadable("daemon-version", socket=place, error=text)
    if isinstance(error, docker.errors.APIError):
        return Unreadable("daemon-failed", socket=place, error=text)
    if number in (errno.EACCES, errno.EPERM):
        return Unreadable("daemon-no-permission", socket=place)
    if number in (errno.ENOENT, errno.ENOTDIR):
        return Unreadable("daemon-no-socket", socket=place)
    if number in (errno.ECONNREFUSED, errno.ENOTSOCK):
        return Unreadable("daemon-not-listening", socket=place)
    if "paramiko" in text and endpoint.url.startswith("ssh://"):
        return Unreadable("daemon-ssh", socket=place)
    if any(isinstance(part, socket.gaierror) for part in _chain(error)):
        return Unreadable("daemon-unknown-host", socket=place)
    if any(isinstance(part, (TimeoutError, requests.exceptions.Timeout)) for part in _chain(error)):
        return Unreadable("daemon-silent", socket=place, seconds=ANSWER_WITHIN)
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)) or "bind" in text.lower():
        return Unreadable("daemon-bad-address", socket=place)  # the SDK's own words: "Invalid bind address format"
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError, requests.exceptions.ConnectionError)):
        return Unreadable("daemon-not-docker", socket=place)  # it answered, but with no JSON that we know
    return Unreadable("daemon-failed", socket=place, error=text)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was made of, however the libraries between have wrapped it."""
    pending, seen = [error], set[int]()
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        inner = [item.__cause__, item.__context__, getattr(item, "reason", None), *getattr(item, "args", ())]
        pending += [part for part in inner if isinstance(part, BaseException)]


def _errno(error: BaseException) -> int | None:
    return next((item.errno for item in _chain(error) if isinstance(item, OSError) and isinstance(item.errno, int)), None)
