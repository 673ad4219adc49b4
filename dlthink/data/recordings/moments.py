"""Samples replaced by few points of the same means and covariances: all that some costs of a linear predictor need."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dlthink.data.recordings.windows import Split
from dlthink.errors import BadInput

ROWS = 2**22  # numbers of x at a time
MOST = 4096  # numbers in a window: its covariance is decomposed whole
NOTHING = 1e-6  # of the largest variance: x does not vary that way, but for rounding
LOOKED, SEEN = 2**20, 4096  # numbers of x, and windows, in which whiteness is looked for
WHITE, CHANCE = 0.2, 6.0  # correlations of white numbers; over the root of how many windows, by chance


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

    def notes(self) -> list[str]:
        """What training sees in place of samples, and where covariates are not as white as that takes them to be."""
        points = "of known means and covariances" if self.white else "of the same means and covariances"
        told = [
            f"data.moments: training sees {2 * self.numbers:,} points {points} in place of {len(self):,} samples: only "
            f"a linear network, model=glm, cannot tell them apart"
        ]
        if self.white and (found := self._correlated()):
            told.append(
                f"data.moments=white: takes all numbers in a window for uncorrelated, but two of them correlate by "
                f"{found:.2f}: data.moments=estimated measures them"
            )
        return told

    def _correlated(self) -> float:
        """The largest correlation of two numbers in a window, by some of the samples; 0 where they may be white."""
        seen = max(2, min(SEEN, LOOKED // self.numbers, len(self)))
        rows = self.rows[torch.linspace(0, len(self) - 1, seen).long()]
        x = self.windows(rows - self.before)
        found = torch.atleast_2d(torch.corrcoef(x.T)).nan_to_num_().fill_diagonal_(0.0)
        most = float(found.abs().max())
        return most if most > max(WHITE, CHANCE / seen**0.5) else 0.0

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
        mean, square = torch.zeros(self.numbers, **kind), torch.zeros(self.numbers, self.numbers, **kind)
        sums = torch.zeros(self.window, self.y.shape[1] + (not self.white), self.features.shape[1], **kind)
        for rows in self.rows.split(max(1, ROWS // self.numbers)):
            for bin, product in enumerate(self._with_y(rows)):
                sums[bin] += product
            if not self.white:
                x = self.windows(rows - self.before)
                square += x.T @ x
        if not self.white:
            mean, sums = sums[:, -1].flatten() / n, sums[:, :-1]
        mean_y, product = self.targets().mean(0, dtype=torch.float64), sums.transpose(1, 2).flatten(0, 1) / n
        return mean, mean_y, square / n - mean.outer(mean), product - mean.outer(mean_y)

    def _with_y(self, rows: Tensor) -> Iterator[Tensor]:
        """For each bin of a window, the sums over samples of y x', and of x where its mean is not known:
        [n_targets (+ 1), n_in].

        No window is copied: y lies at the present bins, zeros between them, and slides along the features.
        """
        if not len(rows):
            return
        first, bins = int(rows[0]), int(rows[-1] - rows[0]) + 1
        present = self.y.new_zeros(bins, 1).index_fill_(0, rows - first, 1.0)
        y = present * self.y[first : first + bins]
        y = y if self.white else torch.cat([y, present], 1)
        for start in range(first - self.before, first + self.after + 1):
            yield y.T @ self.features[start : start + bins]
