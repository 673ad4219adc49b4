"""A property of each molecule: splits, what is known, the state of a run, what the user's own molecules get."""

import csv
import io
import math
import sys

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.features import descriptors  # noqa: E402
from dlthink.data.molecules.molecule_table import MoleculeTable  # noqa: E402
from dlthink.data.molecules.splits import FOLDS  # noqa: E402
from dlthink.data.stable_hash import share  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import save  # noqa: E402
from tests.data.molecules.made_properties import rows, table  # noqa: E402
from tests.data.molecules.made_shifts import EVERY  # noqa: E402

QUICK = {"baselines": ["constant"]}


@pytest.fixture
def path(tmp_path):
    return str(save(tmp_path / "a.csv", table()))


def sides(data):
    return {name: {Chem.CanonSmiles(s) for s in getattr(data, name).smiles} for name in ("train", "val", "test")}


def side_of(data):
    return {smiles: name for name, some in sides(data).items() for smiles in some}


def test_values_are_those_of_the_file(path):
    data = MoleculeTable(path, target=["atoms", "others"], **QUICK)
    said = {Chem.CanonSmiles(row["smiles"]): row for row in rows()}
    seen = 0
    for split in (data.train, data.val, data.test):
        x, y = split.take(torch.arange(len(split)))
        assert len(x["size"]) == len(y) == len(split) and "asked" not in x and "descriptors" not in x
        for smiles, own in zip(split.smiles, y.tolist(), strict=True):
            row = said[Chem.CanonSmiles(smiles)]
            assert own[0] == pytest.approx(float(row["atoms"]))
            assert math.isnan(own[1]) if row["others"] == "" else own[1] == float(row["others"])
            seen += 1
    assert seen == len(EVERY)
    assert any(note.startswith("molecules (values) for train / val / test") for note in data.notes)


def test_the_facts(path):
    one = MoleculeTable(path, target="atoms", unit="atoms", **QUICK)
    assert one.fact_names({}) == tuple(one.facts) and one.targets({}) == "reals"
    assert (one.facts["unit"], one.facts["target_names"], one.facts["n_targets"]) == ("atoms", ["atoms"], 1)
    both = MoleculeTable(path, target=["atoms", "others"], **QUICK).facts
    assert both["unit"] == ["", ""] and len(both["target_std"]) == 2
    y = MoleculeTable(path, target=["atoms", "others"], **QUICK).train.y
    known = y[:, 1][~y[:, 1].isnan()]
    assert both["target_std"][1] == pytest.approx(float(known.std(correction=0)), rel=1e-5)


# -------------------------------------------------------------------------------------------------------------- splits


def test_a_column_says_who_is_test(path):
    data = MoleculeTable(path, target="atoms", split="Side", **QUICK)
    words = {Chem.CanonSmiles(row["smiles"]): row["side"].lower() for row in rows()}
    assert side_of(data) == {s: "val" if word == "valid" else word for s, word in words.items()}


def test_without_validation_rows_a_share_of_training_is_taken(tmp_path):
    text = table(side=lambda row: "train" if row["side"] == "valid" else row["side"])
    data = MoleculeTable(str(save(tmp_path / "a.csv", text)), target="atoms", split="side", validation=0.2, **QUICK)
    test = {Chem.CanonSmiles(row["smiles"]) for row in rows() if row["side"] == "TEST"}
    assert sides(data)["test"] == test and 0.1 < len(data.val) / (len(data.val) + len(data.train)) < 0.3


def test_every_molecule_is_test_in_one_fold(path):
    tests = [sides(MoleculeTable(path, target="atoms", fold=fold, **QUICK))["test"] for fold in range(FOLDS)]
    assert sum(map(len, tests)) == len(set.union(*tests)) == len(EVERY)
    with pytest.raises(BadInput, match=r"data.fold=5: there are 5, 0 to 4"):
        MoleculeTable(path, target="atoms", fold=5, **QUICK)


