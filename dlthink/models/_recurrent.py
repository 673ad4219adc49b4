"""What recurrent networks share: layers over the window, read out from the last state."""

from torch import Tensor, nn

from dlthink.errors import BadInput


class Recurrent(nn.Module):
    """out = W h_window + b, h the state of `layers` (nn.GRU, nn.LSTM) after the last bin of the window.

    Dropout acts between layers and on the last state. The read-out starts at a tenth of torch's usual scale and without
    bias, so training starts close to out = 0. Raises BadInput for a width or depth below 1 or a dropout outside [0, 1).
    """

    layers: type[nn.RNNBase]

    def __init__(self, n_in: int, window: int, n_out: int, width: int = 64, depth: int = 1, dropout: float = 0.0):
        super().__init__()
        if width < 1 or depth < 1 or not 0 <= dropout < 1:
            name = type(self).__name__.lower()
            raise BadInput(f"model={name} {width=} {depth=} {dropout=}: sizes start at 1, 0 <= dropout < 1")
        self.recurrent = self.layers(n_in, width, depth, batch_first=True, dropout=dropout if depth > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(width, n_out)
        self.readout.weight.data.mul_(0.1)
        self.readout.bias.data.zero_()

    def answer(self, states: Tensor) -> Tensor:
        """states: [depth, n, width], those of all layers after the last bin of the window."""
        return self.readout(self.dropout(states[-1]))
