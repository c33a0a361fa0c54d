"""Reading label files as streams: small ones line by line, large ones a mebibyte at a time with numpy.

Both ways give the same counts (a property test holds them together); the second is there for lists of the size of ImageNet. A line of the
usual shape, `path<separator>digits`, is read on the fast way, and every other line by `parse_line`, which is the dataset class's own rule.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from checks.facts.base import Unreadable
from checks.facts.label_format import LabelFormat, Parsed, guess_separator, parse_line

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    import numpy as np
    import numpy.typing as npt

CHUNK = 1 << 20
MAX_LINE = 1 << 16
"""A line longer than 64 KiB is no `path label` (Linux paths end at 4 KiB); it is reported and skipped, not kept in memory."""
LARGE = 1 << 20
"""From 1 MiB of label files on, numpy's 80 ms of import are won back."""
MAX_BAD = 11
"""How many bad lines of one kind are kept with their text; one more than the report shows, so that it can say there are more."""
MAX_VALUES = 100
"""How many different values of multi-label rows are counted one by one."""
PREVIEW = 60

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u2064\u3000\ufeff]")
_WIDE_SPACE = re.compile(rb"\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80")
"""What `str.isspace` counts as white space beyond ASCII, in UTF-8."""
_INT64 = 2**63
_USUAL_LENGTH = 128
_GOLDEN = 0x9E3779B97F4A7C15
_GOLDEN_SQUARED = 0xD1B54A32D192ED03


class Scan:
    """What one pass over a label file found. Line numbers count from 1; keys stand for paths, and equal keys for equal paths."""

    def __init__(self, rule: LabelFormat) -> None:
        self.rule = rule
        self.size = 0
        self.lines = 0
        self.samples = 0
        self.per_class: dict[int, tuple[int, int]] = {}
        self.bad: list[tuple[int, str, str, str | None]] = []
        self.bad_counts: dict[str, int] = {}
        self.guesses: dict[str, int] = {}
        self.extra_columns = 0
        self.first_extra: int | None = None
        self.double_separators = 0
        self.widths: dict[int, int] = {}
        self.width_lines: dict[int, int] = {}
        self.positives: list[int] = []
        self.values: dict[int, int] = {}
        self.invisible: list[tuple[int, str]] = []
        self.invisible_lines = 0
        self.bom = False
        self.crlf = False
        self.not_utf8: tuple[int, int, str] | None = None
        self.paths: _Paths | None = None

    def note_bad(self, line: int, reason: str, text: str) -> None:
        """Count a line that the dataset class cannot read; the first ones are kept with their text."""
        self.bad_counts[reason] = self.bad_counts.get(reason, 0) + 1
        if self.bad_counts[reason] <= MAX_BAD:
            self.bad.append((line, reason, visible(text), self._label_text(text)))
        if reason == "wrong-separator":
            guess = guess_separator(text, self.rule)
            if guess is not None:
                self.guesses[guess] = self.guesses.get(guess, 0) + 1

    def _label_text(self, text: str) -> str | None:
        parts = text.strip().split(self.rule.separator or None) if text.strip() else []
        return visible(parts[self.rule.label_column]) if len(parts) > self.rule.label_column else None

    def note_too_long(self, line: int, start: bytes) -> None:
        """Count a line that is no `path label`; `start` is as much of it as was kept."""
        self.note_bad(line, "too-long", start[: 4 * (PREVIEW + 1)].decode("utf-8", "replace"))

    def note_invisible(self, line: int, text: str) -> None:
        """Remember the characters of a line that nobody sees, as code points."""
        points = sorted({f"U+{ord(c):04X}" for c in _INVISIBLE.findall(text)})
        if points:
            self.invisible_lines += 1
            if len(self.invisible) < MAX_BAD:
                self.invisible.append((line, " ".join(points)))

    def read_exactly(self, number: int, text: str) -> Parsed | None:
        """One line by the dataset class's own rule; what is wrong with it is noted."""
        parsed = parse_line(text, self.rule)
        if self.rule.separator and 2 * self.rule.separator in text.strip():
            self.double_separators += 1
        if isinstance(parsed, str):
            self.note_bad(number, parsed, text)
            return None
        if parsed is None:
            return None
        if not all(-_INT64 <= value < _INT64 for value in (parsed.label, *parsed.values)):
            self.note_bad(number, "not-integer", text)
            return None
        if parsed.columns > max(self.rule.image_column, self.rule.label_column) + 1:
            self.extra_columns += 1
            self.first_extra = self.first_extra or number
        if self.rule.labels == "multilabel":
            self._note_values(number, parsed.values)
        return parsed

    def _note_values(self, number: int, values: tuple[int, ...]) -> None:
        self.widths[len(values)] = self.widths.get(len(values), 0) + 1
        self.width_lines.setdefault(len(values), number)
        self.positives += [0] * (len(values) - len(self.positives))
        for column, value in enumerate(values):
            self.positives[column] += value == 1
            if value in self.values or len(self.values) < MAX_VALUES:
                self.values[value] = self.values.get(value, 0) + 1


