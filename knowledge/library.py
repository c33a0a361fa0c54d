"""The knowledge entries: read them, list them, search them.

An entry is one Markdown file per language, `entries/<id>.<lang>.md`, with the same front matter in both but for `title` and `question`.
"""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

import msgspec

from knowledge.pages import PageError, split_front_matter

FOLDER = os.path.join(os.path.dirname(__file__), "entries")
LANGS = ("en", "zh")

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
    return sorted((id for id, langs in found.items() if len(langs) == len(LANGS)), key=order)


def entry(id: str, lang: str) -> Entry:
    """One entry in `zh` or `en`; case and a leading `Q` as in `Q1.3` do not matter.

    Raises:
        UnknownEntry: there is none; it carries ids that come close.
        PageError: the file is malformed.
    """
    ids = entry_ids()
    wanted = plain_id(id)
    if wanted not in ids:
        raise UnknownEntry(id, closest(wanted, ids))
    return read_entry(wanted, lang)


def entries(lang: str) -> list[Entry]:
    """All entries in one language, in the order of `entry_ids`."""
    return [read_entry(id, lang) for id in entry_ids()]


def search(query: str, lang: str, limit: int = 8) -> list[Hit]:
    """The entries that answer a query, best first, in the session's language; none if nothing sensible is found.

    The query is words in either language, an id (`1.3`), the code of a rule (`LAB102`) or lines pasted from a log.
    """
    from knowledge import search_index  # it reads all entries, and takes SQLite: only the search needs that

    query = unicodedata.normalize("NFKC", query)[-20_000:]
    index = search_index.shared()
    found = index.exact(query)
    matched = index.match(query)
    for id, score in matched.ranked:
        found.setdefault(id, score)
    best = sorted(found.items(), key=lambda item: (-item[1], order(item[0])))[:limit]
    return [Hit(read_entry(id, lang), score, index.snippet(id, lang, matched)) for id, score in best]


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
    return "" if (wide(before) and wide(after)) or before in _CHINESE_MARKS or after in _CHINESE_MARKS else " "


_CHINESE_MARKS = "，。、；：？！（）《》【】"


def wide(character: str) -> bool:
    """Whether a character fills two cells of a terminal."""
    return unicodedata.east_asian_width(character) in "WF" or character in "“”"


def order(id: str) -> tuple[bool, str]:
    """The key that sorts ids: questions first."""
    return (_FAQ_ID.fullmatch(id) is None, id)


def plain_id(text: str) -> str:
    """What was typed for an id, as an id: `Q1.3` and `FAQ 1.3` are `1.3`."""
    text = text.strip().lower()
    numbered = re.fullmatch(r"(?:faq|q)?\s*(\d\.\d)", text)
    return numbered.group(1) if numbered else text


@functools.lru_cache(maxsize=512)
def read_entry(id: str, lang: str) -> Entry:
    """The entry of a known id, from its file.

    Raises:
        PageError: the file is malformed, or not there.
    """
    path = os.path.join(FOLDER, f"{id}.{lang}.md")
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
