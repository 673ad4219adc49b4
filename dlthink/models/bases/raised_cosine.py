"""Raised cosines along a window: narrow where it is newest, wider the longer ago."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput


class RaisedCosine(nn.Module):
    """b_i(t) = (1 + cos(pi (s(t) - c_i) / 2 d)) / 2 for |s(t) - c_i| < 2 d, else 0; t bins before the newest one.

    s(t) = log(t + offset); stretch=linear: s(t) = t, bumps of one width. `number` centres c_i from s(0) to
    s(window - 1), d apart. x: [n, window, n_in], oldest bin first; out: [n, number, n_in], the window's inner product
    with each bump. `functions` are the bumps, [number, window]. Raises BadInput for fewer than 2 bumps, more than bins,
    or an offset that is not above 0.

    Source: Pillow et al. 2008, Nature 454, supplementary methods ("b_j(t) = cos(a log(t + c) - phi_j) / 2 + 1/2").
    """

    def __init__(
        self, window: int, number: int = 8, offset: float = 1.0, stretch: Literal["log", "linear"] = "log"
    ) -> None:
        super().__init__()
        check(window, number, "raised_cosine")
        if not 0 < offset < math.inf:
            raise BadInput(f"model.basis.offset={offset}: must be a number above 0")
        time = torch.arange(window - 1, -1, -1, dtype=torch.float64)
        stretched = (time + offset).log() if stretch == "log" else time
        centres = torch.linspace(float(stretched[-1]), float(stretched[0]), number, dtype=torch.float64)
        phase = (stretched - centres[:, None]) * math.pi / 2 / float(centres[1] - centres[0])
        self.register_buffer("functions", (0.5 + 0.5 * phase.clamp(-math.pi, math.pi).cos()).float())

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("kw,nwi->nki", self.functions.to(x.dtype), x)


def check(window: int, number: int, name: str) -> None:
    """Raises BadInput where a window cannot have so many functions."""
    if not 2 <= number <= window:
        raise BadInput(
            f"model.basis={name} number={number}: from 2 up to the {window} bins of the window (data.history)"
        )
