"""The landscape of a cost of numbers: expected cost over the answers to samples of one known distribution."""

from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from dlthink.checks.elicitation import centre, first, spread
from dlthink.checks.landscape import Landscape, Place, slope_and_curvature
from dlthink.checks.minimum import minimise, read
from dlthink.checks.truth import Truth
from dlthink.training.terms import twin

GRID = 31
WIDE, DEEP = 3.0, (-1.2, 1.6)  # how far answers go from the best: standard deviations; logarithm of the spread


def over_answers(loss: nn.Module, truth: Truth, targets: Tensor, name: str, noun: str) -> Landscape:
    """Over centre and spread that are read out (over the centre alone where no spread follows the answers).

    loss: of one target, prepared; truth: one group of one target; targets: that go off, for the way. Answers move along
    the shortest way that changes what is read out, so that any number of outputs has a picture.
    """
    best = minimise(loss, truth, first(torch.empty(1, loss.outputs_per_target))).answers[0]
    mean, std = float(truth.mean), float(truth.std)
    ways, flat = _ways(loss, best, std)

    def cost(answer: Tensor) -> Tensor:
        return _total(loss, answer.expand(len(truth.y), -1), truth.y)

    a = torch.linspace(-WIDE, WIDE, GRID, dtype=torch.float64)
    b = torch.zeros(1, dtype=torch.float64) if flat else torch.linspace(*DEEP, GRID, dtype=torch.float64)
    answers = best + a[None, :, None] * ways[0] + b[:, None, None] * ways[1]
    with torch.no_grad():
        values = torch.stack([torch.stack([cost(answer) for answer in row]) for row in answers])
        said = read(loss, answers.flatten(0, 1))
    x = centre(said).view(values.shape)
    paid, slopes = zip(*(_pull(loss, best, target, ways[0]) for target in targets), strict=True)
    landscape = Landscape(
        name,
        x[0] if flat else x,
        None if flat else spread(said).view(values.shape),
        values[0] if flat else values,
        (targets, torch.tensor(paid), torch.tensor(slopes)),
        axes=(f"{noun} read out", "expected cost" if flat else "spread read out"),
        way="one target that goes off",
    )
    for word, at in (("start", torch.zeros_like(best)), ("optimum", best)):
        slope, curvature = slope_and_curvature(cost, at)
        here = read(loss, at[None])
        height = float(cost(at).detach()) if flat else float(spread(here))
        landscape.places.append(Place(word, float(centre(here)), height, slope, curvature))
    landscape.places.append(Place("truth", mean, landscape.places[-1].y if flat else std))
    off = (float(targets[-1]) - mean) / std
    landscape.places.append(Place(f"a target {off:.0f} std off", mean, std, slopes[-1]))
    return landscape


def _ways(loss: nn.Module, best: Tensor, std: float) -> tuple[Tensor, bool]:
    """The directions of answers that move the centre by a standard deviation and the log of the spread by 1.

    [2, columns], and whether there is no second one.
    """
    step = 1e-4
    aside = torch.eye(len(best), dtype=best.dtype) * step
    ahead, behind = read(loss, best + aside), read(loss, best - aside)
    rows = [((centre(ahead) - centre(behind)) / (2 * step) / std).flatten()]
    if spread(ahead) is not None:
        rows.append(((spread(ahead).log() - spread(behind).log()) / (2 * step)).flatten())
    jacobian = torch.stack(rows)
    if len(rows) == 2 and int(torch.linalg.matrix_rank(jacobian, rtol=1e-3)) == 2:
        return torch.linalg.pinv(jacobian).T, False
    way = torch.linalg.pinv(jacobian[:1]).T
    return torch.cat((way, torch.zeros_like(way))), True


def _total(loss: nn.Module, out: Tensor, y: Tensor) -> Tensor:
    return reduce(add, twin(loss)(out, y).values())


def _pull(loss: nn.Module, answer: Tensor, target: Tensor, way: Tensor) -> tuple[float, float]:
    """The cost of one target, and how hard it pulls the centre."""
    out = answer.expand(2, -1).clone().requires_grad_()
    total = _total(loss, out, target.expand(2, 1))
    slope = torch.autograd.grad(total, out)[0].sum(0)
    return float(total.detach()), abs(float((slope * way).sum()))
