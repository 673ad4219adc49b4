"""The multilayer perceptron: the window, or a row of a table, as one long vector through a few dense layers."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.models._row import Flat, with_offset

ACTIVATIONS = {"relu": nn.ReLU, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU, "tanh": nn.Tanh}


class MLP(nn.Module):
    """out = W h_depth + b,  h_i = activation(W_i h_(i-1) + b_i),  h_0 = the flattened window.

    x: [n, window, n_in], or rows of a table as `Flat` has them, with an offset; out: [n, n_out]. The read-out starts
    at a tenth of torch's usual scale and without bias, so training starts close to out = 0 (the mean rate, for a cost
    of counts).
    Raises BadInput for a width or depth below 1, a dropout outside [0, 1), an unknown activation.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        window: int = 1,
        category_sizes: Sequence[int] = (),
        n_targets: int = 1,
        width: int = 64,
        depth: int = 2,
        dropout: float = 0.0,
        activation: Literal["relu", "elu", "gelu", "silu", "tanh"] = "silu",
    ):
        super().__init__()
        if width < 1 or depth < 1 or not 0 <= dropout < 1:
            raise BadInput(f"model=mlp {width=} {depth=} {dropout=}: sizes start at 1, 0 <= dropout < 1")
        if activation not in ACTIVATIONS:
            raise BadInput(f"model=mlp {activation=}: choose one of {', '.join(ACTIVATIONS)}")
        self.n_targets, self.flat = n_targets, Flat(n_in, window, category_sizes)
        layers: list[nn.Module] = []
        for i in range(depth):
            layers += [nn.Linear(width if i else self.flat.width, width), ACTIVATIONS[activation]()]
            if dropout:  # absent rather than idle: a small network's time is the number of its kernels
                layers.append(nn.Dropout(dropout))
        self.hidden = nn.Sequential(*layers)
        self.readout = nn.Linear(width, n_out)
        self.readout.weight.data.mul_(0.1)
        self.readout.bias.data.zero_()

    def forward(self, x: Tensor | dict[str, Tensor]) -> Tensor:
        return with_offset(self.readout(self.hidden(self.flat(x))), x, self.n_targets)
