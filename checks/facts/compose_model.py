"""A Compose file with the files that it names, its services merged, and variables put into their values.

The Compose specification: `05-services.md` on `extends`, `12-interpolation.md`, `13-merge.md` and `14-include.md`; the first version of the format,
whose services stand at the top, as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml

from checks.facts.base import Unreadable
from checks.facts.compose_variables import VariableProblem, read_env_file, substitute
from checks.facts.container_sizes import docker_bytes
from checks.facts.settings_files import Part, part_of, read_settings
from checks.facts.yaml_tree import Tree, read_text

MAX_FILES = 50
"""The most files that `extends` and `include` may lead to."""


class ComposeFile(NamedTuple):
    """One file: its values, the places of the tags that only Compose knows, the path of its services and their names."""

    path: str
    tree: Tree
    modes: dict[tuple[int, int], str]
    at: tuple[str, ...]
    services: tuple[str, ...]


class Project:
    """A Compose file with those that it names, and the variables that its values are made of."""

    def __init__(self, name: str, environ: Mapping[str, str], cwd: str) -> None:
        self.cwd = cwd
        self.name = name
        self.files: dict[str, ComposeFile] = {}
        self.environ = dict(environ)
        folder = os.path.dirname(os.path.join(cwd, name))
        self.variables = {} if environ.get("COMPOSE_DISABLE_ENV_FILE") in ("1", "true") else self._env_file(os.path.join(folder, ".env"))
        self.main = self._file(name)

    def _env_file(self, path: str) -> dict[str, str]:
        try:
            return read_env_file(read_text(path, path), self.environ)
        except Unreadable:  # most projects have none
            return {}

    def _file(self, name: str) -> ComposeFile:
        path = os.path.normpath(os.path.join(self.cwd, name))
        if path in self.files:
            return self.files[path]
        if len(self.files) >= MAX_FILES:
            raise Unreadable("compose-too-many-files", file=self.name, limit=MAX_FILES)
        modes: dict[tuple[int, int], str] = {}
        tree = read_settings(path, name, lambda root: _take_tags(root, modes))[0]
        at = ("services",) if isinstance(tree.raw("services"), dict) else ()
        data = tree.raw(at)
        if not isinstance(data, dict) or (not at and not _is_first_version(data)):
            included = isinstance(tree.data, dict) and tree.data.get("include")
            if not included:
                raise Unreadable("compose-no-services", file=name)
            data, at = {}, ("services",)
        found = ComposeFile(
            path, tree, modes, at, tuple(key for key in data if not key.startswith("x-") and (at or isinstance(data[key], dict)))
        )
        self.files[path] = found
        return found

    def services(self, file: ComposeFile, trail: tuple[str, ...] = ()) -> dict[str, ComposeFile]:
        """Every service with its file; one that is included does not replace one that is there."""
        found = dict.fromkeys(file.services, file)
        if file.path in trail or not file.at:
            return found
        for entry in part_of(file.tree, ("include",)).items():
            paths = entry.get("path") if entry.entries() else entry
            for part in (paths.items() or [paths]) if paths else []:
                included = self._file(self._beside(file, self.text(part)))
                found = {**self.services(included, (*trail, file.path)), **found}
        return found

    def _beside(self, file: ComposeFile, name: str) -> str:
        """The name of a file that another one names, as the user would call it."""
        return os.path.normpath(os.path.join(os.path.dirname(file.tree.file), name))

    def value(self, part: Part | None) -> Any:
        """A value with its variables put in.

        Raises:
            Unreadable: a variable that must be set is not, or the expression is wrong.
        """
        if part is None or not isinstance(part.value, str):
            return None if part is None else part.value
        at = part.location
        try:
            return substitute(part.value, self._variable)
        except VariableProblem as problem:
            place = {"file": at.file, "line": at.line, "column": at.column}
            if problem.name is None:
                raise Unreadable("compose-variable-wrong", **place, text=problem.text[:100]) from None
            raise Unreadable("compose-variable-required", **place, name=problem.name, message=problem.text[:100]) from None

    def text(self, part: Part | None) -> str:
        """A value as text; empty where there is none."""
        value = self.value(part)
        return value if isinstance(value, str) else part.written if part else ""

    def size(self, part: Part | None) -> int | None:
        """Bytes, or None where nothing is told or 0, which stands for nothing.

        Raises:
            Unreadable: it is no size, and Compose refuses it too.
        """
        if part is None:
            return None
        found = docker_bytes(self.value(part))
        if found is None:
            at = part.location
            name = (at.key or "").rpartition(".")[2]
            raise Unreadable("compose-size-wrong", file=at.file, line=at.line, column=at.column, name=name, text=self.text(part)[:100])
        return found or None

    def _variable(self, name: str) -> str | None:
        return self.environ.get(name, self.variables.get(name))

    def merged(self, file: ComposeFile, name: str, trail: tuple[tuple[str, str], ...] = ()) -> Part:
        """A service with all that it extends.

        Raises:
            Unreadable: it is no mapping, extends nothing that there is, or itself.
        """
        service = part_of(file.tree, (*file.at, name), file.modes)
        at = service.location
        if not isinstance(service.value, dict):
            raise Unreadable("compose-service-wrong", file=at.file, line=at.line, name=name)
        extends = service.get("extends")
        if extends is None:
            return service
        if (file.path, name) in trail or len(trail) > MAX_FILES:
            raise Unreadable("compose-extends-cycle", file=at.file, line=extends.location.line, name=name)
        base = self.text(extends.get("service") if extends.entries() else extends)
        other = extends.get("file")
        source = self._file(self._beside(file, self.text(other))) if other else self.services(file).get(base, file)
        if base not in source.services:
            where = extends.location
            raise Unreadable("compose-extends-wrong", file=at.file, line=where.line, column=where.column, name=base, other=source.tree.file)
        return _merge(self.merged(source, base, (*trail, (file.path, name))), service)


def _is_first_version(data: dict[str, Any]) -> bool:
    """Whether the services stand at the top, as in files without a version."""
    bodies = [value for key, value in data.items() if not key.startswith("x-")]
    return (
        bool(bodies)
        and all(isinstance(body, dict) for body in bodies)
        and any({"image", "build", "extends"} & set(body) for body in bodies)
    )


def _merge(base: Part, over: Part, path: tuple[str, ...] = ()) -> Part:
    """What `extends` makes of two definitions: mappings are joined, lists follow each other, what is single is replaced."""
    if over.mode == "override":
        return over
    if over.value is None and over.mode != "reset":
        return base
    if path in (("tmpfs",), ("include",)):
        base, over = (part if isinstance(part.value, list) else part._replace(value=[part]) for part in (base, over))
    if path == ("build",):
        base, over = (part if isinstance(part.value, dict) else part._replace(value={"context": part}) for part in (base, over))
    if path not in (("command",), ("entrypoint",)):
        if isinstance(base.value, dict) and isinstance(over.value, dict):
            joined = dict(base.value)
            for key, part in over.value.items():
                joined[key] = _merge(joined[key], part, (*path, key)) if key in joined else part
            return over._replace(value={key: part for key, part in joined.items() if part.mode != "reset" and (path or key != "extends")})
        if isinstance(base.value, list) and isinstance(over.value, list):
            return over._replace(value=[*base.value, *over.value])
    return over


def _take_tags(root: yaml.Node, modes: dict[tuple[int, int], str]) -> None:
    """Put `!reset` and `!override`, which YAML does not know, into tags that it does, and note where they stand."""
    resolver = yaml.resolver.Resolver()
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.tag in ("!reset", "!override"):
            modes[node.start_mark.line + 1, node.start_mark.column + 1] = node.tag[1:]
            text = node.value if isinstance(node, yaml.ScalarNode) else None
            node.tag = resolver.resolve(type(node), text, (True, False))  # type: ignore[no-untyped-call]
        if isinstance(node, yaml.MappingNode):
            stack += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            stack += node.value
