"""The knowledge entries: read them, list them, search them.

An entry is one Markdown file per language, `entries/<id>.<lang>.md`, with the same front matter in both but for `title` and `question`.

The search has no index on disk: it reads all the files at its first use (some 50 ms) and keeps a full-text table in memory. It covers both
languages whatever the session's is, because a person who reads English still pastes Chinese, and the reverse.
"""

from __future__ import annotations

import functools
import math
import os
import re
import sqlite3
import threading
import unicodedata
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from knowledge import pages
from knowledge.pages import PageError, split_front_matter

FOLDER = os.path.join(os.path.dirname(__file__), "entries")
LANGS = ("en", "zh")

FULL_TEXT = True
"""Whether to ask SQLite for FTS5; without it (a Python built against a bare SQLite) a plain weighted sum ranks instead."""

_FAQ_ID = re.compile(r"\d\.\d")


class Live(msgspec.Struct, frozen=True):
    """What ties an entry to something the program does: `rule ENV101`, `command shm`, `rule family WTS`. `now`: it exists already."""

    by: str
    now: bool


class Entry(msgspec.Struct, frozen=True):
    """One article in one language; `body` is its Markdown. Without a `source` it is about paddle-doctor itself."""

    id: str
    kind: Literal["faq", "note"]
    title: str
    question: str
    tags: tuple[str, ...]
    signatures: tuple[str, ...]
    rules: tuple[str, ...]
    related: tuple[str, ...]
    source: str | None
    lang: str
    body: str
    live: tuple[Live, ...] = ()

    @property
    def period(self) -> int | None:
        """The instalment of the FAQ (1 to 5) that the question comes from; None for a field note."""
        return int(self.id.partition(".")[0]) if self.kind == "faq" else None

    @property
    def live_now(self) -> bool:
        """Whether something that exists today stands behind the entry."""
        return any(item.now for item in self.live)


class Hit(msgspec.Struct, frozen=True):
    """An entry that answers a query. Only the order of `score` means anything; `snippet` is the passage that fits best, as plain text."""

    entry: Entry
    score: float
    snippet: str


class UnknownEntry(KeyError):
    """There is no entry of this id; `close` holds ids that resemble it."""

    def __init__(self, wanted: str, close: list[str]) -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.close = close

    def __str__(self) -> str:
        return f"no entry {self.wanted!r}" + (f"; close: {', '.join(self.close)}" if self.close else "")


