"""Exponential moving average of a network's weights (EMA), used for examination."""

from contextlib import contextmanager

import torch
from torch import nn


class EMA:
    """a <- a + (1 - d) (w - a) after each step, d = min(decay, step / (step + 9)); integers are copied.

    `decay` in (0, 1), e.g. 0.999. While steps are few, d is smaller: the first weights, which know nothing, are soon
    forgotten.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model, self.decay = model, decay
        now = {name: tensor.detach() for name, tensor in model.state_dict().items()}  # shares memory with model
        self.weights = {name: tensor.clone() for name, tensor in now.items()}
        self._smooth = [name for name, tensor in now.items() if tensor.is_floating_point()]
        self._now = now

    @torch.no_grad()
    def update(self, step: int) -> None:
        """After step number `step`, 1 the first."""
        torch._foreach_lerp_(
            [self.weights[name] for name in self._smooth],
            [self._now[name] for name in self._smooth],
            1 - min(self.decay, step / (step + 9)),
        )
        for name in self._now.keys() - set(self._smooth):
            self.weights[name].copy_(self._now[name])

    def restore(self, saved: dict) -> None:
        for name, tensor in self.weights.items():
            tensor.copy_(saved[name])

    @contextmanager
    def in_place(self):
        """The model with averaged weights, for as long as the block lasts."""
        trained = {name: tensor.clone() for name, tensor in self._now.items()}
        self.model.load_state_dict(self.weights)
        try:
            yield
        finally:
            self.model.load_state_dict(trained)
