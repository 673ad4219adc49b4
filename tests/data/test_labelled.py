"""Labelled molecules: prepared once, split by molecule, the truth row for row, the user's own molecules to a table."""

import csv
import io
import json
import os
import resource

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles  # noqa: E402

from dlthink.data import nmrshiftdb2  # noqa: E402
from dlthink.data.environments import Lookup, environments  # noqa: E402
from dlthink.data.featurize import ATOM_FEATURES, featurize  # noqa: E402
from dlthink.data.molecules import Molecules  # noqa: E402
from dlthink.data.nci import mean_and_spread  # noqa: E402
from dlthink.data.nmrshiftdb2 import Nmrshiftdb2  # noqa: E402
from dlthink.data.prepared import Prepared, cached, prepare, share, tie  # noqa: E402
from dlthink.data.records import read  # noqa: E402
from dlthink.data.structures import molecule_of_smiles  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from dlthink.storage import cache_folder  # noqa: E402
from tests.data.made_molecules import ETHANOL, block, record, save  # noqa: E402


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DLTHINK_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept"


def line(smiles, shifts, kind="c13", **more):
    return json.dumps({"id": smiles, "smiles": smiles, kind: shifts, **more}) + "\n"


def shifts_of(smiles, add=0.0):
    """{atom: [ppm]} of every carbon, by the embedded rule."""
    mean, _ = mean_and_spread(molecule_of_smiles(smiles))
    return {atom: [ppm + add] for atom, ppm in mean.items()}


CHAINS = ["C" * n + end for n in range(1, 9) for end in ("", "O", "N", "F", "Cl", "S", "C=O", "C#N", "OC", "C(=O)O")]
RINGS = [ring.replace("X", x) for ring in ("c1ccccc1X", "C1CCCC1X", "c1ccncc1X", "c1ccoc1X", "c1ccc2ccccc2c1X",
         "C1CC1X", "C1CCNCC1X", "c1ccsc1X", "C1CCOC1X", "[nH]1cncc1X", "C1CCC1X", "c1cncnc1X")
         for x in ("", "C", "CC", "O", "N", "F")]  # fmt: skip
EVERY = list({Chem.CanonSmiles(text): text for text in CHAINS + RINGS}.values())


@pytest.fixture
def many(tmp_path):
    return save(tmp_path / "many.jsonl", "".join(line(smiles, shifts_of(smiles)) for smiles in EVERY))


def keys(split):
    return [Chem.CanonSmiles(text) for text in split.smiles]


def sides(data):
    return {name: set(keys(getattr(data, name))) for name in ("train", "val", "test")}


# ------------------------------------------------------------------------------------------------------ prepared once


def prepared(tmp_path, text, nucleus="13C"):
    return prepare(read(save(tmp_path / "file", text), nucleus, None, None))


def test_several_values_become_median_and_half_range(tmp_path):
    text = line("OCC", {2: [18.0, 17.0, 21.0], 1: [58, 57]}) + line("C", {0: [-2.5]}) + line("CN", {0: [1, 9, 4, 2]})
    found = prepared(tmp_path, text)
    assert found.first_row.tolist() == [0, 2, 3, 4]
    assert found.y.tolist() == [57.5, 18.0, -2.5, 3.0] and found.y.dtype == torch.float32
    assert found.spread.tolist() == [0.5, 2.0, 0.0, 4.0]
    assert found.atom.tolist() == [1, 2, 0, 0], "atoms of a molecule in ascending order"
    assert found.ids == ["OCC", "C", "CN"] and found.keys == ["CCO", "C", "CN"]
    every = environments(featurize(map(Chem.MolFromSmiles, found.smiles)))
    assert found.codes.equal(every[[1, 2, 3, 4]])


def test_hydrogens_on_carbon_are_told_from_others(tmp_path):
    found = prepared(tmp_path, line("CCO", {0: [1.2], 1: [3.6], 2: [2.6]}, "h1"), "1H")
    assert found.on_carbon.tolist() == [True, True, False]


