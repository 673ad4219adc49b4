"""From files to records: every record is read or skipped with a reason, every label kept or counted."""

import gzip
import json
from pathlib import Path

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.readers.shift_records import read  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block, peaks, record, save  # noqa: E402

ELEMENTS = ["H", "C", "N", "O", "F", "S", "P", "Cl"]
REAL = Path(__file__).parents[4] / "shared" / "data" / "molecules"
FIXTURE = REAL / "native_fixture" / "nmrshiftdb2_native_300.sdf.gz"
LINES = REAL / "nmrshiftdb2_subset" / "nmrshiftdb2_joined.jsonl.gz"
GOOD = record(ETHANOL, {"nmrshiftdb2 ID": "good", "Spectrum 13C 0": peaks((57.1, 2), (18.0, 4))})


def sd(name, mol, *labels, nucleus="13C"):
    return record(mol, {"nmrshiftdb2 ID": name, f"Spectrum {nucleus} 0": peaks(*labels)})


def line(name="good", smiles="CCO", c13=None, **more):
    return json.dumps({"id": name, "smiles": smiles, "c13": {"0": [18.0]} if c13 is None else c13, **more}) + "\n"


@pytest.fixture
def reading(tmp_path):
    def reading(text, nucleus="13C", elements=ELEMENTS, largest=64):
        found = read(save(tmp_path / "file", text), nucleus, elements, largest)
        assert len(found.records) + sum(map(len, found.skipped.values())) == found.total
        for r in found.records:
            same_order(r)
        return found

    return reading


def same_order(record):
    again = Chem.MolFromSmiles(record.smiles)
    for mine, theirs in zip(record.molecule.GetAtoms(), again.GetAtoms(), strict=True):
        assert (mine.GetAtomicNum(), mine.GetTotalNumHs()) == (theirs.GetAtomicNum(), theirs.GetTotalNumHs())
        assert [a.GetIdx() for a in mine.GetNeighbors()] == [a.GetIdx() for a in theirs.GetNeighbors()]


def by_symbol(record):
    """[(element, hydrogens, values)]: which atom got what, whatever its index."""
    atoms = [(record.molecule.GetAtomWithIdx(i), values) for i, values in record.shifts.items()]
    return sorted((atom.GetSymbol(), atom.GetTotalNumHs(), values) for atom, values in atoms)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "text", [GOOD, GOOD.replace("\n", "\r\n"), line("good", "[H]OC([H])C", {"2": [57.1], "4": [18.0]})]
)
def test_labels_follow_their_atoms(tmp_path, text, packed):
    (found,) = read(save(tmp_path / "any.ending", text, packed), "13C", ELEMENTS, 64).records
    assert (found.id, found.key, found.split) == ("good", "CCO", None)
    assert by_symbol(found) == [("C", 2, [57.1]), ("C", 3, [18.0])]
    assert found.molecule.GetNumAtoms() == 3
    same_order(found)


def test_labels_follow_where_the_smiles_takes_another_order(reading):
    """A chain written as 3-1-0-2-4: hydrogens tell where each label has gone."""
    mol = block(["C", "N", "O", "C", "C"], [(0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 4, 1)])
    (found,) = reading(sd("a", mol, (1.0, 0), (2.0, 3), (3.0, 4))).records
    places = {values[0]: i for i, values in found.shifts.items()}
    beside = {
        ppm: {a.GetSymbol() for a in found.molecule.GetAtomWithIdx(i).GetNeighbors()} for ppm, i in places.items()
    }
    assert beside == {1.0: {"N", "O"}, 2.0: {"N"}, 3.0: {"O"}}


def test_protons_belong_to_their_bearer(reading):
    (found,) = reading(sd("a", ETHANOL, (2.6, 1), (3.6, 2), (3.7, 3), (1.2, 4), nucleus="1H"), "1H").records
    assert by_symbol(found) == [("C", 2, [3.6, 3.7]), ("C", 3, [1.2]), ("O", 1, [2.6])]


