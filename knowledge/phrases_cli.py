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
    "help-shm": (
        "compute what a loader puts into /dev/shm; exit status 0: it fits, 1: it does not, 2: bad arguments",
        "计算数据加载器在 /dev/shm 中占用多少；退出码 0 放得下，1 放不下，2 参数有误",
    ),
    "help-shm-workers": ("num_workers of the loader (per process)", "加载器的 num_workers（每个进程）"),
    "help-shm-batch": ("batch_size of one process (of one card)", "每个进程（每张卡）的 batch_size"),
    "help-shm-size": ("size of an image after the transforms: 224, or HxW such as 224x448", "变换之后的图像尺寸：224，或高x宽，如 224x448"),
    "help-shm-processes": ("processes (cards) that share this /dev/shm (default: 1)", "共用同一个 /dev/shm 的进程数，即卡数（默认 1）"),
    "help-shm-channels": ("channels of an image (default: 3)", "图像通道数（默认 3）"),
    "help-shm-dtype": (
        "type of its numbers (default: float32, as NormalizeImage makes them; float16 with output_fp16; uint8 without normalisation)",
        "数值类型（默认 float32，即 NormalizeImage 的结果；output_fp16 时为 float16；不做归一化时为 uint8）",
    ),
    "help-shm-soft-labels": (
        "the label is a vector of N float32 (multi-label data, mixed labels) instead of one int64",
        "标签是 N 个 float32 组成的向量（多标签数据、混合标签），而不是一个 int64",
    ),
    "help-shm-samples": (
        "samples of the list, over all processes: a short list queues fewer batches",
        "列表中的样本总数：列表很短时排队的 batch 更少",
    ),
    "help-shm-batches": ("batches of an epoch in one process, likewise", "一个 epoch 中每个进程的 batch 数，作用同上"),
    "help-shm-epochs": (
        "epochs of the training (default: 1): from the second on the last batch of the one before is there beside the new ones",
        "训练的 epoch 数（默认 1）：从第二个 epoch 起，上一个 epoch 的最后一个 batch 会与新的 batch 同时存在",
    ),
    "help-shm-have": (
        "what there is, such as 64m or 8g (default: what is free in /dev/shm here)",
        "已有的大小，如 64m、8g（默认为本机 /dev/shm 的剩余量）",
    ),
    "shm-have-wrong": ("--have {given}: write a size in bytes, or like 64m, 8g.", "--have {given}：请写成字节数，或 64m、8g 这样的大小。"),
    "shm-count-wrong": ("{given}: is no whole number from {least} to {most}", "{given}：不是 {least} 到 {most} 之间的整数"),
    "shm-size-wrong": (
        "{given}: write one side or HxW, each from 1 to {most}: 224, 224x448",
        "{given}：请写一个边长，或高x宽，每边 1 到 {most}：224、224x448",
    ),
    "shm-title": (
        "{workers:raw} worker{workers:s}, batches of {batch:raw} × {channels:raw}×{height:raw}×{width:raw} {dtype}, "
        "{processes:raw} card{processes:s}",
        "{workers:raw} 个 worker，batch 为 {batch:raw} × {channels:raw}×{height:raw}×{width:raw} {dtype}，{processes:raw} 张卡",
    ),
    "shm-need": ("need", "需要"),
    "shm-have": ("have", "已有"),
    "shm-margin": ("margin", "余量"),
    "shm-fits": ("fits", "放得下"),
    "shm-fits-not": ("does not fit", "放不下"),
    "shm-have-given": ("given", "由 --have 指定"),
    "shm-have-measured": ("free in /dev/shm here, of {size:bytes}", "本机 /dev/shm 的剩余量，总共 {size:bytes}"),
    "shm-have-docker-default": ("there is no /dev/shm here; what Docker gives", "本机没有 /dev/shm，取 Docker 的默认值"),
    "shm-next-epoch": (
        "from the second epoch on {need:bytes}, with the last batch of the one before (--epochs 2)",
        "从第二个 epoch 起为 {need:bytes}，包括上一个 epoch 的最后一个 batch（--epochs 2）",
    ),
    "shm-next-epoch-not": (
        "does not fit from the second epoch on: {need:bytes}, with the last batch of the one before (--epochs 2)",
        "从第二个 epoch 起放不下：{need:bytes}，包括上一个 epoch 的最后一个 batch（--epochs 2）",
    ),
    "shm-no-workers": (
        "Without workers the main process loads, and nothing lies in /dev/shm.",
        "没有 worker 时由主进程加载数据，不占用 /dev/shm。",
    ),
    "shm-formula": ("Formula, in bytes", "计算过程（单位：字节）"),
    "shm-step-image": ("images", "图像文件"),
    "shm-step-label": ("labels", "标签文件"),
    "shm-step-batch": ("one batch", "一个 batch"),
    "shm-step-queued": ("batches at once", "同时存在的 batch 数"),
    "shm-step-semaphores": ("semaphores", "信号量"),
    "shm-step-left-over": ("epoch before", "上一个 epoch"),
    "shm-step-process": ("one process", "一个进程"),
    "shm-step-all": ("all processes", "全部进程"),
    "shm-table": ("Workers × batch size", "worker 数 × batch 大小"),
    "shm-legend": (
        "✓ fits into {have:bytes}, ✗ does not; in brackets: what was asked",
        "✓ {have:bytes} 放得下，✗ 放不下；方括号内为所问的组合",
    ),
    "shm-row": ("{workers:raw} worker{workers:s}", "{workers:raw} 个 worker"),
    "shm-column": ("batch {batch:raw} ", "batch {batch:raw} "),
    "shm-pairs": ("largest that fit, workers × batch: {pairs}", "放得下的最大组合，worker × batch：{pairs}"),
    "shm-pairs-none": ("not even batches of one sample fit", "batch 为 1 也放不下"),
    "shm-ask-for": ("What to ask for", "应设的大小"),
    "shm-why-size": (
        "{size}: {need:bytes} of need, {buffered:bytes} for the epoch before or a GPU's double buffer, rounded up",
        "{size}：需求 {need:bytes}，加上为上一个 epoch 或 GPU 双缓冲留的 {buffered:bytes}，向上取整",
    ),
    "help-faq": ("read and search the FAQ", "阅读和搜索 FAQ"),
    "help-rule": ("show a rule: what it finds, why, how it is measured, how to repair", "查看规则：查什么、为什么、如何测得、如何修复"),
    "help-demo": ("write a small faulty project and check it", "生成一个带错误的小项目并检查它"),
    "help-schema": ("print the JSON Schema of the report", "输出报告的 JSON Schema"),
    "help-schema-report": ("of `check` (default), or of `parity`", "check 的报告（默认）或 parity 的报告"),
    "help-completion": ("print a completion script for your shell", "输出 shell 补全脚本"),
    "help-completion-shell": ("the shell", "shell 类型"),
    "help-demo-dir": ("folder to write to (default: paddle-doctor-demo)", "写入的目录（默认 paddle-doctor-demo）"),
    "help-check-config": ("the PaddleClas config (YAML), of any generation", "PaddleClas 配置文件（YAML），新旧版本均可"),
    "help-check-override": (
        "an override as PaddleClas takes it, such as Arch.class_num=102; may be given again",
        "与 PaddleClas 相同的覆盖项，例如 Arch.class_num=102；可重复",
    ),
    "help-check-stage": (
        "what you are about to run (default: deploy for a deploy config or with --inference-model, else train)",
        "接下来要运行的阶段（部署配置或给出 --inference-model 时默认 deploy，其他默认 train）",
    ),
    "help-check-root": (
        "the folder that relative paths count from (default: the current folder, or the checkout of the config)",
        "相对路径的起点目录（默认为当前目录，或配置所在的 PaddleClas 仓库）",
    ),
    "help-check-assume": (
        "judge for another machine: shm=64m, memory=16g, cpus=8, gpus=4; may be given again",
        "按另一台机器判断：shm=64m、memory=16g、cpus=8、gpus=4；可重复",
    ),
    "help-check-container": (
        "look into a Docker or Podman container from outside: its name or id, or an image; all paths are then the container's",
        "从外部检查 Docker 或 Podman 容器：容器名、ID 或镜像名；此时所有路径都是容器内的路径",
    ),
    "help-check-docker-host": (
        "the daemon's address, such as unix:///run/podman/podman.sock (default: DOCKER_HOST, the Docker context, the usual sockets)",
        "守护进程地址，例如 unix:///run/podman/podman.sock（默认取 DOCKER_HOST、Docker context 和常用套接字）",
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
    "help-check-probe": (
        "put 8 samples of each loader through your own PaddleClas, and measure the batch; runs your code, outside, for 60 s at most",
        "用您自己的 PaddleClas 处理每个加载器的 8 个样本，实测 batch 大小；会在独立进程中运行您的代码，最多 60 秒",
    ),
    "help-check-python": (
        "the Python that runs PaddleClas, for --probe (default: the one that runs paddle-doctor)",
        "运行 PaddleClas 的 Python，供 --probe 使用（默认为运行 paddle-doctor 的那个）",
    ),
    "help-check-select": ("run only these rules: codes, names or prefixes, by commas", "只运行这些规则：代码、名称或前缀，逗号分隔"),
    "help-check-ignore": ("do not run these rules", "不运行这些规则"),
    "help-check-fail-on": ("the least severity that makes the exit status 1 (default: error)", "达到该级别时退出码为 1（默认 error）"),
    "help-check-format": ("the form of the report (default: rich)", "报告格式（默认 rich）"),
    "help-check-quiet": ("errors and warnings only, one line each", "只输出错误和警告，每条一行"),
    "help-check-all": ("show every finding, however many a rule has", "不折叠，显示每条规则的全部结果"),
    "help-check-no-color": ("no colours", "不使用颜色"),
    "unknown-command": ("{name}: no such command ({hint})", "{name}：没有这个命令（{hint}）"),
    "unknown-images": ("--images {given}: is off, exists, quick or full.", "--images {given}：只能是 off、exists、quick、full。"),
    "python-without-probe": ("--python: is used by --probe only. Give both.", "--python：仅供 --probe 使用，请同时给出两者。"),
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
    "not allowed with argument %s": "不能与参数 %s 同时使用",
    "expected one argument": "需要一个参数",
    "expected at least one argument": "至少需要一个参数",
    "expected at most one argument": "最多一个参数",
    "invalid choice: %(value)r (choose from %(choices)s)": "无效的值：%(value)r（可选：%(choices)s）",
    "argument %(argument_name)s: %(message)s": "参数 %(argument_name)s：%(message)s",
    "ambiguous option: %(option)s could match %(matches)s": "选项 %(option)s 不明确，可能是 %(matches)s",
    "%(prog)s: error: %(message)s\n": "%(prog)s：%(message)s\n",
}
"""argparse's own words (CPython 3.10 to 3.14), by the English text that it looks up."""
