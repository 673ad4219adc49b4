"""`dlthink show FILE`: nobody opens a Python prompt to find a key."""

import shlex
import zipfile

import numpy as np
import pytest

from tests.conftest import refused
from tests.data.recordings import written


@pytest.mark.parametrize("kind", written.FORMATS)
def test_what_is_in_a_file_and_what_is_made_of_it(cli, tmp_path, kind):
    path = written.FORMATS[kind](tmp_path)
    code, out, err = cli("show", path)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith(f"{path}: ")
    assert any(line.startswith("read as: 3 units with 1,200 spikes, all from 0.") for line in lines)
    assert f"train on it: dlthink train data=recording data.path={path}" in lines
    names = next(line for line in lines if line.startswith("names of covariates"))
    assert len(names.partition(": ")[2].split(", ")) == 3


@pytest.mark.parametrize(
    "kind", [kind if kind == "npz" else pytest.param(kind, marks=pytest.mark.slow) for kind in written.FORMATS]
)
def test_what_is_shown_can_be_trained_on(cli, tmp_path, kind):
    path = written.FORMATS[kind](tmp_path)
    words = ["trainer=smoke", "trainer.device=cpu", "model.width=8", "data.history=2"]
    assert cli("train", "data=recording", f"data.path={path}", *words)[0] == 0


def test_what_is_missing_is_said_with_the_parts_that_names_can_play(cli, tmp_path):
    np.savez(tmp_path / "mine.npz", xy=np.zeros((100, 2)), when=np.arange(100.0), note=np.array(["mine"]))
    code, out, _ = cli("show", tmp_path / "mine.npz")
    assert code == 0
    for words in (
        "xy    100 x 2 numbers (float64)",
        "note  1 text",
        "not yet a recording: the key spike_times is missing",
    ):
        assert words in out
    assert "parts, for data.keys={PART:NAME}, or several" in out and "covariate_times " in out


def test_a_series_without_rows(cli, tmp_path):
    keys = {"pos": np.empty((0, 2)), "pos_times": np.empty(0), "spike_times": [1.0], "spike_units": [0]}
    np.savez(tmp_path / "mine.npz", **keys)
    assert "  pos: pos_0, pos_1; no rows" in cli("show", tmp_path / "mine.npz")[1].splitlines()


def test_a_table_its_columns_and_the_words_that_train_on_it(cli, tmp_path):
    rows = [f"{k};{k % 3},5;{['red', 'green', 'blue'][k % 3]};2025-01-{k + 1:02d};CC" for k in range(20)]
    rows[4] = rows[4].replace("1,5", "")
    path = tmp_path / "mine.csv"
    path.write_text("visits;hours;colour;day;smiles\n" + "\n".join(rows) + "\n")
    code, out, err = cli("show", path)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[:4] == [
        f"{path}: 20 rows, 5 columns",
        "  visits  number    0 to 19",
        "  hours   number    0.5 to 2.5; 1 missing",
        "  colour  category  3 different: red, green, blue",
    ]
    assert f"train on it, to predict hours: dlthink train data=table data.path={path} data.target=hours" in lines
    assert "data.kind=identities" in out and "data=molecule_table" in out and "data.kind=counts" not in out
    named = path.with_name("named.csv")
    named.write_text("a;Preis, netto\n" + "1;2\n3;5\n" * 5)
    assert """data.target=''"'"'Preis, netto'""" in cli("show", named)[1]
    words = next(line for line in lines if line.startswith("train on it")).partition(": dlthink ")[2].split()
    assert cli(*words, "trainer=smoke", "data.validation=0.3")[0] == 0


def test_a_column_that_numbers_the_rows_is_told(cli, tmp_path):
    rows = "".join(f"{i * 7 % 5},{i % 4},{i + 1}\n" for i in range(20))
    (tmp_path / "t.csv").write_text(f"x,y,row no\n{rows}")
    told = cli("show", "t.csv")[1]
    assert "note: left out, counts the rows: row no" in told
    assert "where y counts something: dlthink train data=table data.path=t.csv data.target=y data.kind=counts" in told
    assert "; so with x" in told
    assert "to predict y:" in told and "\nx: " not in told


