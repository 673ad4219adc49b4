"""Files of molecules with properties, as people have them; what is wrong with one is one line."""

import gzip
import json
import math

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.readers.property_records import Wanted, read  # noqa: E402
from dlthink.data.molecules.readers.structure_file import read_structures  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block, record, save  # noqa: E402

LOGS = Wanted(("logS",))


def values(path, wanted=LOGS):
    return {record.id: record.values[0] for record in read(path, wanted).records}


@pytest.mark.parametrize(
    "content",
    [
        b"name,smiles,logS\na,CCO,-0.5\nb,CC,1.25\n",
        b'"name";"smiles";"logS"\n"a";"CCO";"-0,5"\n"b";"CC";"1,25"\n',
        b"sep=;\nname;smiles;logS\na;CCO;-0,5\nb;CC;1,25\n",
        b"name\tCanonical_SMILES\tLOGS\na\tCCO\t-0.5\nb\tCC\t1.25\n",
        b"\n\nid,SMILES,logs \r\na,CCO ,-.5\r\n\r\nb, CC,+1.25e0\r\n",
        "name,smiles,logS,dose µg\na,CCO,-0.5,1\nb,CC,1.25,2\n".encode("utf-16"),
        "name,smiles,logS,dose µg\na,CCO,-0.5,1\nb,CC,1.25,2\n".encode("cp1252"),
        b"# LabDB 3.2, 2024\n#exported, by, me\nname,smiles,logS\na,CCO,-0.5\nb,CC,1.25\n",
        b"Solubilities\n\nname;smiles;logS\na;CCO;-0,5\nb;CC;1,25\n",
        b"Screen,2024\nAnalyst,Meier\n\nname,smiles,logS\na,CCO,-0.5\nb,CC,1.25\n",
        b"name,smiles,logS\n-,-,[mol/l]\na,CCO,-0.5\nb,CC,1.25\nc,C,k.A.\nd,CCC,#N/A\n",
        b"name,structure,logS,\na,CCO,-0.5 \xb1 0.1,\nb,CC,1.25 \xb1 0.2,\n",
        b"name  smiles logS\na  CCO   -0.5\nb  CC     1.25\n",
        b"name;Struktur;logS\na;CCO;-0,5 %\nb;CC;1,25 %\n",
        "name,smiles,logS\na,CCO,\u22120.5\nb,CC,1.25\n".encode(),
        b"\xef\xbb\xbfname,smiles,logS\na,CCO,-0.5\nb,CC,1.25\n",
        gzip.compress(b"name,smiles,logS\na,CCO,-0.5\nb,CC,1.25\n", mtime=0),
        b'{"id": "a", "smiles": "CCO", "logS": -0.5}\n{"id": "b", "smiles": "CC", "LogS": "1.25"}\n',
        json.dumps([{"id": "a", "SMILES": "CCO", "logS": -0.5}, {"id": "b", "SMILES": "CC", "logS": 1.25}]).encode(),
    ],
)
def test_tables_and_json_as_people_have_them(tmp_path, content):
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    assert values(path) == {"a": -0.5, "b": 1.25}


@pytest.mark.parametrize("head", ["smiles,logS,smiles", "SMILES,logS,smiles"])
def test_two_columns_of_structures_are_refused(tmp_path, head):
    path = save(tmp_path / "a.csv", f"{head}\nCCO,1,C\nCC,2,CC\n")
    for ask in (lambda: read(path, LOGS), lambda: list(read_structures(path))):
        with pytest.raises(BadInput, match=r"a\.csv: 2 columns are called (?i:smiles); rename all but that of"):
            ask()


def test_of_two_columns_in_another_case_one_can_be_named(tmp_path):
    path = save(tmp_path / "a.csv", "SMILES,logS,smiles\nCCO,1,C\nCC,2,CCC\n")
    for column, atoms in (("SMILES", [3, 2]), ("smiles", [1, 3])):
        records = read(path, Wanted(("logS",), smiles=column)).records
        assert [one.molecule.GetNumAtoms() for one in records] == atoms
        assert [mol.GetNumAtoms() for _, mol in read_structures(path, column=column)] == atoms


