"""Words of `paddle-doctor faq` and `paddle-doctor rule`."""

from __future__ import annotations

PHRASES_FAQ: dict[str, tuple[str, str]] = {
    "help-faq-list": ("list the 25 questions and the field notes", "列出 25 个问题和各篇现场笔记"),
    "help-faq-show": ("show one entry", "查看一个条目"),
    "help-faq-search": ("search both languages; typos are forgiven", "中英文一起搜索，容忍拼写错误"),
    "help-faq-id": ("the entry's id, such as 1.3 or data.label-parse", "条目编号，例如 1.3 或 data.label-parse"),
    "help-faq-query": (
        "words, an id, the code of a rule, or an error line copied from a log",
        "关键词、条目编号、规则代码，或从日志里复制的报错行",
    ),
    "help-faq-format": (
        "rich: for a terminal; json: for programs (default: rich on a terminal, plain text otherwise)",
        "rich 用于终端，json 供程序读取（默认：终端上为 rich，否则为纯文本）",
    ),
    "help-rule-name": (
        "a code (LAB102), a name (label-exceeds-class-num) or a prefix (LAB); without it all rules are listed",
        "代码（LAB102）、名称（label-exceeds-class-num）或前缀（LAB）；不写则列出全部规则",
    ),
    "help-rule-all": ("list all rules", "列出全部规则"),
    "faq-unknown": (
        "{wanted}: no entry has this id. `paddle-doctor faq list` lists them.",
        "{wanted}：没有这个编号的条目。可用 `paddle-doctor faq list` 查看全部。",
    ),
    "faq-unknown-close": ("{wanted}: no entry has this id; did you mean {close}?", "{wanted}：没有这个编号的条目；是否想查 {close}？"),
    "faq-query-empty": (
        "the query is empty. Give words, an id or an error line: paddle-doctor faq search shm.",
        "搜索内容为空。请给出关键词、编号或报错行，例如 paddle-doctor faq search shm。",
    ),
    "faq-period": ("FAQ, part {period}", "FAQ 第 {period} 期"),
    "faq-notes": ("Field notes", "现场笔记"),
    "faq-legend": (
        "● something of today's version checks it · ○ to read, its check is planned",
        "● 当前版本已能检查 · ○ 可阅读，检查功能在计划中",
    ),
    "faq-next": ("read one: {command}", "阅读条目：{command}"),
    "faq-nothing": (
        "Nothing found for: {query}. `paddle-doctor faq list` lists all entries.",
        "没有找到与“{query}”相关的条目。可用 `paddle-doctor faq list` 查看全部。",
    ),
    "faq-rules": ("Related rules", "相关规则"),
    "faq-related": ("Related entries", "相关条目"),
    "faq-live": ("What paddle-doctor does about it", "paddle-doctor 对此能做什么"),
    "faq-source": ("Source", "出处"),
    "live-now": ("now", "已有"),
    "live-planned": ("planned", "计划中"),
    "live-rule": ("rule {name}", "规则 {name}"),
    "live-family": ("rules {name} ({title})", "{name} 系列规则（{title}）"),
    "live-command": ("command `{name}`", "命令 `{name}`"),
    "family-DST": ("Distillation", "蒸馏"),
    "family-MDL": ("Model", "模型"),
    "family-DEP": ("Deployment", "部署"),
    "family-PAR": ("Parity", "一致性"),
    "rule-unknown": (
        "{wanted}: no rule has this code, name or prefix. `paddle-doctor rule` lists them.",
        "{wanted}：没有这个代码、名称或前缀的规则。可用 `paddle-doctor rule` 查看全部。",
    ),
    "rule-unknown-close": (
        "{wanted}: no rule has this code, name or prefix; did you mean {close}?",
        "{wanted}：没有这个代码、名称或前缀的规则；是否想查 {close}？",
    ),
    "rule-entry": ("entry {id}", "条目 {id}"),
    "rule-messages": ("Messages", "报告用语"),
    "rule-fixes": ("Repairs it offers", "提供的修复办法"),
    "rule-next": ("read one: {command}", "查看规则：{command}"),
}
"""Key → (English, Chinese); `knowledge.phrases` looks here for what it does not have itself."""
