"""Samples replaced by few points of the same means and covariances: all that some costs of a linear predictor need."""

from __future__ import annotations

import torch
from torch import Tensor

from dlthink.data.recordings.windows import Split
from dlthink.errors import BadInput

ROWS = 2**22  # numbers of x at a time
MOST = 4096  # numbers in a window: its covariance is decomposed whole
NOTHING = 1e-6  # of the largest variance: x does not vary that way, but for rounding


class Moments(Split):
    """A split that trains on 2 p points in place of its samples, p the numbers in x: [window, n_in].

        x = m +- sqrt(p) L_j,  y = mean of y + cov(y, x) C^-1 (x - m),  m the mean of x, C = L L' its covariance

    Means and covariances are those of the samples, by one pass over them. `white`: m = 0 and C = 1 are known, as of a
    white stimulus that was standardized, and only products of x and y are summed. y is no count any more: for a linear
    network, and a cost that is linear in y and knows outputs by mean and variance. A step gets all points whatever it
    asks for; examinations see the samples as they are.

    Raises BadInput where a window holds more numbers than can be decomposed.
    Source: sigma points: Julier & Uhlmann 2004, Proc. IEEE 92.
    """

    def __init__(self, split: Split, white: bool = False) -> None:
        self.__dict__ |= vars(split)
        self.white, self.points = white, None
        self.numbers = self.window * self.features.shape[1]
        if self.numbers > MOST:
            raise BadInput(
                f"data.moments: a window holds {self.numbers:,} numbers, more than the {MOST:,} whose covariance is "
                f"decomposed: choose a shorter window, or fewer covariates"
            )

    def to(self, device: torch.device | str) -> Moments:
        return Moments(super().to(device), self.white)

    def draw(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """All points, whichever samples are asked for."""
        if self.points is None:
            self.points = self._points()
        return self.points

    @torch.no_grad()
    def _points(self) -> tuple[Tensor, Tensor]:
        mean, mean_y, covariance, with_y = self._sums()
        if self.white:
            x, y = torch.eye(self.numbers, dtype=torch.float64, device=mean.device), with_y
        else:
            size, vectors = torch.linalg.eigh(covariance)
            varies = size > NOTHING * size[-1]
            size, vectors = size[varies], vectors[:, varies]
            x, y = size.sqrt().unsqueeze(1) * vectors.T, size.rsqrt().unsqueeze(1) * (vectors.T @ with_y)
        x, y = (
            torch.cat([mean + len(of) ** 0.5 * of, mean - len(of) ** 0.5 * of]) for mean, of in ((mean, x), (mean_y, y))
        )
        return x.float().view(len(x), self.window, -1), y.float()

    def _sums(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Mean of x [p] and y [n_targets], covariances [p, p] and [p, n_targets], in float64 but for a chunk's sums."""
        n, kind = len(self), {"dtype": torch.float64, "device": self.features.device}
        total, square = torch.zeros(self.numbers, **kind), torch.zeros(self.numbers, self.numbers, **kind)
        product = torch.zeros(self.numbers, self.y.shape[1], **kind)
        for index in torch.arange(n, device=self.rows.device).split(max(1, ROWS // self.numbers)):
            x, y = self.take(index)
            x = x.flatten(1)
            product += x.T @ y
            if not self.white:
                total += x.sum(0)
                square += x.T @ x
        mean, mean_y = total / n, self.targets().mean(0, dtype=torch.float64)
        return mean, mean_y, square / n - mean.outer(mean), product / n - mean.outer(mean_y)
