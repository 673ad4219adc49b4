"""Molecules with shifts: split by molecule, what is known row for row, the state of a run."""

import io

import pytest
import torch

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles  # noqa: E402

from dlthink.data.molecules import nmrshiftdb2  # noqa: E402
from dlthink.data.molecules.environments import Lookup, environments  # noqa: E402
from dlthink.data.molecules.features.featurize import ATOM_FEATURES  # noqa: E402
from dlthink.data.molecules.features.parent import key  # noqa: E402
from dlthink.data.molecules.nci import mean_and_spread  # noqa: E402
from dlthink.data.molecules.nmrshiftdb2 import Nmrshiftdb2  # noqa: E402
from dlthink.data.molecules.simulated import Molecules  # noqa: E402
from dlthink.data.molecules.splits import roles  # noqa: E402
from dlthink.data.stable_hash import share, tie  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import save  # noqa: E402
from tests.data.molecules.made_shifts import EVERY, line, shifts_of  # noqa: E402


def keys(split):
    return [Chem.CanonSmiles(text) for text in split.smiles]


def sides(data):
    return {name: set(keys(getattr(data, name))) for name in ("train", "val", "test")}


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
    """Twenty molecules, each in three forms that only look different."""
    forms = [(f"{'C' * n}[C@H](F)O", f"O[C@H](F){'C' * n}", f"[2H]C(F)(O){'C' * n}") for n in range(1, 21)]
    text = "".join(line(form, shifts_of(form)) for three in forms for form in three)
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)), split="random")
    lengths = [{smiles.count("C") for smiles in split.smiles} for split in (data.train, data.val, data.test)]
    assert sum(map(len, lengths)) == len(set.union(*lengths)) == 20
    assert [3 * len(found) for found in lengths] == [len(split) for split in (data.train, data.val, data.test)]


ACIDS = [f"{'C' * n}{ring}{'C' * m}C(=O)" for n in range(4) for ring in ("", "C(F)", "c1ccc(cc1)") for m in range(4)]


@pytest.mark.parametrize("split", ["file", "scaffold", pytest.param("random", marks=pytest.mark.slow)])
def test_salts_and_charged_forms_stay_together(tmp_path, split):
    """Acids, amides' amines and sulfoxides in three forms each; the file says the opposite of each form."""
    forms = [(f"{acid}O", f"{acid}[O-].[Na+]", f"{acid}[O-].[NH3+]C") for acid in ACIDS]
    forms += [(f"{'C' * n}S(C)=O", f"{'C' * n}[S+](C)[O-]", f"C[S+]([O-]){'C' * n}") for n in range(2, 20)]
    words = ("train", "test", "train")
    text = "".join(
        line(form, shifts_of(form), **({"split": word} if number % 4 == 0 else {}))
        for number, three in enumerate(forms)
        for form, word in zip(three, words, strict=True)
    )
    data = Nmrshiftdb2(str(save(tmp_path / "a", text)), split=split)
    sides = {
        name: {key(Chem.MolFromSmiles(s)) for s in getattr(data, name).smiles} for name in ("train", "val", "test")
    }
    every = set.union(*sides.values())
    assert len(every) == sum(map(len, sides.values())) < len(forms) + 1 and all(sides.values())
    if split == "file":
        assert any("stand in several splits of the file" in note for note in data.notes)


@pytest.mark.parametrize("split", ["random", pytest.param("scaffold", marks=pytest.mark.slow)])
def test_tautomers_stay_together_where_that_is_asked(tmp_path, split):
    forms = [(f"{'C' * n}c1cc(O)nc(C)c1", f"{'C' * n}c1cc(=O)[nH]c(C)c1") for n in range(1, 16)]
    text = "".join(line(form, shifts_of(form)) for two in forms for form in two)
    path = save(tmp_path / "a", text + "".join(line(smiles, shifts_of(smiles)) for smiles in EVERY))

    def together(tautomers):
        data = Nmrshiftdb2(str(path), split=split, tautomers=tautomers)
        side = {s: name for name in ("train", "val", "test") for s in keys(getattr(data, name))}
        return [side[Chem.CanonSmiles(one)] == side[Chem.CanonSmiles(other)] for one, other in forms]

    assert all(together(True))
    if split == "random":
        assert not all(together(False))


