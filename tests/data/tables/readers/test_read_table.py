"""Tables as people have them: every dialect gives the same frame; what is none is told in one line."""

import gzip
import warnings

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.readers.dialect import Dialect
from dlthink.data.tables.readers.read_table import read_table
from dlthink.errors import BadInput
from tests.data.tables.made import frame, written


def refused(path, *says):
    with pytest.raises(BadInput) as error:
        read_table(path)
    line = str(error.value)
    assert "\n" not in line and str(path) in line
    for word in says:
        assert word in line, line


DIALECTS = {
    "comma": {},
    "semicolon and decimal comma": {"sep": ";", "decimal": ","},
    "tab": {"sep": "\t"},
    "tab and decimal comma": {"sep": "\t", "decimal": ","},
    "bar": {"sep": "|"},
    "quoted decimal commas": {"decimal": ","},
    "UTF-16": {"encoding": "utf-16"},
    "byte order mark": {"encoding": "utf-8-sig", "sep": ";"},
    "Windows": {"encoding": "cp1252", "lineterminator": "\r\n"},
}


@pytest.mark.parametrize("how", DIALECTS.values(), ids=DIALECTS)
def test_every_dialect_gives_the_same_table(tmp_path, how):
    table = frame(30).assign(größe="Ünï")
    found, source = read_table(written(tmp_path, table, **how))
    assert list(found.columns) == list(table.columns)
    assert np.array_equal(found[["a", "b", "y"]], table[["a", "b", "y"]])
    assert list(found["größe"]) == list(table["größe"]) and list(found["colour"]) == list(table["colour"])
    assert source.place(3) == "line 5"


def test_packed_tab_and_parquet(tmp_path):
    table = frame(30)
    path = tmp_path / "t.tsv.gz"
    path.write_bytes(gzip.compress(table.to_csv(sep="\t", index=False).encode()))
    table.to_parquet(tmp_path / "t.parquet")
    for name in ("t.tsv.gz", "t.parquet"):
        found, source = read_table(tmp_path / name)
        assert found.equals(table) or np.array_equal(found["y"], table["y"])
    assert source.place(3) == "row 4"


def test_parquet_with_categories_and_moments(tmp_path):
    table = frame(30).assign(colour=lambda t: t["colour"].astype("category"), day=lambda t: pd.to_datetime(t["day"]))
    table.to_parquet(tmp_path / "t.parquet")
    found, _ = read_table(tmp_path / "t.parquet")
    assert list(found["colour"]) == list(table["colour"]) and found["day"].dtype.kind == "M"


