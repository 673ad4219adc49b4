"""What one number over all people hides: groups, masks, and photos that were changed on purpose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dlthink.metrics.embeddings.attacks import pgd, templates
from dlthink.metrics.embeddings.bootstrap import Resampled, interval, people_drawn
from dlthink.metrics.embeddings.pair_distances import Pairs, some_people
from dlthink.metrics.embeddings.verification import Rates
from dlthink.protocols import Split

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAR = 1e-2  # of the one threshold that all questions here share
MOST = 3000  # photos; of more, a seeded choice of people
ATTACKED = 200  # photos
BATCH = 50  # of them at a time
EPSILONS = (1, 2, 4, 8)  # / 255 of the pixel range
SHOWN = 4  # attacked photos in the figure


def audited(answer, split, batches: list[Tensor]) -> tuple[dict[str, float], dict[str, Figure]]:
    """Numbers and figures; each question is asked where the split can answer it.

    One threshold for all: the one of FAR = 1e-2 over all pairs of the photos in `batches`.

    Groups (known["groups"]: {NAME: bool [n]}, no photo in two of them):
    val_NAME, far_NAME         share of accepted pairs of one person, and of two people, with both in the group
    val_ratio, far_ratio       largest over smallest of the groups, never below 1, and above it by chance alone where
                               groups are small; nan when the smallest is 0

    Masks (a method `masked(x)` of the split puts them on photos x): a masked probe against unmasked photos
    val_at_far_1e-2_unmasked, val_at_far_1e-2_masked   each at its own threshold
    val_at_far_1e-2_difference                         masked less unmasked
    val_masked, far_masked                             at the one threshold, which knew no masks

    Robustness, of at most 200 photos with a partner; a photo is accepted when it is near enough to the mean of that
    person's other photos; photos changed by `attacks.pgd`, at most E / 255 of the pixel range:
    dodging_E          share no longer accepted as their own person, among those accepted untouched
    impersonation_E    share accepted as another person drawn at random, among those refused untouched

    _low and _high: 95 % of 200 draws of people, the threshold anew in each; attacks: the attacked people.
    """
    data = _Asked(answer, split, batches)
    numbers: dict[str, float] = {}
    figures: dict[str, Figure] = {}
    pairs = Pairs(data.embedding, data.y)
    rates = Rates(pairs.same, pairs.different)
    limit = rates.limit(FAR) if data.finite else math.nan
    numbers["threshold_at_far_1e-2"] = limit
    if math.isnan(limit):
        return numbers, figures
    from dlthink.metrics.embeddings import audit_figures as draw  # here, since matplotlib takes its time to load

    drawn = people_drawn(pairs.people)
    if (data.group >= 0).any():
        made, groups = by_group(pairs, data.group.numpy()[pairs.rows], data.names, drawn)
        numbers |= made
        figures["groups"] = draw.groups(made, groups)
    if Split.masked.given(split):
        probe = torch.cat([_embedding(answer, split.masked(split.take(index)[0])) for index in data.index.split(BATCH)])
        if bool(probe.isfinite().all()):
            masked = Pairs(data.embedding, data.y, probe=probe)
            made, curves = against_masks(pairs, rates, masked, drawn)
            numbers |= made
            figures["masked"] = draw.masked(curves, made)
    made, examples = attacked(answer, split, data, limit)
    if made:
        numbers |= made
        figures["robustness"] = draw.robustness(made, examples)
    return numbers, figures


def by_group(
    pairs: Pairs, group: np.ndarray, names: list[str], drawn: np.ndarray
) -> tuple[dict[str, float], list[str]]:
    """Numbers of each group with a photo, and the names of these; group: [n] in the order of `pairs`, -1: in none."""
    groups = [int(g) for g in np.unique(group) if g >= 0]
    resampled = Resampled(pairs, group)
    own = resampled.by_group(FAR, np.ones(pairs.people), groups)
    draws = np.stack([resampled.by_group(FAR, weight, groups) for weight in drawn])  # [draws, 2, groups]
    numbers = {}
    for row, name in enumerate(("val", "far")):
        for column, g in enumerate(groups):
            _tell(numbers, f"{name}_{names[g]}", own[row, column], draws[:, row, column])
        _tell(numbers, f"{name}_ratio", *(_ratio(values) for values in (own[row], draws[:, row])))
    return numbers, [names[g] for g in groups]


def against_masks(
    pairs: Pairs, rates: Rates, masked: Pairs, drawn: np.ndarray
) -> tuple[dict[str, float], dict[str, Rates]]:
    """Numbers of masked probes, and the rates of both."""
    worn = Rates(masked.same, masked.different)
    plain, other = (
        np.array([resampled.val_at(FAR, weight) for weight in drawn])
        for resampled in (Resampled(pairs), Resampled(masked))
    )
    own, with_mask = rates.val_at(FAR), worn.val_at(FAR)
    numbers: dict[str, float] = {}
    _tell(numbers, "val_at_far_1e-2_unmasked", own, plain)
    _tell(numbers, "val_at_far_1e-2_masked", with_mask, other)
    _tell(numbers, "val_at_far_1e-2_difference", with_mask - own, other - plain)
    far, val = worn.at(np.nextafter(np.float32(rates.limit(FAR)), np.float32(0)))
    return numbers | {"val_masked": val, "far_masked": far}, {"no mask": rates, "masked probe": worn}


def attacked(answer, split, data: _Asked, limit: float) -> tuple[dict[str, float], dict[str, Any]]:
    """Numbers of attacks, and a few photos before and after the strongest attempt to be somebody else."""
    own = templates(data.embedding, data.person)
    can = own.isfinite().all(1).nonzero()[:, 0]
    if not len(can) or int(data.person.max()) < 1:
        return {}, {}
    chosen = can[torch.linspace(0, len(can) - 1, min(ATTACKED, len(can))).round().long()]
    victim = _somebody_else(can, data.person, chosen)
    if not len(victim):
        return {}, {}
    goals = {"dodging": (own[chosen], True), "impersonation": (own[victim], False)}
    numbers: dict[str, float] = {}
    examples: dict[str, Any] = {}
    people, person = np.unique(data.person[chosen].numpy(), return_inverse=True)
    drawn = people_drawn(len(people))[:, person]
    for goal, (target, away) in goals.items():
        before = ((data.embedding[chosen] - target) ** 2).sum(1)
        open_to = (before < limit if away else before >= limit).numpy()
        parts = list(zip(chosen.split(BATCH), target.split(BATCH), strict=True))
        found: list = [None] * len(parts)  # by the smaller epsilon
        for epsilon in EPSILONS:
            after = []
            for i, (at, to) in enumerate(parts):
                x = split.take(data.index[at])[0]
                found[i], d = pgd(answer, x, to.to(x), epsilon / 255, away, start=found[i])
                after.append(d.cpu())
            d = torch.cat(after)
            success = ((d >= limit if away else d < limit).numpy() & open_to) * 1.0
            with np.errstate(invalid="ignore", divide="ignore"):
                _tell(numbers, f"{goal}_{epsilon}", success.sum() / open_to.sum(), drawn @ success / (drawn @ open_to))
            examples[goal] = {"d": d[:SHOWN], "before": before[:SHOWN], "x": found[0][:SHOWN].cpu()}
    examples["x"] = split.take(data.index[chosen[:SHOWN]])[0].cpu()
    examples["victim"] = split.take(data.index[victim[:SHOWN]])[0].cpu()
    examples["limit"] = limit
    return numbers, examples


class _Asked:
    """Embeddings and what is known of at most `MOST` photos, on the CPU, but for their index in the split."""

    def __init__(self, answer, split, batches: list[Tensor]):
        embedding, y, known = [], [], []
        for index in batches:
            x, who = split.take(index)
            embedding.append(_embedding(answer, x))
            y.append(who.cpu())
            known.append(split.known(index).get("groups", {}))
        whole = torch.cat(y)
        rows = torch.from_numpy(some_people(whole.numpy(), MOST))
        self.embedding, self.y = torch.cat(embedding)[rows], whole[rows]
        self.finite = bool(self.embedding.isfinite().all())
        self.embedding = self.embedding if self.finite else torch.zeros_like(self.embedding)
        self.names = list(known[0])
        member = [torch.cat([groups[name].cpu() for groups in known])[rows] for name in self.names]
        self.group = torch.full((len(rows),), -1)
        for g, belongs in enumerate(member):
            self.group[belongs] = g
        self.person = self.y.unique(return_inverse=True)[1]
        index = torch.cat(batches)
        self.index = index[rows.to(index.device)]


@torch.no_grad()
def _embedding(answer, x: Tensor) -> Tensor:
    return answer(x)["embedding"].detach().cpu().flatten(1)


def _somebody_else(can: Tensor, person: Tensor, chosen: Tensor) -> Tensor:
    """For each chosen photo, one of `can` that shows another person, seeded; none if there is only one person."""
    chance = torch.Generator().manual_seed(0)
    victims = []
    for who in person[chosen]:
        others = can[person[can] != who]
        if not len(others):
            return can[:0]
        victims.append(others[torch.randint(len(others), (), generator=chance)])
    return torch.stack(victims)


def _ratio(values: np.ndarray) -> np.ndarray:
    """Largest over smallest along the last axis; groups without a single pair count in neither."""
    known = np.where(np.isnan(values), -np.inf, values).max(-1), np.where(np.isnan(values), np.inf, values).min(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(known[1] > 0, known[0] / known[1], math.nan)


def _tell(numbers: dict[str, float], name: str, own: float | np.ndarray, draws: np.ndarray) -> None:
    numbers[name] = float(own)
    numbers[f"{name}_low"], numbers[f"{name}_high"] = interval(draws)
