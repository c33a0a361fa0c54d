"""The passage of an entry that answers a query best, cut to two lines of a terminal."""

from __future__ import annotations

import re

from knowledge.library import flow, wide
from knowledge.search_words import TOKEN, Concept, expand, fold

_SNIPPET_CELLS = 150
"""The width of a snippet in terminal cells: two lines of 80, or three of 60."""

_ITEM = re.compile(r"(?:[-*] |\d+\. )")


def passages(body: str) -> list[tuple[int, str]]:
    """A Markdown body as plain passages, each with the number of its section: paragraphs, list items, table rows, lines of code."""
    found: list[tuple[int, str]] = []
    section, fenced = 0, False
    lines: list[str] = []

    def close() -> None:
        if lines:
            found.append((section, _plain(flow(lines))))
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
    return found


def _plain(text: str) -> str:
    if text.startswith("|"):
        text = " · ".join(cell.strip() for cell in text.strip("|").split("|") if cell.strip())
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return text.replace("**", "").replace("`", "")


def best_passage(among: list[tuple[int, str]], concepts: list[Concept]) -> tuple[int, str] | None:
    """The passage that speaks most of what was asked; None where none speaks of it."""
    best, most = None, 0.0
    for passage in among:
        terms = {term for token in TOKEN.findall(fold(passage[1])) for term in expand(token)}
        score = sum(concept.weight * concept.found_in(terms) for concept in concepts)
        if score > most + 1e-9:
            best, most = passage, score
    return best


def cut(text: str, concepts: list[Concept]) -> str:
    """A passage cut to the width of a snippet, around the first word that was asked for."""
    if _cells(text) <= _SNIPPET_CELLS:
        return text
    asked = {term for concept in concepts for term in concept.terms}
    places = (m.start() for m in TOKEN.finditer(text.lower()) if not asked.isdisjoint(expand(m.group())))
    start = max(0, next(places, 0) - 30)
    if start and (space := text.find(" ", start, start + 15)) >= 0:
        start = space + 1
    head, end, used = "… " if start else "", start, 0
    while end < len(text) and used < _SNIPPET_CELLS:
        used += 2 if wide(text[end]) else 1
        end += 1
    if end < len(text) and (space := text.rfind(" ", max(start, end - 15), end)) > start:
        end = space
    return head + text[start:end].strip() + (" …" if end < len(text) else "")


def _cells(text: str) -> int:
    return sum(2 if wide(character) else 1 for character in text)
