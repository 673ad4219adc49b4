"""Real structures that ship with rdkit (its NCI table) with SIMULATED 13C shifts: mean and spread are known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.readers.molecule_file import Entry
from dlthink.data.molecules.readers.records import Reading, structure_of
from dlthink.data.molecules.readers.shift_lines import atoms_in
from dlthink.data.molecules.readers.shift_records import ShiftRecord
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile
from dlthink.progress_bar import progress_bar

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Bond, Mol

TABLE = Path("NCI") / "first_5K.smi"
LOWEST, HIGHEST = 5.0, 215.0  # ppm, about the range of real 13C
QUIET, LOUDEST = 0.3, 4.2  # ppm, the spread far from everything and its limit

# ppm that an atom one, two and three bonds away adds to each kind of carbon
SP3 = {
    "C": (8.5, 6.0, -2.0),
    "N": (27.0, 8.0, -3.5),
    "O": (46.0, 8.5, -5.0),
    "F": (66.0, 7.0, -5.5),
    "P": (14.0, 3.0, -1.5),
    "S": (16.0, 8.0, -3.0),
    "Cl": (28.0, 9.0, -4.5),
    "Br": (18.0, 10.0, -3.5),
    "I": (-8.0, 11.0, -1.5),
    "Si": (-4.0, 2.0, -1.0),
}
SP2 = {
    "C": (6.0, -1.5, 0.6),
    "N": (17.0, -8.0, 1.5),
    "O": (25.0, -13.0, 1.0),
    "F": (33.0, -12.0, 1.5),
    "P": (6.0, 2.0, 0.5),
    "S": (7.0, -3.0, 0.8),
    "Cl": (5.0, 0.5, 1.0),
    "Br": (-5.0, 3.0, 1.5),
    "I": (-30.0, 9.0, 2.0),
    "Si": (8.0, 5.0, 0.0),
}
OTHER = (10.0, 2.0, 0.0)  # an element that is in neither
RING_STRAIN = {3: -22.0, 4: -3.0, 5: 1.5}  # ppm for sp3 carbons, by the smallest ring they are in
ACYL = {"O": -33.0, "N": -31.0, "S": -6.0, "Cl": -30.0, "F": -40.0, "Br": -32.0, "C": 0.0}  # beside C=O
NEAR = (1.0, 0.42, 0.12)  # weight of a heteroatom one, two, three bonds away in the spread
UNSURE = {"N": 1.2, "O": 1.0, "S": 1.3, "P": 1.1, "F": 0.8, "Cl": 0.8, "Br": 1.0, "I": 1.2}


def read_nci(
    molecules: int, seed: int, elements: list[str], largest: int, tautomers: bool = False
) -> tuple[Reading, list[dict[int, float]], list[dict[int, float]]]:
    """The first `molecules` of the table that pass the filters: (reading, true mean, true spread).

    Structures are real; shifts are SIMULATED, one value per carbon: shift = mean + spread * Normal(0, 1), ppm.
    The means and spreads are those of `mean_and_spread`, one dict {atom: ppm} per record. The noise comes from
    numpy's default_rng(seed), in the order of records and atoms. Raises BadInput.
    """
    if molecules < 1:
        raise BadInput(f"data.molecules={molecules}: give a whole number from 1 up")
    chemistry()
    from rdkit import RDConfig

    table = Path(RDConfig.RDDataDir) / TABLE
    if not table.is_file():
        raise BadInput(f"data=molecules: this rdkit came without {TABLE}: pip install --force-reinstall rdkit")
    lines = [line.split() for line in TextFile(table, "data=molecules") if line.strip()]
    reading, means, spreads = Reading([], {}, 0), [], []
    generator = np.random.default_rng(seed)
    with progress_bar(total=molecules, desc="simulating", unit="molecule") as bar:
        for number, (smiles, *name) in enumerate(lines, start=1):
            if len(reading.records) == molecules:
                break
            reading.total += 1
            entry = Entry(name[0] if name else f"#{number}", smiles, atoms=atoms_in(smiles))
            found = structure_of(entry, elements, largest, tautomers)
            mean, spread = ({}, {}) if isinstance(found, str) else mean_and_spread(found[0].molecule)
            if not mean:
                reading.skip(found if isinstance(found, str) else "no carbon", entry.id)
                continue
            record = ShiftRecord(**vars(found[0]))
            noise = generator.standard_normal(len(mean))
            record.shifts = {atom: [mean[atom] + spread[atom] * float(z)] for atom, z in zip(mean, noise, strict=True)}
            reading.records.append(record)
            means.append(mean)
            spreads.append(spread)
            bar.update()
    if len(reading.records) < molecules:
        raise BadInput(
            f"data.molecules={molecules}: rdkit's table has {len(reading.records)} that pass the filters: ask for fewer"
        )
    reading.notes.append("shifts are SIMULATED on real structures (rdkit's NCI table): do not take them for chemistry")
    return reading, means, spreads


def mean_and_spread(molecule: Mol) -> tuple[dict[int, float], dict[int, float]]:
    """The SIMULATED rule, {carbon: ppm} each: a function of what lies within three bonds, made up and plausible.

    mean = base(kind) + sum of increments of the atoms one, two, three bonds away (by element; tables above)
           + ring strain, clipped to 5..215 ppm. Kinds: C=O 205, C=S 230, C=N 157, nitrile and cumulated 117, alkyne 78,
           aromatic 128, other sp2 123, sp3 -2. C=O, C=S and C=N take ACYL increments of what is beside them
           (acids, amides), -7 for a conjugated neighbour or for H, +6 in a ring of five.
           Of several heteroatoms beside an sp3 carbon each next one counts less.
    spread = 0.3 + 3.9 (1 - exp(-s / 2.2)), where s grows with heteroatoms (weights NEAR), with conjugation, with
           crowding (more than four atoms within two bonds) and in small rings: 0.3 ppm for the CH3 of an alkane,
           up to 4.2 between heteroatoms.
    """
    Chem, _ = chemistry()
    distance = Chem.GetDistanceMatrix(molecule)
    atoms = list(molecule.GetAtoms())
    mean, spread = {}, {}
    for atom in atoms:
        if atom.GetAtomicNum() == 6:
            row = distance[atom.GetIdx()]
            shells = [[atoms[j] for j in np.flatnonzero(row == bonds)] for bonds in (1, 2, 3)]
            mean[atom.GetIdx()] = float(np.clip(_mean(molecule, atom, shells), LOWEST, HIGHEST))
            spread[atom.GetIdx()] = _spread(molecule, atom, shells)
    return mean, spread


def _mean(molecule: Mol, atom: Atom, shells: list[list[Atom]]) -> float:
    doubled = {b.GetOtherAtom(atom).GetSymbol(): b.GetOtherAtomIdx(atom.GetIdx()) for b in _multiple(atom, 2.0)}
    sp = bool(_multiple(atom, 3.0)) or len(_multiple(atom, 2.0)) == 2
    for element, base in (("O", 205.0), ("S", 230.0), ("N", 157.0)):
        if element in doubled and not sp:
            return base + _acyl(molecule, atom, shells, doubled[element])
    if sp:
        nitrile = any(b.GetBondTypeAsDouble() > 1 and b.GetOtherAtom(atom).GetSymbol() != "C" for b in atom.GetBonds())
        return (117.0 if nitrile else 78.0) + 0.3 * _sum(SP2, shells)
    if atom.GetIsAromatic():
        return 128.0 + _sum(SP2, [[a for a in s if not (a.GetIsAromatic() and a.GetSymbol() == "C")] for s in shells])
    if doubled:
        rest = [a for a in shells[0] if a.GetIdx() not in doubled.values()]
        return 123.0 + _sum(SP2, [rest, *shells[1:]]) + _strain(molecule, atom) / 4
    beside = sorted((SP3.get(a.GetSymbol(), OTHER)[0] for a in shells[0] if a.GetSymbol() != "C"), reverse=True)
    weights = (1.0, 0.6, 0.35, 0.25)
    carbons = [a for a in shells[0] if a.GetSymbol() == "C"]
    unsaturated = sum(2.0 for a in carbons if a.GetIsAromatic() or _multiple(a, 2.0))
    charged = sum(6.0 for a in shells[0] if a.GetFormalCharge() > 0)
    far = _sum(SP3, [carbons, *shells[1:]]) + _strain(molecule, atom)
    return -2.0 + far + unsaturated + charged + sum(x * w for x, w in zip(beside, weights, strict=False))


def _acyl(molecule: Mol, atom: Atom, shells: list[list[Atom]], partner: int) -> float:
    others = [a for a in shells[0] if a.GetIdx() != partner]
    beside = sorted(ACYL.get(a.GetSymbol(), -10.0) for a in others)
    conjugated = sum(-7.0 for a in others if a.GetSymbol() == "C" and (a.GetIsAromatic() or _multiple(a, 2.0)))
    strained = molecule.GetRingInfo().IsAtomInRingOfSize(atom.GetIdx(), 5) * 6.0
    far = 0.15 * _sum(SP3, [[], *shells[1:]])
    return (
        sum(x * w for x, w in zip(beside, (1.0, 0.4), strict=False))
        + conjugated
        - 7.0 * (len(others) < 2)
        + strained
        + far
    )


def _multiple(atom: Atom, order: float) -> list[Bond]:
    return [bond for bond in atom.GetBonds() if bond.GetBondTypeAsDouble() == order]


def _sum(table: dict[str, tuple[float, float, float]], shells: list[list[Atom]]) -> float:
    return sum(
        table.get(a.GetSymbol(), OTHER)[i] for i, shell in enumerate(shells) for a in shell if a.GetSymbol() != "H"
    )


def _strain(molecule: Mol, atom: Atom) -> float:
    rings = molecule.GetRingInfo()
    return RING_STRAIN.get(rings.MinAtomRingSize(atom.GetIdx()), 0.0)


def _spread(molecule: Mol, atom: Atom, shells: list[list[Atom]]) -> float:
    hetero = sum(
        weight * UNSURE.get(a.GetSymbol(), 1.5)
        for weight, shell in zip(NEAR, shells, strict=True)
        for a in shell
        if a.GetSymbol() not in ("C", "H")
    )
    conjugated = 0.35 * _unsaturated(atom) + 0.12 * sum(map(_unsaturated, shells[0]))
    crowded = 0.2 * max(0, len(shells[0]) + len(shells[1]) - 4)
    small = 0.5 * (molecule.GetRingInfo().MinAtomRingSize(atom.GetIdx()) in (3, 4))
    return QUIET + (LOUDEST - QUIET) * (1.0 - math.exp(-(hetero + conjugated + crowded + small) / 2.2))


def _unsaturated(atom: Atom) -> bool:
    return atom.GetIsAromatic() or bool(_multiple(atom, 2.0) or _multiple(atom, 3.0))
