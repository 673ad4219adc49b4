"""Does a cost of embeddings ask for the same person near and others far? On photos of known people."""

from collections.abc import Generator, Iterator
from functools import reduce
from operator import add

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.finding import Finding
from dlthink.checks.gradients import stopped
from dlthink.checks.question import question
from dlthink.training import rng
from dlthink.training.terms import twin

NOISE = 0.05  # of embeddings about their person's place, per person's length
SEEN = 0.01  # of the steepest slope: a smaller one is none
STEPS, RATE = 150, 0.1  # of the search for the best embedding
RANKED = 0.99  # area under the curve from which on people are told apart


def places(asked: CostOnBatch) -> Tensor:
    """A place for each person, far from each other: [people, dim]."""
    chance = torch.Generator().manual_seed(11)
    people, dim = int(asked.y.max()) + 1, asked.out.shape[1]
    return normalize(torch.randn(people, dim, generator=chance, dtype=torch.float64), dim=1).to(asked.out)


def right(asked: CostOnBatch, size: float = 1.0) -> Tensor:
    """Everybody at a place of their own, all of one length."""
    chance = torch.Generator().manual_seed(12)
    noise = torch.randn(asked.out.shape, generator=chance, dtype=torch.float64).to(asked.out)
    return size * (places(asked)[asked.y] + NOISE * noise / asked.out.shape[1] ** 0.5)


@question("pulls together")
def check_pull(asked: CostOnBatch) -> Iterator[Finding]:
    """Does it fall when photos of one person come nearer to each other, others as far as before?"""
    change = min(_along(one, -_apart(*_distances(one))) for one in _either(asked))
    if change < -SEEN:
        yield Finding("pulls together", "passed", "it falls when photos of one person come nearer to each other")
    else:
        yield Finding(
            "pulls together",
            "failed",
            "it does not fall when photos of one person come nearer to each other"
            + (": it rises" if change > SEEN else ", nor does it rise"),
            _cut_off(asked, change) or "is the sign of d(a,p) right, and are people compared by y[:, None] == y?",
        )


@question("pushes apart")
def check_push(asked: CostOnBatch) -> Iterator[Finding]:
    """Does it fall when photos of different people move away from each other, own ones as near as before?"""
    change = min(_along(one, _apart(*reversed(_distances(one)))) for one in _either(asked))
    if change < -SEEN:
        yield Finding("pushes apart", "passed", "it falls when photos of different people move away from each other")
    else:
        what = (
            "it rises when people move away from each other" if change > SEEN else "nothing in it pushes people apart"
        )
        advice = _cut_off(asked, change) or "a cost needs negatives: photos of others, farther than one's own"
        yield Finding("pushes apart", "failed", what, advice)


def _cut_off(asked: CostOnBatch, change: float) -> str | None:
    """Where the cost stops gradients, if it neither falls nor rises."""
    stops = stopped(asked) if abs(change) <= SEEN else None
    return stops and f"{stops} cuts it off"


def _either(asked: CostOnBatch) -> list[CostOnBatch]:
    """In a crowd, where all are too near: with the cost's first weights, and after these know the photos."""
    near = crowded(asked)
    return [near, acquainted(near)]


def crowded(asked: CostOnBatch) -> CostOnBatch:
    """The same people, all too near each other."""
    return CostOnBatch(asked.loss, normalize(asked.out, dim=1) + places(asked)[0], asked.y)


def _distances(asked: CostOnBatch) -> tuple[Tensor, Tensor]:
    """The slopes, at the answers of the batch, of the mean squared distance within people and between them."""
    out = asked.out.clone().requires_grad_()
    e, same = normalize(out, dim=1), asked.y[:, None] == asked.y
    d = 2 - 2 * e @ e.T
    within, between = (d * same).sum(), (d * ~same).sum()
    return torch.autograd.grad(within, out, retain_graph=True)[0], torch.autograd.grad(between, out)[0]


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """What of the first direction is not along the second."""
    return one - (one * other).sum() / other.square().sum() * other


@question("length")
def check_length(asked: CostOnBatch) -> Iterator[Finding]:
    """Does it fall without end as embeddings grow longer?"""
    name = "length"
    costs = {size: asked.value(right(asked, size)) for size in (1.0, 10.0, 100.0, 1000.0)}
    scale = max(abs(costs[1.0]), 1e-9)
    if all(abs(cost - costs[1.0]) <= 1e-3 * scale for cost in costs.values()):
        lengths = torch.linspace(0.5, 2, len(asked.y))[:, None].to(asked.out)
        crowd, each = asked.value(), asked.value(asked.out * lengths)
        if abs(crowd - each) <= 1e-3 * max(abs(crowd), 1e-9):
            yield Finding(name, "passed", "embeddings of ten times the length cost the same: only directions count")
        else:
            yield Finding(
                name,
                "failed",
                "the length of one embedding against the others' changes the cost, the length of all does not: they "
                "are divided by what runs over the batch",
                "is an axis wrong? normalize(out, dim=1): the numbers of one photo; dim=0 runs over photos",
            )
    elif costs[1000.0] < costs[100.0] - 10 * scale and costs[100.0] < costs[10.0] - scale:
        yield Finding(
            name,
            "failed",
            "it falls without end as embeddings grow: the network makes them longer instead of better",
            "put them on the unit sphere first, torch.nn.functional.normalize(out, dim=1), or clamp each triplet at a "
            "margin",
        )
    else:
        yield Finding(
            name,
            "told",
            "it depends on the length of embeddings, of which nothing is read out where they are unit vectors",
            "normalize in forward as in predict, so that what is taught is what is used",
        )


