"""A walker over pickles of protocol 0 to 5 that can only build arrays, numbers, texts and containers.

It knows what each opcode does to the stack and the memo (Lib/pickletools.py), and resolves no name: a function that is not one of the
few that `paddle.save` uses (`allowed.py`) becomes a call that loading would make. Values of arrays are seeked over. Time and memory are
bounded by the number of opcodes, the bytes that are kept and the depth of pickles within pickles.
"""

from __future__ import annotations

from checks.tensors.allowed import BUILDERS, MERELY_NAMED, Refused, build, label_of, set_state
from checks.tensors.built import EXCERPT, Array, Blob, Dtype, Foreign, Mapping, Name, Set, Text, shown, unescaped
from checks.tensors.stream import Flaw, Oddity, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from checks.tensors.built import Coding, Kind

    Handler = Callable[["_Walker"], None]

MAX_OPCODES = 1_000_000
"""The largest networks with their optimizer's state take a tenth of it."""

MAX_STACK = 200_000
MAX_CALLS = 50
"""Calls that are all told; later ones only where their function is new."""

MAX_NAMES = 1000
MAX_TEXT = 4096
"""Bytes of the longest text that is kept; longer ones stay in the file."""

MAX_WITHIN = 3
"""How deep pickles within pickles are followed, each for `INNER_OPCODES`."""

INNER_OPCODES = 5_000
MAX_COPIED = 2_000_000
"""Items that calls such as `tuple(list)` may copy."""

LOADERS = ("pickle.loads", "_pickle.loads", "cPickle.loads", "pickle._loads", "dill.loads", "joblib.load", "marshal.loads", "numpy.loads")


class Walk:
    """What a pickle holds: the `root` that loading would give, and the calls on the way as (kind, function, argument, position)."""

    __slots__ = ("calls", "end", "flaw", "protocol", "root")

    def __init__(self) -> None:
        self.root: Any = None
        self.calls: list[tuple[Kind, str, str, int]] = []
        self.flaw: str | None = None
        self.protocol = 0
        self.end: int | None = None


class _Stop(Exception):
    pass


def walk(source: Source, within: int = 0) -> Walk:
    """Walk over one pickle, from where the source stands to its end; never raises for what the file holds."""
    walker = _Walker(source, within)
    made = walker.made
    try:
        for _ in range(INNER_OPCODES if within else MAX_OPCODES):
            handler = HANDLERS[source.byte()]
            if handler is None:
                raise Flaw("opcode")
            handler(walker)
        made.flaw = "excess"
    except _Stop:
        made.end = source.position
    except Flaw as flaw:
        made.flaw = flaw.word
    except IndexError:  # pop from an empty stack
        made.flaw = "stack"
    made.calls += [("import", name.label, "", name.position) for name in walker.names.values() if not name.called]
    made.calls.sort(key=lambda call: call[3])
    return made


