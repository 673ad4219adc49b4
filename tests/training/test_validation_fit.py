"""What is fitted on validation follows the settings of now: anew, kept by a resume, refused where none is read."""

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.training import checkpoint
from dlthink.training.experiment_parts import Parts
from dlthink.training.loop import Loop
from dlthink.training.trainer import Trainer
from dlthink.training.validation_fit import changed, check_unchanged, validation_fit
from tests.training.toy import Error, Line, Squared, network


class Interval(Squared):
    """Squared error, and how far a share of validation's errors reaches."""

    def __init__(self, share):
        super().__init__()
        self.share = share
        self.register_buffer("reach", torch.zeros(()))

    def fit_on_validation(self, out, y):
        self.reach.copy_((out - y).abs().flatten().quantile(self.share))

    def predict(self, out):
        return {"mean": out, "reach": self.reach}


def parts(share, steps=20):
    trainer = Trainer(device="cpu", precision="fp32", batch=32, steps=steps, validate_every=10)
    by = {"loss": {"share": share}}
    return Parts(Line(), Error(), Interval(share), network(), torch.optim.Adam, trainer, by)


def by_hand(model, share):
    val = Line().val
    with torch.no_grad():
        return float((model.eval()(val.x) - val.y).abs().flatten().quantile(share))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    Loop(parts(0.5), folder).run()
    return folder


def test_it_is_as_the_checkpoint_holds_it_where_nothing_is_set_otherwise(run):
    saved = checkpoint.load(run / "checkpoints" / "best.pt")
    same = parts(0.5)
    saved.install(same.model, same.loss)
    assert validation_fit(saved, same) == ({}, None)
    assert float(same.loss.reach) == pytest.approx(by_hand(same.model, 0.5))


def test_another_setting_is_fitted_anew(run):
    saved = checkpoint.load(run / "checkpoints" / "best.pt")
    other = parts(0.9)
    saved.install(other.model, other.loss)
    assert validation_fit(saved, other) == ({}, "loss.share: fitted anew on the 64 samples of validation")
    assert float(other.loss.reach) == pytest.approx(by_hand(other.model, 0.9))


def test_a_finished_run_that_is_resumed_with_it_keeps_it(run):
    best = run / "checkpoints" / "best.pt"
    before = checkpoint.load(best)["model"]
    saved = checkpoint.load(run / "checkpoints" / "last.pt", mapped=False)
    Loop(parts(0.8), run, saved=saved).run()
    kept, again = checkpoint.load(best), parts(0.8)
    assert all(torch.equal(kept["model"][name], value) for name, value in before.items())
    kept.install(again.model, again.loss)
    assert validation_fit(kept, again)[1] is None
    assert float(again.loss.reach) == pytest.approx(by_hand(again.model, 0.8))


def test_who_reads_no_validation_refuses_it():
    saved = checkpoint.Checkpoint("best.pt", {"fitted_by": {"loss": {"share": 0.5, "gone": 1}, "metrics": {}}})
    check_unchanged(saved, {"loss": {"share": 0.5, "gone": 1}}, "predict")
    with pytest.raises(BadInput, match=r"^loss\.share, loss\.gone: is fitted on .* which predict does not read"):
        check_unchanged(saved, {"loss": {"share": 0.9}, "metrics": {}}, "predict")


def test_of_a_run_of_before_and_of_nonsense_nothing_is_known():
    for state in ({}, {"fitted_by": 3}):
        assert changed(checkpoint.Checkpoint("best.pt", state), {"loss": {"share": 0.9}}) == []
    assert changed(checkpoint.Checkpoint("best.pt", {"fitted_by": {"loss": 3}}), {"loss": {"a": 1}}) == ["loss.a"]
