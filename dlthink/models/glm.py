"""The generalized linear model: one weight for each input at each moment of the window."""

from torch import Tensor, nn


class GLM(nn.Module):
    """out = b + sum over lags and inputs of w x: log rate under a Poisson cost, the GLM of neuroscience.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. Weights and b start at zero, so training starts
    at the mean rate; the problem is convex. `linear.weight.view(n_out, window, n_in)` are the filters.

    Source: Truccolo et al. 2005, J. Neurophysiol. 93.
    """

    def __init__(self, n_in: int, window: int, n_out: int):
        super().__init__()
        self.linear = nn.Linear(window * n_in, n_out)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1))
