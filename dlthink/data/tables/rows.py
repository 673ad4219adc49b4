"""Rows of a table as a split: x {"numbers", "categories"}, y, and what only the examination may see."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dlthink.data.tables.preparation import Features
from dlthink.nested_tensors import each


class Rows:
    """Samples are rows: x {"numbers": [n, p] float32, standardized; "categories": [n, q] int32 codes}, and
    {"offset": [n, 1]}, the log exposure of counts less that of the mean exposure, where there is one.

    y          [n, n_targets], or [n] identities
    truth      what is known of each row: tensors, in the order of y
    baselines  what other predictors say of these rows, asked once, when it is wanted first
    """

    def __init__(
        self,
        x: Features,
        y: Tensor,
        offset: Tensor | None = None,
        truth: dict[str, Any] | None = None,
        baselines: Callable[[], dict[str, dict[str, Tensor]]] = dict,
    ) -> None:
        self.x = {"numbers": x.numbers, "categories": x.categories}
        if offset is not None:
            self.x["offset"] = offset
        self.y = y
        self._truth, self._baselines, self._about = truth or {}, baselines, None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        return {name: of.index_select(0, index) for name, of in self.x.items()}, self.y.index_select(0, index)

    def known(self, index: Tensor) -> dict[str, Any]:
        if self._about is None:
            found = self._baselines()
            self._about = self._truth | ({"baselines": found} if found else {})
        index = index.cpu()
        return each(lambda of: of.index_select(0, index), self._about)

    def targets(self) -> Tensor:
        return self.y

    def to(self, device: torch.device | str) -> Rows:
        moved = copy.copy(self)  # what is known stays on the CPU
        moved.x = {name: of.to(device) for name, of in self.x.items()}
        moved.y = self.y.to(device)
        return moved
