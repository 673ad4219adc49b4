"""Amounts as people write them, a column at a time."""

import numpy as np
import pytest

from dlthink.data.number_parsing import code_for_nothing, parsed, why_lost

WRITTEN = {
    "digits of other scripts": (["\u0661\u0662", "\u0663\u066b\u0665", "\uff11\uff0e\uff15"], ".", [12, 3.5, 1.5]),
    "marks that nobody sees": (["\ufeff-1.5", "\u200b2", "3\u200f"], ".", [-1.5, 2, 3]),
    "no-break spaces": (["12\u00a0345,5", "7\u202f000,25 "], ",", [12345.5, 7000.25]),
    "minus signs": (["\u22121.5", "-2", "+3"], ".", [-1.5, -2, 3]),
    "as bookkeepers do": (["(1,234.5)", "7"], ".", [-1234.5, 7]),
    "apostrophes": (["12\u2019345", "1'000'000"], ".", [12345, 1e6]),
    "money": (["\u20ac1,200.50", "-\u20ac3", "\u20ac 7"], ".", [1200.5, -3, 7]),
    "money behind": (["1.200,50 \u20ac", "3 \u20ac"], ",", [1200.5, 3]),
    "a code of money": (["EUR 12", "EUR 7.5"], ".", [12, 7.5]),
    "whole amounts of the Swiss": (["Fr. 1'200.\u2013", "Fr. 12.50", "Fr. 7.-"], ".", [1200, 12.5, 7]),
    "decimals unlike those of the file": (["1,5", "12,25", "-3"], ".", [1.5, 12.25, -3]),
    "points in a file with commas": (["1.5 kg", "12.25 kg"], ",", [1.5, 12.25]),
    "thousands in a file with points": (["1,500", "12,250"], ".", [1500, 12250]),
    "times of day": (["9:30", "14:45:36", "2:15 PM", "12:00 am"], ".", [9.5, 14.76, 14.25, 0]),
    "durations": (["26:30", "1 day 02:15:00", "0 days 00:00:36"], ".", [26.5, 26.25, 0.01]),
    "laps": (["1:30.50", "0:59.25"], ".", [90.5, 59.25]),
    "one unit, and others": (["5 cm"] * 20 + ["5 mm"], ".", [5] * 20 + [np.nan]),
    "two units, most in one": (["5 mm", "7 cm", "6 mm"], ".", [5, np.nan, 6]),
    "one unit, left out where it is plain": (["5 %"] * 20 + ["0"], ".", [5] * 20 + [0]),
    "both marks say which is which": (["1.200,5", "700"], ".", [1200.5, 700]),
    "the same the other way": (["1,200.5", "700"], ",", [1200.5, 700]),
    "no plain numbers": (["1_000", "inf", "\u00b2"], ".", [np.nan, np.inf, np.nan]),
    "numbers, and one with a unit": (["5"] * 20 + ["5 mm"], ".", [5] * 20 + [np.nan]),
}


@pytest.mark.parametrize("texts, decimal, wanted", WRITTEN.values(), ids=WRITTEN)
def test_numbers_as_people_write_them(texts, decimal, wanted):
    assert parsed(texts, decimal)[0] == pytest.approx(np.array(wanted, float), nan_ok=True)


def test_why_there_is_no_number():
    for text, unit, why in (
        (">10", "", "a bound (< or >), no value"),
        ("\u2264 3 nM", "nM", "a bound (< or >), no value"),
        ("3 uM", "nM", "in another unit than nM"),
        ("3 uM", "", "in another unit than the others, which have none"),
        ("3", "nM", "in another unit than nM"),
        ("many", "nM", "no number can be read"),
    ):
        assert why_lost(text, unit) == why, text


def test_codes_for_missing_values():
    for values, code in (
        ([1, 5, -99, 7, -99], -99),
        ([1, 5, 9999, np.nan, 9999, 7], 9999),
        ([-3, 5, -99, -99, 80, 2], None),  # temperatures, say
        ([-3.0, 5, -999, -999, 80, 2], -999),
        ([1, 5, -99, 7], None),  # once
        ([95, 99, 99, 103], None),
        ([-9, -9, -9], None),
    ):
        assert code_for_nothing(np.array(values, float)) == code, values
