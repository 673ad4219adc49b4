"""A network over photos to begin from: change forward."""

from itertools import pairwise

from torch import nn


class MyModel(nn.Module):
    """x: [n, channels, size, size] -> [n, n_out]."""

    def __init__(self, channels, n_out, width: int = 16):  # width: a setting, `model.width=32`
        super().__init__()
        sizes = (channels, width, 2 * width, 4 * width)
        layers = [
            nn.Sequential(nn.Conv2d(few, many, 3, stride=2, padding=1), nn.BatchNorm2d(many), nn.ReLU())
            for few, many in pairwise(sizes)
        ]
        self.hidden = nn.Sequential(*layers)
        self.readout = nn.Linear(4 * width, n_out)  # the last layer, which some costs look for by this name

    def forward(self, x):
        return self.readout(self.hidden(x).mean((2, 3)))