@question("hard among easy")
def check_hard(asked: CostOnBatch) -> Iterator[Finding]:
    """Among people who are far apart, two whose photos have changed places: are these taught?"""
    name, asked = "hard among easy", acquainted(asked)
    out, y = right(asked).clone(), asked.y
    first, second = (int((y == person).nonzero()[0]) for person in (0, 1))
    out[[first, second]] = out[[second, first]]
    slope = asked.slopes(out)[0].norm(dim=1)
    typical = asked.slopes()[0].norm(dim=1).mean()
    if float(slope[[first, second]].min()) > 1e-3 * float(typical):
        yield Finding(name, "passed", "a photo at the wrong place is taught, even where all others are right")
    else:
        yield Finding(
            name,
            "failed",
            "easy triplets cancel hard ones, or hide them: where most people are far apart, a photo at a wrong place "
            "costs nothing and is taught nothing",
            "if the clamp stands outside the sum, clamp each triplet and then take the mean, relu(more + "
            "margin).mean(); if triplets are chosen, take the farthest own photo and the nearest other, not easy ones",
        )


@question("a constant")
def check_constant(asked: CostOnBatch) -> Generator[Finding, None, bool]:
    """Is an embedding that is the same for everybody as good as the right one? Returns whether it is."""
    name = "a constant"
    chance = torch.Generator().manual_seed(13)
    point = places(asked)[:1].expand_as(asked.out)
    point = point + 1e-4 * torch.randn(asked.out.shape, generator=chance, dtype=torch.float64).to(asked.out)
    constant, true = (acquainted(CostOnBatch(asked.loss, out, asked.y)).value() for out in (point, right(asked)))
    if constant > true + 1e-6 * max(abs(constant), abs(true)):
        yield Finding(name, "passed", "a network that answers the same for everybody costs more than the right one")
        return False
    yield Finding(
        name,
        "failed",
        f"a constant wins: the same embedding for everybody costs {constant:.3g}, everybody at a place of their own "
        f"{true:.3g}. It collapses",
        "nothing pushes people apart: add negatives, as loss=triplet does",
    )
    return True


def elicited(asked: CostOnBatch) -> tuple[str, str]:
    """What the best free embedding of these photos is: (word, in words)."""
    read = _best(asked)
    if not read.isfinite().all():
        return "nothing", "it runs off to infinity"
    area = area_under_curve(read, asked.y)
    if area >= RANKED:
        return "ranking", "a ranking: at its best everybody's own photos are nearer than all others"
    share = f"own photos are nearer than others' in {area:.0%} of comparisons (50 % is chance)"
    if nearest_alike(read, asked.y):
        return "neighbours", f"neighbours: at its best the nearest other photo is of the same person, and {share}"
    return "nothing", f"at its best {share}"


def area_under_curve(e: Tensor, y: Tensor) -> float:
    """How often two photos of one person are nearer than two of different people: ties count half."""
    d, pair = torch.cdist(e, e), torch.ones(len(y), len(y), dtype=torch.bool).triu(1)
    same = y[:, None] == y
    own, others = d[same & pair], d[~same & pair]
    nearer = (own[:, None] < others - 1e-9).double() + 0.5 * ((own[:, None] - others).abs() <= 1e-9)
    return float(nearer.mean())


def nearest_alike(e: Tensor, y: Tensor) -> bool:
    """Is the nearest other photo of the same person, for every photo?"""
    d = torch.cdist(e, e).fill_diagonal_(torch.inf)
    return bool((y[d.argmin(1)] == y).all())


def _best(asked: CostOnBatch) -> Tensor:
    """What is read out where a free embedding of each photo and the cost's own weights cost least, by Adam."""
    cost = twin(asked.loss).to(asked.dtype).train()
    out = asked.out.clone().requires_grad_()
    _descend(cost, asked, [out, *(p for p in cost.parameters() if p.requires_grad)], out)
    with torch.no_grad():
        return cost.eval().predict(out.detach())["embedding"].double()


def _along(asked: CostOnBatch, direction: Tensor) -> float:
    """The slope along a direction, as a share of the steepest. The cost's own weights know these people."""
    slope = asked.slopes()[0]
    return float((slope * direction).sum() / (slope.norm() * direction.norm()).clamp(min=1e-30))


def acquainted(asked: CostOnBatch) -> CostOnBatch:
    """The same cost after its own weights (a class for each person, say) have learned these answers."""
    cost = twin(asked.loss).to(asked.dtype).train()
    _descend(cost, asked, [p for p in cost.parameters() if p.requires_grad], asked.out)
    return CostOnBatch(cost, asked.out, asked.y)


def _descend(cost: nn.Module, asked: CostOnBatch, free: list[Tensor], out: Tensor) -> None:
    """Adam, from here."""
    if not free:
        return
    search = torch.optim.Adam(free, lr=RATE)
    rng.restore(asked.start)
    for _ in range(STEPS):
        search.zero_grad()
        total = reduce(add, cost(out, asked.y).values())
        if not total.requires_grad:
            break
        total.backward()
        search.step()
