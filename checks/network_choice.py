"""MDL: the network against the device that it will run on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from checks.facts.deploy_config import DeployConfig
from checks.facts.sub_networks import Network, is_distillation, networks_of
from checks.facts.training_config import TrainingConfig
from checks.model import ANY, Finding, Fix, Location, NotApplicable
from checks.registry import check
from knowledge.figures import BATCHES, Figures, figures, index_of, made_for, mobile_equal, server_equal

Device = Literal["gpu", "xeon", "arm"]


def _device(deploy: DeployConfig) -> tuple[Device, Location] | None:
    """What a deploy config runs on: the Paddle-Lite demo on ARM, the others where `use_gpu` says."""
    if deploy.program == "lite":
        key = next((key for key in ("clas_model_file", "num_threads", *deploy.tree.data) if deploy.tree.has(key)), None)
        return None if key is None else ("arm", deploy.tree.at(key))
    gpu = deploy.switch("gpu")
    return None if gpu is None else ("gpu" if gpu.value else "xeon", gpu.location)


def _deployed(config: TrainingConfig) -> Network | None:
    """The network that is exported: of a distillation, the role that `infer_model_name` names."""
    if not is_distillation(config):
        return next(networks_of(config), None)
    kept = config.tree.raw("Arch.infer_model_name") or "Student"
    return next((network for network in networks_of(config) if network.role == kept), None)


@check("MDL112", name="mobile-network-on-server", stages=ANY)
def mobile_network_on_server(config: TrainingConfig, deploy: DeployConfig | None) -> Iterator[Finding]:
    """A mobile network that is deployed on a GPU (FAQ 2.5)."""
    network, device, because = _told(config, deploy)
    if device != "gpu" or made_for(network.name) != "mobile":
        return
    ssld = _distilled(network)
    set_batch = deploy.number("batch") if deploy else None
    batch = set_batch.value if set_batch else 1
    other = server_equal(network.name, ssld=ssld, batch=batch, legacy=config.generation == "legacy")
    yield from _compared(config, network, because, other, device, ssld, batch)


@check("MDL113", name="server-network-on-mobile", stages=ANY)
def server_network_on_mobile(config: TrainingConfig, deploy: DeployConfig | None) -> Iterator[Finding]:
    """A server network that is deployed on a phone or on a CPU (FAQ 2.4)."""
    network, device, because = _told(config, deploy)
    if device == "gpu" or made_for(network.name) != "server":
        return
    ssld = _distilled(network)
    other = mobile_equal(network.name, ssld=ssld, device=device)
    yield from _compared(config, network, because, other, device, ssld)


def _told(config: TrainingConfig, deploy: DeployConfig | None) -> tuple[Network, Device, Location]:
    network = _deployed(config)
    if network is None:
        raise NotApplicable("no-network")
    told = _device(deploy) if deploy is not None and deploy.companion else None
    if told is None:
        raise NotApplicable("no-device-told")
    return network, *told


def _distilled(network: Network) -> bool:
    return network.params.get("use_ssld") is True and figures(network.name, ssld=True) is not None


def _compared(
    config: TrainingConfig, network: Network, because: Location, other: str | None, device: Device, ssld: bool, batch: int = 1
) -> Iterator[Finding]:
    mine = figures(network.name, ssld=ssld)
    theirs = figures(other, ssld=ssld) if other else None
    if mine is None or other is None or theirs is None:
        return
    ms = _milliseconds(mine, device, batch)
    case = {"gpu": "default" if ms is not None else "untimed", "xeon": "default", "arm": "arm"}[device]
    yield Finding(
        at=config.tree.at(f"{network.key}.name"),
        via=because,
        case=case,
        fixes=(Fix("compare", "advice", "unsafe", values={"other": other}),),
        architecture=network.name,
        weights="SSLD" if ssld else "",
        deploy=because.file,
        told_by=because.key,
        other=other,
        batch=BATCHES[index_of(batch)] if device == "gpu" else 1,
        top1=mine.top1,
        other_top1=theirs.top1,
        macs_g=mine.macs_g,
        other_macs_g=theirs.macs_g,
        params_m=mine.params_m,
        other_params_m=theirs.params_m,
        ms=ms,
        other_ms=_milliseconds(theirs, device, batch),
    )


def _milliseconds(one: Figures, device: Device, batch: int) -> float | None:
    if device != "gpu":
        return one.arm if device == "arm" else one.xeon
    return one.v100[index_of(batch)] if one.v100 else None
