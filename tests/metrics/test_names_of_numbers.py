"""Which way every number of an examination is better, none where it is right at some value; and what it is."""

import re

import pytest
import torch

from dlthink.metrics.counts.metrics import Counts
from dlthink.metrics.counts.table import TableCounts
from dlthink.metrics.embeddings.metrics import Embeddings
from dlthink.metrics.reals.metrics import Reals
from dlthink.metrics.translations.metrics import GLOSSARY, Translations
from dlthink.protocols import Metrics
from dlthink.runs.compare.comparison import direction
from dlthink.runs.summary import legend, stem
from tests.conftest import REPOSITORY
from tests.metrics.translations.made_seasons import DOMAINS, asked, photos

Y = torch.arange(40.0).reshape(20, 2)
COUNTS = ({"rate": Y + 0.5}, Y, {"rate": Y + 0.1, "log_prob": -Y})
REALS = ({"mean": Y + 0.1, "std": 1 + Y / 99}, Y, {"mean": Y, "std": 1 + Y / 50})
PEOPLE = torch.arange(20) % 5
FACES = ({"embedding": torch.nn.functional.normalize(Y + 1), "threshold": torch.tensor(1.0)}, PEOPLE, {})
PAIRS = [[i, i + 5, 1] for i in range(10)] + [[i, i + 1, 0] for i in range(10)]

EXAMINED = {
    "counts": (Counts(["a", "b"], 0.05), COUNTS, ("floored", "pearson_dispersion")),
    "counts of tables": (TableCounts(["a", "b"]), COUNTS, ("floored", "pearson_dispersion")),
    "reals": (Reals(), REALS, ("coverage", "sharpness", "width")),
    "reals of several units": (
        Reals(["cm", "s"], target_names=["a", "b"], target_std=[1.0, 2.0]),
        REALS,
        ("coverage", "width"),
    ),
    "faces": (Embeddings(PAIRS), (FACES[0], PEOPLE, {"photo": torch.arange(20)}), ("effective_rank", "mean_cosine")),
    "photos": (
        Translations(DOMAINS, "embedded", draws=3),
        asked(photos("summer", 4), photos("winter", 3)),
        ("probe_ceiling",),
    ),
}
PLAIN = ("mae", "rmse", "r2")  # which everybody knows
AUDIT = {"threshold_at_far_1e-2", "val", "far", "val_ratio", "far_ratio", "val_masked", "far_masked", "dodging"}
AUDIT |= {"impersonation"}
RARE = {"regret", "crps", "nll", "median_ae", "aurc", "psnr", "ssim"}  # where the truth is known, or units are one


@pytest.mark.parametrize("metrics, known, without", EXAMINED.values(), ids=EXAMINED)
def test_every_number_has_a_direction_or_is_right_at_some_value(metrics, known, without):
    ways = Metrics.directions.of(metrics) | Metrics.scores.of(metrics)
    numbers = metrics.numbers(*known)
    silent = [name for name in numbers if direction(name, ways) is None]
    assert {stem for stem in without if any(name.startswith(stem) for name in silent)} == {*without}
    assert [name for name in silent if not name.startswith(without)] == []
    unused = {name for name in ways if not any(number == name or number.startswith(f"{name}_") for number in numbers)}
    assert unused <= RARE
    assert ways[metrics.best[0]] == metrics.best[1]


def test_of_a_gain_over_a_baseline_more_is_better_though_of_what_is_gained_less_is():
    photos_of_seasons = Translations(DOMAINS, "embedded", draws=3)
    assert direction("kid_embedded_gain_to_winter_untouched", photos_of_seasons.directions) == "max"


@pytest.mark.parametrize("metrics, known", [(m, k) for m, k, _ in EXAMINED.values()], ids=EXAMINED)
def test_every_number_is_explained_where_it_is_printed(metrics, known):
    glossary = Metrics.glossary.of(metrics)
    numbers = [name for name in metrics.numbers(*known) if stem(name, PLAIN) is None]
    assert [name for name in numbers if stem(name, glossary) is None] == []
    assert legend(numbers, glossary) and all(len(line) <= 120 for line in legend(glossary, glossary))


@pytest.mark.parametrize("glossary", [Counts.glossary, Reals.glossary, Embeddings.glossary, GLOSSARY])
def test_the_page_explains_numbers_in_the_same_words(glossary):
    """What an audit adds stands in a paragraph of its own."""
    page = (REPOSITORY / "docs" / "scenarios.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE))
    for name, words in glossary.items():
        if name not in AUDIT:
            assert rows[name].startswith(words), name