@pytest.mark.parametrize(
    "label, nucleus, why",
    [
        ((20.0, 5), "13C", "atom index outside the molecule"),
        ((20.0, -1), "13C", "atom index outside the molecule"),
        ((20.0, 0), "13C", "13C on an atom that is no carbon"),
        ((20.0, 3), "13C", "13C on an atom that is no carbon"),
        (("nan", 2), "13C", "NaN or beyond -50 to 300 ppm"),
        (("inf", 2), "13C", "NaN or beyond -50 to 300 ppm"),
        ((300.1, 2), "13C", "NaN or beyond -50 to 300 ppm"),
        ((-50.1, 2), "13C", "NaN or beyond -50 to 300 ppm"),
        ((40.1, 2), "1H", "NaN or beyond -20 to 40 ppm"),
        (("x", 2), "13C", "no number can be read: 'x;0.0Q;2'"),
        (("77,91", 2), "13C", "no number can be read: '77,91;0.0Q;2'"),
    ],
)
def test_a_bad_label_is_left_out_and_counted(reading, label, nucleus, why):
    found = reading(sd("first", ETHANOL, label, (17.0, 4), label, nucleus=nucleus) + GOOD * (nucleus == "13C"), nucleus)
    assert by_symbol(found.records[0]) == [("C", 3, [17.0])]
    assert f"2 shifts left out: {why} (first in record first)" in found.notes


def test_a_proton_shift_on_an_atom_without_hydrogens(reading):
    mol = block(["C", "O", "C"], [(0, 1, 1), (1, 2, 1)])
    found = reading(sd("ether", mol, (3.2, 0), (5.0, 1), nucleus="1H"), "1H")
    assert by_symbol(found.records[0]) == [("C", 3, [3.2])]
    assert found.notes == ["1 shifts left out: 1H on an atom without hydrogens (first in record ether)"]


def test_a_proton_shift_on_deuterium(reading):
    text = json.dumps({"id": "d", "smiles": "[2H]OC", "h1": {"0": [4.0], "2": [3.3]}})
    found = reading(text, "1H")
    assert by_symbol(found.records[0]) == [("C", 3, [3.3])]
    assert found.notes == ["1 shifts left out: 1H on deuterium or tritium (first in record d)"]
    assert found.records[0].key == "CO", "its light twin must be told as a duplicate"


@pytest.mark.parametrize(
    "bad, reason",
    [
        (sd("bad", "rubbish\n", (18.0, 0)), "unreadable mol block"),
        (sd("bad", block("FCC", [(0, 1, 3)]), (18.0, 1)), "unreadable mol block"),
        (record(ETHANOL, {"nmrshiftdb2 ID": "bad"}), "no 13C spectrum"),
        (sd("bad", ETHANOL, (1.2, 4), nucleus="1H"), "no 13C spectrum"),
        (
            record(ETHANOL, {"nmrshiftdb2 ID": "bad", "Spectrum 13C 2": peaks((18.0, 4)), "Program": "2:x"}),
            "only computed 13C spectra",
        ),
        (sd("bad", block(["C", "Se"], [(0, 1, 1)]), (18.0, 0)), "an element outside H C N O F S P Cl"),
        (sd("bad", block(["C", "R#"], [(0, 1, 1)]), (18.0, 0)), "an element outside H C N O F S P Cl"),
        (sd("bad", block(["C"] * 65, [(i, i + 1, 1) for i in range(64)]), (18.0, 0)), "more than 64 atoms"),
        (sd("bad", ETHANOL, (18.0, 99)), "no usable shift"),
        (sd("bad", ETHANOL), "no usable shift"),
    ],
)
def test_a_bad_sd_record_is_skipped_and_takes_no_other_with_it(reading, bad, reason):
    found = reading(GOOD + bad + GOOD.replace("good", "after"))
    assert found.skipped == {reason: ["bad"]}
    assert [r.id for r in found.records] == ["good", "after"]