def test_ties_depend_on_the_molecule_alone(tmp_path):
    once = prepared(tmp_path, line("CCO", {0: [1.0]}) + line("C[C@H](F)O", {0: [2.0]}) + line("C", {0: [3.0]}))
    again = prepared(tmp_path, line("C[C@@H](O)F", {0: [9.0]}, id="x") + line("OCC", {1: [5.0]}))
    assert again.ties.tolist() == once.ties[[1, 0]].tolist() == [tie("CC(O)F"), tie("CCO")]
    assert len(once.ties.unique()) == 3 and (once.ties >= 0).all()


def test_shares_are_even_and_of_another_salt_independent():
    """Among keys of one length, too: there a checksum's shares would follow from one another."""
    for length in range(4, 40):
        names = [f"{i:0{length}d}" for i in range(4000)]
        left = [name for name in names if share(name) >= 0.2]
        assert abs(len(left) / 4000 - 0.8) < 0.03
        assert abs(sum(share(name, "validation") < 0.1 for name in left) / len(left) - 0.1) < 0.03
    assert all(0 <= share(name) < 1 for name in names)


def test_what_was_left_out_is_accounted_for(tmp_path):
    text = line("C", {0: [1.0]}) + line("CC", {}) + line("C(", {0: [1.0]}) + line("CCC", {})
    (note,) = prepared(tmp_path, text).notes
    assert note == "3 of 4 records left out: 2 no 13C spectrum (first: CC); 1 unreadable SMILES (first: C()"


# -------------------------------------------------------------------------------------------------------------- cache


@pytest.fixture
def making(tmp_path):
    """`making(settings)`: the molecules of tmp_path/file; making.times counts how often they were made."""
    file = save(tmp_path / "file", line("OCC", {2: [18.0, 17.0, 21.0], 1: [58]}, split="test") + line("C", {0: [1.0]}))

    def making(**settings):
        def make():
            making.times += 1
            return prepare(read(file, "13C", None, None))

        return cached(file, settings, make)

    making.times = 0
    return making


def same(one: Prepared, other: Prepared):
    one, other = one.state(), other.state()
    graphs = zip(one.pop("graphs").values(), other.pop("graphs").values(), strict=True)
    for a, b in [*graphs, *zip(one.values(), other.values(), strict=True)]:
        assert a.equal(b) if isinstance(a, torch.Tensor) else a == b


def kept():
    return sorted(cache_folder().glob("molecules/*"))


def test_a_file_is_made_once(making, tmp_path):
    first, second = making(nucleus="13C", largest=4), making(largest=4, nucleus="13C")
    assert making.times == 1 and len(kept()) == 1
    same(first, second)
    assert second.splits == ["test", ""]
    (tmp_path / "file").rename(tmp_path / "elsewhere")  # by content, not by name
    (tmp_path / "elsewhere").rename(tmp_path / "file")
    making(nucleus="13C", largest=4)
    assert making.times == 1


def test_other_settings_or_another_content_are_made_anew(making, tmp_path):
    making(nucleus="13C", largest=4)
    making(nucleus="13C", largest=5)
    making(nucleus="1H", largest=4)
    making(nucleus="13C", largest=None)
    assert making.times == 4
    file = tmp_path / "file"
    file.write_text(file.read_text().replace("17.0", "17.5"))
    assert making(nucleus="13C", largest=4).spread[1] == 1.75
    assert making.times == 5 and len(kept()) == 5


@pytest.mark.parametrize("damage", [b"", b"rubbish", None, "other"])
def test_a_damaged_cache_file_is_made_anew(making, damage):
    first = making()
    (file,) = kept()
    if damage == "other":
        torch.save({"of another": torch.zeros(3)}, file)
    else:
        file.write_bytes(file.read_bytes()[:2000] if damage is None else damage)
    same(making(), first)
    same(making(), first)
    assert making.times == 2, "and put right"


