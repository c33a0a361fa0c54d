"""Both ways of reading a label file give the same, and give what PaddleClas gives, whatever the file holds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.facts import label_lines, label_scan
from checks.facts.base import Unreadable
from checks.facts.label_format import MODERN, LabelFormat
from checks.facts.label_lines import read_lines, visible
from checks.facts.label_scan import Scan, scan_file
from tests.label_files import CHUNKS, PLAIN, SLOW, SPACES, cases, reference, tally

ROOT = Path(__file__).resolve().parents[3]


def outcome(scan: Scan) -> dict[str, Any]:
    """Everything that a scan found, ready to be compared."""
    return msgspec.structs.asdict(scan)


def scan_bytes(data: bytes, rule: LabelFormat, *, large: bool, chunk: int = 1 << 20, most: int = 1 << 16) -> Scan:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_lines, "CHUNK", chunk)
        patch.setattr(label_lines, "MAX_LINE", most)
        path = os.path.join(folder, "list.txt")
        Path(path).write_bytes(data)
        return scan_file(path, rule, large)


@SLOW
@given(case=cases(), chunk=CHUNKS, most=st.sampled_from([16, 1 << 16, 1 << 16]))
@example(case=(b"a//b.jpg 0\na/b.jpg 0\n", PLAIN), chunk=64, most=1 << 16)
@example(case=(b"a/ 0\na 0\n", PLAIN), chunk=64, most=1 << 16)
@example(case=(b"a\t 3\na 3\n", SPACES), chunk=64, most=1 << 16)
@example(case=(b"a\tb 3\n", SPACES), chunk=64, most=1 << 16)
@example(case=("a\u3000b 3\na\u3000 3\n".encode(), SPACES), chunk=64, most=1 << 16)
@example(case=(b"a.jpg11\nb.jpg12\n", LabelFormat(separator="1")), chunk=64, most=1 << 16)
@example(case=(b"a\x7fb.jpg 1\n", PLAIN), chunk=64, most=1 << 16)
@example(case=(b"a.jpg 1\n", PLAIN), chunk=64, most=1 << 16)
@example(case=(b"a-very-long-path/of-a-picture.jpg 1\nb 1\n", PLAIN), chunk=1 << 20, most=1 << 16)
@example(case=("猫猫猫猫猫猫 1\n".encode(), PLAIN), chunk=64, most=16)
@example(case=(b"a 0\rb 1\r", PLAIN), chunk=4, most=1 << 16)
@example(case=(b"a" * 100, PLAIN), chunk=7, most=16)
def test_the_two_ways_agree_with_each_other_and_with_paddleclas(case: tuple[bytes, LabelFormat], chunk: int, most: int) -> None:
    data, rule = case
    small = outcome(scan_bytes(data, rule, large=False, chunk=chunk, most=most))
    large = outcome(scan_bytes(data, rule, large=True, chunk=chunk, most=most))
    assert small == large
    expected = reference(data, rule, most=most)
    assert small["lines"] == expected.lines
    assert small["samples"] == len(expected.samples)
    assert sum(small["bad_counts"].values()) == len(expected.bad)
    shown = [line for line, *_ in small["bad"]]
    kept = sum(min(count, label_scan.MAX_BAD) for count in small["bad_counts"].values())
    assert (len(shown), set(shown) <= set(expected.bad), shown[:1]) == (kept, True, expected.bad[:1])
    if rule.labels == "class":
        assert small["per_class"] == tally(expected)
    else:
        assert sum(small["widths"].values()) == len(expected.samples)
    assert small["bom"] == data.startswith(b"\xef\xbb\xbf")
    assert small["crlf"] == (b"\r\n" in data)
    assert small["size"] == len(data)
    if most > len(data):
        assert (small["not_utf8"] is None) == _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@SLOW
@given(case=cases(), chunk=st.sampled_from([3, 4, 5, 7, 64]), large=st.booleans())
def test_it_does_not_matter_where_the_borders_of_the_chunks_fall(case: tuple[bytes, LabelFormat], chunk: int, large: bool) -> None:
    data, rule = case
    pieces = outcome(scan_bytes(data, rule, large=large, chunk=chunk))
    whole = outcome(scan_bytes(data, rule, large=large))
    assert pieces == whole


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.text("abcdefgh/_0123456789", min_size=1, max_size=40), st.integers(0, 2000)), min_size=1, max_size=300),
    large=st.booleans(),
)
def test_a_list_without_accidents_is_read_in_full(rows: list[tuple[str, int]], large: bool) -> None:
    data = "".join(f"{path} {label}\n" for path, label in rows).encode()
    found = scan_bytes(data, PLAIN, large=large)
    assert found.samples == found.lines == len(rows)
    assert found.bad == []
    assert found.per_class == tally(reference(data, PLAIN))


@pytest.mark.parametrize("large", [False, True])
def test_read_lines_counts_as_the_scan_does(large: bool, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(b"a 0\r\nb x\r\n\xffc 1\rd 2\n" + b"e" * (1 << 17) + b"\nf\x1c\x0c 3\ng y")
    found = scan_file(str(path), PLAIN, large)
    assert [(line, reason) for line, reason, *_ in found.bad] == [(2, "not-integer"), (5, "too-long"), (7, "not-integer")]
    lines = read_lines(str(path), {1, 2, 3, 4, 6, 7, 99})
    assert {number: line.strip() for number, line in lines.items()} == {
        1: "a 0",
        2: "b x",
        3: "\udcffc 1",
        4: "d 2",
        6: "f\x1c\x0c 3",
        7: "g y",
    }
    assert read_lines(str(path), set()) == {}


@pytest.mark.parametrize("large", [False, True])
class TestDetails:
    def test_bad_lines_are_kept_with_their_text_and_only_the_first_of_them(self, large: bool) -> None:
        found = scan_bytes(b"a\tb\n" * 30 + b"ok 1\n", PLAIN, large=large)
        assert found.bad_counts == {"no-label": 30}
        assert len(found.bad) == label_scan.MAX_BAD
        assert found.bad[0] == (1, "no-label", "a\\tb", None)

    def test_the_separator_that_the_list_was_written_with(self, large: bool) -> None:
        found = scan_bytes(b"a.jpg,1\nb.jpg,2\nc.jpg;3\n", PLAIN, large=large)
        assert found.guesses == {",": 2, ";": 1}
        assert found.bad_counts == {"wrong-separator": 3}

    def test_invisible_characters_are_named_by_line(self, large: bool) -> None:
        found = scan_bytes("a\u200b.jpg 0\nb.jpg 1\n\ufeffc.jpg\u00a0 2\n".encode(), PLAIN, large=large)
        assert found.invisible == [(1, "U+200B"), (3, "U+00A0 U+FEFF")]
        assert found.invisible_lines == 2

    @pytest.mark.parametrize(
        ("name", "encoding"), [("gb18030", "gb18030"), ("big5", "big5"), ("shift_jis", "shift_jis"), ("utf-16-le", None)]
    )
    def test_the_first_byte_that_is_not_utf8(self, large: bool, name: str, encoding: str | None) -> None:
        if encoding is None:
            with pytest.raises(Unreadable, match="file-binary"):
                scan_bytes("a.jpg 0\n图.jpg 1\n".encode(name), PLAIN, large=large)
            return
        found = scan_bytes(b"a.jpg 0\n" + "圖片.jpg 1\n".encode(name), PLAIN, large=large)
        assert found.not_utf8 == (2, "圖".encode(name)[0], encoding)
        assert found.samples == 2

    def test_a_line_of_64_kib_is_reported_and_the_rest_is_read(self, large: bool) -> None:
        long = b"x" * (label_lines.MAX_LINE - 2)
        found = scan_bytes(b"a 0\n" + long + b" 1\n" + long[:-1] + b" 2\nb 1\n", PLAIN, large=large)
        assert [(line, reason) for line, reason, *_ in found.bad] == [(2, "too-long")]
        assert found.bad[0][2] == "x" * label_lines.PREVIEW + "…"
        assert found.per_class == {0: (1, 1), 1: (1, 4), 2: (1, 3)}

    def test_an_empty_file(self, large: bool) -> None:
        found = outcome(scan_bytes(b"", PLAIN, large=large))
        assert (found["lines"], found["samples"], found["per_class"]) == (0, 0, {})

    def test_only_blank_lines(self, large: bool) -> None:
        found = scan_bytes(b"\n\r\n \n\r", PLAIN, large=large)
        assert (found.lines, found.bad_counts) == (4, {"blank": 4})

    def test_labels_far_apart_are_not_an_array(self, large: bool) -> None:
        found = scan_bytes(b"a 9223372036854775807\nb -9223372036854775808\nc 0\nd 0\n", PLAIN, large=large)
        assert found.per_class == {-(2**63): (1, 2), 0: (2, 3), 2**63 - 1: (1, 1)}

    def test_multilabel_rows_are_counted_by_width(self, large: bool) -> None:
        found = scan_bytes(b"a\t1,0,1\nb\t1,0\nc\t0,0,0\n", MODERN["MultiLabelDataset"], large=large)
        assert found.widths == {3: 2, 2: 1}
        assert found.per_class == {}

    def test_extra_columns_are_counted(self, large: bool) -> None:
        found = scan_bytes(b"b 2\na 1 7\n", SPACES, large=large)
        assert (found.extra_columns, found.first_extra) == (1, 2)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u00a0b", "a<U+00A0>b"),
        ("\ufeffa", "<U+FEFF>a"),
        ("a\x1b[31m", "a<U+001B>[31m"),
        ("\udcff", "\ufffd"),
        ("x" * 61, "x" * 60 + "…"),
        ("猫\t狗", "猫\\t狗"),
    ],
)
def test_what_is_shown_can_be_seen(text: str, shown: str) -> None:
    assert visible(text) == shown


# Hostile files


def run_python(code: str, *arguments: str, timeout: float = 60.0) -> str:
    """Run code in a fresh interpreter; one that hangs fails the test instead of stopping it."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


