"""The first step towards a triplet: one's own near, and nothing else. It collapses."""

from torch import Tensor

from dlthink.losses.embeddings._distances import squared
from dlthink.losses.embeddings._embedding import Embedding
from dlthink.losses.embeddings._mining import relations


class PositivesOnly(Embedding):
    """Mean over pairs of one person of d(a,p), the squared distance of unit vectors.

    Elicits nearness alone: one point for everybody is as good.

    Its minimum, 0, is reached by a network that sees nothing and gives everybody the same embedding: collapse.
    Source: Kording & Ungar, Deep Learning Thinking 1, discussion 3.
    """

    cure = "nothing in this cost pushes people apart, so it must; try loss=no_margin, then loss=triplet"

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        same, _ = relations(y)
        return {"positive": (squared(self.unit(out)) * same).sum() / same.sum().clamp(min=1)}