class Duplicate:
    """One path on two lines; `same_label` is False where the lines disagree on its class."""

    __slots__ = ("first", "path", "same_label", "second")

    def __init__(self, first: int, second: int, path: str, same_label: bool) -> None:
        self.first, self.second, self.path, self.same_label = first, second, path, same_label


def scan_file(path: str, rule: LabelFormat, prefix: str, large: bool) -> Scan:
    """Read a label file once.

    Args:
        path: the file.
        rule: how its dataset class reads a line.
        prefix: what to put before relative paths, so that paths of lists with different image roots can be compared.
        large: read with numpy. Lists that are to be compared must be read in the same way.

    Raises:
        Unreadable: missing, a folder, a device, without permission, or binary.
    """
    scan = Scan(rule)
    with _open(path) as stream:
        scan.size = os.fstat(stream.fileno()).st_size
        chunks = _chunks(stream, scan, path)
        _scan_large(chunks, scan, prefix) if large and has_numpy() else _scan_small(chunks, scan, prefix)
    return scan


def visible(text: str, longest: int | None = PREVIEW) -> str:
    """Text for a person: what cannot be seen is written as its code point; cut after `longest` characters."""
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if longest is not None and len(text) > longest:
        text = text[:longest] + "…"
    return _INVISIBLE.sub(lambda m: f"<U+{ord(m.group()):04X}>", text).replace("\t", "\\t")


def read_lines(path: str, numbers: set[int]) -> dict[int, str]:
    """The text of a few lines of a file, by their numbers; lines that are too long are left out.

    Raises:
        Unreadable: as `scan_file`.
    """
    found: dict[int, str] = {}
    counter = Scan(LabelFormat())
    with _open(path) as stream:
        for piece in _chunks(stream, counter, path):
            first = counter.lines + 1
            counter.lines += piece.count(b"\n")
            here = [number for number in numbers if first <= number <= counter.lines]
            lines = piece.split(b"\n") if here else []
            found.update((number, lines[number - first].decode("utf-8", "surrogateescape")) for number in here)
            if counter.lines >= max(numbers, default=0):
                break
    return found


def count_folders(path: str, rule: LabelFormat, most: int) -> dict[str, dict[int, int]] | None:
    """Samples per label in each folder, as the list writes it; None for more than `most` folders, and for multi-label rows.

    Raises:
        Unreadable: as `scan_file`.
    """
    if rule.labels != "class":
        return None
    folders: dict[str, dict[int, int]] = {}
    with _open(path) as stream:
        for piece in _chunks(stream, Scan(rule), path):
            for line in piece.decode("utf-8", "surrogateescape").split("\n")[:-1]:
                parsed = parse_line(line, rule) if len(line) < MAX_LINE else None
                if not isinstance(parsed, Parsed) or not -_INT64 <= parsed.label < _INT64:
                    continue
                labels = folders.setdefault(parsed.path.rpartition("/")[0], {})
                if len(folders) > most:
                    return None
                labels[parsed.label] = labels.get(parsed.label, 0) + 1
    return folders