def test_a_cache_that_cannot_be_written_stops_nothing(making, data_folder):
    data_folder.mkdir()
    (data_folder / "cache").write_text("in the way")
    same(making(), making())
    assert making.times == 2


def test_a_full_disk_stops_nothing_and_leaves_nothing(making):
    cache_folder().mkdir(parents=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        making()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert making.times == 1 and not kept()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_cache_stops_nothing(making):
    (cache_folder() / "molecules").mkdir(parents=True, mode=0o500)
    same(making(), making())
    assert making.times == 2


def test_the_cache_knows_what_the_readers_are_asked(many):
    for settings in ({}, {"nucleus": "1H"}, {"elements": ["C", "H"]}, {"largest": 5}):
        try:
            Nmrshiftdb2(str(many), **settings)
        except BadInput:
            assert settings == {"nucleus": "1H"}
    assert len(kept()) == 3


# -------------------------------------------------------------------------------------------------------------- splits


@pytest.mark.parametrize("split", ["file", "random", "scaffold"])
def test_no_molecule_is_on_two_sides(many, split, tmp_path):
    twice = save(tmp_path / "twice", many.read_text() + many.read_text().replace('"id": "', '"id": "2'))
    data = Nmrshiftdb2(str(twice), split=split)
    found = sides(data)
    assert sum(map(len, found.values())) == len(set.union(*found.values())) == len(EVERY)
    assert sum(len(getattr(data, name)) for name in found) == 2 * len(EVERY)
    assert all(found.values())


def test_stereoisomers_and_isotopes_stay_together(tmp_path):
    """Forty molecules, each in three forms that only look different."""
    text = "".join(
        line(form, shifts_of(form)) for n in range(1, 41) for form in
        (f"{'C' * n}[C@H](F)O", f"O[C@H](F){'C' * n}", f"[2H]C(F)(O){'C' * n}")
    )  # fmt: skip
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)), split="random")
    bare = {
        name: {smiles.replace("[2H]", "") for smiles in getattr(data, name).smiles} for name in ("train", "val", "test")
    }
    forms = {name: {Chem.CanonSmiles(s.replace("C()", "C")) for s in found} for name, found in bare.items()}
    assert sum(map(len, forms.values())) == 40
    assert all(len(getattr(data, name)) == 3 * len(forms[name]) for name in forms)


def test_the_split_of_the_file(tmp_path):
    words = {smiles: ["train", "test", "train", None][i % 4] for i, smiles in enumerate(EVERY)}
    text = "".join(line(s, shifts_of(s), **({"split": w} if w else {})) for s, w in words.items())
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)))
    where = {key: name for name, found in sides(data).items() for key in found}
    for smiles, word in words.items():
        side = where[Chem.CanonSmiles(smiles)]
        assert (side == "test") == (word == "test" if word else share(Chem.CanonSmiles(smiles)) < 0.2)
    at_random = Nmrshiftdb2(str(tmp_path / "a"), split="random")
    assert sides(at_random) != sides(data)


def test_a_molecule_that_the_file_has_on_both_sides_is_test(tmp_path, many):
    text = many.read_text()
    for first, second in (("train", "test"), ("test", "train")):
        both = line("CCC", shifts_of("CCC"), split=first) + line("C(C)C", shifts_of("C(C)C"), split=second)
        data = Nmrshiftdb2(str(save(tmp_path / first, text + both)))
        assert keys(data.test).count("CCC") == 3 and "CCC" not in keys(data.train) + keys(data.val)


def test_a_random_split_is_the_same_in_every_file(many, tmp_path):
    lines = many.read_text().splitlines(keepends=True)
    whole = sides(Nmrshiftdb2(str(many), split="random"))
    part = sides(Nmrshiftdb2(str(save(tmp_path / "part", "".join(lines[::-2]))), split="random"))
    assert all(part[name] <= whole[name] and part[name] for name in part)


