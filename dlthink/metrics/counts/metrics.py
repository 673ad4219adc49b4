"""The examination of predicted counts: the same questions for every cost that predicts them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.distributions.optional_formulas import log_prob
from dlthink.distributions.poisson import Poisson
from dlthink.metrics.counts.noise import Noise, exact, is_of_counts
from dlthink.metrics.counts.suggestion import suggestion
from dlthink.metrics.per_item import by_item
from dlthink.metrics.prediction_shapes import misfit, no_distribution

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOG_2 = math.log(2)
CHUNK = 2**18  # counts in float64 at a time
FAR, FEW_NATS = -0.5, 5.0  # bits/spike, and nats in all, more than one spike loses: from here on it is remarked on
MOST_NAMES = 3
MOST_SHOWN = 2**18  # predictions in a figure of all of them


class Counts:
    """Numbers and figures for counts y: [n, n_targets] and their predicted means, in counts per bin.

    predicted  {"rate"} or {"mean"}; "distribution" too where the cost is a likelihood of counts; else Poisson is
           assumed. A continuous distribution is ignored: its density is no probability of a count.
    known  {"rate"}: [n, n_targets], the true mean, where it is known;
           {"log_prob"}: [n, n_targets], of the counts by their true distribution, where that is known;
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
    regret                 log_score of the true distribution less log_score: 0 is all that can be known
    floored                share of predicted means at or below the floor
    bits_per_spike_own     log probability as predicted, gained over the mean count as Poisson / (log 2 * spikes)
    rps                    mean ranked probability score of the predicted distribution, counts per bin
    pit_passes             share of units whose randomised PIT passes a KS test at 1 %
    pearson_dispersion     mean squared residual over the predicted variance: the median unit; 1 is as predicted
                           (the last three of evenly spread rows, at most 131,072 predictions)

    Sums are in float64. What the bins do not define (bits per spike without a spike) is nan.
    Sources: Pillow et al. 2008, Nature 454 (bits per spike); Cameron & Windmeijer 1997, J. Econometrics 77
    (D2); Gneiting & Raftery 2007, JASA 102, section 4 (log score); Czado, Gneiting & Held 2009, Biometrics 65 (RPS,
    PIT).
    """

    best = ("log_score", "max")
    scores = {"log_score": "max", "bits_per_spike": "max", "d2": "max"}
    directions = {"rps": "min", "regret": "min", "oracle_share": "max", "pit_passes": "max"}
    glossary = {
        "bits_per_spike": "log likelihood gained over each unit's mean rate, in bits per spike",
        "bits_per_spike_median": "the same of the median unit",
        "bits_per_spike_min": "the same of the worst unit",
        "bits_per_spike_own": "the same of the distribution that the cost predicts; of poisson it is no other",
        "d2": "deviance explained: 0 as a constant rate, 1 perfect",
        "log_score": "mean log probability of a count as predicted, nats per bin and unit",
        "oracle_share": "bits_per_spike over that of the true rates",
        "regret": "log_score of the true distribution less that of the run: 0 is all that can be known",
        "floored": "share of predicted means below 1 % of the unit's mean, which are raised to it",
        "rps": "ranked probability score: how far the predicted distribution is from the count",
        "pit_passes": "share of units whose counts scatter as predicted, by a test of their PIT at 1 %",
        "pearson_dispersion": "squared residuals over the predicted variance, the median unit: 1 is as predicted",
    }
    needs = ("rate", "mean")
    word = "unit"  # what a target is called

    def __init__(self, units: list[str], bin: float, floor: float = 0.01):
        self.units = self.target_names = [str(unit) for unit in units]
        self.bin = bin  # seconds
        self.floor = floor

    def numbers(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> dict[str, float]:
        own = self._sums(mean_of(predicted), y)
        gain, spikes = own["gain"], own["spikes"]
        bits = _ratio(gain, LOG_2 * spikes)[spikes > 0]
        noise, log_prob = self.noise(predicted, y), _log_prob(predicted, y)
        log_prob = own["log_prob"].sum() if log_prob is None else log_prob.numpy().sum(dtype=np.float64)  # no copy
        constant = own["log_prob"].sum() - gain.sum()  # of the mean count as Poisson
        numbers = {
            "bits_per_spike": float(_ratio(gain.sum(), LOG_2 * spikes.sum())),
            "bits_per_spike_median": float(np.quantile(bits.numpy(), 0.5)) if len(bits) else math.nan,
            "bits_per_spike_min": float(bits.min()) if len(bits) else math.nan,
            "d2": float(_ratio(2 * gain.sum(), own["null_deviance"].sum())),
            "log_score": float(log_prob / y.numel()),
            "floored": float(own["floored"].sum() / y.numel()),
            "bits_per_spike_own": float(_ratio(log_prob - constant, LOG_2 * spikes.sum())),
            "rps": noise.rps,
            "pit_passes": noise.pit_passes,
            "pearson_dispersion": float(noise.pearson.nanmedian()),
        }
        if "log_prob" in known:
            numbers["regret"] = float(exact(known["log_prob"]).mean()) - numbers["log_score"]
        if "rate" in known:
            numbers["oracle_share"] = float(_ratio(gain.sum(), self._sums(known["rate"], y)["gain"].sum()))
        return numbers

    def item_scores(self, predicted: dict, y: Tensor, known: dict) -> dict[str, np.ndarray]:
        """log_score of each item, known["item"]: [n], a stretch of time or a row of a table."""
        log_prob = _log_prob(predicted, y)
        if log_prob is None:
            k = exact(y)
            log_prob = Poisson(self.positive(mean_of(predicted), k)[0]).log_prob(k)
        return by_item({"log_score": log_prob}, y, known.get("item"))

    def noise(self, predicted: dict, y: Tensor) -> Noise:
        """The counts and the distribution that was predicted for them."""
        return Noise.of(predicted, lambda: self.positive(mean_of(predicted), exact(y))[0], y)

    def per_unit(self, predicted: dict, y: Tensor) -> dict[str, Tensor]:
        """bits_per_spike and d2 of each unit: [n_targets] in float64, nan where the bins do not define it."""
        own = self._sums(mean_of(predicted), y)
        return {
            "bits_per_spike": _ratio(own["gain"], LOG_2 * own["spikes"]),
            "d2": _ratio(2 * own["gain"], own["null_deviance"]),
        }

    def misfit(self, predicted: dict, y: Tensor) -> str | None:
        """One line where a cost's reading has the wrong shape or is no number."""
        wrong = misfit(predicted, dict.fromkeys(self.needs, tuple(y.shape)), self.needs)
        if wrong is None and "distribution" in predicted and is_of_counts(predicted["distribution"]):
            wrong = no_distribution(predicted["distribution"], y)
        return wrong

    def remarks(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> list[str]:
        """Units, or all of them together, that are far worse than a guess of their mean count; scores that are unknown.

        Far: less than -0.5 bits/spike, and that by more than a few spikes. It names when most of it happened.
        """
        return [*self._far(predicted, y, known), *self._unknown(predicted, y)]

    def _unknown(self, predicted: dict, y: Tensor) -> list[str]:
        """One line where scores are nan since the distribution that is read out has no cdf, and no table holds it."""
        if "distribution" not in predicted or self.noise(predicted, y).has_cdf:
            return []
        family = type(predicted["distribution"]).__name__
        return [
            f"rps and pit_passes are nan: {family} has no cdf, and a table of its probabilities would be too large or "
            f"none; read out one that has, as dlthink.distributions.poisson.Poisson and those beside it"
        ]

    def _far(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> list[str]:
        own = self._sums(mean_of(predicted), y)
        bits = _ratio(own["gain"], LOG_2 * own["spikes"])
        far = (own["spikes"] > 0) & ~(bits >= FAR) & ~(own["gain"] >= -FEW_NATS)  # so that nan is far, too
        whole = _ratio(own["gain"].sum(), LOG_2 * own["spikes"].sum())
        worst = bits.nan_to_num(-math.inf).where(far, 0.0).argsort()[: int(far.sum())].tolist()
        bad = [f"unit {self.units[unit]} ({bits[unit]:,.4g})" for unit in worst[:MOST_NAMES]]
        if len(worst) > MOST_NAMES:
            bad.append(f"{len(worst) - MOST_NAMES} more units")
        if own["spikes"].any() and not (whole >= FAR or own["gain"].sum() >= -FEW_NATS):
            bad.append(f"all units together ({whole:,.4g})")
        if not bad:
            return []
        unit = worst[0] if worst else int(own["gain"].argmin())
        when = self._when(mean_of(predicted)[:, unit : unit + 1], y[:, unit : unit + 1], known)
        return [
            f"far worse than a guess of the mean rate, in bits/spike: {', '.join(bad)}{when}; look at the covariates "
            f"there, or try a larger trainer.l2 or data.min_spikes, more dropout, a smaller network"
        ]

    def _when(self, mean: Tensor, y: Tensor, known: dict[str, Tensor]) -> str:
        """Where most of one unit's loss lies, if that is a small part of the bins; else nothing."""
        k = exact(y)
        rate, constant = self.positive(mean, k)[0], k.mean(0)
        loss = (rate - torch.xlogy(k, rate) - constant + torch.xlogy(k, constant))[:, 0]
        lost, order = loss.clamp(min=0).sort(descending=True)
        few = int((lost.cumsum(0) < 0.9 * lost.sum()).sum()) + 1
        if few > max(1, len(k) // 50):
            return ""
        first = int(order[:few].min())
        place = f"{float(known['time'][first]):.6g} s after the beginning" if "time" in known else f"row {first}"
        return f", most of it in {few} bin{'s' * (few > 1)} from {place} on"

    def suggestions(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> list[str]:
        """One line where counts scatter otherwise than was predicted, or have more zeros: which cost to try."""
        said = suggestion(self.noise(predicted, y), self.units, self.word)
        return [said] if said else []

    def figures(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> dict[str, Figure]:
        """rate: three units in time; calibration: counts against rates; bits_per_spike: every unit."""
        from dlthink.metrics.counts import figures as draw  # here, since matplotlib takes its time to load

        mean = mean_of(predicted)
        shown, bits = self._shown(predicted, y)
        units = [unit for _, unit in shown]
        k = exact(y[:, units])
        true = exact(known["rate"][:, units]) if "rate" in known else None
        time = exact(known["time"]) if "time" in known else None
        oracle = self.per_unit({"rate": known["rate"]}, y)["bits_per_spike"] if "rate" in known else None
        titles = [draw.titled(word, self.units[unit], bits[unit]) for word, unit in shown]
        every = max(1, y.numel() // MOST_SHOWN)  # more rows than these make no other picture
        some = exact(y[::every])
        return {
            "rate": draw.rate(self.positive(mean[:, units], k)[0], k, titles, self.bin, true, time),
            "calibration": draw.calibration(self.positive(mean[::every], some)[0], some, self.bin),
            "bits_per_spike": draw.bits_per_spike(bits, self.units, oracle),
        }

    def final_figures(self, predicted: dict, y: Tensor, known: dict[str, Tensor]) -> dict[str, Figure]:
        """pit, dispersion, counts: how counts scatter about what was predicted."""
        from dlthink.metrics.counts import noise_figures as draw
        from dlthink.metrics.counts.figures import titled

        shown, bits = self._shown(predicted, y)
        titles = {unit: titled(word, self.units[unit], bits[unit]) for word, unit in shown}
        return draw.three(self.noise(predicted, y), self.units, titles)

    def _shown(self, predicted: dict, y: Tensor) -> tuple[list[tuple[str, int]], Tensor]:
        """The units of which figures show each for itself, (word, unit), and the bits/spike of all."""
        from dlthink.metrics.counts import figures as draw

        bits = self.per_unit(predicted, y)["bits_per_spike"]
        bits = bits.where(~bits.isnan() | ~y.any(0).cpu(), -math.inf)  # of a unit that fires
        return draw.best_median_worst(bits), bits

    def _sums(self, mean: Tensor, y: Tensor) -> dict[str, Tensor]:
        """What is summed over the bins of each unit: [n_targets] in float64, a few units at a time.

        gain           log likelihood of the counts under `mean` less that under their own mean, nats
        log_prob       that log likelihood itself
        null_deviance  2 sum of k log(k / mean of k): what a rate lowers by 2 gain
        spikes, floored
        """
        few = max(1, CHUNK // max(1, len(y)))
        sums = [self._sums_of(m, k) for m, k in zip(mean.split(few, 1), y.split(few, 1), strict=True)]
        return {name: torch.cat([part[name] for part in sums]) for name in sums[0]}

    def _sums_of(self, mean: Tensor, y: Tensor) -> dict[str, Tensor]:
        k = exact(y)
        rate, floored = self.positive(mean, k)
        constant = k.mean(0)
        hit = torch.xlogy(k, rate)
        return {
            "gain": (hit - torch.xlogy(k, constant) - rate + constant).sum(0),
            "log_prob": (hit - rate - torch.lgamma(k + 1)).sum(0),
            "null_deviance": 2 * (torch.xlogy(k, k) - torch.xlogy(k, constant)).sum(0),
            "spikes": k.sum(0),
            "floored": floored.double().sum(0),
        }

    def positive(self, mean: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted means raised to the floor, and which of them lie at or below it."""
        mean = exact(mean)
        floor = self.floor * k.mean(0)
        return torch.maximum(mean, floor), mean <= floor


def mean_of(predicted: dict) -> Tensor:
    return predicted["rate"] if "rate" in predicted else predicted["mean"]


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole, math.nan)


def _log_prob(predicted: dict, y: Tensor) -> Tensor | None:
    """Of each count, where the cost says more than a mean."""
    if "distribution" in predicted and is_of_counts(predicted["distribution"]):
        found = log_prob(predicted["distribution"], y.to(mean_of(predicted).device))
        if found is not None:
            return found.detach().cpu().to(torch.promote_types(found.dtype, torch.float32))
    return None