def _open(path: str) -> Any:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("file-is-directory", file=path)
        if not stat.S_ISREG(mode):
            raise Unreadable("file-not-regular", file=path)
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb", buffering=0)
    except FileNotFoundError:
        raise Unreadable("file-missing", file=path) from None
    except PermissionError:
        raise Unreadable("file-no-permission", file=path) from None
    except (OSError, ValueError) as error:
        raise Unreadable("file-unreadable", file=path, error=getattr(error, "strerror", None) or str(error)) from None


def _chunks(stream: Any, scan: Scan, path: str) -> Iterator[bytes]:
    """Whole lines, about a mebibyte at a time, their ends normalised to `\\n`. Whoever reads them counts `scan.lines` up."""
    rest, skipping, first = b"", False, True
    while True:
        try:
            block = stream.read(CHUNK) or b""  # None from a file that would have us wait, such as /proc/kmsg
        except OSError as error:
            raise Unreadable("file-unreadable", file=path, error=error.strerror or str(error)) from None
        if first:
            first = False
            scan.bom = block.startswith(b"\xef\xbb\xbf")
            if b"\0" in block[:8192]:
                raise Unreadable("file-binary", file=path)
        data, held = rest + block, b""
        if not block and (data or skipping) and not data.endswith(b"\r"):
            data += b"\n"  # the last line has no end of its own
        if b"\r" in data:
            if data.endswith(b"\r") and block:
                data, held = data[:-1], b"\r"
            scan.crlf = scan.crlf or b"\r\n" in data
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if skipping:
            end = data.find(b"\n") + 1
            if not end:
                rest = held
                continue
            data, skipping = data[end:], False
            scan.lines += 1
        cut = data.rfind(b"\n") + 1
        whole, rest = data[:cut], data[cut:] + held
        if whole:
            yield whole
        if len(data) - cut >= MAX_LINE:
            scan.note_too_long(scan.lines + 1, rest)
            rest, skipping = held, True
        if not block:
            return


def _decode(number: int, piece: bytes, scan: Scan) -> str:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError as error:
        if scan.not_utf8 is None:
            start = piece.rfind(b"\n", 0, error.start) + 1
            end = piece.find(b"\n", error.start)
            line = piece[start : end if end >= 0 else len(piece)]
            scan.not_utf8 = (number + piece.count(b"\n", 0, error.start), piece[error.start], _encoding_of(line))
        return piece.decode("utf-8", "surrogateescape")


def _encoding_of(line: bytes) -> str:
    for name in ("gb18030", "big5", "shift_jis"):
        try:
            line.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return ""


def _plain_rule(rule: LabelFormat) -> str | None:
    """The separator byte, where lines have the shape that the fast ways know."""
    simple = (rule.image_column, rule.label_column, rule.header, rule.labels) == (0, 1, None, "class")
    separator = " " if rule.separator is None else rule.separator
    return separator if simple and len(separator) == 1 and separator.isascii() and not separator.isdigit() else None


def _too_long(line: str) -> bool:
    return 4 * len(line) >= MAX_LINE and len(line.encode("utf-8", "surrogateescape")) >= MAX_LINE


def _join(prefix: str, path: str) -> str:
    if path.startswith("/"):
        prefix = ""
    if prefix or path[:1] in ("", ".") or path[-1] == "/" or "/." in path or "//" in path:
        return posixpath.normpath(prefix + path)
    return path


def _scan_small(chunks: Iterator[bytes], scan: Scan, prefix: str) -> None:
    separator = _plain_rule(scan.rule)
    offset, forgiving_space = scan.rule.offset, scan.rule.separator is None
    counts: dict[int, int] = {}
    firsts: dict[int, int] = {}
    seen: dict[str, tuple[int, int]] = {}
    paths = _SmallPaths(seen)
    for piece in chunks:
        first_number = scan.lines + 1
        text = _decode(first_number, piece, scan)
        if _INVISIBLE.search(text):
            for number, line in enumerate(text.split("\n"), first_number):
                scan.note_invisible(number, line)
        number = first_number - 1
        lines = text.split("\n")
        lines.pop()
        scan.lines += len(lines)
        for line in lines:
            number += 1
            path = ""
            if separator is not None and 4 * len(line) < MAX_LINE:
                path, _, tail = line.partition(separator)
                # an ASCII digit string of at most 18 digits, behind a path that strip() leaves alone
                if tail.isdigit() and tail.isascii() and path and not path[0].isspace() and len(tail) < 19:
                    label = int(tail) + offset
                    if forgiving_space and path.split() != [path]:
                        path = ""
                else:
                    path = ""
            if not path:
                if _too_long(line):
                    scan.note_too_long(number, line.encode("utf-8", "surrogateescape"))
                    continue
                parsed = scan.read_exactly(number, line)
                if parsed is None:
                    continue
                path, label = parsed.path, hash(parsed.values) if parsed.values else parsed.label
            scan.samples += 1
            if label in counts:
                counts[label] += 1
            else:
                counts[label] = 1
                firsts[label] = number
            path = _join(prefix, path)
            if path in seen:
                paths.repeat(path, number, label)
            else:
                seen[path] = (number, label)
    if scan.rule.labels == "class":
        scan.per_class = {label: (counts[label], firsts[label]) for label in sorted(counts)}
    scan.paths = paths


