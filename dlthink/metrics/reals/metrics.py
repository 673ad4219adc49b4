"""The examination of real-valued estimates with their uncertainty: the same questions for every cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.metrics.misfit import misfit, no_distribution
from dlthink.metrics.reals.forecast import Forecast, exact, miscalibration_area
from dlthink.metrics.reals.risk_coverage import ence, risk, spearman

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTERVALS = (50, 80, 90, 95)
TOPS = (10, 50, 80, 90)
FAR, FAR_NATS = 2.0, 2.0  # RMSE over that of a constant guess, NLL above it: from here on it is a remark's worth
FEWEST = 10  # rows, below which a constant guess is not known well enough


class Reals:
    """Numbers and figures for y: [n, n_targets] and its predicted distribution, in `unit`; all targets together.

    predicted  {"mean"}: [n, n_targets]; "distribution" where the cost is a likelihood; or "std" alone, then Normal
           is assumed; or neither: then all that asks for a spread is nan, and the CRPS is the MAE, what it is for
           a forecast without spread. "aleatoric" and "epistemic" where an ensemble tells them apart.
    known  {"mean", "std"}: [n, n_targets], where a simulation knows them;
           {"baselines": {NAME: read}}: other predictors, their numbers end in _NAME, undefined ones left out;
           {"groups": {NAME: bool [n]}}: numbers on these rows end in _NAME, their baselines' MAE in _NAME_BASELINE

    target: what y is called in figures, "measured" or "simulated".

    mae, median_ae, rmse   of y - mean
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

    Sums are in float64; quantiles are numpy's, since torch's end at 16.7 million rows. What the rows do not define is
    nan. Sources stand beside each formula, in `forecast` and `ranking`.
    """

    best = ("crps", "min")
    needs = ("mean",)

    def __init__(self, unit: str = "", target: str = "measured", bins: int = 15):
        self.unit, self.target = unit, target
        self.bins = bins

    def numbers(self, predicted: dict, y: Tensor, known: dict) -> dict[str, float]:
        own = Forecast(predicted, y)
        baselines = {name: Forecast(other, y) for name, other in known.get("baselines", {}).items()}
        numbers = self._of(own)
        for name in ("aleatoric", "epistemic"):
            if name in predicted:
                numbers[name] = _root_mean_square(exact(predicted[name]))
        if "std" in known:
            numbers["spread_spearman"] = spearman(own.std, exact(known["std"]).flatten())
        if "mean" in known:
            numbers["mean_rmse_to_truth"] = _root_mean_square(own.mean - exact(known["mean"]).flatten())
        for name, other in baselines.items():
            numbers |= {f"{k}_{name}": value for k, value in self._of(other).items() if not math.isnan(value)}
        for group, rows in known.get("groups", {}).items():
            on = rows.detach().cpu().repeat_interleave(y.shape[1])  # as y is flattened
            if on.any():
                numbers |= {f"{k}_{group}": value for k, value in self._of(own, on).items()}
                numbers |= {f"mae_{group}_{name}": float(b.error[on].abs().mean()) for name, b in baselines.items()}
        return numbers

    def misfit(self, predicted: dict, y: Tensor) -> str | None:
        """One line where a cost's reading has the wrong shape or is no number."""
        wrong = misfit(predicted, dict.fromkeys(("mean", "std", "aleatoric", "epistemic"), tuple(y.shape)), self.needs)
        return wrong or (no_distribution(predicted["distribution"], y) if "distribution" in predicted else None)

    def remarks(self, predicted: dict, y: Tensor, known: dict) -> list[str]:
        """A line for each target that is far worse than a constant guess: the mean and spread of its own rows.

        Far: an RMSE of more than twice that of the mean, or an NLL of more than 2 nats above that of a Normal with
        mean and spread of these rows, which is what an overconfident spread gives.
        """
        own = Forecast(predicted, y)
        error, log_prob, y = (column.view(y.shape) for column in (own.error, own.log_prob, own.y))
        lines = []
        for target in range(y.shape[1]) if len(y) >= FEWEST else ():
            constant = float(y[:, target].std(correction=0))
            rmse, nll = _root_mean_square(error[:, target]), -float(log_prob[:, target].mean())
            guess = 0.5 * math.log(2 * math.pi * math.e * constant**2) if constant else math.inf
            name = f"target {target}" if y.shape[1] > 1 else "the estimate"
            if rmse > FAR * constant > 0:
                lines.append(
                    f"{name} is far worse than a guess of the mean: RMSE {rmse:.4g}, by the mean {constant:.4g}; "
                    f"try a penalty (trainer.l2), dropout, a smaller network, fewer steps, and look for outliers in x"
                )
            elif nll > guess + FAR_NATS:
                lines.append(
                    f"{name} has a spread far worse than a constant one: NLL {nll:.4g}, a constant guess {guess:.4g}; "
                    f"try loss.calibrate=scale, loss=beta_nll or student_t, a penalty (trainer.l2), fewer steps"
                )
        return lines

    def figures(self, predicted: dict, y: Tensor, known: dict) -> dict[str, Figure]:
        """measured: predictions against measurements; calibration; risk_coverage; residuals in units of std."""
        from dlthink.metrics.reals import figures as draw  # here, since matplotlib takes its time to load

        own = Forecast(predicted, y)
        baselines = {name: Forecast(other, y) for name, other in known.get("baselines", {}).items()}
        return {
            "measured": draw.measured(own, self.unit, self.target),
            "calibration": draw.calibration(own, baselines),
            "risk_coverage": draw.risk_coverage(own, baselines, self.unit),
            "residuals": draw.residuals(own, self.target),
        }

    def _of(self, forecast: Forecast, on: Tensor | slice = slice(None)) -> dict[str, float]:
        """All numbers that a forecast has by itself, on some rows of it."""
        error, std = forecast.error[on], forecast.std[on]
        size, n = error.abs(), len(error)
        numbers = {
            "mae": float(size.mean()),
            "median_ae": float(np.quantile(size.numpy(), 0.5)) if n else math.nan,
            "rmse": _root_mean_square(error),
            "nll": -float(forecast.log_prob[on].mean()),
            "crps": float(forecast.crps[on].mean()),
            "miscalibration_area": miscalibration_area(forecast.depth[on]) if n else math.nan,
        }
        y = forecast.y[on]
        ends = {percent: [end[on] for end in forecast.interval(percent)] for percent in INTERVALS}
        numbers |= {f"coverage_{q}": _share_inside(y, low, high) for q, (low, high) in ends.items()}
        numbers |= {f"width_{q}": float((high - low).mean()) for q, (low, high) in ends.items()}
        risks = risk(error, std)
        return numbers | {
            "ence": ence(error, std, self.bins) if n else math.nan,
            "sharpness": _root_mean_square(std),
            "spearman": spearman(size, std),
            "aurc": float(risks.mean()),
            **{f"mae_top_{top}": float(risks[-(-top * n // 100) - 1]) if n else math.nan for top in TOPS},
        }


def _share_inside(y: Tensor, low: Tensor, high: Tensor) -> float:
    inside = (low <= y) & (y <= high)
    return float(torch.where((low + y + high).isnan(), math.nan, inside.double()).mean())


def _root_mean_square(x: Tensor) -> float:
    return float((x**2).mean().sqrt())
