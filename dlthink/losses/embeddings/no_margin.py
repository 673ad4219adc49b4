"""The second step towards a triplet: one's own near and others far, without an end."""

from torch import Tensor

from dlthink.losses.embeddings import _all_triplets as all_triplets
from dlthink.losses.embeddings._distances import squared
from dlthink.losses.embeddings._embedding import Embedding
from dlthink.losses.embeddings._mining import relations


class NoMargin(Embedding):
    """Mean over all triplets of d(a,p) - d(a,n), squared distances of unit vectors; in closed form.

    Elicits a ranking: the same person nearer than others, in the mean.

    Without a clamp a triplet long satisfied pulls as hard as one that is wrong, and only means count: half of the
    people at one pole of the sphere and half at the other are as good as anybody at a place of their own.
    Source: Kording & Ungar, Deep Learning Thinking 1, discussion 3.
    """

    push = 1.0  # weight of the negatives

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        d = squared(self.unit(out))
        weights, count = all_triplets.linear(*relations(y), push=self.push, dtype=d.dtype)
        return {"difference": (weights * d).sum() / count.clamp(min=1)}
