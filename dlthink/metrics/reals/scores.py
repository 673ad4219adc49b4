"""The numbers that a forecast has by itself: all targets together, or what is left of these without a unit; R2."""

import math

import numpy as np
import torch
from torch import Tensor

from dlthink.metrics.reals.forecast import Forecast, miscalibration_area
from dlthink.metrics.reals.risk_coverage import ence, risk, spearman

INTERVALS = (50, 80, 90, 95)
TOPS = (10, 50, 80, 90)
EACH = ("mae", "rmse", "r2", "nll", "crps", "coverage_90", "width_90")  # of each of several targets
UNIT_FREE = ("r2", "miscalibration_area", *(f"coverage_{q}" for q in INTERVALS), "ence", "spearman")


def scores(forecast: Forecast, bins: int) -> dict[str, float]:
    """Every number, all rows and targets together: `Reals` says what they are."""
    error, std, n = forecast.error, forecast.std, len(forecast)
    size = error.abs()
    numbers = {
        "mae": float(size.mean()),
        "median_ae": float(np.quantile(size.numpy(), 0.5)) if n else math.nan,
        "rmse": root_mean_square(error),
        "r2": r2(forecast),
        "nll": -float(forecast.log_prob.mean()),
        "crps": float(forecast.crps.mean()),
        "miscalibration_area": miscalibration_area(forecast.depth) if n else math.nan,
    }
    ends = {percent: forecast.interval(percent) for percent in INTERVALS}
    numbers |= {f"coverage_{q}": _share_inside(forecast.y, low, high) for q, (low, high) in ends.items()}
    numbers |= {f"width_{q}": float((high - low).mean()) for q, (low, high) in ends.items()}
    risks = risk(error, std)
    return numbers | {
        "ence": ence(error, std, bins) if n else math.nan,
        "sharpness": root_mean_square(std),
        "spearman": spearman(size, std),
        "aurc": float(risks.mean()),
        **{f"mae_top_{top}": float(risks[-(-top * n // 100) - 1]) if n else math.nan for top in TOPS},
    }


def unit_free(forecast: Forecast, bins: int) -> dict[str, float]:
    """What can be said of all targets together where their units differ, from a forecast in standard deviations."""
    every = scores(forecast, bins)
    return {
        "crps_standardized": every["crps"],
        "nll_standardized": every["nll"],
        **{name: every[name] for name in UNIT_FREE},
    }


def each(forecast: Forecast, names: list[str], bins: int) -> dict[str, float]:
    """`EACH` of every target, called after it."""
    parts = {name: scores(forecast.only(forecast.target == place), bins) for place, name in enumerate(names)}
    return {f"{number}_{name}": every[number] for name, every in parts.items() for number in EACH}


def r2(forecast: Forecast) -> float:
    """Mean over targets of 1 - sum (y - mean)^2 / sum (y - the target's own mean of these rows)^2.

    nan where a target does not vary.
    Source: Glaser et al. 2020, eNeuro 7, "Scoring"; scikit-learn's `r2_score`, multioutput="uniform_average".
    """
    found = []
    for target in forecast.target.unique():
        y, error = forecast.y[forecast.target == target], forecast.error[forecast.target == target]
        varies = bool((y != y[0]).any())
        found.append(1 - float((error**2).sum() / ((y - y.mean()) ** 2).sum()) if varies else math.nan)
    return math.fsum(found) / len(found) if found else math.nan


def root_mean_square(x: Tensor) -> float:
    return float((x**2).mean().sqrt())


def _share_inside(y: Tensor, low: Tensor, high: Tensor) -> float:
    inside = (low <= y) & (y <= high)
    return float(torch.where((low + y + high).isnan(), math.nan, inside.double()).mean())
