"""Branches on what tensors hold, taken only where asking is free."""

from torch import Tensor


def may_hold(condition: Tensor) -> bool:
    """Does it hold anywhere? True as well where that is not to be had without waiting (a GPU), or at all (vmap).

    What is skipped where it does not hold must therefore change nothing there.
    """
    if condition.device.type != "cpu":
        return True
    try:
        return bool(condition.any())
    except RuntimeError:  # under vmap nobody knows
        return True