def test_no_scaffold_is_on_two_sides(many):
    data = Nmrshiftdb2(str(many), split="scaffold")
    seen = {}
    for name, found in sides(data).items():
        for smiles in found:
            scaffold = MurckoScaffoldSmiles(smiles)
            if scaffold:
                assert seen.setdefault(scaffold, name) == name
    assert len(seen) == 12 and set(seen.values()) >= {"train", "test"}


@pytest.mark.parametrize("validation", [0.1, 0.3])
@pytest.mark.parametrize("split", ["random", "scaffold"])
def test_shares(split, validation):
    """Of the keys alone: 4,000 made-up molecules."""
    made = object.__new__(Molecules)
    made.split, made.validation = split, validation
    smiles = ["C" * (1 + i % 50) + "O" + "C" * (i // 50) for i in range(4000)]
    roles = made._roles(type("Some", (), {"keys": smiles, "smiles": smiles, "splits": [""] * 4000}))
    assert abs(roles.count("test") / 4000 - 0.2) < 0.02
    assert abs(roles.count("val") / (4000 - roles.count("test")) - validation) < 0.02


def test_nothing_left_for_a_side(tmp_path):
    path = save(tmp_path / "a", line("CC", {0: [1.0]}))
    with pytest.raises(BadInput, match=rf"data.path={path}: no molecule of 1 is left for \w+: give more"):
        Nmrshiftdb2(str(path))
    with pytest.raises(BadInput, match=r"data.molecules=1: no molecule of 1 is left"):
        Molecules(1)


@pytest.mark.parametrize("validation", [0.0, 1.0, -1.0, float("nan")])
def test_a_validation_share_that_is_none(validation):
    with pytest.raises(BadInput, match=r"data.validation="):
        Molecules(20, validation=validation)


# ------------------------------------------------------------------------------------------------- state of a run


@pytest.fixture
def state(many):
    buffer = io.BytesIO()
    torch.save(Nmrshiftdb2(str(many)).state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


def test_a_state_from_a_checkpoint_gives_the_same_data(many, state):
    once, again = Nmrshiftdb2(str(many)), Nmrshiftdb2(str(many), state=state)
    assert sides(once) == sides(again) and once.facts == again.facts
    index = torch.arange(len(once.test))
    one, other = (data.test.known(index)["baselines"]["lookup"] for data in (once, again))
    assert one["mean"].equal(other["mean"]) and one["std"].equal(other["std"])


@pytest.mark.parametrize(
    "changed", [{"split": "random"}, {"split": "scaffold"}, {"validation": 0.2}, {"nucleus": "1H"}], ids=str
)
def test_what_decided_the_split_cannot_be_changed(many, state, changed):
    ((name, value),) = changed.items()
    with pytest.raises(BadInput, match=f"data.{name}={value}: .*train anew") as refused:
        Nmrshiftdb2(str(many), state=state, **changed)
    assert "\n" not in str(refused.value)


def test_elements_are_those_of_training(tmp_path):
    words = [("CBr", "test"), ("CCF", "train"), ("CCCl", "train"), *(("C" * n, "train") for n in range(2, 60))]
    text = "".join(line(s, {0: [1.0 * i]}, split=w) for i, (s, w) in enumerate(words))
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)))
    assert data.state["elements"] == sorted(
        {1} | {e for s in data.train.smiles for e in {"F": [9], "l": [17]}.get(s[-1], [])} | {6}
    )
    assert 35 not in data.state["elements"]


def test_elements_and_size(tmp_path, many):
    extra = line("CBr", {0: [1.0]}) + line("C" * 70, {0: [1.0]})
    path = str(save(tmp_path / "a", many.read_text() + extra))
    found = {}
    for name, settings in {
        "all": {},
        "paper": {"elements": ["H", "C", "N", "O", "F", "S", "P", "Cl"], "largest": 64},
        "carbon": {"elements": ["C", "H"]},
        "small": {"largest": 5},
    }.items():
        found[name] = set.union(*sides(Nmrshiftdb2(path, **settings)).values())
    assert len(found["all"]) == len(EVERY) + 2 and "CBr" in found["all"]
    assert found["paper"] == found["all"] - {"CBr", "C" * 70}
    assert found["carbon"] and all(set(smiles) <= set("Cc12()") for smiles in found["carbon"])
    assert found["small"] == {s for s in found["all"] if Chem.MolFromSmiles(s).GetNumAtoms() <= 5}


