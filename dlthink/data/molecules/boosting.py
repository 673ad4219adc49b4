"""Gradient boosting on fingerprints: scikit-learn's trees, kept as plain numbers in a run's state, without a pickle."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dlthink.data.molecules.features.fingerprints import bits

FOLDS = 5  # of the cross-validation whose residuals are the spread
LEAST = 20  # molecules in a leaf


class Boosting:
    """mean = HistGradientBoostingRegressor of scikit-learn on bits of Morgan fingerprints; std = root mean square of
    its residuals in five-fold cross-validation, the same for all molecules. One for each target.

    targets: of each {"start", "std": numbers; "nodes": [k, 5] float64, its trees one after the other: value, feature
    (-1 of a leaf), threshold, left and right counted in all nodes; "roots" [trees]}. What lies above a threshold goes
    right. A node's children come after it; ValueError where they do not: nobody would ever arrive at a leaf.
    Source: Ke et al. 2017, NeurIPS 30 (histograms, leaf by leaf).
    """

    def __init__(self, targets: list[dict]) -> None:
        for nodes in (target["nodes"] for target in targets):
            children = nodes[:, 3:].amin(1)
            if not bool(((nodes[:, 1] < 0) | (children > torch.arange(len(nodes)))).all()):
                raise ValueError("boosting: a tree goes round in a circle")
        self.targets = targets

    @classmethod
    def fit(cls, prints: Tensor, y: Tensor, ties: Tensor) -> Boosting:
        """From the molecules of training, y [n, n_targets] with nan; equal ties [n] stay together in cross-validation.

        Raises ImportError without scikit-learn.
        """
        targets = []
        for column in y.unbind(1):
            known = ~column.isnan()
            x, values = bits(prints[known]).numpy(), column[known].double().numpy()
            targets.append(_learned(x, values, ties[known].numpy() % FOLDS))
        return cls(targets)

    def predict(self, prints: Tensor) -> dict[str, Tensor]:
        """mean and std [n, n_targets]."""
        x = bits(prints)
        mean = torch.stack([_predicted(x, target) for target in self.targets], 1).float()
        return {"mean": mean, "std": torch.tensor([target["std"] for target in self.targets]).expand_as(mean)}

    def state(self) -> list[dict]:
        return self.targets


def _learned(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> dict:
    spread, trees, start = float(y.std()) or 1.0, [], float(y.mean())
    counts = x.sum(0)
    useful = np.flatnonzero((counts >= LEAST) & (counts <= len(y) - LEAST))  # no other bit can be split by
    if len(useful) and len(np.unique(fold)) == FOLDS and (y != y[0]).any():
        residual = np.empty(len(y))
        for k in range(FOLDS):
            held = fold == k
            residual[held] = y[held] - _fitted(x[~held][:, useful], y[~held]).predict(x[held][:, useful])
        model = _fitted(x[:, useful], y)
        spread = float(np.sqrt(np.mean(residual**2))) or spread
        trees, start = [tree.nodes for (tree,) in model._predictors], float(model._baseline_prediction.item())
    sizes = np.array([len(tree) for tree in trees], dtype=np.int64)
    roots = np.cumsum(sizes) - sizes
    nodes = [_flat(tree, root, useful) for tree, root in zip(trees, roots, strict=True)]
    return {
        "start": start,
        "std": spread,
        "nodes": torch.from_numpy(np.concatenate([np.zeros((0, 5)), *nodes])),
        "roots": torch.from_numpy(roots),
    }


def _fitted(x: np.ndarray, y: np.ndarray):
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    with threadpool_limits(torch.get_num_threads()):
        return HistGradientBoostingRegressor(max_bins=2, min_samples_leaf=LEAST, random_state=0).fit(x, y)


def _flat(tree: np.ndarray, root: int, useful: np.ndarray) -> np.ndarray:
    leaf = tree["is_leaf"].astype(bool)
    feature = np.where(leaf, -1, useful[tree["feature_idx"] * ~leaf])
    children = [np.where(leaf, 0, tree[side] + root) for side in ("left", "right")]
    return np.stack([tree["value"], feature, tree["num_threshold"], *children], 1).astype(np.float64)


def _predicted(x: Tensor, target: dict) -> Tensor:
    """start + the value of the leaf in which each row of x [n, features] ends, over all trees: [n] float64."""
    nodes, roots = target["nodes"], target["roots"]
    value, threshold = nodes[:, 0], nodes[:, 2]
    feature, left, right = (nodes[:, column].long() for column in (1, 3, 4))
    at = roots.repeat(len(x), 1)
    while bool((inner := feature[at] >= 0).any()):
        below = x.gather(1, feature[at].clamp(min=0)) <= threshold[at]
        at = torch.where(inner, torch.where(below, left[at], right[at]), at)
    return target["start"] + value[at].sum(1)
