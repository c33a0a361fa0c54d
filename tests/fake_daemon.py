"""A daemon made of nothing but a socket: it answers as a test wants it to, or not at all."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import socketserver
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, dict[str, str], bytes]
FOLDER, LINK = 1 << 31, 1 << 27


def answer(content: Any, status: int = 200, **headers: str) -> Answer:
    """JSON, or bytes as they are."""
    return status, headers, content if isinstance(content, bytes) else json.dumps(content).encode()


class FakeContainer:
    """A container with a few files, asked as Docker's API is. `files`: path → content, a link's target as text, None for a folder."""

    def __init__(self, files: dict[str, bytes | str | None] | None = None, **inspect: Any) -> None:
        self.files: dict[str, bytes | str | None] = {"/": None, **(files or {})}
        for path in list(self.files):
            for parent in Path(path).parents:
                self.files.setdefault(str(parent), None)
        self.told: dict[str, Any] = {
            "Id": "ab" * 32,
            "Name": "/trainer",
            "Config": {"Image": "paddle:x", "WorkingDir": "/work", "Env": ["PATH=/bin"], **inspect.pop("Config", {})},
            "HostConfig": {"ShmSize": 64 << 20, "IpcMode": "private", **inspect.pop("HostConfig", {})},
            "State": {"Status": "running", "Running": True, "Pid": 0, **inspect.pop("State", {})},
            "Mounts": [],
            **inspect,
        }
        self.api = "1.41"
        self.oldest = "1.12"
        self.run: Callable[[list[str]], tuple[bytes, int] | None] = lambda command: None
        self.commands: list[list[str]] = []
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        self.asked.append(f"{method} {path}")
        if path == "/version":
            return answer({"ApiVersion": self.api, "MinAPIVersion": self.oldest, "Components": [{"Name": "Engine"}]})
        version, _, rest = path.lstrip("/").partition("/")
        number = tuple(map(int, version[1:].split(".")))
        if not tuple(map(int, self.oldest.split("."))) <= number <= tuple(map(int, self.api.split("."))):
            return answer({"message": f"client version {version[1:]} is too new. Maximum supported API version is {self.api}"}, 400)
        if rest == "_ping":
            return answer(b"OK")
        if rest == "info":
            return answer({"NCPU": 6, "MemTotal": 8 << 30, "Name": "elsewhere", "KernelVersion": "5"})
        if rest in ("containers/json", "images/json"):
            return answer([{"Names": [self.told["Name"]], "RepoTags": ["paddle:x"]}])
        if rest in ("containers/trainer/json", f"containers/{self.told['Id']}/json"):
            return answer(self.told)
        if rest.endswith("/archive"):
            return self._archive(method, query["path"][0])
        if rest.endswith("/exec"):
            self.commands.append(body["Cmd"])
            return answer({"Id": str(len(self.commands) - 1)})
        if rest.startswith("exec/"):
            return self._exec(int(rest.split("/")[1]), rest.endswith("/start"))
        return answer({"message": f"No such container or image: {rest}"}, 404)

    def _exec(self, number: int, start: bool) -> Answer:
        done = self.run(self.commands[number])
        if done is None:
            return answer({"message": "OCI runtime exec failed: sh not found"}, 400)
        output, status = done
        if not start:
            return answer({"ExitCode": status})
        half = len(output) // 2
        frames = b"".join(bytes([1, 0, 0, 0]) + len(part).to_bytes(4, "big") + part for part in (output[:half], output[half:]))
        return answer(bytes([2, 0, 0, 0, 0, 0, 0, 3]) + b"err" + frames)

    def _archive(self, method: str, path: str) -> Answer:
        if path not in self.files:
            return answer({"message": f"Could not find the file {path}"}, 404)
        content = self.files[path]
        mode = 0o644 | (FOLDER if content is None else LINK if isinstance(content, str) else 0)
        size = len(content or b"")
        stat = {"name": Path(path).name, "size": size, "mode": mode, "linkTarget": content if isinstance(content, str) else ""}
        headers = {"X-Docker-Container-Path-Stat": base64.b64encode(json.dumps(stat).encode()).decode()}
        stream = io.BytesIO()
        if method == "GET":
            with tarfile.open(fileobj=stream, mode="w") as archive:
                inside = [path] if isinstance(content, bytes) else [p for p in self.files if p.startswith(path.rstrip("/") + "/")]
                for name in inside:
                    data = self.files[name]
                    if isinstance(data, bytes):
                        entry = tarfile.TarInfo(str(Path(name).relative_to(Path(path).parent)))
                        entry.size = len(data)
                        archive.addfile(entry, io.BytesIO(data))
        return answer(stream.getvalue(), **headers)


@contextlib.contextmanager
def serve(path: Path, daemon: Callable[[str, str, dict[str, list[str]], Any], Answer]) -> Iterator[str]:
    """The address of a daemon that listens at `path`, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self) -> str:
            return "socket"

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

        def do(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = daemon(self.command, unquote(parts.path), parse_qs(parts.query), json.loads(raw) if raw else None)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_HEAD = do  # noqa: N815  # the names that the server looks for

    class Server(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # whoever asked has gone

    with Server(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            server.shutdown()
            thread.join()
