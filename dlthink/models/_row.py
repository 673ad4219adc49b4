"""What networks read alike: a window of numbers, or a row of a table, whose categories become learned vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

EMBEDDED = 8  # numbers that a category becomes


class Flat(nn.Module):
    """x as one vector for each row: [n, width].

    x  [n, window, n_in]; or {"numbers": [n, n_in], "categories": [n, q] codes}: each category is a vector of 8 learned
       numbers. Code 0, what training does not know, begins as zeros.
    """

    def __init__(self, n_in: int, window: int = 1, category_sizes: Sequence[int] = ()) -> None:
        super().__init__()
        self.width = window * n_in + EMBEDDED * len(category_sizes)
        self.categories = Categories(category_sizes, EMBEDDED) if category_sizes else None

    def forward(self, x: Tensor | dict[str, Tensor]) -> Tensor:
        if not isinstance(x, dict):
            return x.flatten(1)
        if self.categories is None:
            return x["numbers"]
        return torch.cat([x["numbers"], self.categories(x["categories"]).flatten(1)], 1)


class Categories(nn.Module):
    """Codes [n, q] -> learned vectors [n, q, width], N(0, 1/4) at first, of code 0 zeros. sizes: codes of each."""

    first: Tensor  # [q], where the vectors of each begin

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        first = torch.tensor([0, *sizes]).cumsum(0)
        self.register_buffer("first", first[:-1], persistent=False)
        self.vectors = nn.Embedding(int(first[-1]), width)
        nn.init.normal_(self.vectors.weight, std=0.5)
        self.vectors.weight.data[self.first] = 0.0

    def forward(self, codes: Tensor) -> Tensor:
        return self.vectors(codes + self.first)


def with_offset(out: Tensor, x: Tensor | dict[str, Tensor], n_targets: int) -> Tensor:
    """out [n, (members,) n_out] with x["offset"] [n, 1] added to the first number of each target, where there is one.

    For a count that number is the log of its rate, and the offset the log of how long or how much was counted: the
    offset of a generalized linear model (McCullagh & Nelder 1989, section 6.3.1).
    """
    if not isinstance(x, dict) or "offset" not in x:
        return out
    first, *others = out.unflatten(-1, (n_targets, -1)).split([1, out.shape[-1] // n_targets - 1], -1)
    offset = x["offset"].view(-1, *[1] * (first.ndim - 1))
    return torch.cat([first + offset, *others], -1).flatten(-2)
