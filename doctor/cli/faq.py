"""`paddle-doctor faq`: list, show and search the entries."""

from __future__ import annotations

import argparse
from typing import Any

from rich.cells import cell_len

from doctor.cli import refuse
from doctor.cli.article import Output, output_arguments
from doctor.exit import Exit
from doctor.reporters.layout import Segment
from knowledge import library, pages
from knowledge.library import Entry, Live, UnknownEntry
from knowledge.phrases import phrase


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """`list`, `show ID`, `search QUERY...`; without any of them it is `list`."""
    commands = parser.add_subparsers(dest="action", metavar="COMMAND", title=phrase("help-commands", lang))
    made = {}
    for name in ("list", "show", "search"):
        text = phrase(f"help-faq-{name}", lang)
        made[name] = commands.add_parser(name, help=text, description=text)
        output_arguments(made[name], lang, language=True)
    made["show"].add_argument("id", metavar="ID", help=phrase("help-faq-id", lang))
    made["search"].add_argument("query", nargs="+", metavar="QUERY", help=phrase("help-faq-query", lang))


def run(options: argparse.Namespace, lang: str) -> int:
    """Print what was asked for."""
    output = Output(options)
    try:
        if options.action == "show":
            _show(library.entry(options.id, lang), output)
        elif options.action == "search":
            query = " ".join(options.query).strip()
            if not query:
                return refuse(phrase("faq-query-empty", lang))
            _search(query, lang, output)
        else:
            _list(library.entries(lang), lang, output)
    except UnknownEntry as error:
        key = "faq-unknown-close" if error.close else "faq-unknown"
        return refuse(phrase(key, lang, wanted=_one_line(error.wanted), close=error.close))
    except pages.PageError as error:
        return refuse(str(error))
    return Exit.OK


def _list(entries: list[Entry], lang: str, output: Output) -> None:
    if output.json:
        output.data({"entries": [_summary(entry) for entry in entries]})
        return
    lines: list[list[Segment]] = []
    for period in dict.fromkeys(entry.period for entry in entries):
        group = [entry for entry in entries if entry.period == period]
        title = phrase("faq-period", lang, period=period) if period else phrase("faq-notes", lang)
        lines += [[(title, "bold")]]
        longest = max(cell_len(entry.id) for entry in group)
        for entry in group:
            mark: Segment = ("● ", "green") if entry.live_now else ("○ ", "dim")
            by = ", ".join(_by_name(item) for item in entry.live if item.now)
            segments: list[Segment] = [mark, (entry.id.ljust(longest), "bold"), ("  " + entry.title, ""), (f"  {by}" if by else "", "dim")]
            lines += output.folded(*segments, indent=2, hang=longest + 4)
        lines.append([])
    lines += output.folded((phrase("faq-legend", lang), "dim"))
    lines += output.folded((phrase("faq-next", lang, command="paddle-doctor faq show 1.3"), "dim"))
    output.lines(lines)


def _search(query: str, lang: str, output: Output) -> None:
    hits = library.search(query, lang)
    if output.json:
        found = [{**_summary(hit.entry), "score": round(hit.score, 3), "snippet": hit.snippet} for hit in hits]
        output.data({"query": query, "hits": found})
        return
    if not hits:
        shown = _one_line(query)
        output.lines(output.folded((phrase("faq-nothing", lang, query=shown), "")))
        return
    lines: list[list[Segment]] = []
    for hit in hits:
        lines += output.folded((hit.entry.id, "bold cyan"), (f"  {hit.entry.title}", "bold"), hang=2)
        lines += output.folded((hit.snippet, "dim"), indent=4)
    lines += [[], *output.folded((phrase("faq-next", lang, command=f"paddle-doctor faq show {hits[0].entry.id}"), "dim"))]
    output.lines(lines)


def _show(entry: Entry, output: Output) -> None:
    lang = entry.lang
    known = library.entry_ids()
    related = [(id, library.entry(id, lang).title) for id in entry.related if id in known]
    rules = [(code, _rule_name(code)) for code in entry.rules]
    if output.json:
        rows: dict[str, Any] = {
            "rules": [{"code": code, "name": name} for code, name in rules],
            "related": [{"id": id, "title": title} for id, title in related],
        }
        output.data({**_summary(entry), **rows, "signatures": entry.signatures, "source": entry.source, "body": entry.body})
        return
    parts = [f"# {entry.id} {entry.title}", f"> {entry.question}", entry.body.strip()]
    if rules:
        parts += [_heading("faq-rules", lang), _items(f"**{code}** {name}".rstrip() for code, name in rules)]
    if related:
        parts += [_heading("faq-related", lang), _items(f"**{id}** {title}" for id, title in related)]
    if entry.live:
        parts += [_heading("faq-live", lang), _items(_live(item, lang) for item in entry.live)]
    if entry.source:
        parts += [_heading("faq-source", lang), entry.source]
    output.article("\n\n".join(parts) + "\n")


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "kind": entry.kind,
        "period": entry.period,
        "lang": entry.lang,
        "title": entry.title,
        "question": entry.question,
        "tags": entry.tags,
        "rules": entry.rules,
        "live": entry.live,
        "live_now": entry.live_now,
    }


def _heading(key: str, lang: str) -> str:
    return f"## {phrase(key, lang)}"


def _items(texts: Any) -> str:
    return "\n".join(f"- {text}" for text in texts)


def _by_name(item: Live) -> str:
    """`ENV101` of `rule ENV101`, `WTS` of `rule family WTS`, `shm` of `command shm`."""
    return item.by.removeprefix("rule ").removeprefix("family ").removeprefix("command ")


def _live(item: Live, lang: str) -> str:
    name = _by_name(item)
    if item.by.startswith("rule family "):
        what = phrase("live-family", lang, name=name, title=phrase(f"family-{name}", lang))
    else:
        what = phrase("live-rule" if item.by.startswith("rule ") else "live-command", lang, name=name)
    return f"**{phrase('live-now' if item.now else 'live-planned', lang)}** {what}"


def _rule_name(code: str) -> str:
    try:
        return pages.page(code).name
    except pages.PageError:
        return ""


def _one_line(text: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= 60 else text[:59] + "…"
