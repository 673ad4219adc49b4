"""Settings that are changed when a run is resumed: what they do to it, and which would do nothing."""

from typing import Any

import torch
from omegaconf import DictConfig
from torch import nn

from dlthink.config import build
from dlthink.errors import BadInput


def is_other(before: DictConfig, now: DictConfig) -> bool:
    """Does the run descend something else from here on, or in another way?"""
    parts = ("data", "loss", "model", "optim")
    return any(before[part] != now[part] for part in parts) or before.trainer.get("l2") != now.trainer.get("l2")


def check_kept(before: DictConfig, now: DictConfig, facts: dict[str, Any]) -> None:
    """Raises BadInput for a setting of cost or network that only says how a weight begins, or what is kept like one.

    The checkpoint would put back what it was, and nobody would be told.
    """
    changed = {
        part: [f"{part}.{key}" for key in now[part] if now[part][key] != before[part].get(key)]
        for part in ("loss", "model")
    }
    if not any(changed.values()):
        return
    old, new = build.networks(before, facts), build.networks(now, facts)
    for part, was, becomes in zip(("loss", "model"), old, new, strict=True):
        if changed[part] and (name := _differs(was, becomes)):
            raise BadInput(
                f"{', '.join(changed[part])}: decides about {name}, which the checkpoint holds as it was; "
                f"leave it, or train anew"
            )


def _differs(was: nn.Module, becomes: nn.Module) -> str | None:
    """The first weight or buffer that begins as another number, where the two modules hold the same ones."""
    before, after = was.state_dict(), becomes.state_dict()
    for name, value in before.items():
        other = after.get(name)
        both = isinstance(value, torch.Tensor) and isinstance(other, torch.Tensor) and value.shape == other.shape
        if both and not torch.equal(value, other):
            return name
    return None