def has_numpy() -> bool:
    """Whether the fast way can be gone; the import takes 80 ms."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return False
    return True


def _scan_large(chunks: Iterator[bytes], scan: Scan, prefix: str) -> None:
    """Chunk by chunk with numpy; paths are hashed in a second thread meanwhile, which numpy lets run beside this one."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        _scan_chunks(chunks, scan, prefix, pool)


def _scan_chunks(chunks: Iterator[bytes], scan: Scan, prefix: str, pool: ThreadPoolExecutor) -> None:
    import numpy as np

    separator = _plain_rule(scan.rule)
    all_labels: list[npt.NDArray[np.int64]] = []
    all_numbers: list[npt.NDArray[np.int64]] = []
    all_hashes: list[Future[npt.NDArray[np.uint64]]] = []
    encoded_prefix = prefix.encode("utf-8", "surrogateescape")
    for piece in chunks:
        first_number = scan.lines + 1
        ascii_only = piece.isascii()
        text = "" if ascii_only else _decode(first_number, piece, scan)
        buffer = np.frombuffer(piece, np.uint8)
        ends, places, controls = _ends_and_separators(np, buffer, separator)
        scan.lines += len(ends)
        starts = np.empty_like(ends)
        starts[0], starts[1:] = 0, ends[:-1] + 1
        if controls or b"\x7f" in piece or (not ascii_only and _INVISIBLE.search(text)):
            for number, line in enumerate((text or piece.decode("utf-8", "surrogateescape")).split("\n"), first_number):
                scan.note_invisible(number, line)
        strange = _strange_lines(np, piece, buffer, ends, scan.rule.separator is None)
        good, labels, path_ends = _usual_lines(np, buffer, starts, ends, places, strange, bool(prefix))
        numbers = np.arange(first_number, first_number + len(ends), dtype=np.int32)
        if len(good):
            all_labels.append(labels + scan.rule.offset if scan.rule.offset else labels)
            all_numbers.append(numbers[good])
            if encoded_prefix:
                prefixed = encoded_prefix + piece.replace(b"\n", b"\n" + encoded_prefix)
                shift = good * len(encoded_prefix)
                all_hashes.append(pool.submit(_hash_spans, np, prefixed, starts[good] + shift, path_ends + shift + len(encoded_prefix)))
            else:
                all_hashes.append(pool.submit(_hash_spans, np, piece, starts[good], path_ends))
        odd = np.ones(len(ends), bool)
        odd[good] = False
        late_labels, late_numbers, late_paths = [], [], []
        for index in np.flatnonzero(odd).tolist():
            number = first_number + index
            raw = piece[starts[index] : ends[index]]
            if len(raw) >= MAX_LINE:
                scan.note_too_long(number, raw)
                continue
            parsed = scan.read_exactly(number, raw.decode("utf-8", "surrogateescape"))
            if parsed is not None:
                late_labels.append(hash(parsed.values) if parsed.values else parsed.label)
                late_numbers.append(number)
                late_paths.append(_join(prefix, parsed.path).encode("utf-8", "surrogateescape"))
        if late_labels:
            all_labels.append(np.array(late_labels, np.int64))
            all_numbers.append(np.array(late_numbers, np.int32))
            late_ends = np.cumsum([len(path) for path in late_paths])
            late_starts = np.concatenate(([0], late_ends[:-1]))
            all_hashes.append(pool.submit(_hash_spans, np, b"".join(late_paths), late_starts, late_ends))
    empty = np.zeros(0, np.int64)
    label_ids: Any = np.concatenate(all_labels) if all_labels else empty
    all_labels.clear()  # each list is let go before the next is joined: at 1.3 million lines that is 10 MB each
    line_numbers: Any = np.concatenate(all_numbers) if all_numbers else empty
    all_numbers.clear()
    hashes = np.concatenate([job.result() for job in all_hashes]) if all_hashes else empty.astype(np.uint64)
    all_hashes.clear()
    scan.samples = len(label_ids)
    if scan.rule.labels == "class":
        scan.per_class = _count(np, label_ids, line_numbers)
    scan.paths = _LargePaths(np, hashes, line_numbers, label_ids)