def test_words_for_nothing(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n?,NA\n-,\nn/a,None\n2,y\n")
    found, _ = read_table(path)
    assert found["a"].dtype.kind == "f" and found["a"].isna().sum() == 3 and found["b"].isna().sum() == 3


def test_as_written_nothing_is_changed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b\n1,50;NA\n007;\n")
    found, _ = read_table(path, as_written=True)
    assert found.to_numpy().tolist() == [["1,50", "NA"], ["007", ""]]


def test_excel_says_the_separator_and_ends_lines_with_it(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sep=;\na;b;\n1;2;\n3;4;\n")
    found, source = read_table(path)
    assert list(found.columns) == ["a", "b"] and found["b"].tolist() == [2, 4] and source.place(0) == "line 3"


ABOVE = {
    "comments": ("# LabDB 3.2, 2024\n#exported, by, me\n", ","),
    "a title": ("Sales report 2024\n\n", ","),
    "Excel's title": ("Umsatz;;\nStand 1,2;;\n;;\n", ";"),
}


@pytest.mark.parametrize("above, separator", ABOVE.values(), ids=ABOVE)
def test_lines_above_the_header_are_no_rows(tmp_path, above, separator):
    path, comma = tmp_path / "t.csv", "," if separator == ";" else "."
    rows = "".join(f"{i}{comma}5{separator}{i}{separator}{-i}\n" for i in range(9))
    path.write_text(above + separator.join("abc") + "\n" + rows)
    found, source = read_table(path)
    assert list(found.columns) == ["a", "b", "c"] and found["a"].tolist() == [i + 0.5 for i in range(9)]
    assert source.place(0) == f"line {above.count(chr(10)) + 2}"


HEADED = {  # {what: (lines above, names, lines below)}, each with rows of a number, a word and a number under it
    "titles of two cells": ("Report,Sales\nPrinted,2024-01-01\n\n", "a,b,c,d", ""),
    "merged cells": (",Sales,,\n", "a,b,c,d", ""),
    "units": ("", "a,b,c,d", "s,,m/s2,km\n"),
    "units in brackets, in one column": ("", "a,b,c,d", "-,,-,[km]\n"),
    "questions and a line of a program": ("", "a,b,c,d", '"How old?",Who?,Tall?,All?\n{1},{2},{3},{4}\n'),
}


@pytest.mark.parametrize("above, names, below", HEADED.values(), ids=HEADED)
def test_what_stands_about_the_header_is_no_row(tmp_path, above, names, below):
    path = tmp_path / "t.csv"
    path.write_text(above + names + "\n" + below + "".join(f"{i},x{i},{i}.5,{-i}\n" for i in range(9)))
    found, source = read_table(path)
    assert list(found.columns) == ["a", "b", "c", "d"] and found["c"].tolist() == [i + 0.5 for i in range(9)]
    assert source.place(0) == f"line {(above + below).count(chr(10)) + 2}"
    assert source.header == above.count("\n") + 1 and len(source.notes) == below.count("\n")


def test_years_may_be_names_and_a_comma_may_end_each_line(tmp_path):
    path = tmp_path / "t.csv"
    above = '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-05-30",\n\n'
    rows = "".join(f'"Land {i}","L{i}","{i}.5","{i}.25",\n' if i else '"Land","L","","",\n' for i in range(9))
    path.write_text(above + '"Country Name","Country Code","2019","2020",\n' + rows)
    found, source = read_table(path)
    assert list(found.columns) == ["Country Name", "Country Code", "2019", "2020"] and len(found) == 9
    assert found["2020"].tolist()[1:] == [i + 0.25 for i in range(1, 9)] and source.header == 5


def test_a_comma_in_a_title_does_not_part_decimals(tmp_path):
    path = tmp_path / "t.csv"
    rows = "".join(f"S{i};{i},5;{i};{i % 6}+\n" for i in range(30))
    path.write_text("Klasse 9b, Schuljahr 2023/24\nLehrer: Meier\n\nName;Stunden;Punkte;Note\n" + rows)
    found, _ = read_table(path)
    assert list(found.columns) == ["Name", "Stunden", "Punkte", "Note"] and found["Stunden"].iloc[1] == 1.5


def test_a_first_row_of_errors_and_gaps_is_a_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n#DIV/0!,NA,#WERT!\n" + "1,2,3\n" * 9)
    found, _ = read_table(path)
    assert len(found) == 10 and found.iloc[0].isna().all() and found["a"].dtype.kind == "f"


def test_a_header_without_a_name_stays_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(",a,b,c\nBern,Ann,x,high\n" + "Basel,Bob,y,3\n" * 5)
    assert list(read_table(path)[0].columns) == ["column 1", "a", "b", "c"]
    path.write_text(",co2\n1958-03-29,316.1\n1958-04-05,317.3\n1958-04-12,317.6\n")  # a series, as pandas writes it
    assert list(read_table(path)[0].columns) == ["column 1", "co2"]
    path.write_text(",Report\nday,co2\n1958-03-29,316.1\n1958-04-05,317.3\n1958-04-12,317.6\n")
    assert list(read_table(path)[0].columns) == ["day", "co2"]


ENDS = {
    "footnotes": ("Source: an office\n* estimated\n", ["line 11, Source: an office", "line 12, * estimated"]),
    "padded ones": ("Figures of the last year only,,\n", ["line 11"]),
    "empty rows": (",,\n,,\n", ["2 empty rows"]),
    "a comment behind empty rows": (",,\n\n# end\n", ["line 12, # end", "1 empty row"]),
    "what a database counts": ("(9 rows)\n", ["(9 rows)"]),
}


@pytest.mark.parametrize("end, says", ENDS.values(), ids=ENDS)
def test_what_stands_below_the_table_is_no_row(tmp_path, end, says):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + "".join(f"x,{i},{i}\n" for i in range(9)) + end)
    found, source = read_table(path)
    assert len(found) == 9 and "".join(source.notes).startswith("left out, below the table")
    assert all(word in source.notes[0] for word in says), source.notes


@pytest.mark.parametrize("last", ["2024-05-01,,\n", "x,,\n", "South Sudan,,\n", "7,,\n"])
def test_a_last_row_that_has_its_first_cell_alone_stays(tmp_path, last):
    """Of which the rest is to be predicted."""
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + "".join(f"x,{i},{i}\n" for i in range(9)) + last)
    assert len(read_table(path)[0]) == 10


@pytest.mark.parametrize("end", [",", ",,,"])
def test_separators_at_the_end_of_rows_alone_make_no_names_of_rows(tmp_path, end):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n" + "".join(f"{i},x,{i}.5{end}\n" for i in range(9)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, _ = read_table(path)
    assert list(found.columns) == ["a", "b", "c"] and found["c"].tolist() == [i + 0.5 for i in range(9)]