def test_show_says_of_columns_what_training_says(cli, tmp_path):
    """Identifiers, codes for missing values, numbers with a unit, a column of one value, footnotes."""
    rows = [
        f"u{i},{(i * 37) % 100 + 0.5},{-99 if i % 9 == 0 else i % 7},{i} cm,{i % 11 + 0.25},same" for i in range(60)
    ]
    (tmp_path / "t.csv").write_text("user,x,code,long,y,one\n" + "\n".join(rows) + "\nSource: the office\n")
    code, out, err = cli("show", "t.csv")
    assert code == 0, err
    shown = [line for line in out.splitlines() if line.startswith("note: ")]
    code, told, err = cli("train", "data=table", "data.path=t.csv", "data.target=y", "trainer=smoke")
    assert code == 0, err
    trained = [line for line in told.splitlines() if line.startswith("note: ")]
    for said in (
        "an identifier: user",
        "code (-99): if so, data.missing=[-99]",
        "long (cm)",
        "rows: one",
        "the office",
    ):
        (line,) = (line for line in shown if said in line)
        assert line.replace("all rows", "all training rows") in trained


def test_show_claims_no_split_and_no_target(cli, tmp_path):
    """Each column may become the target, and each row a training row."""
    rows = [f"{i % 7 + 0.5},{'' if i == 3 else i * 3 % 11},{'once' if i == 5 else 'ab'[i % 2]},7" for i in range(40)]
    (tmp_path / "t.csv").write_text("area,rent,town,one\n" + "\n".join(rows) + "\n")
    code, out, err = cli("show", "t.csv")
    assert code == 0, err
    notes = [line for line in out.splitlines() if line.startswith("note: ")]
    assert "training" not in " ".join(notes)
    gaps = "missing: rent (2.5%); filled by the mean and marked where a feature, left out where the target"
    assert f"note: {gaps}" in notes
    assert any("with fewer than 2 rows," in note and "town (1 of 3: once)" in note for note in notes)


def test_a_column_that_cannot_be_read_is_told_and_the_others_are_shown(cli, tmp_path):
    rows = "".join(f"{i * 0.5},{'inf' if i == 3 else i}\n" for i in range(20))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}")
    code, out, err = cli("show", "t.csv")
    assert code == 0, err
    assert "cannot be read" in out and "note: FILE=t.csv: column y, line 5: is infinite" in out


def test_whose_rows_these_are_is_told_with_the_word_that_keeps_them_together(cli, tmp_path):
    columns = "mouse,Session No,cell_id,x,rating,strategy"
    rows = "".join(f"m{i % 4},{i % 6},{i},{i % 5},{i % 3},{i % 2}\n" for i in range(24))
    (tmp_path / "t.csv").write_text(f"{columns}\n{rows}")
    told = [line for line in cli("show", "t.csv")[1].splitlines() if "data.group=" in line]
    assert [line.partition(":")[0] for line in told] == ["mouse", "Session No"]
    assert told[0] == (
        "mouse: 4 different, each in several rows; where those of one belong together, data.group=mouse tests on "
        "others than it trains on"
    )
    assert "data.group='Session No'" in told[1]


def test_names_of_a_stranger_are_spelt(cli, tmp_path):
    np.savez(tmp_path / "mine.npz", **{"\x1b[31mred": np.zeros(3)})
    assert "\\x1b[31mred" in cli("show", tmp_path / "mine.npz")[1]


def test_what_cannot_be_shown(cli, tmp_path):
    refused(cli("show", tmp_path / "none.npz"), "no such file")
    refused(cli("show", "a", "b"), "give one file")
    refused(cli("show", tmp_path, "data=faces"), "data=faces: shows no files", "recording")
    refused(cli("show", tmp_path), "photos", f"data=face_folder data.path={tmp_path}")
    (tmp_path / "x.pkl").write_bytes(b"\x80\x04.")
    refused(cli("show", tmp_path / "x.pkl"), "is a pickle", "np.savez")
    code, out, _ = cli("show", "--help")
    assert code == 0 and "dlthink show FILE" in out