def _ends_and_separators(np: Any, buffer: Any, separator: str | None) -> tuple[Any, Any, bool]:
    """Where lines end, where separators stand (None without one), and whether there are control characters."""
    low = np.flatnonzero(buffer < 33)
    if separator == " " and len(low) % 2 == 0:
        # nearly every list is "path label\n" throughout: then what is not printable alternates, and one search is enough
        places, ends = low[0::2], low[1::2]
        if bool(np.all(buffer[places] == 32)) and bool(np.all(buffer[ends] == 10)):
            return np.ascontiguousarray(ends), np.ascontiguousarray(places), False
    kinds = buffer[low]
    ends = low[kinds == 10]
    controls = bool(np.any((kinds < 32) & (kinds != 10) & (kinds != 9)))
    return ends, None if separator is None else np.flatnonzero(buffer == ord(separator)), controls


def _strange_lines(np: Any, piece: bytes, buffer: Any, ends: Any, any_space: bool) -> Any:
    """Indexes of the lines whose path may not be taken as it stands: it is to be normalised, or white space of another kind ends it."""
    spots = np.flatnonzero((buffer[:-1] == 47) & ((buffer[1:] | 1) == 47))  # "//" and "/."
    if any_space:
        spots = np.concatenate((spots, np.flatnonzero((buffer < 32) & (buffer != 10))))
        if not piece.isascii():
            spots = np.concatenate((spots, np.array([match.start() for match in _WIDE_SPACE.finditer(piece)], np.int64)))
    return np.searchsorted(ends, spots)


def _usual_lines(np: Any, buffer: Any, starts: Any, ends: Any, places: Any, strange: Any, has_prefix: bool) -> tuple[Any, Any, Any]:
    """Indexes of the lines `path<separator>digits` that are not `strange`, their labels, and where their paths end."""
    if places is None or len(places) == 0:
        none = np.zeros(0, np.int64)
        return none, none, none
    if len(places) == len(ends) and bool(np.all(places > starts)) and bool(np.all(places < ends)):
        good, middle, last = np.arange(len(ends)), places, ends - 1
    else:
        low = np.searchsorted(places, starts)
        good = np.flatnonzero(np.searchsorted(places, ends) - low == 1)
        middle, last = places[low[good]], ends[good] - 1
    digits = last - middle
    head = buffer[starts[good]]
    # a path that begins with "." is normalised, one that begins with "/" ignores its root: both on the exact way
    fine = (digits >= 1) & (digits <= 9) & (middle > starts[good]) & (head > 32) & (head < 127) & (head != 46)
    fine &= buffer[middle - 1] != 47
    if has_prefix:
        fine &= head != 47
    if len(strange) or int((ends - starts).max()) >= MAX_LINE:
        plain = ends - starts < MAX_LINE
        plain[strange] = False
        fine &= plain[good]
    if not bool(np.all(fine)):
        good, middle, last, digits = good[fine], middle[fine], last[fine], digits[fine]
    labels = np.zeros(len(good), np.int32)
    fine = np.ones(len(good), bool)
    scale = 1
    for place in range(int(digits.max(initial=0))):
        figure = buffer[last - place] - np.uint8(48)  # what is below "0" wraps and is above 9
        value = figure.astype(np.int32) * scale
        if place < int(digits.min(initial=9)):
            fine &= figure <= 9
            labels += value
        else:
            within = digits > place
            fine &= ~within | (figure <= 9)
            labels += np.where(within, value, 0)
        scale *= 10
    if bool(np.all(fine)):
        return good, labels, middle
    return good[fine], labels[fine], middle[fine]


