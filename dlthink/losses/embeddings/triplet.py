"""The triplet cost: nearer to one's own than to anybody else, by a margin."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from dlthink.errors import BadInput
from dlthink.losses.embeddings import _all_triplets as all_triplets
from dlthink.losses.embeddings._distances import apart, squared
from dlthink.losses.embeddings._embedding import POINT, Embedding
from dlthink.losses.embeddings._mining import drawn, hardest, nearest_farther, partners, relations

Mine = Literal["batch_all", "semi_hard", "batch_hard", "random"]


class Triplet(Embedding):
    """Mean over the triplets mined of [d(a,p) - d(a,n) + margin]_+; margin=null: log(1 + exp(d(a,p) - d(a,n))).

    Elicits a ranking: the same person nearer than others, by a margin.

    d: squared distance of unit vectors. `mining` says which triplets of the batch:

        semi_hard   for each pair (a, p) one negative, the nearest one farther than p. If none is farther, the
                    farthest there is: the easiest of those too near (FaceNet does not say; as TensorFlow Addons does)
        batch_hard  for each anchor the farthest positive and the nearest negative
        batch_all   every triplet; the mean is over those that cost more than 0, with a soft margin over all
        random      for each pair (a, p) one negative drawn by torch's global generator

    Without batch_all the mean is over all triplets mined, those that cost 0 too. A pair whose anchor has no negative
    makes no triplet. warm_up: batches of semi_hard in training before `mining` takes over. clamp=outside is a slip
    that has been printed: [mean(d(a,p) - d(a,n) + margin)]_+, where easy triplets cancel hard ones; with batch_all the
    mean is then over every triplet. Equal distances: the first photo of the batch is taken.

    Source: Schroff, Kalenichenko & Philbin 2015, CVPR (FaceNet), sections 3.1 and 3.2; Hermans, Beyer & Leibe 2017,
    arXiv:1703.07737 (batch all, batch hard, soft margin).
    """

    cure = "try loss.mining=semi_hard first, a lower optim.lr, or loss.warm_up"

    def __init__(
        self,
        dim: int = 128,
        false_accept_rate: float = 1e-3,
        mining: Mine = "semi_hard",
        margin: float | None = 0.2,
        warm_up: int = 0,
        clamp: Literal["inside", "outside"] = "inside",
    ):
        super().__init__(dim, false_accept_rate)
        if margin is not None and not 0 <= margin < 4:
            raise BadInput(f"loss.margin={margin}: squared distances end at 4, so from 0 to below 4; null: a soft one")
        if warm_up < 0:
            raise BadInput(f"loss.warm_up={warm_up}: must be 0 or more batches")
        self.mining, self.margin, self.warm_up, self.clamp = mining, margin, warm_up, clamp
        self.seen = 0  # batches in training; in the checkpoint, but not on the device, whose answer would be waited for

    def get_extra_state(self) -> Tensor:
        return torch.tensor(self.seen)

    def set_extra_state(self, state: Tensor) -> None:
        self.seen = int(state)

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        mining = "semi_hard" if self.seen < self.warm_up else self.mining
        self.seen += self.training
        return {"triplet": self.cost(out, y, mining)}

    def cost(self, out: Tensor, y: Tensor, mining: Mine) -> Tensor:
        """The cost with this mining."""
        if mining == "batch_all":
            return self._over_all(squared(self.unit(out)), *relations(y))
        more, valid = self.mined(out, y, mining)
        count = valid.sum()
        if self.clamp == "inside":
            return (self.price(more) * valid).sum() / count.clamp(min=1)
        return self.price((more * valid).sum() / count.clamp(min=1)) * (count > 0)

    def price(self, more: Tensor) -> Tensor:
        """What it costs when the positive is `more` = d(a,p) - d(a,n) farther than the negative."""
        return softplus(more) if self.margin is None else relu(more + self.margin)

    def mined(self, out: Tensor, y: Tensor, mining: Mine) -> tuple[Tensor, Tensor]:
        """d(a,p) - d(a,n) of the triplets mined, and which of them exist: two tensors of one shape."""
        e, (same, different) = self.unit(out), relations(y)
        opposed = different.any(1, keepdim=True)
        if mining == "batch_hard":
            p, n = hardest(squared(e.detach()), same, different)
            return apart(e, e.index_select(0, p)) - apart(e, e.index_select(0, n)), same.any(1) & opposed[:, 0]
        d, (partner, valid) = squared(e), partners(same)
        if mining == "random":
            n = drawn(different.to(e.dtype), partner.shape[1])
        else:
            n = nearest_farther(d.detach(), different, partner)
        return d.gather(1, partner) - d.gather(1, n), valid & opposed

    def _over_all(self, d: Tensor, same: Tensor, different: Tensor) -> Tensor:
        if self.clamp == "outside":
            weights, count = all_triplets.linear(same, different, dtype=d.dtype)
            return self.price((weights * d).sum() / count.clamp(min=1)) * (count > 0)
        if self.margin is None:
            weights, total, count = all_triplets.soft(d.detach(), same, different)
            return (total + (weights * (d - d.detach())).sum()) / count.clamp(min=1)
        weights, count = all_triplets.active(d.detach(), same, different, self.margin)
        return ((weights * d).sum() + self.margin * count) / count.clamp(min=1)

    @torch.no_grad()
    def watch(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        """As any embedding; and `active`, the share of triplets that cost more than 0, and `cost`.

        Of mining=random it looks at all triplets, so that it draws nothing. With a soft margin every triplet costs
        something: there, the share whose negative is nearer than the positive.
        """
        mining = "batch_all" if self.mining == "random" else self.mining
        if mining == "batch_all":
            d, (same, different) = squared(self.unit(out)), relations(y)
            _, count = all_triplets.active(d, same, different, self.margin or 0.0)
            share = count / all_triplets.linear(same, different)[1].clamp(min=1)
        else:
            more, valid = self.mined(out, y, mining)
            share = ((more + (self.margin or 0.0) > 0) & valid).sum() / valid.sum().clamp(min=1)
        return super().watch(out, y) | {"active": share, "cost": self.cost(out, y, mining)}

    def remark(self, values: dict[str, float]) -> str | None:
        """One line when the embedding has collapsed: mean cosine above 0.95 and the cost at the margin."""
        margin = math.log(2) if self.margin is None else self.margin  # what a triplet costs when all is one point
        if values["mean_cosine"] > POINT and abs(values["cost"] - margin) <= 0.1 * margin:
            return f"the cost sits at the margin, {margin:.2g}: {super().remark(values)}"
        return None