@pytest.mark.parametrize(
    "text, place",
    [(line(c13={}), '"c13"'), (record(ETHANOL, {"NMR": peaks((18.0, 0))}), "fields called Spectrum 13C 0")],
    ids=["JSON", "SD"],
)
def test_where_shifts_are_looked_for_is_told_where_there_are_none(reading, text, place):
    with pytest.raises(BadInput, match=f"1 no 13C spectrum; shifts are read from {place}"):
        reading(text)


@pytest.mark.parametrize(
    "bad, reason",
    [
        (line("bad", "C("), "unreadable SMILES"),
        (line("bad", ""), "unreadable SMILES"),
        (line("bad", "C(C)(C)(C)(C)C"), "unreadable SMILES"),
        (line("bad", c13={}), "no 13C spectrum"),
        (line("bad", "CBr"), "an element outside H C N O F S P Cl"),
        (line("bad", "C" * 65), "more than 64 atoms"),
        (line("bad", c13={"2": [18.0]}), "no usable shift"),
        (line("bad", c13={"0": [float("nan")]}), "no usable shift"),
    ],
)
def test_a_bad_line_is_skipped(reading, bad, reason):
    found = reading(line() + bad + line("after"))
    assert found.skipped == {reason: ["bad"]}
    assert [r.id for r in found.records] == ["good", "after"]


def test_a_broken_line_is_skipped_by_its_number(reading):
    assert reading(line() + "{broken\n").skipped == {"broken JSON": ["line 2"]}
    assert reading("{broken\n" + line()).skipped == {"broken JSON": ["line 1"]}
    assert reading("rubbish\n" + line()).skipped == {"broken JSON": ["line 1"]}


def test_huge_molecules_are_turned_away_before_rdkit_sees_them(reading, monkeypatch):
    def never(text):
        raise AssertionError("parsed")

    chain = block(["C"] * 999, [(i, i + 1, 1) for i in range(998)])
    monkeypatch.setattr("dlthink.data.molecules.readers.records.molecule_of_block", never)
    monkeypatch.setattr("dlthink.data.molecules.readers.records.molecule_of_smiles", never)
    with pytest.raises(BadInput, match="1 more than 64 atoms"):
        reading(sd("chain", chain, (18.0, 0)))
    with pytest.raises(BadInput, match="1 more than 64 atoms"):
        reading(line("chain", "C" * 1000))


def test_size_counts_explicit_hydrogens_as_written(reading):
    assert len(reading(GOOD, largest=5).records) == 1
    with pytest.raises(BadInput, match="more than 4 atoms"):
        reading(GOOD, largest=4)
    with pytest.raises(BadInput, match="more than 4 atoms"):
        reading(sd("liar", ETHANOL.replace("  5  4", " 05  4"), (18.0, 4)), largest=4)


def test_salts_and_single_atoms_are_read_as_they_are(reading):
    found = reading(
        line("salt", "[NH4+].CC(=O)[O-].[NH4+]", {"1": [24.0], "2": [182.0]}) + line("methane", "C", {"0": [-2.3]})
    )
    assert [by_symbol(r) for r in found.records] == [[("C", 0, [182.0]), ("C", 3, [24.0])], [("C", 4, [-2.3])]]
    assert found.records[0].smiles.count(".") == 2


def test_duplicates_share_a_key_and_keep_their_ids(reading):
    found = reading(
        line("a", "C[C@H](O)F") + line("b", "F[C@H](C)O", {"1": [100.0]}) + line("c", "C(C)(O)F") + line("a", "CC")
    )
    assert [r.id for r in found.records] == ["a", "b", "c", "a"]
    assert len({r.key for r in found.records[:3]}) == 1
    assert "@" not in found.records[0].key + found.records[0].smiles
    assert found.notes == ["1 ids are given to several records, all kept (the first is a)"]


