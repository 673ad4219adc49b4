"""The user's own molecules: which atoms are asked for, and the table that is written."""

import csv
import resource
from contextlib import closing

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
    for part in inputs.parts(str(path)):
        batch, nothing = part.take(torch.arange(len(part)))
        assert nothing is None
        mean = (1000.0 * batch["molecule"][batch["asked"]] + batch["asked"])[:, None]
        part.write(read or {"mean": mean}, str(path))
    return rows_of(path)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def only(inputs, path):
    """The one part of a small file."""
    (part,) = inputs.parts(str(path / "y.csv"))
    return part


def test_one_row_for_each_carbon_and_one_for_each_problem(tmp_path):
    text = "CCO ethanol\nC( broken\nCBr bromine\n[Na+].[O-]C(=O)C salt\nO water\nC methane\n[Na+] ion\nCC\n"
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", text)), STATE)
    rows = table(inputs, tmp_path / "y.csv")
    assert list(rows[0]) == ["molecule", "atom", "element", "mean", "std", "low_90", "high_90", "problem"]
    assert [(row["molecule"], row["atom"]) for row in rows] == [
        ("ethanol", "0"),
        ("ethanol", "1"),
        ("broken", ""),
        ("bromine", ""),
        ("salt", "2"),
        ("salt", "4"),
        ("water", ""),
        ("methane", "0"),
        ("ion", ""),
        ("8", "0"),
        ("8", "1"),
    ]
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
    assert inputs.summary() == "7 atoms of 4 molecules; 4 have none (see the column problem)"


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
    assert inputs.summary() == "2 atoms of 1 molecules"


def test_atoms_are_counted_as_the_file_counts_them(tmp_path):
    """Ethanol with hydrogens in between, and with the oxygen first: carbons are numbers 2 and 4."""
    inputs = Molecules.inputs(str(save(tmp_path / "a.sdf", record(ETHANOL, {}))), STATE)
    assert [row["atom"] for row in table(inputs, tmp_path / "y.csv")] == ["2", "4"]
    known = only(Molecules.inputs(str(tmp_path / "a.sdf"), STATE), tmp_path).known(torch.tensor([0]))
    hydrogens = [
        Chem.MolFromSmiles(known["structure"][0]).GetAtomWithIdx(int(a)).GetTotalNumHs() for a in known["atom"]
    ]
    assert hydrogens == [2, 3]


def test_atoms_are_counted_so_where_the_smiles_takes_another_order(tmp_path):
    """N and O beside atom 0 of 5; atom 3 on N, atom 4 on O: what is drawn and what is written are the same atom."""
    text = block(["C", "N", "O", "C", "C"], [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 4, 1)])
    part = only(Molecules.inputs(str(save(tmp_path / "a.mol", text)), STATE), tmp_path)
    known = part.known(torch.tensor([0]))
    molecule = Chem.MolFromSmiles(known["structure"][0])
    every = [part.every[0].written[atom] for atom in known["atom"].tolist()]
    for written, atom in zip(every, known["atom"].tolist(), strict=True):
        beside = {a.GetSymbol() for a in molecule.GetAtomWithIdx(atom).GetNeighbors()}
        assert beside == {0: {"N", "O"}, 3: {"N"}, 4: {"O"}}[written]
    assert every == [0, 3, 4]


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
    shown, trained = only(inputs, tmp_path).take(index)[0], split.take(index)[0]
    assert set(shown) == set(trained) - {"tie"}  # which tells what a member of an ensemble learns from
    for name, one in shown.items():
        assert one.equal(trained[name]), name


def test_stereo_in_a_smiles_changes_nothing(tmp_path):
    plain = ["CC(O)C(F)C=CC", "c1ccc2[nH]ccc2c1", "CC(N)C(=O)[O-]"]
    drawn = ["C[C@H](O)[C@@](F)([H])/C=C/C", "c1ccc2[nH]ccc2c1", "C[C@@H](N)C(=O)[O-]"]
    one, other = (
        only(Molecules.inputs(str(save(tmp_path / "a.smi", "\n".join(some))), STATE), tmp_path)
        for some in (plain, drawn)
    )
    index = torch.arange(3)
    for name, value in one.take(index)[0].items():
        assert value.equal(other.take(index)[0][name]), name
    assert not any({*text} & {*"@/\\"} for text in other.known(index)["structure"])


def test_a_chain_of_a_thousand_atoms(tmp_path):
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "C" * 1000 + "\n")), STATE)
    assert [row["atom"] for row in table(inputs, tmp_path / "y.csv")] == [str(i) for i in range(1000)]


