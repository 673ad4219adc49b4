"""Samples, the list of all costs of embeddings, and slow loops over pairs and triplets, for their tests."""

import torch
from torch import Tensor

from dlthink.losses.embeddings.arcface import ArcFace
from dlthink.losses.embeddings.contrastive import Contrastive
from dlthink.losses.embeddings.distance_weighted import DistanceWeighted
from dlthink.losses.embeddings.no_margin import NoMargin
from dlthink.losses.embeddings.oasis import Oasis
from dlthink.losses.embeddings.positives_only import PositivesOnly
from dlthink.losses.embeddings.triplet import Triplet
from dlthink.losses.embeddings.two_negatives import TwoNegatives

DIM = 5
COSTS = {
    "positives_only": (PositivesOnly, {}),
    "no_margin": (NoMargin, {}),
    "two_negatives": (TwoNegatives, {}),
    "contrastive": (Contrastive, {}),
    "distance_weighted": (DistanceWeighted, {}),
    "oasis": (Oasis, {}),
    "arcface": (ArcFace, {"n_identities": 4}),
    "semi_hard": (Triplet, {"mining": "semi_hard"}),
    "batch_hard": (Triplet, {"mining": "batch_hard"}),
    "batch_all": (Triplet, {"mining": "batch_all"}),
    "random": (Triplet, {"mining": "random"}),
    "semi_hard_soft": (Triplet, {"mining": "semi_hard", "margin": None}),
    "batch_hard_soft": (Triplet, {"mining": "batch_hard", "margin": None}),
    "batch_all_soft": (Triplet, {"mining": "batch_all", "margin": None}),
    "semi_hard_outside": (Triplet, {"mining": "semi_hard", "clamp": "outside"}),
    "batch_all_outside": (Triplet, {"mining": "batch_all", "clamp": "outside"}),
}


def build(name: str, dim: int = DIM, dtype: torch.dtype = torch.float64, **settings):
    kind, own = COSTS[name]
    torch.manual_seed(0)
    return kind(dim=dim, **(own | settings)).to(dtype)


def sample(seed: int = 0, dtype: torch.dtype = torch.float64, people: float = 0.8) -> tuple[Tensor, Tensor]:
    """Twelve photos, identities unequally often, one of them once; people half apart at 0.8. Outputs with gradient."""
    g = torch.Generator().manual_seed(seed)
    y = torch.tensor([2, 0, 1, 0, 2, 3, 1, 0, 0, 2, 1, 0])
    out = people * torch.randn(4, DIM, generator=g, dtype=dtype)[y]
    out = out + torch.randn(len(y), DIM, generator=g, dtype=dtype)
    return (3 * out).requires_grad_(), y


def points(out: Tensor) -> list[Tensor]:
    """The unit vectors, one by one."""
    return [row / row.square().sum().sqrt() for row in out]


def apart(a: Tensor, b: Tensor) -> Tensor:
    return ((a - b) ** 2).sum()


def pairs(y: Tensor) -> list[tuple[int, int]]:
    """(a, p): the same person, another photo."""
    n = range(len(y))
    return [(a, p) for a in n for p in n if a != p and y[a] == y[p]]


def others(y: Tensor, a: int) -> list[int]:
    return [n for n in range(len(y)) if y[n] != y[a]]


def triplets(y: Tensor) -> list[tuple[int, int, int]]:
    return [(a, p, n) for a, p in pairs(y) for n in others(y, a)]


def mean(values: list[Tensor]) -> Tensor:
    return sum(values) / len(values)


def check(cost: Tensor, slow: Tensor, *weights: Tensor, rtol: float = 1e-9) -> None:
    """The cost and its slopes by `weights` are those of the slow loop."""
    torch.testing.assert_close(cost, slow, rtol=rtol, atol=1e-12)
    ours, theirs = (torch.autograd.grad(each, weights, retain_graph=True) for each in (cost, slow))
    assert any(bool(slope.any()) for slope in theirs), "a slope to compare with"
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-11)


def total(loss, out: Tensor, y: Tensor) -> Tensor:
    return sum(loss(out, y).values())


class Recorded:
    """Stands for `drawn` in a cost's module, and keeps what was drawn."""

    def __init__(self, monkeypatch, module):
        self.drawn, self.calls = module.drawn, []
        monkeypatch.setattr(module, "drawn", self)

    def __call__(self, weights: Tensor, k: int) -> Tensor:
        self.calls.append(self.drawn(weights, k))
        return self.calls[-1]

    def by_pair(self, y: Tensor) -> list[tuple[int, int, int]]:
        """(a, p, n) of the last call: the k-th draw of an anchor belongs to its k-th positive."""
        found = []
        for a in range(len(y)):
            for k, (_, p) in enumerate(pair for pair in pairs(y) if pair[0] == a):
                found.append((a, p, int(self.calls[-1][a, k])))
        return [(a, p, n) for a, p, n in found if others(y, a)]
