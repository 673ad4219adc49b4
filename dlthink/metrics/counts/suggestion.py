"""Which distribution do the counts ask for? One line, where they ask for another than was predicted."""

import math

from torch import Tensor, zeros_like

from dlthink.metrics.counts.noise import Noise
from dlthink.metrics.counts.scatter import Scatter

FAR = 0.1  # by how much the scatter must be off to be worth a word, or squared errors of the mean, over the variance
MOST_NAMES = 5
EQUAL = 1e-6  # variance and mean of a Poisson distribution
ONE = {"scatter": "scatters", "have": "has"}


def suggestion(noise: Noise, units: list[str], word: str) -> str | None:
    """`what; what to try`, or None: which units scatter more or less than was predicted, have more zeros, or a mean
    that is off for stretches of rows (`Scatter`), beyond chance and by a tenth of the variance (zeros: by 2 %).

    word: what a unit is called.
    """
    mean, variance = noise.mean, noise.variance
    if not bool(variance.isfinite().all()) or not len(noise.k):
        return None
    found = Scatter(noise)
    above, below = found.squares / found.most, found.squares / found.least
    more = found.more & (above > 1 + FAR)
    less = found.less & (below < 1 - FAR)
    off = found.mean_error > FAR
    poisson = bool(((variance - mean).abs() <= EQUAL * mean).all())
    distribution = "Poisson" if poisson else "predicted"
    zeros = found.more_zeros
    if poisson and 2 * (zeros & more).sum() < more.sum():
        zeros = zeros_like(zeros)  # a few of those that scatter more: that is what is said
    said, advice = [], []
    if more.any():
        said.append(
            f"{_listed(more, units, word, 'scatter')} more than {distribution} ({_range(above[more])} the variance)"
        )
    if zeros.any():
        than = "a negative binomial of that variance" if more.any() else distribution
        said.append(f"{_listed(zeros, units, word, 'have')} more zeros than {than}")
    if less.any():
        said.append(
            f"{_listed(less, units, word, 'scatter')} less than {distribution} ({_range(below[less])} the variance)"
        )
    if less.any():
        advice.append("loss=com_poisson or loss=generalized_poisson")
    elif zeros.any():
        advice.append("loss=zero_inflated_negative_binomial")
    elif more.any():
        advice.append("loss=negative_binomial" if poisson else "loss.dispersion=network, another distribution")
    if off.any():
        share = _range(found.mean_error[off])
        said.append(f"the mean of {_listed(off, units, word)} is off (squared, {share} the variance)")
    if off.any() or (more.any() and not poisson):
        advice.append("more covariates, another network")
    return f"{', '.join(said)}; try {' and '.join(advice)}" if said else None


def _listed(which: Tensor, units: list[str], word: str, verb: str | None = None) -> str:
    """Their names, and what they do, which is another word of one alone."""
    does = f" {ONE[verb] if int(which.sum()) == 1 else verb}" if verb else ""
    return _names(which, units, word) + does


def _names(which: Tensor, units: list[str], word: str) -> str:
    names = [units[place] for place in which.nonzero()[:, 0].tolist()]
    if len(names) == len(units) and len(names) > 2:
        return f"all {len(names)} {word}s"
    if len(names) == 1:
        return f"{word} {names[0]}"
    shown = names[:MOST_NAMES]
    if len(names) > MOST_NAMES:
        return f"{word}s {', '.join(shown)} and {len(names) - MOST_NAMES} more"
    return f"{word}s {', '.join(shown[:-1])} and {shown[-1]}"


def _range(ratio: Tensor) -> str:
    low, high = (round(float(end), 2) for end in (ratio.min(), ratio.max()))
    return f"{low:g} times" if math.isclose(low, high) else f"{low:g} to {high:g} times"
