"""SMILES and mol blocks to rdkit molecules, atoms in the order in which they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlthink.errors import BadInput

if TYPE_CHECKING:
    from rdkit.Chem import Mol


def chemistry():
    """rdkit's Chem and BlockLogs (a context that keeps rdkit quiet). Raises BadInput where rdkit is missing."""
    try:
        from rdkit import Chem
        from rdkit.rdBase import BlockLogs
    except ImportError as error:
        raise BadInput("data=...: reading molecules needs rdkit: pip install 'dlthink[molecules]'") from error
    return Chem, BlockLogs


WRITTEN = "_written"  # the property of a molecule that keeps its SMILES


def molecule_of_smiles(text: str) -> Mol:
    """Sanitized molecule of a SMILES: written order, explicit hydrogens kept, no stereo. Raises ValueError."""
    Chem, BlockLogs = chemistry()
    text = text.strip()
    if not text:
        raise ValueError("the SMILES is empty")
    parameters = Chem.SmilesParserParams()
    parameters.sanitize = parameters.removeHs = parameters.parseName = False
    with BlockLogs():
        molecule = _sanitized(Chem.MolFromSmiles(text, parameters), "not a SMILES")
    molecule.SetProp(WRITTEN, text)
    return molecule


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
