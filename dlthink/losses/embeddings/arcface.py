"""A class for each person trained on, with a margin in the angle: the baseline of today's field."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from dlthink.errors import BadInput
from dlthink.losses.embeddings._embedding import SHORT, Embedding

LEAST = 1e-7  # of sin^2: the slope of the sine has no bound at an angle of 0


class ArcFace(Embedding):
    """Mean over photos of -log softmax_y(scale * c), c_j = cos angle(e, w_j), for the own class cos(angle + margin).

    Elicits a ranking: everybody nearest to the class of one's own.

    w: [n_identities, dim] learns with the network. Beyond angle = pi - margin, where cos(angle + margin) would rise
    again, the own class gets cos(angle) - margin sin(margin) instead. Photos of people who have no class (y from
    n_identities on: those of validation) are left out. scale: 30 for thousands of people or fewer; the paper has 64
    for many more. margin: in radians. Raises BadInput when n_identities < 2, scale <= 0 or margin not in [0, pi / 2).

    Source: Deng, Guo, Xue & Zafeiriou 2019, CVPR, with its authors' code for the case beyond pi - margin.
    """

    def __init__(
        self,
        n_identities: int,
        dim: int = 128,
        false_accept_rate: float = 1e-3,
        scale: float = 30.0,
        margin: float = 0.5,
    ):
        super().__init__(dim, false_accept_rate)
        if n_identities < 2:
            raise BadInput(f"loss=arcface: the training split has {n_identities} person: it needs 2 or more")
        if not (scale > 0 and 0 <= margin < math.pi / 2):
            raise BadInput(f"loss.scale={scale}, loss.margin={margin}: above 0; from 0 to below {math.pi / 2:.4f}")
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(torch.randn(n_identities, dim) / math.sqrt(dim))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        e = self.unit(out)
        cosine = e @ normalize(self.weight.to(e.dtype), dim=1, eps=SHORT).T
        known = (y >= 0) & (y < len(self.weight))
        own = torch.where(known, y, 0)[:, None]
        cosine = cosine.scatter(1, own, self.harder(cosine.gather(1, own)))
        nll = cross_entropy(self.scale * cosine, torch.where(known, y, -1), ignore_index=-1, reduction="sum")
        return {"nll": nll / known.sum().clamp(min=1)}

    def harder(self, cosine: Tensor) -> Tensor:
        """cos(angle + margin) of cos(angle), falling all the way from 0 to pi."""
        sine = (1 - cosine.square()).clamp(min=LEAST).sqrt()
        moved = cosine * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = cosine - self.margin * math.sin(self.margin)
        return torch.where(cosine > -math.cos(self.margin), moved, beyond)
