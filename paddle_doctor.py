"""paddle-doctor: finds out why a PaddleClas training, export or inference goes wrong, or will.

The public face: `paddle_doctor.check(...)` for programs, and `main` for the console script and `python -m paddle_doctor`.

Our packages are called `doctor`, `checks` and `knowledge`. PaddleClas tells its users to `export PYTHONPATH=.`, so a folder of theirs may have a
`checks.py` that would be imported instead: `_house` makes sure that ours are found while we run, and puts theirs back afterwards.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doctor.report import Report

    __version__: str

__all__ = ["RequestRefused", "__version__", "check", "main"]

_HOME = os.path.dirname(os.path.abspath(__file__))
_PACKAGES = ("checks", "doctor", "knowledge")
_LOCK = threading.RLock()
_ours: dict[str, Any] = {}


class _Finder:
    """Finds our three packages beside this file, whatever stands earlier on `sys.path`."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if path is None and name in _PACKAGES:
            from importlib.machinery import PathFinder

            return PathFinder.find_spec(name, [_HOME])
        return None


def _belongs(name: str) -> bool:
    return name.partition(".")[0] in _PACKAGES


def _is_ours(name: str, module: Any) -> bool:
    place = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), "")
    return bool(place) and os.path.abspath(place).startswith(os.path.join(_HOME, name.partition(".")[0], ""))


@contextlib.contextmanager
def _house() -> Iterator[None]:
    """While inside, `checks`, `doctor` and `knowledge` are ours; at the end those names are the caller's again, imported already or not."""
    with _LOCK:
        found = {name: module for name, module in sys.modules.items() if _belongs(name)}
        theirs = {name: module for name, module in found.items() if not _is_ours(name, module)}
        for name in theirs:
            del sys.modules[name]
        sys.modules.update({name: module for name, module in _ours.items() if name not in sys.modules})
        sys.meta_path.insert(0, _Finder)
        try:
            yield
        finally:
            sys.meta_path.remove(_Finder)
            if theirs or not found:
                _ours.update({name: module for name, module in sys.modules.items() if _belongs(name)})
                for name in _ours:
                    sys.modules.pop(name, None)
                sys.modules.update(theirs)


class RequestRefused(ValueError):
    """The request cannot be served: the config is missing, no YAML, an unknown rule is selected, and so on; the message says what to do."""


def check(
    config: str | os.PathLike[str],
    overrides: Sequence[str] = (),
    *,
    stage: str = "train",
    root: str | os.PathLike[str] | None = None,
    lang: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    assume: Sequence[str] = (),
    deploy_config: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    inference_model: str | os.PathLike[str] | None = None,
    synthetic: Sequence[str] = (),
    images: str = "quick",
    cache: bool = True,
    probe: bool = False,
    python: str | os.PathLike[str] | None = None,
    compose: str | os.PathLike[str] | None = None,
    kubernetes: str | os.PathLike[str] | None = None,
    service: str | None = None,
    container: str | None = None,
    docker_host: str | None = None,
) -> Report:
    """Check a PaddleClas config, as `paddle-doctor check` does.

    Args:
        config: path of the YAML file.
        overrides: what PaddleClas gets with `-o`, such as `["Arch.class_num=102"]`.
        stage: train, eval, export, infer or deploy.
        root: the folder that relative paths of the config count from.
        lang: `zh` or `en`; by default the locale's.
        select: codes, names or prefixes of the rules to run (all by default).
        ignore: those not to run.
        assume: facts of another machine, such as `["shm=64m", "cpus=8"]`.
        deploy_config: the deploy config that goes with it (`deploy/configs/….yaml`, or a C++ `config.txt`), if there is one.
        weights: the weights for eval, infer and export; by default those that the config names.
        inference_model: the folder of the exported model; by default the one that the config names.
        synthetic: glob patterns of generated images among the listed ones.
        images: how closely images are looked at: `off`, `exists`, `quick` or `full`.
        cache: whether results of slow scans may be kept in the user's cache folder.
        probe: whether the config's own PaddleClas may be run over a few samples, in a process of its own.
        python: the interpreter that it is run with; by default this one.
        compose: a Compose file; the config is judged for a container of one of its services.
        kubernetes: a Kubernetes manifest; the config is judged for one of its containers.
        service: the service, or the container; by default the only one.
        container: name or id of a Docker or Podman container that is looked into from outside, or of an image; needs `paddle-doctor[docker]`.
        docker_host: the daemon's address; by default `DOCKER_HOST`, the Docker context in force, then the usual sockets.

    Returns:
        The report; its fields are those of the JSON (`paddle-doctor schema`).

    Raises:
        RequestRefused: the request cannot be served.
    """
    with _house():
        from doctor.engine import RequestRefused as Refused
        from doctor.run import run_check

        try:
            return run_check(
                os.fspath(config),
                tuple(overrides),
                stage=stage,
                root=None if root is None else os.fspath(root),
                lang=lang,
                select=tuple(select),
                ignore=tuple(ignore),
                assume=tuple(assume),
                deploy_config=None if deploy_config is None else os.fspath(deploy_config),
                weights=None if weights is None else os.fspath(weights),
                inference_model=None if inference_model is None else os.fspath(inference_model),
                synthetic=tuple(synthetic),
                images=images,
                cache=cache,
                probe=probe,
                python=None if python is None else os.fspath(python),
                compose=None if compose is None else os.fspath(compose),
                kubernetes=None if kubernetes is None else os.fspath(kubernetes),
                service=service,
                container=container,
                docker_host=docker_host,
            ).report
        except Refused as error:
            raise RequestRefused(error.line) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"]):
        # before anything else is imported: this is asked in scripts
        print(f"paddle-doctor {__getattr__('__version__')}")
        return 0
    with _house():
        from doctor.cli import main as run

        return run(arguments)


def __getattr__(name: str) -> str:
    if name == "__version__":
        with _house():
            from doctor.version import VERSION

            return VERSION
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    sys.exit(main())
