"""SMILES and mol blocks to rdkit molecules, atoms in the order in which they are written."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.data.molecules import sd_file
from dlthink.data.molecules.molecule_file import text_of
from dlthink.errors import BadInput

if TYPE_CHECKING:
    from rdkit.Chem import Mol

TITLES = {"smiles", "smi", "canonical_smiles", "structure"}  # first word of a header line
NAMES = ("id", "name", "title")
ENDINGS = (".smi", ".smiles", ".csv", ".sdf", ".sd", ".mol")


def chemistry():
    """rdkit's Chem and BlockLogs (a context that keeps rdkit quiet). Raises BadInput where rdkit is missing."""
    try:
        from rdkit import Chem
        from rdkit.rdBase import BlockLogs
    except ImportError as error:
        raise BadInput("data=...: reading molecules needs rdkit: pip install 'dlthink[molecules]'") from error
    return Chem, BlockLogs


def molecule_of_smiles(text: str) -> Mol:
    """Sanitized molecule of a SMILES: written order, explicit hydrogens kept, no stereo. Raises ValueError."""
    Chem, BlockLogs = chemistry()
    text = text.strip()
    if not text:
        raise ValueError("the SMILES is empty")
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = parameters.removeHs = parameters.parseName = False
    with BlockLogs():
        return _sanitized(Chem.MolFromSmiles(text, parameters), "not a SMILES")


def molecule_of_block(text: str) -> Mol:
    """Sanitized molecule of a mol block: written order, explicit hydrogens kept, no stereo. Raises ValueError."""
    Chem, BlockLogs = chemistry()
    with BlockLogs():
        # sanitized by hand: what MolFromMolBlock adds is the perception of stereo, which nobody here asks for
        for strict in (True, False):
            try:
                mol = Chem.MolFromMolBlock(text, sanitize=False, removeHs=False, strictParsing=strict)
            except (RuntimeError, ValueError):
                mol = None
            if mol is not None:
                break
        return _sanitized(mol, "not a mol block")


def _sanitized(mol: Mol | None, otherwise: str) -> Mol:
    Chem, _ = chemistry()
    if mol is None:
        raise ValueError(otherwise)
    if not mol.GetNumAtoms():
        raise ValueError("there are no atoms")
    try:
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError) as error:  # rdkit's own errors are ValueErrors
        raise ValueError(str(error).strip().splitlines()[0] if str(error).strip() else otherwise) from error
    Chem.RemoveStereochemistry(mol)
    return mol


def heavy(mol: Mol) -> tuple[Mol, list[int]]:
    """Without the plain explicit hydrogens: (molecule, new index of every old atom).

    A hydrogen that went has its neighbour's index. Deuterium goes like any hydrogen: on a carbon it moves the shift
    by less than a ppm. Hydrides, H2 and bridging hydrogens stay: rdkit's own rule, so that the SMILES of the
    result reads back to the same atoms.
    """
    Chem, BlockLogs = chemistry()
    if not any(atom.GetAtomicNum() == 1 for atom in mol.GetAtoms()):
        return mol, list(range(mol.GetNumAtoms()))
    marked = Chem.Mol(mol)
    for atom in marked.GetAtoms():
        atom.SetIntProp("_written", atom.GetIdx())
        if atom.GetAtomicNum() == 1:
            atom.SetIsotope(0)
    with BlockLogs():
        bare = Chem.RemoveHs(marked)
    new = {atom.GetIntProp("_written"): atom.GetIdx() for atom in bare.GetAtoms()}
    for atom in bare.GetAtoms():
        atom.ClearProp("_written")
    neighbours = ((atom.GetIdx(), atom.GetNeighbors()) for atom in mol.GetAtoms())
    return bare, [new[old] if old in new else new[near[0].GetIdx()] for old, near in neighbours]


def read_structures(path: str | Path) -> list[tuple[str, Mol | str]]:
    """(name, molecule) of everything in a file, or (name, why it cannot be read): one never stops the others.

    .smi  a SMILES and perhaps a name per line; blank lines, lines that start with # and a header are passed over
    .csv  a column `smiles` (any case), perhaps a column `id` or `name`
    .sdf .sd .mol  mol blocks; the name is nmrshiftdb2's ID or the title
    Any of them may be .gz. What has no name gets its number, from 1. Molecules as molecule_of_smiles makes them:
    `heavy` takes their explicit hydrogens away. Raises BadInput, naming the file.
    """
    chemistry()
    endings = [ending.lower() for ending in Path(path).suffixes]
    ending = (endings[:-1] if endings[-1:] == [".gz"] else endings)[-1:]
    if not ending or ending[0] not in ENDINGS:
        raise BadInput(f"input={path}: which format is this? Name it one of {' '.join(ENDINGS)}, perhaps with .gz")
    text = text_of(path, "input")
    if ending[0] in (".sdf", ".sd", ".mol"):
        blocks = (sd_file.block_and_properties(record) for record in sd_file.cut(text))
        named = [(sd_file.name_of(*found, number), found[0]) for number, found in enumerate(blocks, start=1)]
        named, read = [(name.removeprefix("#"), block) for name, block in named], molecule_of_block
    else:
        named, read = (_table(path, text) if ending[0] == ".csv" else _lines(text)), molecule_of_smiles
    if not named:
        raise BadInput(f"input={path}: there is no molecule in this file")
    return [(name, _or_reason(read, structure)) for name, structure in named]


def _or_reason(read, structure: str) -> Mol | str:
    try:
        return read(structure)
    except ValueError as error:
        return str(error)


def _lines(text: str) -> list[tuple[str, str]]:
    named = []
    for line in text.split("\n"):
        words = line.split(maxsplit=1)
        if not words or words[0].startswith("#") or (not named and words[0].lower().strip(",;") in TITLES):
            continue
        named.append((words[1].strip() if len(words) > 1 else str(len(named) + 1), words[0]))
    return named


def _table(path: str | Path, text: str) -> list[tuple[str, str]]:
    first = text.lstrip().split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text.lstrip()), delimiter=max(",;\t", key=first.count))
    try:
        head = [column.strip().lower() for column in next(rows)]
        rows = [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise BadInput(f"input={path}: is not a CSV ({error})") from error
    if "smiles" not in head:
        raise BadInput(f"input={path}: no column is called smiles (the first line is {first[:80]!r}): name one so")
    column, name = head.index("smiles"), next((head.index(n) for n in NAMES if n in head), None)
    cells = [[*map(str.strip, row), *[""] * (len(head) - len(row))] for row in rows]
    return [
        ((row[name] if name is not None else "") or str(number), row[column])
        for number, row in enumerate(cells, start=1)
    ]
