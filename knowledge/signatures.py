"""Which keywords a constructor takes, followed through `**kwargs` to the base classes and factories that they reach.

PaddleClas hands a config's mapping to a constructor as keywords. What happens to a key that the constructor does not name depends on where its
`**kwargs` go: a `ResNet50` passes them on to `ResNet`, which swallows the rest without a word; a `MobileNetV1` to a class that raises TypeError.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping

from knowledge.python_source import Definition, Found, Meaning, Outside, Sources
from knowledge.signature import NOTHING, UNKNOWN, Signature

TRANSPARENT = frozenset(("staticmethod", "wraps", "property", "no_grad"))
"""Decorators that leave a constructor's parameters as they are; any other may change them."""


class Signatures:
    """Reads signatures out of `Sources`. `outside` holds those of classes that live in paddle, by dotted name."""

    def __init__(self, sources: Sources, outside: Mapping[str, Signature]) -> None:
        self.sources = sources
        self.outside = outside
        self.escapes: set[str] = set()

    def of(self, path: str, name: str) -> Signature | None:
        """The signature of what a name in a file stands for; None when nothing binds it."""
        meaning = self.sources.find(path, name)
        return None if meaning is None else self.of_meaning(meaning, frozenset())

    def of_meaning(self, meaning: Meaning | None, seen: frozenset[int]) -> Signature:
        """The signature of a resolved name."""
        if isinstance(meaning, Found):
            return self._definition(meaning.path, meaning.node, seen)
        if isinstance(meaning, Outside):
            known = self.outside.get(meaning.dotted.replace("paddle.vision.transforms.transforms.", "paddle.vision.transforms."))
            if known is not None:
                return known
            self.escapes.add(meaning.dotted)
        return UNKNOWN

    def _definition(self, path: str, node: Definition, seen: frozenset[int]) -> Signature:
        if id(node) in seen or any(not _transparent(d) for d in node.decorator_list):
            return UNKNOWN
        seen = seen | {id(node)}
        if isinstance(node, ast.FunctionDef):
            return self._function(path, node, None, seen)
        if node.keywords or _method(node, "__new__"):
            return UNKNOWN
        method = _method(node, "__init__")
        if method is None:
            return self._next(path, node, "__init__", seen)
        return self._function(path, method, node, seen)

    def _next(self, path: str, node: ast.ClassDef, method: str, seen: frozenset[int]) -> Signature:
        """The signature of a method as the base classes have it."""
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id == "object":
                continue
            meaning = self.sources.resolve(path, base)
            if not isinstance(meaning, Found) or not isinstance(meaning.node, ast.ClassDef):
                return self.of_meaning(meaning, seen) if method == "__init__" else UNKNOWN
            if id(meaning.node) in seen:
                return UNKNOWN
            seen = seen | {id(meaning.node)}
            own = _method(meaning.node, method)
            if own is not None:
                return UNKNOWN if id(own) in seen else self._function(meaning.path, own, meaning.node, seen | {id(own)})
            found = self._next(meaning.path, meaning.node, method, seen)
            if found != NOTHING:
                return found
        return NOTHING if method == "__init__" else UNKNOWN

    def _function(self, path: str, node: ast.FunctionDef, owner: ast.ClassDef | None, seen: frozenset[int]) -> Signature:
        if any(not _transparent(d) for d in node.decorator_list):
            return UNKNOWN
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        split = len(positional) - len(arguments.defaults)
        required = {a.arg for a in positional[:split]}
        optional = {a.arg for a in positional[split:]}
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            (required if default is None else optional).add(argument.arg)
        if owner is not None and positional:
            required.discard(positional[0].arg)
        if arguments.kwarg is None:
            return Signature(frozenset(required), frozenset(optional), "error")
        inner = self._rest(path, node, owner, arguments.kwarg.arg, seen)
        named = required | optional
        return Signature(
            frozenset(required | (inner.required - named)), frozenset(optional | (inner.optional - named)) - frozenset(required), inner.rest
        )

    def _rest(self, path: str, node: ast.FunctionDef, owner: ast.ClassDef | None, rest: str, seen: frozenset[int]) -> Signature:
        """What the keywords in `**rest` mean, from every use that the function makes of them."""
        uses = _Uses(node, rest)
        if uses.escaped:
            self.escapes.add(f"{path}: {node.name}: **{rest}")
            return UNKNOWN
        targets = [self._callee(path, owner, call, seen).without(given) for call, given in uses.calls]
        if not targets:
            return Signature(frozenset(uses.needed), frozenset(uses.read - uses.needed), "ignored")
        # of several calls the kindest reading: one may be behind an `if`
        required = frozenset.intersection(*(t.required for t in targets)) | uses.needed
        optional = frozenset().union(*(t.names for t in targets), uses.read) - required
        rests = {t.rest for t in targets}
        return Signature(frozenset(required), frozenset(optional), rests.pop() if len(rests) == 1 else "open")

    def _callee(self, path: str, owner: ast.ClassDef | None, call: ast.Call, seen: frozenset[int]) -> Signature:
        found = self._called(path, owner, call.func, seen)
        given = [k.arg for k in call.keywords if k.arg]
        if any(isinstance(a, ast.Starred) for a in call.args):
            return found.without(given)  # what *args fill is up to whoever calls, and from a config nobody does
        filled = self._positional(path, owner, call)
        if len(call.args) > len(filled):  # the rest goes into *args, and where that leads is not followed
            found = Signature(frozenset(), found.names, found.rest)
        return found.without([*given, *filled])

    def _called(self, path: str, owner: ast.ClassDef | None, function: ast.expr, seen: frozenset[int]) -> Signature:
        if isinstance(function, ast.Attribute):
            value = function.value
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super" and owner is not None:
                return self._next(path, owner, function.attr, seen)
            if isinstance(value, ast.Name) and value.id == "self" and owner is not None:
                method = _method(owner, function.attr)
                if method is not None:
                    return UNKNOWN if id(method) in seen else self._function(path, method, owner, seen | {id(method)})
                return self._next(path, owner, function.attr, seen)
            if function.attr == "__init__":
                return self.of_meaning(self.sources.resolve(path, value), seen)
        if isinstance(function, ast.Name) and hasattr(builtins, function.id):
            return UNKNOWN
        meaning = self.sources.resolve(path, function)
        if meaning is None:
            self.escapes.add(f"{path}: {ast.unparse(function)}")
        return self.of_meaning(meaning, seen)

    def _positional(self, path: str, owner: ast.ClassDef | None, call: ast.Call) -> list[str]:
        """Names of the parameters that a call fills by position."""
        if not call.args:
            return []
        meaning: Meaning | None
        function = call.func
        skip = 0
        if isinstance(function, ast.Attribute) and owner is not None and not isinstance(function.value, ast.Name | ast.Attribute):
            node = self._next_method(path, owner, function.attr)
            skip = 1
        elif isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self" and owner:
            node = _method(owner, function.attr)
            skip = 1
        else:
            target = function.value if isinstance(function, ast.Attribute) and function.attr == "__init__" else function
            meaning = self.sources.resolve(path, target)
            if isinstance(meaning, Outside):
                return list(_PADDLE_ORDER.get(meaning.dotted, ()))[: len(call.args)]
            if not isinstance(meaning, Found):
                return []
            node = self._constructor(meaning)
            skip = 0 if target is not function else isinstance(meaning.node, ast.ClassDef)
        if node is None:
            return []
        names = [a.arg for a in [*node.args.posonlyargs, *node.args.args]][skip:]
        return names[: len(call.args)]

    def _constructor(self, meaning: Found) -> ast.FunctionDef | None:
        if isinstance(meaning.node, ast.FunctionDef):
            return meaning.node
        return _method(meaning.node, "__init__") or self._next_method(meaning.path, meaning.node, "__init__")

    def _next_method(self, path: str, node: ast.ClassDef, name: str, depth: int = 8) -> ast.FunctionDef | None:
        for base in node.bases if depth else ():
            meaning = self.sources.resolve(path, base)
            if isinstance(meaning, Found) and isinstance(meaning.node, ast.ClassDef):
                found = _method(meaning.node, name) or self._next_method(meaning.path, meaning.node, name, depth - 1)
                if found is not None:
                    return found
        return None


