"""The table of the UCI runs: means and errors over splits, the published figures beside them, coverage of all rows."""

import math

import pytest

from scripts.uci import of, table


def result(split, nll, rows, inside):
    return {"table": "yacht", "split": split, "nll": nll, "rmse": 1.0, "nll_boosting": 2.0, "rmse_boosting": 3.0,
            "coverage_90": inside, "coverage_90_conformal": 0.9, "rows": rows}  # fmt: skip


def test_a_row_has_mean_and_error_and_the_last_ones_all_tests():
    yacht = [result(0, 1.0, 10, 0.8), result(1, 2.0, 10, 1.0)]
    power = [result(0, -1.5, 80, 0.9) | {"table": "power"}]
    head, _, first, second, rows, tables = table({"yacht": yacht, "power": power}).splitlines()
    assert "MC dropout" in head
    assert first.startswith("| power | 1 | 1.50 | -2.80 +- 0.01 | -2.00 | 1.00 | 4.01 +- 0.04 |")
    assert second.startswith("| yacht | 2 | -1.50 +- 0.50 | -1.25 +- 0.01 |")
    assert rows.split("|")[-3].strip() == "0.900" and tables.split("|")[-3].strip() == f"{(0.9 + 0.9) / 2:.3f}"


def test_the_error_is_that_of_the_mean():
    runs = [{"a": value} for value in (1.0, 2.0, 4.0)]
    error = math.sqrt(((4 / 3) ** 2 + (1 / 3) ** 2 + (5 / 3) ** 2) / 2 / 3)
    assert of(runs, "a", 4) == f"{7 / 3:.4f} +- {error:.4f}"
    assert of(runs[:1], "a", 2, -1) == "-1.00" and float(of(runs, "a", 4, -1).split()[0]) == pytest.approx(-7 / 3, 1e-4)
