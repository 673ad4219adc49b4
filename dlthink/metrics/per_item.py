"""Scores of single items: what is known of each row, put together by the item (a molecule, a stretch of time) of it."""

import numpy as np
import torch
from torch import Tensor


def by_item(scores: dict[str, Tensor], y: Tensor, item: Tensor | None) -> dict[str, np.ndarray]:
    """What `Metrics.item_scores` gives, of scores and y: [n] or [n, n_targets], and the item of each row, [n] integers.

    item     [items] their numbers; without `item`, each row is one
    weight   [items] values of y that are known, not nan
    target   [items] their sum
    NAME     [items] mean score of these values, so that the mean over items, weighted, is that over all values

    All float64 but `item`; items of which nothing is known are left out.
    """
    values = _table(y)
    known = ~np.isnan(values)
    numbers = np.arange(len(values)) if item is None else item.detach().cpu().numpy()
    numbers, row = np.unique(numbers, return_inverse=True)

    def sums(of: np.ndarray) -> np.ndarray:
        return np.bincount(row, np.where(known, of, 0.0).sum(1, dtype=np.float64), minlength=len(numbers))

    made = {"weight": sums(known), "target": sums(values)} | {name: sums(_table(of)) for name, of in scores.items()}
    some = made["weight"] > 0
    made = {name: of[some] for name, of in ({"item": numbers} | made).items()}
    return made | {name: made[name] / made["weight"] for name in scores}


def _table(values: Tensor) -> np.ndarray:
    """[n, n_targets]; summed in float64, but not held in it: values may be millions."""
    values = values.detach().cpu()
    return values.to(torch.promote_types(values.dtype, torch.float32)).view(len(values), -1).numpy()
