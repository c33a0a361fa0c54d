"""Every sentence of the program that is not a rule's or an entry's, in English and Chinese."""

from __future__ import annotations

from typing import Any

from knowledge.template import fill

PHRASES: dict[str, tuple[str, str]] = {
    # why a config cannot be read: one line, the file, the way out
    "config-missing": (
        "{file}: no such file. Give the path of a PaddleClas YAML config with --config.",
        "{file}：文件不存在。请用 --config 指定 PaddleClas 的 YAML 配置文件。",
    ),
    "deploy-config-missing": (
        "{file}: no such file. Give the path of the deploy config with --deploy-config.",
        "{file}：文件不存在。请用 --deploy-config 指定部署配置文件。",
    ),
    "config-is-directory": (
        "{file}: is a folder. Give the path of one YAML file in it.",
        "{file}：这是一个目录。请指定其中的某个 YAML 文件。",
    ),
    "config-not-a-file": (
        "{file}: is a device or pipe, not a file. Give the path of a YAML file.",
        "{file}：这是设备或管道，不是普通文件。请指定 YAML 文件。",
    ),
    "config-too-large": (
        "{file}: has {size:bytes}; a PaddleClas config has a few KiB, and at most {limit:bytes} are read. Is it the right file?",
        "{file}：大小为 {size:bytes}；PaddleClas 配置一般只有几 KiB，最多读取 {limit:bytes}。是否选错了文件？",
    ),
    "config-unreadable": ("{file}: cannot be read ({error}).", "{file}：无法读取（{error}）。"),
    "config-empty": (
        "{file}: is empty. Start from a config of PaddleClas, or from `paddle-doctor demo`.",
        "{file}：文件为空。可以从 PaddleClas 自带的配置或 `paddle-doctor demo` 开始。",
    ),
    "config-binary": (
        "{file}: is binary, not YAML. Give the path of the config, not of weights or an image.",
        "{file}：是二进制文件，不是 YAML。请指定配置文件，而不是权重或图片。",
    ),
    "config-not-utf8": (
        "{file}:{line}: byte {byte} is not UTF-8, and PaddleClas cannot read the file either. Save it as UTF-8.",
        "{file}:{line}：字节 {byte} 不是 UTF-8，PaddleClas 同样无法读取。请把文件另存为 UTF-8。",
    ),
    "config-not-key-value": (
        "{file}: no line of it has a key of a config.txt of the C++ demos (use_gpu, cls_model_path, clas_model_file …).",
        "{file}：没有一行是 C++ demo 的 config.txt 中的键（use_gpu、cls_model_path、clas_model_file 等）。",
    ),
    "config-tab": (
        "{file}:{line}:{column}: a tab stands here, where YAML does not allow one. Replace it with spaces.",
        "{file}:{line}:{column}：此处有制表符，YAML 不允许。请改成空格。",
    ),
    "config-not-yaml": ("{file}:{line}:{column}: is not valid YAML: {problem}.", "{file}:{line}:{column}：不是合法的 YAML：{problem}。"),
    "config-top-level-list": (
        "{file}: is a list at the top; a PaddleClas config is a mapping (Global:, Arch:, DataLoader: …).",
        "{file}：最外层是列表；PaddleClas 配置的最外层应是映射（Global:、Arch:、DataLoader: 等）。",
    ),
    "config-top-level-scalar": (
        "{file}: is a single value; a PaddleClas config is a mapping (Global:, Arch:, DataLoader: …).",
        "{file}：只有一个值；PaddleClas 配置的最外层应是映射（Global:、Arch:、DataLoader: 等）。",
    ),
    "config-cyclic": (
        "{file}:{line}: an alias points back at what contains it, so the config has no end. Remove the alias.",
        "{file}:{line}：别名指回了包含它自己的节点，配置会无限展开。请删除该别名。",
    ),
    "config-explodes": (
        "{file}: holds, or its aliases expand to, more than {limit} values; a PaddleClas config has a few hundred. Remove the aliases.",
        "{file}：内容（含别名展开）超过 {limit} 个值，而 PaddleClas 配置只有几百个。请删除多余的别名。",
    ),
    "config-too-deep": ("{file}: is nested too deeply to be read.", "{file}：嵌套过深，无法读取。"),
    "root-missing": ("--root {root}: no such folder.", "--root {root}：目录不存在。"),
    "settings-wrong": ("{file}: {error}.", "{file}：设置有误：{error}。"),
    "settings-no-toml": ("{file}: is not valid TOML: {error}.", "{file}：不是合法的 TOML：{error}。"),
    "unknown-rule": (
        "{flag} {name}: no rule has this code, name or prefix. `paddle-doctor rule` lists them.",
        "{flag} {name}：没有这个代码、名称或前缀的规则。可用 `paddle-doctor rule` 查看全部规则。",
    ),
    "unknown-lang": ("--lang {given}: is zh or en.", "--lang {given}：只能是 zh 或 en。"),
    "assume-wrong": (
        "--assume {text}: write KEY=VALUE with shm, memory (bytes, or 64m, 8g), cpus or gpus (a number).",
        "--assume {text}：请写成 KEY=VALUE，KEY 为 shm、memory（字节数，或 64m、8g）、cpus、gpus（数字）。",
    ),
    "bad-arguments": ("{error}", "{error}"),
    # why a fact could not be had
    "file-missing": ("{file}: no such file", "{file}：文件不存在"),
    "file-is-directory": ("{file}: is a folder", "{file}：是目录"),
    "file-not-regular": ("{file}: is a device or pipe", "{file}：是设备或管道"),
    "file-no-permission": ("{file}: no permission to read it", "{file}：没有读取权限"),
    "file-unreadable": ("{file}: cannot be read ({error})", "{file}：无法读取（{error}）"),
    "file-binary": ("{file}: is binary", "{file}：是二进制文件"),
    "file-is-lfs-pointer": ("{file}: is a Git LFS pointer", "{file}：是 Git LFS 指针"),
    "file-is-web-page": ("{file}: is a web page", "{file}：是网页"),
    "file-is-xml": ("{file}: is XML", "{file}：是 XML"),
    "file-is-json": ("{file}: is JSON", "{file}：是 JSON"),
    "file-is-label-map": ("{file}: is a label map", "{file}：是标签映射文件"),
    "file-is-no-list": ("{file}: is no label list", "{file}：不是标签列表"),
    "file-too-large": ("{file}: is too large", "{file}：文件过大"),
    "no-shared-memory": ("there is no /dev/shm on this system ({platform})", "本系统没有 /dev/shm（{platform}）"),
    "no-collector": ("the fact {fact} has no collector", "事实 {fact} 没有采集器"),
    "deadline": ("{fact} was not measured within {seconds} s", "{fact} 在 {seconds} 秒内未测得"),
    "collector-crashed": ("our bug: measuring {fact} failed ({error})", "本工具的缺陷：采集 {fact} 失败（{error}）"),
    "check-crashed": ("our bug, please report it: {error}", "本工具的缺陷，请反馈：{error}"),
    # why a check has nothing to say
    "no-class-num": ("the config gives no class count", "配置中没有类别数"),
    "no-topk": ("the config has no top-k metric", "配置中没有 top-k 指标"),
    "no-label-map": ("the config names no label map", "配置中没有标签映射文件"),
    "no-label-file": ("the config names no label file for this stage", "该阶段的配置没有标签文件"),
    "no-image-root": ("the config names no image root for this stage", "该阶段的配置没有图片根目录"),
    "no-labels-read": ("no label file could be read", "没有可读取的标签文件"),
    "no-train-labels": ("the training labels could not be read, or are renumbered", "训练标签无法读取，或会被重新编号"),
    "no-two-lists": ("there are not both a training and an evaluation list", "没有同时读到训练列表与验证列表"),
    "no-samples-known": ("the number of samples is not known", "样本数未知"),
    "no-overrides": ("there are no overrides", "没有使用 -o 覆盖"),
    "no-vocabulary": ("the keys of a {generation} file are not PaddleClas's", "{generation} 类文件的键不由 PaddleClas 定义"),
    "no-shm-loader": ("no loader of this stage uses /dev/shm", "该阶段没有使用 /dev/shm 的加载器"),
    "shape-unknown": ("the transforms do not tell the size of an image", "从数据变换中无法得知图片尺寸"),
    "probe-not-asked": ("no samples were put through (--probe)", "没有用样本实测（--probe）"),
    "probe-elsewhere": (
        "the samples lie in a container: run paddle-doctor --probe inside",
        "样本在容器里：请在容器内运行 paddle-doctor --probe",
    ),
    "parity-not-asked": ("both sides were not run (paddle-doctor parity)", "没有运行训练侧与部署侧（paddle-doctor parity）"),
    "parity-elsewhere": (
        "both sides can only be run where the files are, on Linux or macOS: run paddle-doctor parity there",
        "两侧只能在文件所在的机器上（Linux 或 macOS）运行：请在那里运行 paddle-doctor parity",
    ),
    "parity-legacy": (
        "the config is of PaddleClas 2.0 or 2.1, whose two scripts are compared by what they print",
        "该配置属于 PaddleClas 2.0/2.1，请用脚本模式比较两个脚本打印的结果",
    ),
    "parity-no-training-config": ("the config is no training config (Global, Arch, Infer)", "该配置不是训练配置（Global、Arch、Infer）"),
    "parity-no-python-config": ("{file} is no config of deploy/python", "{file} 不是 deploy/python 使用的配置"),
    "parity-no-transforms": (
        "the config has no Infer.transforms and no DataLoader.Eval.dataset.transform_ops",
        "配置中没有 Infer.transforms，也没有 DataLoader.Eval.dataset.transform_ops",
    ),
    "parity-no-images": (
        "neither --images nor the configs (Infer.infer_imgs, Global.infer_imgs, the list for evaluation) name an image that is there",
        "--images 与配置（Infer.infer_imgs、Global.infer_imgs、评估列表）都没有给出存在的图片",
    ),
    "parity-no-images-in": ("there is no image in {file}", "{file} 里没有图片"),
    "parity-image-missing": ("there is no image {file}", "图片 {file} 不存在"),
    "batch-unknown": (
        "the transforms do not tell how large a batch of {split} is; --probe puts a few samples through them",
        "从数据变换中无法得知 {split} 的 batch 有多大；可用 --probe 实际处理几个样本",
    ),
    "no-workers": ("no loader of this stage has workers", "该阶段没有使用子进程的加载器"),
    # the report
    "severity-error": ("error", "错误"),
    "severity-warning": ("warning", "警告"),
    "severity-info": ("info", "提示"),
    "generation-modern": ("PaddleClas 2.2 or later", "PaddleClas 2.2 及以后"),
    "generation-legacy": ("PaddleClas 2.1 or before", "PaddleClas 2.1 及以前"),
    "generation-deploy": ("deploy config", "部署配置"),
    "generation-search": ("strategy search", "策略搜索"),
    "generation-fragment": ("fragment", "片段"),
    "stage": ("stage {stage}", "阶段 {stage}"),
    "stage-train": ("train", "训练"),
    "stage-eval": ("eval", "评估"),
    "stage-export": ("export", "导出"),
    "stage-infer": ("infer", "推理"),
    "stage-deploy": ("deploy", "部署"),
    "root-given": ("relative paths count from {root} (--root)", "相对路径以 {root} 为起点（--root）"),
    "root-cwd": ("relative paths count from {root} (the current folder)", "相对路径以 {root} 为起点（当前目录）"),
    "root-checkout": (
        "relative paths count from {root} (the PaddleClas checkout of the config)",
        "相对路径以 {root} 为起点（配置所在的 PaddleClas 仓库）",
    ),
    "assumed": ("assumed, not measured: {facts}", "以下为假定值而非实测：{facts}"),
    "overridden": ("overridden: {options}", "命令行覆盖：{options}"),
    "family-CFG": ("Config", "配置"),
    "family-ENV": ("Machine", "运行环境"),
    "family-LAB": ("Labels", "标签"),
    "family-IMG": ("Images", "图片"),
    "family-MDL": ("Model", "模型"),
    "family-DST": ("Distillation", "蒸馏"),
    "family-DEP": ("Deployment", "部署"),
    "family-WTS": ("Weights", "权重"),
    "family-EXP": ("Export", "导出"),
    "family-PAR": ("Infer and predict", "infer 与 predict 对比"),
    "family-other": ("Other", "其他"),
    "override-place": ("override {line} on the command line", "命令行第 {line} 个 -o"),
    "why": ("why", "原因"),
    "fix": ("fix", "修复"),
    "fix-unsafe": ("look first", "需人工确认"),
    "more": ("more", "详见"),
    "set-value": ("set {key}: {value}", "修改 {key}: {value}"),
    "skipped-title": ("Not checked", "未检查"),
    "crashed-title": ("Our own bugs", "本工具的缺陷"),
    "healthy": ("Nothing found.", "没有发现问题。"),
    "summary": (
        "{error} error{error:s}, {warning} warning{warning:s}, {info} info · {checks} checks: {passed} passed, {failed} failed, {skipped} skipped",
        "错误 {error}，警告 {warning}，提示 {info} · 共 {checks} 项检查：通过 {passed}，发现问题 {failed}，跳过 {skipped}",
    ),
    "summary-crashed": ("{crashed} crashed", "崩溃 {crashed}"),
    "summary-suppressed": ("{suppressed} suppressed", "已屏蔽 {suppressed}"),
    "more-findings": (
        "… {count} more of {code} {name}, in {files} file{files:s}; --all shows each, --format json has them all",
        "…… {code} {name} 还有 {count} 条（{files} 个文件）；用 --all 全部显示，--format json 始终完整",
    ),
    "not-applicable": (
        "{count} rule{count:s} found nothing of their kind in this config; --all names them",
        "{count} 条规则在该配置中没有检查对象；用 --all 查看",
    ),
    "measuring-progress": ("measuring {fact} … {done} of {total} ({share} %)", "正在采集 {fact} … {done} / {total}（{share}%）"),
    "measuring": ("measuring {fact} … {seconds} s", "正在采集 {fact} … {seconds} 秒"),
    "interrupted": ("interrupted", "已中断"),
}
"""Key → (English, Chinese), as templates of `knowledge.template`."""


def phrase(key: str, lang: str, **values: Any) -> str:
    """A sentence in `zh` or `en`, with its values filled in.

    Raises:
        KeyError: there is no such phrase, or a value is missing.
    """
    return fill(_pair(key)[lang == "zh"], values)


def _pair(key: str) -> tuple[str, str]:
    found = PHRASES.get(key)
    if found is None:
        from knowledge.phrases_rules import PHRASES_RULES

        found = PHRASES_RULES.get(key)
    if found is None:
        # those of one command each are loaded when that command speaks
        from knowledge.phrases_cli import PHRASES_CLI

        found = PHRASES_CLI.get(key)
    if found is None:
        from knowledge.phrases_parity import PHRASES_PARITY

        found = PHRASES_PARITY.get(key)
    if found is None:
        from knowledge.phrases_container import PHRASES_CONTAINER

        found = PHRASES_CONTAINER.get(key)
    if found is None:
        from knowledge.phrases_settings import PHRASES_SETTINGS

        found = PHRASES_SETTINGS.get(key)
    if found is None:
        from knowledge.phrases_faq import PHRASES_FAQ

        found = PHRASES_FAQ[key]
    return found
