"""One check from request to report, for the command line, the API and the hook alike."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, get_args

import msgspec

from checks.facts.base import Assumed, ImageDepth, ParityRequest, Request, StageName, Unreadable, World
from checks.facts.container_settings import ContainerSettings
from checks.facts.deploy_config import DeployConfig, stage_told_by
from checks.model import Unavailable
from checks.registry import Registry
from doctor.engine import Diagnosis, Listener, RequestRefused, diagnose
from doctor.exit import Exit
from doctor.report import Report, build_report
from doctor.settings import Settings, load_settings
from doctor.suppression import unused_suppression
from doctor.version import VERSION
from knowledge.phrases import phrase

SETTINGS_DEADLINE = 30.0
"""Seconds that reading a Compose file or a manifest may take; the largest that is read takes three."""

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Run(NamedTuple):
    """A finished run: the report, the diagnosis behind it, tracebacks of our own crashes, the exit status, and where it was run.

    `problem` is the one line about a deploy config that was asked for and could not be read.
    """

    report: Report
    diagnosis: Diagnosis
    crashes: list[str]
    exit: Exit
    cwd: str
    problem: str | None = None


def default_lang(environ: dict[str, str] | None = None) -> str:
    """`zh` where the locale is Chinese, else `en`."""
    env = os.environ if environ is None else environ
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if env.get(name):
            return "zh" if env[name].lower().startswith("zh") else "en"
    return "en"


def complete_registry() -> Registry:
    """Our checks, those of plug-ins, and the engine's own."""
    found = Registry.discover()
    return Registry(sorted([*found.checks.values(), unused_suppression], key=lambda c: c.code))


def run_check(
    config: str,
    overrides: tuple[str, ...] = (),
    *,
    stage: str | None = "train",
    root: str | None = None,
    lang: str | None = None,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    assume: tuple[str, ...] = (),
    deploy_config: str | None = None,
    weights: str | None = None,
    inference_model: str | None = None,
    synthetic: tuple[str, ...] = (),
    images: str = "quick",
    cache: bool = True,
    probe: bool = False,
    python: str | None = None,
    compose: str | None = None,
    kubernetes: str | None = None,
    service: str | None = None,
    fail_on: str | None = None,
    settings: Settings | None = None,
    listener: Listener | None = None,
    world: World | None = None,
    container: str | None = None,
    docker_host: str | None = None,
    keep: contextlib.ExitStack | None = None,
    parity: ParityRequest | None = None,
) -> Run:
    """Check a config; without a `stage` the one that the config is for, and `deploy` with an `inference_model`.

    With `container` (a name or id, or an image) it is the config at that path in the container, and everything is looked at there. What is copied
    from it lies in a temporary folder until the end of this call, or as long as `keep`, for a report that quotes lines of the files.

    Raises:
        RequestRefused: it cannot be served; `line` says why in the user's language.
    """
    speak = lang or default_lang()
    world = world or World()
    try:
        if settings is None:
            settings, _ = load_settings(world.cwd)
        speak = lang or settings.lang or speak
        if speak not in ("zh", "en"):
            raise RequestRefused("unknown-lang", given=speak)
        if stage is not None and stage not in get_args(StageName):
            raise RequestRefused("unknown-stage", stage=stage)
        given = {
            "--config": config, "--container": container, "--docker-host": docker_host, "--compose": compose, "--kubernetes": kubernetes,
            "--service": service, "--python": python,
        }  # fmt: skip
        for flag, value in given.items():
            if value is not None and not value.strip():
                raise RequestRefused("option-empty", flag=flag)
        registry = complete_registry()
        chosen, dropped = select or settings.select, (*settings.ignore, *ignore)
        for flag, names in (("select", chosen), ("ignore", dropped), ("severities", tuple(settings.severities))):
            try:
                registry.select(names, ())
            except KeyError as error:
                raise RequestRefused("unknown-rule", flag=f"--{flag}", name=error.args[0]) from None
        checks = registry.select(chosen, dropped)
        if images not in get_args(ImageDepth):
            raise RequestRefused("unknown-images", given=images)
        if python is not None and not probe and parity is None:
            raise RequestRefused("python-without-probe")
        request = Request(
            config,
            overrides,
            root,
            stage or "train",  # type: ignore[arg-type]  # one of the stages, see above
            parse_assumptions(assume),
            deploy_config,
            weights,
            inference_model,
            synthetic,
            images,  # type: ignore[arg-type]  # one of the depths, see above
            cache,
            probe,
            python,
            parity=parity,
        )
        if (container, compose, kubernetes).count(None) < 2:
            raise RequestRefused("settings-both")
        if compose is not None or kubernetes is not None or service is not None:
            world.settings = settings_of(compose, kubernetes, service, world)
        if docker_host is not None and container is None:
            raise RequestRefused("docker-host-alone")
        with contextlib.ExitStack() as own:
            if container is not None:
                request = msgspec.structs.replace(request, container=container, cache=False)
                from doctor.target import world_of_container

                world = (keep or own).enter_context(world_of_container(request, docker_host, listener))
            if stage is None:
                told: StageName = "deploy" if inference_model is not None else stage_told_by(world.locate(config))
                request = msgspec.structs.replace(request, stage=told)
            judged = unused_suppression in checks
            diagnosis = diagnose(request, [c for c in checks if c is not unused_suppression], world=world, listener=listener)
    except RequestRefused as error:
        error.lang = speak if speak in ("zh", "en") else "en"
        raise
    report, crashes = build_report(diagnosis, registry, speak, VERSION, settings.severities, judged)
    outcome, problem = exit_status(report, fail_on or settings.fail_on), _lost_companion(diagnosis, speak)
    return Run(report, diagnosis, crashes, Exit.REFUSED if problem and outcome is Exit.OK else outcome, world.cwd, problem)


