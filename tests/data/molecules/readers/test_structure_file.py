"""The structures in a user's file, however it was saved."""

import gzip

import pytest

Chem = pytest.importorskip("rdkit.Chem", reason="molecules need rdkit")

from dlthink.data.molecules.readers.structure_file import read_structures  # noqa: E402
from dlthink.errors import BadInput  # noqa: E402
from tests.data.molecules.made_molecules import ETHANOL, block, record, save  # noqa: E402


def symbols(mol):
    return "".join(atom.GetSymbol() for atom in mol.GetAtoms())


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


def test_objects_that_are_none(tmp_path):
    lines = ['{"mol": "CCO"}', '{"smiles": ""}', '{"smiles": "C"}', "{'smiles': 'CCO'}"]
    expected = ['not an object with a text "smiles"', "the SMILES is empty", "C", "broken JSON"]
    assert [found for _, found in readings(save(tmp_path / "a.jsonl", "\n".join(lines)))] == expected


def test_csv_without_the_column(tmp_path):
    with pytest.raises(BadInput, match=r"a\.csv: no column is called smiles \(there are compound, id\)"):
        readings(save(tmp_path / "a.csv", "compound,id\nC,1\n"))


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
        ("a.xxx", b"C", "which format"),
        ("a.xyz", b"C", "is XYZ: .*obabel a.xyz -O a.sdf"),
        ("a.smi", b"", "empty"),
        ("a.smi", b"# only a comment\n", "no molecule"),
        ("a.csv", b"smiles\n", "no molecule"),
        ("a.smi.gz", gzip.compress(b"CCO\n" * 99, mtime=0)[:-9], "cut short"),
        ("a.smi.gz", b"\x1f\x8brubbish of some length", "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=f"input=.*{name}: .*{message}"):
        readings(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInput, match=r"input=.*none\.smi: there is no such file"):
        readings(tmp_path / "none.smi")


ETHANOLS = [("ethanol", "CCO")]


@pytest.mark.parametrize(
    "text",
    [
        "CCO\tethanol\t46.07\n",
        "CCO,ethanol\n",
        "CCO; ethanol\n",
        '"CCO"\t"ethanol"\n',
        "CCO |$;;O1$,c:1| ethanol\n",
        "CCO |$;;O1$|\tethanol\n",
        "\r\rCCO ethanol\r",
        "name\tsmiles\nethanol\tCCO\n",
        "ID SMILES\nethanol CCO\n",
        "SMILES\tTitle\nCCO\tethanol",
        "smiles,name\nCCO,ethanol",
    ],
)
def test_dialects_of_lines(tmp_path, text):
    assert readings(save(tmp_path / "a.smi", text)) == ETHANOLS


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nname;smiles\nethanol;CCO\n",
        '"sep=\t"\nname\tsmiles\nethanol\tCCO\n',
        'smiles;"IUPAC name, preferred, (en)"\nCCO;ethanol\n',
        "Compound ID|Canonical SMILES|mass\nethanol|CCO|46,07\n",
        '"smiles","a\nname"\n"CCO","ethanol"\n',
        "\n\nname,SMILES (neutral)\nethanol,CCO |$;;O1$|\n",
        "rdkit_smiles,smiles,name\nC,CCO,ethanol\n",
        "smiles_id,smiles,mol name\n3,CCO,ethanol\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_dialects_of_tables(tmp_path, text, encoding):
    (tmp_path / "a.csv").write_bytes(text.replace("\n", "\r\n").encode(encoding))
    assert readings(tmp_path / "a.csv") == ETHANOLS
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(text.encode(encoding)))
    assert readings(tmp_path / "a.tsv.gz") == ETHANOLS


def test_a_name_may_hold_commas_spaces_and_a_line_end(tmp_path):
    text = 'name;smiles\n2,4-xylene;Cc1ccc(C)cc1\n"two\nlines, ""so""";CCO\n'
    assert [name for name, _ in readings(save(tmp_path / "a.csv", text))] == ["2,4-xylene", 'two lines, "so"']


def test_a_name_in_the_encoding_of_windows(tmp_path):
    (tmp_path / "a.csv").write_bytes("name;smiles\nStärke µ;CCO\ncafé;CC\n".encode("cp1252"))
    assert [name for name, _ in readings(tmp_path / "a.csv")] == ["Stärke µ", "café"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_sd_file_of_any_system(tmp_path, end):
    text = (record(ETHANOL, {"a": "b"}) + record(block("C", title=""), {}) + "\n").replace("\n", end)
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "a.sdf").write_bytes(text.encode(encoding))
        assert readings(tmp_path / "a.sdf") == [("ethanol", "OHCHC"), ("2", "C")]


def test_the_file_of_a_training_is_read_too(tmp_path):
    text = '{"id": "a", "smiles": "CCO", "c13": {"0": [1]}}\n{broken\n{"smiles": "CC"}\n'
    assert readings(save(tmp_path / "a.jsonl", text)) == [
        ("a", "CCO"),
        ("line 2", "broken JSON"),
        ("line 3", "CC"),
    ]


def test_a_molecule_beyond_all_measure_is_turned_away_before_rdkit_sees_it(tmp_path):
    text = "C" * 10_001 + " long\n" + "C" * 10_000 + "\n"
    assert [type(found) is str for _, found in readings_raw(save(tmp_path / "a.smi", text))] == [True, False]


def test_a_quotation_mark_left_open_ends_in_one_line(tmp_path):
    text = 'smiles,name\nCCO,"open\n' + "CCO,x\n" * 30_000
    with pytest.raises(BadInput, match=r"a\.csv: is not a CSV \(field larger.*quotation mark"):
        readings(save(tmp_path / "a.csv", text))


def readings_raw(path):
    return list(read_structures(path))
