"""Recalibration: what is done to a predicted distribution after training, fitted on validation."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.distributions import Distribution

Widened = Callable[[Distribution, Tensor], Distribution]  # (distribution, factor of each target) -> the wider one


class Recalibration(nn.Module):
    """None: the distribution as the network says it. Others say what `fit` learns, and what they make of it.

    All are of standardized targets z: [n, n_targets], nan where missing. `widened` is how the cost's family grows.

    What is fitted lies in buffers, and begins so that it changes little or nothing. A checkpoint in which another kind
    was fitted leaves them as they begin: whoever asks for that kind fits it on validation.
    """

    digits = False  # does it ask for probabilities so near 1 that the answers must be float64?

    def __init__(self):
        super().__init__()
        self.register_load_state_dict_pre_hook(_begin_anew)

    def fit(self, predicted: Distribution, z: Tensor, widened: Widened) -> None:
        """Fit on all answers and targets of validation."""

    def forward(self, predicted: Distribution, widened: Widened) -> tuple[Tensor, Distribution]:
        """The mean that is read out, [n, n_targets], and the distribution of z."""
        return predicted.mean, predicted


def _begin_anew(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """What a state holds of another kind of recalibration gives way to how this one begins."""
    own = {prefix + name: value for name, value in module.state_dict().items()}
    theirs = [name for name in state if name.startswith(prefix)]
    if {*theirs} != {*own}:
        for name in theirs:
            del state[name]
        state.update(own)
