"""Bumps along a covariate: a basis in which a place field, or a preferred direction, is nearly linear."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlthink.data.recordings.circular import angle
from dlthink.errors import BadInput

MOST = 1000  # bumps in all


class Bumps:
    """exp(-((v - c_i) / w)^2 / 2) at `number` centres c_i from the lowest to the highest training value, w apart.

    Of a circular covariate exp(k (cos(a - c_i) - 1)), von Mises bumps all around, k = (number / 2 pi)^2, w wide, too.
    "x*y" is a grid: the products of the bumps of both. numbers: {NAME, or NAME*NAME: how many along each}.

    Source: Skaggs et al. 1996 for place; Taube, Muller & Ranck 1990 for direction, in von Mises' form.
    """

    def __init__(self, numbers: Mapping[str, int]) -> None:
        self.numbers = {str(name): int(number) for name, number in numbers.items()}
        total = sum(number ** (name.count("*") + 1) for name, number in self.numbers.items())
        if bad := [name for name, number in self.numbers.items() if number < 2]:
            raise BadInput(f"data.bumps={{{bad[0]}: {self.numbers[bad[0]]}}}: give 2 bumps at least")
        if total > MOST:
            raise BadInput(f"data.bumps: {total:,} bumps in all are more than {MOST:,}: choose fewer")

    def fit(self, values: Mapping[str, np.ndarray]) -> dict[str, list[float]]:
        """{NAME: lowest and highest value} of every covariate along which there are bumps, from training bins."""
        names = dict.fromkeys(part for name in self.numbers for part in name.split("*"))
        ends = {}
        for name in names:
            if name in values:
                ends[name] = [float(values[name].min()), float(values[name].max())]
            elif f"{name}_sin" not in values:
                raise BadInput(f"data.bumps: there is no covariate {name!r}: choose of {', '.join(values)}")
        return ends

    def columns(self, values: Mapping[str, np.ndarray], ends: Mapping[str, list[float]]) -> dict[str, np.ndarray]:
        """{NAME_bump_i: [T]}."""
        made = {}
        for name, number in self.numbers.items():
            along = [self._along(part, number, values, ends) for part in name.split("*")]
            product = along[0]
            for other in along[1:]:
                product = (product[:, :, None] * other[:, None, :]).reshape(len(product), -1)
            made |= {f"{name}_bump_{i}": column for i, column in enumerate(product.T)}
        return made

    def _along(self, name: str, number: int, values: Mapping, ends: Mapping[str, list[float]]) -> np.ndarray:
        if name in ends:
            low, high = ends[name]
            width = (high - low) / (number - 1) or 1.0
            return np.exp(-0.5 * ((values[name][:, None] - low) / width - np.arange(number)) ** 2)
        around = angle(values[f"{name}_sin"], values[f"{name}_cos"])[:, None] - 2 * np.pi * np.arange(number) / number
        return np.exp((number / (2 * np.pi)) ** 2 * (np.cos(around) - 1))
