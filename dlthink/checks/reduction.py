"""Mean or sum, and over what? A batch is doubled, halved and mixed, and the cost compared."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dlthink.checks.cost_on_batch import CostOnBatch, Values
from dlthink.checks.finding import Finding
from dlthink.checks.minimum import SURE
from dlthink.checks.question import question
from dlthink.checks.ranking import crowded
from dlthink.nested_tensors import each, join, rows
from dlthink.training.terms import twin

NEAR = 1e-3
SMALL = 1e-9  # of the largest term: one that is smaller is rounding
MEAN = "a mean over samples: neither its value nor the size of a step depends on the batch size"


@question("mean or sum")
def check_reduction(asked: CostOnBatch) -> Iterator[Finding]:
    """Of a cost that judges samples one by one: is each term a mean over samples, or a sum?

    A batch twice over has the same mean and twice the sum. A term that does neither looks at the batch as a whole.
    """
    name = "mean or sum"
    ratios, sums, means = _ratios(*(_means([(terms, [])]) for terms in (asked.terms(), asked.terms(*_twice(asked)))))
    if len(sums) + len(means) < len(ratios) and asked.draws:
        ratios, sums, means = _ratios(_means(asked.often()), _means(asked.often(*_twice(asked))))
    if sums and means:
        yield Finding(
            name,
            "failed",
            f"{' and '.join(sums)} is a sum over samples, {' and '.join(means)} a mean: with four times the batch the "
            f"one weighs four times as much beside the other",
            "take the mean of both (.mean()), and give one a weight as a setting",
        )
    elif sums:
        yield Finding(
            name,
            "failed",
            "a sum over samples: a step grows with the batch, the last, smaller batch teaches less, and its value "
            "cannot be compared with a mean, such as other costs and penalties are",
            "take the mean over samples: .mean() in place of .sum()",
        )
    elif len(means) < len(ratios):
        odd = [term for term in ratios if term not in means]
        yield Finding(
            name,
            "told",
            f"{' and '.join(odd)} is neither a mean nor a sum over samples: the same batch twice costs "
            f"{ratios[odd[0]]:.3g} times as much",
            "write it as a mean over samples, if you did not mean that",
        )
    else:
        yield Finding(name, "passed", MEAN)


Means = dict[str, tuple[float, float]]


def _ratios(once: Means, twice: Means) -> tuple[dict[str, float], list[str], list[str]]:
    """How many times as large each term is of the batch twice over; which are sums, and which means."""
    scale = max(abs(value) for value, _ in once.values()) + 1e-12
    ratios = {term: twice[term][0] / value for term, (value, _) in once.items() if abs(value) > SMALL * scale}
    near = {term: 0.02 + 2 * SURE * once[term][1] / abs(once[term][0]) for term in ratios}
    sums, means = ([term for term, ratio in ratios.items() if abs(ratio - like) < near[term]] for like in (2, 1))
    return ratios, sums, means


def _means(asked: list[tuple[dict[str, Tensor], list[Tensor]]]) -> Means:
    """Mean of each term over draws, and its standard error."""
    every = {term: torch.stack([terms[term].double() for terms, _ in asked]) for term in asked[0][0]}
    return {term: (float(v.mean()), float(v.std(correction=0)) / len(v) ** 0.5) for term, v in every.items()}


def _twice(asked: CostOnBatch) -> tuple[Values, Values]:
    return join([asked.out, asked.out]), join([asked.y, asked.y])


@question("sample by sample")
def check_alone(asked: CostOnBatch) -> Iterator[Finding]:
    """Is each sample judged by its own answer, whoever else is in the batch?

    Half of the batch gets other answers. Then the gradients of the other half stay as they are; all times one factor,
    where the cost is a function of a mean (its root); or else samples are mixed up.
    """
    name = "sample by sample"
    half = len(asked.out) // 2
    chance = torch.Generator().manual_seed(7)
    noise = torch.randn(asked.out[half:].shape, generator=chance, dtype=torch.float64).to(asked.out)
    other = torch.cat((asked.out[:half], asked.out[half:] + noise))
    before, after = (slope[:half].double() for slope in (asked.slopes()[0], asked.slopes(other)[0]))
    size = float(before.abs().max()) + 1e-30
    if float((after - before).abs().max()) <= NEAR * size:
        yield Finding(name, "passed", "what a sample learns depends on its own answer and target alone")
        return
    factor = float((before * after).sum() / before.square().sum().clamp(min=1e-300))
    if float((after - factor * before).abs().max()) <= NEAR * abs(factor) * size:
        yield Finding(
            name,
            "told",
            "the cost is a function of the batch's mean (its root, say): the better the others are, the harder each "
            "sample is taught",
            "leave the function out: the mean itself has its minimum at the same place",
        )
        return
    yield Finding(
        name,
        "failed",
        "what a sample learns depends on who else is in the batch, which is drawn by chance",
        "is an axis wrong? dim=0 runs over samples: a softmax, mean, sum, sort or normalize that is meant for the "
        "numbers of one sample goes over dim=-1",
    )


@question("predicted alone")
def check_row_by_row(asked: CostOnBatch) -> Iterator[Finding]:
    """Is what is read out of a sample the same whoever else is asked about?"""
    name = "predicted alone"
    cost = twin(asked.loss).eval()
    with torch.no_grad():
        together, alone = cost.predict(asked.out), cost.predict(each(lambda x: x[:3], asked.out))
    for what, value in together.items():
        if isinstance(value, Tensor) and value.ndim and len(value) == rows(asked.out):
            apart = (value[:3] - alone[what]).abs().max()
            if not apart <= 1e-4 * value.abs().max().clamp(min=1e-6):
                yield Finding(
                    name,
                    "failed",
                    f"{what} of a sample changes with who else is in the batch: predicted alone it is another",
                    "is an axis wrong in predict? dim=0 runs over samples, dim=-1 over the numbers of one",
                )
                return
    yield Finding(name, "passed", "what is read out of a sample does not depend on the others")


@question("mean or sum")
def check_pairs(asked: CostOnBatch, more: CostOnBatch) -> Iterator[Finding]:
    """Of a cost that compares samples with each other: does it grow with the batch? more: twice the identities."""
    name = "mean or sum"
    apart, near = _growing(asked, more), _growing(crowded(asked), crowded(more))
    growing = {term: ratio for term, ratio in apart.items() if term in near}
    if growing:
        term, ratio = next(iter(growing.items()))
        yield Finding(
            name,
            "failed",
            f"{term} is a sum: with twice the people in a batch it is {ratio:.2g} times as large, and so is each step",
            "divide by the number of pairs or triplets that were compared: .mean()",
        )
    elif either := apart | near:
        term, ratio = next(iter(either.items()))
        yield Finding(
            name,
            "told",
            f"with twice the people in a batch {term} is {ratio:.2g} times as large where they lie "
            f"{'far apart' if apart else 'near each other'}, and not elsewhere: a sum within a log, say",
            "compare runs at one batch size",
        )
    else:
        yield Finding(name, "passed", "a mean over what is compared: a larger batch makes no larger steps")


def _growing(asked: CostOnBatch, more: CostOnBatch) -> dict[str, float]:
    """Terms that are larger with more people, and how many times."""
    few, many = asked.terms(), more.terms()
    ratios = {term: float(many[term]) / float(value) for term, value in few.items() if abs(float(value)) > 1e-6}
    return {term: ratio for term, ratio in ratios.items() if ratio > 1.7}
