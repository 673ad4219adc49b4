"""Verdict on groups of runs, in words: who is ahead by a score, who cannot be told apart, and what would tell."""

import math

from dlthink.runs.compare.comparison import Comparison
from dlthink.runs.compare.paired_difference import DOUBT, MOST_RUNS, Difference
from dlthink.runs.compare.ranking import Ranking

FEW = 3  # groups that a sentence names
WORDS = {"max": ("worse", "better"), "min": ("better", "worse"), None: ("lower", "higher")}  # of less, of more


def rows(ranking: Ranking, labels: list[str]) -> list[tuple[str, str, str]]:
    """Of every other group, best first: its label, its difference with the interval, and what that says."""
    found = []
    for place in ranking.order:
        if place == ranking.reference:
            continue
        found.append((labels[place], _interval(ranking, place), _said(ranking, place)))
    return found


def intervals(ranking: Ranking) -> str:
    """What the intervals are: of one pair, or of several, corrected; nothing where there are none."""
    if not any(d is not None and d.known for d in ranking.differences.values()):
        return ""
    return "a 95 % interval" if ranking.pairs == 1 else f"95 % intervals, corrected for {ranking.pairs} pairs"


def basis(ranking: Ranking) -> str:
    """Of what the intervals are: how many repetitions, how many items."""
    known = [d for d in ranking.differences.values() if d is not None]
    if not known:
        return "no repetition in common"
    least = min(known, key=lambda d: d.runs)
    repeated = f"{least.runs} repetition{'s' * (least.runs > 1)}"
    return f"paired by {repeated} and {least.items} items" if least.items else f"paired by {repeated}"


def sentences(ranking: Ranking, compared: Comparison, labels: list[str], scores: dict[str, str]) -> list[str]:
    """Who is ahead, against whom it is not sure, what would tell; and where the winner wins its own score alone."""
    best = ranking.order[0]
    without = [place for place in ranking.order if place in ranking.without]
    rivals = [place for place in ranking.order if place not in (ranking.reference, *without)]
    if best != ranking.reference or not rivals or ranking.direction is None:
        return []
    same = [place for place in rivals if ranking.differences[place] and ranking.differences[place].same]
    rivals = [place for place in rivals if place not in same]
    open_ = [place for place in rivals if not ranking.beyond_doubt(place)]
    said = []
    if same:
        named = f"{labels[best]} and {_named(same, labels)} are the same by {ranking.name} in every run"
        said.append(f"{named}: what tells them apart had no effect.")
    if open_:
        advice = _advice({place: ranking.differences[place] for place in open_}, ranking)
        named = _named(open_, labels)
        said.append(f"{labels[best]} is ahead by {ranking.name}, but cannot be told from {named}{advice}.")
    elif rivals:
        said.append(f"{labels[best]} is best by {ranking.name}, beyond doubt.")
    if without:
        said.append(f"Without {ranking.name}, or not a number there: {', '.join(labels[place] for place in without)}.")
    if favoured := _favoured(ranking, compared, labels, scores):
        said.append(favoured)
    return said


def _named(places: list[int], labels: list[str]) -> str:
    """The first of them, and how many more."""
    more = f" and {len(places) - FEW} more" if len(places) > FEW else ""
    return ", ".join(labels[place] for place in places[:FEW]) + more


def _favoured(ranking: Ranking, compared: Comparison, labels: list[str], scores: dict[str, str]) -> str | None:
    """One line where the winner is ahead by what its cost descends, and by no other score."""
    best = ranking.order[0]
    runs = list(list(compared.groups.values())[best].values())
    own = {name for run in runs for name in run.trained_for}
    if ranking.name not in own:
        return None
    others = {name: better for name, better in scores.items() if name not in own}
    ahead = {name: Ranking.leader(compared, name, better) for name, better in others.items()}
    ahead = {name: place for name, place in ahead.items() if place is not None}
    if not ahead or best in ahead.values():
        return None
    elsewhere = ", ".join(f"{labels[place]} by {name}" for name, place in list(ahead.items())[:FEW])
    return f"That is what {labels[best]} was trained for; by other scores others are ahead: {elsewhere}."


def _interval(ranking: Ranking, place: int) -> str:
    difference = ranking.differences[place]
    if difference is None:
        return "no repetition in common"
    if math.isnan(difference.mean):
        return "not a number"
    half = ranking.half_width(place)
    if math.isnan(half):
        return f"{difference.mean:+.4g}"
    place = 1 - math.floor(math.log10(half)) if 0 < half < math.inf else 6
    if not 0 <= place <= 9 or abs(difference.mean) >= 1e7:
        return f"{difference.mean:+.4g} ({difference.mean - half:.4g} to {difference.mean + half:.4g})"
    low, high = difference.mean - half, difference.mean + half
    return f"{difference.mean:+.{place}f} ({low:.{place}f} to {high:.{place}f})"


def _said(ranking: Ranking, place: int) -> str:
    difference, p = ranking.differences[place], ranking.p(place)
    if difference is None or math.isnan(difference.mean):
        return ""
    if math.isnan(p):
        return "one pair: nothing is known of its error"
    shown = p_value(p)
    if difference.unlike:
        return f"on other items, which may explain it, {shown}"
    if not ranking.beyond_doubt(place):
        return f"cannot be told apart, {shown}"
    return f"{WORDS[ranking.direction][difference.mean > 0]} beyond doubt, {shown}"


def _advice(differences: dict[int, Difference | None], ranking: Ranking) -> str:
    """What would tell the nearest rivals apart, were the differences as they look."""
    known = {place: d for place, d in differences.items() if d is not None and d.known and d.mean}
    if any(d is not None and d.unlike for d in differences.values()):
        return ": examine all on the same items"
    if any(d is None for d in differences.values()):
        return ": train each with the same seeds"
    if len(known) < len(differences):
        return ": train each with several seeds"
    if not known:
        return ""
    most = [d.runs_to_tell(ranking.doubt(place)) for place, d in known.items()]
    if all(number is not None for number in most):
        return f": {max(most)} repetitions might tell, were the differences as they look"
    by_items = any(
        d.of_items is not None and (d.of_runs is None or d.of_items[0] > d.of_runs[0]) for d in known.values()
    )
    return (
        ": a larger test set might tell, more seeds alone would not"
        if by_items
        else f": not even {MOST_RUNS} repetitions would"
    )


def p_value(p: float) -> str:
    """`p = 0.021`, no smaller than it is worth, and on the side of 0.05 where it lies."""
    return "p < 0.001" if p < 1e-3 else f"p = {p:.2g}" if (float(f"{p:.2g}") < DOUBT) == (p < DOUBT) else f"p = {p:.3g}"
