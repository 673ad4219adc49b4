"""Kinds of atoms that were not in training: of them a network was taught nothing, and its own spread hides it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor

from dlthink.data.molecules.features.featurize import HYBRIDIZATIONS, KIND, NEUTRAL, Described
from dlthink.data.molecules.features.graphs import Graphs


def unseen(told: Described, kinds: set[tuple[int, ...]]) -> dict[int, str]:
    """{atom: what it is, C+ (sp2) say} of those whose kind, element, charge, hybridization, unpaired electrons, was not
    among these.
    """
    own = list(zip(*map(told.column, KIND), strict=True))
    return {i: called(*kind) for i, kind in enumerate(own) if kind not in kinds}


def problem(names: Iterable[str], widened: str) -> str:
    """What is said of a molecule with such atoms; widened: whose spread is."""
    names = ", ".join(dict.fromkeys(names))
    return f"unlike any atom in training: {names}; {widened}the spread is at least that of all training values"


def near(graphs: Graphs, atoms: list[list[int]], bonds: int) -> Tensor:
    """Whether an atom lies within so many bonds of these, which are counted in each molecule: bool [A]."""
    first = graphs.first_atom
    found = torch.zeros(len(graphs.atoms), dtype=torch.bool)
    found[[int(first[i]) + atom for i, some in enumerate(atoms) for atom in some]] = True
    shift = first[:-1].repeat_interleave(graphs.first_arc.diff())
    source, target = graphs.source + shift, graphs.target + shift
    for _ in range(bonds):
        found[target[found[source]]] = True
    return found


def called(element: int, charge: int, hybridization: int, radical: int) -> str:
    """Such as C+ (sp2) or C (sp3, radical)."""
    names = {code: name.lower() for name, code in HYBRIDIZATIONS.items()}
    words = [names.get(hybridization, "no hybridization"), *["radical"] * bool(radical)]
    sign = ("+" if charge > NEUTRAL else "-") * abs(charge - NEUTRAL)
    return f"{symbol(element)}{sign} ({', '.join(words)})"


@cache
def symbol(number: int) -> str:
    """Of an element."""
    from rdkit.Chem import GetPeriodicTable

    return GetPeriodicTable().GetElementSymbol(number)
