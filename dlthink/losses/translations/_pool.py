"""A pool of photos that a network has made, so that its discriminator does not forget what it made before."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Pool(nn.Module):
    """Photo by photo: until `size` are kept it is kept and given back; then, at even odds, an old one for it instead.

    The odds and the place come from torch's global generator on the CPU, so that nothing waits for the device. What is
    kept is part of the state, as a run that goes on must discriminator the same photos. size=0: nothing is kept.

    Source: Shrivastava et al. 2017, CVPR, section 2.3; Zhu et al. 2017, ICCV, section 4.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.kept: list[Tensor] = []

    def get_extra_state(self) -> list[Tensor]:
        return self.kept

    def set_extra_state(self, state: list[Tensor]) -> None:
        self.kept = list(state)

    @torch.no_grad()
    def exchange(self, made: Tensor) -> Tensor:
        """[n, c, s, s] -> the same shape: each photo, or one made before it."""
        given = []
        for photo in made.detach().unbind():
            if len(self.kept) < self.size:
                self.kept.append(photo.clone())
            elif self.size and torch.rand(()) < 0.5:
                place = int(torch.randint(self.size, ()))
                photo, self.kept[place] = self.kept[place].to(photo), photo.clone()
            given.append(photo)
        return torch.stack(given)
