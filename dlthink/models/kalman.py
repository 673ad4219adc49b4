"""The Kalman filter: a linear Gaussian state, followed bin by bin through the window."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput


class Kalman(nn.Module):
    """out = C m_window + b, m_t the mean of the state z_t given x_1 .. x_t, of the state space model

        z_t = A z_(t-1) + w_t,  w_t ~ N(0, I),  z_0 ~ N(0, P_0);    x_t = H z_t + d + v_t,  v_t ~ N(0, Q)

    x: [n, window, n_in], oldest bin first; out: [n, n_out]; z: [width]. A, H, d, Q, P_0, C and b all descend the cost,
    through the filter's recursion; Q and P_0 are products of their Cholesky factors. The basis of z is free, so that w
    has the identity for its covariance.

    The state's covariance depends on no x, so that it is one for all windows: a spread that a cost learns beside the
    mean can be b alone. The answer is linear in x: a Wiener filter whose weights along the window follow a recursion.
    The read-out starts at a tenth of torch's usual scale and without bias. Raises BadInput for a width below 1.

    Source: Kalman 1960; as a decoder, Wu et al. 2003, NeurIPS 15; by gradients, Haarnoja et al. 2016, NeurIPS 29.
    """

    def __init__(self, n_in: int, window: int, n_out: int, width: int = 16):
        super().__init__()
        if width < 1:
            raise BadInput(f"model=kalman {width=}: a state has at least 1 number")
        self.transition = nn.Parameter(0.9 * torch.eye(width))
        self.observation = nn.Linear(width, n_in)
        nn.init.zeros_(self.observation.bias)
        self.noise, self.start = CholeskyFactor(n_in), CholeskyFactor(width)
        self.readout = nn.Linear(width, n_out)
        self.readout.weight.data.mul_(0.1)
        self.readout.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # covariances want more digits than a half has
            mean, _ = self.filter(x.to(self.transition.dtype))
        return self.readout(mean)

    def filter(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean [n, width] and covariance [width, width] of the state after the window's last bin."""
        a, h, one = self.transition, self.observation.weight, torch.eye(len(self.transition)).to(self.transition)
        whitened = torch.linalg.solve_triangular(self.noise(), h, upper=False)  # Q = L L', L^-1 H
        gathered = torch.linalg.solve_triangular(self.noise().mT, whitened, upper=True).mT  # H' Q^-1
        information = whitened.mT @ whitened  # H' Q^-1 H
        mean, covariance = x.new_zeros(len(x), len(a)), self.start() @ self.start().mT
        for seen in ((x - self.observation.bias) @ gathered.mT).unbind(1):
            mean, root = mean @ a.mT, torch.linalg.cholesky(a @ covariance @ a.mT + one)
            # (P^-1 + H' Q^-1 H)^-1 with P = R R' is R (1 + R' H' Q^-1 H R)^-1 R': never indefinite, by rounding either
            inner = torch.linalg.cholesky(one + root.mT @ information @ root)
            half = torch.linalg.solve_triangular(inner, root.mT, upper=False)
            covariance = half.mT @ half
            mean = mean + (seen - mean @ information) @ covariance
        return mean, covariance


class CholeskyFactor(nn.Module):
    """L, lower triangular with a positive diagonal: L L' is any covariance [size, size]; the identity at first.

    Held as vectors, the logarithm of the diagonal and what lies below it: no penalty on matrices touches them.
    """

    where: Tensor  # [2, entries below the diagonal]

    def __init__(self, size: int):
        super().__init__()
        self.log_diagonal, self.below = (
            nn.Parameter(torch.zeros(size)),
            nn.Parameter(torch.zeros(size * (size - 1) // 2)),
        )
        self.register_buffer("where", torch.tril_indices(size, size, -1), persistent=False)

    def forward(self) -> Tensor:
        return self.log_diagonal.exp().diag().index_put(tuple(self.where), self.below)
