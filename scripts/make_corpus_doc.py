"""Write docs/corpus.md: every warning, and every error that is not about absent data, on PaddleClas's own configs, with the verdict.

Usage: `python scripts/make_corpus_doc.py CORPUS`, with a folder of PaddleClas configs below `<branch>/…`. A finding without a verdict stops the
script: it is either a true defect of that config, and then the verdict belongs into `VERDICTS`, or a bug of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from checks.facts.base import World  # noqa: E402 - the path above comes first
from doctor.run import Run, run_check  # noqa: E402 - likewise
from doctor.settings import Settings  # noqa: E402 - likewise

STAGES = ("train", "eval", "export", "infer", "deploy")
MACHINE = ("shm=64g", "cpus=64", "gpus=1")
ABSENT_DATA = frozenset({"DEP209", "DEP211", "EXP101", "IMG101", "IMG110", "LAB101", "WTS101", "WTS102", "WTS103"})
"""What is said of files that a config alone does not bring: lists, images, weights, exported models."""

VERDICTS: dict[str, tuple[str, str]] = {
    "CFG110": (
        "True: `RandomCrop` is in no branch's `ppcls.data.preprocess`, so training stops at start; the config serves inference alone.",
        "属实：各分支的 `ppcls.data.preprocess` 都没有 `RandomCrop`，训练一启动就报错；该配置只用于预测。",
    ),
    "CFG106": (
        "True: there is no `Metric` section, and `tools/export_model.py` of 2.4 reads `Metric.Eval` (`KeyError: 'Eval'`).",
        "属实：没有 `Metric` 段，而 2.4 的 `tools/export_model.py` 要读 `Metric.Eval`（`KeyError: 'Eval'`）。",
    ),
    "CFG111 warmup_epoch": (
        "True: `Cosine` of 2.0 swallows `warmup_epoch`; the schedule with a warm-up is `CosineWarmup`, so the recipe trains without one.",
        "属实：2.0 的 `Cosine` 会吞掉 `warmup_epoch`，带预热的是 `CosineWarmup`，因此实际训练没有预热。",
    ),
    "CFG111 clip_grad": (
        "True: `AdamW` of 2.4 has no `clip_grad` and passes over it; gradients are not clipped. `clip_norm` is what the optimizer's builder reads.",
        "属实：2.4 的 `AdamW` 没有 `clip_grad`，直接忽略，梯度并未裁剪；构建优化器时读取的是 `clip_norm`。",
    ),
    "CFG132": (
        'True: `"false"` in quotes is a text that counts as true, so the exported features pass through a Softmax.',
        '属实：加引号的 `"false"` 是字符串，按真值处理，导出的特征会经过一次 Softmax。',
    ),
    "CFG205": (
        "True: four values for five stretches of `Piecewise`; PaddlePaddle 3 refuses it, earlier ones repeat the last value.",
        "属实：`Piecewise` 有五段却只给了四个值；PaddlePaddle 3 会报错，更早的版本重复最后一个值。",
    ),
    "CFG202": (
        "Absent data: the label map is one that the user brings, or that counts from the folder `deploy/`.",
        "缺数据：标签表需要用户自备，或以 `deploy/` 为起点。",
    ),
    "LAB111 is the list for training and": (
        "True: the recipe of `PPLCNet_x2_5_ssld` evaluates on its own training list (seen only with the data at hand).",
        "属实：`PPLCNet_x2_5_ssld` 的配置用训练列表做评估（有数据时才会报告）。",
    ),
    "DEP101": (
        "True: `Train` decodes to RGB and `Eval` with `to_rgb: False`; one of them is not what the published weights were trained with.",
        "属实：`Train` 解码为 RGB，`Eval` 却是 `to_rgb: False`，其中之一与发布权重的训练方式不符。",
    ),
    "DEP103": (
        "True: `Eval` resizes to 227 px, `Infer` resizes the shorter side to 256 and crops 227.",
        "属实：`Eval` 直接缩放到 227，`Infer` 先把短边缩放到 256 再裁剪 227。",
    ),
    "DEP104": (
        "True: `Infer` lacks the interpolation or backend that `Eval` has.",
        "属实：`Infer` 没有写 `Eval` 所用的插值方式或后端。",
    ),
    "DST104": (
        "True as it stands: the teacher is frozen and without weights until they are given, as the documentation does on the command line.",
        "按原样运行属实：教师网络被冻结且没有权重，文档是在命令行上另行指定的。",
    ),
}


def verdict(code: str, message: str) -> tuple[str, str] | None:
    """The verdict on a finding: of its code, or of its code and a word of its message."""
    for key, texts in VERDICTS.items():
        rule, _, word = key.partition(" ")
        if rule == code and word in message:
            return texts
    return None


def runs(corpus: Path) -> Iterator[tuple[Path, str, Run]]:
    """Every config at every stage."""
    for path in sorted(corpus.rglob("*.yaml")):
        for stage in STAGES:
            yield (
                path,
                stage,
                run_check(
                    str(path), stage=stage, lang="en", assume=MACHINE, settings=Settings(), cache=False, world=World(cwd=str(corpus))
                ),
            )


def findings(corpus: Path, done: Iterable[tuple[Path, str, Run]]) -> dict[tuple[str, str, str], tuple[str, set[str]]]:
    """(code, file below the corpus, severity) → a message, and the stages at which it is said."""
    found: dict[tuple[str, str, str], tuple[str, set[str]]] = {}
    for path, stage, run in done:
        for item in run.report.findings:
            if item.severity == "info" or (item.severity == "error" and item.code in ABSENT_DATA):
                continue
            key = (item.code, path.relative_to(corpus).as_posix(), item.severity)
            found.setdefault(key, (item.message, set()))[1].add(stage)
    return found


def main() -> int:
    corpus = Path(sys.argv[1])
    found = findings(corpus, runs(corpus))
    lines = [
        "# What is said of PaddleClas's own configs",
        "",
        f"{len(list(corpus.rglob('*.yaml')))} configs of PaddleClas 2.0 and 2.4, checked at every stage. Each warning, and each error that is not",
        "about absent files (lists, images, weights, exported models), with the verdict. Made by `scripts/make_corpus_doc.py`; a test keeps it true.",
        "",
        "对 PaddleClas 2.0 和 2.4 自带的配置在各阶段运行检查后得到的全部警告，以及与缺少文件（列表、图片、权重、导出模型）无关的错误，",
        "并逐条给出结论。",
    ]
    for code in sorted({code for code, _, _ in found}):
        rows = [(file, severity, *found[code, file, severity]) for c, file, severity in sorted(found) if c == code]
        for texts in dict.fromkeys(verdict(code, message) for _, _, message, _ in rows):
            if texts is None:
                print(f"no verdict on {code}: {[row[:3] for row in rows if verdict(code, row[2]) is None][:3]}", file=sys.stderr)
                return 1
            group = [row for row in rows if verdict(code, row[2]) == texts]
            lines += ["", f"## {code} ({group[0][1]}, {len(group)})", "", texts[0], "", texts[1], ""]
            lines += [f"- `{file}`: {', '.join(s for s in STAGES if s in stages)}" for file, _, _, stages in group]
    (ROOT / "docs" / "corpus.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