WRITTEN = {
    "Swiss thousands": (["1'200.5", "700"], [1200.5, 700]),
    "German thousands": (["1.200,5", "1.000.000,0"], [1200.5, 1e6]),
    "American thousands": (["1,200.5", "1,000,000.0"], [1200.5, 1e6]),
    "a unit, and another one": (["4 uM", "12.5 nM", "3 nM"], [math.nan, 12.5, 3]),
    "a unit, and none": (["12.5 nM", "3"], [12.5, math.nan]),
    "a limit": (["5", ">10"], [5, math.nan]),
    "a decimal comma in a field": (["-0,77", "1,5"], [-0.77, 1.5]),
}


@pytest.mark.parametrize("texts, wanted", WRITTEN.values(), ids=WRITTEN)
def test_amounts_as_people_write_them(tmp_path, texts, wanted):
    rows = "".join(f'{"C" * n},"{text}",{n}\n' for n, text in enumerate(texts, start=1))
    reading = read(save(tmp_path / "a.csv", f"smiles,y,z\n{rows}"), Wanted(("y", "z")))
    assert [one.values[0] for one in reading.records] == pytest.approx(wanted, nan_ok=True)


CHEMBL = """"Molecule ChEMBL ID";"Smiles";"Standard Relation";"Standard Value";"Standard Units";"pChEMBL Value"
"a";"CCO";"'='";"12.5";"nM";"7.9"
"b";"CC";"'>'";"10000.0";"nM";""
"c";"CCC";"'~'";"3";"nM";"8.5"
"d";"CCCC";"'='";"4";"ug.mL-1";""
"e";"C";"";"";"";""
"""


@pytest.mark.parametrize("kind", ["csv", "sdf", "json"])
def test_a_bound_or_another_unit_in_a_column_beside_a_value_is_no_value(tmp_path, kind):
    path = save(tmp_path / "a.csv", CHEMBL)
    rows = [dict(zip(*(line.replace('"', "").split(";") for line in (CHEMBL.splitlines()[0], line)), strict=True))
            for line in CHEMBL.splitlines()[1:]]  # fmt: skip
    if kind == "sdf":
        path = save(tmp_path / "a.sdf", "".join(record(ETHANOL, fields) for fields in rows))
    if kind == "json":
        path = save(tmp_path / "a.json", json.dumps(rows))
    reading = read(path, Wanted(("Standard Value",)))
    assert [one.values for one in reading.records] == [[12.5], [3.0]]
    assert "values of Standard Value are in nM" in reading.notes
    lost = [note.partition(" (first")[0] for note in reading.notes if "left out" in note]
    assert lost == [
        "1 values of Standard Value left out: a bound (< or >), no value: '>10000.0 nM'",
        "1 values of Standard Value left out: in another unit than nM: '4 ug.mL-1'",
    ]


OTHER = {
    "x.mol2": ("@<TRIPOS>MOLECULE\nx\n", "is MOL2: .*obabel x.mol2 -O x.sdf"),
    "x.csv": ("HEADER    PROTEIN\nATOM      1\n", "is PDB"),
    "x.xyz": ("1\n\nC 0 0 0\n", "is XYZ"),
    "x.html": ("<!DOCTYPE html><p>smiles,logS</p>", "is a web page"),
    "x.parquet": ("PAR1xxxx", "is Parquet: python -c .*read_parquet"),
}


@pytest.mark.parametrize("name, content, says", [(name, *rest) for name, rest in OTHER.items()], ids=OTHER)
def test_another_format_is_told_with_the_way_out(tmp_path, name, content, says):
    path = save(tmp_path / name, content)
    with pytest.raises(BadInput, match=says):
        read(path, LOGS)
    if "obabel" in says:
        with pytest.raises(BadInput, match=says):
            read_structures(path)


def test_rows_with_names_that_the_header_has_not(tmp_path):
    path = save(tmp_path / "a.csv", '"smiles","logS"\n"1","CCO",-0.5\n"2","CC",1.25\n')
    assert [record.values[0] for record in read(path, LOGS).records] == [-0.5, 1.25]


def test_an_inchi_is_told_as_such(tmp_path):
    path = save(tmp_path / "a.csv", 'smiles,logS\n"InChI=1S/CH4/h1H4",1\nC,2\n')
    (reason,) = read(path, LOGS).skipped
    assert "an InChI in place of a SMILES" in reason


