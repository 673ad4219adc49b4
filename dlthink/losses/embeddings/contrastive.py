"""Pairs instead of triplets: one's own near, others beyond a margin."""

from torch import Tensor
from torch.nn.functional import relu

from dlthink.errors import BadInput
from dlthink.losses.embeddings._distances import root, squared
from dlthink.losses.embeddings._embedding import Embedding
from dlthink.losses.embeddings._mining import relations


class Contrastive(Embedding):
    """Mean over pairs of one person of d, plus mean over pairs of two people within the margin of (margin - sqrt d)^2.

    Elicits a ranking: the same person near, others beyond the margin.

    d: squared distance of unit vectors; the margin is one of the distance itself, which ends at 2. Hadsell et al. sum
    over all pairs; two means keep the many pairs of different people, most of them beyond the margin, from deciding
    the balance. At d = 0, where a push has no direction, its slope is 0.
    Raises BadInput when the margin is not in (0, 2]. Source: Hadsell, Chopra & LeCun 2006, CVPR.
    """

    def __init__(self, dim: int = 128, false_accept_rate: float = 1e-3, margin: float = 1.0):
        super().__init__(dim, false_accept_rate)
        if not 0 < margin <= 2:
            raise BadInput(f"loss.margin={margin}: distances end at 2, so above 0 and up to 2")
        self.margin = margin

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        d, (same, different) = squared(self.unit(out)), relations(y)
        short = relu(self.margin - root(d)) * different
        within = (short > 0).sum()
        return {
            "positive": (d * same).sum() / same.sum().clamp(min=1),
            "negative": short.square().sum() / within.clamp(min=1),
        }
