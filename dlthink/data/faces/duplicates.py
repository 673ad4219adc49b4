"""The same picture twice: under one name it is kept once; under two names nobody knows whose it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import torch
from torch import Tensor

from dlthink.data.photos.near_copies import near_copies, squares


def without_duplicates(
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


def under_two_names(pixels: Tensor, person: Tensor) -> list[tuple[int, int]]:
    """Pairs (i, j) of different people with almost one picture. pixels uint8 [n, channels, s, s]; person [n]."""
    owner = person.tolist()
    pairs = near_copies(squares(pixels, torch.arange(len(owner))))
    return [(i, j) for i, j in pairs if owner[i] != owner[j]]
