"""What the network is told of each atom and bond: small whole numbers from the 2-D structure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch

from dlthink.data.molecules.graphs import Graphs, starts

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Bond, Mol, RingInfo

# How many values each number of an atom may have: element, neighbours, hydrogens, charge, hybridization, aromatic,
# rings, smallest and largest ring, unpaired electrons.
ATOM_FEATURES = [119, 7, 5, 5, 7, 2, 4, 8, 8, 3]
KINDS = {"SINGLE": 0, "DOUBLE": 1, "TRIPLE": 2, "AROMATIC": 3}
HYBRIDIZATIONS = {"S": 1, "SP": 2, "SP2": 3, "SP3": 4, "SP3D": 5, "SP3D2": 6}
BOND_KINDS = (len(KINDS) + 1) * 2 * 2 * 6  # order or other, conjugated, in a ring, its smallest ring
RINGS = range(3, 9)  # sizes that are told apart; any larger one is the last


def featurize(molecules: Iterable[Mol]) -> Graphs:
    """The graphs of molecules, atoms in the molecules' own order; every bond is two arcs, one after the other."""
    atoms, arcs, sizes, degrees = [], [], [], []
    for molecule in molecules:
        rings = molecule.GetRingInfo()
        atoms += [_atom(atom, rings) for atom in molecule.GetAtoms()]
        for bond in molecule.GetBonds():
            begin, end, kind = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), _bond(bond, rings)
            arcs += [(begin, end, kind), (end, begin, kind)]
        sizes.append(molecule.GetNumAtoms())
        degrees.append(2 * molecule.GetNumBonds())
    source, target, bonds = torch.tensor(arcs, dtype=torch.long).view(-1, 3).unbind(1)
    return Graphs(
        atoms=torch.tensor(atoms, dtype=torch.int32).view(-1, len(ATOM_FEATURES)),
        first_atom=starts(torch.tensor(sizes, dtype=torch.long)),
        source=source.contiguous(),
        target=target.contiguous(),
        bonds=bonds.contiguous(),
        first_arc=starts(torch.tensor(degrees, dtype=torch.long)),
    )


def _atom(atom: Atom, rings: RingInfo) -> list[int]:
    sizes = [_size(size) for size in rings.AtomRingSizes(atom.GetIdx())]
    return [
        atom.GetAtomicNum(),
        min(atom.GetDegree(), 6),
        min(atom.GetTotalNumHs(), 4),
        max(-2, min(atom.GetFormalCharge(), 2)) + 2,
        HYBRIDIZATIONS.get(str(atom.GetHybridization()), 0),
        int(atom.GetIsAromatic()),
        min(len(sizes), 3),
        min(sizes, default=0),
        max(sizes, default=0),
        min(atom.GetNumRadicalElectrons(), 2),
    ]


def _bond(bond: Bond, rings: RingInfo) -> int:
    size = min((_size(size) for size in rings.BondRingSizes(bond.GetIdx())), default=0)
    code = KINDS.get(str(bond.GetBondType()), len(KINDS))
    return ((code * 2 + int(bond.GetIsConjugated())) * 2 + int(size > 0)) * 6 + min(size, 5)


def _size(size: int) -> int:
    """1 for a ring of three ... 6 for one of eight, 7 for any larger."""
    return min(size - RINGS.start + 1, len(RINGS) + 1)
