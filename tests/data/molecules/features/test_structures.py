"""Structures keep the order in which they were written, and explicit hydrogens go by rdkit's own rule."""

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.features.structures import heavy, molecule_of_block, molecule_of_smiles  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block  # noqa: E402


def symbols(mol):
    return "".join(atom.GetSymbol() for atom in mol.GetAtoms())


def test_atoms_stay_as_written():
    assert symbols(molecule_of_smiles("[H]OC([H])C")) == "HOCHC"
    assert symbols(molecule_of_block(ETHANOL)) == "OHCHC"
    assert "@" not in Chem.MolToSmiles(molecule_of_smiles("C[C@H](O)F"))


def test_hydrogens_go_and_their_index_becomes_the_neighbours():
    bare, new = heavy(molecule_of_block(ETHANOL))
    assert (symbols(bare), new) == ("OCC", [0, 0, 1, 1, 2])
    assert [atom.GetTotalNumHs() for atom in bare.GetAtoms()] == [1, 2, 3]


def test_without_explicit_hydrogens_nothing_moves():
    bare, new = heavy(molecule_of_smiles("CCO"))
    assert (symbols(bare), new) == ("CCO", [0, 1, 2])


@pytest.mark.parametrize(
    "smiles, left, new",
    [
        ("[2H]C([H])O", "CO", [0, 0, 0, 1]),
        ("[H][H]", "HH", [0, 1]),
        ("[H-].[Na+]", "HNa", [0, 1]),
        ("[H+].CC", "HCC", [0, 1, 2]),
        ("[H]C", "C", [0, 0]),
    ],
)
def test_hydrides_and_h2_stay_and_deuterium_goes(smiles, left, new):
    bare, found = heavy(molecule_of_smiles(smiles))
    assert (symbols(bare), found) == (left, new)
    again = Chem.MolFromSmiles(Chem.MolToSmiles(bare))
    assert again.GetNumAtoms() == bare.GetNumAtoms()


@pytest.mark.parametrize(
    "smiles, why", [("C(", "not a SMILES"), ("", "empty"), ("C(C)(C)(C)(C)C", "valence"), ("c1cccc1", "kekul")]
)
def test_an_unreadable_smiles_says_why(smiles, why, capfd):
    with pytest.raises(ValueError, match=f"(?i){why}"):
        molecule_of_smiles(smiles)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "text, why",
    [
        ("rubbish", "not a mol block"),
        ("", "not a mol block"),
        (block([]), "no atoms"),
        (block("FCC", [(0, 1, 3)]), "valence"),
    ],
)
def test_an_unreadable_block_says_why(text, why, capfd):
    with pytest.raises(ValueError, match=f"(?i){why}"):
        molecule_of_block(text)
    assert capfd.readouterr().err == ""


def test_rdkit_speaks_again_afterwards(capfd):
    molecule_of_smiles("C")
    Chem.MolFromSmiles("C(")
    assert "C(" in capfd.readouterr().err