def test_the_refusal_is_that_of_what_would_read_such_a_file(cli, tmp_path):
    (tmp_path / "quote.csv").write_text('a,b\n"x,1\n2,3\n')
    refused(cli("show", "quote.csv"), "quote.csv", "a quote in line 2")
    with zipfile.ZipFile(tmp_path / "sheet.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    refused(cli("show", "sheet.xlsx"), "sheet.xlsx", "workbook", "CSV")
    refused(cli("train", "data=recording", "data.path=sheet.xlsx"), "sheet.xlsx", "no .npz")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04")
    refused(cli("show", "cut.npz"), "cut.npz", "damaged or cut short")


def test_what_show_proposes_can_be_done(cli, tmp_path):
    """No constant as a target, no yes and no as counts, nobody who is there once; long words cut, one row is one."""
    rows = "".join(f"{i * 0.5},5,{i % 2},{i % 7 * 10**9},{i % 5},u{i},{'x' * 500}{i % 3}\n" for i in range(30))
    (tmp_path / "t.csv").write_text(f"x,same,yes,huge,few,mail,long\n{rows}")
    told = cli("show", "t.csv")[1]
    assert "to predict few: " in told and "where few counts something: " in told and "; so with" not in told
    assert "who is like whom, by long: " in told and "xxxxx" not in told
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    told = cli("show", "one.csv")[1]
    assert "one.csv: 1 row, 2 columns" in told and "data.target" not in told


def sd(*records):
    """An SD file of methanes, {field: text} each."""
    block = "\n\n\n  1  0  0  0  0  0            999 V2000\n    0.0 0.0 0.0 C   0  0\nM  END\n"
    fields = ["".join(f"> <{name}>\n{text}\n\n" for name, text in one.items()) for one in records]
    return "".join(f"{block}{one}$$$$\n" for one in fields)


def test_fields_of_molecules_and_the_words_that_train_on_them(cli, tmp_path):
    path = tmp_path / "mine.sdf"
    rows = [{"id": k, "log S": -k / 10, "maker": "us", "Spectrum 13C 0": "77.9;0.0S;0|"} for k in range(20)]
    rows[3] |= {"log S": "", "note": "seen, twice"}
    path.write_text(sd(*rows))
    code, out, err = cli("show", path)
    assert code == 0, err
    assert out.splitlines() == [
        f"{path}: 20 SD records, 5 fields",
        "  id              number    0 to 19",
        "  log S           number    -1.9 to 0; 1 missing",
        "  maker           text      us",
        "  Spectrum 13C 0  spectrum  13C shifts of 20 records",
        "  note            text      seen, twice; 19 missing",
        f"shifts of 13C: dlthink train data=nmrshiftdb2 data.path={path} data.nucleus=13C",
        f"train on it, to predict log S: dlthink train data=molecule_table data.path={path} "
        "data.target=''\"'\"'log S'\"'\"''",
        "what else can be set, which costs fit: dlthink train data=molecule_table --help",
    ]


def test_molecules_in_json_and_without_a_number(cli, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"smiles": "CCO", "c13": {}, "h1": {"0": [1.2]}}\n{"smiles": "C", "c13": null}\n'
    )
    out = cli("show", "a.jsonl")[1].splitlines()
    assert out[0] == "a.jsonl: 2 JSON records, 3 fields"
    assert "  h1      spectrum  1H shifts of 1 record" in out
    assert not any("data.nucleus=13C" in line for line in out)
    (tmp_path / "b.sdf").write_text(sd({"maker": "us"}, {"maker": "them"}))
    assert "no field holds numbers to predict, and none shifts" in cli("show", "b.sdf")[1]


def test_the_shown_line_of_an_sd_file_trains(cli, tmp_path):
    chem = pytest.importorskip("rdkit.Chem")
    with chem.SDWriter(str(tmp_path / "mine.sdf")) as writer:
        for k in range(1, 31):
            alkane = chem.MolFromSmiles(k * "C")
            alkane.SetProp("log S", f"{-k / 3:.2f}")
            writer.write(alkane)
    shown = next(line for line in cli("show", "mine.sdf")[1].splitlines() if line.startswith("train on it"))
    words = shlex.split(shown.partition("dlthink ")[2])
    code, _, err = cli(*words, "trainer=smoke", "trainer.device=cpu", "model.width=8", "data.baselines=[constant]")
    assert code == 0, err


def test_a_file_of_endless_fields_is_counted_at_bounded_size(cli, tmp_path):
    (tmp_path / "many.sdf").write_text(sd({f"field {k}": k for k in range(3000)}))
    out = cli("show", "many.sdf")[1].splitlines()
    assert out[0].endswith("1 SD record, 1,000 fields") and "  and 960 more" in out
