"""The Wiener cascade: a linear filter, then a static nonlinearity of each output's own."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput


class WienerCascade(nn.Module):
    """out_j = sum_k a_jk z_j^k, k = 0 .. degree,  z = b + sum over lags and inputs of w x.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. A polynomial for each output; all of it is fitted together,
    where the classical procedure fits the filter first and the polynomial after it. Filters and b begin at zero and the
    polynomial as z itself, so training starts at out = 0 as a Wiener filter. Raises BadInput for a degree below 1.

    Source: Hunter & Korenberg 1986; as a decoder, Pohlmeyer et al. 2007 and Glaser et al. 2020, eNeuro 7.
    """

    def __init__(self, n_in: int, window: int, n_out: int, degree: int = 3):
        super().__init__()
        if degree < 1:
            raise BadInput(f"model=wiener_cascade {degree=}: a polynomial has a degree of at least 1")
        self.linear = nn.Linear(window * n_in, n_out)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        coefficients = torch.zeros(degree + 1, n_out)
        coefficients[1] = 1.0
        self.coefficients = nn.ParameterList(coefficients.unbind())  # vectors: no penalty on matrices touches them

    def forward(self, x: Tensor) -> Tensor:
        z = self.linear(x.flatten(1)).to(self.coefficients[0].dtype)  # powers want more digits than a half has
        out = self.coefficients[-1]
        for lower in list(self.coefficients)[-2::-1]:
            out = lower + out * z
        return out
