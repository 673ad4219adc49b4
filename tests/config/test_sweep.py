"""The words of a sweep: all costs that fit, how many runs, what each is called."""

import pytest
from omegaconf import OmegaConf

from dlthink.config.command_line import read
from dlthink.config.sweep import check_choices, every_cost, name_of_each, runs
from dlthink.errors import BadInput

NONE = "price is 0 or below in 1 of 60 rows (the least 0), which have no probability"


def costs(*words):
    return every_cost([*words])[0].removeprefix("loss=").split(",")


def test_all_costs_that_fit_the_data():
    counts = costs("loss=all", "data=spikes", "seed=0,1")
    assert {"poisson", "mse"} <= {*counts} and not {"triplet", "gaussian_nll", "cyclegan"} & {*counts}
    reals = costs("loss=glob(*_nll)", "data=molecules,table", "hydra.sweep.dir=x")
    assert {"gaussian_nll", "laplace_nll", "beta_nll"} <= {*reals} and "mse" not in reals
    crps = costs("loss=glob(crps*)", "data=molecules")
    assert crps == ["crps", "crps_laplace", "crps_scaled"]
    assert costs("loss=all", "data=molecules,spikes") == ["mse"]  # that fits both
    assert costs("loss=all,my_cost", "data=spikes") == [*counts, "my_cost"]  # beside one's own
    assert costs("loss=mine,glob(crps*),mse,glob('crps_*')", "data=molecules") == ["mine", *crps, "mse"]
    assert every_cost(["loss=mse,mae", "seed=1"]) == ["loss=mse,mae", "seed=1"]
    with pytest.raises(BadInput, match="no cost fits"):
        every_cost(["loss=glob(triplet)", "data=spikes"])
    with pytest.raises(BadInput, match="add -m"):
        read(["loss=all"])


def test_each_combination_of_choices_is_judged_and_named():
    check_choices(["data=spikes", "loss=mse,poisson", "model=mlp,gru", "optim.lr=interval(1e-4,1e-2)", "seed=0,1"])
    with pytest.raises(BadInput, match=r"^loss=crps model=mlp: loss=crps is for reals, the .* costs that fit: .*mse"):
        check_choices(["loss=mse,crps", "model=mlp,gru", "data=spikes"])
    with pytest.raises(BadInput, match=r"^loss=poissn: there is no such loss; did you mean loss=poisson"):
        check_choices(["loss=mse,poissn", "data=spikes"])
    with pytest.raises(BadInput, match=r"^loss=crps is for reals, the data has counts; costs"):
        check_choices(["loss=crps", "optim.lr=interval(1e-4,1e-2)", "data=spikes"])


def test_costs_of_positive_targets_are_left_out_where_a_target_is_none_and_that_is_said(tmp_path):
    """Of the file as it is: the words alone do not tell."""
    pytest.importorskip("pandas")
    said = []
    for name, least in ("positive.csv", 1), ("none.csv", 0):
        rows = "".join(f"{x % 7},{x + least}\n" for x in range(60))
        (tmp_path / name).write_text("size,price\n" + rows)
    words = ["loss=glob(*?ma*)", "data=table", "data.target=price", "seed=0,1"]
    assert every_cost([*words, f"data.path={tmp_path / 'positive.csv'}"], said.append)[0] == "loss=gamma,lognormal"
    assert not said
    with pytest.raises(BadInput, match="no cost fits"):
        every_cost([*words, f"data.path={tmp_path / 'none.csv'}"], said.append)
    assert said == [f"loss=glob(*?ma*) without gamma, lognormal: {NONE}"]
    words[0] = "loss=glob(*p*)"
    assert "crps" in every_cost([*words, f"data.path={tmp_path / 'none.csv'}"], said.append)[0] and len(said) == 1


def test_how_many_runs():
    assert runs(["loss=mse,mae", "seed=range(3)", "data.bin=0.05", "optim.betas=[0.8,0.9]"]) == 6
    assert runs(["data=spikes"]) == 1
    assert runs(["model=glob(*stm)", "model@model.of=glob(m*)"]) == 3  # lstm of mlp, mlp_dropout and mpnn
    for empty in "seed=range(5,5)", "seed=range(0)", "model=glob(zzz*)":
        with pytest.raises(BadInput, match="no value at all") as error:
            runs([empty, "loss=mse,mae"])
        assert empty in str(error.value)
    with pytest.raises(BadInput, match=r"dlthink search 'optim.lr=interval"):
        runs(["optim.lr=interval(1e-4,1e-2)"])


def test_runs_are_called_by_what_tells_them_apart():
    number = "${hydra.job.num}"
    words = ["loss=mse,mae", "seed=0,1", "data.bin=0.05,0.1", "data.fold=2", "optim.betas=[0.8,0.9],[0.9,0.9]"]
    named = "loss=${hydra.runtime.choices.loss},seed=${seed},data.bin=${data.bin}"
    assert name_of_each(words) == f"{number}-{named}"
    assert name_of_each(["data.path=a/b,a/b.csv"]) == number  # nothing that tells them apart
    name = name_of_each(["data.path=a/b.csv,c.csv"]).removeprefix(f"{number}-")
    assert OmegaConf.create({"data": {"path": "a/b.csv"}, "name": name}).name == "data.path=b"
    assert name_of_each(["loss=mse"]) == name_of_each(["seed=range(0,1)"]) == number  # one value tells nothing apart
    assert name_of_each([f"a.{'x' * 30}={'y' * 39},z", f"b.{'x' * 30}={'y' * 39},z"]) == number  # too long


@pytest.mark.parametrize("words", [["seed=range(0,1e9)"], ["seed=range(101)", "trainer.steps=range(1,101)"]])
def test_more_runs_than_anybody_means_are_refused_before_they_are_counted_out(words):
    with pytest.raises(BadInput, match=r"^seed=range.*: makes more than 10,000 runs; give fewer values"):
        runs(words)
    assert runs(["seed=range(100)", "trainer.steps=range(1,101)"]) == 10_000
