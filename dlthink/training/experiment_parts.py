"""Parts of an experiment: a problem, its examination, a cost, a network, and how they are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlthink.protocols import Data, Metrics, Split

if TYPE_CHECKING:
    import torch
    from torch import nn

    from dlthink.training.trainer import Trainer


@dataclass
class Parts:
    """What a run is made of. loss and model have the hooks of `protocols.Loss` and `protocols.Model`.

    fitted_by: settings of the cost and of the examination, by part, where these fit something on validation.
    """

    data: Data
    metrics: Metrics
    loss: nn.Module
    model: nn.Module
    optim: Callable[[list[nn.Parameter]], torch.optim.Optimizer]
    trainer: Trainer  # the settings of training
    fitted_by: dict[str, dict[str, Any]] = field(default_factory=dict)

    def split(self, name: str) -> Split:
        """The samples of "train", "val" or "test"."""
        return {"train": self.data.train, "val": self.data.val, "test": self.data.test}[name]
