"""The learning rate over a run, as a pure function of the step: nothing to save, nothing to resume."""

import math
from typing import Literal

Shape = Literal["constant", "cosine", "linear"]


def warmup_steps(warmup: float, total: int) -> int:
    """Of a run of `total` steps: so many, or below 1 that share of them."""
    return int(warmup) if warmup >= 1 else round(warmup * total)


def factor(shape: Shape, step: int, total: int, warmup: float = 0) -> float:
    """What the optimizer's own learning rate is multiplied by at `step` (0 .. total - 1).

    constant: 1.  cosine: (1 + cos(pi p)) / 2.  linear: 1 for half of the run, then down to 0 at its end (CycleGAN's
    rule).  p is the share of the run after `warmup` steps (below 1: that share of all), in which the factor rises
    linearly to 1.
    """
    warmup = warmup_steps(warmup, total)
    if step < warmup:
        return (step + 1) / warmup
    p = (step - warmup) / max(total - warmup, 1)
    if shape == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(p, 1.0)))
    if shape == "linear":
        return min(1.0, 2 * max(0.0, 1 - p))
    return 1.0