def test_deuterium_is_a_hydrogen_of_the_structure(reading):
    (found,) = reading(line("d", "[2H]C([2H])O", {"1": [50.0]})).records
    assert by_symbol(found) == [("C", 3, [50.0])]
    assert found.key == "CO"


def test_computed_spectra_of_a_used_record_are_counted(reading):
    text = record(
        ETHANOL, {"Spectrum 13C 0": peaks((18.0, 4)), "Spectrum 13C 1": peaks((99.0, 4)), "NMRMethod": "1:GIAO"}
    )
    found = reading(text)
    assert by_symbol(found.records[0]) == [("C", 3, [18.0])]
    assert found.notes == ["1 computed spectra left out (first in record ethanol)"]


def test_the_split_of_the_file(reading):
    words = ["train", "Train ", "training", "TEST", "val", "Valid", " validation\t", "dev", None, "", " "]
    found = reading("".join(line(str(i), split=word) for i, word in enumerate(words)))
    assert [r.split for r in found.records] == [*["train"] * 3, "test", *["val"] * 4, None, None, None]
    assert found.notes == []


def test_an_unknown_word_for_a_split_is_named(reading):
    words = ["fold 1", "fold 2", "fold 1", 3, "x" * 99, True]
    found = reading("".join(line(f"d{i}", split=word) for i, word in enumerate(words)))
    assert [r.split for r in found.records] == [None] * 6
    assert found.notes == [
        "6 splits ignored, none of train, val and test: 'fold 1', 'fold 2', '3' (first in record d0)"
    ]


def test_a_last_record_without_its_end_is_remarked(reading):
    found = reading(GOOD + GOOD.replace("good", "b")[:-5])
    assert len(found.records) == 2
    assert "the file may be cut short" in found.notes[0]


def refused(path, nucleus="13C"):
    with pytest.raises(BadInput) as error:
        read(path, nucleus, ELEMENTS, 64)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_file(tmp_path):
    assert "none.sdf: there is no such file" in refused(tmp_path / "none.sdf")


def test_a_folder(tmp_path):
    assert refused(tmp_path).startswith(f"data.path={tmp_path}: is a folder")


