"""The table of the UCI runs: means and errors over splits, the published figures beside them, coverage of all rows."""

from scripts.uci import counts, table


def result(split, nll, rows, inside):
    return {
        "table": "yacht",
        "split": split,
        "nll": nll,
        "rmse": 1.0,
        "nll_boosting": 2.0,
        "rmse_boosting": 3.0,
        "coverage_90": inside,
        "coverage_90_conformal": 0.9,
        "rows": rows,
    }


def test_a_row_has_mean_and_error_and_the_last_ones_all_tests():
    yacht = [result(0, 1.0, 10, 0.8), result(1, 2.0, 10, 1.0)]
    power = [result(0, -1.5, 80, 0.9) | {"table": "power"}]
    head, _, first, second, rows, tables = table({"yacht": yacht, "power": power}).splitlines()
    assert "MC dropout" in head
    assert first.startswith("| power | 1 | **1.50** | -2.80 +- 0.01 | -2.78 +- 0.07 | -2.00 | 1.00 | 4.01 +- 0.04 |")
    assert second.startswith("| yacht | 2 | -1.50 +- 0.50 | -1.25 +- 0.01 | **-0.53** +- 0.09 | -2.00 +- 0.00 |")
    assert rows.split("|")[-3].strip() == "0.900" and tables.split("|")[-3].strip() == f"{(0.9 + 0.9) / 2:.3f}"


def test_on_how_many_tables_ours_is_better():
    def runs(name, *figures):
        return [
            result(split, nll, 10, 0.9) | {"table": name, "rmse": rmse} for split, (nll, rmse) in enumerate(figures)
        ]

    lines = counts(
        {
            "power": runs("power", (2.79, 4.10)),  # RMSE above 4.01 + 0.04
            "yacht": runs("yacht", (1.0, 0.7), (2.0, 0.7)),  # likelihood worse by half its SE, RMSE within 0.05
            # likelihood worse by 4 SE; the RMSE rounds to the published 0.08
            "kin8nm": runs("kin8nm", (-1.1, 0.0849), (-1.1, 0.0849)),
            "naval": runs("naval", (-4.0, 0.001)),  # worse, by nobody knows how many SE
        }
    ).splitlines()
    assert lines[0].endswith("MC dropout on 1 of 4; not: kin8nm, naval, yacht; worse by more than 2 SE: kin8nm")
    assert "NGBoost on 1 of 4; not: naval, power, yacht;" in lines[1] and "boosting on 3 of 4; not: power;" in lines[2]
    assert lines[3].endswith("within 1 SE on 3 of 4; not: power")
