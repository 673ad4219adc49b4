"""Several networks that answer side by side, so that their disagreement can be told from the noise."""

import hashlib
import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.protocols import Model


class Ensemble(nn.Module):
    """out[:, m] = the answer of member m: [rows, members, n_out].

    of       makes one network; every call begins at other weights. One that answers as an ensemble does, TabM say, has
             all its own members among these
    members  how many
    share    none: members share nothing, a deep ensemble (Lakshminarayanan et al. 2017). trunk: one network with
             `members` read-outs, each of which learns from half of the samples alone, the same half in every
             epoch (bootstrap heads, Osband et al. 2016; Jonas & Kuhn 2019)

    Which half a sample belongs to follows from its x: from x["tie"] [rows] where there is one (a number that
    depends on the molecule, say), else from a hash of its numbers. Raises BadInput.
    """

    halves: Tensor  # [members]

    def __init__(
        self,
        of: Callable[[], nn.Module],
        n_out: int,
        members: int = 4,
        share: Literal["none", "trunk"] = "none",
    ):
        super().__init__()
        if members < 2:
            raise BadInput(f"model=ensemble {members=}: an ensemble has two members or more")
        self.members, self.share, self.n_out = members, share, n_out
        if share == "none":
            self.networks = nn.ModuleList(of() for _ in range(members))
            return
        self.network = of()
        last = Model.readout.of(self.network)
        if not isinstance(last, nn.Linear):
            raise BadInput(
                f"model=ensemble share=trunk: {type(self.network).__name__} has no `readout`, an nn.Linear at its end "
                f"that could be had several times; use share=none"
            )
        self.network.readout = wide = nn.Linear(last.in_features, members * n_out)
        wide.weight.data.mul_(0.1)
        wide.bias.data.zero_()
        halves = [int.from_bytes(hashlib.sha256(f"member {m}".encode()).digest()[:7], "big") for m in range(members)]
        self.register_buffer("halves", torch.tensor(halves), persistent=False)

    def forward(self, x) -> Tensor:
        if self.share == "none":
            answers = (network(x) for network in self.networks)
            return torch.cat([out if out.ndim == 3 else out[:, None] for out in answers], 1)
        out = self.network(x).unflatten(1, (self.members, self.n_out))
        if not self.training:
            return out
        return torch.where(self._learns(x)[..., None], out, out.detach())

    def _learns(self, x) -> Tensor:
        """Does a member learn from a row? [rows, members]: the parity of the bits that tie and member share."""
        tie = x["tie"] if isinstance(x, dict) and "tie" in x else hashed(x)
        bits = tie[:, None] & self.halves
        for shift in (32, 16, 8, 4, 2, 1):
            bits = bits ^ (bits >> shift)
        return (bits & 1).bool()


def hashed(x: Tensor | dict[str, Tensor]) -> Tensor:
    """A whole number for each row of x that depends on its numbers alone: [rows] int64."""
    flat = torch.cat([part.flatten(1).double() for part in (x.values() if isinstance(x, dict) else [x])], 1)
    weights = torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=torch.float64).mul_(math.sqrt(2)).sin_()
    mixed = (flat * weights).sum(1).frexp().mantissa
    return (mixed * 2.0**52).long() * -7046029254386353131 >> 8
