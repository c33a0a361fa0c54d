"""Words of `paddle-doctor parity`."""

from __future__ import annotations

PHRASES_PARITY: dict[str, tuple[str, str]] = {
    "help-parity": (
        "find where infer and predict part ways, and why: runs your PaddleClas and your exported model over the same images",
        "找出 infer 与 predict 从哪一步开始不同及其原因：用同样的图片运行你的 PaddleClas 与导出模型",
    ),
    "help-parity-weights": ("weights of the training side (default: those that the config names)", "训练侧的权重（默认取配置中的）"),
    "help-parity-inference-model": (
        "folder of the exported model (default: the deploy config's)",
        "导出模型的目录（默认取部署配置中的）",
    ),
    "help-parity-deploy-config": ("the deploy config that predict_cls.py is given", "predict_cls.py 所用的部署配置"),
    "help-parity-images": ("images, or folders of images (default: those that the configs name)", "图片或图片目录（默认取配置中的）"),
    "help-parity-limit": ("images that are taken of folders at most (default: 1000)", "从目录中最多取多少张图片（默认 1000）"),
    "help-parity-seconds": ("what one step, or one program, may take (default: 120)", "每一步或每个程序的时限，秒（默认 120）"),
    "help-parity-python": (
        "the interpreter that has PaddlePaddle and PaddleClas (default: this one)",
        "装有 PaddlePaddle 与 PaddleClas 的解释器（默认为当前解释器）",
    ),
    "help-parity-outputs": (
        "compare two saved outputs instead: logs of any PaddleClas, JSON, CSV, .npz or .npy",
        "改为比较两份保存的输出：任意版本 PaddleClas 的日志、JSON、CSV、.npz 或 .npy",
    ),
    "help-parity-scripts": (
        "run your own two commands instead and compare what they print; {placeholders} are filled in, "
        "'cd DIR && …' and NAME=VALUE before the command are understood",
        "改为运行你自己的两条命令并比较其输出；可用 {placeholders} 占位，支持命令前的 'cd DIR && …' 与 NAME=VALUE",
    ),
    "help-parity-picture": (
        "draw the image that differs most as a PNG: training side, deploy side, difference",
        "把差异最大的图片画成 PNG：训练侧、部署侧、差值",
    ),
    "help-parity-force": ("write the picture over a file that is not ours", "允许图片覆盖不是本工具生成的文件"),
    "picture-taken": (
        "{file}: is there already and no picture of ours; name another, or use --force.",
        "{file}：已存在且不是本工具生成的图片；请换个名字或加 --force。",
    ),
    "picture-no-folder": ("{file}: the folder {folder} is not there.", "{file}：目录 {folder} 不存在。"),
    "picture-not-written": ("{file}: cannot be written ({error}).", "{file}：无法写入（{error}）。"),
    "picture-without-ladder": (
        "--picture needs both sides to be run: it goes without --outputs and --scripts.",
        "--picture 需要运行两侧，不能与 --outputs、--scripts 同用。",
    ),
    "picture-nothing": ("there is no pre-processed image of both sides to draw", "没有两侧都预处理成功的图片可画"),
    "parity-ladder": ("{images} of {listed} images, rung by rung", "{listed} 张图片中的 {images} 张，逐级比较"),
    "parity-column-alone": ("the step alone", "仅此一步"),
    "parity-column-whole": ("as they run", "实际运行"),
    "parity-rung-bytes": ("bytes of the file", "文件字节"),
    "parity-rung-decoded": ("decoded pixels", "解码后像素"),
    "parity-rung-resized": ("resized and cropped", "缩放与裁剪"),
    "parity-rung-tensor": ("tensor (normalise, layout)", "张量（归一化、排列）"),
    "parity-rung-weights": ("weights", "权重"),
    "parity-rung-logits": ("logits", "logits"),
    "parity-rung-probabilities": ("probabilities", "概率"),
    "parity-rung-topk": ("top-k ids and scores", "top-k 类别与分数"),
    "parity-rung-labels": ("label names", "类别名"),
    "parity-rung-unknown": ("{rung}: not measured ({error})", "{rung}：未测得（{error}）"),
    "parity-same": ("same", "相同"),
    "parity-differing": ("{differing} of {images} differ", "{images} 中 {differing} 不同"),
    "parity-tensors": ("{equal} of {tensors} tensors equal", "{tensors} 个张量中 {equal} 个相同"),
    "parity-names": ("{equal} of {names} names equal", "{names} 个名称中 {equal} 个相同"),
    "parity-not-applicable": ("not here", "不适用"),
    "parity-first": ("here they part", "从这里开始不同"),
    "parity-side-train": ("training side: PaddlePaddle {paddle}, {device}, {code}", "训练侧：PaddlePaddle {paddle}，{device}，{code}"),
    "parity-side-deploy": ("deploy side: PaddlePaddle {paddle}, {device}, {code}", "部署侧：PaddlePaddle {paddle}，{device}，{code}"),
    "parity-seconds": ("; start {start} s, then {next} ms an image", "；启动 {start} 秒，此后每张 {next} 毫秒"),
    "parity-outputs": ("Two outputs", "两份输出"),
    "parity-source-train": ("training side: {source}, {results} results", "训练侧：{source}，{results} 个结果"),
    "parity-source-deploy": ("deploy side: {source}, {results} results", "部署侧：{source}，{results} 个结果"),
    "parity-matched-path": ("{images} images, matched by their paths", "{images} 张图片，按路径对应"),
    "parity-matched-name": ("{images} images, matched by their names", "{images} 张图片，按文件名对应"),
    "parity-matched-order": (
        "{images} images, matched by their order, which is the same in both",
        "{images} 张图片，两份输出顺序一致，按顺序对应",
    ),
    "parity-matched-none": ("{images} images matched", "对应上 {images} 张图片"),
    "parity-agreement": ("As they run", "实际运行的结果"),
    "parity-top1": (
        "first class: {top1} of {images} images changed; {low} to {high} % of all (95 %)",
        "首位类别：{images} 张中 {top1} 张改变；总体 {low}%～{high}%（95% 置信）",
    ),
    "parity-ties": ("of these {ties} between scores that are equal within the tolerance", "其中 {ties} 张的两个分数在容差内相等"),
    "parity-ranks": (
        "ranks: {ranks} image{ranks:s} changed, {displaced} of {listed} places; Kendall's tau {tau}",
        "排名：{ranks} 张改变，{listed} 个位置中 {displaced} 个不同；Kendall τ {tau}",
    ),
    "parity-drift": ("scores: apart by at most {drift} ({worst}), {mean} on average", "分数：最多相差 {drift}（{worst}），平均 {mean}"),
    "parity-tolerance": (
        "tolerance for {precision}: {tolerance}; {needed} would have passed",
        "{precision} 的容差：{tolerance}；取 {needed} 即可通过",
    ),
    "parity-tolerance-passed": (
        "tolerance for {precision}: {tolerance}, {needed} would do",
        "{precision} 的容差：{tolerance}，取 {needed} 也能通过",
    ),
    "parity-resolution": ("rounding of the printed scores hides up to {resolution}", "打印时的舍入可掩盖至多 {resolution}"),
    "parity-picture": (
        "{picture}: {file}; training side, deploy side, difference × {scale}",
        "{picture}：{file}；依次为训练侧、部署侧、差值 × {scale}",
    ),
    "outputs-not-asked": (
        "no two outputs were given (paddle-doctor parity --outputs, --scripts)",
        "没有给出两份输出（paddle-doctor parity --outputs、--scripts）",
    ),
    "parity-no-results": ("no image has results of both sides", "没有一张图片两侧都有结果"),
}
"""Key → (English, Chinese), as in `knowledge.phrases`."""
