"""Figures by name, aligned, for the terminal."""

import math
from collections import Counter
from collections.abc import Iterable

from dlthink.metric_direction import arrow

ENOUGH = 4  # figures with one ending make it a column


def table(title: str, numbers: dict[str, float], better: dict[str, str] | None = None) -> str:
    """A line for each figure, four significant digits, points below each other; what several have in common is beside.

    `mae` and `mae_lookup`, `rmse` and `rmse_lookup`, ... are one line each, with a column `lookup`. What has several
    such columns of its own, as `kid_lookup` with its interval, stays a line. An interval that nothing defines is none.
    better: {figure: "max" or "min"}, an arrow behind its name.
    """
    numbers = {name: value for name, value in numbers.items() if not (_is_end(name, numbers) and math.isnan(value))}
    columns, ends = repeated(numbers)
    alone = {name for name in ends if sum(f"{name}_{column}" in numbers for column in columns) > 1}
    beside = {f"{name}_{column}" for name in numbers.keys() - ends | alone for column in columns} - alone
    lines = [name for name in numbers if name not in beside]
    marks = [f"{name} {arrow((better or {}).get(name))}".rstrip() for name in lines]
    whole = [_column("value", [numbers[name] for name in lines])]
    for column in columns:
        names = [f"{name}_{column}" for name in lines]
        whole.append(_column(column, [numbers.get(name) if name in beside else None for name in names]))
    width = max(map(len, [title, *marks]))
    rows = zip([title, *marks], *whole, strict=True)
    return "\n".join(f"{row[0]:<{width}}  {'  '.join(row[1:])}".rstrip() for row in rows)


def explained(title: str, numbers: dict[str, float], better: dict[str, str], glossary: dict[str, str]) -> str:
    """The table, and below it what its figures are."""
    return "\n".join([table(title, numbers, better), *legend(numbers, glossary)])


def _is_end(name: str, numbers: dict[str, float]) -> bool:
    """Is it an end of the interval of another figure?"""
    whole, _, end = name.rpartition("_")
    return end in ("low", "high") and whole in numbers


def _column(heading: str, values: list[float | None]) -> list[str]:
    """A heading and its cells, equally wide, decimal points below each other; None: empty."""
    texts = ["" if value is None else _digits(value) for value in values]
    pairs = [(whole, point + rest) for whole, point, rest in (text.partition(".") for text in texts)]
    left, right = (max(map(len, side)) for side in zip(*pairs, strict=True))
    wide = max(9, len(heading), left + right)
    return [f"{heading:>{wide}}", *(f"{whole:>{wide - right}}{rest:<{right}}" for whole, rest in pairs)]


def _digits(value: float) -> str:
    """Four significant digits; a whole number as it is."""
    if not math.isfinite(value) or abs(value) >= 1e7:
        return f"{value:.4g}"
    return f"{value:.0f}" if value == round(value) or abs(value) >= 1e4 else f"{value:#.4g}".rstrip(".")


def repeated(names: Iterable[str]) -> tuple[list[str], set[str]]:
    """The endings that ENOUGH figures have behind the name of another (`lookup`), and the names that end so."""
    names = dict.fromkeys(names)
    endings = Counter(ending for name in names for _, ending in _splits(name, names))
    columns = [ending for ending, count in endings.items() if count >= ENOUGH]
    return columns, {name for name in names for _, ending in _splits(name, names) if ending in columns}


def _splits(name: str, names: Iterable[str]) -> list[tuple[str, str]]:
    """(stem, ending) of a name whose stem is a figure, too."""
    words = name.split("_")
    pairs = [("_".join(words[:k]), "_".join(words[k:])) for k in range(1, len(words))]
    return [(stem, ending) for stem, ending in pairs if stem in names]


def stem(name: str, known: Iterable[str]) -> str | None:
    """The longest of the known names that this one begins with: `mae` of `mae_velocity` and of `mae_lookup`."""
    stems = [one for one in known if name == one or name.startswith(f"{one}_")]
    return max(stems, key=len, default=None)


def legend(names: Iterable[str], glossary: dict[str, str]) -> list[str]:
    """A line for each of these figures that the glossary knows, once for all with one stem."""
    found = [known for known in dict.fromkeys(stem(name, glossary) for name in names) if known]
    wide = max(map(len, found), default=0)
    return [f"  {name:<{wide}}  {glossary[name]}" for name in found]
