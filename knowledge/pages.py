"""Rule pages: one Markdown file per rule, with its wording in both languages.

Front matter: `code`, `name`, `entry`, `cases` (each with a severity and the message in both languages; `default` is the usual one), `because`
(why it matters, in a sentence) and `fixes` (titles by id). The body has two parts, after `<!-- en -->` and `<!-- zh -->`: what the rule
finds, why that is bad, how it is measured, how to repair it.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
import yaml

FOLDER = os.path.join(os.path.dirname(__file__), "rules")


class Case(msgspec.Struct, frozen=True):
    """One message of a rule, and how bad it is: error, warning or info."""

    severity: str
    en: str
    zh: str


class Bilingual(msgspec.Struct, frozen=True):
    """A text in both languages."""

    en: str
    zh: str

    def get(self, lang: str) -> str:
        """The text in `zh` or `en`."""
        return self.zh if lang == "zh" else self.en


class Page(msgspec.Struct, frozen=True):
    """A rule's page; `body` is its Markdown by language."""

    code: str
    name: str
    entry: str
    cases: dict[str, Case]
    because: Bilingual
    fixes: dict[str, Bilingual]
    body: dict[str, str]

    def case(self, name: str | None) -> Case:
        """A case by name; without one, the default."""
        return self.cases[name or "default"]

    @property
    def severity(self) -> str:
        """The severity of the default case."""
        return self.cases["default"].severity


class PageError(Exception):
    """A rule page that is missing or malformed; the message says which and how."""


def page(code: str, folder: str | None = None) -> Page:
    """Read the page of a rule from `folder` (ours by default).

    Raises:
        PageError: there is no such page, or it is malformed.
    """
    path = os.path.join(folder or FOLDER, f"{code}.md")
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except OSError as error:
        raise PageError(f"{path}: {error.strerror}") from None
    meta, body = split_front_matter(text, path)
    parts: dict[str, str] = {}
    for part in body.split("<!-- ")[1:]:
        lang, _, content = part.partition(" -->")
        parts[lang] = content.strip() + "\n"
    try:
        return msgspec.convert({"fixes": {}, **meta, "body": parts}, Page)
    except msgspec.ValidationError as error:
        raise PageError(f"{path}: {error}") from None


def codes(folder: str | None = None) -> list[str]:
    """The codes that have a page."""
    return sorted(name[:-3] for name in os.listdir(folder or FOLDER) if name.endswith(".md"))


def split_front_matter(text: str, path: str) -> tuple[dict[str, Any], str]:
    """The YAML between the two `---` lines, and what follows.

    Raises:
        PageError: there is no front matter, or it is no mapping.
    """
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise PageError(f"{path}: no front matter between '---' lines")
    head, _, body = text[4:].partition("\n---\n")
    meta = yaml.load(head, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(meta, dict):
        raise PageError(f"{path}: front matter is no mapping")
    return meta, body
