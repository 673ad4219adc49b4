"""What a run has seen of a recording is found again, cut, shifted or under other names, and nothing else is."""

import numpy as np
import pytest

from dlthink.data.recordings import bin_leaks
from dlthink.data.recordings.binned import Binned
from dlthink.errors import BadInput
from tests.data.recordings.made import binned, changed, known_of, session


def elsewhere(given, state, **knobs):
    return binned(given, state=state, elsewhere=True, **{"history": 3} | knobs)


def targets(split):
    """The present bins' times, counts and windows."""
    index = np.arange(len(split))
    return known_of(split)["time"].numpy(), split.take_x(split.rows.new_tensor(index)), split.targets()


@pytest.fixture(scope="module")
def run():
    return binned(history=3, blocks=10)


def test_another_session_is_all_test_and_standardized_as_training_was(run):
    other = session(seed=5)
    found = elsewhere(other, run.state)
    assert (len(found.train), len(found.val)) == (0, 0) and len(found.test) == 60 / 0.05 - 3 - 1
    again = binned(other, history=3, blocks=10, state=run.state)
    assert found.facts == run.facts
    place = found.test.rows == again.test.rows[0]
    first = found.test.take_x(place.nonzero()[:, 0])
    assert (first == again.test.take_x(first.new_zeros(1).long())).all()
    assert not any("seen" in note for note in found.notes)


def test_what_goes_around_does_so_in_the_next_session():
    mine = binned(history=3, blocks=10, circular=["a"], gap=1.0)
    settings = {name: mine.state[name] for name in ("circular", "gap")}  # as `evaluate on=` hands them over
    found = elsewhere(session(seed=5), mine.state, **settings)
    assert len(found.test) and found.state["covariates"] == ["a_sin", "a_cos", "b"]


def test_of_its_own_recording_what_is_left_is_its_test(run):
    found = elsewhere(session(), run.state)
    mine, theirs = targets(run.test), targets(found.test)
    assert all((a == b).all() for a, b in zip(mine, theirs, strict=True))
    assert any("left out, the run has seen them: 959 of 1,199 bins" in note for note in found.notes)


def test_a_part_of_it_on_another_clock_with_other_names_is_known_again(run):
    given = session()
    late = changed(
        given, spikes=[unit[unit > 20] + 1000.25 for unit in given.spikes], times=given.series[0].times + 1000.25
    )
    late = changed(late, intervals=np.array([[1020.25 + 0.013, 1059.0]]))
    found = elsewhere(late, run.state)
    time = known_of(found.test)["time"].numpy()  # counted from the first row of covariates
    tests = [(12.0, 18.0), (42.0, 48.0)]
    window = time[:, None] + [-3.5 * 0.05, 0.5 * 0.05]
    inside = np.any([(window[:, 0] > a - 1e-6) & (window[:, 1] < b + 1e-6) for a, b in tests], axis=0)
    assert inside.all() and len(time) > 100
    assert any("1000.25 s later" in note for note in found.notes)


def test_bins_that_touch_what_was_seen_are_no_test(run):
    """Bins laid otherwise overlap those of training by a part."""
    found = elsewhere(changed(session(), intervals=np.array([[0.02, 59.0]])), run.state)
    centre = known_of(found.test)["time"].numpy() + 0.02
    for start, stop in run.state["seen"]["stretches"].numpy():
        assert not ((centre + 0.025 > start + 1e-6) & (centre - 0.025 < stop - 1e-6)).any()


def test_names_are_matched_in_any_order_and_others_left_out(run):
    other = session(seed=5, number=5)
    order = [4, 2, 0, 3, 1]
    shuffled = changed(
        other,
        spikes=[other.spikes[i] for i in order],
        units=[other.units[i] for i in order],
        names=["b", "a"],
        covariates=other.series[0].values[:, ::-1],
    )
    found, plain = elsewhere(shuffled, run.state), elsewhere(session(seed=5), run.state)
    assert (found.test.targets()[:, 0] == elsewhere(other, run.state).test.targets()[:, 0]).all()
    assert found.facts["units"] == ["u0", "u1", "u2"] == plain.facts["units"]
    assert any("left out, unknown to the run: unit u4, u3" in note for note in found.notes)


def test_refusals(run):
    with pytest.raises(BadInput, match=r"no unit 'u2', which the network was trained on"):
        elsewhere(session(seed=5, number=2), run.state)
    with pytest.raises(BadInput, match=r"no covariate 'b'"):
        elsewhere(changed(session(seed=5), names=["a", "c"]), run.state)
    with pytest.raises(BadInput, match=r"data.history=5: the run was trained with 3"):
        elsewhere(session(seed=5), run.state, history=5)
    with pytest.raises(BadInput, match=r"has seen them all"):
        elsewhere(
            session(),
            run.state
            | {
                "seen": run.state["seen"]
                | {
                    "stretches": run.state["seen"]["stretches"][:1] * 0
                    + run.state["seen"]["stretches"].new_tensor([[0.0, 60.0]])
                }
            },
        )


def test_counts_in_bins_are_not_taken_for_the_same(run):
    """Spikes that lie on a grid have the same intervals often: that alone makes no recording the same."""

    def gridded(seed):
        given = session(seed=seed)
        return changed(given, spikes=[np.unique(np.rint(unit / 0.05)) * 0.05 for unit in given.spikes])

    state = binned(gridded(0), history=3, blocks=10).state
    assert len(elsewhere(gridded(1), state).test) == 60 / 0.05 - 4
    assert len(elsewhere(gridded(0), state).test) < 300


def test_a_run_of_before_says_that_it_does_not_know(run):
    old = {name: value for name, value in run.state.items() if name != "seen"}
    assert any("does not know" in note for note in elsewhere(session(), old).notes)
    assert Binned.family == "recordings"


def test_of_a_long_recording_few_moments_are_looked_at_and_it_is_known_again(run, monkeypatch):
    """So that memory does not grow with the number of spikes."""
    monkeypatch.setattr(bin_leaks, "MOST", 40)
    monkeypatch.setattr(bin_leaks, "SPARE", 2)
    given = session()
    trained = binned(given, history=3, blocks=10)
    kept, spikes = trained.state["seen"]["moments"], sum(len(unit) for unit in given.spikes)
    assert len(kept) <= 40 < spikes / 4 and kept.max() < 0
    late = changed(given, spikes=[unit + 7.5 for unit in given.spikes], times=given.series[0].times + 7.5)
    found = elsewhere(late, trained.state)
    assert any("7.5 s later" in note and "959 of 1,199 bins" in note for note in found.notes)
