"""Structures keep the order in which they were written, and explicit hydrogens go by rdkit's own rule."""

import gzip

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.structures import heavy, molecule_of_block, molecule_of_smiles, read_structures  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block, record, save  # noqa: E402


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


def readings(path):
    return [(name, found if isinstance(found, str) else symbols(found)) for name, found in read_structures(path)]


def test_smi(tmp_path):
    text = "SMILES name\n# a comment\nCCO ethanol, pure\n\nC(\nC\tmethane\n[Na+].[Cl-]\n"
    expected = [("ethanol, pure", "CCO"), ("2", "not a SMILES"), ("methane", "C"), ("4", "NaCl")]
    assert readings(save(tmp_path / "a.smi", text)) == expected
    assert readings(save(tmp_path / "a.SMI.gz", text.replace("\n", "\r\n"), packed=True)) == expected


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv(tmp_path, mark):
    text = (
        mark.join(("mass", "Name", "SmiLes"))
        + "\n"
        + mark.join(("46", "ethanol", "CCO"))
        + "\n"
        + mark.join(("1", "", "X"))
    )
    assert readings(save(tmp_path / "a.csv", "\ufeff" + text)) == [("ethanol", "CCO"), ("2", "not a SMILES")]


def test_csv_with_short_rows_and_quotes(tmp_path):
    text = 'smiles,id\n"CCO","a, b"\nCC\n\n,empty\n'
    assert readings(save(tmp_path / "a.csv", text)) == [("a, b", "CCO"), ("2", "CC"), ("empty", "the SMILES is empty")]


def test_csv_without_the_column(tmp_path):
    with pytest.raises(BadInput, match=r"a\.csv: no column is called smiles .*'structure,id'"):
        read_structures(save(tmp_path / "a.csv", "structure,id\nC,1\n"))


def test_sdf_and_mol(tmp_path):
    text = (
        record(ETHANOL, {})
        + record("broken\n", {})
        + record(block("C", title=""), {"nmrshiftdb2 ID": "9"})
        + record(block("C", title=""), {})
    )
    expected = [("ethanol", "OHCHC"), ("broken", "not a mol block"), ("9", "C"), ("4", "C")]
    assert readings(save(tmp_path / "a.sdf", text)) == expected
    assert readings(save(tmp_path / "a.sd.gz", text, packed=True)) == expected
    assert readings(save(tmp_path / "a.mol", ETHANOL)) == expected[:1]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.xyz", b"C", "which format"),
        ("a.smi", b"", "empty"),
        ("a.smi", b"# only a comment\n", "no molecule"),
        ("a.csv", b"smiles\n", "no molecule"),
        ("a.smi.gz", gzip.compress(b"CCO\n" * 99)[:-9], "cut short"),
        ("a.smi.gz", b"\x1f\x8brubbish of some length", "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=f"input=.*{name}: .*{message}"):
        read_structures(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInput, match=r"input=.*none\.smi: there is no such file"):
        read_structures(tmp_path / "none.smi")