def _hash_spans(np: Any, data: bytes, starts: Any, ends: Any) -> Any:
    """A 64-bit hash of each span of bytes: the sum of its 8-byte words, each times an odd number of its place.

    The last word overlaps the one before, so that no byte needs a mask. The numbers are powers of 2^64 divided by the golden ratio (Knuth,
    TAOCP 3, 6.4). Of 1.3 million different paths two collide with a chance of about 5e-8.
    """
    words = np.ndarray((len(data) + _USUAL_LENGTH,), "<u8", data + bytes(_USUAL_LENGTH + 7), 0, (1,))
    lengths = ends - starts
    longest, shortest = int(lengths.max(initial=0)), int(lengths.min(initial=0))
    factor = _GOLDEN
    state = lengths.astype(np.uint64) * np.uint64(factor)
    longer: Any = None
    for place in range(0, longest - 8, 8):
        factor = factor * _GOLDEN % 2**64
        if place < _USUAL_LENGTH:
            word = words[starts + place] * np.uint64(factor)
            state += word if place + 8 < shortest else np.where(lengths > place + 8, word, 0)
        else:  # one line of 60 kB must not make every line as dear
            longer = np.flatnonzero(lengths > place + 8) if longer is None else longer[lengths[longer] > place + 8]
            state[longer] += words[starts[longer] + place] * np.uint64(factor)
    final = words[np.maximum(ends - 8, starts)]
    if shortest < 8:
        masks = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)
        final = final & masks[np.minimum(lengths, 8)]
    # the last word stands at another place for each length, so its factor must not depend on the place
    return state + (final ^ (final >> np.uint64(31))) * np.uint64(_GOLDEN_SQUARED)


def _count(np: Any, labels: Any, numbers: Any) -> dict[int, tuple[int, int]]:
    if not len(labels):
        return {}
    low, high = int(labels.min()), int(labels.max())
    if high - low < 4 * len(labels) + 1000:
        counts = np.bincount(labels - low)
        firsts = np.zeros(high - low + 1, np.int64)
        order = slice(None, None, -1)
        if bool(np.any(np.diff(numbers) < 0)):
            order = np.argsort(-numbers, kind="stable")
        firsts[(labels - low)[order]] = numbers[order]  # the last write is the smallest line
        ids = np.flatnonzero(counts)
        return dict(zip((ids + low).tolist(), zip(counts[ids].tolist(), firsts[ids].tolist(), strict=True), strict=True))
    order = np.argsort(numbers, kind="stable")
    ids, index, counts = np.unique(labels[order], return_index=True, return_counts=True)
    return dict(zip(ids.tolist(), zip(counts.tolist(), numbers[order][index].tolist(), strict=True), strict=True))


Shared = tuple[int, int, list[tuple[int, int, bool]], dict[tuple[int, int], int]]


class _Paths:
    """The paths of one list: which stand on two lines, and which stand in another list too."""

    def duplicates(self, most: int) -> tuple[int, int, list[tuple[int, int, bool]]]:
        """(lines too many, those of them with another label than the first, examples as (first line, second line, same label))."""
        raise NotImplementedError

    def shared(self, other: Any, most: int) -> Shared:
        """What stands in the other list too; of repeats the first line counts.

        Returns:
            Paths, those of them with another label there, examples as (line here, line there, same label), and paths per pair of labels.
        """
        raise NotImplementedError


