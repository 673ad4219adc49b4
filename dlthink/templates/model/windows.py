"""A network over a window of time to begin from: change forward."""

from torch import nn


class MyModel(nn.Module):
    """x: [n, window, n_in] -> [n, n_out]."""

    def __init__(self, n_in, window, n_out, width: int = 32):  # width: a setting, `model.width=64`
        super().__init__()
        self.hidden = nn.Sequential(nn.Flatten(), nn.Linear(window * n_in, width), nn.SiLU())
        self.readout = nn.Linear(width, n_out)  # the last layer, which some costs look for by this name

    def forward(self, x):
        return self.readout(self.hidden(x))