def test_an_sd_file_with_a_field(tmp_path):
    ethane = block(["C", "C"], [(0, 1, 1)], "ethane")
    text = record(ETHANOL, {"logS": "-0.5", "MW": "46"}) + record(ethane, {"LogS": "1.25"}) + record(ethane, {})
    reading = read(save(tmp_path / "a.sdf.gz", text, packed=True), LOGS)
    assert {one.id: (one.values, one.smiles) for one in reading.records} == {
        "ethanol": ([-0.5], "OCC"),
        "ethane": ([1.25], "CC"),
    }
    assert reading.skipped == {"no value of logS": ["ethane"]} and reading.total == 3


def test_missing_ones_are_left_out_target_by_target(tmp_path):
    text = "smiles,a,b,c\nC,1,,2\nCC,na,NaN,-\nCCC,?,3,null\nCCCC,0,N/A,none\n"
    reading = read(save(tmp_path / "a.csv", text), Wanted(("b", "a")))
    assert [[None if math.isnan(v) else v for v in one.values] for one in reading.records] == [
        [None, 1.0],
        [3.0, None],
        [None, 0.0],
    ]
    assert reading.skipped == {"no value of b or a": ["row 2"]}


def test_what_is_no_number_is_shown_as_it_is_written(tmp_path):
    text = "smiles,logS\n" + "C,1\n" * 3 + "CC,<0.5\nCCC,approx. 2\nCCCC,1_000\nCCCCC,inf\n"
    reading = read(save(tmp_path / "a.csv", text), LOGS)
    assert len(reading.records) == 3 and len(reading.skipped["no value of logS"]) == 4
    assert "1 values of logS left out: a bound (< or >), no value: '<0.5' (first in record row 4)" in reading.notes
    lost = "2 values of logS left out: no number can be read: 'approx. 2', '1_000' (first in record row 5)"
    assert lost in reading.notes
    assert any(note.startswith("1 values of logS left out: infinite or too large") for note in reading.notes)


def test_codes_for_missing_values_are_told(tmp_path):
    reading = read(save(tmp_path / "a.csv", "smiles,logS\nC,1\nCC,-999\nCCC,-999\nCCCC,2\n"), LOGS)
    assert reading.notes == [
        "values of logS that are -999, unlike all others: if they stand for none, data.missing=[-999]"
    ]


def test_codes_for_missing_values_that_are_named_are_none(tmp_path):
    file = save(tmp_path / "a.csv", "smiles,logS\nC,1\nCC,-999.0\nCCC,untested\nCCCC,2\n")
    reading = read(file, Wanted(("logS",), missing=("-999", "untested")))
    assert [record.values for record in reading.records] == [[1.0], [2.0]]
    assert reading.notes == ["taken as missing, -999, untested: logS (2)"]


def test_structures_that_cannot_be_read_are_counted(tmp_path):
    reading = read(save(tmp_path / "a.csv", "id,smiles,logS\na,C(,1\nb,CC,2\nc,,3\n"), LOGS)
    assert reading.skipped == {"unreadable SMILES": ["a", "c"]}


def test_words_of_a_split_in_any_case_and_unknown_ones(tmp_path):
    text = "smiles,logS,s\nC,1,Train\nCC,2,VALIDATION\nCCC,3, test\nCCCC,4,holdout\nCCCCC,5,\n"
    reading = read(save(tmp_path / "a.csv", text), Wanted(("logS",), split="S"))
    assert [one.split for one in reading.records] == ["train", "val", "test", None, None]
    assert any("splits ignored" in note and "'holdout'" in note for note in reading.notes)


def test_the_name_of_a_row_is_told(tmp_path):
    reading = read(save(tmp_path / "a.csv", "smiles,logS,compound_id\nC,1,x1\nCC,2,x2\n"), LOGS)
    assert [one.id for one in reading.records] == ["x1", "x2"]
    only_target = read(save(tmp_path / "b.csv", "smiles,id\nC,1\nCC,2\n"), Wanted(("id",)))
    assert [(one.id, one.values) for one in only_target.records] == [("row 1", [1.0]), ("row 2", [2.0])]