BLANKS = {
    "names of rows, as R writes them": ('"a" "b"\n', '"{0}" {0}.5 "two words"\n', ["column 1", "a", "b"]),
    "columns of one width": ("  a    b\n", " {0}.5  {0}\n", ["a", "b"]),
    "tabs and blanks": ("a \tb\n", "{0}.5 \t {0}\n", ["a", "b"]),
}


@pytest.mark.parametrize("header, row, names", BLANKS.values(), ids=BLANKS)
def test_blanks_between_cells(tmp_path, header, row, names):
    path = tmp_path / "t.dat"
    path.write_text(header + "".join(row.format(i) for i in range(1, 9)))
    found, _ = read_table(path)
    assert list(found.columns) == names and found["a"].tolist() == [i + 0.5 for i in range(1, 9)]


def test_names_that_are_numbers(tmp_path):
    path = tmp_path / "t.csv"
    for header in ("0,1,2", ",0,1", "2021,2022,2023"):
        path.write_text(header + "\n" + "7,8.5,9\n" * 3)
        assert list(read_table(path)[0].columns)[1:] == header.split(",")[1:]


def test_a_column_may_hold_its_own_name(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("female,age\nmale,3\nfemale,4\n")
    assert read_table(path)[0]["female"].tolist() == ["male", "female"]


def test_points_between_thousands(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("people;area\n1.234.567;3.000\n12.345;4.500\n234.567;1.250\n")
    assert read_table(path)[1].decimal == ","  # so 234.567 is no decimal
    path.write_text("area;x\n3.000;1\n4.500;2\n1.250;3\n1.750;4\n")
    assert read_table(path)[1].dotted == ("area",)
    path.write_text("area;x\n3.000;1.5\n4.500;2\n1.250;3\n1.750;4\n")
    assert read_table(path)[1].dotted == ()


def test_a_guessed_encoding_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("größe;y\n1;2\n3;4\n".encode("cp1252"))
    found, source = read_table(path)
    assert found.columns[0] == "größe" and "Windows-1252" in source.notes[0]


@pytest.mark.parametrize("name", ["t", "t.data", "t.CSV", "t.parquet", "t.xls", "t.db"])
def test_text_is_told_by_its_content(tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,2\n3,4\n")
    assert read_table(tmp_path / name)[0].shape == (2, 2)


OTHER = {
    "t.xlsx": (b"PK\x03\x04", ["a workbook", "save its sheet as CSV"]),
    "t.ods": (b"PK\x03\x04", ["a workbook"]),
    "t.csv": (b"\xd0\xcf\x11\xe0", ["a workbook"]),
    "t.feather": (b"ARROW1", ["Arrow", "pandas.read_feather('t.feather').to_csv('t.csv', index=False)"]),
    "t.jsonl": (b"{}", ["JSON", "lines=True"]),
    "t.sav": (b"$FL2", ["SPSS", "read_spss"]),
    "t.dta": (b"r\x02\x01\0", ["Stata"]),
    "t.rds": (b"\x1f\x8b", ["in R, write.csv"]),
    "t.html": (b"<table>", ["read_html('t.html')[0]"]),
    "t.db": (b"SQLite format 3", ["a database"]),
    "t.sdf": (b"ethanol\n  RDKit          2D\n\n", ["molecules", "data=molecule_table reads .sdf"]),
    "t.sdf.gz": (b"\x1f\x8b\x08", ["molecules", "data=molecule_table reads .sdf"]),
    "t.arff": (b"@relation", ["Weka", "@data"]),
}


@pytest.mark.parametrize("name, content, says", [(name, *rest) for name, rest in OTHER.items()], ids=OTHER)
def test_another_format_is_told_with_the_way_out(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, *says)


def test_a_header_may_begin_as_comments_do(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("#a,b\n1,2\n3,4\n5,6\n")
    assert list(read_table(path)[0].columns) == ["#a", "b"]


def test_rows_with_names_that_the_header_has_not(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"a","b"\n"1",0.5,2\n"2",1.5,3\n"3",2.5,4\n')
    found, _ = read_table(path)
    assert list(found.columns) == ["column 1", "a", "b"] and found["a"].tolist() == [0.5, 1.5, 2.5]


def test_numbers_that_begin_with_0_are_noticed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("zip,a,b\n01234,0.5,0\n20001,0.7,10\n10115,0,7\n")
    assert read_table(path)[1].coded == ("zip",)


def test_row_names_of_R(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('"","a","b"\n"r1",1,2\n"r2",3,4\n')
    assert list(read_table(path)[0].columns) == ["column 1", "a", "b"]


def test_marks_of_decimals():
    text = 'a,b\n"1,234","x"\n"12,500","y"\n'
    assert Dialect.of(text, "f").decimal == "."  # thousands
    assert Dialect.of(text.replace(",234", ",2"), "f").decimal == ","
    assert Dialect.of("a;b\n1,5;2.5\n", "f").decimal == "."


BAD = {
    "two columns of one name": ("a,b,a\n1,2,3\n4,5,6\n", ["columns 1 and 3", "both called a"]),
    "one column": ("a\n1\n2\n", ["one column, a"]),
    "no header": ("1.5,2\n3,4\n5,6\n", ["first line holds numbers", "names"]),
    "a row in place of a header": ("1.5,x\n3.25,y\n5,z\n", ["first line holds a row", "names"]),
    "lines in quotes as a whole": ('"a,b"\n"1,2"\n"3,4"\n', ["in quotes as a whole"]),
    "rows that are longer": ("a,b\n1,2,3,4\n5,6,7,8\n9,1,2,3\n", ["4 cells where the header has 2", "a name"]),
    "no rows": ("a,b\n", ["no row"]),
    "a header in the middle": ("a,b\n1,x\n2,y\na,b\n3,z\n", ["line 4 repeats the header"]),
    "a cell too long": ("a,b\n1," + 140_000 * "9" + "\n" + 20 * "1,2\n", ["a cell in its first lines", "131,072"]),
    "a quote never closed": ('a,b\n1,"x\n2,y\n3,z\n', ["quote", "never closed"]),
    "a web page": ("\n<!DOCTYPE html>\n<p>a, b</p>\n<p>1, 2</p>\n", ["a web page", "CSV"]),
    "XML": ('<?xml version="1.0"?>\n<a>1,2</a>\n', ["XML"]),
    "JSON": ('[\n {"a": 1, "b": 2},\n {"a": 3, "b": 4}\n]\n', ["is JSON"]),
    "a row too long": ("a,b\n1,2\n1,2,3\n4,5\n", ["line 3 has 3 cells where the header has 2"]),
}


@pytest.mark.parametrize("text, says", BAD.values(), ids=BAD)
def test_what_is_no_table(tmp_path, text, says):
    path = tmp_path / "t.csv"
    path.write_text(text)
    refused(path, *says)


def test_names_in_brackets_are_names():
    for header in ("<date>,<open>", "[a],[b]"):
        assert Dialect.of(f"{header}\n1,2\n3,4\n", "f").header == header.split(",")


def test_a_quote_never_closed_far_below(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 60_000 + '1,"x\n' + "1,2\n" * 1000)
    refused(path, "quote in line 60002", "never closed")


def test_files_that_are_none(tmp_path):
    refused(tmp_path / "none.csv", "no such file")
    refused(tmp_path / "none.parquet", "no such file")
    refused(tmp_path / "t.xlsx", "no such file")
    (tmp_path / "empty.csv").write_text("")
    refused(tmp_path / "empty.csv", "empty")
    (tmp_path / "t.csv").mkdir()
    refused(tmp_path / "t.csv", "folder")
    frame(500).to_parquet(tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "cut.parquet", "no Parquet file, cut short")
    packed = gzip.compress(frame(500).to_csv(index=False).encode())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    refused(tmp_path / "cut.csv.gz", "cut short")


def test_a_header_that_does_not_end_is_told_as_it_is(tmp_path):
    """Cut where a file is looked at, its last name would be that of another column."""
    (tmp_path / "wide.csv").write_text(",".join(f"column{i}" for i in range(20_000)) + "\n1,2\n")
    refused(tmp_path / "wide.csv", "its first line has more than 200,000 characters", "fewer columns")


def test_a_parquet_file_of_one_value_without_end(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "zeros.parquet"
    parquet.write_table(pa.table({"x": np.zeros(1 << 17), "y": ["a"] * (1 << 17)}), path)
    assert len(read_table(path)[0]) == 1 << 17  # small enough, however it is packed
    monkeypatch.setattr("dlthink.data.tables.readers.read_table.LARGE", 1 << 20)
    refused(path, "unpacks to 0.00195 GB from 0.00", "as no real table does")


def test_bytes_that_are_no_text_are_no_table(tmp_path):
    """A .gz within a .gz, and any binary file; neither may be read as Windows-1252."""
    text = b"a,y\n" + b"1,2\n" * 30
    (tmp_path / "twice.csv.gz").write_bytes(gzip.compress(gzip.compress(text)))
    refused(tmp_path / "twice.csv.gz", "is packed twice: unpack it once")
    noise = np.random.default_rng(0).integers(1, 256, 4000).astype(np.uint8).tobytes()
    (tmp_path / "noise.csv").write_bytes(noise)
    refused(tmp_path / "noise.csv", "is a binary file, no text")


def test_cells_in_single_quotes_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("'a','y'\n" + "'1','2'\n" * 30)
    refused(tmp_path / "t.csv", "its cells stand in single quotes, 'a'")
