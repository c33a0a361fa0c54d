"""Words of the command line: help texts, and argparse's own in Chinese."""

from __future__ import annotations

PHRASES_CLI: dict[str, tuple[str, str]] = {
    "help-program": (
        "Finds out why a PaddleClas training, export or inference goes wrong, or will: "
        "with the numbers it measured, the FAQ entry that explains it, and the repair.",
        "找出 PaddleClas 训练、导出或推理为什么出错（或将要出错）：给出实测数字、对应的 FAQ 条目和修复办法。",
    ),
    "help-version": ("show the version and exit", "显示版本号并退出"),
    "help-commands": ("commands", "命令"),
    "help-lang": ("language of all output (default: the locale's)", "输出语言（默认取系统语言）"),
    "help-check": ("check a config before it costs GPU hours", "在消耗 GPU 时间之前检查配置"),
    "help-faq": ("read and search the FAQ", "阅读和搜索 FAQ"),
    "help-rule": ("show a rule: what it finds, why, how it is measured, how to repair", "查看规则：查什么、为什么、如何测得、如何修复"),
    "help-demo": ("write a small faulty project and check it", "生成一个带错误的小项目并检查它"),
    "help-schema": ("print the JSON Schema of the report", "输出报告的 JSON Schema"),
    "help-completion": ("print a completion script for your shell", "输出 shell 补全脚本"),
    "help-completion-shell": ("the shell", "shell 类型"),
    "help-demo-dir": ("folder to write to (default: paddle-doctor-demo)", "写入的目录（默认 paddle-doctor-demo）"),
    "help-check-config": ("the PaddleClas config (YAML), of any generation", "PaddleClas 配置文件（YAML），新旧版本均可"),
    "help-check-override": (
        "an override as PaddleClas takes it, such as Arch.class_num=102; may be given again",
        "与 PaddleClas 相同的覆盖项，例如 Arch.class_num=102；可重复",
    ),
    "help-check-stage": (
        "what you are about to run (default: deploy for a deploy config, else train)",
        "接下来要运行的阶段（部署配置默认 deploy，其他默认 train）",
    ),
    "help-check-root": (
        "the folder that relative paths count from (default: the current folder, or the checkout of the config)",
        "相对路径的起点目录（默认为当前目录，或配置所在的 PaddleClas 仓库）",
    ),
    "help-check-assume": (
        "judge for another machine: shm=64m, memory=16g, cpus=8, gpus=4; may be given again",
        "按另一台机器判断：shm=64m、memory=16g、cpus=8、gpus=4；可重复",
    ),
    "help-check-deploy-config": (
        "the deploy config that goes with it: YAML, or a C++ config.txt",
        "与之配套的部署配置：YAML，或 C++ 的 config.txt",
    ),
    "help-check-weights": (
        "the weights for eval, infer or export (default: those that the config names)",
        "评估、预测或导出所用的权重（默认用配置里写的）",
    ),
    "help-check-inference-model": (
        "the folder of the exported model (default: the one that the config names)",
        "导出模型所在的目录（默认用配置里写的）",
    ),
    "help-check-synthetic": ("a glob pattern of generated images among the listed ones", "列表中合成图片的通配符模式"),
    "help-check-images": (
        "how closely to look at images: off, exists, quick (first and last bytes, default) or full (decode)",
        "图片检查的深度：off 不查，exists 只查是否存在，quick 查首尾字节（默认），full 完整解码",
    ),
    "help-check-no-cache": ("measure anew what an earlier run has kept", "不使用以前保存的扫描结果，全部重新测量"),
    "help-check-select": ("run only these rules: codes, names or prefixes, by commas", "只运行这些规则：代码、名称或前缀，逗号分隔"),
    "help-check-ignore": ("do not run these rules", "不运行这些规则"),
    "help-check-fail-on": ("the least severity that makes the exit status 1 (default: error)", "达到该级别时退出码为 1（默认 error）"),
    "help-check-format": ("the form of the report (default: rich)", "报告格式（默认 rich）"),
    "help-check-quiet": ("errors and warnings only, one line each", "只输出错误和警告，每条一行"),
    "help-check-all": ("show every finding, however many a rule has", "不折叠，显示每条规则的全部结果"),
    "help-check-no-color": ("no colours", "不使用颜色"),
    "unknown-command": ("{name}: no such command ({hint})", "{name}：没有这个命令（{hint}）"),
    "unknown-images": ("--images {given}: is off, exists, quick or full.", "--images {given}：只能是 off、exists、quick、full。"),
    "unknown-stage": ("stage {stage}: is train, eval, export, infer or deploy", "阶段 {stage}：只能是 train、eval、export、infer、deploy"),
    "did-you-mean": ("did you mean {name}?", "是否想输入 {name}？"),
    "demo-not-empty": (
        "{folder}: is not empty. Name a new folder: paddle-doctor demo DIR.",
        "{folder}：目录非空。请指定一个新目录：paddle-doctor demo DIR。",
    ),
    "demo-cannot-write": ("{folder}: cannot be written ({error}).", "{folder}：无法写入（{error}）。"),
    "demo-written": ("A small project with mistakes was written to {folder}.", "已在 {folder} 生成一个带错误的小项目。"),
    "demo-next": ("Correct a line and look again: {command}", "改掉一处后再看：{command}"),
}

ARGPARSE_ZH = {
    "usage: ": "用法：",
    "positional arguments": "位置参数",
    "options": "选项",
    "subcommands": "子命令",
    "show this help message and exit": "显示帮助并退出",
    "show program's version number and exit": "显示版本号并退出",
    "the following arguments are required: %s": "缺少必需的参数：%s",
    "unrecognized arguments: %s": "无法识别的参数：%s",
    "expected one argument": "需要一个参数",
    "expected at least one argument": "至少需要一个参数",
    "expected at most one argument": "最多一个参数",
    "invalid choice: %(value)r (choose from %(choices)s)": "无效的值：%(value)r（可选：%(choices)s）",
    "argument %(argument_name)s: %(message)s": "参数 %(argument_name)s：%(message)s",
    "ambiguous option: %(option)s could match %(matches)s": "选项 %(option)s 不明确，可能是 %(matches)s",
    "%(prog)s: error: %(message)s\n": "%(prog)s：%(message)s\n",
}
"""argparse's own words (CPython 3.10 to 3.14), by the English text that it looks up."""
