"""The examination of predicted counts: the same questions for every cost that predicts them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.distributions import Poisson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG_2 = math.log(2)


class Counts:
    """Numbers and figures for counts y: [n, n_targets] and their predicted means, in counts per bin.

    read   {"rate"} or {"mean"}; "distribution" too where the cost is a likelihood of counts; else Poisson is
           assumed. A continuous distribution is ignored: its density is no probability of a count.
    truth  {"rate"}: [n, n_targets], the true mean, where it is known;
           {"time"}: [n], the centre of each bin in seconds, where a figure is to know about gaps

    A mean must be positive to have a likelihood, and a squared error does not keep it so. Therefore, for
    every cost alike, means below 1 % (`floor`) of the unit's mean count in the evaluated bins are raised to
    that floor before they are scored, and `floored` says how often. A `distribution` is scored as it was
    given.

    bits_per_spike         log likelihood gained over the mean count of these bins / (log 2 * spikes), in all
    bits_per_spike_median  the same for each unit that fires in these bins: the median one
    bits_per_spike_min     and the worst one
    d2                     1 - deviance / deviance of each unit's mean, both summed over units
    log_score              mean log probability of a count as predicted, nats per bin and unit
    oracle_share           bits_per_spike / bits_per_spike of the true rate
    floored                share of predicted means at or below the floor

    Sums are in float64. What the bins do not define (bits per spike without a spike) is nan.
    Sources: Pillow et al. 2008, Nature 454 (bits per spike); Cameron & Windmeijer 1997, J. Econometrics 77
    (D2); Gneiting & Raftery 2007, JASA 102, section 4 (log score).
    """

    best = ("log_score", "max")
    reads = ("rate", "mean")

    def __init__(self, units: list[str], bin: float, floor: float = 0.01):
        self.units = [str(unit) for unit in units]
        self.bin = bin  # seconds
        self.floor = floor

    def numbers(self, read: dict, y: Tensor, truth: dict[str, Tensor]) -> dict[str, float]:
        k = _exact(y)
        rate, floored = self._positive(read, k)
        gain, spikes = _gain(rate, k), k.sum(0)
        bits = _ratio(gain, LOG_2 * spikes)[spikes > 0]
        numbers = {
            "bits_per_spike": float(_ratio(gain.sum(), LOG_2 * spikes.sum())),
            "bits_per_spike_median": float(bits.quantile(0.5)) if len(bits) else math.nan,
            "bits_per_spike_min": float(bits.min()) if len(bits) else math.nan,
            "d2": float(_ratio(2 * gain.sum(), _null_deviance(k).sum())),
            "log_score": _log_score(read, rate, y),
            "floored": float(floored),
        }
        if "rate" in truth:
            true, _ = self._positive({"rate": truth["rate"]}, k)
            numbers["oracle_share"] = float(_ratio(gain.sum(), _gain(true, k).sum()))
        return numbers

    def per_unit(self, read: dict, y: Tensor) -> dict[str, Tensor]:
        """bits_per_spike and d2 of each unit: [n_targets] in float64, nan where the bins do not define it."""
        k = _exact(y)
        gain = _gain(self._positive(read, k)[0], k)
        return {
            "bits_per_spike": _ratio(gain, LOG_2 * k.sum(0)),
            "d2": _ratio(2 * gain, _null_deviance(k)),
        }

    def figures(self, read: dict, y: Tensor, truth: dict[str, Tensor]) -> dict[str, Figure]:
        """rate: three units in time; calibration: counts against rates; bits_per_spike: every unit."""
        from dlthink.metrics import counts_figures as draw  # here, since matplotlib takes its time to load

        k = _exact(y)
        rate, _ = self._positive(read, k)
        known = {name: _exact(truth[name]) for name in ("rate", "time") if name in truth}
        bits = self.per_unit(read, y)["bits_per_spike"]
        oracle = self.per_unit({"rate": known["rate"]}, y)["bits_per_spike"] if "rate" in known else None
        return {
            "rate": draw.rate(rate, k, bits, self.units, self.bin, known.get("rate"), known.get("time")),
            "calibration": draw.calibration(rate, k, self.bin),
            "bits_per_spike": draw.bits_per_spike(bits, self.units, oracle),
        }

    def _positive(self, read: dict, k: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted means raised to the floor, and the share of them at or below it."""
        mean = _exact(_mean(read))
        floor = self.floor * k.mean(0)
        return torch.maximum(mean, floor), (mean <= floor).double().mean()


def _mean(read: dict) -> Tensor:
    return read["rate"] if "rate" in read else read["mean"]


def _exact(x: Tensor) -> Tensor:
    return x.detach().cpu().double()  # in this order: not every device has float64


def _gain(rate: Tensor, k: Tensor) -> Tensor:
    """Log likelihood of each unit's counts under `rate` less that under their mean: [n_targets], nats."""
    mean = k.mean(0)
    return (torch.xlogy(k, rate) - torch.xlogy(k, mean) - rate + mean).sum(0)


def _null_deviance(k: Tensor) -> Tensor:
    """2 sum of k log(k / mean), [n_targets]: what a rate lowers by 2 gain."""
    return 2 * (torch.xlogy(k, k) - torch.xlogy(k, k.mean(0))).sum(0)


def _log_score(read: dict, rate: Tensor, y: Tensor) -> float:
    if "distribution" in read and _counts(read["distribution"]):
        return float(_exact(read["distribution"].log_prob(y.to(_mean(read).device))).mean())
    return float(Poisson(rate, validate_args=False).log_prob(_exact(y)).mean())


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole, math.nan)


def _counts(distribution) -> bool:
    """Whether it gives a count a probability; one that does not say what it is for is believed to."""
    try:
        support = getattr(distribution, "support", None)
    except NotImplementedError:  # so torch's families say it
        support = None
    return support is None or support.is_discrete