def entry_ids() -> list[str]:
    """The ids of all entries: the questions in their order, then the field notes by name."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in os.listdir(FOLDER):
        stem, _, extension = name.rpartition(".")
        if extension == "md" and stem.endswith((".en", ".zh")):
            found[stem[:-3]].add(stem[-2:])
    return sorted((id for id, langs in found.items() if len(langs) == len(LANGS)), key=_order)


def entry(id: str, lang: str) -> Entry:
    """One entry in `zh` or `en`; case and a leading `Q` as in `Q1.3` do not matter.

    Raises:
        UnknownEntry: there is none; it carries ids that come close.
        PageError: the file is malformed.
    """
    ids = entry_ids()
    wanted = _plain_id(id)
    if wanted not in ids:
        raise UnknownEntry(id, closest(wanted, ids))
    return _read(FOLDER, wanted, lang)


def entries(lang: str) -> list[Entry]:
    """All entries in one language, in the order of `entry_ids`."""
    return [_read(FOLDER, id, lang) for id in entry_ids()]


def search(query: str, lang: str, limit: int = 8) -> list[Hit]:
    """The entries that answer a query, best first, in the session's language; none if nothing sensible is found.

    The query is words in either language, an id (`1.3`), the code of a rule (`LAB102`) or lines pasted from a log.
    """
    query = unicodedata.normalize("NFKC", query)[-20_000:]
    index = _index(FOLDER)
    found = index.exact(query)
    matched = index.match(query)
    for id, score in matched.ranked:
        found.setdefault(id, score)
    best = sorted(found.items(), key=lambda item: (-item[1], _order(item[0])))[:limit]
    return [Hit(_read(FOLDER, id, lang), score, index.snippet(id, lang, matched)) for id, score in best]


def closest(wanted: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """The names that a mistyped one may have meant: those like it, then those it is a part of."""
    import difflib  # only a mistake needs it, and it costs 6 ms

    pool = list(names)
    close = difflib.get_close_matches(wanted, pool, n=limit, cutoff=0.6)
    close += [name for name in pool if len(wanted) > 2 and wanted in name and name not in close]
    return close[:limit]


def flow(lines: Iterable[str]) -> str:
    """Wrapped lines as one."""
    text = ""
    for line in lines:
        line = line.strip()
        text += (joint(text[-1], line[0]) if text and line else "") + line
    return text


def joint(before: str, after: str) -> str:
    """What a line break between two characters stands for: nothing between Chinese ones or beside their punctuation, else a space."""
    wide = _wide(before) and _wide(after)
    return "" if wide or before in _CHINESE_MARKS or after in _CHINESE_MARKS else " "


_CHINESE_MARKS = "，。、；：？！（）《》【】"


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or character in "“”"


def _order(id: str) -> tuple[bool, str]:
    return (_FAQ_ID.fullmatch(id) is None, id)


def _plain_id(text: str) -> str:
    text = text.strip().lower()
    numbered = re.fullmatch(r"(?:faq|q)?\s*(\d\.\d)", text)
    return numbered.group(1) if numbered else text


@functools.lru_cache(maxsize=512)
def _read(folder: str, id: str, lang: str) -> Entry:
    path = os.path.join(folder, f"{id}.{lang}.md")
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise PageError(f"{path}: {error.strerror}") from None
    meta, body = split_front_matter(text, path)
    try:
        read = msgspec.convert({**meta, "lang": lang, "body": body}, Entry)
    except msgspec.ValidationError as error:
        raise PageError(f"{path}: {error}") from None
    if read.id != id:
        raise PageError(f"{path}: its id is {read.id!r}")
    return read


# --- words


_TOKEN = re.compile(r"[a-z0-9_]+|[\u3400-\u9fff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]+")
_PLURAL = re.compile(r"(?<=..)(?:(?<=[sxh])es|(?<![siu])s)$")
_ENDING = re.compile(r"(?<=[a-z]{4})(?:ing|ed|e)$")
_REGEX_SYNTAX = re.compile(r"\\[A-Za-z]|\(\?[^:)]*[:)]")

_STOP_WORDS = frozenset(
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
_STOP_PHRASES = re.compile("为什么|怎么办|怎么样|怎么|如何|什么|是不是|是否|请问|哪些|哪个|多少|可以|应该|一下")
_PARTICLES = frozenset("的了吗呢啊吧么")
_STOP_CHARACTERS = _PARTICLES | frozenset("从在是和与及或我你他它把被请就都也还又很太为有没不会要用对于中里上下到这那个")


_SAME_CHINESE = (("准确率", "精度"), ("图像", "图片"), ("不平衡", "不均衡"), ("损坏", "解码失败"), ("爆显存", "显存不足"))
_SAME_WORDS = {"acc": "accuracy", "lr": "learning_rate"}
"""Words that people use for each other; on both sides the first is read as the second."""


def _fold(text: str) -> str:
    text = text.lower()
    for one, other in _SAME_CHINESE:
        text = text.replace(one, other)
    return text


class _Expansions(dict[str, str]):
    """What one token of a text is indexed as: a run of Chinese as its pairs of characters, `num_workers` also as its parts."""

    def __missing__(self, token: str) -> str:
        self[token] = found = " ".join(_expand(token))
        return found


def _expand(token: str) -> list[str]:
    if token[0] > "\u3000":
        return [token[i : i + 2] for i in range(len(token) - 1)] or [token]
    token = _SAME_WORDS.get(token, token)
    parts = [_stem(part) for part in token.split("_") if part]
    return [token, *parts] if "_" in token else parts


def _stem(word: str) -> str:
    """A word without its ending, so that `exported` is found by `exporting`; what is left need not be a word."""
    return _ENDING.sub("", _PLURAL.sub("", word))


class _Concept:
    """One thing that the query asks for: the indexed terms that stand for it, each with how surely it does, and its weight in the whole."""

    __slots__ = ("terms", "weight")

    def __init__(self, terms: dict[str, float], weight: float) -> None:
        self.terms = terms
        self.weight = weight

    def found_in(self, terms: frozenset[str] | set[str]) -> float:
        """How surely a text with these terms speaks of it, 0 to 1."""
        return max((sure for term, sure in self.terms.items() if term in terms), default=0.0)


class _Matched:
    """The outcome of matching one query against the index: what was understood, and the ids with their scores."""

    __slots__ = ("concepts", "ranked")

    def __init__(self, concepts: list[_Concept], ranked: list[tuple[str, float]]) -> None:
        self.concepts = concepts
        self.ranked = ranked


# --- the index

_WEIGHTS = (8.0, 3.0, 1.0)
"""What a word counts in title, question, tags and rule codes; in the log signatures; in the body."""

_EXACT, _SIGNATURE = 1000.0, 100.0
"""Scores that set an exact id or code above a line of a known log, and both above words in common."""

_ENOUGH, _ENOUGH_OF_MANY = 0.5, 0.36
"""The share of the query's weight that an entry must speak of; less of a long one, which is mostly a pasted line."""

