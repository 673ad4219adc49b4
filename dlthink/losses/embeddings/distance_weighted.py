"""One boundary for all pairs, learned; negatives drawn evenly over distances."""

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from dlthink.errors import BadInput
from dlthink.losses.embeddings._distances import root, squared
from dlthink.losses.embeddings._embedding import Embedding
from dlthink.losses.embeddings._mining import drawn, partners, relations

OPPOSITE = 1e-3  # of 1 - d / 4: nearer to the other pole the density's log has no bound


class DistanceWeighted(Embedding):
    """Mean over pairs that cost more than 0 of [margin + D - b]_+ (one person), [margin - D + b]_+ (two people).

    Elicits a ranking: the same person within a boundary, others beyond it.

    D = sqrt d, the distance of unit vectors; b, the boundary, is learned with the network. For each pair (a, p) one
    negative of a is drawn, with a probability that makes distances even, not points: proportional to
    1 / q(max(D, cutoff)), log q(D) = (dim - 2) log D + (dim - 3) / 2 log(1 - D^2 / 4), the density of D between random
    points on the sphere. Negatives beyond b + margin, which cost nothing, are drawn only where there is no other; the
    authors' code fixes that bound at 1.4, where it begins here. Terms: `positive` and `negative`, both divided by the
    number of pairs of either kind that cost more than 0.

    boundary: b at the start. Raises BadInput when margin or boundary is not above 0 or cutoff not in (0, 1.4).
    Source: Wu, Manmatha, Smola & Krähenbühl 2017, ICCV (sampling matters in deep embedding learning).
    """

    def __init__(
        self,
        dim: int = 128,
        false_accept_rate: float = 1e-3,
        margin: float = 0.2,
        boundary: float = 1.2,
        cutoff: float = 0.5,
    ):
        super().__init__(dim, false_accept_rate)
        if not (margin > 0 and 0 < boundary < 2):
            raise BadInput(f"loss.margin={margin}, loss.boundary={boundary}: above 0, the boundary below 2")
        if not 0 < cutoff < 1.4:
            raise BadInput(f"loss.cutoff={cutoff}: must be above 0 and below 1.4, where random points lie")
        self.margin, self.cutoff = margin, cutoff
        self.boundary = nn.Parameter(torch.tensor(float(boundary)))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        d, (same, different) = squared(self.unit(out)), relations(y)
        partner, valid = partners(same)
        negative = drawn(self.weights(d, different), partner.shape[1])
        valid = valid & different.any(1, keepdim=True)
        near = relu(self.margin + root(d.gather(1, partner)) - self.boundary) * valid
        false_accept_rate = relu(self.margin - root(d.gather(1, negative)) + self.boundary) * valid
        count = ((near > 0).sum() + (false_accept_rate > 0).sum()).clamp(min=1)
        return {"positive": near.sum() / count, "negative": false_accept_rate.sum() / count}

    @torch.no_grad()
    def weights(self, d: Tensor, different: Tensor) -> Tensor:
        """How likely each negative is drawn, up to a factor for each anchor: [n, n], largest 1; 0 for no negative."""
        costs = different & (d < (self.boundary + self.margin).square())
        able = torch.where(costs.any(1, keepdim=True), costs, different)
        at = d.clamp(min=self.cutoff**2)
        log_q = (self.outputs_per_target - 2) / 2 * at.log() + (self.outputs_per_target - 3) / 2 * (1 - at / 4).clamp(
            min=OPPOSITE
        ).log()
        log_w = (-log_q).masked_fill(~able, -torch.inf)
        most = log_w.amax(1, keepdim=True)
        return (log_w - most.masked_fill(most == -torch.inf, 0.0)).exp()
