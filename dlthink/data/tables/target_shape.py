"""What the shape of a target asks of its cost: an end that many rows reach, a long tail of positive values."""

import numpy as np

ENOUGH = 100  # rows
MANY, TIMES = 0.01, 2.0  # of the rows, and the rows of any value within: more lie at an end that cuts values off
FINE = 20  # different values: fewer are grades, of which the last may well be the commonest
POSITIVE = "where its spread grows with it loss=lognormal, loss=gamma"  # costs of targets that are all above 0
SKEWED = 5.0  # times as far from the median is the 99th percentile as the 1st; exponential 6, exp(normal) 10


def notes(y: np.ndarray, names: list[str]) -> list[str]:
    """A line for each end and each tail of y [n, n_targets], nan where missing, with the cost to try."""
    ways = f"loss=quantile, or {POSITIVE}" if np.nanmin(y) > 0 else "loss=quantile"
    each = zip(names, y.T, strict=True)
    return [said for name, column in each for said in _notes(column[~np.isnan(column)], name, ways)]


def _notes(y: np.ndarray, name: str, ways: str) -> list[str]:
    values, counts = np.unique(y, return_counts=True)
    if len(y) < ENOUGH or len(values) < FINE:
        return []
    found, within = [], counts[1:-1].max()
    for place, word, beyond in ((-1, "largest", "above"), (0, "smallest", "below")):
        if counts[place] > max(MANY * len(y), TIMES * within):
            found.append(
                f"{counts[place] / len(y):.1%} of the rows have the {word} {name}, {values[place]:.6g}: were values "
                f"{beyond} it cut off? Then a mean learns the cut, a median does not: try loss=quantile, loss=mae"
            )
    low, middle, high = np.quantile(y, (0.01, 0.5, 0.99))
    if values[0] > 0 and high - middle > SKEWED * (middle - low):
        found.append(
            f"{name} is positive and has a long tail: its 99th percentile lies {(high - middle) / (middle - low):.0f} "
            f"times as far from the median as its 1st; try {ways}"
        )
    return found
