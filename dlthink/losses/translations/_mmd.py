"""How far what a network makes is from what is real, all in all: MMD, from the few photos of a step and the latest."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MADE = 32  # of the latest made: they stand for all that the network makes now, and it changes with each step
REAL = 256  # of the latest real


class MMD(nn.Module):
    """100 MMD^2 between made and real photos by their features, with the kernel of KID.

    MMD^2 = E k(f, f') + E k(r, r') - 2 E k(f, r), k(a, b) = (a.b / d + 1)^3; f, f' of made, r, r' of real photos.

    forward(made [n, d], real [n, d]) -> scalar: its gradient by `made`, in which a photo is set against those made
    before it and against the latest real ones, is that of MMD^2 when these stand for all. Its value is about MMD^2, a
    little more where real photos are so few that they come again among the latest; 0 while two of each are not there.
    What comes is remembered, as part of the state.

    Source: Gretton et al. 2012, JMLR 13; Li, Swersky & Zemel 2015, ICML (networks trained by it); Santos, Mroueh,
    Padhi & Dognin 2019, ICCV (through a frozen network, with moving averages in place of large batches).
    """

    def __init__(self) -> None:
        super().__init__()
        self.made = self.real = torch.zeros(0, 0)

    def get_extra_state(self) -> dict[str, Tensor]:
        return {"made": self.made, "real": self.real}

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        self.made, self.real = state["made"], state["real"]

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        before, self.real = self.made, _latest(self.real, real, REAL)
        self.made = _latest(before, made, MADE)
        if min(len(before), len(self.real)) < 2:
            return 0 * made.sum()
        before = before.to(made)
        apart = 2 * (_kernel(made, before).mean() - _kernel(made, self.real).mean())
        return 100 * (apart + _within(self.real) - _within(before))


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """(a.b / d + 1)^3: [n, m]."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def _within(x: Tensor) -> Tensor:
    """The kernel's mean over pairs of two."""
    k, n = _kernel(x, x), len(x)
    return (k.sum() - k.diagonal().sum()) / (n * (n - 1))


def _latest(kept: Tensor, new: Tensor, most: int) -> Tensor:
    """The last of both, on the device of `new`: a tensor of its own, which lies in memory as it will after a resume."""
    new = new.detach()
    return (torch.cat([kept.to(new), new]) if len(kept) else new)[-most:].clone()
