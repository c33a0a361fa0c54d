"""Every dataset class reads a line as PaddleClas does: `line.strip().split(separator)`, then `int` of the label's column."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.facts.label_format import LEGACY, LEGACY_MULTILABEL, MODERN, TAKES_DELIMITER, LabelFormat, Parsed, guess_separator, parse_line

PLAIN = LabelFormat()
TAB = LabelFormat(separator="\t")
LOGO = MODERN["LogoDataset"]
MULTI = MODERN["MultiLabelDataset"]


@pytest.mark.parametrize(
    ("line", "path", "label"),
    [
        ("train/a.jpg 0\n", "train/a.jpg", 0),
        ("  a.jpg 5  ", "a.jpg", 5),
        ("a.jpg 5\r", "a.jpg", 5),
        ("a.jpg -1", "a.jpg", -1),
        ("a.jpg +3", "a.jpg", 3),
        ("a.jpg 007", "a.jpg", 7),
        ("a.jpg 1_000", "a.jpg", 1000),  # Python's int takes underscores, and so does PaddleClas
        ("a.jpg ３", "a.jpg", 3),  # full-width digits are digits to int()
        ("a.jpg 3\u3000", "a.jpg", 3),  # an ideographic space is white space to strip()
        ("a.jpg\t x 3", "a.jpg\t", None),
        ("\ufeffa.jpg 3", "\ufeffa.jpg", 3),  # a byte order mark is not: it becomes part of the path
        ("a.jpg 1 camera 7", "a.jpg", 1),
        ("/data/a.jpg 1", "/data/a.jpg", 1),
        ("图片/猫.jpg 1", "图片/猫.jpg", 1),
    ],
)
def test_imagenet_lines(line: str, path: str, label: int | None) -> None:
    parsed = parse_line(line, PLAIN)
    if label is None:
        assert isinstance(parsed, str)
    else:
        assert isinstance(parsed, Parsed)
        assert (parsed.path, parsed.label) == (path, label)


@pytest.mark.parametrize(
    ("line", "rule", "reason"),
    [
        ("", PLAIN, "blank"),
        (" \t\u3000\n", PLAIN, "blank"),
        ("a.jpg", PLAIN, "no-label"),
        ("a.jpg\t3", PLAIN, "wrong-separator"),
        ("a.jpg,3", PLAIN, "wrong-separator"),
        ("a.jpg\u00a03", PLAIN, "wrong-separator"),
        ("a.jpg\u30003", PLAIN, "wrong-separator"),
        ("a.jpg 3", TAB, "wrong-separator"),
        ("a.jpg  3", PLAIN, "separator-in-path"),
        ("my photos/a.jpg 3", PLAIN, "separator-in-path"),
        ("a.jpg 1.0", PLAIN, "not-integer"),
        ("a.jpg cat", PLAIN, "not-integer"),
        ("a.jpg 3 ", LabelFormat(separator=""), "empty-separator"),
        ("", LabelFormat(separator=""), "empty-separator"),
        ("a.jpg 3 4", LEGACY, "extra-column"),
        ("my photos/a.jpg 3", LEGACY, "separator-in-path"),
        ("a.jpg\t1,0,x", MULTI, "not-integer"),
        ("a.jpg\t1,,0", MULTI, "not-integer"),
        ("a.jpg 1,0,1", MULTI, "wrong-separator"),
        ("a.jpg\t1,0\t1", LEGACY_MULTILABEL, "extra-column"),
    ],
)
def test_bad_lines(line: str, rule: LabelFormat, reason: str) -> None:
    assert parse_line(line, rule) == reason


def test_any_white_space_separates_where_the_class_says_so() -> None:
    for line in ("a.jpg 3", "a.jpg\t3", "a.jpg  \t 3\n", "a.jpg\u00a03", "a.jpg\u30003"):
        assert parse_line(line, MODERN["VeriWild"]) == Parsed("a.jpg", 3)
    assert parse_line("a.jpg 3 12", MODERN["VeriWild"]) == Parsed("a.jpg", 3, (), 3)
    assert parse_line("my photos/a.jpg 3", MODERN["VeriWild"]) == "separator-in-path"


def test_logo_lists_have_a_header_four_columns_and_count_from_one() -> None:
    assert parse_line("image_id\tclass\tbox\timage_path\n", LOGO) is None
    assert parse_line("7\t1\t0,0,9,9\tx/a.jpg\n", LOGO) == Parsed("x/a.jpg", 0, (), 4)
    assert parse_line("7\t1\t0,0,9,9\n", LOGO) == "no-label"


def test_multilabel_rows_keep_their_values() -> None:
    assert parse_line("a.jpg\t1,0, -1", MULTI) == Parsed("a.jpg", 0, (1, 0, -1))
    assert parse_line("a.jpg\t1", LEGACY_MULTILABEL) == Parsed("a.jpg", 0, (1,))


def test_the_camera_of_veriwild_is_a_number_where_there_is_one() -> None:
    assert parse_line("a.jpg 3 7", MODERN["VeriWild"]) == Parsed("a.jpg", 3, (), 3)
    assert parse_line("a.jpg 3", MODERN["VeriWild"]) == Parsed("a.jpg", 3)
    assert parse_line("a.jpg 3 c7", MODERN["VeriWild"]) == "not-integer"


def test_only_classes_with_a_list_take_a_delimiter() -> None:
    assert set(MODERN) >= TAKES_DELIMITER


@pytest.mark.parametrize(
    ("line", "rule", "separator"),
    [
        ("a.jpg\t3", PLAIN, "\t"),
        ("a.jpg,3", PLAIN, ","),
        ("a.jpg;3", PLAIN, ";"),
        ("a.jpg|3", PLAIN, "|"),
        ("a.jpg\u00a03", PLAIN, "\u00a0"),
        ("a.jpg 3", TAB, " "),
        ("a.jpg 1,0", MULTI, " "),
        ("a.jpg", PLAIN, None),
        ("\t3", PLAIN, None),
    ],
)
def test_guesses(line: str, rule: LabelFormat, separator: str | None) -> None:
    assert guess_separator(line, rule) == separator


RULES = [*dict.fromkeys(MODERN.values()), LEGACY, LEGACY_MULTILABEL, LabelFormat(separator=","), LabelFormat(separator="::")]
TEXTS = st.text(st.sampled_from("ab/.0123-+_,:\t \u00a0\u3000\ufeff猫x"), max_size=20)


@given(line=TEXTS, rule=st.sampled_from(RULES))
@example(line="a\tb 3", rule=MODERN["VeriWild"])
def test_a_line_is_read_as_the_dataset_class_reads_it(line: str, rule: LabelFormat) -> None:
    parts = line.strip().split(rule.separator)
    expected: Parsed | None
    try:
        if rule.header is not None and parts and parts[0] == rule.header:
            expected = None
        else:
            if rule.exact and len(parts) != 2:
                raise ValueError
            path, text = parts[rule.image_column], parts[rule.label_column]
            if rule.integer_column is not None:
                [int(part) for part in parts[rule.integer_column :][:1]]
            if rule.labels == "multilabel":
                expected = Parsed(path, 0, tuple(int(item) for item in text.split(",")), len(parts))
            else:
                expected = Parsed(path, int(text) + rule.offset, (), len(parts))
    except (IndexError, ValueError):
        assert isinstance(parse_line(line, rule), str)
        return
    assert parse_line(line, rule) == expected


@given(line=TEXTS, rule=st.sampled_from(RULES))
def test_a_guess_is_never_the_separator_in_force(line: str, rule: LabelFormat) -> None:
    assert guess_separator(line, rule) != rule.separator or rule.separator is None


@pytest.mark.parametrize("rule", RULES)
def test_json_round_trip(rule: LabelFormat) -> None:
    assert msgspec.json.decode(msgspec.json.encode(rule), type=LabelFormat) == rule
