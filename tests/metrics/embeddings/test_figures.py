"""What the figures of embeddings show is what was measured, the worst pairs are the worst, and edges don't break."""

import math

import matplotlib
import numpy as np
import pytest
import torch

from dlthink.metrics.embeddings import photo_figures as photos
from dlthink.metrics.embeddings.metrics import Embeddings
from dlthink.metrics.embeddings.pair_distances import Pairs
from dlthink.metrics.embeddings.verification import Rates
from tests.metrics.embeddings.made_people import collapsed, people, perfect


def pictures(n, channels=3, size=12):
    return torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, channels, size, size)


def figures(embedding, y, known=None, **predicted):
    return Embeddings().figures({"embedding": embedding} | predicted, y, known or {})


def drawable(made):
    for figure in made.values():
        figure.draw_without_rendering()  # all but the pixels, which take half of the time


def words(figure):
    return "\n".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_two_figures_and_four_with_pictures():
    embedding, y = people()
    baselines = {"baselines": {"pixels": {"embedding": people(noise=2.0)[0]}}}
    made = figures(embedding, y, baselines, threshold=torch.tensor(0.7))
    assert list(made) == ["distances", "roc"]
    made = figures(embedding, y, baselines | {"picture": pictures(120)})
    assert list(made) == ["distances", "roc", "mistakes", "neighbours"]
    drawable(made)


@pytest.mark.slow
def test_grey_photos():
    embedding, y = people()
    drawable(figures(embedding, y, {"picture": pictures(120, channels=1)}))


def test_histograms_are_densities_and_the_threshold_says_what_it_costs():
    embedding, y = people()
    figure = figures(embedding, y, threshold=torch.tensor(0.7))["distances"]
    filled = [p.get_data() for p in figure.axes[0].patches if p.get_fill()]
    assert [float((b.values * np.diff(b.edges)).sum()) for b in filled] == pytest.approx([1, 1])
    far, val = Rates(Pairs(embedding, y).same, Pairs(embedding, y).different).at(0.7)
    assert f"stored threshold 0.70\naccepts {100 * val:.3g} % of the same person,\n{100 * far:.3g} %" in words(figure)
    assert "threshold of FAR 1e-2" in words(figures(embedding, y)["distances"])


def test_roc_has_a_log_axis_and_its_numbers():
    embedding, y = people(300, 40)
    other = people(300, 40, noise=2.0)[0]
    figure = figures(embedding, y, {"baselines": {"pixels": {"embedding": other}}})["roc"]
    ax = figure.axes[0]
    made = Embeddings(draws=1).numbers({"embedding": embedding}, y, {"baselines": {"pixels": {"embedding": other}}})
    labels = ax.get_legend_handles_labels()[1]
    assert f"this network · AUC {made['auc']:.3f}" in labels
    assert f"pixels · AUC {made['auc_pixels']:.3f}" in labels
    assert ax.get_xscale() == "log"
    assert ax.get_xlim()[0] == pytest.approx(1 / len(Pairs(embedding, y).different))
    assert f"{made['val_at_far_1e-2']:.2f}" in words(figure)


def test_the_worst_pairs_are_the_worst():
    embedding, y = people(200, 30)
    pairs = Pairs(embedding, y)
    d = ((embedding[:, None] - embedding[None]) ** 2).sum(-1)
    stranger, own = y[:, None] != y[None], (y[:, None] == y[None]) & ~torch.eye(200, dtype=torch.bool)
    accepts, rejects = photos.false_accepts(pairs), photos.false_rejects(pairs)
    assert accepts[0][2] == pytest.approx(float(d[stranger].min()), abs=1e-5)
    assert rejects[0][2] == pytest.approx(float(d[own].max()), abs=1e-5)
    assert [x[2] for x in accepts] == sorted(x[2] for x in accepts)
    assert [x[2] for x in rejects] == sorted((x[2] for x in rejects), reverse=True)
    for found, alike in ((accepts, False), (rejects, True)):
        assert len(found) == photos.WORST
        who = [tuple(sorted(int(y[pairs.rows[k]]) for k in (i, j))) for i, j, _ in found]
        assert all((a == b) == alike for a, b in who)
        assert len(set(who)) == photos.WORST  # each couple, and each person, once
        for i, j, value in found:
            assert value == pytest.approx(float(d[pairs.rows[i], pairs.rows[j]]), abs=1e-5)


def test_photos_shown_are_those_of_the_pair():
    embedding, y = people(60, 10)
    pairs = Pairs(embedding, y)
    figure = photos.mistakes(pairs, pictures(60).numpy()[pairs.rows])
    i, j, value = photos.false_accepts(pairs)[0]
    first = np.asarray(figure.axes[0].images[0].get_array())
    assert (first[0, 0, 0], first[0, -1, 0]) == (pairs.rows[i], pairs.rows[j])
    assert figure.axes[0].get_title() == f"{value:.2f}"


@pytest.mark.parametrize("n, who, places", [(6, 2, 4), (60, 10, 20), (12, 4, 12), (9, 3, 6)])
def test_mistakes_of_few_people_leave_no_empty_places(n, who, places):
    embedding, y = people(n, who)
    pairs = Pairs(embedding, y)
    figure = photos.mistakes(pairs, pictures(n).numpy()[pairs.rows])
    assert len(figure.axes) == places
    assert sum(bool(ax.images) for ax in figure.axes) >= places / 2
    drawable({"mistakes": figure})


def test_neighbours_are_nearest_first_and_framed_by_who_it_is():
    embedding, y = people(60, 10)
    pairs = Pairs(embedding, y)
    figure = photos.neighbours(pairs, pictures(60).numpy()[pairs.rows])
    d = ((embedding[:, None] - embedding[None]) ** 2).sum(-1).fill_diagonal_(math.inf)
    shown = [ax for ax in figure.axes if ax.images]
    probe = int(np.asarray(shown[0].images[0].get_array())[0, 0, 0])
    near = [int(np.asarray(ax.images[0].get_array())[0, 0, 0]) for ax in shown[1 : 1 + photos.NEAR]]
    assert near == d[probe].argsort()[: photos.NEAR].tolist()
    for ax, j in zip(shown[1:], near, strict=False):
        colour = matplotlib.colors.to_hex(ax.spines["left"].get_edgecolor())
        assert colour == (photos.PREDICTED if y[probe] == y[j] else photos.TRUE)


@pytest.mark.slow
@pytest.mark.parametrize("y", [[], [3], [3, 3], [3, 4, 5], [3, 3, 3], [1, 1, 2]])
def test_few_photos(y):
    y = torch.tensor(y, dtype=torch.long)
    drawable(figures(torch.eye(6)[: len(y)], y, {"picture": pictures(len(y))}, threshold=torch.tensor(1.0)))


@pytest.mark.slow
@pytest.mark.parametrize("made", [perfect, collapsed])
def test_perfect_and_collapsed(made):
    embedding, y = made()
    drawable(figures(embedding, y, {"picture": pictures(120)}))


@pytest.mark.slow
def test_lost_embeddings_are_left_out():
    embedding, y = people()
    embedding[3] = math.nan
    drawable(figures(embedding, y, {"picture": pictures(120), "baselines": {"pixels": {"embedding": people()[0]}}}))


def test_the_style_stays_inside():
    before = dict(matplotlib.rcParams)
    figures(*people())
    assert dict(matplotlib.rcParams) == before
