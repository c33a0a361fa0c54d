"""What the search makes of words in both languages: tokens, their stems and synonyms, and what says nothing."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[a-z0-9_]+|[\u3400-\u9fff]+")
CHINESE = re.compile(r"[\u3400-\u9fff]+")
_PLURAL = re.compile(r"(?<=..)(?:(?<=[sxh])es|(?<![siu])s)$")
_ENDING = re.compile(r"(?<=[a-z]{4})(?:ing|ed|e)$")
REGEX_SYNTAX = re.compile(r"\\[A-Za-z]|\(\?[^:)]*[:)]")

STOP_WORDS = frozenset(
    [
        "a",
        "about",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "do",
        "doe",
        "does",
        "for",
        "from",
        "get",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "out",
        "should",
        "so",
        "some",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "this",
        "to",
        "use",
        "using",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)
STOP_PHRASES = re.compile("为什么|怎么办|怎么样|怎么|如何|什么|是不是|是否|请问|哪些|哪个|多少|可以|应该|一下")
PARTICLES = frozenset("的了吗呢啊吧么")
STOP_CHARACTERS = PARTICLES | frozenset("从在是和与及或我你他它把被请就都也还又很太为有没不会要用对于中里上下到这那个")


_SAME_CHINESE = (("准确率", "精度"), ("图像", "图片"), ("不平衡", "不均衡"), ("损坏", "解码失败"), ("爆显存", "显存不足"))
SAME_WORDS = {"acc": "accuracy", "lr": "learning_rate"}
"""Words that people use for each other; on both sides the first is read as the second."""


def fold(text: str) -> str:
    """A text in lower case, with one word of each pair of synonyms."""
    text = text.lower()
    for one, other in _SAME_CHINESE:
        text = text.replace(one, other)
    return text


class Expansions(dict[str, str]):
    """What one token of a text is indexed as: a run of Chinese as its pairs of characters, `num_workers` also as its parts."""

    def __missing__(self, token: str) -> str:
        self[token] = found = " ".join(expand(token))
        return found


def expand(token: str) -> list[str]:
    """The terms of one token: pairs of Chinese characters, or a word without its ending and the parts of a compound."""
    if token[0] > "\u3000":
        return [token[i : i + 2] for i in range(len(token) - 1)] or [token]
    token = SAME_WORDS.get(token, token)
    parts = [stem(part) for part in token.split("_") if part]
    return [token, *parts] if "_" in token else parts


def stem(word: str) -> str:
    """A word without its ending, so that `exported` is found by `exporting`; what is left need not be a word."""
    return _ENDING.sub("", _PLURAL.sub("", word))


class Concept:
    """One thing that the query asks for: the indexed terms that stand for it, each with how surely it does, and its weight in the whole."""

    __slots__ = ("terms", "weight")

    def __init__(self, terms: dict[str, float], weight: float) -> None:
        self.terms = terms
        self.weight = weight

    def found_in(self, terms: frozenset[str] | set[str]) -> float:
        """How surely a text with these terms speaks of it, 0 to 1."""
        return max((sure for term, sure in self.terms.items() if term in terms), default=0.0)
