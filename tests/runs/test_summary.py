"""The table of figures: nothing is lost, and what belongs together stands side by side."""

import io

from dlthink.__main__ import main
from dlthink.runs.summary import table


def test_plain_figures_are_two_columns():
    assert table("test", {"mae": 1.25, "mae_top_10": 0.5}).splitlines() == [
        "test            value",
        "mae            1.250",
        "mae_top_10     0.5000",
    ]


def test_points_stand_below_each_other_and_an_arrow_says_which_way_is_better():
    numbers = {"crps": 12.34567, "r2": 0.5, "rows": 500, "bias": -0.00001234, "nan": float("nan"), "big": 123456.7}
    lines = table("test", numbers, {"crps": "min", "r2": "max"}).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["crps", "↓", "12.35"],
        ["r2", "↑", "0.5000"],
        ["rows", "500"],
        ["bias", "-1.234e-05"],
        ["nan", "nan"],
        ["big", "123457"],
    ]
    assert len({line.index(".") for line in lines if "." in line}) == 1


def test_an_interval_that_nothing_defines_is_no_line():
    nan = float("nan")
    numbers = {"auc": 0.9, "auc_low": nan, "auc_high": nan, "eer": 0.1, "eer_low": 0.0, "eer_high": 0.2, "too_low": nan}
    lines = table("test", numbers).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["auc", "eer", "eer_low", "eer_high", "too_low"]


def test_a_terminal_with_few_letters_ends_nothing(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", out)
    main(["--version"])
    print(table("test", {"mae": 1.0, "Жук": 2.0}, {"mae": "min"}))
    out.flush()
    said = out.buffer.getvalue()
    assert b"mae (min)" in said and rb"\u0416\u0443\u043a" in said


def test_baselines_become_columns_and_every_figure_is_shown_once():
    own = {"mae": 1.0, "mae_top_10": 2.0, "rmse": 3.0, "crps": 4.0, "spearman": 5.0}
    numbers = own | {f"{name}_lookup": value + 0.125 for name, value in own.items() if name != "spearman"}
    numbers |= {f"{name}_on_carbon": value + 0.25 for name, value in own.items()} | {"mae_on_carbon_lookup": 9.0}
    lines = table("test", numbers).splitlines()
    assert lines[0].split() == ["test", "value", "lookup", "on_carbon"]
    shown = {line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in lines[1:]}
    assert shown["mae"] == [1.0, 1.125, 1.25]
    assert shown["mae_top_10"] == [2.0, 2.125, 2.25]
    assert shown["spearman"] == [5.0, 5.25]
    assert lines[-1].split() in (["mae_on_carbon_lookup", "9"], ["spearman", "5", "5.25"])
    assert sum(map(len, shown.values())) == len(numbers)


def test_a_baseline_with_an_interval_is_a_line_of_its_own_and_every_figure_is_shown_once():
    stems = ["kid_to_winter", "kid_to_summer"]
    numbers = {}
    for k, stem in enumerate(f"{stem}{name}" for stem in stems for name in ("", "_untouched", "_color_transfer")):
        numbers |= {stem: k + 1.0, f"{stem}_low": k + 0.5, f"{stem}_high": k + 1.5}
    for k, stem in enumerate(["edge_to_winter", "edge_to_summer", "probe_to_winter"]):
        numbers |= {stem: k + 0.125, f"{stem}_untouched": k + 0.25, f"{stem}_color_transfer": k + 0.375}
    lines = table("val", numbers).splitlines()
    shown = {line.split()[0]: [float(cell) for cell in line.split()[1:]] for line in lines[1:]}
    assert shown["kid_to_summer_untouched"] == [5, 4.5, 5.5]
    assert shown["edge_to_summer"] == [1.125, 1.25, 1.375]
    assert sum(map(len, shown.values())) == len(numbers)
    assert len(lines) == 1 + 6 + 3


def test_three_figures_of_a_baseline_are_lines_and_four_a_column():
    for names, heads in (("abc", ["test", "value"]), ("abcd", ["test", "value", "lookup"])):
        numbers = dict.fromkeys(names, 1.0) | {f"{name}_lookup": 2.0 for name in names}
        assert table("test", numbers).splitlines()[0].split() == heads
