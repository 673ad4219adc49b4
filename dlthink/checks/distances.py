"""The landscape of a cost of embeddings: over how far photos of one person are, and how far people are."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.landscape import Landscape, Place
from dlthink.checks.ranking import acquainted

GRID = 25
STEP = 1e-3
NOWHERE, TRUTH = (0.02, 0.02), (0.02, 2.0)  # everybody in one point; at a place of their own


def arranged(asked: CostOnBatch, within: float, between: float) -> Tensor:
    """Unit vectors, two photos of one person at the squared distance `within`, of two people at `between` or more.

    e = sqrt(1 - between / 2) all + sqrt((between - within) / 2) person + sqrt(within / 2) photo, orthogonal to each
    other.
    """
    photos, people = len(asked.y), int(asked.y.max()) + 1
    shared, own = 1 - max(between, within) / 2, max(between - within, 0.0) / 2
    chance = torch.Generator().manual_seed(21)
    basis = torch.linalg.qr(torch.randn(1 + people + photos, 1 + people + photos, generator=chance).double()).Q
    spread = (within / 2) ** 0.5 * torch.eye(photos, dtype=torch.float64)
    person = own**0.5 * torch.nn.functional.one_hot(asked.y, people).double()
    all_of_them = torch.full((photos, 1), max(shared, 0.0) ** 0.5, dtype=torch.float64)
    return torch.cat((all_of_them, person, spread), 1) @ basis


def over_distances(asked: CostOnBatch, name: str) -> Landscape:
    """The cost over both distances; below, on the way from one point for all to a place for everybody."""
    dim = asked.out.shape[1]
    known = acquainted(CostOnBatch(asked.loss, _fitted(arranged(asked, *TRUTH), dim), asked.y))

    def cost(within: float, between: float) -> float:
        return known.value(_fitted(arranged(known, within, between), dim))

    axis = torch.linspace(0.02, 2, GRID, dtype=torch.float64)
    values = torch.tensor([[cost(float(x), float(y)) for x in axis] for y in axis])
    x, y = torch.meshgrid(axis, axis, indexing="xy")
    values[x > y] = torch.nan
    way = torch.linspace(0.05, 1.95, 40, dtype=torch.float64)
    paid = torch.tensor([cost(0.02, float(b)) for b in way])
    slopes = torch.tensor([(cost(0.02, float(b) - STEP) - cost(0.02, float(b) + STEP)) / (2 * STEP) for b in way])
    landscape = Landscape(
        name,
        x,
        y,
        values,
        (way, paid, slopes),
        axes=("squared distance of one person's photos", "squared distance of people"),
        way="squared distance of people, each in one point",
    )
    landscape.places = [Place("constant", *NOWHERE, float(slopes[0])), Place("truth", *TRUTH, float(slopes[-1]))]
    return landscape


def _fitted(e: Tensor, dim: int) -> Tensor:
    """The same points in `dim` dimensions: as they are with more, projected at random with fewer."""
    if dim >= e.shape[1]:
        return torch.nn.functional.pad(e, (0, dim - e.shape[1]))
    chance = torch.Generator().manual_seed(22)
    return normalize(e @ torch.randn(e.shape[1], dim, generator=chance, dtype=torch.float64), dim=1)
