"""What every distribution on the real line shares: torch's interface, good tails, `affine`, often `crps`.

affine(loc, scale) is the distribution of loc + scale X. crps(y) = E|X - y| - E|X - X'| / 2, in the units of y (Gneiting
& Raftery 2007, JASA 102), where it is cheap. Nothing is validated: a negative spread is to be seen, not caught here.
"""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution, constraints


def broadcast_shape(*shapes: torch.Size) -> torch.Size:
    """What these broadcast to. torch's own first imports what compiles graphs, which takes more than a second."""
    return torch.Size(np.broadcast_shapes(*shapes))


def exact(x: Tensor) -> Tensor:
    """In float64, where the device has it."""
    return x if x.device.type == "mps" else x.double()


class RealDistribution(Distribution):
    """What torch's base class wants of a distribution on the real line that it does not know."""

    arg_constraints = {}
    support = constraints.real

    def __init__(self, batch_shape: torch.Size):
        super().__init__(batch_shape, validate_args=False)

    def spread_over(self, p: Tensor) -> Tensor:
        """Probabilities p, broadcast against the batch."""
        return p.expand(broadcast_shape(p.shape, self.batch_shape))

    def sample(self, sample_shape: tuple[int, ...] = ()) -> Tensor:
        like = self.mean
        u = torch.rand(self._extended_shape(torch.Size(sample_shape)), dtype=like.dtype, device=like.device)
        return self.icdf(u)
