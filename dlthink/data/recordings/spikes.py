"""The embedded recording: a simulated motorcycle ride with neurons whose true rates are known."""

from __future__ import annotations

import math

import numpy as np

from dlthink.data.recordings import ride
from dlthink.data.recordings.binned import Binned
from dlthink.data.recordings.series import Series
from dlthink.data.recordings.session import Session
from dlthink.errors import BadInput
from dlthink.memory_limit import check_memory

FRAME = 0.05  # s, how long one draw of the extra variability lasts


class Spikes(Binned):
    """Spike times of `neurons` neurons during `minutes` of riding, drawn from smooth known rates.

    rate        mean of the neurons' mean rates, Hz
    dispersion  0: Poisson. Else every 50 ms the rate is multiplied by gamma noise, mean 1, this variance:
                counts of 50 ms are negative binomial, var = mu + dispersion mu^2
    refractory  s without a spike after each. The hazard in between is rate / (1 - rate * refractory), which
                keeps the mean rate the true one
    seed        of the recording; the run has its own

    The examination knows the truth: the expected count of a bin is the integral of the true rate over it.
    """

    def __init__(
        self,
        neurons: int = 50,
        minutes: float = 30.0,
        rate: float = 8.0,
        dispersion: float = 0.0,
        refractory: float = 0.0,
        seed: int = 0,
        **binning,
    ) -> None:
        self.neurons, self.minutes, self.rate = neurons, minutes, rate
        self.dispersion, self.refractory, self.seed = dispersion, refractory, seed
        super().__init__(**binning)

    def read(self) -> Session:
        self._check_knobs()
        steps = round(self.minutes * 60 / ride.STEP)
        check_memory(
            8.0 * steps * (self.neurons * (2 + ride.STEP * self.rate) + len(ride.SIGNALS) + ride.DRIVES),
            f"data.minutes={self.minutes} data.neurons={self.neurons} data.rate={self.rate}",
        )
        rng = np.random.default_rng(self.seed)
        signals = ride.behaviour(steps, rng)
        rates = ride.rates(signals, self.neurons, self.rate, rng)
        edges = ride.STEP * np.arange(steps + 1)
        spikes = draw(rates, self.dispersion, self.refractory, rng)
        return Session(
            source="data=spikes",
            spikes=spikes,
            units=[str(neuron) for neuron in range(self.neurons)],
            series=[Series(signals, edges[:-1] + ride.STEP / 2, list(ride.SIGNALS))],
            intervals=np.array([[0.0, edges[-1]]]),
            rates=rates,
            rate_edges=edges,
        )

    def _check_knobs(self) -> None:
        for name, least in (
            ("neurons", 1),
            ("minutes", 0.1),
            ("rate", 1e-6),
            ("dispersion", 0),
            ("refractory", 0),
            ("seed", 0),
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= least):
                raise BadInput(f"data.{name}={value}: choose a number of at least {least}")


def draw(rates: np.ndarray, dispersion: float, refractory: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Spike times (s) of every neuron for `rates` [steps, neurons] in Hz, constant in each ride.STEP."""
    steps, neurons = rates.shape
    edges = ride.STEP * np.arange(steps + 1)
    frame = np.arange(steps) // round(FRAME / ride.STEP)
    trains = []
    for neuron in range(neurons):
        rate = rates[:, neuron].astype(np.float64)
        if dispersion > 0:
            rate = rate * rng.gamma(1.0 / dispersion, dispersion, size=frame[-1] + 1)[frame]
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


def _with_dead_time(times: np.ndarray, refractory: float) -> np.ndarray:
    """Without spikes that come too soon after one that stays: a hazard of 0 for so long after a spike."""
    kept, free = [], -math.inf
    for time in times.tolist():
        if time >= free:
            kept.append(time)
            free = time + refractory
    return np.array(kept)
