"""What a name in a Python file stands for, told from source text: parsed with `ast`, never imported or run.

The script that collects PaddleClas's components from git and the fact that reads the user's own PaddleClas share it. Paths are relative to the
root of the checkout, with forward slashes.
"""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import NamedTuple

Definition = ast.ClassDef | ast.FunctionDef

MAX_CHARACTERS = 1 << 20
"""The longest source that is parsed; PaddleClas's longest has 60,000 characters."""


@dataclass
class Module:
    """What a module binds at top level. `broken`: it is there, but is no Python 3, so nothing is known of it."""

    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (dotted module, name there or "" for the module itself)
    stars: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # bound to something that is neither: a partial, a constant
    exported: list[str] | None = None  # __all__, where it is a plain list
    tree: ast.Module | None = None
    broken: bool = False

    @property
    def bound(self) -> set[str]:
        """Every name bound here, those of star imports left out."""
        return {*self.definitions, *self.imports, *self.aliases, *self.others}


class Found(NamedTuple):
    """The definition that a name stands for, and the file it stands in."""

    path: str
    node: Definition


class Outside(NamedTuple):
    """Something of another package: its dotted name, such as `paddle.io.BatchSampler`."""

    dotted: str


class Unclear(NamedTuple):
    """A name that is there, but what it stands for cannot be told from the text."""

    why: str


Meaning = Found | Outside | Unclear


class Sources:
    """The Python files of one checkout. `read` gives a file's text, or None where there is none."""

    def __init__(self, read: Callable[[str], str | None], cache: MutableMapping[str, Module | None] | None = None) -> None:
        self.read = read
        self._modules: MutableMapping[str, Module | None] = {} if cache is None else cache

    def key(self, path: str) -> str:
        """Under what a parsed file is kept; where many checkouts share a cache, the file's content must be in it."""
        return path

    def module(self, path: str) -> Module | None:
        """The parsed module, or None when it is absent."""
        key = self.key(path)
        if key not in self._modules:
            text = self.read(path)
            self._modules[key] = None if text is None else parse(text, path)
        return self._modules[key]

    def file(self, dotted: str) -> str | None:
        """The path of a dotted module inside the checkout."""
        stem = dotted.replace(".", "/").removeprefix("paddleclas/")
        # deploy/ is a folder to start programs in: 2.2 and 2.3 import `python.det_preprocess` there
        for path in (f"{stem}.py", f"{stem}/__init__.py", *([f"deploy/{stem}.py"] if dotted.startswith("python.") else [])):
            if self.module(path) is not None:
                return path
        return None

    def find(self, path: str, name: str, depth: int = 12) -> Meaning | None:
        """What a name in a file stands for, followed through imports and aliases; None when nothing binds it."""
        module = self.module(path)
        if module is None:
            return None
        if module.broken or depth == 0:
            return Unclear("broken" if module.broken else "too deep")
        if name in module.definitions:
            return Found(path, module.definitions[name])
        if name in module.aliases:
            other = module.aliases[name]
            return Unclear("itself") if other == name else self.find(path, other, depth - 1) or Unclear("alias")
        if name in module.imports:
            origin, original = module.imports[name]
            return self._imported(origin, original, depth)
        if name in module.others:
            return Unclear("assigned")
        for origin in reversed(module.stars):  # the last star import wins
            target = self.file(origin)
            if target is None or target == path:
                continue
            inner = self.module(target)
            if inner is None or not _star_takes(inner, name):
                continue
            if (found := self.find(target, name, depth - 1)) is not None:
                return found
        return None

    def _imported(self, origin: str, original: str, depth: int) -> Meaning:
        target = self.file(origin)
        if target is None:
            if original and self.file(f"{origin}.{original}"):
                return Unclear("module")
            return Outside(f"{origin}.{original}" if original else origin)
        if not original:
            return Unclear("module")
        found = self.find(target, original, depth - 1)
        if found is None:
            return Unclear("module" if self.file(f"{origin}.{original}") else "missing")
        return found

    def resolve(self, path: str, node: ast.expr) -> Meaning | None:
        """What a name or a dotted expression (`nn.Layer`) in a file stands for."""
        if isinstance(node, ast.Name):
            return self.find(path, node.id)
        if isinstance(node, ast.Attribute):
            parts = [node.attr]
            inner = node.value
            while isinstance(inner, ast.Attribute):
                parts.append(inner.attr)
                inner = inner.value
            module = self.module(path)
            if isinstance(inner, ast.Name) and module and inner.id in module.imports:
                origin, original = module.imports[inner.id]
                if not original and "." in origin and inner.id == origin.partition(".")[0]:
                    origin = inner.id  # `import paddle.nn` binds paddle
                base = f"{origin}.{original}" if original else origin
                dotted = ".".join([base, *reversed(parts)])
                holder = self.file(dotted.rpartition(".")[0])
                if holder is not None:
                    return self.find(holder, parts[0]) or Unclear("missing")
                return Outside(dotted)
        return None

    def names(self, path: str, depth: int = 8) -> set[str]:
        """Every name that `getattr(module, name)` finds, star imports included."""
        module = self.module(path)
        if module is None or depth == 0:
            return set()
        bound = module.bound
        for origin in module.stars:
            target = self.file(origin)
            inner = self.module(target) if target and target != path else None
            if target and inner is not None:
                bound |= {name for name in self.names(target, depth - 1) if _star_takes(inner, name)}
        return bound


