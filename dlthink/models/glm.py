"""The generalized linear model: one weight for each input at each moment of the window, or each column of a table."""

from collections.abc import Sequence

from torch import Tensor, nn

from dlthink.models._row import Categories, with_offset


class GLM(nn.Module):
    """out = b + sum over lags and inputs of w x: log rate under a Poisson cost, the GLM of neuroscience.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. Weights and b start at zero, so training starts
    at the mean rate; the problem is convex. `linear.weight.view(n_out, window, n_in)` are the filters.
    Of a table, x: {"numbers": [n, n_in], "categories": [n, q]}, each category has a weight of its own, and
    x["offset"] is added (`with_offset`).

    Source: Truccolo et al. 2005, J. Neurophysiol. 93; McCullagh & Nelder 1989 (tables).
    """

    def __init__(self, n_in: int, n_out: int, window: int = 1, category_sizes: Sequence[int] = (), n_targets: int = 1):
        super().__init__()
        self.n_targets = n_targets
        self.linear = nn.Linear(window * n_in, n_out)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.categories = Categories(category_sizes, n_out) if category_sizes else None
        if category_sizes:
            nn.init.zeros_(self.categories.vectors.weight)

    def forward(self, x: Tensor | dict[str, Tensor]) -> Tensor:
        if not isinstance(x, dict):
            return self.linear(x.flatten(1))
        out = self.linear(x["numbers"])
        if self.categories is not None:
            out = out + self.categories(x["categories"]).sum(1)
        return with_offset(out, x, self.n_targets)
