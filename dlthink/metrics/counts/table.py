"""The examination of counts in the rows of a table: that of any counts, beside what other predictors would say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dlthink.distributions.optional_formulas import ask
from dlthink.metrics.counts.metrics import Counts, mean_of
from dlthink.metrics.counts.noise import exact

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TableCounts(Counts):
    """`Counts` in the words of tables: an event is what is counted, and a row has no time.

    known  {"rate"}: [n, n_targets], the true mean, where it is known;
           {"baselines": {NAME: read}}: other predictors, their numbers end in _NAME

    bits_per_event, d2, log_score, oracle_share, floored, bits_per_event_own, rps, pit_passes, pearson_dispersion
                                                           as in `Counts`, of all rows
    mae, rmse                                              of counts against their predicted means
    """

    scores = {"log_score": "max", "bits_per_event": "max", "d2": "max"}
    directions = Counts.directions | {"mae": "min", "rmse": "min"}
    glossary = {
        **{name: words for name, words in Counts.glossary.items() if not name.startswith("bits_per_spike")},
        "bits_per_event": "log likelihood gained over the mean count, in bits per event",
        "bits_per_event_own": "the same of the distribution that the cost predicts; of poisson it is no other",
        "log_score": "mean log probability of a count as predicted, nats",
        "d2": "deviance explained: 0 as a constant mean, 1 perfect",
        "oracle_share": "bits_per_event over that of the true means",
        "floored": "share of predicted means below 1 % of the mean, which are raised to it",
        "pit_passes": "share of targets whose counts scatter as predicted, by a test of their PIT at 1 %",
        "pearson_dispersion": "squared residuals over the predicted variance: 1 is as predicted",
    }
    word = "target"

    def __init__(self, target_names: list[str], floor: float = 0.01):
        super().__init__(target_names, 1.0, floor)

    def numbers(self, predicted: dict, y: Tensor, known: dict) -> dict[str, float]:
        truth = {"rate": known["rate"]} if "rate" in known else {}
        numbers = self._of(predicted, y, truth)
        for name, other in known.get("baselines", {}).items():
            numbers |= {f"{k}_{name}": value for k, value in self._of(other, y, {}).items() if not math.isnan(value)}
        return numbers

    def _far(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        advice = (
            "try a larger penalty (trainer.l2), more dropout, a smaller network, fewer steps; look for outliers in x"
        )
        found = super()._far(predicted, y, {})
        return [f"{_in_words(line.partition('; ')[0])}; {advice}" for line in found]

    def final_figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        """pit, dispersion, counts: how counts scatter about what was predicted."""
        from dlthink.metrics.counts import noise_figures as draw

        return draw.three(self.noise(predicted, y), self.units, dict(enumerate(self.units[:3])), self.word)

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        """calibration: counts against predicted means, in groups of like predictions."""
        from dlthink.metrics.counts import figures as draw

        k = exact(y)
        return {"calibration": draw.calibration(self.positive(mean_of(predicted), k)[0], k, 1.0, "mean count")}

    def drawings(self, predicted: dict, known: dict) -> Iterator[tuple[str, Figure]]:
        """`predictions`: means with their intervals. known: {"row": int [n]}, how each row is called."""
        from dlthink.metrics.intervals import predictions

        mean, distribution = mean_of(predicted), predicted.get("distribution")

        def interval(percent: float) -> tuple[Tensor, Tensor]:
            ends = (0.5 - percent / 200, 0.5 + percent / 200)
            return tuple(distribution.icdf(torch.full_like(mean, end)) for end in ends)

        says = distribution is not None and ask(distribution, "icdf", torch.full_like(mean, 0.5)) is not None
        yield from predictions(mean, interval if says else None, known, self.units)

    def _of(self, predicted: dict, y: Tensor, truth: dict) -> dict[str, float]:
        error = exact(y) - exact(mean_of(predicted))
        numbers = {_in_words(name): value for name, value in super().numbers(predicted, y, truth).items()}
        numbers = {name: value for name, value in numbers.items() if not name.endswith(("_median", "_min"))}
        return numbers | {"mae": float(error.abs().mean()), "rmse": float(torch.sqrt((error**2).mean()))}


def _in_words(text: str) -> str:
    return text.replace("spike", "event").replace("unit ", "target ").replace("units", "targets")
