"""The user's own molecules: which atoms are asked for, and the table that is written."""

import csv
import resource

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")


from dlthink.data.molecules.simulated import Molecules  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block, record, save  # noqa: E402


@pytest.fixture(scope="module")
def embedded():
    return Molecules(120)


# ---------------------------------------------------------------------------------------- the user's own molecules

STATE = {"nucleus": "13C", "elements": [1, 6, 7, 8, 9, 11, 17]}


def table(inputs, path, **read):
    """The rows that are written where the network says 1000 molecule + atom of the batch, by name."""
    batch, nothing = inputs.take(torch.arange(len(inputs)))
    assert nothing is None
    mean = (1000.0 * batch["molecule"][batch["asked"]] + batch["asked"])[:, None]
    inputs.write(read or {"mean": mean}, str(path))
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_one_row_for_each_carbon_and_one_for_each_problem(tmp_path):
    text = "CCO ethanol\nC( broken\nCBr bromine\n[Na+].[O-]C(=O)C salt\nO water\nC methane\n[Na+] ion\nCC\n"
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", text)), STATE)
    rows = table(inputs, tmp_path / "y.csv")
    assert list(rows[0]) == ["molecule", "atom", "element", "mean", "std", "low_90", "high_90", "problem"]
    assert [(row["molecule"], row["atom"]) for row in rows] == [
        ("ethanol", "0"), ("ethanol", "1"), ("broken", ""), ("bromine", ""), ("salt", "2"), ("salt", "4"),
        ("water", ""), ("methane", "0"), ("ion", ""), ("8", "0"), ("8", "1"),
    ]  # fmt: skip
    problems = {row["molecule"]: row["problem"] for row in rows if row["problem"]}
    assert problems == {
        "broken": "not a SMILES",
        "bromine": "Br is not among the elements that the run was trained on",
        "water": "no carbon in it",
        "ion": "no carbon in it",
    }
    assert [row["element"] for row in rows if not row["problem"]] == ["C"] * 7
    assert [float(row["mean"]) for row in rows if not row["problem"]] == [0, 1, 1005, 1007, 2008, 3009, 3010]
    assert rows[0]["std"] == rows[0]["low_90"] == "nan"
    assert inputs.told() == "7 atoms of 4 molecules; 4 have none (see the column problem)"


def test_the_interval_is_the_central_90_percent(tmp_path):
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "CC\n")), STATE)
    normal = torch.distributions.Normal(torch.tensor([[10.0], [20.0]]), torch.tensor([[1.0], [2.0]]))
    read = {"mean": normal.mean, "std": normal.stddev, "distribution": normal}
    rows = table(inputs, tmp_path / "y.csv", **read)
    found = [[float(row[name]) for name in ("mean", "std", "low_90", "high_90")] for row in rows]
    assert found == [
        pytest.approx([10, 1, 8.35515, 11.6449]),
        pytest.approx([20, 2, 16.7103, 23.2897]),
    ]
    assert inputs.told() == "2 atoms of 1 molecules"


def test_atoms_are_counted_as_the_file_counts_them(tmp_path):
    """Ethanol with hydrogens in between, and with the oxygen first: carbons are numbers 2 and 4."""
    inputs = Molecules.inputs(str(save(tmp_path / "a.sdf", record(ETHANOL, {}))), STATE)
    assert [row["atom"] for row in table(inputs, tmp_path / "y.csv")] == ["2", "4"]
    known = inputs.known(torch.tensor([0]))
    hydrogens = [
        Chem.MolFromSmiles(known["structure"][0]).GetAtomWithIdx(int(a)).GetTotalNumHs() for a in known["atom"]
    ]
    assert hydrogens == [2, 3]


def test_atoms_are_counted_so_where_the_smiles_takes_another_order(tmp_path):
    """N and O beside atom 0 of 5; atom 3 on N, atom 4 on O: what is drawn and what is written are the same atom."""
    text = block(["C", "N", "O", "C", "C"], [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 4, 1)])
    inputs = Molecules.inputs(str(save(tmp_path / "a.mol", text)), STATE)
    known = inputs.known(torch.tensor([0]))
    molecule = Chem.MolFromSmiles(known["structure"][0])
    for written, atom in zip(inputs.written, known["atom"].tolist(), strict=True):
        beside = {a.GetSymbol() for a in molecule.GetAtomWithIdx(atom).GetNeighbors()}
        assert beside == {0: {"N", "O"}, 3: {"N"}, 4: {"O"}}[written]
    assert sorted(inputs.written) == [0, 3, 4]


def test_hydrogens_are_asked_at_their_bearers(tmp_path):
    text = "OCC(=O)N(C)C a\nFC(F)(F)F none\n[2H]OC heavy\n"
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", text)), STATE | {"nucleus": "1H"})
    rows = table(inputs, tmp_path / "y.csv")
    found = [(row["molecule"], row["atom"], row["element"]) for row in rows]
    assert found == [
        ("a", "0", "O"),
        ("a", "1", "C"),
        ("a", "5", "C"),
        ("a", "6", "C"),
        ("none", "", ""),
        ("heavy", "2", "C"),
    ]
    assert rows[4]["problem"] == "no hydrogen in it"


def test_an_input_looks_to_the_network_as_training_did(embedded, tmp_path):
    split = embedded.test
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "\n".join(split.smiles) + "\n")), embedded.state)
    index = torch.arange(len(split))
    for (name, one), other in zip(inputs.take(index)[0].items(), split.take(index)[0].values(), strict=True):
        assert one.equal(other), name


def test_a_chain_of_a_thousand_atoms(tmp_path):
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "C" * 1000 + "\n")), STATE)
    assert [row["atom"] for row in table(inputs, tmp_path / "y.csv")] == [str(i) for i in range(1000)]


def test_nothing_is_said_by_rdkit_itself(tmp_path, capfd):
    Molecules.inputs(str(save(tmp_path / "a.smi", "[H+].CC\nC(\nC(C)(C)(C)(C)C\n[2H]C\n")), STATE)
    assert capfd.readouterr() == ("", "")


def test_nothing_that_can_be_predicted(tmp_path):
    path = save(tmp_path / "a.smi", "O water\nC(\n")
    with pytest.raises(BadInput, match=rf"input={path}: holds no molecule .*the first, water: no carbon in it"):
        Molecules.inputs(str(path), STATE)


@pytest.mark.parametrize("output", ["nowhere/y.csv", "file/y.csv", "folder", "y" * 300 + ".csv"])
def test_a_table_that_cannot_be_written(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "CC\n")), STATE)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match=rf"output={output}: cannot be written \(.*\): choose another place"):
        inputs.write({"mean": torch.zeros(2, 1)}, output)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_table_is_whole_or_the_one_before(tmp_path):
    path = tmp_path / "y.csv"
    path.write_text("the one before")
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "C" * 500 + "\n")), STATE)
    with pytest.raises(IndexError):
        inputs.write({"mean": torch.zeros(499, 1)}, str(path))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(BadInput, match="cannot be written"):
            inputs.write({"mean": torch.zeros(500, 1)}, str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "the one before"
    assert not list(tmp_path.glob(".y.csv*"))
