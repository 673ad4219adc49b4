"""A network over the atoms of molecules to begin from: change forward."""

import torch
from torch import nn


class MyModel(nn.Module):
    """Atoms and their neighbours, one round: x {"atoms": [A, features] codes, "source", "target": [E], "asked": [R]} ->
    [R, n_out], a row for each atom that is asked about."""

    def __init__(self, atom_features, n_out, width: int = 64):  # width: a setting, `model.width=128`
        super().__init__()
        self.codes = nn.ModuleList(nn.Embedding(size, width) for size in atom_features)
        self.hidden = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU())
        self.readout = nn.Linear(width, n_out)  # the last layer, which some costs look for by this name

    def forward(self, x):
        h = sum(code(column) for code, column in zip(self.codes, x["atoms"].T, strict=True))
        around = torch.zeros_like(h).index_add(0, x["target"], h[x["source"]])  # the sum over bonds
        return self.readout(self.hidden(torch.cat([h, around], 1))[x["asked"]])
