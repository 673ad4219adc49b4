"""What the network is told of each atom and bond: small whole numbers from the 2-D structure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch

from dlthink.data.molecules.features.graphs import Graphs, starts

if TYPE_CHECKING:
    from rdkit.Chem import Mol

# How many values each number of an atom may have: element, neighbours, hydrogens, charge, hybridization, aromatic,
# rings, smallest and largest ring, unpaired electrons.
ATOM_FEATURES = [119, 7, 5, 5, 7, 2, 4, 8, 8, 3]
KINDS = {"SINGLE": 0, "DOUBLE": 1, "TRIPLE": 2, "AROMATIC": 3}
HYBRIDIZATIONS = {"S": 1, "SP": 2, "SP2": 3, "SP3": 4, "SP3D": 5, "SP3D2": 6}
ELEMENT, HYDROGENS, CHARGE, HYBRIDIZATION, RADICAL = 0, 2, 3, 4, 9  # where these stand among an atom's numbers
KIND = [ELEMENT, CHARGE, HYBRIDIZATION, RADICAL]  # a kind of atom, which a network has seen or not
NEUTRAL = 2  # the number of charge 0; it goes from -2 to 2
BOND_KINDS = (len(KINDS) + 1) * 2 * 2 * 6  # order or other, conjugated, in a ring, its smallest ring
RINGS = range(3, 9)  # sizes that are told apart; any larger one is the last


@dataclass
class Described:
    """What is told of one molecule, in lists: they are put together faster than anything else."""

    numbers: list[int]  # atom by atom
    arcs: list[int]  # from, to, kind of bond; arc by arc

    def column(self, number: int) -> list[int]:
        """One number of every atom."""
        return self.numbers[number :: len(ATOM_FEATURES)]


def featurize(molecules: Iterable[Mol]) -> Graphs:
    """The graphs of molecules, atoms in the molecules' own order; every bond is two arcs, one after the other."""
    return gathered([described(molecule) for molecule in molecules])


def described(molecule: Mol) -> Described:
    """What is told of one molecule."""
    kinds, hybridizations = _codes()
    rings = molecule.GetRingInfo()
    around: dict[int, list[int]] = {}  # sizes of the rings that an atom is in
    for ring in rings.AtomRings():
        size = _size(len(ring))
        for index in ring:
            around.setdefault(index, []).append(size)
    smallest: dict[int, int] = {}  # of the rings that a bond is in
    for ring in rings.BondRings():
        size = _size(len(ring))
        for index in ring:
            smallest[index] = min(size, smallest.get(index, size))
    numbers, arcs = [], []
    for index in range(molecule.GetNumAtoms()):  # rdkit's own iterator takes three times as long
        atom, sizes = molecule.GetAtomWithIdx(index), around.get(index, (0,))
        numbers += (
            atom.GetAtomicNum(),
            min(atom.GetDegree(), 6),
            min(atom.GetTotalNumHs(), 4),
            max(-NEUTRAL, min(atom.GetFormalCharge(), NEUTRAL)) + NEUTRAL,
            hybridizations.get(atom.GetHybridization(), 0),
            int(atom.GetIsAromatic()),
            min(len(sizes), 3) if sizes[0] else 0,
            min(sizes),
            max(sizes),
            min(atom.GetNumRadicalElectrons(), 2),
        )
    for index in range(molecule.GetNumBonds()):
        bond, size = molecule.GetBondWithIdx(index), smallest.get(index, 0)
        begin, end, kind = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), kinds.get(bond.GetBondType(), len(KINDS))
        kind = ((kind * 2 + int(bond.GetIsConjugated())) * 2 + (size > 0)) * 6 + min(size, 5)
        arcs += (begin, end, kind, end, begin, kind)
    return Described(numbers, arcs)


def gathered(molecules: list[Described]) -> Graphs:
    """Several molecules as graphs."""
    numbers = np.fromiter(chain.from_iterable(one.numbers for one in molecules), np.int32)
    arcs = np.fromiter(chain.from_iterable(one.arcs for one in molecules), np.int64)
    source, target, bonds = torch.from_numpy(arcs).view(-1, 3).unbind(1)
    return Graphs(
        atoms=torch.from_numpy(numbers).view(-1, len(ATOM_FEATURES)),
        first_atom=starts(
            torch.tensor([len(one.numbers) // len(ATOM_FEATURES) for one in molecules], dtype=torch.long)
        ),
        source=source.contiguous(),
        target=target.contiguous(),
        bonds=bonds.contiguous(),
        first_arc=starts(torch.tensor([len(one.arcs) // 3 for one in molecules], dtype=torch.long)),
    )


@cache
def _codes() -> tuple[dict, dict]:
    """The numbers of rdkit's kinds of bonds and hybridizations."""
    from rdkit.Chem import BondType, HybridizationType

    return (
        {BondType.names[name]: code for name, code in KINDS.items()},
        {HybridizationType.names[name]: code for name, code in HYBRIDIZATIONS.items()},
    )


def _size(size: int) -> int:
    """1 for a ring of three ... 6 for one of eight, 7 for any larger."""
    return min(size - RINGS.start + 1, len(RINGS) + 1)