def _lost_companion(diagnosis: Diagnosis, lang: str) -> str | None:
    fact = diagnosis.facts.get(DeployConfig)
    if diagnosis.request.deploy_config is None or not isinstance(fact, Unavailable):
        return None
    return phrase(fact.reason, lang, **fact.values)


def settings_of(compose: str | None, kubernetes: str | None, service: str | None, world: World) -> ContainerSettings:
    """What a file says of how the container is started that the config is for.

    Raises:
        RequestRefused: the file cannot be read, has no such container, or is on a mount that does not answer.
    """
    read: Callable[[], ContainerSettings]
    if compose is not None:
        from checks.facts.compose_file import read_compose  # few runs have such a file

        read = partial(read_compose, compose, service, world.environ, world.cwd)
    elif kubernetes is not None:
        from checks.facts.kubernetes_manifest import read_kubernetes

        read = partial(read_kubernetes, kubernetes, service, world.cwd)
    else:
        raise RequestRefused("service-alone", name=service)
    outcome: queue.SimpleQueue[ContainerSettings | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put(read())
        except Exception as error:  # handed on to the thread that waits
            outcome.put(error)

    threading.Thread(target=work, name="settings", daemon=True).start()
    try:
        found = outcome.get(timeout=SETTINGS_DEADLINE)
    except queue.Empty:
        raise RequestRefused("settings-late", file=compose or kubernetes, seconds=SETTINGS_DEADLINE) from None
    if isinstance(found, Unreadable):
        raise RequestRefused(found.unavailable.reason, **found.unavailable.values) from None
    if isinstance(found, Exception):
        raise found
    return found


def exit_status(report: Report, fail_on: str) -> Exit:
    """The exit status of a report: findings first, then our own crashes, then a container that could not be looked into."""
    order = ["error", "warning", "info"]
    failing = order[: order.index(fail_on) + 1] if fail_on in order else []
    if any(finding.severity in failing for finding in report.findings):
        return Exit.FINDINGS
    if report.summary.crashed:
        return Exit.CRASHED
    container = report.config.container
    return Exit.REFUSED if container is not None and container.problem is not None else Exit.OK


def parse_assumptions(texts: tuple[str, ...]) -> Assumed:
    """`shm=64m`, `memory=8g`, `cpus=4`, `gpus=2`; sizes as bytes or with k, m, g, t, as Docker writes them.

    Raises:
        RequestRefused: a key or value is none of these.
    """
    values: dict[str, float] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        number = _assumption(key.strip(), value.strip().lower()) if equals else None
        if number is None:
            raise RequestRefused("assume-wrong", text=text)
        values[key.strip()] = number
    return Assumed(**values)  # type: ignore[arg-type]  # the keys are those of Assumed, see _assumption


def _assumption(key: str, value: str) -> float | None:
    if key in ("shm", "memory"):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([bkmgt]?)(?:i?b)?", value)
        return int(float(match.group(1)) * _UNITS[match.group(2)]) if match else None
    if key == "gpus":
        return int(value) if value.isdigit() else None
    if key == "cpus":
        return float(value) if re.fullmatch(r"\d+(\.\d+)?", value) and float(value) > 0 else None
    return None