class _Walker:
    __slots__ = ("copied", "made", "marks", "memo", "names", "source", "stack", "told", "within")

    def __init__(self, source: Source, within: int) -> None:
        self.source = source
        self.within = within
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}
        self.names: dict[str, Name] = {}
        self.told: set[str] = set()
        self.made = Walk()
        self.copied = 0

    def odd(self, word: str) -> None:
        """Something is wrong, and pickle may not mind."""
        self.made.flaw = self.made.flaw or word

    # stack and memo

    def items(self) -> list[Any]:
        """What stands above the last mark."""
        if not self.marks:
            raise Flaw("stack")
        items = self.stack
        self.stack = self.marks.pop()
        return items

    def mark(self) -> None:
        if len(self.marks) > MAX_STACK:
            raise Flaw("excess")
        self.marks.append(self.stack)
        self.stack = []

    def put(self, index: int) -> None:
        if index < 0:
            raise Flaw("memo")
        if index > MAX_OPCODES:
            self.odd("memo")  # pickle makes room for all indexes below it
        self.memo[index] = self.stack[-1]

    def index_line(self) -> int:
        line = self.source.line(20)
        try:
            return int(line)
        except ValueError:
            raise Flaw("memo") from None

    def get(self, index: int) -> None:
        try:
            self.stack.append(self.memo[index])
        except KeyError:
            raise Flaw("memo") from None

    def protocol(self) -> None:
        self.made.protocol = self.source.byte()
        if self.made.protocol > 5:
            raise Flaw("protocol")

    def frame(self) -> None:
        if self.source.number(8) > self.source.left:
            raise Flaw("cut")

    def stop(self) -> None:
        self.made.root = self.stack.pop()
        raise _Stop

    # texts, bytes and numbers

    def text(self, size: int, coding: Coding) -> None:
        source = self.source
        if size < 0:
            raise Flaw("length")
        if size > MAX_TEXT:
            self.stack.append(Blob(source.skip(size), size, coding))
            return
        position = source.position
        try:
            text = Text(source.keep(size), coding, "surrogatepass" if coding == "utf-8" else "strict")
        except UnicodeDecodeError:
            raise Flaw("text") from None
        text.offset, text.length, text.coding = position, size, coding
        self.stack.append(text)

    def text_line(self, coding: Coding) -> None:
        source = self.source
        start, length = source.span_of_line()
        if coding == "escape":  # the line is a Python literal, and its quotes are no part of the text
            start, length = start + 1, length - 2
            if length < 0:
                raise Flaw("text")
        if length > MAX_TEXT:
            self.stack.append(Blob(start, length, coding))
            return
        raw = source.kept_at(start, length)
        try:
            text = Text(raw, "raw-unicode-escape") if coding == "unicode-escape" else Text(unescaped(raw), "latin-1")
        except ValueError:
            raise Flaw("text") from None
        text.offset, text.length, text.coding = start, length, coding
        self.stack.append(text)

    def blob(self, size: int) -> None:
        self.stack.append(Blob(self.source.skip(size), size))

    def long(self, size: int) -> None:
        if size < 0:
            raise Flaw("length")
        if size > 255:
            self.source.skip(size)
            self.stack.append(Foreign("a large number"))
        else:
            self.stack.append(int.from_bytes(self.source.keep(size), "little", signed=True))

    def number_line(self, kind: str) -> None:
        line = self.source.line(400)
        try:
            if kind == "float":
                self.stack.append(float(line))
            elif kind == "int" and line in (b"00", b"01"):
                self.stack.append(line == b"01")
            else:
                self.stack.append(int(line[:-1] if kind == "long" and line[-1:] == b"L" else line, 0))
        except ValueError:
            self.stack.append(0)
            self.odd("number")  # pickle's own reading of numbers takes more, such as 007

    def binary_float(self) -> None:
        import struct

        self.stack.append(struct.unpack(">d", self.source.take(8))[0])

    # containers

    def append(self) -> None:
        self._extend([self.stack.pop()])

    def appends(self) -> None:
        self._extend(self.items())

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        else:
            self._put_into(target, items)

    def _put_into(self, target: Any, items: list[Any]) -> None:
        """Items put into something that keeps none here: a bytearray or an array takes them in earnest, something foreign may do anything."""
        if isinstance(target, Name | Foreign):
            self.note("change", target, items)
        elif not isinstance(target, list | Blob | Array | Dtype | Mapping | Set):
            raise Flaw("stack")

    def set_items(self) -> None:
        self._update(self.items())

    def set_item(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if len(items) % 2:
            raise Flaw("stack")
        if isinstance(target, Mapping):
            target.pairs.extend(zip(items[::2], items[1::2], strict=True))
        else:
            self._put_into(target, items)

    def add_items(self) -> None:
        items = self.items()
        target = self.stack[-1]
        if isinstance(target, Set):
            target.items.extend(items)
        else:
            self._put_into(target, items)

    def empty_set(self) -> None:
        self.stack.append(Set())

    def frozen_set(self) -> None:
        items = self.items()
        made = Set()
        made.items = items
        self.stack.append(made)

    def dict_of_items(self) -> None:
        items = self.items()
        self.stack.append(Mapping())
        self._update(items)

    def list_of_items(self) -> None:
        items = self.items()
        self.stack.append(items)

    def tuple_of_items(self) -> None:
        items = self.items()
        self.stack.append(tuple(items))

    def tuple_of(self, count: int) -> None:
        if len(self.stack) < count:
            raise Flaw("stack")
        self.stack[-count:] = [tuple(self.stack[-count:])]

    def pop(self) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.items()

    def pop_to_mark(self) -> None:
        self.items()

    # names and calls

    def named(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            # a text that is longer than any name, or that a call would have given
            if isinstance(module, Foreign | Blob | str) and isinstance(name, Foreign | Blob | str):
                found = Name(_word(module), _word(name), self.source.position)
            else:
                raise Flaw("stack")
        else:
            found = Name(str(module), str(name), self.source.position)
        self.stack.append(found)
        key = (found.module, found.name)
        if key not in BUILDERS and key not in MERELY_NAMED:
            if len(self.names) > MAX_NAMES:
                raise Flaw("excess")
            self.names.setdefault(found.label, found)

    def global_line(self) -> None:
        module, name = self.source.line(MAX_TEXT), self.source.line(MAX_TEXT)
        self.named(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))

    def stack_global(self) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.named(module, name)

    def extension(self, size: int) -> None:
        self.stack.append(Foreign(f"extension {self.source.number(size)}"))
        self.odd("extension")  # nobody registers any, unless the file itself does: pickle raises ValueError

    def persistent(self) -> None:
        raise Flaw("persistent")  # paddle.load knows no persistent_load: pickle raises UnpicklingError

    def reduce(self) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.call(function, args)

    def instance_line(self) -> None:
        module, name = self.source.line(MAX_TEXT), self.source.line(MAX_TEXT)
        self.named(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))
        function = self.stack.pop()
        self.call(function, tuple(self.items()))

    def instance(self) -> None:
        items = self.items()
        self.call(items[0], tuple(items[1:]))

    def new(self) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        self.call(cls, args)

    def new_with_keywords(self) -> None:
        keywords, args, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        given = (*args, keywords) if isinstance(args, tuple) and isinstance(keywords, Mapping) and keywords.pairs else args
        self.call(cls, given)

    def call(self, function: Any, args: Any) -> None:
        if isinstance(args, tuple):
            self.copied += sum(_length(item) for item in args[:4])
            if self.copied > MAX_COPIED:
                raise Flaw("excess")
        try:
            made = build(function, args)
        except Refused:
            made = self.note("call", function, args)
        except Oddity as oddity:
            self.odd(oddity.word)
            made = None
        self.stack.append(made)

    def note(self, kind: Kind, function: Any, args: Any) -> Foreign:
        """Record what would be done; what a call would give."""
        if not isinstance(function, Name | Foreign):
            raise Flaw("stack")  # a value that cannot be called
        label = label_of(function)
        if label in self.names:
            self.names[label].called = True
        calls = self.made.calls
        argument = shown(args, self.source)
        if len(calls) < MAX_CALLS or label not in self.told:
            if len(self.told) > MAX_NAMES:
                raise Flaw("excess")
            self.told.add(label)
            calls.append((kind, label, argument, self.source.position))
            if label in LOADERS and isinstance(args, tuple) and args and isinstance(args[0], Blob) and self.within < MAX_WITHIN:
                inner = walk(self.source.part(args[0].offset, args[0].offset + args[0].length), self.within + 1)
                calls.extend(inner.calls)
        return Foreign(f"{label}{argument}"[:EXCERPT] if kind == "call" else label)

    def set_state(self) -> None:
        state = self.stack.pop()
        instance = self.stack[-1]
        try:
            if not set_state(instance, state):
                self.note("change", instance, state)
        except Oddity as oddity:
            self.odd(oddity.word)

    # buffers

    def next_buffer(self) -> None:
        self.stack.append(Blob(-1, 0, "elsewhere"))
        self.odd("buffer")  # paddle.load gives none: pickle raises UnpicklingError

    def buffer_is_read_only(self) -> None:
        if not isinstance(self.stack[-1], Blob):
            raise Flaw("stack")


