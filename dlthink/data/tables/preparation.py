"""Preparation of features, learned from training rows: numbers standardized, gaps marked, words numbered.

What was learned is plain values (`Prepared.state`), and prepares any other table alike.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dlthink.data.number_parsing import CODES
from dlthink.data.tables.identifiers import names_rows
from dlthink.data.tables.readers.columns import (
    listed,
    no_numbers,
    numbers,
    numbers_among,
    order_of_days,
    plain,
    unit_of,
    words,
)
from dlthink.data.tables.readers.read_table import Source
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

MOST, LEAST = 254, 2  # categories of a column that are kept, and rows of training that one needs for it
SOME = 0.2  # of the cells of a category are numbers: then it is told
FEW, APART = 3, 2.0  # rows that have a code for nothing, and other values; how far it lies from these, in their ranges
COVERED = 0.5  # of training rows lie in those, or else the column is an identifier
FAR = 3.0  # standard deviations beyond the range of training, where values end
MISSING = ""  # the category of what is not known
NAMED, LETTERS = 3, 20  # categories taken as one that are named, and letters of each
EVERY, EDGES = 200_000, 48  # rows that quantiles are taken from; steps between those


@dataclass
class Features:
    """x of some rows: numbers [n, p] float32, standardized; categories [n, q] int32, 0 for one not seen in training."""

    numbers: Tensor
    categories: Tensor

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass
class Preparation:
    """columns: of each feature {"name", "kind"}, and "words" of a category, or "parts", each with its mean, std, low
    and high in training and whether there were gaps. notes: what was left out, pooled or filled in."""

    columns: list[dict]
    notes: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> list[str]:
        """Names of the columns of `numbers`."""
        parts = [(part, column) for column in self.columns for part in column.get("parts", ())]
        gaps = [f"{column['name']} (missing)" for column in self.columns if column.get("gaps")]
        return [part["name"] for part, _ in parts] + gaps

    @property
    def category_sizes(self) -> list[int]:
        """How many codes each column of `categories` has: one for each category, and 0 for all others."""
        return [len(column["words"]) + 1 for column in self.columns if "words" in column]

    @classmethod
    def fit(
        cls,
        frame: pandas.DataFrame,
        kinds: dict[str, str],
        train: np.ndarray | None,
        source: Source,
        keep: Collection[str] = (),
    ) -> Preparation:
        """From the training rows alone. train: None where there is no split yet, nor a target: from all rows, as if
        each column were a feature. keep: features that stay, whatever they look like."""
        made = cls([])
        split, train = train is not None, np.arange(len(frame)) if train is None else train
        among = "training rows" if split else "rows"
        left: dict[str, list[str]] = {}
        mixed: list[str] = []
        for name, kind in kinds.items():
            column = _category(frame[name], train) if kind == "category" else _number(frame[name], kind, train, source)
            share, word = numbers_among(frame[name], source) if kind == "category" else (0.0, "")
            told = f"{name} ({share:.0%} numbers, and {word[:20]!r})" if share > SOME else name
            if kind == "category" and column.pop("covered", 1.0) < COVERED and name not in keep:
                why = f"as good as every row has its own value: {'mend its words' if told != name else 'an identifier'}"
                left.setdefault(why, []).append(told)
            elif kind == "number" and name not in keep and (why := names_rows(frame[name])):
                left.setdefault(why, []).append(name)
            elif share > SOME:
                mixed.append(told)
                made.columns.append({"name": name, "kind": kind} | column)
            elif not column.get("words") and not column.get("parts"):
                left.setdefault(f"the same in all {among}", []).append(name)
            else:
                unit = unit_of(frame[name], source) if kind == "number" else ""
                order = order_of_days(frame[name], source) if kind == "date" else None
                column |= ({"unit": unit} if unit else {}) | ({"order": order} if order else {})
                made.columns.append({"name": name, "kind": kind} | column)
        made.notes += [f"left out, {why}: {listed(names)}" for why, names in left.items()]
        if mixed:
            made.notes.append(f"numbers and words in one column, each taken as a word: {listed(mixed)}")
        made._tell_fit(len(train), among)
        made._tell_gaps(len(train), split)
        return made

    def apply(
        self, table: dict[str, pandas.Series], roles: dict[str, np.ndarray], source: Source
    ) -> dict[str, Features]:
        """x of the rows of each role; what looks strange there is told in `notes`. table: its columns by name, taken
        out one by one, so that they are never held twice (out of a frame, each would take as long as all)."""
        sizes = len(self.inputs), len(self.category_sizes)
        made = {
            role: Features(torch.empty(len(rows), sizes[0]), torch.zeros(len(rows), sizes[1], dtype=torch.int32))
            for role, rows in roles.items()
        }
        told: dict[str, list[str]] = {}
        place = {"number": 0, "gap": sum(len(column.get("parts", ())) for column in self.columns), "category": 0}
        for column in self.columns:
            given = table.pop(column["name"])
            if "words" in column:
                codes, unseen = _coded(given, column["words"], roles.get("train"))
                for role, rows in roles.items():
                    made[role].categories[:, place["category"]] = torch.from_numpy(codes[rows])
                place["category"] += 1
                if unseen:
                    told.setdefault("categories that training does not know, taken as other ones", []).append(
                        f"{column['name']} ({listed(unseen, 3)})"
                    )
                continue
            parts = numbers(given, column["kind"], source)
            if (unit := unit_of(given, source) if column["kind"] == "number" else "") and unit != column.get("unit"):
                trained = column.get("unit", "a plain number")
                raise BadInput(
                    f"{source.name}: column {column['name']} is in {unit}, and was {trained} in training: convert it"
                )
            first = parts[column["name"]]
            if (lost := no_numbers(given, first)).any():
                told.setdefault("words among numbers, taken as missing", []).append(
                    f"{column['name']} ({str(given[lost].iloc[0])[:20]!r})"
                )
            gaps = np.isnan(first)
            if gaps.any() and not column["gaps"]:
                told.setdefault("gaps where training had none, the mean is taken", []).append(column["name"])
            for part in column["parts"]:
                z, beyond = _standardized(parts[part["name"]], part)
                if beyond and part["name"] == column["name"]:
                    told.setdefault("values far beyond those of training, taken as its ends", []).append(
                        f"{column['name']} ({beyond:,})"
                    )
                for role, rows in roles.items():
                    made[role].numbers[:, place["number"]] = torch.from_numpy(z[rows])
                place["number"] += 1
            if column["gaps"]:
                for role, rows in roles.items():
                    made[role].numbers[:, place["gap"]] = torch.from_numpy(gaps[rows].astype(np.float32))
                place["gap"] += 1
        self.notes += [f"{what}: {listed(names)}" for what, names in told.items()]
        return made

    def _tell_fit(self, rows: int, among: str) -> None:
        pooled = [f"{column['name']} ({said})" for column in self.columns if (said := column.pop("pooled", ""))]
        if pooled:
            self.notes.append(
                f"categories with fewer than {LEAST} {among}, or beyond the {MOST} most frequent, taken as one: "
                f"{listed(pooled)}"
            )
        units = [f"{column['name']} ({column['unit']})" for column in self.columns if "unit" in column]
        if units:
            self.notes.append(f"numbers with a unit, read without it: {listed(units)}")
        if codes := {column["name"]: column["code"] for column in self.columns if column.get("code")}:
            each = listed([f"{name} ({code}, {rows:,} rows)" for name, (code, rows) in codes.items()])
            way = ",".join(dict.fromkeys(code for code, _ in codes.values()))
            self.notes.append(
                f"one value in many rows, far from all others, {each}: does it stand for nothing known? Then "
                f"data.missing=[{way}]"
            )
        self._tell_dates()
        for column in self.columns:
            column.pop("code", None)

    def _tell_gaps(self, rows: int, split: bool) -> None:
        gaps = [f"{column['name']} ({column['gaps'] / rows:.1%})" for column in self.columns if column.get("gaps")]
        if gaps and split:
            self.notes.append(f"missing in training, filled by the mean and marked: {listed(gaps)}")
        elif gaps:
            self.notes.append(
                f"missing: {listed(gaps)}; filled by the mean and marked where a feature, left out where the target"
            )

    def _tell_dates(self) -> None:
        """What was guessed of dates; of each column, the order of its days stays, so that another file has the same."""
        guessed, short = [], []
        for column in self.columns:
            if (order := column.pop("order", None)) is None:
                continue
            column["day_first"] = order.day_first
            guessed += [] if order.sure else [f"{column['name']} ({'day' if order.day_first else 'month'} first)"]
            short += [column["name"]] if order.short else []
        if guessed:
            self.notes.append(
                f"dates of which none is later than the 12th, so that their order is a guess: {listed(guessed)}; write "
                f"2024-01-31 if it is wrong"
            )
        if short:
            self.notes.append(f"years of two digits, taken as 1930 to 2029: {listed(short)}")


def days_first(columns: list[dict]) -> dict[str, bool]:
    """Of each column of dates, whether training had the day before the month."""
    return {column["name"]: column["day_first"] for column in columns if "day_first" in column}


def quantiles(features: Features) -> Tensor:
    """The 49 quantiles 0, 1/48, ... of each number in training: [p, 49], of at most some rows, evenly spread."""
    every = max(1, len(features) // EVERY)
    values = features.numbers[::every]
    if not len(values) or not values.shape[1]:
        return torch.zeros(values.shape[1], EDGES + 1)
    return torch.from_numpy(np.quantile(values.numpy(), np.linspace(0, 1, EDGES + 1), axis=0).T.astype(np.float32))


def _number(column: pandas.Series, kind: str, train: np.ndarray, source: Source) -> dict:
    parts = []
    columns = numbers(column, kind, source)
    for name, values in columns.items():
        seen = values[train]
        known = seen[~np.isnan(seen)]
        if not len(known) or known.min() == known.max():
            continue
        mean, std = float(known.mean()), float(known.std())
        if std > 1e-14 * abs(mean):
            parts.append(
                {"name": name, "mean": mean, "std": std, "low": float(known.min()), "high": float(known.max())}
            )
    gaps = int(np.isnan(next(iter(columns.values()))[train]).sum())
    if not parts and 0 < gaps < len(train):  # one value or none: the gap says it all
        name, values = next(iter(columns.items()))
        value = float(np.nanmean(values[train]))
        parts.append({"name": name, "mean": value, "std": 1.0, "low": value, "high": value})
    return {"parts": parts, "gaps": gaps, "code": _code(column, next(iter(columns.values()))[train], kind, train)}


def _code(column: pandas.Series, values: np.ndarray, kind: str, train: np.ndarray) -> tuple[str, int] | None:
    """What looks like a code for nothing known, 9999-12-31 or -1000, and in how many rows: at an end, in several, far
    from all others. Numbers that are often such codes, -99 say, are told of the whole table (`oddities`)."""
    known = values[~np.isnan(values)]
    for end in (known.min(), known.max()) if len(known) and kind != "boolean" else ():
        others = known[known != end]
        if kind == "number" and end in CODES:
            continue
        if len(known) - len(others) < FEW or len(np.unique(others)) <= FEW:
            continue
        if np.abs(others - end).min() > APART * (others.max() - others.min()):
            cell = plain(column.iloc[train[int((values == end).argmax())]]).removesuffix(" 00:00:00")
            return f"{end:.15g}" if kind == "number" else cell, len(known) - len(others)
    return None


def _category(column: pandas.Series, train: np.ndarray) -> dict:
    """The words kept, the most frequent first; what is said of the others; the share of training rows that have
    them."""
    codes, found = words(column)
    seen = codes[train]
    counts = np.bincount(seen[seen >= 0], minlength=len(found))
    there = int((counts > 0).sum())
    order = sorted(np.flatnonzero(counts >= LEAST), key=lambda code: (-counts[code], found[code]))[:MOST]
    kept = [found[code] for code in order]
    missing = int((seen < 0).sum())
    if missing >= LEAST:
        kept.append(MISSING)
    covered = (counts[order].sum() + missing) / max(len(train), 1)
    if there + (missing > 0) < 2:
        return {"words": []}
    others = np.setdiff1d(np.flatnonzero(counts), order)
    names = [found[code][:LETTERS] for code in others[np.argsort(-counts[others], kind="stable")][:NAMED]]
    lone = 0 < missing < LEAST
    names, number = [*names, *["missing"] * lone][:NAMED], len(others) + lone
    more = f" and {number - len(names):,} more" if number > len(names) else ""
    pooled = f"{number:,} of {there + (missing > 0):,}: {', '.join(names)}{more}" if number else ""
    return {"words": kept or [MISSING], "pooled": pooled, "covered": float(covered)}


def _coded(column: pandas.Series, kept: list[str], train: np.ndarray | None) -> tuple[np.ndarray, list[str]]:
    """int32 code of each row, 0 for what is not kept; the words not kept that no row of training has."""
    code = {word: i for i, word in enumerate(kept, 1)}
    codes, found = words(column)
    table = np.array([*(code.get(word, 0) for word in found), code.get(MISSING, 0)], np.int32)
    seen = set() if train is None else {found[one] for one in np.unique(codes[train]) if one >= 0}
    return table[codes], [word for word in found if word not in code and word not in seen]


def _standardized(values: np.ndarray, part: dict) -> tuple[np.ndarray, int]:
    """(float32 z, how many lie far beyond training): the mean where nothing is known."""
    z = (values - part["mean"]) / part["std"]
    low, high = ((part[end] - part["mean"]) / part["std"] for end in ("low", "high"))
    with np.errstate(invalid="ignore"):
        beyond = int(((z < low - FAR) | (z > high + FAR)).sum())
    return np.nan_to_num(np.clip(z, low - FAR, high + FAR), nan=0.0).astype(np.float32), beyond
