"""A message-passing network over the bonds of molecules, read out atom by atom or molecule by molecule."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.models._pool import Pool, Pooling

Rows = Literal["atoms", "molecules"]


class MPNN(nn.Module):
    """h_a <- h_a + U(h_a, sum over bonds (b, a) of relu(h_b + e_ab)) + S(mean of h over the molecule), `depth` times.

    x: a graph of many molecules: atoms [A, features] small whole numbers, `atom_features` of each; source, target,
    bonds [E] with bonds < `bond_kinds`; molecule [A], size [molecules]. out: [R, n_out]. By `rows`:

    atoms      a row for each of asked [R] atoms
    molecules  a row for each molecule: what all its atoms say, put together by `pool` (see `Pool`), and where there are
               any, its descriptors [R, n_descriptors]

    U and S are two-layer perceptrons of normalized h (the sum is undirected: both arcs of a bond are there); S is the
    molecule-wide summary. The read-out sees an atom after the last round and as it came, and starts at a tenth of
    torch's usual scale without bias, so training starts close to out = 0.
    Raises BadInput for a width or depth below 1 or a dropout outside [0, 1).

    Source: Gilmer et al. 2017 (message passing); Hu et al. 2020, equation 4.1 (edge features); Xiong et al. 2020 (norm
    before the layer).
    """

    first: Tensor  # [features], where the vectors of each begin

    def __init__(
        self,
        atom_features: list[int],
        bond_kinds: int,
        n_out: int,
        rows: Rows = "atoms",
        n_descriptors: int = 0,
        width: int = 128,
        depth: int = 6,
        dropout: float = 0.0,
        summary: bool = True,
        pool: Pooling = "attention",
    ):
        super().__init__()
        if width < 1 or depth < 1 or not 0 <= dropout < 1:
            raise BadInput(f"model=mpnn {width=} {depth=} {dropout=}: sizes start at 1, 0 <= dropout < 1")
        self.atoms = nn.EmbeddingBag(sum(atom_features), width, mode="sum")
        nn.init.normal_(self.atoms.weight, std=1 / math.sqrt(len(atom_features)))
        self.register_buffer("first", torch.tensor([0, *atom_features[:-1]]).cumsum(0), persistent=False)
        self.rounds = nn.ModuleList(Round(bond_kinds, width, dropout, summary) for _ in range(depth))
        self.norm = nn.LayerNorm(2 * width)
        self.hidden = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(dropout))
        self.pool = Pool(width, pool, n_descriptors, dropout) if rows == "molecules" else None
        self.readout = nn.Linear(width, n_out)
        self.readout.weight.data.mul_(0.1)
        self.readout.bias.data.zero_()

    def forward(self, x: dict[str, Tensor]) -> Tensor:
        began = h = self.atoms(x["atoms"] + self.first)
        for each in self.rounds:
            h = each(h, x)
        if self.pool is None:
            h, began = h.index_select(0, x["asked"]), began.index_select(0, x["asked"])
        said = self.hidden(self.norm(torch.cat([h, began], 1)))
        return self.readout(said if self.pool is None else self.pool(said, x))


class Round(nn.Module):
    """One round of messages: [A, width] -> [A, width]."""

    def __init__(self, bond_kinds: int, width: int, dropout: float, summary: bool):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.bonds = nn.Embedding(bond_kinds, width)
        self.update = nn.Sequential(
            nn.Linear(2 * width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        last = [self.update[-1]]
        if summary:
            self.summary = nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width)
            )
            last.append(self.summary[-1])
        else:
            self.summary = None
        for layer in last:  # many small steps: the sum over the rounds stays of the order of one
            layer.weight.data.mul_(0.3)

    def forward(self, h: Tensor, x: dict[str, Tensor]) -> Tensor:
        z = self.norm(h)
        messages = torch.relu(z.index_select(0, x["source"]) + self.bonds(x["bonds"]))
        around = torch.zeros_like(z).index_add_(0, x["target"], messages.to(z.dtype))
        h = h + self.update(torch.cat([z, around], 1))
        if self.summary is not None:
            total = h.new_zeros(len(x["size"]), h.shape[1]).index_add_(0, x["molecule"], h)
            h = h + self.summary(total / x["size"][:, None]).index_select(0, x["molecule"])
        return h