REASON = """
import sys
from checks.facts.base import Unreadable
from checks.facts.label_format import LabelFormat
from checks.facts.label_scan import scan_file
for large in (False, True):
    try:
        scan_file(sys.argv[1], LabelFormat(), large)
    except Unreadable as error:
        print(error.unavailable.reason, error.unavailable.values["file"] == sys.argv[1])
"""


def reason_of(path: str) -> str:
    first, second = run_python(REASON, path).splitlines()
    assert first == second
    reason, named = first.split()
    assert named == "True"
    return reason


def test_a_fifo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.txt")
    assert reason_of(str(tmp_path / "list.txt")) == "file-not-regular"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_devices(device: str) -> None:
    if not os.path.exists(device):
        pytest.skip(f"no {device} here")
    assert reason_of(device) == "file-not-regular"


def test_a_link_to_a_device(tmp_path: Path) -> None:
    (tmp_path / "list.txt").symlink_to("/dev/zero")
    assert reason_of(str(tmp_path / "list.txt")) == "file-not-regular"


def test_a_file_that_is_regular_by_name_only() -> None:
    """Linux calls /proc/kmsg regular, and reading it waits for the kernel to speak."""
    if not os.access("/proc/kmsg", os.R_OK):
        pytest.skip("no right to read /proc/kmsg")
    run_python(REASON, "/proc/kmsg", timeout=20)