def _star_takes(module: Module, name: str) -> bool:
    """Whether `from module import *` brings a name along."""
    return name in module.exported if module.exported is not None else not name.startswith("_")


def parse(text: str, path: str) -> Module:
    """Read a module's text; one that is no Python 3 comes back `broken`."""
    try:
        if len(text) > MAX_CHARACTERS:
            return Module(broken=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes and the like are none of our business
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Module(broken=True)
    module = Module(tree=tree)
    package = posixpath.dirname(path).split("/") if posixpath.dirname(path) else []
    for statement in _top_level(tree.body):
        _take(module, statement, package)
    return module


def _take(module: Module, statement: ast.stmt, package: list[str]) -> None:
    if isinstance(statement, ast.ClassDef | ast.FunctionDef):
        _unbind(module, statement.name)
        module.definitions[statement.name] = statement
    elif isinstance(statement, ast.ImportFrom):
        base = package[: len(package) - statement.level + 1] if statement.level else []
        origin = ".".join([*base, *(statement.module.split(".") if statement.module else [])])
        for name in statement.names:
            if name.name == "*":
                module.stars.append(origin)
            else:
                _unbind(module, name.asname or name.name)
                module.imports[name.asname or name.name] = (origin, name.name)
    elif isinstance(statement, ast.Import):
        for name in statement.names:
            bound = name.asname or name.name.partition(".")[0]
            _unbind(module, bound)
            module.imports[bound] = (name.name, "")
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                continue
            _unbind(module, target.id)
            if isinstance(statement.value, ast.Name):
                module.aliases[target.id] = statement.value.id
            else:
                module.others.add(target.id)
            if target.id == "__all__":
                module.exported = _strings(statement.value)


def _unbind(module: Module, name: str) -> None:
    for table in (module.definitions, module.imports, module.aliases):
        table.pop(name, None)
    module.others.discard(name)


def _strings(node: ast.expr | None) -> list[str] | None:
    if isinstance(node, ast.List | ast.Tuple) and all(isinstance(e, ast.Constant) and isinstance(e.value, str) for e in node.elts):
        return [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return None


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, those inside `if`, `try` and `with` included."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            for name in ("body", "orelse", "finalbody"):
                yield from _top_level(getattr(statement, name, []))
            for handler in getattr(statement, "handlers", []):
                yield from _top_level(handler.body)


def list_in_function(module: Module, function: str, variable: str) -> list[str] | None:
    """The plain list of strings that a function gives to a local variable, such as `support_dict` of `build_gear`."""
    node = module.definitions.get(function)
    for inner in ast.walk(node) if node is not None else ():
        if isinstance(inner, ast.Assign) and any(isinstance(t, ast.Name) and t.id == variable for t in inner.targets):
            return _strings(inner.value)
    return None
