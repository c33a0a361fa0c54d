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
