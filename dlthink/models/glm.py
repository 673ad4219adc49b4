"""The generalized linear model: one weight for each input at each moment of the window, or each column of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.models._row import Categories, with_offset

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROUND = 1e-4  # |w| is rounded off below it, so that L-BFGS finds a slope everywhere


class GLM(nn.Module):
    """out = b + sum over lags and inputs of w x: log rate under a Poisson cost, the GLM of neuroscience.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. Weights and b start at zero, so training starts
    at the mean rate; the problem is convex. `filters()` are the weights by lag, [n_out, window, n_in].

    basis  maker of functions along the window, of which filters are sums: fewer weights, and smooth ones
    l1     penalty l1 sum |w| (Tibshirani 1996)
    group  penalty group sqrt(number) sum over inputs and outputs of the norm of one input's weights: whole inputs
           fall away (Yuan & Lin 2006)

    Of a table, x: {"numbers": [n, n_in], "categories": [n, q]}, each category has a weight of its own, and
    x["offset"] is added (`with_offset`).

    Both are over the number of targets, as the cost is a mean over them, and |w| is rounded off to sqrt(w^2 + 1e-8):
    weights come near zero without being zero. Squares are penalized by trainer.l2.

    input_names, lags, target_names: what figures of the filters are labelled with. Raises BadInput.
    Source: Truccolo et al. 2005, J. Neurophysiol. 93; McCullagh & Nelder 1989 (tables).
    """

    def __init__(
        self,
        n_in: int,
        window: int = 1,
        n_out: int = 1,
        n_targets: int | None = None,
        category_sizes: Sequence[int] = (),
        basis: Callable[[], nn.Module] | None = None,
        l1: float = 0.0,
        group: float = 0.0,
        input_names: list[str] | None = None,
        lags: list[float] | None = None,
        target_names: list[str] | None = None,
    ):
        super().__init__()
        if not (0 <= l1 < math.inf and 0 <= group < math.inf):
            raise BadInput(f"model=glm {l1=} {group=}: must be numbers from 0")
        self.basis = None if basis is None else basis()
        self.number = window if self.basis is None else len(self.basis.functions)
        self.linear = nn.Linear(self.number * n_in, n_out)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.categories = Categories(category_sizes, n_out) if category_sizes else None
        if self.categories is not None:
            nn.init.zeros_(self.categories.vectors.weight)
        self.l1, self.group, self.n_targets = l1, group, n_targets or n_out
        self.names = input_names or [str(i) for i in range(n_in)], lags or list(range(1 - window, 1)), target_names

    def forward(self, x: Tensor | dict[str, Tensor]) -> Tensor:
        if not isinstance(x, dict):
            return self.linear((x if self.basis is None else self.basis(x)).flatten(1))
        out = self.linear(x["numbers"])
        if self.categories is not None:
            out = out + self.categories(x["categories"]).sum(1)
        return with_offset(out, x, self.n_targets)

    def weights(self) -> Tensor:
        """[n_out, number, n_in]"""
        return self.linear.weight.unflatten(1, (self.number, -1))

    def filters(self) -> Tensor:
        """[n_out, window, n_in]"""
        weights = self.weights().detach()
        return weights if self.basis is None else torch.einsum("kw,oki->owi", self.basis.functions, weights)

    def penalty(self) -> Tensor | None:
        """The term that weights cost by themselves."""
        if not (self.l1 or self.group):
            return None
        squares = self.weights().square()
        total = self.l1 * (squares + ROUND**2).sqrt().sum()
        norms = (squares.sum(1) + ROUND**2).sqrt().sum()
        return (total + self.group * math.sqrt(self.number) * norms) / self.n_targets

    def figures(self) -> dict[str, Figure]:
        """filters: of a few targets, the inputs of largest weight by lag."""
        from dlthink.models._filter_figure import filters  # here, since matplotlib takes its time to load

        inputs, lags, targets = self.names
        own = self.filters()[:: max(1, len(self.linear.bias) // self.n_targets)].cpu()
        return {"filters": filters(own, inputs, lags, targets or [str(i) for i in range(len(own))])}