_PADDLE_ORDER = {
    "paddle.io.DistributedBatchSampler": ("dataset", "batch_size", "num_replicas", "rank", "shuffle", "drop_last"),
    "paddle.io.BatchSampler": ("dataset", "sampler", "shuffle", "batch_size", "drop_last"),
}


class _Uses:
    """Every use of a `**rest` in a function: keys read by name, calls that get it, or an escape to where it cannot be followed."""

    def __init__(self, node: ast.FunctionDef, rest: str) -> None:
        self.read: set[str] = set()
        self.needed: set[str] = set()
        self.calls: list[tuple[ast.Call, frozenset[str]]] = []
        self.escaped = False
        parents = {id(child): parent for parent in ast.walk(node) for child in ast.iter_child_nodes(parent)}
        always = {id(inner) for statement in node.body if isinstance(statement, ast.Assign | ast.Expr) for inner in ast.walk(statement)}
        waiting: list[tuple[str, frozenset[str]]] = [(rest, frozenset())]
        done: set[str] = set()
        while waiting and not self.escaped:
            name, given = waiting.pop()
            if name in done:
                continue
            done.add(name)
            tested: set[str] = set()
            subscripted: set[str] = set()
            stored = _stored(node, name)
            self.read |= stored  # written by the user it is overwritten, which is no error
            given = given | stored
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Load):
                    self._use(inner, parents, given, waiting, tested, subscripted, always)
            self.needed |= subscripted - tested - given

    def _use(
        self,
        name: ast.Name,
        parents: Mapping[int, ast.AST],
        given: frozenset[str],
        waiting: list[tuple[str, frozenset[str]]],
        tested: set[str],
        subscripted: set[str],
        always: set[int],
    ) -> None:
        parent = parents[id(name)]
        if isinstance(parent, ast.Subscript) and parent.value is name:
            keys = _constants([parent.slice])
            self.read |= keys
            if isinstance(parent.ctx, ast.Load) and id(parent) in always:
                subscripted |= keys
            else:
                tested |= keys
            self.escaped |= not keys
            return
        if isinstance(parent, ast.Compare) and name in parent.comparators:
            keys = _constants([parent.left])
            self.read |= keys
            tested |= keys
            return
        if isinstance(parent, ast.Attribute):
            self._method(parent, parents, given, waiting, tested)
            return
        if isinstance(parent, ast.keyword) and parent.arg is None:
            call = parents[id(parent)]
            if not isinstance(call, ast.Call):  # a keyword of a class statement
                self.escaped = True
            elif isinstance(call.func, ast.Name) and call.func.id == "dict":
                self._alias(call, parents, given | {k.arg for k in call.keywords if k.arg}, waiting)
            else:
                self.calls.append((call, given))
            return
        if isinstance(parent, ast.Dict):
            self._alias(parent, parents, given | _constants(k for k in parent.keys if k is not None), waiting)
            return
        if isinstance(parent, ast.Call) and ast.unparse(parent.func) in ("copy.copy", "copy.deepcopy", "deepcopy", "dict"):
            self._alias(parent, parents, given, waiting)
            return
        if isinstance(parent, ast.Assign) and parent.value is name:
            self._alias(name, parents, given, waiting)
            return
        self.escaped = True

    def _method(
        self,
        attribute: ast.Attribute,
        parents: Mapping[int, ast.AST],
        given: frozenset[str],
        waiting: list[tuple[str, frozenset[str]]],
        tested: set[str],
    ) -> None:
        call = parents[id(attribute)]
        if not isinstance(call, ast.Call) or call.func is not attribute:
            self.escaped = True
        elif attribute.attr in ("get", "pop", "setdefault") and call.args and (keys := _constants(call.args[:1])):
            self.read |= keys
            tested |= keys
        elif attribute.attr == "copy":
            self._alias(call, parents, given, waiting)
        elif attribute.attr != "update" or not isinstance(parents[id(call)], ast.Expr):
            self.escaped = True

    def _alias(
        self, value: ast.expr, parents: Mapping[int, ast.AST], given: frozenset[str], waiting: list[tuple[str, frozenset[str]]]
    ) -> None:
        """Follow a copy of the keywords to the variable that it is given to, or to the call that takes it as `**{…}`."""
        parent = parents[id(value)]
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0], ast.Name):
            waiting.append((parent.targets[0].id, given))
        elif isinstance(parent, ast.keyword) and parent.arg is None and isinstance(call := parents[id(parent)], ast.Call):
            self.calls.append((call, given))
        else:
            self.escaped = True


def _stored(node: ast.FunctionDef, name: str) -> frozenset[str]:
    """Keys that the function itself puts into a mapping, so that nobody else has to."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Subscript) and isinstance(inner.ctx, ast.Store) and _is(inner.value, name):
            found |= _constants([inner.slice])
        elif isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and _is(inner.func.value, name):
            if inner.func.attr != "update":
                continue
            found |= {k.arg for k in inner.keywords if k.arg}
            found |= {key for a in inner.args if isinstance(a, ast.Dict) for key in _constants(k for k in a.keys if k is not None)}
    return frozenset(found)


def _is(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """A method of a class's own body; the last one wins."""
    found = [s for s in node.body if isinstance(s, ast.FunctionDef) and s.name == name]
    return found[-1] if found else None


def _transparent(decorator: ast.expr) -> bool:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) in TRANSPARENT


def _constants(nodes: Iterable[ast.expr]) -> frozenset[str]:
    return frozenset(_strings(nodes))


def _strings(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
