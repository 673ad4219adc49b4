"""Dates of seven languages are the same moments; their order is one for a column, and the same in another file."""

import numpy as np
import pandas as pd
import pytest

from dlthink.data.tables.inputs import RealInputs
from dlthink.data.tables.readers.columns import kind_of, numbers
from dlthink.data.tables.readers.read_table import Source
from dlthink.errors import BadInput
from tests.data.tables.made import reals

DAYS = ["2023-03-05", "2024-12-31", "2023-05-20"]
WRITTEN = {
    "German": ["5. März 2023", "31. Dezember 2024", "20. Mai 2023"],
    "German, short": ["05. Mrz. 23", "31. Dez. 24", "20. Mai 23"],
    "of SPSS": ["05-Mär-2023", "31-Dez-2024", "20-Mai-2023"],
    "French": ["5 mars 2023", "31 déc. 2024", "20 mai 2023"],
    "Spanish": ["5 de marzo de 2023", "31 de diciembre de 2024", "20 de mayo de 2023"],
    "Italian": ["5 marzo 2023", "31 dicembre 2024", "20 maggio 2023"],
    "American": ["March 5, 2023", "Dec 31, 2024", "May 20, 2023"],
    "English": ["5th of March 2023", "31st Dec 2024", "20 May '23"],
    "with the day of the week": ["Sonntag, 5.3.23", "Di, 31.12.24", "Sa 20.05.2023"],
    "day first": ["5/3/2023", "31/12/2024", "20/5/2023"],
    "month first": ["3/5/2023", "12/31/2024", "5/20/2023"],
    "compact": [20230305, 20241231, 20230520],
    "weeks": ["2023-W09-7", "2025-W01-2", "2023W206"],
    "Chinese": ["2023年3月5日", "2024年12月31日", "2023年5月20日"],
}


def days(texts, source=None):
    column, source = pd.Series(texts, name="d"), source or Source("f")
    assert kind_of(column, source) == "date"
    return numbers(column, "date", source)["d"]


@pytest.mark.parametrize("texts", WRITTEN.values(), ids=WRITTEN)
def test_a_day_is_a_day(texts):
    assert days(texts).tolist() == np.array(DAYS, "datetime64[D]").astype(float).tolist()


MONTHS = {
    "German": (["März 2023", "Dez 24"], ["2023-03-01", "2024-12-01"]),
    "of a spreadsheet": (["Mar-23", "Dec-24"], ["2023-03-01", "2024-12-01"]),
    "numbers": (["2023-03", "2024-12"], ["2023-03-01", "2024-12-01"]),
    "weeks": (["2023-W10", "KW 52/2024"], ["2023-03-06", "2024-12-23"]),
    "quarters": (["Q1 2023", "2024-Q4"], ["2023-01-01", "2024-10-01"]),
    "German quarters": (["1. Quartal 2023", "4. Quartal 2024"], ["2023-01-01", "2024-10-01"]),
}


@pytest.mark.parametrize("texts, begin", MONTHS.values(), ids=MONTHS)
def test_weeks_months_and_quarters_are_their_first_day(texts, begin):
    assert days(texts).tolist() == np.array(begin, "datetime64[D]").astype(float).tolist()


def test_the_time_of_day_stays():
    for texts in (["5. März 2023, 18:30 Uhr"], ["05.03.2023 18:30:00"], ["3/5/2023 6:30 PM", "3/25/2023 6:30 AM"]):
        assert days(texts)[0] == pytest.approx(
            (np.datetime64("2023-03-05T18:30") - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")
        )


def test_years_of_two_digits_do_not_depend_on_today():
    found = days(["1.1.30", "31.12.29", "1.6.68", "2.6.75"])
    assert found.astype("datetime64[D]").astype("datetime64[Y]").astype(str).tolist() == [
        "1930",
        "2029",
        "1968",
        "1975",
    ]


@pytest.mark.parametrize(
    "texts", [["V1.2", "V1.3"], ["10-19", "20-29"], ["mar 5", "jul 6"], ["1.45.99", "2.77.99"], ["A1 2023", "B2 2023"]]
)
def test_what_is_no_date(texts):
    assert kind_of(pd.Series(texts * 5), Source("f")) == "category"


def test_both_orders_in_one_column_are_refused():
    texts = ["31/12/2023", "12/31/2023", "1/2/2023"] * 5
    with pytest.raises(BadInput, match="line 3: '12/31/2023' is no date, day first"):
        days(texts)


def written(path, texts):
    pd.DataFrame({"d": texts, "y": np.arange(len(texts)) % 7, "x": np.arange(len(texts)) % 5}).to_csv(path, index=False)
    return path


def test_the_order_of_training_holds_in_another_file(tmp_path):
    """5/3 and 6/4 alone say nothing; guessed anew they would be other days."""
    run = reals(written(tmp_path / "train.csv", [f"{d}/3/2023" for d in range(1, 31)] * 2))
    other = RealInputs(written(tmp_path / "new.csv", ["5/3/2023", "6/3/2023"]), run.state)
    column = next(column for column in run.state["columns"] if column["name"] == "d")
    expected = np.array(["2023-03-05", "2023-03-06"], "datetime64[D]").astype(float)
    found = other.x["numbers"][:, 0] * column["parts"][0]["std"] + column["parts"][0]["mean"]
    assert found.tolist() == pytest.approx(expected.tolist(), abs=0.01)
    with pytest.raises(BadInput, match="no date, day first"):
        RealInputs(written(tmp_path / "new.csv", ["3/25/2023", "3/6/2023"]), run.state)


def test_what_is_guessed_of_dates_is_told(tmp_path):
    notes = reals(written(tmp_path / "t.csv", [f"{d}/3/23" for d in range(1, 13)] * 5)).notes
    assert any("order is a guess: d (month first)" in note for note in notes)
    assert any("two digits, taken as 1930 to 2029: d" in note for note in notes)
    notes = reals(written(tmp_path / "t.csv", [f"{d}.3.2023" for d in range(1, 13)] * 5)).notes
    assert not any("guess" in note or "two digits" in note for note in notes)
