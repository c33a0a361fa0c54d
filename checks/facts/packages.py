"""`Packages`: versions of what PaddleClas stands on, read from the metadata on disk and never by importing."""

from __future__ import annotations

import os
import re

from checks.facts.base import Fact, Unreadable, World, collects

_WANTED = {
    "paddlepaddle": "paddle",
    "paddlepaddle_gpu": "paddle",
    "paddlepaddle_xpu": "paddle",
    "paddlepaddle_npu": "paddle",
    "paddlepaddle_rocm": "paddle",
    "paddleclas": "paddleclas",
    "paddlex": "paddlex",
    "numpy": "numpy",
    "opencv_python": "opencv",
    "opencv_python_headless": "opencv",
    "opencv_contrib_python": "opencv",
    "opencv_contrib_python_headless": "opencv",
    "pillow": "pillow",
    "visualdl": "visualdl",
}
"""Distribution name → what it provides."""


class Packages(Fact, frozen=True):
    """What is installed for this interpreter.

    `installed` maps a distribution to its version. `paddle` is the PaddlePaddle in force and `paddle_build` its distribution; more than one
    build (`paddlepaddle` beside `paddlepaddle-gpu`) overwrite each other's files, so `paddle_builds` lists all. CUDA and cuDNN are those
    that PaddlePaddle was built for.
    """

    python: str
    interpreter: str
    installed: dict[str, str]
    paddle: str | None
    paddle_builds: tuple[str, ...]
    cuda: str | None
    cudnn: str | None


@collects(Packages, deadline=10.0)
def collect_packages(world: World) -> Packages:
    """Read the names of the `*.dist-info` folders on the path, and PaddlePaddle's own version file as text.

    Raises:
        Unreadable: there is no interpreter (a container without Python), or none that could be looked at.
    """
    if world.settings is not None and world.settings.state in ("file", "image"):
        raise Unreadable("packages-of-image", name=world.settings.name, image=world.settings.image or "?")
    if not world.search_path:
        raise Unreadable("no-python")
    installed: dict[str, str] = {}
    paddle_folder: str | None = None
    for folder in world.search_path:
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            match = re.fullmatch(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info", name)
            key = match["name"].lower().replace("-", "_").replace(".", "_") if match else ""
            if match and key in _WANTED:
                installed.setdefault(key.replace("_", "-"), match["version"])
        if paddle_folder is None and "paddle" in names:
            candidate = os.path.join(folder, "paddle", "version", "__init__.py")
            paddle_folder = candidate if os.path.exists(candidate) else None
    version = cuda = cudnn = None
    if paddle_folder:
        text = _head(paddle_folder)
        version, cuda, cudnn = (_assigned(text, name) for name in ("full_version", "cuda_version", "cudnn_version"))
    builds = tuple(sorted(name for name in installed if _WANTED[name.replace("-", "_")] == "paddle"))
    return Packages(
        python=world.python[0],
        interpreter=world.python[1],
        installed=dict(sorted(installed.items())),
        paddle=version or next((installed[name] for name in builds), None),
        paddle_builds=builds,
        cuda=cuda,
        cudnn=cudnn,
    )


def _head(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(1 << 16)
    except OSError:
        return ""


def _assigned(text: str, name: str) -> str | None:
    match = re.search(rf"^{name}\s*=\s*['\"]([^'\"]*)['\"]", text, re.MULTILINE)
    return match.group(1) if match and match.group(1) not in ("", "False", "None") else None
