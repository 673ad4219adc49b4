"""`dlthink check`: from the line to the table and the exit code."""

import pytest

import dlthink
from dlthink.errors import BadInput
from tests.checks.test_slips import SquaredCounts, Stirling
from tests.conftest import REPOSITORY, refused

README = (REPOSITORY / "README.md").read_text()


def test_a_cost_of_ones_own_is_checked_as_the_readme_says(cli, tmp_path):
    code = README.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "root_error.py").write_text(code)
    code, out, err = cli("check", "loss=root_error")
    assert code == 1 and not err
    assert "loss=root_error on counts" in out and "failed: asks for" in out
    assert "square roots" in out


@pytest.mark.slow
def test_with_its_landscape(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("dlthink.checks.scalar_landscape.GRID", 5)
    code, _, err = cli("check", "loss=mse", "figure=seen.png")
    assert code == 0 and not err
    assert {path.name for path in tmp_path.glob("*.png")} == {"seen-counts.png", "seen-reals.png"}


def test_a_shipped_cost_on_every_kind_that_it_fits(cli):
    code, out, _ = cli("check", "loss=mse")
    assert code == 0 and "loss=mse on counts" in out and "loss=mse on reals" in out
    assert "next: dlthink train -m loss=mse,poisson seed=0,1,2 data=spikes, then" in out
    assert "other data with counts: data=grasshopper, linear_track, recording; what each reads" in out
    code, out, _ = cli("check", "loss=mse", "data=molecules")
    assert code == 0 and "on counts" not in out and "loss=mse on reals" in out
    assert out.splitlines()[-1].startswith("next: dlthink train -m loss=mse,gaussian_nll seed=0,1,2 data=molecules")


@pytest.mark.parametrize(
    "words, said",
    [
        (["loss=mse2"], "there is no such loss"),
        (["loss=MSE"], "loss=MSE: there is no such loss; did you mean loss=mse?"),
        (["loss=her_idea"], "no her_idea.py in the folder that you work in; begin one, dlthink new loss her_idea"),
        (["data=spikes"], "write dlthink check loss=NAME"),
        (["loss=triplet", "data=spikes"], "for identities, the data has counts"),
        (["loss=huber", "loss.delta=big"], "loss.delta=big"),
        (["loss=huber", "loss.delta=-1"], "must be above 0"),
        (["-m", "loss=mse"], "loss=NAME"),
        (["loss=mse", "figure=seen.pdf"], "PNG is written"),
    ],
)
def test_refusals(cli, words, said):
    refused(cli("check", *words), said)


def test_from_python():
    (report,) = dlthink.check(SquaredCounts)
    assert report.passed and report.elicits == "mean"
    (report,) = dlthink.check(Stirling)
    assert [finding.check for finding in report.failed] == ["log score"]
    assert "log score" in repr(dlthink.check("poisson"))
    with pytest.raises(BadInput, match="no such loss"):
        dlthink.check("poison")
