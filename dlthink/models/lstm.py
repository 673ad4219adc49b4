"""The long short-term memory: reads the window bin by bin and answers from its last state."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput


class LSTM(nn.Module):
    """out = W h_window + b,  (h_t, c_t) = LSTM(x_t, h_(t-1), c_(t-1)),  h_0 = c_0 = 0.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. Dropout acts between layers and on the last
    state. The read-out starts at a tenth of torch's usual scale and without bias, so training starts close to
    out = 0. Raises BadInput for a width or depth below 1 or a dropout outside [0, 1).

    Source: Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """

    def __init__(self, n_in: int, window: int, n_out: int, width: int = 64, depth: int = 1, dropout: float = 0.0):
        super().__init__()
        if width < 1 or depth < 1 or not 0 <= dropout < 1:
            raise BadInput(f"model=lstm {width=} {depth=} {dropout=}: sizes start at 1, 0 <= dropout < 1")
        self.recurrent = nn.LSTM(n_in, width, depth, batch_first=True, dropout=dropout if depth > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(width, n_out)
        self.readout.weight.data.mul_(0.1)
        self.readout.bias.data.zero_()

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):  # torch has no LSTM in half precision for every processor
            x = x.to(self.readout.weight.dtype) if x.device.type == "cpu" else x
            _, (last, _) = self.recurrent(x)  # [depth, n, width]: the state after the last bin of the window
        return self.readout(self.dropout(last[-1]))
