"""The long short-term memory: reads the window bin by bin and answers from its last state."""

import torch
from torch import Tensor, nn

from dlthink.models._recurrent import Recurrent


class LSTM(Recurrent):
    """out = W h_window + b,  (h_t, c_t) = LSTM(x_t, h_(t-1), c_(t-1)),  h_0 = c_0 = 0.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. `Recurrent` says how dropout acts and where training
    starts, and what is refused.

    Source: Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """

    layers = nn.LSTM

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):  # torch has no LSTM in half precision for every processor
            x = x.to(self.readout.weight.dtype) if x.device.type == "cpu" else x
            _, (last, _) = self.recurrent(x)
        return self.answer(last)
