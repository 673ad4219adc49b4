"""Tables as people have them: every dialect gives the same frame; what is none is told in one line."""

import gzip

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.dialect import Dialect
from dlthink.data.tables.read_table import read_table
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
    "no rows": ("a,b\n", ["no row"]),
    "a header in the middle": ("a,b\n1,x\n2,y\na,b\n3,z\n", ["line 4 repeats the header"]),
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
    refused(tmp_path / "t.xlsx", "which format", ".parquet")
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
