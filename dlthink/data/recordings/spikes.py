"""The embedded recording: a simulated motorcycle ride with neurons whose true rates are known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from dlthink.data.recordings import simulated_ride as ride
from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.data.recordings.truth import Truth
from dlthink.distributions.com_poisson import ComPoisson
from dlthink.distributions.count import CountDistribution
from dlthink.distributions.negative_binomial import NegativeBinomial
from dlthink.distributions.poisson import Poisson
from dlthink.distributions.zero_inflated import ZeroInflated
from dlthink.errors import BadInput
from dlthink.memory_limit import check_memory

FRAME = 0.05  # s, how long one draw of the extra variability lasts
ZEROS = 0.9  # the largest zero inflation


class Spikes(Binned):
    """Spike times of `neurons` neurons during `minutes` of riding, drawn from smooth known rates.

    rate        mean of the neurons' mean rates, Hz
    dispersion  how counts of 50 ms scatter. 0: Poisson. Positive: the rate is multiplied by gamma noise, mean 1, this
                variance: they are negative binomial, var = mu + dispersion mu^2. Negative: they are
                Conway-Maxwell-Poisson of the ride's mean, nu = 1 / (1 + dispersion), so that var is about
                (1 + dispersion) mu where mu is large; -0.95 at least
    zero_inflation  share of these 50 ms that stay silent, whatever the rate; counts of the others have a mean that is
                higher by 1 / (1 - zero_inflation), and scatter as `dispersion` says. 0.9 at most
    refractory  s without a spike after each. The hazard in between is rate / (1 - rate * refractory), which
                keeps the mean rate the true one
    seed        of the recording; the run has its own

    The examination knows the truth: the expected count of a bin is the integral of the true rate over it; and what the
    true distribution of counts says of them, without a refractory period, for bins of 50 ms that begin where those do
    (Poisson: for any).
    """

    fixed = (*Binned.fixed, "neurons", "minutes", "rate", "dispersion", "zero_inflation", "refractory", "seed")

    def __init__(
        self,
        neurons: int = 50,
        minutes: float = 30.0,
        rate: float = 8.0,
        dispersion: float = 0.0,
        zero_inflation: float = 0.0,
        refractory: float = 0.0,
        seed: int = 0,
        **binning,
    ) -> None:
        self.neurons, self.minutes, self.rate = neurons, minutes, rate
        self.dispersion, self.zero_inflation = dispersion, zero_inflation
        self.refractory, self.seed = refractory, seed
        super().__init__(**binning)

    def read(self) -> Session:
        self._check_knobs()
        steps = round(self.minutes * 60 / ride.STEP)
        check_memory(
            8.0 * steps * (self.neurons * ride.STEP * self.rate + 8 * len(ride.SIGNALS) + ride.DRIVES),
            f"data.minutes={self.minutes} data.neurons={self.neurons} data.rate={self.rate}",
        )
        rng = np.random.default_rng(self.seed)
        signals = ride.behaviour(steps, rng)
        rates = ride.Rates(signals, self.neurons, self.rate, rng)
        edges = ride.STEP * np.arange(steps + 1)
        scatter = {"dispersion": self.dispersion, "zero_inflation": self.zero_inflation}
        spikes = draw(rates, rng, refractory=self.refractory, **scatter)
        distribution = partial(distribution_of, **scatter) if self.refractory == 0 else None
        return Session(
            source="data=spikes",
            spikes=spikes,
            units=[str(neuron) for neuron in range(self.neurons)],
            series=[Series(signals, edges[:-1] + ride.STEP / 2, list(ride.SIGNALS))],
            intervals=np.array([[0.0, edges[-1]]]),
            truth=Truth(rates, edges, distribution, FRAME if any(scatter.values()) else None),
        )

    def _check_knobs(self) -> None:
        for name, least, most in (
            ("neurons", 1, math.inf),
            ("minutes", 0.1, math.inf),
            ("rate", 1e-6, math.inf),
            ("dispersion", -0.95, math.inf),
            ("zero_inflation", 0, ZEROS),
            ("refractory", 0, math.inf),
            ("seed", 0, math.inf),
        ):
            value = vars(self)[name]
            if not (math.isfinite(value) and least <= value <= most):
                ends = f"at least {least}" if most == math.inf else f"{least} to {most}"
                raise BadInput(f"data.{name}={value}: choose a number of {ends}")
        if self.dispersion < 0 < self.refractory:
            raise BadInput(
                f"data.refractory={self.refractory}: is for data.dispersion=0 or more: where counts are drawn that "
                f"scatter less, spikes come at any time of their 50 ms"
            )


def distribution_of(mean: torch.Tensor, dispersion: float = 0.0, zero_inflation: float = 0.0) -> CountDistribution:
    """The distribution of the counts of 50 ms whose mean is this."""
    number = torch.tensor(dispersion, dtype=torch.float64)
    if zero_inflation:
        pi = torch.tensor(zero_inflation, dtype=torch.float64)
        return ZeroInflated(distribution_of(mean / (1 - pi), dispersion), pi.logit())
    if dispersion == 0:
        return Poisson(mean)
    return NegativeBinomial(mean, number) if dispersion > 0 else ComPoisson(mean, 1 / (1 + number))


def draw(
    rates: Sequence[np.ndarray],
    rng: np.random.Generator,
    dispersion: float = 0.0,
    zero_inflation: float = 0.0,
    refractory: float = 0.0,
) -> list[np.ndarray]:
    """Spike times (s) of every neuron for its rates, [steps] in Hz each, constant in each ride.STEP."""
    steps = len(rates[0])
    edges = ride.STEP * np.arange(steps + 1)
    frame = np.arange(steps) // round(FRAME / ride.STEP)
    distribution = partial(distribution_of, dispersion=dispersion, zero_inflation=zero_inflation)
    trains = []
    for rate in rates:
        rate = rate.astype(np.float64)
        if dispersion < 0:
            trains.append(_of_counts(rate, edges, distribution, rng))
            continue
        if dispersion > 0:
            rate = rate * rng.gamma(1.0 / dispersion, dispersion, size=frame[-1] + 1)[frame]
        if zero_inflation > 0:
            rate = rate * (rng.random(frame[-1] + 1) >= zero_inflation)[frame] / (1 - zero_inflation)
        if refractory > 0:
            busy = rate * refractory
            if dispersion == 0 and busy.max() > 0.8:
                raise BadInput(
                    f"data.refractory={refractory}: too long for a neuron that reaches {rate.max():.0f} Hz: "
                    f"choose less than {0.8 / rate.max():.2g} s or a lower data.rate"
                )
            rate = rate / (1.0 - np.minimum(busy, 0.8))
        # In the time that runs as fast as the expected count, spikes fall evenly.
        clock = np.concatenate([[0.0], np.cumsum(rate * ride.STEP)])
        even = np.sort(rng.uniform(0.0, clock[-1], size=rng.poisson(clock[-1])))
        times = np.interp(even, clock, edges)
        trains.append(_with_dead_time(times, refractory) if refractory > 0 else times)
    return trains


def _of_counts(
    rate: np.ndarray,
    edges: np.ndarray,
    distribution: Callable[[torch.Tensor], CountDistribution],
    rng: np.random.Generator,
) -> np.ndarray:
    """Counts of each frame by their distribution, and in it their spikes, evenly in the time that runs as the expected
    count."""
    clock = np.append(0.0, np.cumsum(rate * ride.STEP))
    ends = clock[np.append(np.arange(0, len(rate), round(FRAME / ride.STEP)), len(rate))]
    mean = torch.from_numpy(np.diff(ends))
    counts = distribution(mean).icdf(torch.from_numpy(rng.random(len(mean)))).numpy().astype(int)
    even = np.repeat(ends[:-1], counts) + np.repeat(np.diff(ends), counts) * rng.random(counts.sum())
    return np.interp(np.sort(even), clock, edges)


def _with_dead_time(times: np.ndarray, refractory: float) -> np.ndarray:
    """Without spikes that come too soon after one that stays: a hazard of 0 for so long after a spike."""
    kept, free = [], -math.inf
    for time in times.tolist():
        if time >= free:
            kept.append(time)
            free = time + refractory
    return np.array(kept)