@pytest.mark.parametrize("split", ["random", "scaffold"])
def test_a_group_stays_on_one_side(path, split):
    side = side_of(MoleculeTable(path, target="atoms", split=split, group="batch", **QUICK))
    batches = {}
    for row in rows():
        batches.setdefault(row["batch"], set()).add(side[Chem.CanonSmiles(row["smiles"])])
    assert all(len(found) == 1 for found in batches.values()) and {"train", "test"} <= set.union(*batches.values())
    if split == "random":
        apart = side_of(MoleculeTable(path, target="atoms", **QUICK))
        found = [{apart[Chem.CanonSmiles(row["smiles"])] for row in rows() if row["batch"] == b} for b in batches]
        assert any(len(one) > 1 for one in found)


def test_skeletons_stay_on_one_side(path):
    from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

    side, skeletons = side_of(MoleculeTable(path, target="atoms", split="scaffold", **QUICK)), {}
    for smiles in EVERY:
        skeletons.setdefault(MurckoScaffoldSmiles(smiles) or smiles, set()).add(side[Chem.CanonSmiles(smiles)])
    assert all(len(found) == 1 for found in skeletons.values())


def test_stereoisomers_and_salts_stay_together(tmp_path):
    text = "smiles,y\n" + "".join(
        f"{'C' * n}[C@H](F)C(=O)O,{n}\n{'C' * n}[C@@H](F)C(=O)O,{n}\n{'C' * n}C(F)C(=O)[O-].[Na+],{n}\n"
        for n in range(2, 30)
    )
    data = MoleculeTable(str(save(tmp_path / "a.csv", text)), target="y", **QUICK)
    of_size = [{int(y) for y in split.y[:, 0].tolist()} for split in (data.train, data.val, data.test)]
    assert sum(map(len, of_size)) == len(set.union(*of_size)) == 28


# ------------------------------------------------------------------------------------------------- baselines and state


def test_baselines_know_nothing_of_validation_and_test(path, tmp_path):
    pytest.importorskip("sklearn")
    data = MoleculeTable(path, target=["atoms", "others"])
    names = {"constant", "lookup", "boosting"}
    assert "baselines" not in data.train.known(torch.arange(3))
    known = data.test.known(torch.arange(len(data.test)))["baselines"]
    assert set(known) == names
    for read in known.values():
        assert read["mean"].shape == read["std"].shape == data.test.y.shape and bool((read["std"] > 0).all())
    held = {*sides(data)["val"], *sides(data)["test"]}
    changed = table(atoms=lambda row: 99 if Chem.CanonSmiles(row["smiles"]) in held else row["atoms"])
    other = MoleculeTable(str(save(tmp_path / "b.csv", changed)), target=["atoms", "others"])
    again = other.test.known(torch.arange(len(other.test)))["baselines"]
    for name in names:
        torch.testing.assert_close(known[name], again[name])


