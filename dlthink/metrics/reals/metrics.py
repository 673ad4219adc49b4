"""The examination of real-valued estimates with their uncertainty: the same questions for every cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.errors import BadInput
from dlthink.metrics.per_item import by_item
from dlthink.metrics.prediction_shapes import misfit, no_distribution
from dlthink.metrics.reals.forecast import Forecast, exact, known_of
from dlthink.metrics.reals.risk_coverage import spearman
from dlthink.metrics.reals.scores import each, root_mean_square, scores, unit_free

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAR, FAR_NATS = 1.5, 2.0  # RMSE over that of a constant guess, NLL above it: from here on it is a remark's worth
PENALTY = "a larger penalty (trainer.l2)"
LESS = f"{PENALTY}, more dropout, a smaller network"
MISSED = 5.0  # targets below 0, of which there is none
FEWEST = 10  # rows, below which a constant guess is not known well enough


class Reals:
    """Numbers and figures for y: [n, n_targets] and its predicted distribution.

    A nan in y is a value that nobody has measured: it counts nowhere.

    predicted  {"mean"}: [n, n_targets]; "distribution" where the cost is a likelihood; or "std" alone, then Normal
           is assumed; or neither: then all that asks for a spread is nan, and the CRPS is the MAE, what it is for
           a forecast without spread. "aleatoric" and "epistemic" where an ensemble tells them apart.
    known  {"mean", "std"}: [n, n_targets], where a simulation knows them;
           {"baselines": {NAME: read}}: other predictors, their numbers end in _NAME, undefined ones left out;
           {"groups": {NAME: bool [n]}}: numbers on these rows end in _NAME, their baselines' MAE in _NAME_BASELINE
           (the standardized CRPS where units differ)

    unit          of all targets, or a list with one of each; "" where nobody knows
    target        what y is called in figures, "measured" or "simulated"
    target_names  a name of each target. Of several, each then has its own numbers, that end in _NAME; these are `EACH`.
    target_std    standard deviations of the training targets, 1 for one that never changes; needed where units differ

    mae, median_ae, rmse   of y - mean
    r2                     mean over targets of 1 - SSE / SST
    nll                    - mean log density, nats
    crps                   mean continuous ranked probability score: the MAE of a distribution
    miscalibration_area    between observed and nominal share of central intervals
    coverage_Q, width_Q    share inside the central Q % interval, and its mean width
    ence                   relative gap between spread and RMSE in `bins` bins of like spread
    sharpness              root of the mean predicted variance
    spearman               rank correlation of |error| and std
    aurc, mae_top_Q        mean over k of the MAE of the k rows of smallest std; MAE of the Q % (rounded up) of
                           smallest std. With one spread for all, nothing can be ranked: both are the MAE.
    aleatoric, epistemic   root mean squares
    spread_spearman        rank correlation of std and true std
    mean_rmse_to_truth     RMSE of mean against the true mean: without the noise that nobody can predict

    Where units are a list of several, different or unknown, there is no mean over centimetres and centimetres per
    second: all targets together then have only numbers without a unit, worked out on targets divided by
    `target_std`: crps_standardized, which picks the best checkpoint, nll_standardized, r2, miscalibration_area,
    coverage_Q, ence, spearman. In the units are the numbers of each target alone.

    Sums are in float64; quantiles are numpy's, since torch's end at 16.7 million rows. What the rows do not define is
    nan. Sources stand beside each formula, in `forecast`, `scores` and `risk_coverage`.

    Raises BadInput for units that differ without `target_names` and `target_std`.
    """

    best = ("crps", "min")
    scores = {"crps": "min", "nll": "min", "mae": "min", "rmse": "min", "r2": "max"}
    directions = {
        **dict.fromkeys(("median_ae", "miscalibration_area", "ence", "aurc", "mean_rmse_to_truth"), "min"),
        **dict.fromkeys(("spearman", "spread_spearman"), "max"),
        **{"crps": "min", "nll": "min", "mae": "min", "rmse": "min"},  # of single targets, where units differ
    }
    glossary = {
        "crps": "continuous ranked probability score: how far the predicted distribution is from what came",
        "nll": "negative log of the predicted density at what came, nats",
        "crps_standardized": "CRPS over all targets, each in units of its standard deviation in training",
        "nll_standardized": "negative log density over all targets, each in units of its standard deviation",
        "median_ae": "median absolute error",
        "miscalibration_area": "between nominal and observed share of central intervals: 0 is calibrated",
        "coverage": "share of targets inside the central interval of so many %",
        "width": "mean width of that interval",
        "ence": "relative gap between predicted spread and error, where spreads are alike: 0 is calibrated",
        "sharpness": "root mean predicted variance",
        "spearman": "rank correlation of absolute error and predicted spread",
        "aurc": "area under the risk-coverage curve: MAE of the surest rows, averaged over how many these are",
        "mae_top": "MAE of so many % of the rows, the surest ones",
        "aleatoric": "of an ensemble: noise",
        "epistemic": "of an ensemble: its members' disagreement",
        "spread_spearman": "rank correlation of predicted and true spread",
        "mean_rmse_to_truth": "RMSE of the predicted mean against the true mean",
    }
    needs = ("mean",)

    def __init__(
        self,
        unit: str | list[str] = "",
        target: str = "measured",
        target_names: list[str] | None = None,
        target_std: list[float] | None = None,
        bins: int = 15,
    ):
        self.units = [unit] if isinstance(unit, str) else list(unit)
        self.target, self.bins = target, bins
        self.target_names = list(target_names or ())
        self.one_unit = len(self.units) == 1 or (len(set(self.units)) == 1 and self.units[0] != "")
        if not self.one_unit:
            if target_std is None or not len(self.units) == len(self.target_names) == len(target_std):
                raise BadInput("metrics: targets of different units need target_names and target_std, one for each")
            self.best = ("crps_standardized", "min")
            self.scores = {"crps_standardized": "min", "nll_standardized": "min", "r2": "max"}
        self.target_std = torch.tensor(target_std or (1.0,), dtype=torch.float64)

    @property
    def unit(self) -> str:
        """Of all targets together."""
        return self.units[0] if self.one_unit else "training std"

    def numbers(self, predicted: dict, y: Tensor, known: dict) -> dict[str, float]:
        own = known_of(predicted, y)
        baselines = {name: known_of(other, y) for name, other in known.get("baselines", {}).items()}
        numbers, main = self._of(own), "mae" if self.one_unit else "crps_standardized"
        for name in ("aleatoric", "epistemic"):
            if name in predicted:
                numbers |= self._root_mean_square(name, exact(predicted[name]))
        if "std" in known:
            both = (Forecast(predicted, y).std.view(y.shape), known["std"])
            own_std, true_std = (self._standardized(std).flatten() for std in both)
            numbers["spread_spearman"] = spearman(own_std, true_std)
        if "mean" in known:
            away = exact(predicted["mean"]) - exact(known["mean"])
            numbers |= self._root_mean_square("mean_rmse_to_truth", away)
        for name, other in baselines.items():
            numbers |= {f"{k}_{name}": value for k, value in self._of(other).items() if not math.isnan(value)}
        for group, rows in known.get("groups", {}).items():
            on = rows.detach().cpu().repeat_interleave(y.shape[1])[~exact(y).flatten().isnan()]  # as y is flattened
            if on.any():
                numbers |= {f"{k}_{group}": value for k, value in self._whole(own.only(on)).items()}
                others = {name: self._whole(other.only(on))[main] for name, other in baselines.items()}
                numbers |= {f"{main}_{group}_{name}": value for name, value in others.items()}
        return numbers

    def item_scores(self, predicted: dict, y: Tensor, known: dict) -> dict[str, np.ndarray]:
        """crps, nll and mae (where units differ, the standardized ones) of each item, known["item"]: [n]."""
        own = self._together(Forecast(predicted, y))
        of = {"crps": own.crps, "nll": -own.log_prob, "mae": own.error.abs()}
        named = of if self.one_unit else {f"{name}_standardized": of[name] for name in ("crps", "nll")}
        return by_item({name: values.view(y.shape) for name, values in named.items()}, y, known.get("item"))

    def misfit(self, predicted: dict, y: Tensor) -> str | None:
        """One line where a cost's reading has the wrong shape or is no number."""
        if len(self.target_names) not in (0, y.shape[1]):
            return f"there are {y.shape[1]} targets, but {len(self.target_names)} target_names"
        wrong = misfit(predicted, dict.fromkeys(("mean", "std", "aleatoric", "epistemic"), tuple(y.shape)), self.needs)
        return wrong or (no_distribution(predicted["distribution"], y) if "distribution" in predicted else None)

    def remarks(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        """A line for each target that is far worse than a constant guess: the mean and spread of its own rows.

        Far: an RMSE of more than one and a half times that of the mean, or an NLL of more than 2 nats above that of a
        Normal with mean and spread of these rows, which is what an overconfident spread gives.
        """
        every = known_of(predicted, y)
        lines, names = [], self.target_names or range(y.shape[1])
        for target in range(y.shape[1]):
            own = every.only(every.target == target)
            if len(own) < FEWEST:
                continue
            constant = float(own.y.std(correction=0))
            rmse, nll = root_mean_square(own.error), -float(own.log_prob.mean())
            guess = 0.5 * math.log(2 * math.pi * math.e * constant**2) if constant else math.inf
            name = f"target {names[target]}" if len(names) > 1 else "the estimate"
            if rmse > FAR * constant > 0:
                lines.append(
                    f"{name} is far worse than a guess of the mean: RMSE {rmse:.4g}, by the mean {constant:.4g}; "
                    f"try {LESS}, fewer steps, and look for outliers in x"
                )
            elif nll > guess + FAR_NATS:
                lines.append(
                    f"{name} has a spread far worse than a constant one: NLL {nll:.4g}, a constant guess {guess:.4g}; "
                    f"try loss.calibrate=scale, loss=beta_nll, loss=student_t, {PENALTY}, fewer steps"
                )
        return lines

    def suggestions(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        """A line for each target that is never below 0, of which the predicted distributions put some there.

        How many, the sum of their P(Y < 0): from 5 on chance leaves none of them out more often than once in 150.
        """
        every, names = known_of(predicted, y), self.target_names or range(y.shape[1])
        ways = "loss=lognormal, loss=gamma, loss=quantile" if float(every.y.min()) > 0 else "loss=quantile"
        lines = []
        for target in range(y.shape[1]):
            own = every.only(every.target == target)
            below = float(own.below_zero.sum())
            if below >= MISSED and float(own.y.min()) >= 0:
                what = f"target {names[target]}" if len(names) > 1 else "the target"
                lines.append(
                    f"{what} is never below 0, and as predicted {below:.0f} of {len(own)} would be; try {ways}"
                )
        return lines

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        """measured: predictions against measurements; calibration; risk_coverage; residuals in units of std."""
        from dlthink.metrics.reals import figures as draw  # here, since matplotlib takes its time to load

        own = known_of(predicted, y)
        baselines = {name: known_of(other, y) for name, other in known.get("baselines", {}).items()}
        together = self._together(own)
        others = {name: self._together(other) for name, other in baselines.items()}
        return {
            "measured": draw.measured(own, self.units, self.target, self.target_names),
            "calibration": draw.calibration(own, baselines, self.target_names),
            "risk_coverage": draw.risk_coverage(together, others, self.unit),
            "residuals": draw.residuals(together, self.target),
        }

    def drawings(self, predicted: dict, known: dict) -> Iterator[tuple[str, Figure]]:
        """`predictions`: means with their intervals. known: {"row": int [n]}, how each row is called."""
        from dlthink.metrics.intervals import predictions

        mean = predicted["mean"]
        own, n_targets = Forecast(predicted, mean), mean.shape[1]
        units = self.units * n_targets if len(self.units) == 1 else self.units
        names = self.target_names or ["predicted"] * n_targets
        called = [f"{name} ({unit})" if unit else name for name, unit in zip(names, units, strict=True)]
        yield from predictions(mean, own.interval if own.spreads else None, known, called)

    def _of(self, forecast: Forecast) -> dict[str, float]:
        """The numbers of all targets together, then of each; a name that the whole has already stays the whole's."""
        alone = each(forecast, self.target_names, self.bins) if len(self.target_names) > 1 else {}
        whole = self._whole(forecast)
        return whole | {name: value for name, value in alone.items() if name not in whole}

    def _whole(self, forecast: Forecast) -> dict[str, float]:
        return (scores if self.one_unit else unit_free)(self._together(forecast), self.bins)

    def _together(self, forecast: Forecast) -> Forecast:
        """The forecast in units in which its targets can be put together."""
        return forecast if self.one_unit else forecast.divided(self.target_std)

    def _standardized(self, values: Tensor) -> Tensor:
        """The same of [n, n_targets] in the units of y."""
        return exact(values) if self.one_unit else exact(values) / self.target_std

    def _root_mean_square(self, number: str, values: Tensor) -> dict[str, float]:
        """Of [n, n_targets] in the units of y: of all targets where these have one unit, else of each."""
        if self.one_unit:
            return {number: root_mean_square(values)}
        return {f"{number}_{name}": root_mean_square(values[:, k]) for k, name in enumerate(self.target_names)}