def _length(value: Any) -> int:
    return len(value.pairs) if isinstance(value, Mapping) else len(value) if isinstance(value, list | tuple) else 0


def _word(value: Any) -> str:
    return str(value) if isinstance(value, str) else shown(value)


def _handlers() -> list[Handler | None]:
    """What each opcode does, by its byte."""
    w = _Walker
    table: dict[str, Handler] = {
        # containers and the stack
        "(": w.mark, ".": w.stop, "0": w.pop, "1": w.pop_to_mark, "2": lambda m: m.stack.append(m.stack[-1]),
        "}": lambda m: m.stack.append(Mapping()), "]": lambda m: m.stack.append([]), ")": lambda m: m.stack.append(()),
        "\x8f": w.empty_set, "\x90": w.add_items, "\x91": w.frozen_set,
        "a": w.append, "e": w.appends, "s": w.set_item, "u": w.set_items, "d": w.dict_of_items,
        "l": w.list_of_items, "t": w.tuple_of_items,
        "\x85": lambda m: m.tuple_of(1), "\x86": lambda m: m.tuple_of(2), "\x87": lambda m: m.tuple_of(3),
        # the memo
        "\x94": lambda m: m.put(len(m.memo)), "q": lambda m: m.put(m.source.byte()), "r": lambda m: m.put(m.source.number(4)),
        "h": lambda m: m.get(m.source.byte()), "j": lambda m: m.get(m.source.number(4)),
        # constants and numbers
        "N": lambda m: m.stack.append(None), "\x88": lambda m: m.stack.append(True), "\x89": lambda m: m.stack.append(False),
        "K": lambda m: m.stack.append(m.source.byte()), "M": lambda m: m.stack.append(m.source.number(2)),
        "J": lambda m: m.stack.append(m.source.number(4, signed=True)), "G": w.binary_float,
        "\x8a": lambda m: m.long(m.source.byte()), "\x8b": lambda m: m.long(m.source.number(4, signed=True)),
        "I": lambda m: m.number_line("int"), "L": lambda m: m.number_line("long"), "F": lambda m: m.number_line("float"),
        # texts
        "\x8c": lambda m: m.text(m.source.byte(), "utf-8"), "X": lambda m: m.text(m.source.number(4), "utf-8"),
        "\x8d": lambda m: m.text(m.source.number(8), "utf-8"),
        "U": lambda m: m.text(m.source.byte(), "latin-1"), "T": lambda m: m.text(m.source.number(4, signed=True), "latin-1"),
        "V": lambda m: m.text_line("unicode-escape"), "S": lambda m: m.text_line("escape"),
        # bytes
        "C": lambda m: m.blob(m.source.byte()), "B": lambda m: m.blob(m.source.number(4)), "\x8e": lambda m: m.blob(m.source.number(8)),
        "\x96": lambda m: m.blob(m.source.number(8)), "\x97": w.next_buffer, "\x98": w.buffer_is_read_only,
        # names and calls
        "c": w.global_line, "\x93": w.stack_global, "R": w.reduce, "b": w.set_state, "i": w.instance_line, "o": w.instance,
        "\x81": w.new, "\x92": w.new_with_keywords,
        "\x82": lambda m: m.extension(1), "\x83": lambda m: m.extension(2), "\x84": lambda m: m.extension(4),
        "P": w.persistent, "Q": w.persistent,
        # the frame of the pickle
        "\x80": w.protocol, "\x95": w.frame,
        "p": lambda m: m.put(m.index_line()), "g": lambda m: m.get(m.index_line()),
    }  # fmt: skip
    return [table.get(chr(code)) for code in range(256)]


HANDLERS = _handlers()