CSV = "name,smiles,logS,words,nothing\na,CCO,-0.5,wet,\nb,CC,1.25,dry,\n"
REFUSED = {
    "no such column": (CSV, Wanted(("logs2",)), r"data.target=logs2: .*a\.csv has no such column; did you mean logS\?"),
    "no target": (CSV, Wanted(()), r"data.target: say which column of .*a\.csv .*; there is logS, name, noth"),
    "the structures": (CSV, Wanted(("smiles",)), r"data.target=smiles: is the column of the structures; name a m"),
    "words": (CSV, Wanted(("words",)), r"none of its 2 records can be used: 2 no value of words; .*: 'wet', 'dry'"),
    "nothing": (CSV, Wanted(("nothing",)), r"none of its 2 records can be used: 2 no value of nothing"),
    "one of two": (CSV, Wanted(("logS", "nothing")), r"data.target=nothing: .* has no value of it in 2 molecules"),
    "words beside": (CSV, Wanted(("logS", "words")), r"data.target=words: .* no value of it in 2 molecules; 2 v"),
    "structures elsewhere": (CSV, Wanted(("logS",), smiles="Smile"), r"data.smiles=Smile: .*did you mean smiles\?"),
    "names as structures": (CSV, Wanted(("logS",), smiles="words"), r"none of its 2 records can be used: 2 unreadable"),
    "no split": (CSV, Wanted(("logS",), split="words"), r"data.split=words: in .* no record says train, val or test"),
    "no such split": (CSV, Wanted(("logS",), split="splot"), r"data.split=splot: .* has no such column"),
    "no such group": (CSV, Wanted(("logS",), group="word"), r"data.group=word: .*did you mean words\?"),
    "two of one name": ("smiles,a,a\nC,1,2\n", Wanted(("a",)), r"data.target=a: .* has 2 columns of this name"),
    "no structures": ("x,logS\nC,1\n", LOGS, r"a\.csv: say which column holds .* data.smiles=COLUMN; there is logS, x"),
    "a header alone": ("smiles,logS\n", LOGS, r"none of its 0 records"),
    "an open quote": ('smiles,logS,x\nC,1,"a\nCC,2,b\nCCC,3,c\n', LOGS, r"is not a CSV \(a row of 3 lines.*left open"),
    "one column": ("smiles\nC\n", Wanted(("smiles",)), r"data.target=smiles: is the column of the structures"),
    "broken JSON": ('{"smiles": "C", "logS": 1\n{"logS": 2}\n', LOGS, r"none of its 2 records"),
    "no such key": ('{"smiles": "C", "logP": 1}\n', LOGS, r"data.target=logS: no record of .* has such a f"),
}


@pytest.mark.parametrize("text, wanted, says", REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_one_line(tmp_path, text, wanted, says):
    with pytest.raises(BadInput, match=says) as error:
        read(save(tmp_path / "a.csv", text), wanted)
    assert "\n" not in str(error.value) and "data." in str(error.value)


def test_an_sd_file_without_the_field(tmp_path):
    path = save(tmp_path / "a.sdf", record(ETHANOL, {"Solubility": "1"}) * 3)
    with pytest.raises(BadInput, match=r"data.target=solubilty: no record of .* has such a field; did you mean Solub"):
        read(path, Wanted(("solubilty",)))
    with pytest.raises(BadInput, match=r"data.target: say which column .*; there is Solubility"):
        read(path, Wanted(()))


def test_half_of_an_sd_file_without_the_field(tmp_path):
    """What is there is learned from; what is not is counted."""
    text = "".join(record(ETHANOL, {"logS": "1"} if i % 2 else {"MW": "46"}) for i in range(40))
    reading = read(save(tmp_path / "a.sdf", text), LOGS)
    assert len(reading.records) == len(reading.skipped["no value of logS"]) == 20


def test_an_sd_file_cut_short(tmp_path):
    reading = read(
        save(tmp_path / "a.sdf", record(ETHANOL, {"logS": "1"}) + record(ETHANOL, {"logS": "2"}, end="")), LOGS
    )
    assert any("cut short" in note for note in reading.notes)


def test_a_value_that_float32_does_not_hold(tmp_path):
    reading = read(save(tmp_path / "b.csv", "smiles,logS\nC,1e300\nCC,1\nCCC,2\n"), LOGS)
    assert len(reading.records) == 2 and any("infinite or too large" in note for note in reading.notes)
