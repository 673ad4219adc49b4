"""Tables from the command line: train, evaluate, predict, figures, as the README types them."""

import csv
import json

import numpy as np
import pytest

from tests.conftest import refused
from tests.data.tables.made import frame, written

SMALL = ["trainer=smoke", "trainer.device=cpu", "model=mlp", "model.width=8", "data.baselines=[constant]"]


def train(cli, path, *words, run="run"):
    code, out, err = cli("train", "data=table", f"data.path={path}", f"hydra.run.dir={run}", *SMALL, *words)
    assert code == 0, err
    return out


@pytest.fixture
def path(tmp_path):
    return written(tmp_path, frame())


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_file_that_nobody_prepared(cli, path, tmp_path):
    out = train(cli, path, "data.target=y")
    assert "note: read 200 rows, 6 columns" in out and "constant" in out
    numbers = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert numbers["mae_constant"] > 0 and numbers["coverage_90"] >= 0
    assert (tmp_path / "run" / "columns.csv").read_text().startswith("column,taken_as")
    code, out, _ = cli("evaluate", "run=run", "output=again.json")
    assert code == 0 and json.loads((tmp_path / "again.json").read_text()) == numbers


def test_a_finished_run_is_recalibrated_by_evaluate_and_for_good_by_resume(cli, path, tmp_path):
    train(cli, path, "data.target=y", "loss=crps")
    words = ["run=run", "loss.calibrate=scale"]
    code, out, err = cli("evaluate", *words, "output=once.json")
    assert code == 0 and "note: loss.calibrate: fitted anew on the" in out, err
    kept = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    once = json.loads((tmp_path / "once.json").read_text())
    assert once["crps"] != kept["crps"] and once["mae"] == kept["mae"]
    refused(cli("predict", *words, f"input={path}", "output=o.csv"), "loss.calibrate: is fitted on the run's")
    refused(cli("evaluate", *words, "on=table", f"data.path={path}"), "loss.calibrate: is fitted on the run's")
    assert cli("train", "resume=run", words[1])[0] == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test"] == once
    code, out, _ = cli("predict", "run=run", f"input={path}", "output=o.csv")
    assert code == 0 and len(rows(tmp_path / "o.csv")) == 200


def test_predict_keeps_the_columns_and_adds_its_own(cli, path, tmp_path):
    train(cli, path, "data.target=y")
    new = frame(9, seed=5).assign(mean=7)
    new.loc[2, "colour"] = "mauve"
    (tmp_path / "new.csv").write_text(new.to_csv(index=False, sep=";", decimal=","))
    code, out, err = cli("predict", "run=run", "input=new.csv", "output=o.csv", "figures=pictures")
    assert code == 0, err
    assert "does not know, taken as other ones: colour (mauve); 9 rows: o.csv" in out
    made = rows(tmp_path / "o.csv")
    assert list(made[0]) == [*new.columns, "predicted mean", "std", "q05", "q25", "q50", "q75", "q95"]
    for row, a in zip(made, new["a"], strict=True):
        assert row["a"] == f"{a:g}".replace(".", ",") or float(row["a"].replace(",", ".")) == a
        quantiles = [float(row[name]) for name in ("q05", "q25", "q50", "q75", "q95")]
        assert quantiles == sorted(quantiles) and float(row["std"]) > 0
        assert quantiles[2] == pytest.approx(float(row["predicted mean"]), rel=1e-4)
    assert [file.name for file in (tmp_path / "pictures").iterdir()] == ["predictions.png"]


