"""A cost of embeddings to begin from: change forward, and have it checked, `dlthink check loss=my_cost`."""

import torch
from torch import nn
from torch.nn.functional import normalize, relu


class MyCost(nn.Module):
    """Elicits a ranking: the same person nearer than others, by a margin, for every triplet of the batch."""

    targets = {"identities"}  # what it fits
    outputs_per_target = 64  # numbers that it wants from the network: the length of the embedding

    def __init__(self, margin: float = 0.2):  # a setting, `loss.margin=0.5`
        super().__init__()
        self.margin = margin

    def forward(self, out, y):  # out: [n, 64]; y: [n], who is on each photo
        e = normalize(out, dim=1)  # dim=1: the numbers of one photo, which is put on the unit sphere
        d = 2 - 2 * e @ e.T  # squared distance of every two photos, [n, n]
        same = y[:, None] == y[None]
        own = same & ~torch.eye(len(y), dtype=torch.bool, device=y.device)
        triplets = own[:, :, None] & ~same[:, None, :]  # anchor, positive, negative
        cost = relu(d[:, :, None] - d[:, None, :] + self.margin) * triplets  # clamp each, then take the mean
        return {"triplet": cost.sum() / triplets.sum().clamp(min=1)}  # terms by name, each one number

    def predict(self, out):  # unit vectors; a threshold may be left out
        return {"embedding": normalize(out, dim=1)}