@pytest.mark.parametrize("content", [b"", b"\n \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert "a: the file is empty" in refused(tmp_path / "a")


@pytest.mark.parametrize("text, whole", [(GOOD, "records are whole"), (line(), "lines are whole")])
def test_a_gz_cut_short_says_what_was_whole(tmp_path, text, whole):
    many = "".join(text.replace("good", f"{i * 7919 % 1009}") for i in range(200))
    data = gzip.compress(many.encode())
    (tmp_path / "a.gz").write_bytes(data[: len(data) // 2])
    message = refused(tmp_path / "a.gz")
    assert "the .gz is cut short" in message
    count = int(message.split(whole)[0].split()[-1])
    assert 0 < count < 200
    (tmp_path / "b.gz").write_bytes(data[:-8])
    assert f"200 {whole}" in refused(tmp_path / "b.gz")


def test_a_damaged_gz(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD.encode())[:10] + b"\xff" * 50)
    assert "a.gz: the .gz is damaged" in refused(tmp_path / "a.gz")


def test_gz_files_joined_are_read_to_the_end(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(GOOD.encode()) * 3)
    assert read(tmp_path / "a.gz", "13C", ELEMENTS, 64).total == 3


def test_neither_sd_nor_json_lines(tmp_path):
    assert "neither an SD file nor JSON lines (it starts with 'a,b')" in refused(save(tmp_path / "a", "a,b\n1,2\n"))


def test_nothing_left_lists_the_reasons(tmp_path):
    message = refused(save(tmp_path / "a", line("x", "CBr") + line("y", "C(") + line("z", "CBr")))
    assert "a: none of its 3 records can be used: 2 an element outside H C N O F S P Cl, 1 unreadable SMILES" in message
    comma = sd("a", ETHANOL, ("77,91", 2)) + sd("b", ETHANOL, (20, 0))
    assert refused(save(tmp_path / "c", comma)).endswith(
        "none of its 2 records can be used: 2 no usable shift; 1 shifts left out: no number can be read: "
        "'77,91;0.0Q;2' (first in record a); 1 shifts left out: 13C on an atom that is no carbon (first in record b)"
    )
    assert "2 broken JSON" in refused(save(tmp_path / "b", "{x\n{y\n"))


def test_an_unknown_nucleus(tmp_path):
    assert "data.nucleus=19F: give one of 13C, 1H" in refused(save(tmp_path / "a", GOOD), "19F")


@pytest.mark.skipif(not FIXTURE.exists(), reason=f"the records chosen to break parsers are not at {FIXTURE}")
@pytest.mark.parametrize("nucleus, records, skipped", [("13C", 249, [50]), ("1H", 160, [132, 7])])
def test_the_native_records_are_all_accounted_for(nucleus, records, skipped):
    found = read(FIXTURE, nucleus, ELEMENTS, 64)
    assert (found.total, len(found.records), [len(ids) for ids in found.skipped.values()]) == (299, records, skipped)
    for r in found.records:
        same_order(r)
        # the file's own structure, told apart from its mol block by the property SMILES
        for atom in r.shifts:
            bearer = r.molecule.GetAtomWithIdx(atom)
            assert bearer.GetAtomicNum() == 6 if nucleus == "13C" else bearer.GetTotalNumHs() > 0


@pytest.mark.skipif(not FIXTURE.exists(), reason=f"the records chosen to break parsers are not at {FIXTURE}")
def test_multiplicities_written_in_the_native_peaks_agree_with_the_hydrogens():
    """S, D, T, Q behind a 13C intensity counts hydrogens: an oracle for where each label has gone."""
    from dlthink.data.molecules.readers import sd_file

    text = gzip.decompress(FIXTURE.read_bytes()).decode()
    letters = {}
    for block_, properties in map(sd_file.block_and_properties, sd_file.cut(text.split("\n"))):
        for name, value in properties:
            if name.startswith("Spectrum 13C"):
                rows = letters.setdefault(sd_file.name_of(block_, properties, 0), [])
                rows += [(float(p.split(";")[0]), p.split(";")[1][-1]) for p in value.split("|") if p.strip()]
    agree = total = 0
    for r in read(FIXTURE, "13C", ELEMENTS, 64).records:
        for atom, values in r.shifts.items():
            for ppm in values:
                said = {"SDTQ".index(letter) for p, letter in letters[r.id] if p == ppm and letter in "SDTQ"}
                if said:
                    total += 1
                    agree += r.molecule.GetAtomWithIdx(atom).GetTotalNumHs() in said
    assert total > 2000 and agree / total > 0.99


@pytest.mark.skipif(not LINES.exists(), reason=f"the joined molecules are not at {LINES}")
@pytest.mark.slow
@pytest.mark.parametrize(
    "nucleus, counts", [("13C", (8_949, 91_779, 2_085, 21_564)), ("1H", (15_492, 112_245, 3_706, 27_031))]
)
def test_the_joined_molecules_are_as_their_source_says(nucleus, counts):
    every = [Chem.GetPeriodicTable().GetElementSymbol(number) for number in range(1, 119)]
    found = read(LINES, nucleus, every, 10_000)
    assert len(found.records) + sum(map(len, found.skipped.values())) == found.total == 24_170
    train, test = ([r for r in found.records if r.split == side] for side in ("train", "test"))
    assert (len(train), sum(len(r.shifts) for r in train), len(test), sum(len(r.shifts) for r in test)) == counts
    assert not found.notes
    sides = {}
    for r in found.records:
        sides.setdefault(r.key, set()).add(r.split)
    both = sum(len(side) > 1 for side in sides.values())
    assert both <= 22, "more molecules on both sides than the salts and charged forms that its split did not know"
