"""Where the atoms of a molecule lie on paper, and what is written at them: all that rdkit is asked for."""

import math
from dataclasses import dataclass

import numpy as np

SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPT = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")


@dataclass
class Layout:
    """Where atoms lie, [atoms, 2] in bonds, and what is written and drawn between them."""

    xy: np.ndarray
    symbol: list[str]  # "" for a carbon that needs no letter
    hydrogens: list[str]  # "H", "H₂", ... of a letter
    charge: list[str]
    bonds: list[tuple[int, int, int, int]]  # begin, end, order, side of the second line (0: both)

    @property
    def size(self) -> np.ndarray:
        return np.ptp(self.xy, axis=0)

    @property
    def flat(self) -> bool:
        """Whether no two atoms meet on paper, as those of a cage do."""
        apart = np.linalg.norm(self.xy[:, None] - self.xy, axis=-1)
        return bool((apart + np.eye(len(apart)) > 0.5).all())


def layout(structure: str) -> Layout | None:
    """The drawing of a SMILES with its atoms in their order; None where rdkit cannot read it."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    molecule = _read(structure)
    if molecule is None:
        return None
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    rdDepictor.Compute2DCoords(molecule, canonOrient=True)
    rdDepictor.StraightenDepiction(molecule)
    xy = molecule.GetConformer().GetPositions()[:, :2]
    lengths = [np.linalg.norm(xy[b.GetBeginAtomIdx()] - xy[b.GetEndAtomIdx()]) for b in molecule.GetBonds()]
    xy = xy / (np.median(lengths) if lengths else 1.5)
    if np.ptp(xy[:, 1]) > np.ptp(xy[:, 0]):
        xy = xy[:, ::-1] * (1, -1)  # lying, by a quarter turn
    symbol, hydrogens, charge = [], [], []
    for atom in molecule.GetAtoms():
        plain = atom.GetSymbol() == "C" and atom.GetDegree() and not atom.GetFormalCharge()
        count, sign = 0 if plain else atom.GetTotalNumHs(), atom.GetFormalCharge()
        symbol.append("" if plain else atom.GetSymbol())
        hydrogens.append("" if not count else "H" if count == 1 else f"H{count}".translate(SUBSCRIPT))
        number = str(abs(sign)) if abs(sign) > 1 else ""
        charge.append(f"{number}{'+' if sign > 0 else '-'}".translate(SUPERSCRIPT) if sign else "")
    bonds = [
        (b.GetBeginAtomIdx(), b.GetEndAtomIdx(), round(b.GetBondTypeAsDouble()), _side(molecule, b, xy))
        for b in molecule.GetBonds()
    ]
    return Layout(xy, symbol, hydrogens, charge, bonds)


def formula(structure: str) -> str:
    """C8H10N4O2 for caffeine; nothing where rdkit cannot read it."""
    from rdkit.Chem.rdMolDescriptors import CalcMolFormula

    molecule = _read(structure)
    return "" if molecule is None else CalcMolFormula(molecule)


def atoms(structure: str) -> int:
    """How many are drawn; 0 where rdkit cannot read it."""
    molecule = _read(structure)
    return 0 if molecule is None else molecule.GetNumAtoms()


def _read(structure: str):
    from rdkit import Chem, rdBase

    reading = Chem.SmilesParserParams()
    reading.removeHs = False  # labelled hydrogens stay, and so does the order
    with rdBase.BlockLogs():
        molecule = Chem.MolFromSmiles(structure, reading)
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def _side(molecule, bond, xy: np.ndarray) -> int:
    """On which side of a double bond its second line lies: in the smallest ring, else where more neighbours are."""
    a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    rings = [ring for ring in molecule.GetRingInfo().AtomRings() if a in ring and b in ring]
    if rings:
        # a bond of two rings belongs to the one with more double bonds, so that a benzene looks like one
        near = max(rings, key=lambda ring: (_doubles(molecule, ring), -len(ring)))
    else:
        near = [n.GetIdx() for end in (a, b) for n in molecule.GetAtomWithIdx(end).GetNeighbors()]
        near = [i for i in near if i not in (a, b)]
        if 1 in (molecule.GetAtomWithIdx(a).GetDegree(), molecule.GetAtomWithIdx(b).GetDegree()) or not near:
            return 0
    along, aside = xy[b] - xy[a], np.mean([xy[i] for i in near], 0) - (xy[a] + xy[b]) / 2
    turn = along[0] * aside[1] - along[1] * aside[0]
    return 0 if abs(turn) < 1e-6 else int(math.copysign(1, turn))


def _doubles(molecule, ring: tuple[int, ...]) -> int:
    pairs = zip(ring, (*ring[1:], ring[0]), strict=True)
    return sum(molecule.GetBondBetweenAtoms(a, b).GetBondTypeAsDouble() == 2 for a, b in pairs)