# ------------------------------------------------------------------------------------------------------ row for row


@pytest.fixture(scope="module")
def embedded():
    return Molecules(120)


def test_the_facts(embedded):
    assert embedded.facts["n_targets"] == 1 and embedded.facts["unit"] == "ppm"
    assert embedded.facts["atom_features"] == ATOM_FEATURES
    assert embedded.states == tuple(embedded.facts) and embedded.targets == "reals"
    assert any("simulated" in note.lower() for note in embedded.notes)


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_known_is_row_for_row_with_y(embedded, name):
    split = getattr(embedded, name)
    for index in (torch.arange(len(split)), torch.tensor([4, 0, 4]), torch.tensor([len(split) - 1])):
        x, y = split.take(index)
        known = split.known(index)
        assert y.shape == (len(x["asked"]), 1) and y.dtype == torch.float32
        assert set(known) == {"mean", "std", "spread_measured", "structure", "atom"} | (
            {"baselines"} - {name == "train" and "baselines"}
        )
        for column in (known["mean"], known["std"], known["spread_measured"]):
            assert column.shape == y.shape and column.dtype == torch.float32
        assert len(known["structure"]) == len(known["atom"]) == len(x["tie"]) == len(y)
        row = 0
        for i in index.tolist():
            molecule = Chem.MolFromSmiles(split.smiles[i])
            mean, std = mean_and_spread(molecule)
            for atom in sorted(mean):
                assert known["structure"][row] is split.smiles[i] and known["atom"][row] == atom
                assert float(known["mean"][row]) == pytest.approx(mean[atom], rel=1e-6)
                assert float(known["std"][row]) == pytest.approx(std[atom], rel=1e-6)
                assert abs(float(y[row]) - mean[atom]) < 6 * std[atom]
                assert x["tie"][row] == tie(Chem.MolToSmiles(molecule))
                at = x["atoms"][x["asked"][row]]
                assert at[0] == 6 and at[2] == molecule.GetAtomWithIdx(atom).GetTotalNumHs()
                row += 1
        assert row == len(y)
        assert not known["spread_measured"].any()
    assert split.targets() is split.y and len(split.y) == split.first_row[-1]


def test_a_split_moves_whole(embedded):
    moved = embedded.val.to("cpu")
    index = torch.tensor([2, 1])
    for one, other in zip(moved.take(index)[0].values(), embedded.val.take(index)[0].values(), strict=True):
        assert one.equal(other)
    assert moved.known(index)["structure"] == embedded.val.known(index)["structure"]
    away = embedded.val.to("meta")
    assert {t.device.type for t in (away.y, away.atom, away.ties, away.about["baselines"]["lookup"]["std"])} == {"meta"}


def test_measured_values_keep_their_spread_and_the_truth_is_not_known(tmp_path):
    text = "".join(line(s, {a: [v[0] - 1, v[0] + 2] for a, v in shifts_of(s).items()}) for s in EVERY)
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)))
    known = data.test.known(torch.tensor([0, 1]))
    torch.testing.assert_close(known["spread_measured"], torch.full_like(known["spread_measured"], 1.5))
    assert set(known) == {"spread_measured", "baselines", "structure", "atom"}
    assert any("License" in note for note in data.notes)


