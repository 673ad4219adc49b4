"""The parent of a molecule: what its salts, ions and charge-separated forms have in common."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from dlthink.data.molecules.features.structures import chemistry

if TYPE_CHECKING:
    from rdkit.Chem import Mol

CHARGED = re.compile(r"\[[^\]]*[+-]")
BRACKET = re.compile(r"\[(?:\d*)([A-Z][a-z]?)")
NONMETALS = {"H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Ge", "As", "Se", "Br", "Te", "I"}
# One of several forms with the same atoms, beyond those that rdkit's own rules (nitro, sulfone, ...) make one of
FORMS = """\
S+-O- is S=O, P+-C- is P=C\t[P,S,As,Se,Te;+1:1]-[C,N,O,S;-1:2]>>[*;+0:1]=[*;+0:2]
diazo and azide\t[C,N;-1:1]-[N;+1:2]#[N;+0:3]>>[*;+0:1]=[*;+1:2]=[*;-1:3]
N-oxide with its proton\t[#7;+1:1]-[O;H1;+0:2]>>[*:1]-[O;H0;-1:2]
"""


def key(molecule: Mol, tautomers: bool = False) -> str:
    """What duplicates share: canonical SMILES of the parent, without stereo and isotopes.

    The parent is the largest part, with an organic one before an inorganic, cut from metals and neutralized: an
    acid, its sodium salt and its zwitterion have one key, an amine and its hydrochloride, and S=O and S+-O- forms.
    A neutral molecule in one part is its own parent.

    tautomers  also what tautomers share: rdkit's HetAtomTautomerv2 hash, which takes the hydrogens and bond orders
               out of what may shift, keto and enol included. It joins rather too much than too little
    """
    Chem, _ = chemistry()
    if any(atom.GetIsotope() for atom in molecule.GetAtoms()):
        molecule = Chem.Mol(molecule)
        for atom in molecule.GetAtoms():
            atom.SetIsotope(0)
        molecule = Chem.RemoveHs(molecule)
    text = Chem.MolToSmiles(molecule, isomericSmiles=False)
    if "." in text or CHARGED.search(text) or {*BRACKET.findall(text)} - NONMETALS:
        molecule = parent(molecule)
        text = Chem.MolToSmiles(molecule, isomericSmiles=False)
    if tautomers:
        from rdkit.Chem import rdMolHash

        return rdMolHash.MolHash(molecule, rdMolHash.HashFunction.HetAtomTautomerv2)
    return text


def parent(molecule: Mol) -> Mol:
    """The neutralized largest part; what rdkit's standardizer cannot handle is its own parent."""
    _, BlockLogs = chemistry()
    try:
        with BlockLogs():
            found = molecule
            for step in _steps():
                found = step(found)
    except (ValueError, RuntimeError):
        return molecule
    return found if found is not None and found.GetNumAtoms() else molecule


@cache
def _steps():
    """The steps of rdkit's standardizer, which are costly to set up."""
    from rdkit.Chem.MolStandardize import rdMolStandardize as standardize

    return (
        standardize.MetalDisconnector().Disconnect,
        standardize.LargestFragmentChooser(preferOrganic=True).choose,
        standardize.Normalizer().normalize,
        standardize.Uncharger(canonicalOrder=True, force=True).uncharge,  # a betaine as its hydrochloride
        standardize.NormalizerFromData(FORMS, standardize.CleanupParameters()).normalize,
    )
