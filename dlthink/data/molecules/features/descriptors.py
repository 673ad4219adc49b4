"""Descriptors of whole molecules by rdkit: some 200 numbers, logP and polar surface among them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from rdkit.Chem import Mol

WIDEST = 5.0  # standard deviations; beyond it a network has seen nothing


def names() -> list[str]:
    """Of all descriptors that this rdkit has."""
    return list(_functions())


def described(molecules: Iterable[Mol], wanted: list[str]) -> Tensor:
    """[n, descriptors] float32: sign(v) log(1 + |v|) of each, since some go up to 10^6; nan where rdkit has no answer.

    Raises KeyError for one that this rdkit does not have.
    """
    functions = [_functions()[name] for name in wanted]
    rows = [[_value(function, molecule) for function in functions] for molecule in molecules]
    return torch.tensor(rows, dtype=torch.float64).view(len(rows), len(wanted)).float()


def scale(values: Tensor, names: list[str]) -> dict:
    """What is learned of training molecules, [n, descriptors]: names, mean and std of those that vary."""
    mean = values.nanmean(0)
    std = (values - mean).square().nanmean(0).sqrt()
    varies = (std > 1e-6 * mean.abs().clamp(min=1.0)) & std.isfinite()
    kept = [name for name, good in zip(names, varies.tolist(), strict=True) if good]
    return {"names": kept, "mean": mean[varies], "std": std[varies]}


def standardized(values: Tensor, learned: dict) -> Tensor:
    """(v - mean) / std, within WIDEST, 0 where there is no answer. values: [n, descriptors] in the learned order."""
    return ((values - learned["mean"]) / learned["std"]).clamp(-WIDEST, WIDEST).nan_to_num(0.0)


def _value(function, molecule: Mol) -> float:
    try:
        value = float(function(molecule))
    except (ValueError, RuntimeError, ZeroDivisionError):
        return math.nan
    return math.copysign(math.log1p(abs(value)), value) if math.isfinite(value) else math.nan


@cache
def _functions() -> dict:
    from rdkit.Chem import Descriptors

    return dict(sorted(Descriptors._descList))
