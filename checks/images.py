"""IMG: are the images where the config says?"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from checks.facts.data_paths import DataPaths
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check


@check("IMG101", name="image-root-missing", stages=TRAIN | EVAL)
def image_root_missing(config: TrainingConfig, paths: DataPaths) -> Iterator[Finding]:
    """The folder that image paths count from is not there, or is no folder.

    2.2 and later stop at start; 2.0 and 2.1 find no image, log each and go on with others.
    """
    if not paths.roots:
        raise NotApplicable("no-image-root")
    for root in paths.roots:
        if root.is_folder:
            continue
        fixes = []
        if root.elsewhere:
            command = shlex.join(["paddle-doctor", "check", "--config", config.file, "--root", root.elsewhere])
            fixes.append(Fix("start-elsewhere", "command", "safe", command=command, values={"elsewhere": root.elsewhere}))
        fixes.append(Fix("set-path", "advice", "safe"))
        yield Finding(
            at=root.source,
            case="not-a-folder" if root.exists else "default",
            fixes=tuple(fixes),
            split=root.split,
            path=root.written,
            resolved=root.path,
            root=config.root,
            absolute=os.path.isabs(root.written),
            nearest=root.nearest,
        )
