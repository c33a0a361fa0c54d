"""The index that the search asks: all entries in both languages, in words.

It has no file on disk: all entries are read at its first use (some 50 ms), and a full-text table is kept in memory. It covers both languages
whatever the session's is, because a person who reads English still pastes Chinese, and the reverse.
"""

from __future__ import annotations

import functools
import math
import re
import sqlite3
import threading
import weakref
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from knowledge import pages
from knowledge.library import LANGS, entry_ids, order, plain_id, read_entry
from knowledge.likeness import distance
from knowledge.pages import PageError
from knowledge.search_passages import best_passage, cut, passages
from knowledge.search_words import (
    CHINESE,
    PARTICLES,
    REGEX_SYNTAX,
    SAME_WORDS,
    STOP_CHARACTERS,
    STOP_PHRASES,
    STOP_WORDS,
    TOKEN,
    Concept,
    Expansions,
    expand,
    fold,
    stem,
)

FULL_TEXT = True
"""Whether to ask SQLite for FTS5; without it (a Python built against a bare SQLite) a plain weighted sum ranks instead."""

_WEIGHTS = (8.0, 3.0, 1.0)
"""What a word counts in title, question, tags and rule codes; in the log signatures; in the body."""

_EXACT, _SIGNATURE = 1000.0, 100.0
"""Scores that set an exact id or code above a line of a known log, and both above words in common."""

_ENOUGH, _ENOUGH_OF_MANY = 0.5, 0.36
"""The share of the query's weight that an entry must speak of; less of a long one, which is mostly a pasted line."""

_MANY = 6
_MOST_CONCEPTS = 32
_MOST_LINES = 60


class Matched:
    """The outcome of matching one query against the index: what was understood, and the ids with their scores."""

    __slots__ = ("concepts", "ranked")

    def __init__(self, concepts: list[Concept], ranked: list[tuple[str, float]]) -> None:
        self.concepts = concepts
        self.ranked = ranked


class Index:
    """All entries, in both languages, in words."""

    def __init__(self) -> None:
        self.ids = entry_ids()
        self.read = {id: {lang: read_entry(id, lang) for lang in LANGS} for id in self.ids}
        self.lock = threading.Lock()
        expansions = Expansions()
        columns: list[list[str]] = []
        for id in self.ids:
            both = self.read[id]
            first = both["en"]
            head = [id, *first.tags, *first.rules, *(text for e in both.values() for text in (e.title, e.question))]
            signatures = REGEX_SYNTAX.sub(" ", " ".join(first.signatures))
            tokens = [TOKEN.findall(fold(text)) for text in (" ".join(head), signatures, first.body)]
            tokens[2] += CHINESE.findall(fold(both["zh"].body))  # its commands and names stand in the English body too
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
        wanted = plain_id(query)
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
        named.sort(key=lambda id: (id != home, order(id)))
        return {id: _EXACT - place for place, id in enumerate(named)}

    def match(self, query: str) -> Matched:
        """The entries that share enough with the query, with their scores."""
        concepts = self._concepts(query)
        total = sum(concept.weight for concept in concepts)
        if not total:
            return Matched(concepts, [])
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
        return Matched(concepts, [(id, score) for id, score in ranked if score >= floor])

    def snippet(self, id: str, lang: str, matched: Matched) -> str:
        """The passage of an entry that speaks most of the query, in the session's language.

        Where only the other language has the words, the same section of the session's language is taken.
        """
        both = self.read[id]
        here = passages(both[lang].body)
        best = best_passage(here, matched.concepts)
        if best is None:
            there = best_passage(passages(both["zh" if lang == "en" else "en"].body), matched.concepts)
            section = there[0] if there else 0
            best = next((passage for passage in here if passage[0] == section), None)
        return cut(best[1] if best else both[lang].question, matched.concepts)

    def _concepts(self, query: str) -> list[Concept]:
        text = STOP_PHRASES.sub(" ", fold(query)).replace("泄露", " leakage ").replace("泄漏", " leakage ")
        concepts: dict[str, Concept] = {}
        for token in TOKEN.findall(text):
            for term, concept in self._understand(token):
                concepts.setdefault(term, concept)
        # the rarest say most about what a long text is about
        return sorted(concepts.values(), key=lambda concept: -concept.weight)[:_MOST_CONCEPTS]

    def _understand(self, token: str) -> Iterator[tuple[str, Concept]]:
        token = SAME_WORDS.get(token, token)
        if token[0] > "\u3000":
            yield from self._understand_chinese(token)
        elif "_" in token:
            if token in self.holders:
                yield token, Concept({token: 1.0}, self._rarity(token))
            elif meant := self._meant(token):
                yield token, Concept(meant, self._rarity(*meant))
            else:
                for part in filter(None, token.split("_")):
                    yield from self._understand(part)
        elif token.isdigit():
            if len(token) > 2 and token in self.holders:
                yield token, Concept({token: 1.0}, self._rarity(token))
        elif len(token) > 1 and token not in STOP_WORDS:
            term = stem(token)
            meant = {term: 1.0} if term in self.holders else self._meant(term)
            if meant:
                yield term, Concept(meant, self._rarity(*meant))
            elif term.isalpha():
                yield term, Concept({}, self._rarity())

    def _understand_chinese(self, run: str) -> Iterator[tuple[str, Concept]]:
        if len(run) == 1:
            if run not in STOP_CHARACTERS:
                holding = {term: 0.8 for term in self.holders if run in term}
                yield run, Concept(holding, self._rarity(*holding) / 2)
            return
        pairs = [term for term in expand(run) if PARTICLES.isdisjoint(term)]
        known = [self._rarity(term) for term in pairs if term in self.holders]
        # two characters need not be a word, so pairs of one run weigh alike, and one that is nowhere half as much
        usual = sum(known) / len(known) if known else self._rarity()
        for term in pairs:
            yield term, Concept({term: 1.0}, usual) if term in self.holders else Concept({}, usual / 2)

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
                if shared * 3 >= len(trigrams) and distance(word, known, strokes) is not None:
                    meant[known] = 0.8
        return meant

    def _signed(self, query: str, concepts: list[Concept]) -> Iterator[int]:
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

    def _scores(self, concepts: list[Concept]) -> dict[int, float]:
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


@functools.lru_cache(maxsize=1)
def shared() -> Index:
    """The one index of this process."""
    return Index()


_RANKING = f"SELECT rowid, bm25(entries, {', '.join(map(str, _WEIGHTS))}) FROM entries WHERE entries MATCH ?"


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