_MANY = 6
_MOST_CONCEPTS = 32
_MOST_LINES = 60


class _Index:
    """All entries, in both languages, in words."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.ids = entry_ids()
        self.read = {id: {lang: _read(folder, id, lang) for lang in LANGS} for id in self.ids}
        self.lock = threading.Lock()
        expansions = _Expansions()
        columns: list[list[str]] = []
        for id in self.ids:
            both = self.read[id]
            first = both["en"]
            head = [id, *first.tags, *first.rules, *(text for e in both.values() for text in (e.title, e.question))]
            signatures = _REGEX_SYNTAX.sub(" ", " ".join(first.signatures))
            tokens = [_TOKEN.findall(_fold(text)) for text in (" ".join(head), signatures, first.body)]
            tokens[2] += _CHINESE.findall(_fold(both["zh"].body))  # its commands and names stand in the English body too
            columns.append([" ".join([expansions[token] for token in column]) for column in tokens])
        self.terms = [tuple(frozenset(column.split()) for column in row) for row in columns]
        self.all_terms = [frozenset().union(*row) for row in self.terms]
        self.holders: Counter[str] = Counter()
        for terms in self.all_terms:
            self.holders.update(terms)
        self.table = _full_text_table(columns) if FULL_TEXT else None
        if self.table is not None:
            weakref.finalize(self, self.table.close)

    def exact(self, query: str) -> dict[str, float]:
        """The entries that the query names by their id or by the code of a rule, with their scores."""
        wanted = _plain_id(query)
        if wanted in self.read:
            return {wanted: _EXACT}
        code = query.strip().upper()
        named = [id for id in self.ids if code in self.read[id]["en"].rules]
        if not named:
            return {}
        try:
            home: str | None = pages.page(code).entry
        except PageError:
            home = None
        named.sort(key=lambda id: (id != home, _order(id)))
        return {id: _EXACT - place for place, id in enumerate(named)}

    def match(self, query: str) -> _Matched:
        """The entries that share enough with the query, with their scores."""
        concepts = self._concepts(query)
        total = sum(concept.weight for concept in concepts)
        if not total:
            return _Matched(concepts, [])
        enough = _ENOUGH if len(concepts) < _MANY else _ENOUGH_OF_MANY
        scores = self._scores(concepts)
        signed = set(self._signed(query, concepts))
        ranked = []
        for row, id in enumerate(self.ids):
            share = sum(concept.weight * concept.found_in(self.all_terms[row]) for concept in concepts) / total
            if row in signed or share > enough:
                # twice the share: an entry that speaks of all of the query precedes one that repeats a part of it
                ranked.append((id, (scores.get(row, 0.0) + share) * share * share + _SIGNATURE * (row in signed)))
        best = max((score for _, score in ranked), default=0.0)
        floor = min(best, _SIGNATURE) * 0.12
        return _Matched(concepts, [(id, score) for id, score in ranked if score >= floor])

    def snippet(self, id: str, lang: str, matched: _Matched) -> str:
        """The passage of an entry that speaks most of the query, in the session's language.

        Where only the other language has the words, the same section of the session's language is taken.
        """
        both = self.read[id]
        here = _passages(both[lang].body)
        best = _best_passage(here, matched.concepts)
        if best is None:
            there = _best_passage(_passages(both["zh" if lang == "en" else "en"].body), matched.concepts)
            section = there[0] if there else 0
            best = next((passage for passage in here if passage[0] == section), None)
        return _cut(best[1] if best else both[lang].question, matched.concepts)

    def _concepts(self, query: str) -> list[_Concept]:
        text = _STOP_PHRASES.sub(" ", _fold(query)).replace("泄露", " leakage ").replace("泄漏", " leakage ")
        concepts: dict[str, _Concept] = {}
        for token in _TOKEN.findall(text):
            for term, concept in self._understand(token):
                concepts.setdefault(term, concept)
        # the rarest say most about what a long text is about
        return sorted(concepts.values(), key=lambda concept: -concept.weight)[:_MOST_CONCEPTS]

    def _understand(self, token: str) -> Iterator[tuple[str, _Concept]]:
        token = _SAME_WORDS.get(token, token)
        if token[0] > "\u3000":
            yield from self._understand_chinese(token)
        elif "_" in token:
            if token in self.holders:
                yield token, _Concept({token: 1.0}, self._rarity(token))
            elif meant := self._meant(token):
                yield token, _Concept(meant, self._rarity(*meant))
            else:
                for part in filter(None, token.split("_")):
                    yield from self._understand(part)
        elif token.isdigit():
            if len(token) > 2 and token in self.holders:
                yield token, _Concept({token: 1.0}, self._rarity(token))
        elif len(token) > 1 and token not in _STOP_WORDS:
            term = _stem(token)
            meant = {term: 1.0} if term in self.holders else self._meant(term)
            if meant:
                yield term, _Concept(meant, self._rarity(*meant))
            elif term.isalpha():
                yield term, _Concept({}, self._rarity())

    def _understand_chinese(self, run: str) -> Iterator[tuple[str, _Concept]]:
        if len(run) == 1:
            if run not in _STOP_CHARACTERS:
                holding = {term: 0.8 for term in self.holders if run in term}
                yield run, _Concept(holding, self._rarity(*holding) / 2)
            return
        pairs = [term for term in _expand(run) if _PARTICLES.isdisjoint(term)]
        known = [self._rarity(term) for term in pairs if term in self.holders]
        # two characters need not be a word, so pairs of one run weigh alike, and one that is nowhere half as much
        usual = sum(known) / len(known) if known else self._rarity()
        for term in pairs:
            yield term, _Concept({term: 1.0}, usual) if term in self.holders else _Concept({}, usual / 2)

    def _rarity(self, *terms: str) -> float:
        """What a concept weighs: more, the fewer entries have any of its terms; most, if none has."""
        holders = max((self.holders[term] for term in terms), default=0)
        return math.log(1 + len(self.ids) / (holders + 0.5))

    @functools.cached_property
    def _words(self) -> dict[int, list[str]]:
        """The known Latin words, by length."""
        found: dict[int, list[str]] = defaultdict(list)
        for word in self.holders:
            if len(word) > 2 and word[0] < "\u3000" and not word.isdigit():
                found[len(word)].append(word)
        return found

    def _meant(self, word: str) -> dict[str, float]:
        """Known words that a mistyped or cut word may stand for: those that share trigrams and are one or two strokes away."""
        if not 3 <= len(word) <= 40:
            return {}
        meant = {known: 0.7 for words in self._words.values() for known in words if known.startswith(word)}
        strokes = (len(word) > 3) + (len(word) > 7)
        trigrams = _trigrams(word)
        for length in range(len(word) - strokes, len(word) + strokes + 1):
            for known in self._words.get(length, ()):
                if len(word) < 6 and known[0] != word[0]:
                    continue  # in a short word the first letter is hardly ever the wrong one
                padded = f"  {known} "
                shared = sum([trigram in padded for trigram in trigrams])
                if shared * 3 >= len(trigrams) and _strokes(word, known) <= strokes:
                    meant[known] = 0.8
        return meant

    def _signed(self, query: str, concepts: list[_Concept]) -> Iterator[int]:
        """The entries of which a signature matches a line of the query."""
        lines = [line.strip()[:2_000] for line in query.splitlines()][-_MOST_LINES:]
        asked = {term for concept in concepts for term in concept.terms}
        for row, id in enumerate(self.ids):
            # compiling a pattern costs more than all the rest, so only those are tried that share a word
            if asked.isdisjoint(self.terms[row][1]):
                continue
            for signature in self.read[id]["en"].signatures:
                pattern = re.compile(signature)
                if any(pattern.search(line) for line in lines):
                    yield row
                    break

    def _scores(self, concepts: list[_Concept]) -> dict[int, float]:
        sure = {term: sure for concept in concepts for term, sure in concept.terms.items()}
        if not sure:
            return {}
        # a word that most entries have is worth nothing to bm25(), but in a title it still tells
        scores = {row: sum(sure[term] * self._rarity(term) for term in columns[0] & sure.keys()) for row, columns in enumerate(self.terms)}
        if self.table is None:
            for row, columns in enumerate(self.terms):
                for column, weight in zip(columns, _WEIGHTS, strict=True):
                    scores[row] += sum(sure[term] * self._rarity(term) * weight for term in column & sure.keys())
            return scores
        names = " OR ".join(f'"{term}"' for term in sure)
        with self.lock:
            rows: list[tuple[int, float]] = self.table.execute(_RANKING, (names,)).fetchall()
        for row, score in rows:
            scores[row] -= score  # SQLite's figure is the smaller the better
        return scores


_RANKING = f"SELECT rowid, bm25(entries, {', '.join(map(str, _WEIGHTS))}) FROM entries WHERE entries MATCH ?"


@functools.lru_cache(maxsize=2)
def _index(folder: str) -> _Index:
    return _Index(folder)


def _full_text_table(rows: list[list[str]]) -> sqlite3.Connection | None:
    table = sqlite3.connect(":memory:", check_same_thread=False)  # a lock keeps the threads of a TUI apart
    try:
        # "ascii" takes every other character for a letter, so that pairs of Chinese characters stay whole
        table.execute("""CREATE VIRTUAL TABLE entries USING fts5(head, signatures, body, content='', tokenize="ascii tokenchars '_'")""")
    except sqlite3.OperationalError:
        table.close()
        return None
    table.executemany("INSERT INTO entries(rowid, head, signatures, body) VALUES (?, ?, ?, ?)", _numbered(rows))
    return table


def _numbered(rows: list[list[str]]) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(rows):
        yield (number, *row)


def _trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


def _strokes(a: str, b: str) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour to make one word of the other."""
    older: list[int] = []
    old = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(old[j] + 1, row[j - 1] + 1, old[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, old = old, row
    return old[-1]


# --- passages

_SNIPPET_CELLS = 150
"""The width of a snippet in terminal cells: two lines of 80, or three of 60."""

_ITEM = re.compile(r"(?:[-*] |\d+\. )")


def _passages(body: str) -> list[tuple[int, str]]:
    """A Markdown body as plain passages, each with the number of its section: paragraphs, list items, table rows, lines of code."""
    passages: list[tuple[int, str]] = []
    section, fenced = 0, False
    lines: list[str] = []

    def close() -> None:
        if lines:
            passages.append((section, _plain(flow(lines))))
            lines.clear()

    for line in body.splitlines():
        bare = line.strip()
        if bare.startswith("```"):
            close()
            fenced = not fenced
        elif fenced or line.startswith("    ") or bare.startswith("|"):
            close()
            if bare.strip("|-: "):
                lines.append(bare)
                close()
        elif line.startswith("#"):
            close()
            section += 1
        elif not bare:
            close()
        else:
            if _ITEM.match(bare):
                close()
                bare = _ITEM.sub("", bare, count=1)
            lines.append(bare)
    close()
    return passages


def _plain(text: str) -> str:
    if text.startswith("|"):
        text = " · ".join(cell.strip() for cell in text.strip("|").split("|") if cell.strip())
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return text.replace("**", "").replace("`", "")


def _best_passage(passages: list[tuple[int, str]], concepts: list[_Concept]) -> tuple[int, str] | None:
    best, most = None, 0.0
    for passage in passages:
        terms = {term for token in _TOKEN.findall(_fold(passage[1])) for term in _expand(token)}
        score = sum(concept.weight * concept.found_in(terms) for concept in concepts)
        if score > most + 1e-9:
            best, most = passage, score
    return best


def _cut(text: str, concepts: list[_Concept]) -> str:
    """A passage cut to the width of a snippet, around the first word that was asked for."""
    if _cells(text) <= _SNIPPET_CELLS:
        return text
    asked = {term for concept in concepts for term in concept.terms}
    places = (m.start() for m in _TOKEN.finditer(text.lower()) if not asked.isdisjoint(_expand(m.group())))
    start = max(0, next(places, 0) - 30)
    if start and (space := text.find(" ", start, start + 15)) >= 0:
        start = space + 1
    head, end, used = "… " if start else "", start, 0
    while end < len(text) and used < _SNIPPET_CELLS:
        used += 2 if _wide(text[end]) else 1
        end += 1
    if end < len(text) and (space := text.rfind(" ", max(start, end - 15), end)) > start:
        end = space
    return head + text[start:end].strip() + (" …" if end < len(text) else "")


def _cells(text: str) -> int:
    return sum(2 if _wide(character) else 1 for character in text)
