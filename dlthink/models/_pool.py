"""What all atoms of a molecule say, put together into one row."""

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["mean", "sum", "attention"]
TYPICAL = 16  # atoms: by which a sum is divided, so that it is of the order of one


class Pool(nn.Module):
    """row = V(sum over atoms a of w_a z_a, descriptors): [A, width] -> [molecules, width].

    mean       w_a = 1 / atoms: what does not grow with a molecule
    sum        w_a = 1 / 16: what does, as an energy
    attention  w_a = softmax over the molecule of a linear score of z_a: what few atoms decide

    V is a linear layer with ReLU. Source: Li et al. 2016, ICLR (gated graph networks), equation 7, for attention.
    """

    def __init__(self, width: int, kind: Pooling, n_descriptors: int, dropout: float):
        super().__init__()
        self.kind = kind
        self.score = nn.Linear(width, 1) if kind == "attention" else None
        self.after = nn.Sequential(nn.Linear(width + n_descriptors, width), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, z: Tensor, x: dict[str, Tensor]) -> Tensor:
        size, molecule = x["size"], x["molecule"]
        if self.kind == "attention":
            score = self.score(z).float()
            highest = score.new_full((len(size), 1), -torch.inf)
            highest = highest.scatter_reduce(0, molecule[:, None], score.detach(), "amax")
            weight = (score - highest.index_select(0, molecule)).exp()
            total = weight.new_zeros(len(size), 1).index_add_(0, molecule, weight)
            weight = (weight / total.index_select(0, molecule)).to(z.dtype)
        else:
            weight = torch.full_like(z[:, :1], 1 / TYPICAL)
            if self.kind == "mean":
                weight = (1 / size.to(z.dtype)).index_select(0, molecule)[:, None]
        pooled = z.new_zeros(len(size), z.shape[1]).index_add_(0, molecule, weight * z)
        if "descriptors" in x:
            pooled = torch.cat([pooled, x["descriptors"].to(pooled.dtype)], 1)
        return self.after(pooled)
