"""Morgan fingerprints (ECFP4): which circular surroundings a molecule has, as bits of a fixed number."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from rdkit.Chem import Mol

RADIUS, BITS = 2, 2048
CHUNK = 256  # molecules compared with all others at a time


def fingerprints(molecules: Iterable[Mol]) -> Tensor:
    """uint8 [n, BITS / 8], eight bits a byte. Source: Rogers & Hahn 2010, J. Chem. Inf. Model. 50."""
    made = [np.packbits(_generator().GetFingerprintAsNumPy(molecule)) for molecule in molecules]
    return torch.from_numpy(np.stack(made)) if made else torch.zeros(0, BITS // 8, dtype=torch.uint8)


def bits(prints: Tensor) -> Tensor:
    """float32 [n, BITS] of 0 and 1."""
    return torch.from_numpy(np.unpackbits(prints.numpy(), axis=1)).float()


def nearest(prints: Tensor, others: Tensor, k: int, itself: bool = False) -> tuple[Tensor, Tensor]:
    """The k most similar of `others` for each of `prints`: (similarity, their places), [n, k] each, most similar first.

    Tanimoto: bits in both over bits in either; 0 where neither has one. itself: others are the same molecules, and
    none is its own neighbour. Fewer than k where there are fewer.
    """
    other = bits(others)
    many = other.sum(1)
    k = min(k, len(others) - itself)
    found = []
    for start in range(0, len(prints), CHUNK):
        own = bits(prints[start : start + CHUNK])
        both = own @ other.T
        similarity = both / (own.sum(1)[:, None] + many - both).clamp(min=1)
        if itself:
            similarity[torch.arange(len(own)), torch.arange(start, start + len(own))] = -1.0
        found.append(similarity.topk(k))
    if not found:
        return torch.zeros(0, k), torch.zeros(0, k, dtype=torch.long)
    return torch.cat([one.values for one in found]), torch.cat([one.indices for one in found])


@cache
def _generator():
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    return GetMorganGenerator(radius=RADIUS, fpSize=BITS)
