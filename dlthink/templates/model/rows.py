"""A network over rows of numbers to begin from: change forward."""

import torch
from torch import nn


class MyModel(nn.Module):
    """x: {"numbers": [n, n_in], "categories": [n, q] codes}, or numbers alone -> [n, n_out]."""

    def __init__(self, n_in, n_out, category_sizes=(), width: int = 32):  # width: a setting, `model.width=64`
        super().__init__()
        self.codes = nn.ModuleList(nn.Embedding(size, 4) for size in category_sizes)  # four numbers a category
        self.hidden = nn.Sequential(nn.Linear(n_in + 4 * len(category_sizes), width), nn.SiLU())
        self.readout = nn.Linear(width, n_out)  # the last layer, which some costs look for by this name

    def forward(self, x):
        if isinstance(x, dict):
            known = [code(column) for code, column in zip(self.codes, x["categories"].T, strict=True)]
            x = torch.cat([x["numbers"], *known], 1)
        return self.readout(self.hidden(x))
