"""What every distribution of counts shares: torch's interface, cdf and quantiles by adding up, the RPS.

Counts below ten thousand are added up one by one, those beyond by `long_sums`, so time and memory are bounded. A family
gives mean, variance, `log_pmf` and its `parameters`; all is computed in float64, and comes back in the type of what is
asked, or of the parameters if that is wider. The ranked probability score is the sum over k of
(F(k) - 1{k >= y})^2: Epstein 1969, J. Appl. Meteorol. 8; Czado, Gneiting & Held 2009, Biometrics 65.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from dlthink.distributions import long_sums
from dlthink.distributions.long_sums import Stretches
from dlthink.distributions.real import broadcast_shape, exact

FIRST, MOST = 4, 2**16  # counts that are looked at first; probabilities at a time, as many as a cache holds
SUMMED = 10_000  # counts that are added up one by one
AT_ONCE = 2**7  # distributions that go on at a time
LARGE = 2**19  # values, of which so many are looked at together
WHOLE = 1 - 1e-12  # of all probability: what lies beyond is nothing
NEARLY = 1 - 1e-8  # of which the square of what lies beyond is nothing


class CountDistribution(Distribution):
    """A distribution of k = 0, 1, 2, ...; value: of the batch's shape, or what broadcasts with it."""

    arg_constraints = {}
    support = constraints.nonnegative_integer

    def __init__(self, *parameters: Tensor):
        self.dtype = reduce(torch.promote_types, (each.dtype for each in parameters))
        self.given = torch.broadcast_tensors(*parameters)
        super().__init__(self.given[0].shape, validate_args=False)

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """In float64, of the batch's shape; made when they are asked for, since predictions may be many."""
        return tuple(exact(each) for each in self.given)

    def log_pmf(self, k: Tensor) -> Tensor:
        """log P(k) in float64, k >= 0 in float64, a whole number; k broadcasts with the parameters."""
        raise NotImplementedError

    def log_pmf_of(self, counts: Tensor) -> Tensor:
        """The same of counts one after the other, [m], for distributions of places `at`: [n, m]."""
        return self.log_pmf(counts)

    def at(self, index: Tensor) -> CountDistribution:
        """The distributions of the places `index` of the flattened batch: [n, 1], ready for n rows of several
        counts."""
        return type(self)(*(picked(each, index) for each in self.given))

    def log_prob(self, value: Tensor) -> Tensor:
        """log P(k); -inf below zero."""
        if value.shape == self.batch_shape and value.numel() > LARGE:
            found = torch.empty_like(value, dtype=torch.promote_types(value.dtype, self.dtype)).flatten()
            for start in range(0, value.numel(), LARGE):
                some = torch.arange(start, min(start + LARGE, value.numel()), device=value.device)
                found[some] = self.at(some).log_prob(picked(value, some))[:, 0].to(found.dtype)
            return found.view(value.shape)
        k = exact(value)
        return self._like(value, torch.where(k >= 0, self.log_pmf(k.clamp(min=0)), -math.inf))

    def cdf(self, value: Tensor) -> Tensor:
        """P(K <= value): the sum of the probabilities up to there."""
        k = exact(value).floor().expand(broadcast_shape(value.shape, self.batch_shape))
        total = torch.zeros_like(k).flatten()

        def add(place: Tensor, counts: Tensor, pmf: Tensor, last: Tensor) -> Tensor:
            total[place] += (pmf * (counts <= last)).sum(-1)
            return (last[:, 0] >= counts[-1] + 1) & (total[place] < WHOLE)

        def on(place: Tensor, distribution: CountDistribution, edges: Tensor, last: Tensor) -> None:
            edges = torch.minimum(edges, last.unsqueeze(-1) + 1)
            total[place] = Stretches(distribution.log_pmf, edges, total[place]).up_to[:, -1]

        self._walk(k, add, on)
        return self._like(value, total.clamp(max=1).view(k.shape))

    def icdf(self, value: Tensor) -> Tensor:
        """The smallest k with P(K <= k) >= value; infinity for 1."""
        p = exact(value).expand(broadcast_shape(value.shape, self.batch_shape))
        below = torch.zeros_like(p).flatten()
        found = below.masked_fill(p.flatten() >= 1, math.inf)

        def add(place: Tensor, counts: Tensor, pmf: Tensor, wanted: Tensor) -> Tensor:
            total = below[place, None] + pmf.cumsum(-1)
            last = (pmf == 0) & (total > 0.5)  # where rounding must not end in an endless sum
            found[place] += ((total < wanted.clamp(max=WHOLE)) & ~last).sum(-1)
            below[place] = total[:, -1]
            return (total[:, -1] < wanted[:, 0].clamp(max=WHOLE)) & ~last[:, -1]

        def on(place: Tensor, distribution: CountDistribution, edges: Tensor, wanted: Tensor) -> None:
            sums, start = Stretches(distribution.log_pmf, edges, below[place]), below[place]
            # of what is left of all probability, however rounded
            left = (wanted.clamp(max=WHOLE) - start) / (1 - start)
            found[place] = sums.first_to_reach(start + left * (sums.up_to[:, -1] - start))

        self._walk(p, add, on, begin=(p > 0) & (p < 1))
        return self._like(value, found.view(p.shape))

    def crps(self, value: Tensor) -> Tensor:
        """The ranked probability score."""
        y = exact(value).expand(broadcast_shape(value.shape, self.batch_shape))
        score, below = torch.zeros_like(y).flatten(), torch.zeros_like(y).flatten()

        def add(place: Tensor, counts: Tensor, pmf: Tensor, y: Tensor) -> Tensor:
            total = below[place, None] + pmf.cumsum(-1)
            score[place] += torch.where(counts < y, total, 1 - total).square().sum(-1)
            below[place] = total[:, -1]
            done = total[:, -1] >= NEARLY
            score[place] += torch.where(done, (y[:, 0] - counts[-1] - 1).clamp(min=0), 0.0)  # each of these is 1
            return ~done & ((pmf[:, -1] > 0) | (total[:, -1] < 0.5))

        def on(place: Tensor, distribution: CountDistribution, edges: Tensor, y: Tensor) -> None:
            first, last = edges[:, 0], edges[:, -1]
            cut = torch.cat((edges, y.clamp(first, last).unsqueeze(-1)), -1).sort(-1).values
            score[place] += Stretches(distribution.log_pmf, cut, below[place]).squares(y)
            score[place] += (torch.minimum(first, y) - SUMMED).clamp(min=0) * below[place].square()
            score[place] += (first - y.clamp(min=SUMMED)).clamp(min=0) * (1 - below[place]).square()
            score[place] += (y - last).clamp(min=0)  # each of these is 1

        self._walk(y, add, on)
        return self._like(value, score.view(y.shape))

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        like, shape = exact(self.mean), self._extended_shape(torch.Size(sample_shape))
        return self.icdf(torch.rand(shape, dtype=like.dtype, device=like.device)).to(self.dtype)

    def _like(self, value: Tensor, result: Tensor) -> Tensor:
        return result.to(torch.promote_types(value.dtype, self.dtype))

    @property
    def bulk(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the distribution where it is smooth."""
        return exact(self.mean), exact(self.variance).sqrt()

    def _walk(
        self, of: Tensor, add: Callable[..., Tensor], on: Callable[..., None], begin: Tensor | None = None
    ) -> None:
        """Go up from 0 with everybody, some counts at a time, on with those who need more of it, and then by stretches.

        of: what each place asks, of the full shape. add(place, counts, pmf [places, counts], asked [places, 1]) does
        the sums and says who goes on. on(place, distributions of these places, edges of stretches, asked [places]) does
        the rest, from `SUMMED` on.
        """
        place = torch.arange(of.numel(), device=of.device)
        index = place[: self.batch_shape.numel()].view(self.batch_shape).expand(of.shape).flatten()
        asked, start, width = of.flatten(), 0, FIRST
        if begin is not None:
            place = place[begin.flatten()]
        while len(place) and start < SUMMED:
            counts = torch.arange(start, start + width, dtype=of.dtype, device=of.device)
            goes_on = []
            for some in place.split(max(1, MOST // width)):
                pmf = self.at(index[some]).log_pmf_of(counts).exp()
                goes_on.append(add(some, counts, pmf, asked[some].unsqueeze(-1)))
            place = place[torch.cat(goes_on)]
            start += width
            width = min(max(FIRST, min(start // 2, 2**12)), SUMMED - start)
        for some in place.split(AT_ONCE):
            distribution = self.at(index[some])
            mean, std = (each.expand(len(some), 1)[:, 0] for each in distribution.bulk)
            on(some, distribution, long_sums.edges(mean, std, SUMMED), asked[some])


def picked(values: Tensor, index: Tensor) -> Tensor:
    """Places of the flattened values: [n, 1]. One that was expanded stays as small as it is."""
    if values.is_contiguous():
        return values.flatten()[index].unsqueeze(-1)
    return values[torch.unravel_index(index, values.shape)].unsqueeze(-1)
