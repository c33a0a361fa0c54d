"""Why a check has nothing to say, or a fact could not be had: by the room of the rules that say it."""

from __future__ import annotations

PHRASES_RULES: dict[str, tuple[str, str]] = {
    # --- components: names of PaddleClas and their parameters
    #
    # --- deployment, export, weights
    #
    "no-deploy-config": (
        "there is no deploy config; name one with --deploy-config",
        "没有部署配置；可用 --deploy-config 指定",
    ),
    #
    # --- environment
    #
    # --- images
    #
    # --- labels, label_sets
    "folders-name-no-classes": ("the folders of the images do not name their classes", "图片所在的目录不代表类别"),
    "no-relabel": ("no list is renumbered by relabel", "没有列表使用 relabel"),
    "no-synthetic": ("no patterns of synthetic images are given (--synthetic)", "没有用 --synthetic 指定合成图片"),
    "no-synthetic-listed": ("no listed image matches {patterns}", "列表中没有图片匹配 {patterns}"),
    "no-multi-label-list": ("no list has several labels for an image", "没有多标签列表"),
    "sampler-balances": ("the sampler {sampler} balances the classes", "采样器 {sampler} 已经均衡了各类别"),
    #
    # --- networks, distillation
    #
    # --- pipeline, preprocessing
    #
    # --- schedule
    #
    # --- sections
    #
}
