"""What a simulated recording knows of itself: the rates its spikes were drawn from, and how counts scatter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from dlthink.data.recordings.bins import Bins
from dlthink.distributions.count import CountDistribution

ALIKE = 1e-6  # of a frame: how far a bin may be off


@dataclass(frozen=True)
class Truth:
    """rates [G] of each unit in Hz, constant between `edges` [G + 1], in seconds.

    distribution  that of counts of these means, where it is known
    frame  s, of which bins: those of this width that begin at `edges[0]` or whole frames later; None: of any
    """

    rates: Sequence[np.ndarray]
    edges: np.ndarray
    distribution: Callable[[torch.Tensor], CountDistribution] | None = None
    frame: float | None = None

    def since(self, zero: float) -> Truth:
        """With times that count from `zero`."""
        return replace(self, edges=self.edges - zero)

    def known(self, bins: Bins, counts: np.ndarray, units: list[int]) -> dict[str, torch.Tensor]:
        """rate: [T, units] expected counts; log_prob: of the counts [T, units] by the true distribution, where that is
        known."""
        names = ["rate"] if self.distribution is None or not self._holds_of(bins) else ["rate", "log_prob"]
        found = {name: torch.empty(counts.shape) for name in names}
        for place, unit in enumerate(units):
            expected = torch.from_numpy(bins.integral(self.edges, self.rates[unit]))
            found["rate"][:, place] = expected
            if "log_prob" in found:
                k = torch.from_numpy(np.ascontiguousarray(counts[:, place]))
                found["log_prob"][:, place] = self.distribution(expected).log_prob(k)
        return found

    def _holds_of(self, bins: Bins) -> bool:
        if self.frame is None:
            return True
        place = (bins.centres - self.edges[0]) / self.frame - 0.5
        return abs(bins.width / self.frame - 1) < ALIKE and bool((np.abs(place - np.round(place)) < ALIKE).all())
