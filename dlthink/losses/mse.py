"""The squared error: what one writes down before asking how the targets scatter."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput


class MSE(nn.Module):
    """MSE = mean over samples and targets of (out - (y - mean) / std)^2.

    out and y: [n, n_targets]; y in its own units (counts per bin, ppm, ...). Targets are standardized inside,
    by the `mean` and `std` of each over the training samples (`prepare` fills them), so that each weighs the
    same and out = 0 predicts the mean. The term has no unit: 1 is no better than predicting the mean.

    It is the likelihood of a Gaussian whose spread is one number per target (Bishop 2006, equation 1.62). For
    counts it is an identity link: nothing keeps a predicted mean above zero.
    """

    targets = {"counts", "reals"}
    width = 1

    def __init__(self, n_targets: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_targets))
        self.register_buffer("std", torch.ones(n_targets))

    @torch.no_grad()
    def prepare(self, y: Tensor) -> None:
        """Learn mean and std of each target from y: [n, n_targets]. A target that never changes gets std = 1.

        Raises BadInput when there is no sample, or a target is not finite.
        """
        if len(y) == 0:
            raise BadInput("loss=mse: the training split has no sample: give it more data")
        if not bool(y.isfinite().all()):
            raise BadInput("loss=mse: a training target is infinite or not a number: remove it from the data")
        std, mean = torch.std_mean(y, 0, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where((y == y[0]).all(0), 1.0, std))

    def forward(self, out: Tensor, y: Tensor) -> dict[str, Tensor]:
        return {"mse": (out - (y - self.mean) / self.std).square().mean()}

    def read(self, out: Tensor) -> dict[str, Tensor]:
        """mean: [n, n_targets], in the units of y."""
        return {"mean": self.mean + self.std * out}
