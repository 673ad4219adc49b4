"""B-splines along a window: smooth pieces of polynomials, as many numbers as functions."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.models.bases.raised_cosine import check


class Spline(nn.Module):
    """B-splines of `degree` with evenly spaced knots from the oldest to the newest bin, the outer ones repeated.

    x: [n, window, n_in]; out: [n, number, n_in], the window's inner product with each spline. `functions` are the
    splines, [number, window]; they sum to one at every bin. Raises BadInput for fewer splines than degree + 1.

    Source: de Boor 1978, A Practical Guide to Splines, chapter X, equation 5.
    """

    def __init__(self, window: int, number: int = 8, degree: int = 3) -> None:
        super().__init__()
        check(window, number, "spline")
        if not 0 <= degree < number:
            raise BadInput(f"model.basis=spline degree={degree}: from 0 to number - 1, and number is {number}")
        inner = torch.linspace(0, window - 1, number - degree + 1, dtype=torch.float64)
        knots = torch.cat([inner[:1].repeat(degree), inner, inner[-1:].repeat(degree)])
        self.register_buffer("functions", _splines(torch.arange(window, dtype=torch.float64), knots, degree).float())

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("kw,nwi->nki", self.functions.to(x.dtype), x)


def _splines(time: Tensor, knots: Tensor, degree: int) -> Tensor:
    """Every spline on these knots at these times, [splines, times], by the recursion of Cox and de Boor."""
    last = int((knots < knots[-1]).sum()) - 1  # the last interval is closed
    inside = (knots[:-1, None] <= time) & (time < knots[1:, None])
    inside[last] |= time == knots[-1]
    splines = inside.double()
    for order in range(1, degree + 1):
        count = len(knots) - order - 1
        rising, falling = knots[order : order + count], knots[order + 1 : order + 1 + count]
        first, second = rising - knots[:count], falling - knots[1 : count + 1]
        left = (time - knots[:count, None]) / first.where(first > 0, 1.0)[:, None]
        right = (falling[:, None] - time) / second.where(second > 0, 1.0)[:, None]
        splines = left * splines[:count] * (first > 0)[:, None] + right * splines[1 : count + 1] * (second > 0)[:, None]
    return splines