def test_groups_are_for_hydrogens_alone(tmp_path):
    def protons(smiles):
        return {a.GetIdx(): [1.0 + a.GetIdx()] for a in Chem.MolFromSmiles(smiles).GetAtoms() if a.GetTotalNumHs()}

    data = Nmrshiftdb2(str(save(tmp_path / "a", "".join(line(s, protons(s), "h1") for s in EVERY))), nucleus="1H")
    for split in (data.train, data.val, data.test):
        known = split.known(torch.arange(len(split)))
        elements = [
            Chem.MolFromSmiles(text).GetAtomWithIdx(int(atom)).GetSymbol()
            for text, atom in zip(known["structure"], known["atom"], strict=True)
        ]
        assert known["groups"]["on_carbon"].tolist() == [element == "C" for element in elements]
        assert known["groups"]["on_hetero"].tolist() == [element != "C" for element in elements]
    assert "groups" not in Molecules(60).test.known(torch.tensor([0]))


def test_the_lookup_sees_training_alone(many, tmp_path):
    once = Nmrshiftdb2(str(many))
    unseen = sides(once)["val"] | sides(once)["test"]
    text = "".join(line(s, shifts_of(s, 50.0 * (Chem.CanonSmiles(s) in unseen))) for s in EVERY)
    other = Nmrshiftdb2(str(save(tmp_path / "other", text)))
    for name in ("val", "test"):
        one, two = getattr(once, name), getattr(other, name)
        index = torch.arange(len(one))
        torch.testing.assert_close(two.y, one.y + 50, msg="the values have changed")
        for part in ("mean", "std"):
            assert one.known(index)["baselines"]["lookup"][part].equal(two.known(index)["baselines"]["lookup"][part])
    # and it is the look-up of the training rows
    train = once.train
    codes = environments(train.graphs)[
        train.graphs.first_atom[torch.repeat_interleave(train.first_row.diff())] + train.atom
    ]
    test = once.test
    asked = environments(test.graphs)[
        test.graphs.first_atom[torch.repeat_interleave(test.first_row.diff())] + test.atom
    ]
    assert Lookup.fit(codes, train.y[:, 0]).predict(asked)["mean"].equal(test.about["baselines"]["lookup"]["mean"])
    assert "baselines" not in train.known(torch.tensor([0]))


def test_the_seed_changes_the_noise_and_nothing_else(embedded):
    other = Molecules(120, seed=1)
    assert sides(other) == sides(embedded)
    assert not other.test.y.equal(embedded.test.y)
    assert other.test.about["mean"].equal(embedded.test.about["mean"])


@pytest.mark.parametrize("make", ["missing", "folder", "empty"])
def test_a_path_that_is_no_file(tmp_path, make):
    path = tmp_path / "none"
    if make == "folder":
        path.mkdir()
    elif make == "empty":
        path.write_bytes(b"")
    with pytest.raises(BadInput, match=f"data.path={path}: "):
        Nmrshiftdb2(str(path))


def test_the_fetched_file_is_found_by_itself(many, data_folder):
    with pytest.raises(BadInput, match=r"dlthink fetch nmrshiftdb2.*data.path="):
        Nmrshiftdb2()
    place = data_folder / nmrshiftdb2.FETCHED
    place.parent.mkdir(parents=True)
    many.rename(place)
    assert len(Nmrshiftdb2().train) > 50


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
    assert inputs.told() == "7 atoms of 4 molecules; 4 could not be read (see the column problem)"


def test_the_interval_is_the_central_90_percent(tmp_path):
    inputs = Molecules.inputs(str(save(tmp_path / "a.smi", "CC\n")), STATE)
    normal = torch.distributions.Normal(torch.tensor([[10.0], [20.0]]), torch.tensor([[1.0], [2.0]]))
    read = {"mean": normal.mean, "std": normal.stddev, "distribution": normal}
    rows = table(inputs, tmp_path / "y.csv", **read)
    found = [[float(row[name]) for name in ("mean", "std", "low_90", "high_90")] for row in rows]
    assert found == [
        pytest.approx([10, 1, 10 - 1.644854, 10 + 1.644854]),
        pytest.approx([20, 2, 20 - 3.289707, 20 + 3.289707]),
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
