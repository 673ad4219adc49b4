"""Figures by name, aligned, for the terminal."""

from collections import Counter
from collections.abc import Iterable

ENOUGH = 4  # figures with one ending make it a column


def table(title: str, numbers: dict[str, float]) -> str:
    """A line for each figure, six significant digits; what several have in common stands beside them.

    `mae` and `mae_lookup`, `rmse` and `rmse_lookup`, ... are one line each, with a column `lookup`. What has several
    such columns of its own, as `kid_lookup` with its interval, stays a line.
    """
    columns, ends = repeated(numbers)
    alone = {name for name in ends if sum(f"{name}_{column}" in numbers for column in columns) > 1}
    beside = {f"{name}_{column}" for name in numbers.keys() - ends | alone for column in columns} - alone
    lines = [name for name in numbers if name not in beside]
    width = max(map(len, [title, *lines]))
    wide = [max(12, len(column)) for column in columns]
    text = [f"{title:<{width}}  {'value':>12}" + "".join(f"  {c:>{w}}" for c, w in zip(columns, wide, strict=True))]
    for name in lines:
        cells = [f"{numbers[name]:>12.6g}"]
        for column, w in zip(columns, wide, strict=True):
            value = numbers.get(f"{name}_{column}") if f"{name}_{column}" in beside else None
            cells.append(" " * w if value is None else f"{value:>{w}.6g}")
        text.append(f"{name:<{width}}  {'  '.join(cells)}".rstrip())
    return "\n".join(text)


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