def test_the_validation_of_the_file_is_taken(tmp_path):
    words = {smiles: ["train", "val", "train", "test"][i % 4] for i, smiles in enumerate(EVERY)}
    data = Nmrshiftdb2(str(save(tmp_path / "a", "".join(line(s, shifts_of(s), split=w) for s, w in words.items()))))
    for name, found in sides(data).items():
        assert found == {Chem.CanonSmiles(smiles) for smiles, word in words.items() if word == name}


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


@pytest.mark.parametrize("split, validation", [("random", 0.1), pytest.param("scaffold", 0.3, marks=pytest.mark.slow)])
def test_shares(split, validation):
    """Of the keys alone, made-up molecules; of a scaffold each needs a search."""
    n, near = (1600, 0.03) if split == "random" else (480, 0.08)
    smiles = ["C" * (1 + i % 40) + "O" + "C" * (i // 40) for i in range(n)]
    some, tests = type("Some", (), {"keys": smiles, "smiles": smiles, "splits": [""] * n}), []
    for fold in range(5):
        found = roles(some, split, validation, fold)
        assert abs(found.count("test") / n - 0.2) < near
        assert abs(found.count("val") / (n - found.count("test")) - validation) < near
        tests += [one for one, role in zip(smiles, found, strict=True) if role == "test"]
    assert sorted(tests) == sorted(smiles)  # each is test in one fold


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
    "changed",
    [{"split": "random"}, {"split": "scaffold"}, {"validation": 0.2}, {"nucleus": "1H"}, {"tautomers": True}],
    ids=str,
)
def test_what_decided_the_split_cannot_be_changed(many, state, changed):
    ((name, value),) = changed.items()
    with pytest.raises(BadInput, match=f"(?i)data.{name}={value}: .*train anew") as refused:
        Nmrshiftdb2(str(many), state=state, **changed)
    assert "\n" not in str(refused.value)


def test_elements_are_those_of_training(tmp_path):
    """Bromine is in the test molecules alone; hydrogen is always there."""
    text = "".join(
        line("C" * n + end, {0: [1.0 * n]}, split=side)
        for n in range(2, 40)
        for end, side in (("Br", "test"), ("F", "train"), ("", "train"))
    )
    assert Nmrshiftdb2(str(save(tmp_path / "a", text))).state["elements"] == [1, 6, 9]


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
    assert embedded.fact_names({}) == tuple(embedded.facts) and embedded.targets({}) == "reals"
    assert any("simulated" in note.lower() for note in embedded.notes)


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_known_is_row_for_row_with_y(embedded, name):
    split = getattr(embedded, name)
    for index in (torch.arange(len(split)), torch.tensor([2, 0, 2]), torch.tensor([len(split) - 1])):
        x, y = split.take(index)
        known = split.known(index)
        assert y.shape == (len(x["asked"]), 1) and y.dtype == torch.float32
        assert set(known) == {"mean", "std", "spread_measured", "structure", "atom", "item"} | (
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
                assert x["tie"][row] == tie(key(molecule))
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
    assert set(known) == {"spread_measured", "baselines", "structure", "atom", "item"}
    assert any("License" in note for note in data.notes)


def test_groups_are_for_hydrogens_alone(embedded, tmp_path):
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
    assert "groups" not in embedded.test.known(torch.tensor([0]))


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


def test_what_a_run_has_seen_is_no_test_in_another_file(tmp_path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("".join(line(smiles, shifts_of(smiles)) for smiles in EVERY[:60]))
    second.write_text("".join(line(smiles, shifts_of(smiles)) for smiles in EVERY[30:90]))
    trained = Nmrshiftdb2(str(first), validation=0.3)
    other = Nmrshiftdb2(str(second), validation=0.3, state=trained.state)
    seen = {*trained.train.smiles, *trained.val.smiles}
    assert not seen & set(other.test.smiles)
    everything = {*other.train.smiles, *other.val.smiles, *other.test.smiles}
    assert set(other.test.smiles) == everything - seen and len(other.test.smiles) > 30
    assert len(other.train) + len(other.val) + len(other.test) == 60
    assert set(other.train.smiles) <= set(trained.train.smiles) and set(other.val.smiles) <= set(trained.val.smiles)