@pytest.mark.slow
def test_predictions_are_those_of_the_run_and_of_parquet_alike(cli, path, tmp_path):
    import dlthink

    train(cli, path, "data.target=y")
    frame().to_parquet(tmp_path / "same.parquet")
    assert cli("predict", "run=run", "input=same.parquet", "output=o.csv")[0] == 0
    assert cli("predict", "run=run", f"input={path}", "output=p.csv")[0] == 0
    run = dlthink.open_run(tmp_path / "run")
    wanted = dict(zip(run.targets()[:, 0].tolist(), run.predict()["mean"][:, 0].tolist(), strict=True))
    for name in ("o.csv", "p.csv"):
        found = {float(np.float32(row["y"])): float(row["mean"]) for row in rows(tmp_path / name)}
        for y, mean in wanted.items():
            assert found[y] == pytest.approx(mean, rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_several_targets_are_written_by_name(cli, path, tmp_path):
    train(cli, path, "data.target=[y,b]")
    code, _, err = cli("predict", "run=run", f"input={path}", "output=o.csv", "figures=pictures")
    assert code == 0, err
    assert {"mean[y]", "mean[b]", "std[y]", "q95[b]"} <= set(rows(tmp_path / "o.csv")[0])
    assert len(list((tmp_path / "pictures").iterdir())) == 2


def test_a_feature_that_is_not_there(cli, path, tmp_path):
    train(cli, path, "data.target=y")
    written(tmp_path, frame(9).drop(columns="a").rename(columns={"b": "B"}), "new.csv")
    refused(cli("predict", "run=run", "input=new.csv", "output=o.csv"), "input=new.csv", "has no column a")
    gaps = frame()
    gaps.loc[:50, "a"] = np.nan
    train(cli, written(tmp_path, gaps, "gaps.csv"), "data.target=y", run="gaps")
    code, out, _ = cli("predict", "run=gaps", "input=new.csv", "output=o.csv")
    assert code == 2 or "no column a" in out


@pytest.mark.slow
def test_every_network_and_cost(cli, path):
    for words in (["model=glm", "loss=quantile"], ["model=ensemble", "loss=mse"]):
        code, _, err = cli(
            "train",
            "data=table",
            f"data.path={path}",
            "data.target=y",
            "trainer=smoke",
            *words,
            "data.baselines=[constant]",
            f"hydra.run.dir={words[0]}",
        )
        assert code == 0, err


def test_what_fits_no_table(cli):
    words = ["data.kind=counts", "data.rows=200", "trainer=smoke"]
    refused(cli("train", "data=table", "model=tabm", *words), "TabM", "ensemble", "Poisson", "model=mlp")
    refused(cli("train", "data=table", "model=gru"), "model=gru needs window", "networks that fit", "mlp", "tabm")
    refused(
        cli("train", "data=table", "loss=triplet"), "is for identities, the data has reals", "fit: ", "gaussian_nll"
    )


def test_a_drawn_table_without_a_word(cli, tmp_path):
    code, out, err = cli("train", "data=table", "hydra.run.dir=run", "data.rows=300", *SMALL)
    assert code == 0, err
    assert "truth" in out and "spread_spearman" in out


def test_counts_as_typed_and_their_exposure(cli, tmp_path):
    from tests.data.tables.test_counts import table

    path = written(tmp_path, table())
    train(cli, path, "data.target=visits", "data.kind=counts")
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "poisson.Poisson" in config and "TableCounts" in config
    train(
        cli, path, "data.target=visits", "data.kind=counts", "data.exposure=days", "loss=negative_binomial", run="days"
    )
    assert cli("predict", "run=days", f"input={path}", "output=o.csv")[0] == 0
    made = rows(tmp_path / "o.csv")
    assert list(made[0])[-6:] == ["mean", "q05", "q25", "q50", "q75", "q95"]
    assert all(float(row[name]).is_integer() for row in made for name in ("q05", "q50", "q95"))
    longer = table().assign(days=lambda t: 3 * t["days"])
    written(tmp_path, longer, "longer.csv")
    assert cli("predict", "run=days", "input=longer.csv", "output=p.csv")[0] == 0
    for one, three in zip(made, rows(tmp_path / "p.csv"), strict=True):
        assert float(three["mean"]) == pytest.approx(3 * float(one["mean"]), rel=1e-4)
    written(tmp_path, table().drop(columns="days"), "no.csv")
    refused(cli("predict", "run=days", "input=no.csv", "output=p.csv"), "input=no.csv", "has no column days")


def test_a_cost_of_positive_targets_names_those_that_are_none_in_any_table(cli, tmp_path):
    table = frame()
    table["y"] = table["y"].abs() + 1
    for name, zeros in ("a.csv", 0), ("b.csv", 3):
        table.loc[table.index[:zeros], "y"] = 0.0
        written(tmp_path, table, name)
    words = ["data=table", "data.target=y", "loss=gamma", *SMALL]
    said = "loss=gamma: y is 0 or below in 3 of 200 rows (the least 0)"
    refused(cli("train", *words, "data.path=b.csv"), said, "leave these rows out", "loss=crps")
    assert cli("train", *words, "data.path=a.csv", "hydra.run.dir=run")[0] == 0
    refused(cli("evaluate", "run=run", "on=table", "data.path=b.csv"), "loss=gamma: y is 0 or below in 3 of")


@pytest.mark.parametrize("cells", [{"a": np.inf}, {"day": "soon"}])
def test_no_line_about_a_run_s_features_advises_to_leave_one_out(cli, path, tmp_path, cells):
    said = "mend it or leave the cell empty"
    table = frame()
    table.loc[3, [*cells]] = [*cells.values()]
    wrong = written(tmp_path, table, "wrong.csv")
    refused(cli("train", "data=table", f"data.path={wrong}", "data.target=y", *SMALL), said, "data.ignore=[")
    train(cli, path, "data.target=y")
    for words in ["predict", f"input={wrong}", "output=o.csv"], ["evaluate", "on=table", f"data.path={wrong}"]:
        code, _, err = cli(words[0], "run=run", *words[1:])
        assert code == 2 and err.endswith(f"{said}\n")


def test_costs_without_a_log_take_no_exposure(cli):
    words = ["data=table", "data.kind=counts"]
    refused(cli("train", *words, "data.exposure=area", "loss=mse"), "loss=mse is for", "with exposure", "poisson")
    refused(cli("train", *words, "loss=gaussian_nll"), "loss=gaussian_nll is for reals, the data has counts", "poisson")
    refused(cli("train", "data=table", "data.exposure=area"), "data.exposure", "no such")
    refused(cli("train", "data=table", "data.kind=count"), "data.kind=count", "counts")


def test_identities_as_typed(cli, tmp_path):
    from tests.data.tables.test_identities import table

    path = written(tmp_path, table())
    out = train(cli, path, "data.target=who", "data.kind=identities", "loss.dim=4", "data.validation=0.3")
    assert "recall_at_1" in out and "raw" in out and "features" in out
    code, _, err = cli("predict", "run=run", f"input={path}", "output=o.csv")
    assert code == 0, err
    assert list(rows(tmp_path / "o.csv")[0])[-4:] == [f"embedding[{i}]" for i in range(4)]
    assert cli("evaluate", "run=run")[0] == 0
    words = ["data=table", f"data.path={path}", "data.target=who", "data.kind=identities", "trainer=smoke"]
    refused(cli("train", *words, "model=glm", "data.baselines=[constant]"), "the same answer for all, 0", "model=mlp")


WHOLE = frame().to_csv(index=False)
BAD = {
    "an empty file": ("", [], ["empty"]),
    "one row": (frame(1).to_csv(index=False), [], ["no row of 1 is left"]),
    "no row": ("a,y\n", [], ["no row below its header"]),
    "one column": ("y\n1\n2\n", [], ["one column, y"]),
    "two columns of one name": ("a,y,a\n1,2,3\n4,5,6\n", [], ["columns 1 and 3 are both called a"]),
    "a header in the middle": (WHOLE + WHOLE, [], ["line 202 repeats the header"]),
    "a quote never closed": (WHOLE.replace("green", '"green', 1), [], ["quote", "never closed"]),
    "no such column": (WHOLE, ["data.target=Y1"], ["data.target=Y1", "did you mean y?"]),
    "no target": (WHOLE, ["data.target=null"], ["data.target", "a, b, colour, paid, day, y"]),
    "words": (WHOLE, ["data.target=colour"], ["data.target=colour", "line 2", "is no number"]),
    "mixed types": (WHOLE + "1,2,red,yes,2023-01-01,much\n", [], ["line 202", "'much' is no number", "200 others are"]),
    "dates": (WHOLE, ["data.target=day"], ["data.target=day", "dates"]),
    "all targets missing": (frame().assign(y=None).to_csv(index=False), [], ["missing in all 200 rows"]),
    "an infinite value": (WHOLE + "inf,2,red,yes,2023-01-01,3\n", [], ["column a, line 202: is infinite"]),
    "a date that is none": (WHOLE + "1,2,red,yes,2023-02-30,3\n", [], ["column day, line 202", "is no date"]),
    "a count of 2.5": ("a,y\n1,2.5\n2,3\n3,1\n", ["data.kind=counts"], ["line 2", "2.5 is no count"]),
    "a count of -1": ("a,y\n1,2\n2,-1\n3,1\n", ["data.kind=counts"], ["line 3", "-1 is no count"]),
    "an exposure of 0": ("a,e,y\n1,1,2\n2,0,1\n", ["data.kind=counts", "data.exposure=e"], ["line 3: is 0"]),
    "no such split": (WHOLE, ["data.split=colour"], ["data.split=colour", "train, val or test"]),
    "no such group": (WHOLE, ["data.group=colours"], ["data.group=colours", "did you mean colour?"]),
    "two ways to split": (WHOLE, ["data.group=colour", "data.time=day"], ["data.time and data.group"]),
    "nothing to predict from": (WHOLE, ["data.ignore=[a,b,colour,paid,day]"], ["no column is left"]),
}


AS_TYPED = ["an empty file", "words", "a count of 2.5", "no such split"]  # all are tests/data/tables', too


@pytest.mark.parametrize(
    "text, words, says",
    [pytest.param(*BAD[key], id=key, marks=[pytest.mark.slow] * (key not in AS_TYPED)) for key in BAD],
)
def test_bad_tables_end_in_one_line(cli, tmp_path, text, words, says):
    (tmp_path / "bad.csv").write_text(text)
    asked = words if any(word.startswith("data.target") for word in words) else ["data.target=y", *words]
    refused(cli("train", "data=table", "data.path=bad.csv", *asked, *SMALL), *says)
    assert not (tmp_path / "outputs").exists() or not list((tmp_path / "outputs").rglob("*.pt"))


def test_bad_files_end_in_one_line(cli, tmp_path, path):
    frame().to_parquet(tmp_path / "cut.parquet")
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-100])
    for name, says in {"cut.parquet": "cut short", "none.csv": "no such file", "table.xlsx": "no such file"}.items():
        refused(cli("train", "data=table", f"data.path={name}", "data.target=y"), name, says)
    train(cli, path, "data.target=y")
    refused(cli("predict", "run=run", "input=cut.parquet", "output=o.csv"), "input=cut.parquet", "cut short")
    (tmp_path / "b.csv").write_text(frame(5).assign(a="inf").to_csv(index=False))
    refused(cli("predict", "run=run", "input=b.csv", "output=o.csv"), "input=b.csv", "infinite")
    assert not (tmp_path / "o.csv").exists()


def test_decimal_commas_and_ten_thousand_categories_are_no_bad_input(cli, tmp_path):
    made = frame(3000).assign(city=lambda t: [f"c{i}" for i in np.random.default_rng(0).integers(0, 600, 3000)])
    (tmp_path / "t.csv").write_bytes(made.to_csv(index=False, sep=";", decimal=",").encode("utf-16"))
    out = train(cli, "t.csv", "data.target=y")
    assert "2 numbers, 1 boolean, 1 date, 2 categories" in out and "most frequent, taken as one: city (" in out
