"""rich's Markdown, with lines that break where Chinese may break."""

from __future__ import annotations

from typing import Any, ClassVar

from markdown_it.token import Token
from rich.console import Console, ConsoleOptions, JustifyMethod, OverflowMethod, RenderResult
from rich.containers import Lines
from rich.markdown import CodeBlock, Heading, ListItem, Markdown, MarkdownContext, Paragraph, TableDataElement
from rich.syntax import Syntax
from rich.text import Text

from doctor.reporters.layout import wrap
from knowledge.library import joint


class _Prose(Text):
    """Text that is wrapped by `layout.wrap`; rich breaks only at blanks, which a Chinese sentence does not have."""

    def wrap(
        self,
        console: Console,
        width: int,
        *,
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        tab_size: int = 8,
        no_wrap: bool | None = None,
    ) -> Lines:
        lines = Lines()
        for paragraph in self.split(allow_blank=True):
            plain, at = paragraph.plain, 0
            for pieces in wrap([(plain, "")], width):
                piece = "".join(text for text, _ in pieces)
                at = plain.index(piece, at)
                lines.append(paragraph[at : at + len(piece)])
                at += len(piece)
        side = justify or self.justify
        if side in ("right", "center"):
            lines.justify(console, width, justify=side)
        return lines


class _Paragraph(Paragraph):
    def on_enter(self, context: MarkdownContext) -> None:
        super().on_enter(context)
        self.text = _Prose(justify="left")


class _Cell(TableDataElement):
    def __init__(self, justify: JustifyMethod) -> None:
        super().__init__(justify)
        self.content = _Prose("", justify=justify)


class _Heading(Heading):
    """At the left in every version of rich, and without a box."""

    def on_enter(self, context: MarkdownContext) -> None:
        super().on_enter(context)
        self.text = _Prose(justify="left")

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.style = self.style_name
        yield self.text


class _CodeBlock(CodeBlock):
    """In the terminal's own colours, and with whole lines: it is there to be copied.

    Inside a list rich crops what is too long, so there it is wrapped.
    """

    def on_enter(self, context: MarkdownContext) -> None:
        super().on_enter(context)
        self.nested = any(isinstance(outer, ListItem) for outer in context.stack)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        syntax = Syntax("", self.lexer_name, theme="ansi_dark", background_color="default")
        code = syntax.highlight(str(self.text).rstrip())
        code.rstrip()
        for line in code.split(allow_blank=True):
            if self.nested:
                folded = _Prose()
                folded.append_text(line)
                yield folded
            else:
                yield Text.assemble("  ", line, no_wrap=True, overflow="ignore")


class Article(Markdown):
    """One of our Markdown texts, for a rich console."""

    elements: ClassVar = {
        **Markdown.elements,
        "paragraph_open": _Paragraph,
        "heading_open": _Heading,
        "th_open": _Cell,
        "td_open": _Cell,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
    }

    def __init__(self, markup: str, **options: Any) -> None:
        super().__init__(markup, hyperlinks=False, **options)  # addresses are printed, so that they can be copied
        for token in self.parsed:
            if token.children:
                # an address that is its own text would be printed twice
                token.children = [t for t in token.children if not (t.type.startswith("link_") and t.markup == "autolink")]
                _close_up(token.children)


def _close_up(tokens: list[Token]) -> None:
    """Turn the line breaks of the source between two Chinese characters into nothing."""
    for number, token in enumerate(tokens):
        if token.type == "softbreak":
            before = next((t.content for t in reversed(tokens[:number]) if t.content), "")
            after = next((t.content for t in tokens[number + 1 :] if t.content), "")
            if before and after and not joint(before[-1], after[0]):
                token.type, token.content = "text", ""
