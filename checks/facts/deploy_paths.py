"""`DeployPaths`: the images, the index and the gallery that a deploy config names."""

from __future__ import annotations

import os

import msgspec

from checks.facts.base import Fact, World, collects
from checks.facts.deploy_config import DeployConfig
from checks.model import Location

IMAGE_ENDINGS = ("jpg", "png", "jpeg", "JPEG", "JPG", "bmp")
"""What `get_image_list` takes (`deploy/utils/get_image_list.py`, 2.2 to develop); PNG and BMP in capitals are left out."""

_SEEN = 10_000


class DeployPath(msgspec.Struct, frozen=True):
    """A path of a deploy config and what is there.

    `images` says whether a folder holds one that is read, `complete` whether an index has both of its files.
    """

    written: str
    path: str
    source: Location
    exists: bool
    is_folder: bool
    nearest: str
    images: bool = False
    complete: bool = False


class DeployPaths(Fact, frozen=True):
    """`Global.infer_imgs`, and of `IndexProcess` the index, the list and the root of the gallery."""

    images: DeployPath | None
    index: DeployPath | None
    gallery_list: DeployPath | None
    gallery_root: DeployPath | None


@collects(DeployPaths, deadline=10.0)
def collect_deploy_paths(deploy: DeployConfig, world: World) -> DeployPaths:
    """Look at each path; folders of images are read until the first that counts."""
    index = _look(deploy, "IndexProcess.index_dir", world) or _look(deploy, "IndexProcess.index_path", world)
    return DeployPaths(
        _look(deploy, "Global.infer_imgs", world),
        index,
        _look(deploy, "IndexProcess.data_file", world),
        _look(deploy, "IndexProcess.image_root", world),
    )


def _look(deploy: DeployConfig, key: str, world: World) -> DeployPath | None:
    value = deploy.tree.get(key)
    if value is None or not isinstance(value.value, str) or not value.value or "\0" in value.value:
        return None
    path = deploy.resolve(value.value)
    nearest = path
    while not os.path.exists(nearest) and os.path.dirname(nearest) != nearest:
        nearest = os.path.dirname(nearest)
    exists, folder = os.path.exists(path), os.path.isdir(path)
    if not exists and world.unseen(path):
        return None
    complete = all(os.path.exists(os.path.join(path, name)) for name in ("vector.index", "id_map.pkl"))
    # 2.2 keeps its index in files of other names
    complete = complete or (key.endswith("index_path") and exists) or world.unlisted(path)
    return DeployPath(value.value, path, value.location, exists, folder, nearest, folder and _has_images(path, world), complete)


def _has_images(folder: str, world: World) -> bool:
    seen = 0
    for place, _, names in os.walk(folder):
        if world.unlisted(place):
            return True  # nobody can say that there is none
        for name in names:
            if name.rpartition(".")[2] in IMAGE_ENDINGS:
                return True
            seen += 1
            if seen > _SEEN:
                return True  # not looked at all of them
    return False
