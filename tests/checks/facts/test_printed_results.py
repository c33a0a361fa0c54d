"""The lines of every generation's programs, and the results read out of them."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.parity import Ranked
from checks.facts.printed import FULL, Printed, base_name
from checks.facts.printed_literals import LONGEST, NoLiteral, literal_end, read_literal
from checks.facts.printed_results import of_dict, of_values, read_results

LOGGER = "[2026/11/24 22:07:39] ppcls INFO: "
DEPLOY = "[2024-01-02 10:11:12,345] [    INFO] predict_cls.py:68 - "
TWO = (8, 7), (0.9, 0.05)

CORPUS: dict[str, tuple[str, list[tuple[object, ...]]]] = {
    "infer static": (
        "current image: d/a.jpg\n"
        "\tclass id: 8, probability: 0.9006\n"
        "\tclass id: 7, probability: 0.0500\n"
        "current image: b.jpg\n"
        "\tclass id: 2, probability: 1.0000\n",
        [("d/a.jpg", (8, 7), (0.9006, 0.05), (), 4), ("b.jpg", (2,), (1.0,), (), 4)],
    ),
    "infer 2.0": (
        "Current image file: d/a.jpg\n\ttop1, class id: 8, probability: 0.9006\n\ttop2, class id: 7, probability: 0.0500\n",
        [("d/a.jpg", (8, 7), (0.9006, 0.05), (), 4)],
    ),
    "infer 2.1": ("File:a.jpg, Top-5 result: class id(s): [8, 7], score(s): [0.90, 0.05]\n", [("a.jpg", *TWO, (), 2)]),
    "infer 2.1, several labels": (
        "File:a.jpg, multilabel result: \n\tclass id: 8, probability: 0.90\n\tclass id: 7, probability: 0.05\n", [("a.jpg", *TWO, (), 2)]
    ),
    "predict static": (
        "".join(f"2021-03-04 10:11:12 INFO: {line}\n" for line in ("image file: a.jpg", "class: 8", "score: 0.9005997")),
        [("a.jpg", (8,), (0.9005997,), (), 7)],
    ),
    "predict 2.0": ("Current image file: a.jpg\n\ttop-1 class: 8\n\ttop-1 score: 0.9005997\n", [("a.jpg", (8,), (0.9005997,), (), 7)]),
    "infer 2.2": (
        "[{'class_ids': [8, 7], 'scores': [0.9, 0.05], 'file_name': 'd/a.jpg', 'label_names': ['hen', \"bird's\"]}]\n",
        [("d/a.jpg", *TWO, ("hen", "bird's"), 2)],
    ),
    "infer 2.5.1": (
        LOGGER + "[{'class_ids': [8, 7], 'scores': [0.90001, 0.05], 'file_name': 'a.jpg', 'label_names': []}, "
        "{'class_ids': [1, 0], 'scores': [1.0, 0.0], 'file_name': 'b]}.jpg', 'label_names': ['[', '{']}]\n",
        [("a.jpg", (8, 7), (0.90001, 0.05), (), 5), ("b]}.jpg", (1, 0), (1.0, 0.0), ("[", "{"), 1)],
    ),
    "threshold, NumPy 2": (
        LOGGER + "[{'class_ids': [1], 'scores': [np.float32(0.9931)], 'label_names': ['someone'], 'file_name': 'a.jpg'}]\n",
        [("a.jpg", (1,), (0.9931,), ("someone",), 4)],
    ),
    "scores over two lines": (
        LOGGER + "[{'scores': array([0.25, 0.5,\n       0.125], dtype=float32), 'file_name': 'a.jpg'}]\n" + LOGGER + "end\n",
        [("a.jpg", (), (0.25, 0.5, 0.125), (), 3)],
    ),
    "attributes of infer": (LOGGER + "[{'attr': 'Color: (red)', 'pred': [0, 1, 1], 'file_name': 'a.jpg'}]\n",
        [("a.jpg", (1, 2), (), ("Color: (red)",), 0)]),
    "attributes of predict_cls": ("a.jpg:\t {'attributes': ['Male', 'Hat: False'], 'output': [1, 0]}\n",
        [("a.jpg", (0,), (), ("Male", "Hat: False"), 0)]),
    "predict_cls": (
        "a.jpg:\tclass id(s): [8, 7], score(s): [0.90, 0.05], label_name(s): ['hen', 'a, b']\n"
        "b.jpg:\tclass id(s): [3], score(s): [1.00], label_name(s): []\n",
        [("a.jpg", *TWO, ("hen", "a, b"), 2), ("b.jpg", (3,), (1.0,), (), 2)],
    ),
    "predict_cls behind a logger": (DEPLOY + "a.jpg:\tclass id(s): [8, 7], score(s): [0.90, 0.05], label_name(s): []\n",
        [("a.jpg", *TWO, (), 2)]),
    "predict_cls, scores only": ("a.jpg:\tscore(s): [0.90, nan]\n", [("a.jpg", (), (0.9, math.nan), (), 2)]),
    "wheel 2.1": (
        "**********a.jpg**********\n"
        "top-2 result: {'filename': 'a.jpg', 'class_ids': [8, 7], 'scores': [0.9, 0.05], 'label_names': ['x', 'y']}\n"
        "Predict complete!\n",
        [("a.jpg", *TWO, ("x", "y"), 2)],
    ),
    "wheel 2.3": ("filename: a.jpg, top-5, class_ids: [8, 7], scores: [0.9, 0.05], label_names: ['x, y', 'z']\n",
        [("a.jpg", *TWO, ("x, y", "z"), 2)]),
    "wheel 2.4": (LOGGER + "class_ids: [8, 7], scores: [0.9, 0.05], label_names: ['x, y', 'z'], filename: d/a.jpg\n",
        [("d/a.jpg", *TWO, ("x, y", "z"), 2)]),
    "wheel, a list": (LOGGER + "[{'class_ids': [8, 7], 'scores': [0.9, 0.05], 'label_names': []}], filename: d/a.jpg\n",
        [("d/a.jpg", *TWO, (), 2)]),
    "C++": (
        "Current image path: a.jpg\n"
        "Current total inferen time cost: 3.1 ms.\n"
        "\tTop1: class_id: 8, score: 0.9000, label: hen, big\n"
        "\tTop2: class_id: 7, score: 0.0500, label: \n",
        [("a.jpg", *TWO, ("hen, big",), 4)],
    ),
    "C++ without names": (
        "Current image path: a.jpg\n"
        "\tTop1: class_id: 8, score: 0.9000, \tTop2: class_id: 7, score: 0.0500, "
        "Current image path: b.jpg\n"
        "\tTop1: class_id: 2, score: 1.0000, ",
        [("a.jpg", *TWO, (), 4), ("b.jpg", (2,), (1.0,), (), 4)],
    ),
    "C++ up to 2.2": (
        "result: \n"
        "\tclass id: 8\n"
        "\tscore: 0.9005997181\n"
        "Current image path: a.jpg\n"
        "Current time cost: 0.1 s.\n"
        "result: \n"
        "\tclass id: 2\n"
        "\tscore: 1.0000000000\n"
        "Current image path: b.jpg\n",
        [("a.jpg", (8,), (0.9005997181,), (), 10), ("b.jpg", (2,), (1.0,), (), 10)],
    ),
    "between other lines": (
        "I1124 22:07:30.1 3746 analysis_predictor.cc:1532] ir_optim\n\0\0a.jpg:\tclass id(s): [8, 7], score(s): [0.90, 0.05], label_name(s): []\r\n"
        "\x1b[1;31m--- Running IR pass\x1b[0m\n"
        "load 10%\rload 100%\r" + LOGGER + "[{'class_ids': [2], 'scores': [1.0], 'file_name': 'b.jpg'}]\n"
        "Predict complete!\n",
        [("a.jpg", *TWO, (), 2), ("b.jpg", (2,), (1.0,), (), 1)],
    ),
}  # fmt: skip
"""Format → what is printed, and (file, ids, scores, names, decimals) of each image."""


def told(one: Printed) -> tuple[object, ...]:
    return one.file, one.result.ids, one.result.scores, one.result.names, one.decimals


@pytest.mark.parametrize("name", list(CORPUS))
def test_every_program_of_every_generation(name: str) -> None:
    text, expected = CORPUS[name]
    assert str([told(one) for one in read_results(text).printed]) == str(expected)


def test_colours_are_no_part_of_a_line() -> None:
    text = "\x1b[0;32m2021-03-04 10:11:12 INFO: image file: a.jpg\x1b[0m\n2021-03-04 10:11:12 INFO: \x1b[92mclass: 8\x1b[0m\n"
    assert [told(one) for one in read_results(text).printed] == [("a.jpg", (8,), (), (), 0)]


def test_images_that_were_not_read() -> None:
    text = (
        "[2024/01/01 10:00:00] root WARNING: Image file failed to read and has been skipped. The path: d/x.jpg\n"
        "[ERROR] image read failed! image path: y.jpg\n"
        + LOGGER.replace("INFO", "ERROR")
        + "Exception occured when parse line: z.jpg with msg: 603\n"
    )
    assert read_results(text).unread == (("d/x.jpg", ""), ("y.jpg", ""), ("z.jpg", "603"))


@pytest.mark.parametrize(
    "text",
    [
        "", "\n\n", "{", "[{", "[{}]", "[{'class_ids': [1}]", "[{'class_ids': ['a'], 'scores': [0.5]}]", "[{'class_ids': [1, 2], 'scores': [0.5]}]",
        "a.jpg:\tclass id(s): [__import__('os').system('x')], score(s): [0.9], label_name(s): []", "\tclass id: 8, probability: 0.9",
        "class: 8\nscore: 0.9\n", "a.jpg:\t {'attributes': [], 'output': [2]}", "top-5 result: {**{}}", "\x00\xff", "Top1: class_id: x",
        "[{'class_ids': [True], 'scores': [0.5]}]", "Current image file: a.jpg\n",
    ],
)  # fmt: skip
def test_what_is_no_result(text: str) -> None:
    assert read_results(text).printed == ()


def test_nothing_is_run_and_nothing_hangs() -> None:
    for text in (
        "__import__('os')",
        "[x for x in y]",
        "open('f')",
        "f'{1}'",
        "1 + 1",
        "-'a'",
        "(" * 5000,
        "[" * 100_000,
        "{[]: 1}",
        "x" * (LONGEST + 1),
    ):
        with pytest.raises(NoLiteral):
            read_literal(text)
    begin = time.monotonic()
    read_results("[{'a': [\n" * 20_000)
    read_results("x:\t" * 100_000 + "\n" + "class_ids: [" * 100_000 + "\n" + "a" * 1_000_000 + ":\tclass id(s): [")
    assert time.monotonic() - begin < 60  # quadratic would be hours


def test_a_large_log_takes_seconds() -> None:
    line = LOGGER + str(
        [{"class_ids": [1, 2], "scores": [0.9, 0.1], "file_name": f"{n}.jpg", "label_names": ["a", "b"]} for n in range(10)]
    )
    assert len(read_results("\n".join([line] * 1000)).printed) == 10_000


values = st.recursive(
    st.one_of(st.integers(-(10**9), 10**9), st.floats(allow_nan=False), st.text(max_size=8), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=12,
)


@given(values)
def test_what_python_prints_is_read_back(value: object) -> None:
    text = repr(value)
    assert read_literal(text) == value
    if text[0] in "[{":
        assert literal_end("xx" + text + "]}", 2) == 2 + len(text)


names = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029"), min_size=1, max_size=12).filter(
    lambda s: s == s.strip()
)
numbers = st.floats(0, 1).map(lambda x: round(x, 5))


@given(
    st.lists(st.tuples(names, st.lists(st.tuples(st.integers(0, 999), numbers, names), min_size=1, max_size=5)), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_batch_comes_back_as_it_was_printed(images: list[tuple[str, list[tuple[int, float, str]]]], logged: bool) -> None:
    batch = [
        {"class_ids": [i for i, _, _ in rows], "scores": [s for _, s, _ in rows], "file_name": file, "label_names": [n for _, _, n in rows]}
        for file, rows in images
    ]
    found = read_results("noise\n" + (LOGGER if logged else "") + str(batch) + "\nnoise\n").printed
    assert [one.file for one in found] == [file for file, _ in images]
    assert [one.result for one in found] == [
        Ranked(tuple(i for i, _, _ in r), tuple(s for _, s, _ in r), tuple(n for _, _, n in r)) for _, r in images
    ]


@given(names, st.lists(st.tuples(st.integers(0, 999), st.floats(0, 1)), min_size=1, max_size=5), st.lists(names, max_size=3))
def test_a_line_of_predict_cls_comes_back(file: str, rows: list[tuple[int, float]], labels: list[str]) -> None:
    scores = "[{}]".format(", ".join(f"{score:.2f}" for _, score in rows))
    line = f"{file}:\tclass id(s): {[i for i, _ in rows]}, score(s): {scores}, label_name(s): {labels}\n"
    (one,) = read_results(line).printed
    assert one.decimals == 2
    assert one.result == Ranked(tuple(i for i, _ in rows), tuple(float(f"{s:.2f}") for _, s in rows), tuple(labels))
    if not file.startswith(("[", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")):
        assert one.file == file


@given(st.text(max_size=300))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    read_results(text)
    read_results("[{" + text)
    read_results("a.jpg:\tclass id(s): " + text)


def test_parts() -> None:
    assert base_name("a/b\\c.jpg/") == "c.jpg"
    assert of_dict(3, 1, "wheel") is None
    assert of_values("a", 3, 0.5, "x", 1, "wheel") == Printed("a", Ranked((3,), (0.5,), ("x",)), "ranked", 1, "wheel", 1)
    assert of_values("a", [1], [10**400], None, 1, "wheel").result.scores == (math.inf,)  # type: ignore[union-attr]
    assert of_values("a", [1], [1e-9], None, 1, "wheel").decimals == FULL  # type: ignore[union-attr]
    assert read_results(CORPUS["predict_cls"][0]).decimals == 2
    assert read_results("").decimals == FULL
