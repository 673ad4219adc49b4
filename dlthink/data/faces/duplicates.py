"""The same picture twice: under one name it is kept once; under two names nobody knows whose it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import torch
from torch import Tensor

from dlthink.data.faces.pca import pixel_embedding

ALIKE = 0.99  # cosine of two normalized pictures from which they count as one, cut or packed a little differently
COARSE = 8  # pixels a side of a first look
CHUNK = 2048


def without_twins(
    names: list[str],
    people: list[str],
    hashes: list[str],
    near: list[tuple[int, int]],
    protected: Collection[int] = (),
) -> tuple[list[int], list[str]]:
    """(photos that stay, one-line remarks). hashes: of the contents; near: pairs under two names, nearly identical;
    protected: photos that stay all the same.
    """
    same: dict[str, list[int]] = defaultdict(list)
    for i, content in enumerate(hashes):
        same[content].append(i)
    again, shared = set(), set()
    for twins in same.values():
        if len({people[i] for i in twins}) > 1:
            shared.update(twins)
        else:
            again.update(twins[1:])
    shared.update(i for pair in near for i in pair)
    again, shared = again - {*protected}, shared - {*protected}
    notes = []
    if again:
        notes.append(
            f"{len(again)} photos are in a person's folder twice, kept once (the first is {names[min(again)]})"
        )
    if shared:
        told = ", ".join(names[i] for i in sorted(shared)[:4])
        notes.append(f"{len(shared)} photos show one picture under two names, all left out: {told}")
    return [i for i in range(len(names)) if i not in again | shared], notes


def nearly_the_same(grey: Tensor, person: Tensor) -> list[tuple[int, int]]:
    """Pairs (i, j) of different people with almost one picture. grey [n, side^2]; person [n]."""
    if not len(grey):
        return []
    side = int(grey.shape[1] ** 0.5)
    coarse = torch.nn.functional.adaptive_avg_pool2d(grey.view(-1, 1, side, side), COARSE).flatten(1)
    coarse, fine = pixel_embedding(coarse), pixel_embedding(grey)
    pairs = []
    for first in range(0, len(grey), CHUNK):
        alike = coarse[first : first + CHUNK] @ coarse[first:].T > ALIKE - 0.02
        i, j = alike.nonzero(as_tuple=True)
        i, j = i + first, j + first
        other = (i < j) & (person[i] != person[j])
        i, j = i[other], j[other]
        sure = (fine[i] * fine[j]).sum(1) > ALIKE
        pairs += list(zip(i[sure].tolist(), j[sure].tolist(), strict=True))
    return pairs