def test_folder_missing_and_bad_names(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("a 0\n")
    for name, reason in [
        ("", "file-is-directory"),
        ("nowhere.txt", "file-missing"),
        ("loop", "file-unreadable"),
        ("file/below", "file-unreadable"),
        ("n" * 300, "file-unreadable"),
        ("nul\0.txt", "file-unreadable"),
    ]:
        with pytest.raises(Unreadable) as caught:
            scan_file(os.path.join(tmp_path, name), PLAIN, False)
        assert caught.value.unavailable.reason == reason, name


def test_no_read_permission() -> None:
    """Root may read everything, so the reader gives its rights up first."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "list.txt")
        Path(path).write_text("a 0\n")
        os.chmod(path, 0)
        code = REASON.replace("for large in", "import numpy, os\nif os.getuid() == 0: os.setuid(65534)\nfor large in")
        assert run_python(code, path).splitlines() == ["file-no-permission True"] * 2
        os.chmod(folder, 0o700)
        os.chmod(path, 0o644)
        if os.getuid() == 0:
            assert run_python(code, path).splitlines() == ["file-no-permission True"] * 2


@pytest.mark.parametrize("large", [False, True])
def test_binary(large: bool) -> None:
    for data in (b"\x7fELF\x02\x01\x01\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(100_000)):
        with pytest.raises(Unreadable, match="file-binary"):
            scan_bytes(data, PLAIN, large=large)
    found = scan_bytes(b"\xff\xd8\xff\xe1" * 4000, PLAIN, large=large)  # binary without a zero
    assert found.samples == 0
    assert found.lines == 1


MEMORY = """
import sys, tracemalloc
from checks.facts.label_format import LabelFormat
from checks.facts.label_lines import read_lines
from checks.facts.label_scan import scan_file
import numpy
tracemalloc.start()
found = scan_file(sys.argv[1], LabelFormat(), sys.argv[2] == "large")
lines = read_lines(sys.argv[1], {1, 3})
print(found.lines, found.samples, found.bad_counts, sorted(lines), tracemalloc.get_traced_memory()[1])
"""


@pytest.mark.parametrize("way", ["small", "large"])
@pytest.mark.parametrize("ending", ["", "\n", "\r", "\r\nb.jpg 1\n"])
def test_one_line_of_50_mb_in_little_memory(way: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    with open(path, "wb") as stream:
        stream.write(b"a.jpg 0\n")
        for _ in range(50):
            stream.write(b"x" * 1_000_000)
        stream.write(ending.encode())
    *head, peak = run_python(MEMORY, str(path), way, timeout=120).split()
    expected = "3 2 {'too-long': 1} [1, 3]" if "b.jpg" in ending else "2 1 {'too-long': 1} [1]"
    assert " ".join(head) == expected
    assert int(peak) < 16 << 20


@pytest.mark.parametrize("way", ["small", "large"])
def test_one_line_of_50_mb_of_unicode_in_little_memory(way: str, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes("猫🐈".encode() * 7_500_000)
    *head, peak = run_python(MEMORY, str(path), way, timeout=120).split()
    assert " ".join(head) == "1 0 {'too-long': 1} [1]" or " ".join(head) == "1 0 {'too-long': 1} []"
    assert int(peak) < 16 << 20


def test_many_long_lines_cost_what_their_bytes_cost(tmp_path: Path) -> None:
    """One line of 60 KB among short ones must not make every short line as dear."""
    path = tmp_path / "list.txt"
    block = b"x" * 60_000 + b" 0\n" + b"".join(b"p/%d.jpg %d\n" % (k, k) for k in range(60_000))
    path.write_bytes(block * 4)
    code = MEMORY.replace("tracemalloc.start()", "tracemalloc.start(); import signal; signal.alarm(20)")
    assert run_python(code, str(path), "large", timeout=40).startswith(f"{4 * 60_001} {4 * 60_001} {{}}")
