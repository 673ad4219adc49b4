"""The gated recurrent unit: reads the window bin by bin and answers from its last state."""

from torch import Tensor, nn

from dlthink.models._recurrent import Recurrent


class GRU(Recurrent):
    """out = W h_window + b,  h_t = GRU(x_t, h_(t-1)),  h_0 = 0.

    x: [n, window, n_in], oldest bin first; out: [n, n_out]. `Recurrent` says how dropout acts and where training
    starts, and what is refused.

    Source: Cho et al. 2014, equations 5 to 8, in cuDNN's variant, which resets after the matrix product.
    """

    layers = nn.GRU

    def forward(self, x: Tensor) -> Tensor:
        _, last = self.recurrent(x)
        return self.answer(last)