def test_nothing_is_said_by_rdkit_itself(tmp_path, capfd):
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "[H+].CC\nC(\nC(C)(C)(C)(C)C\n[2H]C\n")), STATE)
    only(inputs, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_nothing_that_can_be_predicted(tmp_path):
    path = save(tmp_path / "a.smi", "O water\nC(\n")
    with pytest.raises(BadInput, match=rf"input={path}: holds no molecule .*the first, water: no carbon in it"):
        list(Molecules.inputs(str(path), STATE).parts(str(tmp_path / "y.csv")))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.smi"]


def test_what_holds_nothing_for_long_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.data.molecules.inputs.HOPELESS", 5)
    path = save(tmp_path / "a.smi", "O water\n" * 6 + "CC\n")
    with pytest.raises(BadInput, match=r"no molecule that can be predicted among its first 5; the first, water"):
        list(Molecules.inputs(str(path), STATE).parts(str(tmp_path / "y.csv")))


@pytest.mark.parametrize("most", [{"PART": 2}, {"ATOMS": 3}], ids=str)
def test_the_table_is_the_same_in_parts(tmp_path, monkeypatch, most):
    text = "O water\nCCO ethanol\nC( broken\nC methane\n" * 3 + "CCCCC\nO last\n"
    path = str(save(tmp_path / "a.smi", text))
    whole = table(Molecules.inputs(path, STATE), tmp_path / "whole.csv")
    for name, value in most.items():
        monkeypatch.setattr(f"dlthink.data.molecules.inputs.{name}", value)
    inputs = Molecules.inputs(path, STATE)
    parts, places = [], []
    for part in inputs.parts(str(tmp_path / "y.csv")):
        assert not (tmp_path / "y.csv").exists(), "it takes its name when all is written"
        parts.append(len(part))
        known = part.known(torch.arange(len(part)))
        places += known["place"].unique_consecutive().tolist()
        part.write({"mean": torch.zeros(len(known["atom"]), 1)}, "")
    assert len(parts) > 2 and sum(parts) == inputs.molecules == 7 and inputs.rejected == 7
    assert places == [1, 3, 5, 7, 9, 11, 12]
    rows = rows_of(tmp_path / "y.csv")
    assert [{**row, "mean": ""} for row in rows] == [{**row, "mean": ""} for row in whole]


WIDENED = "within two bonds the spread is at least that of all training values"
SEEN = STATE | {
    "kinds": [[6, 2, 4, 0], [6, 2, 3, 0], [8, 2, 4, 0], [7, 3, 3, 0], [8, 1, 3, 0]],
    "lookup": {"overall": (60.0, 50.0)},
}


def test_atoms_unlike_any_in_training_are_named_and_their_spread_is_wide(tmp_path):
    """Kinds seen: sp3 and sp2 carbon, sp3 oxygen, and what a nitro group is made of."""
    text = "CCCCCO fine\nC[CH2] radical\nCCCCC[N+](C)(C)C ammonium\n[CH3+] cation\n[CH-]1C=CC=C1 anion\n"
    normal = torch.distributions.Normal(torch.zeros(21, 1), torch.ones(21, 1))
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", text)), SEEN)
    rows = table(inputs, tmp_path / "y.csv", mean=normal.mean, std=normal.stddev, distribution=normal)
    problems = {row["molecule"]: row["problem"] for row in rows}
    assert problems == {
        "fine": "",
        "radical": f"unlike any atom in training: C (sp3, radical); {WIDENED}",
        "ammonium": f"unlike any atom in training: N+ (sp3); {WIDENED}",
        "cation": f"unlike any atom in training: C+ (sp2); {WIDENED}",
        "anion": f"unlike any atom in training: C- (sp2); {WIDENED}",
    }
    wide = {(row["molecule"], row["atom"]) for row in rows if float(row["std"]) == 50}
    assert wide == {(r["molecule"], r["atom"]) for r in rows if r["problem"]} - {("ammonium", a) for a in "012"}
    for row in rows:
        low, high = (-82.2427, 82.2427) if (row["molecule"], row["atom"]) in wide else (-1.64485, 1.64485)
        assert (float(row["low_90"]), float(row["high_90"])) == (pytest.approx(low), pytest.approx(high))
    assert inputs.summary() == "21 atoms of 5 molecules; 4 hold atoms unlike any in training (see the column problem)"
    (part,) = Molecules.inputs(inputs.path, SEEN).parts(str(tmp_path / "z.csv"))
    least = part.known(torch.arange(5))["least_std"]  # pictures say the same
    assert least.flatten().tolist() == [50.0 if float(row["std"]) == 50 else 0.0 for row in rows]


def test_what_was_in_training_is_known(embedded):
    kinds = {tuple(kind) for kind in embedded.state["kinds"]}
    assert {(6, 2, 4, 0), (6, 2, 3, 0), (8, 2, 3, 0)} <= kinds
    assert all(len(kind) == 4 and kind[0] in embedded.state["elements"] for kind in kinds)
    assert not any(kind[3] for kind in kinds if kind[0] == 6), "the table has no carbon radicals"


@pytest.mark.parametrize("output", ["nowhere/y.csv", "file/y.csv", "folder", "y" * 300 + ".csv"])
def test_a_table_that_cannot_be_written(tmp_path, monkeypatch, output):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "CC\n")), STATE)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match=rf"output={output}: cannot be written \(.*\): choose another place"):
        for part in inputs.parts(output):
            part.write({"mean": torch.zeros(2, 1)}, output)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_table_is_whole_or_the_one_before(tmp_path):
    path = tmp_path / "y.csv"
    path.write_text("the one before")
    smiles = str(save(tmp_path / "a.smi", "C" * 500 + "\n"))
    with closing(Molecules.inputs(smiles, STATE).parts(str(path))) as parts, pytest.raises(RuntimeError):
        next(parts).write({"mean": torch.zeros(499, 1)}, str(path))
    assert path.read_text() == "the one before" and not list(tmp_path.glob(".y.csv*"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(BadInput, match="cannot be written"):
            for part in Molecules.inputs(smiles, STATE).parts(str(path)):
                part.write({"mean": torch.zeros(500, 1)}, str(path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "the one before"
    assert not list(tmp_path.glob(".y.csv*"))
