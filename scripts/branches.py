"""PaddleClas's git, read branch by branch: what the scripts that collect keys and components share."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from knowledge.python_source import Module, Sources

LEGACY_BRANCHES = ("release/2.0-beta", "release/2.0-rc1", "release/2.0", "release/2.1")
MODERN_BRANCHES = (
    "release/2.2",
    "release/2.3",
    "release/2.4",
    "release/2.5",
    "release/2.5.1",
    "release/2.5.2",
    "develop",
)


class Repository:
    """Read-only access to one clone, by ``git ls-tree`` and one long-lived ``git cat-file``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = subprocess.Popen(["git", "-C", str(path), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _git(self, *arguments: str) -> str:
        return subprocess.run(["git", "-C", str(self.path), *arguments], check=True, capture_output=True, encoding="utf-8").stdout

    def commit(self, branch: str) -> str:
        """The commit a branch stands at; a branch only the remote has is fine."""
        for name in (branch, f"origin/{branch}"):
            try:
                return self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").strip()
            except subprocess.CalledProcessError:
                continue
        raise SystemExit(f"{self.path}: no branch {branch}")

    def tree(self, commit: str) -> dict[str, str]:
        """Path -> blob id of every file in a commit."""
        files = {}
        for entry in self._git("ls-tree", "-r", "-z", commit).split("\0"):
            if entry:
                meta, path = entry.split("\t", 1)
                _, kind, blob = meta.split()
                if kind == "blob":
                    files[path] = blob
        return files

    def text(self, blob: str) -> str | None:
        """A file's text; None when the clone is partial and lacks it."""
        assert self._reader.stdin is not None and self._reader.stdout is not None
        self._reader.stdin.write(f"{blob}\n".encode())
        self._reader.stdin.flush()
        header = self._reader.stdout.readline().split()
        if header[1] == b"missing":
            return None
        data = self._reader.stdout.read(int(header[2]))
        self._reader.stdout.read(1)
        return data.decode("utf-8", errors="replace")

    def close(self) -> None:
        """End the reading process."""
        assert self._reader.stdin is not None
        self._reader.communicate()


class BranchSources(Sources):
    """The Python files of one commit. Parsed files are shared by all branches that hold the same content."""

    def __init__(self, repository: Repository, tree: Mapping[str, str], cache: dict[str, Module | None]) -> None:
        super().__init__(lambda path: repository.text(tree[path]) if path in tree else None, cache)
        self.tree = tree

    def key(self, path: str) -> str:
        """Path and content: relative imports mean something else at another path."""
        return f"{path}\0{self.tree.get(path)}"
