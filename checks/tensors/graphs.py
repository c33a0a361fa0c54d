"""The graph of an exported program: what is computed from what, how it ends, and where parallel convolutions were not fused into one."""

from __future__ import annotations

import msgspec

CONVOLUTIONS = ("conv2d", "depthwise_conv2d")
NORMALISATIONS = ("batch_norm",)
SUMS = ("add", "elementwise_add")

PROBABILITIES = ("softmax", "sigmoid")
DECISIONS = ("argmax", "arg_max", "topk", "top_k_v2")

_LINEAR = (*CONVOLUTIONS, *NORMALISATIONS, *SUMS, "cast", "scale", "assign")
"""What a fusion goes through, linear in the one input that depends on the image. Whether a `pool2d` takes the average, its name does not tell."""

_PASSED = (
    *PROBABILITIES,
    *DECISIONS,
    *("log_softmax", "scale", "assign", "cast", "share_data", "dropout", "dequantize_linear", "quantize_linear"),
    *("reshape", "reshape2", "squeeze", "squeeze2", "unsqueeze", "unsqueeze2", "flatten", "flatten_contiguous_range"),
)
_LONGEST_ENDING = 16
_MOST_OPERANDS = 16
_LONGEST_BRANCH = 12


class Variable(msgspec.Struct, frozen=True):
    """An input, output or parameter; -1 where the program leaves a side open."""

    name: str
    dtype: str
    shape: tuple[int, ...]


class Node:
    """One operator: its kind without dialect, and the numbers of the values that it takes and makes."""

    __slots__ = ("kind", "made", "taken")

    def __init__(self, kind: str, taken: list[int], made: list[int]) -> None:
        self.kind = kind
        self.taken = taken
        self.made = made


class Graph:
    """The operators in their order. Each value is made once; `fetched` are the values that leave the program, `fed` those that enter it."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.fed: list[int] = []
        self.fetched: list[int] = []

    def link(self) -> Linked:
        """The graph with the maker of each value."""
        return Linked(self)


class Linked:
    """Who makes each value, how often it is taken, and which depend on the program's inputs."""

    def __init__(self, graph: Graph) -> None:
        self._makers: dict[int, Node] = {}
        self._uses: dict[int, int] = {}
        self._live = set(graph.fed)
        self.graph = graph
        for node in graph.nodes:
            alive = False
            for value in node.taken:
                self._uses[value] = self._uses.get(value, 0) + 1
                alive = alive or value in self._live
            for value in node.made:
                self._makers[value] = node
                if alive:
                    self._live.add(value)

    def _sources(self, node: Node) -> list[int]:
        return [value for value in node.taken if value in self._live]

    def ending(self, value: int) -> tuple[str, ...]:
        """The last operators before a value, in the order of their running, from the last on that is more than an activation or a change of shape.

        A sum of two that depend on the image is a `sum`, whatever its kind is called.
        """
        kinds: list[str] = []
        while len(kinds) < _LONGEST_ENDING:
            node = self._makers.get(value)
            if node is None:
                break
            sources = self._sources(node)
            kinds.append("sum" if node.kind in SUMS and len(sources) > 1 else node.kind)
            if node.kind not in _PASSED or len(sources) != 1:
                break
            value = sources[0]
        return tuple(reversed(kinds))

    def branched(self) -> int:
        """How many sums have two or more branches of convolutions and normalisations that start from one value: what re-parameterisation makes one.

        A branch that is the value itself counts for nothing (the sum of a convolution and its input is an ordinary shortcut), and so does one with
        an activation in it.
        """
        inner = {
            value
            for node in self.graph.nodes
            if node.kind in SUMS
            for value in self._sources(node)
            if self._uses.get(value) == 1 and self._is_sum(self._makers.get(value))
        }
        return sum(self._is_sum(node) and not inner.intersection(node.made) and self._is_branched(node) for node in self.graph.nodes)

    def _is_sum(self, node: Node | None) -> bool:
        return node is not None and node.kind in SUMS and len(self._sources(node)) == 2

    def _is_branched(self, node: Node) -> bool:
        starts: dict[int, list[bool]] = {}
        for operand in self._operands(node):
            start, layers, convolved = self._branch(operand)
            if layers:
                starts.setdefault(start, []).append(convolved)
        return any(len(branches) > 1 and any(branches) for branches in starts.values())

    def _operands(self, node: Node) -> list[int]:
        found: list[int] = []
        waiting = self._sources(node)
        while waiting and len(found) + len(waiting) <= _MOST_OPERANDS:
            value = waiting.pop()
            maker = self._makers.get(value)
            if maker is not None and self._uses.get(value) == 1 and self._is_sum(maker):
                waiting += self._sources(maker)
            else:
                found.append(value)
        return found

    def _branch(self, value: int) -> tuple[int, int, bool]:
        """Where a linear branch starts, how many convolutions and normalisations it has, and whether there is a convolution among them."""
        layers, convolved = 0, False
        for _ in range(_LONGEST_BRANCH):
            node = self._makers.get(value)
            sources = self._sources(node) if node is not None else []
            if node is None or self._uses.get(value) != 1 or node.kind not in _LINEAR or len(sources) != 1:
                break  # where a value goes two ways, the branches part (DSNet adds a depthwise convolution of a convolution to it)
            layers += node.kind in CONVOLUTIONS or node.kind in NORMALISATIONS
            convolved = convolved or node.kind in CONVOLUTIONS
            value = sources[0]
        return value, layers, convolved
