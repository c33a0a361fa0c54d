"""LAB: how the samples are spread over the classes, and how many of them are real."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from checks.facts.label_survey import Labels, LabelSurvey
from checks.facts.synthetic import SyntheticImages
from checks.facts.training_config import Loader, TrainingConfig
from checks.labels import in_shell, training
from checks.model import TRAIN, Finding, Fix, Location, NotApplicable
from checks.registry import check

UNEVEN, VERY_UNEVEN = 10, 100
"""Largest class over smallest from which imbalance is told, and from which it is a warning."""

BETA = 0.999
"""β of the effective number of samples, (1 − βⁿ) / (1 − β): Cui et al., Class-Balanced Loss Based on Effective Number of Samples, 2019."""

BALANCING_SAMPLERS = frozenset({"PKSampler", "DistributedRandomIdentitySampler", "MixSampler", "NaiveIdentityBatchSampler"})


class Balance(NamedTuple):
    """How evenly samples are spread: the smallest and largest class with their samples, and what the spread amounts to."""

    smallest: int
    fewest: int
    largest: int
    most: int
    classes: int
    effective_classes: float
    effective_ratio: float

    @property
    def ratio(self) -> float:
        """Samples of the largest class over those of the smallest."""
        return self.most / self.fewest


def balance(counts: dict[int, int]) -> Balance:
    """The balance of samples per class; classes without samples do not count.

    `effective_classes` is exp of the entropy: 10 even classes have 10, one class with nearly everything has little more than 1.
    `effective_ratio` compares effective numbers of samples instead of samples (β = 0.999), since images of one class resemble each other.
    """
    smallest, fewest = min(counts.items(), key=lambda item: (item[1], item[0]))
    largest, most = max(counts.items(), key=lambda item: (item[1], -item[0]))
    total = sum(counts.values())
    entropy = -sum(n / total * math.log(n / total) for n in counts.values())
    weight = (1 - BETA**most) / (1 - BETA**fewest)
    return Balance(smallest, fewest, largest, most, len(counts), round(math.exp(entropy), 1), round(weight, 1))


@check("LAB120", name="class-imbalance", stages=TRAIN)
def class_imbalance(config: TrainingConfig, labels: Labels) -> Iterator[Finding]:
    """Classes of very different size: the loss averages over images, so the small ones hardly count (FAQ 1.2)."""
    surveys = training(labels)
    loader = config.loader("Train")
    if loader is not None and loader.sampler in BALANCING_SAMPLERS:
        raise NotApplicable("sampler-balances", sampler=loader.sampler)
    counts: dict[int, int] = {}
    for survey in surveys:
        for label, tally in survey.per_class.items():
            if label >= 0:
                counts[label] = counts.get(label, 0) + tally.samples
    if len(counts) < 2:
        return
    found = balance(counts)
    if found.ratio < UNEVEN:
        return
    survey = next(s for s in surveys if found.smallest in s.per_class)
    retrieval = isinstance(config.tree.raw("Arch.Head"), dict) or config.tree.raw("Global.eval_mode") == "retrieval"
    yield Finding(
        at=Location(survey.file, survey.per_class[found.smallest].first_line),
        via=survey.source,
        # a retrieval model learns distances; thousands of small classes are what its data look like
        case="severe" if found.ratio >= VERY_UNEVEN and not retrieval else "default",
        fixes=tuple(_balancing(config, survey, loader, found)),
        file=survey.file,
        ratio=round(found.ratio, 1),
        effective_ratio=found.effective_ratio,
        classes=found.classes,
        effective_classes=found.effective_classes,
        smallest=found.smallest,
        fewest=found.fewest,
        largest=found.largest,
        most=found.most,
    )


def _balancing(config: TrainingConfig, survey: LabelSurvey, loader: Loader | None, found: Balance) -> Iterator[Fix]:
    if config.generation == "modern" and loader is not None and loader.batch_size is not None:
        batch = loader.batch_size.value
        # P classes × K images fill a batch; 2.3 to 2.5 want classes × K to exceed the batch, and K of 1 would be plain random sampling
        per_class = next((k for k in range(2, batch + 1) if batch % k == 0 and found.classes * k > batch), None)
        if per_class is not None:
            lines = ("sampler:", "  name: PKSampler", f"  batch_size: {batch}", f"  sample_per_id: {per_class}")
            more = ("  drop_last: False", "  shuffle: True", "  sample_method: id_avg_prob")
            yield Fix(
                "class-balanced-sampler", "advice", "unsafe", snippet="\n".join((*lines, *more)), values={"key": f"{loader.key}.sampler"}
            )
    if survey.format.header is None:
        column = survey.format.label_column + 1
        separator = {"\t": r"\t", None: " "}.get(survey.format.separator, survey.format.separator) or " "
        program = f"NR==FNR{{if(++n[${column}]>m)m=n[${column}];next}}{{r=int(m/n[${column}]);if(r>10)r=10;do print;while(--r>0)}}"
        file = in_shell(config, survey)
        command = f"{shlex.join(['awk', f'-F{separator}', program])} {file} {file} > {in_shell(config, survey, '.balanced')}"
        yield Fix("repeat-lines", "command", "unsafe", command=command)


@check("LAB121", name="synthetic-share", stages=TRAIN)
def synthetic_share(labels: Labels, synthetic: SyntheticImages) -> Iterator[Finding]:
    """Generated images among the listed ones (`--synthetic`): classes that have no others, and an evaluation that judges by them (FAQ 4.1)."""
    for share in synthetic.lists:
        survey = labels.surveys[share.survey]
        made = sum(share.per_class.values())
        if not made:
            continue
        only = sorted(label for label, count in share.per_class.items() if count >= survey.per_class[label].samples)
        mixed = {label: 100 * count / survey.per_class[label].samples for label, count in share.per_class.items()}
        rest = [label for label in survey.per_class if not share.per_class.get(label)]
        worst = max(mixed, key=lambda label: (mixed[label], -label))
        case = "evaluation" if survey.split != "Train" else "only-synthetic" if only and rest else "default"
        yield Finding(
            at=Location(survey.file, survey.per_class[worst].first_line),
            via=survey.source,
            case=case,
            fixes=(Fix("mix", "advice", "unsafe"),),
            split=survey.split,
            file=survey.file,
            synthetic=made,
            samples=survey.samples,
            share=round(100 * made / max(1, survey.samples), 1),
            classes=len(share.per_class),
            only=only[:11],
            only_count=len(only),
            all_real=len(rest),
            worst=worst,
            worst_share=round(mixed[worst], 1),
        )
    if not any(sum(share.per_class.values()) for share in synthetic.lists):
        raise NotApplicable("no-synthetic-listed", patterns=", ".join(synthetic.patterns))
