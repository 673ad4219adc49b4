"""Groups of runs as a table: for the terminal, as Markdown, as CSV."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from typing import IO

from dlthink.runs.comparison import Comparison, Estimate
from dlthink.runs.ranking import Ranking


def digits(estimate: Estimate) -> tuple[str, str]:
    """Mean and standard error as text: two digits of the error, the mean to the same place."""
    mean, error = estimate.mean, estimate.error
    if error is None or math.isnan(mean):
        return f"{mean:.6g}", ""
    place = 1 - math.floor(math.log10(error)) if 0 < error < math.inf else -1
    if not 0 <= place <= 9 or abs(mean) >= 1e7:
        return f"{mean:.6g}", f" +- {error:.2g}"
    return f"{mean:.{place}f}", f" +- {error:.{place}f}"


def column(heading: str, estimates: list[Estimate]) -> list[str]:
    """A heading and its cells, equally wide, the signs below each other."""
    pairs = [digits(estimate) for estimate in estimates]
    left, right = (max(map(len, texts)) for texts in zip(*pairs, strict=True))
    cells = [f"{mean:>{left}}{error:<{right}}" for mean, error in pairs]
    wide = max(len(heading), left + right)
    return [f"{text:>{wide}}" for text in (heading, *cells)]


def fitting(columns: list[list[str]], labels: list[str], wide: int) -> int:
    """How many columns a terminal so wide has room for; one at least."""
    used, fit = max(map(len, labels)) + 5, 0
    for cells in columns:
        used += 2 + len(cells[0])
        if used > wide:
            break
        fit += 1
    return max(1, fit)


def aligned(title: str, labels: list[str], counts: Iterable[int], columns: list[list[str]]) -> str:
    """For the terminal."""
    first, counts = [title, *labels], ["n", *map(str, counts)]
    wide, narrow = max(map(len, first)), max(3, *map(len, counts))
    rows = zip(first, counts, *columns, strict=True)
    return "\n".join(f"{row[0]:<{wide}}  {row[1]:>{narrow}}  {'  '.join(row[2:])}".rstrip() for row in rows)


def markdown(title: str, labels: list[str], counts: Iterable[int], columns: list[list[str]]) -> str:
    """A table in Markdown."""
    rows = [*zip([title, *labels], ["n", *map(str, counts)], *columns, strict=True)]
    lines = ["| " + " | ".join(cell.strip().replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def write_csv(file: IO[str], compared: Comparison, order: list[int], names: list[str], ranking: Ranking | None) -> None:
    """A row for each group: its settings, n, each metric with its standard error; of the first one the difference."""
    estimates = [compared.estimates(name) for name in names]
    groups = list(compared.groups.items())
    ends = ("difference", "difference_low", "difference_high", "p") if ranking else ()
    writer = csv.writer(file, lineterminator="\n")
    heads = [head for name in names for head in (name, f"{name}_se")]
    writer.writerow([*compared.keys, "n", *heads, *(f"{names[0]}_{end}" for end in ends)])
    for place in order:
        values, group = groups[place]
        numbers = [number for one in estimates for number in (one[place].mean, one[place].error)]
        writer.writerow([*values, len(group), *numbers, *(_differences(ranking, place) if ranking else ())])


def _differences(ranking: Ranking, place: int) -> list[float | None]:
    difference = ranking.differences.get(place)
    if difference is None:
        return [None] * 4
    half = difference.half_width()
    return [difference.mean, difference.mean - half, difference.mean + half, ranking.p[place]]