def test_without_scikit_learn_a_note_says_so(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    data = MoleculeTable(path, target="atoms")
    assert any("scikit-learn" in note and "dlthink[table]" in note for note in data.notes)
    assert set(data.test.known(torch.tensor([0]))["baselines"]) == {"constant", "lookup"}


def test_the_state_is_plain_and_prepares_another_file_alike(path, tmp_path):
    pytest.importorskip("sklearn")
    data = MoleculeTable(path, target="atoms", descriptors=True)
    buffer = io.BytesIO()
    torch.save(data.state, buffer)
    buffer.seek(0)
    state = torch.load(buffer, weights_only=True)
    again = MoleculeTable(path, target="atoms", descriptors=True, state=state)
    assert sides(again) == sides(data)
    index = torch.arange(len(data.test))
    torch.testing.assert_close(data.test.take(index), again.test.take(index))
    torch.testing.assert_close(data.test.known(index)["baselines"], again.test.known(index)["baselines"])
    # half of the molecules, and some that were never seen: those of training are no test
    text = table().splitlines()
    more = [*text[:60], "new,CCCCCCCCCCCCCCN,16.0,1,,", "new,CCCCCCCCCCCCCCCN,17.0,1,,"]
    second = MoleculeTable(
        str(save(tmp_path / "b.csv", "\n".join(more))), target="atoms", descriptors=True, state=state
    )
    assert not sides(second)["test"] & (sides(data)["train"] | sides(data)["val"])
    assert {"CCCCCCCCCCCCCCN", "CCCCCCCCCCCCCCCN"} <= sides(second)["test"]
    with pytest.raises(BadInput, match=r"data.target=others: the run was trained with atoms"):
        MoleculeTable(path, target="others", descriptors=True, state=state)


def test_the_cache_holds_what_was_read(path, data_folder):
    one = MoleculeTable(path, target="atoms", **QUICK)
    assert len(list((data_folder / "cache" / "molecules").iterdir())) == 1
    again = MoleculeTable(path, target="atoms", **QUICK)
    assert sides(one) == sides(again) and one.notes == again.notes
    torch.testing.assert_close(one.train.y, again.train.y)
    MoleculeTable(path, target="others", **QUICK)  # another target is another table
    assert len(list((data_folder / "cache" / "molecules").iterdir())) == 2


# --------------------------------------------------------------------------------------------------------- descriptors


def test_descriptors_are_those_of_rdkit_standardized_on_training(path):
    from rdkit.Chem import Descriptors

    data = MoleculeTable(path, target="atoms", descriptors=True, **QUICK)
    x, _ = data.train.take(torch.arange(len(data.train)))
    names = data.state["scales"]["names"]
    assert x["descriptors"].shape == (len(data.train), len(names)) == (len(data.train), data.facts["n_descriptors"])
    assert 50 < len(names) < len(descriptors.names()) and x["descriptors"].isfinite().all()
    plain = x["descriptors"].abs().amax(0) < descriptors.WIDEST  # nothing of these was cut
    assert float(x["descriptors"][:, plain].mean(0).abs().max()) < 1e-4
    own = torch.tensor([Descriptors.MolWt(Chem.MolFromSmiles(s)) for s in data.train.smiles]).log1p()
    expected = (own - own.mean()) / own.std(correction=0)
    torch.testing.assert_close(x["descriptors"][:, names.index("MolWt")], expected, rtol=1e-3, atol=1e-3)


def test_a_descriptor_without_an_answer_is_average():
    learned = {"mean": torch.tensor([2.0]), "std": torch.tensor([0.5])}
    values = torch.tensor([[math.nan], [2.5], [1e9], [-1e9]])
    assert descriptors.standardized(values, learned)[:, 0].tolist() == [0.0, 1.0, 5.0, -5.0]
    constant = descriptors.scale(torch.tensor([[1.0, 2.0, math.nan], [1.0, 3.0, math.nan]]), ["a", "b", "c"])
    assert constant["names"] == ["b"]


# -------------------------------------------------------------------------------------------------- the user's own file


def written(data, tmp_path, text, ending="smi", **settings):
    """The rows of the table, where mean and spread are those of a constant guess plus the number of atoms."""
    inputs = data.inputs(str(save(tmp_path / f"in.{ending}", text)), data.state | settings)
    for part in inputs.parts(str(tmp_path / "out.csv")):
        x, y = part.take(torch.arange(len(part)))
        assert y is None
        mean = x["size"][:, None].float() * torch.arange(1, len(data.names) + 1)
        normal = torch.distributions.Normal(mean, torch.full_like(mean, 0.1))
        part.write({"mean": normal.mean, "std": normal.stddev, "distribution": normal}, "")
    with (tmp_path / "out.csv").open(newline="") as file:
        return list(csv.DictReader(file)), inputs


def test_a_row_for_each_molecule(path, tmp_path):
    data = MoleculeTable(path, target="atoms", **QUICK)
    found, inputs = written(data, tmp_path, "CCO ethanol\nC( broken\nCC[Si] silicon\nO water\n")
    assert list(found[0]) == ["molecule", "smiles", "mean", "std", "low_90", "high_90", "problem"]
    assert [(row["molecule"], row["mean"]) for row in found] == [
        ("ethanol", "3"),
        ("broken", ""),
        ("silicon", ""),
        ("water", "1"),
    ]
    assert found[2]["problem"] == "Si is not among the elements that the run was trained on"
    assert float(found[0]["low_90"]) == pytest.approx(3 - 0.164485, abs=1e-4)
    assert inputs.summary() == "2 molecules; 2 have none (see the column problem)"


def test_several_targets_have_columns_of_their_own(path, tmp_path):
    data = MoleculeTable(path, target=["atoms", "others"], **QUICK)
    found, _ = written(data, tmp_path, "id;my smiles\na;CCO\nb;CC\n", "csv")
    assert [row["mean[atoms]"] for row in found] == ["3", "2"]
    assert [row["mean[others]"] for row in found] == ["6", "4"]
    assert {"std[atoms]", "low_90[others]"} <= set(found[0])


def test_a_kind_of_atom_that_was_never_seen_is_named_and_its_spread_is_that_of_training(path, tmp_path):
    data = MoleculeTable(path, target="atoms", **QUICK)
    found, inputs = written(data, tmp_path, "CC(C)(C)C[N+](C)(C)C cation\nC[CH2] radical\nCCO fine\n")
    spread = float(data.state["spread"][0])
    assert found[0]["problem"].startswith("unlike any atom in training: N+ (sp3); the spread is at least that of all")
    assert "C (sp3, radical)" in found[1]["problem"] and not found[2]["problem"]
    assert [float(row["std"]) for row in found] == pytest.approx([spread, spread, 0.1], rel=1e-4)
    assert float(found[1]["high_90"]) - 2 == pytest.approx(1.644854 * spread, rel=1e-4)
    assert "2 hold atoms unlike any in training" in inputs.summary()


def test_a_column_of_structures_is_found_by_the_name_that_the_run_knows(tmp_path):
    text = table().replace("name,smiles,", "name,drug,")
    data = MoleculeTable(str(save(tmp_path / "a.csv", text)), smiles="Drug", target="atoms", **QUICK)
    found, _ = written(data, tmp_path, "drug,other_smiles\nCCO,C\n", "csv")
    assert found[0]["mean"] == "3"


def test_the_users_molecules_have_the_descriptors_of_training(path, tmp_path):
    data = MoleculeTable(path, target="atoms", descriptors=True, **QUICK)
    inputs = data.inputs(str(save(tmp_path / "in.smi", "\n".join(data.test.smiles))), data.state)
    (part,) = inputs.parts(str(tmp_path / "out.csv"))
    own, _ = part.take(torch.arange(len(part)))
    expected, _ = data.test.take(torch.arange(len(data.test)))
    torch.testing.assert_close(own["descriptors"], expected["descriptors"])
    unknown = {"scales": data.state["scales"] | {"names": ["MolWt", "Zest"]}}
    with pytest.raises(BadInput, match="the descriptor Zest, which this rdkit has not"):
        data.inputs(str(tmp_path / "in.smi"), data.state | unknown)


@pytest.mark.parametrize(
    "settings, says",
    [
        ({}, "data.path: say which file"),
        ({"path": "a", "target": ["x", "x"]}, r"data.target=\[x,x\]: one of them stands there twice"),
        ({"path": "a", "target": "x", "unit": ["a", "b"]}, "data.unit: 2 units for 1 targets"),
        ({"path": "a", "target": "x", "validation": 1.0}, "data.validation=1.0"),
    ],
)
def test_settings_that_cannot_be(settings, says):
    with pytest.raises(BadInput, match=says):
        MoleculeTable(**settings)


def test_a_target_that_training_lacks(tmp_path):
    text = table(others=lambda row: "1" if row["side"] == "TEST" else "")
    with pytest.raises(BadInput, match=r"data.target=others: no training molecule has a value of it"):
        MoleculeTable(str(save(tmp_path / "a.csv", text)), target=["atoms", "others"], split="side", **QUICK)


def test_a_target_that_never_varies_in_training(tmp_path):
    path = save(tmp_path / "a.csv", table(others=lambda row: "2" if row["side"] == "TEST" else "1.50"))
    with pytest.raises(BadInput, match=r"data.target=others: is 1.5 in all \d+ training molecules.*another column"):
        MoleculeTable(str(path), target="others", split="side", **QUICK)


def test_the_split_by_hash_is_the_same_in_every_file(path, tmp_path):
    data = MoleculeTable(path, target="atoms", **QUICK)
    assert sides(data)["test"] == {Chem.CanonSmiles(s) for s in EVERY if share(Chem.CanonSmiles(s)) < 0.2}
