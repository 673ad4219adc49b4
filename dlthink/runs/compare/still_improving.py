"""Still improving: runs whose best validation was one of their last, so that more steps may change the answer."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dlthink.runs.compare.comparison import Comparison, Finished
from dlthink.runs.compare.ranking import Ranking

LAST = 0.1  # of the steps: a best validation within them was nearly the last one
QUARTERS = 4  # in which twice the steps gain on, each at most what the last one did
FEW = 3  # groups that are named


def line(ranking: Ranking, compared: Comparison, labels: list[str]) -> list[str]:
    """Which runs were, where that may matter: for one group, at the pace of its last quarter, twice the steps would
    make up for its difference. A group counts with half of its runs or more."""
    groups = [[*group.values()] for group in compared.groups.values()]
    counts = {place: sum(map(improving, groups[place])) for place in ranking.order}
    found = [place for place, count in counts.items() if count and 2 * count >= len(groups[place])]
    if not any(_may_matter(ranking, place, groups[place]) for place in found):
        return []
    if sum(counts.values()) == len(compared.runs):
        who = f"all {len(compared.runs):,} runs"
    else:
        named = [f"{counts[place]} of {len(groups[place])} runs of {labels[place]}" for place in found]
        who = ", ".join(named[:FEW]) + (f" and of {len(named) - FEW} more" if len(named) > FEW else "")
    return [
        f"Still improving on validation at their last steps: {who}; more steps (trainer.steps) may change differences "
        f"as small as the least of these."
    ]


def improving(run: Finished) -> bool:
    """Was its best validation one of its last, better than that of the quarters before?"""
    known = run.training
    if not {"steps", "best", "late_gain"} <= known.keys():
        return False
    return known["best"] > (1 - LAST) * known["steps"] and known["late_gain"] > 0


def _may_matter(ranking: Ranking, place: int, runs: Iterable[Finished]) -> bool:
    difference = ranking.differences.get(place)
    if difference is None or math.isnan(difference.mean):
        return False
    gains = [run.training["late_gain"] for run in runs if improving(run) and run.best and run.best[0] == ranking.name]
    return not gains or QUARTERS * math.fsum(gains) / len(gains) >= abs(difference.mean)
