"""What a network has to beat: a constant, a linear model, boosted trees, learned from the training rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from dlthink.data.tables.preparation import Features
from dlthink.data.tables.row_hash import shares
from dlthink.errors import BadInput

Baseline = Literal["constant", "linear", "boosting"]
Family = Literal["normal", "poisson"]
Mean = Callable[[Features], np.ndarray]  # of some rows [n], for an exposure of 1
EVERY: tuple[Baseline, ...] = ("constant", "linear", "boosting")
MOST = 50_000  # rows that one learns from
FOLDS = 5
WIDEST = 2000  # columns of a linear model: the largest categories are left out of it beyond that


@dataclass
class Training:
    """What a baseline learns from: x and y [n, n_targets] of training, nan where missing; ties [n], equal for rows
    that belong together; exposure [n] of counts; sizes of the categories; names: which baselines are wanted."""

    x: Features
    y: Tensor
    ties: np.ndarray
    sizes: list[int]
    names: list[Baseline]
    exposure: np.ndarray | None = None

    def of_reals(self, rows: Features) -> dict[str, dict[str, Tensor]]:
        """{name: {"mean", "std"}}: [n, n_targets]. The spread is the root mean square of the residuals in training, of
        a linear model and of trees of those in five-fold cross-validation."""
        return self._read(lambda name, rest: self._with_spread(name, rows, *rest), ("mean", "std"))

    def of_counts(self, rows: Features, exposure: np.ndarray | None) -> dict[str, dict[str, Tensor]]:
        """{name: {"rate"}}: [n, n_targets], by Poisson's likelihood."""

        def rate(name: str, rest: tuple) -> tuple[np.ndarray]:
            mean = learned(name, "poisson", *rest)(rows)
            return (mean if exposure is None else mean * exposure,)

        return self._read(rate, ("rate",))

    def _read(self, predict: Callable, quantities: tuple[str, ...]) -> dict[str, dict[str, Tensor]]:
        made = {}
        for name in self.names:
            columns = [predict(name, self._of(target)) for target in range(self.y.shape[1])]
            arrays = (np.stack(parts, 1) for parts in zip(*columns, strict=True))
            made[name] = {q: torch.from_numpy(a).float() for q, a in zip(quantities, arrays, strict=True)}
        return made

    def _of(self, target: int) -> tuple:
        """x, y, weight, sizes and ties where that target is known: at most so many rows, evenly spread."""
        some = (~self.y[:, target].isnan()).nonzero()[:, 0]
        some = some[:: -(-len(some) // MOST)]
        x = Features(self.x.numbers[some], self.x.categories[some])
        y, weight = self.y[some, target].double().numpy(), np.ones(len(some))
        if self.exposure is not None:
            weight = self.exposure[some.numpy()]
            y = y / weight
        return x, y, weight, self.sizes, self.ties[some.numpy()]

    def _with_spread(self, name: str, rows: Features, x, y, weight, sizes, ties) -> tuple[np.ndarray, np.ndarray]:
        mean = learned(name, "normal", x, y, weight, sizes, ties)(rows)
        residual = y - y.mean()
        fold = np.floor(FOLDS * shares(ties, "cross-validation"))
        if name != "constant" and len(np.unique(fold)) == FOLDS:
            for k in range(FOLDS):
                rest, held = _cut(x, fold != k), _cut(x, fold == k)
                model = learned(name, "normal", rest, y[fold != k], weight[fold != k], sizes, ties[fold != k])
                residual[fold == k] = y[fold == k] - model(held)
        std = float(np.sqrt(np.mean(residual**2))) or 1.0
        return mean, np.full(len(mean), std)


def learned(
    name: str, family: Family, x: Features, y: np.ndarray, weight: np.ndarray, sizes: list[int], ties=None
) -> Mean:
    """The mean of one target as a function of rows. Raises BadInput where scikit-learn is not installed."""
    average = float(np.average(y, weights=weight))
    if name == "constant" or len(y) < 2 * FOLDS or not y.any() or (y == y[0]).all():
        return lambda rows: np.full(len(rows), average)
    try:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.linear_model import PoissonRegressor, Ridge
    except ImportError as error:
        raise BadInput(
            "data.baselines: linear and boosting need scikit-learn, of the extra table: pip install 'dlthink[table]'; "
            "or data.baselines=[constant]"
        ) from error
    if name == "linear":
        model = Ridge(alpha=1.0) if family == "normal" else PoissonRegressor(alpha=1.0 / len(y), max_iter=300)
        matrix: Callable[[Features], np.ndarray] = lambda rows: _one_hot(rows, sizes)  # noqa: E731
    else:
        loss = "squared_error" if family == "normal" else "poisson"
        categorical = [x.numbers.shape[1] + i for i in range(len(sizes))] or None
        model = HistGradientBoostingRegressor(loss=loss, categorical_features=categorical, random_state=0)
        matrix = _codes
    model.fit(matrix(x), y, sample_weight=weight)
    return lambda rows: model.predict(matrix(rows))


def _codes(x: Features) -> np.ndarray:
    return np.concatenate([x.numbers.numpy(), x.categories.numpy().astype(np.float32)], 1)


def _one_hot(x: Features, sizes: list[int]) -> np.ndarray:
    """Numbers, and a column for each category, smallest first as long as there is room."""
    columns, room = [x.numbers.numpy()], WIDEST - x.numbers.shape[1]
    for i in np.argsort(sizes, kind="stable"):
        room -= sizes[i]
        if room >= 0:
            columns.append(np.eye(sizes[i], dtype=np.float32)[x.categories[:, i].numpy()])
    return np.concatenate(columns, 1)


def _cut(x: Features, rows: np.ndarray) -> Features:
    some = torch.from_numpy(rows)
    return Features(x.numbers[some], x.categories[some])
