"""`DeployConfig`: the deploy config that goes with a training config, or is the config itself."""

from __future__ import annotations

import os
from typing import Literal

from checks.facts.base import Fact, Request, Unreadable, World, collects
from checks.facts.training_config import TrainingConfig
from checks.facts.yaml_tree import Tree, read_tree


class DeployConfig(Fact, frozen=True):
    """A deploy config; `tree` holds it with the place of each value, relative paths count from `root`."""

    file: str
    kind: Literal["yaml"]
    tree: Tree
    root: str


@collects(DeployConfig, deadline=20.0)
def collect_deploy_config(config: TrainingConfig, request: Request, world: World) -> DeployConfig:
    """Read `--deploy-config`, or take the config itself where it is a deploy config.

    Raises:
        Unreadable: there is none, or as `read_tree`.
    """
    if config.generation == "deploy":
        return DeployConfig(config.file, "yaml", config.tree, config.root)
    if request.deploy_config is None:
        raise Unreadable("no-deploy-config")
    path = os.path.join(world.cwd, request.deploy_config)
    tree = read_tree(path, request.deploy_config)
    return DeployConfig(request.deploy_config, "yaml", tree, config.root)
