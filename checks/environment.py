"""ENV: does the machine have what the config asks for?"""

from __future__ import annotations

from collections.abc import Iterator

from checks.facts.machine import Host
from checks.facts.training_config import TrainingConfig
from checks.model import EVAL, TRAIN, Finding, Fix, NotApplicable
from checks.registry import check


@check("ENV102", name="workers-exceed-cpus", stages=TRAIN | EVAL)
def workers_exceed_cpus(config: TrainingConfig, host: Host) -> Iterator[Finding]:
    """More loader processes than processors: `num_workers` counts per card in every generation (FAQ 5.1)."""
    loaders = [loader for loader in config.used_loaders() if loader.num_workers and loader.num_workers.value > 0]
    if not loaders:
        raise NotApplicable("no-workers")
    if host.cpus is None:
        raise NotApplicable("cpus-not-told")
    on_gpu = config.tree.raw("Global.device") in (None, "gpu") and config.tree.raw("use_gpu") is not False
    cards = max(1, host.gpu_count) if on_gpu else 1
    for loader in loaders:
        assert loader.num_workers is not None
        total = loader.num_workers.value * cards
        if total <= host.cpus:
            continue
        best = int(host.cpus // cards)
        total_batch = None
        if loader.batch_size:
            total_batch = loader.batch_size.value * (1 if loader.batch_is_total else cards)
        yield Finding(
            at=loader.num_workers.location,
            # 0 would load in the main process, which is slower still
            fixes=(Fix("fewer-workers", "edit", "safe", at=loader.num_workers.location, value=best, values={"workers": best}),)
            if best
            else (),
            split=loader.split,
            num_workers=loader.num_workers.value,
            cards=cards,
            total_workers=total,
            cpus=host.cpus,
            cpu_limit=host.cpu_limit,
            total_batch_size=total_batch,
        )