class _SmallPaths(_Paths):
    def __init__(self, seen: dict[str, tuple[int, int]]) -> None:
        self.seen = seen
        self.repeats: list[tuple[int, int, bool]] = []

    def repeat(self, path: str, number: int, label: int) -> None:
        first, label_there = self.seen[path]
        self.repeats.append((first, number, label == label_there))

    def duplicates(self, most: int) -> tuple[int, int, list[tuple[int, int, bool]]]:
        conflicts = [r for r in self.repeats if not r[2]]
        examples = (conflicts + [r for r in self.repeats if r[2]])[:most]
        return len(self.repeats), len(conflicts), sorted(examples)

    def shared(self, other: _SmallPaths, most: int) -> Shared:
        rows = []
        pairs: dict[tuple[int, int], int] = {}
        for path, (line, label) in other.seen.items():
            if path in self.seen:
                first, label_here = self.seen[path]
                rows.append((first, line, label == label_here))
                pairs[label_here, label] = pairs.get((label_here, label), 0) + 1
        return len(rows), sum(not same for _, _, same in rows), sorted(rows, key=lambda row: row[1])[:most], pairs


class _LargePaths(_Paths):
    def __init__(self, np: Any, hashes: Any, numbers: Any, labels: Any) -> None:
        self.np = np
        self.hashes = hashes
        self.numbers = numbers
        self.labels = labels
        self._sorted: Any = None

    @property
    def sorted(self) -> Any:
        """The hashes in order."""
        if self._sorted is None:
            self._sorted = self.np.sort(self.hashes)
        return self._sorted

    def duplicates(self, most: int) -> tuple[int, int, list[tuple[int, int, bool]]]:
        np = self.np
        some = self._suspects()
        hashes = np.sort(self.hashes[some])
        total = int(np.count_nonzero(hashes[1:] == hashes[:-1]))
        if not total:
            return 0, 0, []
        order = some[np.lexsort((self.numbers[some], self.hashes[some]))]
        hashes, numbers, labels = self.hashes[order], self.numbers[order], self.labels[order]
        repeat = np.flatnonzero(hashes[1:] == hashes[:-1]) + 1
        new_group = np.ones(len(hashes), bool)
        new_group[repeat] = False
        leader = np.maximum.accumulate(np.where(new_group, np.arange(len(hashes)), 0))[repeat]
        same = labels[repeat] == labels[leader]
        rows = [
            (int(numbers[a]), int(numbers[b]), bool(s))
            for wanted in (False, True)
            for a, b, s in sorted(
                zip(leader[same == wanted], repeat[same == wanted], same[same == wanted], strict=True), key=lambda row: int(numbers[row[1]])
            )[:most]
        ]
        return total, int(np.count_nonzero(~same)), sorted(rows[:most])

    def _suspects(self) -> Any:
        """Indexes of the paths whose hash falls into a slot with another's: all repeats are among them, and few others.

        Sorting those alone is cheaper than sorting all hashes: 50 ms against 75 ms for the 1.3 million of ImageNet.
        """
        np = self.np
        slots = (self.hashes >> np.uint64(43)).astype(np.int64)
        crowded = np.bincount(slots, minlength=1 << 21) > 1
        return np.flatnonzero(crowded[slots])

    def shared(self, other: _LargePaths, most: int) -> Shared:
        np = self.np
        theirs = np.unique(other.hashes)
        if not len(self.sorted) or not len(theirs):
            return 0, 0, [], {}
        place = np.minimum(np.searchsorted(self.sorted, theirs), len(self.sorted) - 1)
        common = theirs[self.sorted[place] == theirs]
        if not len(common):
            return 0, 0, [], {}
        here, there = self._first_of(common), other._first_of(common)
        same = self.labels[here] == other.labels[there]
        lines = sorted(zip(other.numbers[there].tolist(), self.numbers[here].tolist(), same.tolist(), strict=True))[:most]
        pairs, counts = np.unique(np.stack((self.labels[here], other.labels[there])), axis=1, return_counts=True)
        found = dict(zip(zip(*pairs.tolist(), strict=True), counts.tolist(), strict=True))
        return len(common), int(np.count_nonzero(~same)), [(first, line, agree) for line, first, agree in lines], found

    def _first_of(self, wanted: Any) -> Any:
        """For each hash of `wanted`, which is in order, the index of the first line that has it."""
        np = self.np
        indexes = np.flatnonzero(np.isin(self.hashes, wanted))
        indexes = indexes[np.argsort(self.numbers[indexes], kind="stable")]
        return indexes[np.unique(self.hashes[indexes], return_index=True)[1]]
