"""What a column holds: one kind for the whole, and its cells as such."""

import numpy as np
import pandas as pd
import pytest

from dlthink.data.number_parsing import parsed
from dlthink.data.tables.readers import columns
from dlthink.data.tables.readers.columns import chosen, kind_of, listed, numbers, words
from dlthink.data.tables.readers.read_table import Source
from dlthink.errors import BadInput


def source():
    return Source("data.path=t.csv")


def column(values, name="c"):
    return pd.Series(values, name=name)


KINDS = {
    "whole numbers": ([1, 2, 3], "number"),
    "numbers": ([0.5, np.nan], "number"),
    "truth": ([True, False], "boolean"),
    "yes and no": (["Yes", "no", None], "boolean"),
    "words": (["a", "b", "c"], "category"),
    "dates": (["2020-01-31", "2021-12-01", None], "date"),
    "German dates": (["31.01.2020", "1.12.2021"], "date"),
    "dates with times": (["2020-01-31 10:20", "2021-12-01T03:00:00"], "date"),
    "moments": (np.array(["2020-01-31"], "datetime64[s]"), "date"),
    "nothing": ([None, None], "category"),
    "numbers and a word": ([*map(str, range(20)), "unknown"], "number"),
    "thousands": (["1,234", "12,345.5", "7"], "number"),
    "days with months' names": (["31 Jan 2024", "1-Feb-2024", "March 3, 2024"], "date"),
    "months": (["2024-01", "2023-12"], "date"),
    "days as one number": ([20240131, 20231201], "date"),
    "numbers of eight digits": ([20240131, 20231301], "number"),
    "percent": (["5.1%", "12%"], "number"),
    "a unit": (["5 cm", "7.5 cm", "12cm"], "number"),
    "two units": (["5 cm", "7 kg", "12 m"], "category"),
    "numbers of houses": (["12a", "12b", "14c"], "category"),
    "times": (["9:30", "14:45", "23:59:59"], "number"),
    "durations": (pd.to_timedelta([1, 2], "h"), "number"),
    "scores of games": (["3:1", "0:2"], "category"),
    "a version": (["1.2.3", "1.2.4"], "category"),
    "a phone number": (["01-23", "45-67"], "category"),
}


@pytest.mark.parametrize("values, kind", KINDS.values(), ids=KINDS)
def test_kinds(values, kind):
    assert kind_of(column(values), source()) == kind


def test_numbers_of_words():
    assert numbers(column(["Yes", "no", None]), "boolean", source())["c"].tolist()[:2] == [1, 0]
    found = numbers(column(["1,234", "7.5", "many", None]), "number", source())["c"]
    assert found[:2].tolist() == [1234, 7.5] and np.isnan(found[2:]).all()
    german = Source("t", decimal=",")
    assert numbers(column(["1.234,5", "7,5", "1.234.567"]), "number", german)["c"].tolist() == [1234.5, 7.5, 1234567]


def test_days_as_one_number_and_with_the_names_of_months():
    wanted = (np.array(["2024-01-31", "2024-03-03"], "datetime64[D]")).astype(int).tolist()
    for written in ([20240131, 20240303], [20240131.0, 20240303.0], ["31 Jan 2024", "March 3, 2024"]):
        assert numbers(column(written), "date", source())["c"].tolist() == wanted
    noon = numbers(column(["01/31/2024 12:30 AM", "01/31/2024 12:30 PM"]), "date", source())["c"] % 1 * 24
    assert noon.tolist() == pytest.approx([0.5, 12.5])


def test_dates_become_days_and_cycles():
    parts = numbers(column(["2020-03-01", "2020-03-08", None]), "date", source())
    assert list(parts) == ["c", *(f"c ({cycle}, {wave})" for cycle in ("year", "week") for wave in ("sine", "cosine"))]
    days = parts["c"]
    assert days[:2].tolist() == [(np.datetime64("2020-03-01") - np.datetime64("1970-01-01")).astype(int), days[0] + 7]
    assert np.isnan(days[2])
    assert parts["c (week, sine)"][0] == pytest.approx(parts["c (week, sine)"][1])
    hours = numbers(column(["2020-03-01 06:00", "2020-03-01 18:00"]), "date", source())
    assert hours["c (day, sine)"].tolist() == pytest.approx([1, -1])


@pytest.mark.parametrize(
    "written, day",
    [
        ("31/01/2020", "2020-01-31"),
        ("01/31/2020", "2020-01-31"),
        ("03.04.2020", "2020-04-03"),
        ("03/04/2020", "2020-03-04"),
        ("2020/04/03", "2020-04-03"),
    ],
)
def test_which_is_the_month(written, day):
    days = numbers(column([written]), "date", source())["c"]
    assert days[0] == (np.datetime64(day) - np.datetime64("1970-01-01")).astype(int)


def test_zones_are_universal_time():
    zoned = pd.Series(pd.to_datetime(["2020-01-01 02:00"]).tz_localize("Europe/Berlin"), name="c")
    assert kind_of(zoned, source()) == "date"
    assert numbers(zoned, "date", source())["c"][0] * 24 % 24 == pytest.approx(1)


def test_bad_cells_are_named():
    with pytest.raises(BadInput, match=r"column c, line 3: '2021-02-30' is no date.*data.ignore=\[c\]"):
        numbers(column(["2021-02-28", "2021-02-30"]), "date", source())
    with pytest.raises(BadInput, match=r"column c, line 4: is infinite.*data.ignore"):
        numbers(column([1.0, np.nan, -np.inf]), "number", source())
    with pytest.raises(BadInput, match=r"line 2: is 1e\+300, too large; mend it or leave the cell empty$"):
        numbers(column([1e300, 2]), "number", source(), feature=False)


def test_words_of_numbers_are_those_of_whole_numbers():
    codes, found = words(column([3.0, np.nan, 7.5, 3.0]))
    assert codes.tolist() == [0, -1, 1, 0] and found == ["3", "7.5"]


def test_names_and_globs():
    frame = pd.DataFrame(columns=["id", "split_0", "split_1", "x"])
    assert chosen(frame, ["split_*", "id"], "data.ignore", source()) == ["split_0", "split_1", "id"]
    with pytest.raises(BadInput, match=r"data.ignore: data.path=t.csv has no column idd; did you mean id\?"):
        chosen(frame, ["idd"], "data.ignore", source())
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_a_text_column_is_read_as_numbers_once_whoever_asks(monkeypatch):
    asked = []

    def counting(texts, decimal):
        asked.append(len(texts))
        return parsed(texts, decimal)

    monkeypatch.setattr(columns, "parsed", counting)
    lengths, here = column(["1 cm", "2,5 cm", None, "1 cm", "many"] * 9 + ["3 cm"] * 90), Source("t", decimal=",")
    assert kind_of(lengths, here) == "number" and columns.unit_of(lengths, here) == "cm"
    found = numbers(lengths, "number", here)["c"]
    assert found[:4].tolist() == pytest.approx([1, 2.5, np.nan, 1], nan_ok=True) and np.isnan(found[4])
    assert columns.numbers_among(lengths, here) == (pytest.approx(117 / 126), "many")
    assert asked == [4]
