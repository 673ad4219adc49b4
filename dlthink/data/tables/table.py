"""A table: each row a sample, some columns its targets, the others features; split, prepared, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dlthink.data.column_names import Name, as_written
from dlthink.data.fixed_settings import fixed
from dlthink.data.tables import baselines as compared
from dlthink.data.tables import table_contents
from dlthink.data.tables.baselines import Baseline
from dlthink.data.tables.oddities import oddities, sums_up, total_of
from dlthink.data.tables.preparation import Features, Preparation, days_first, quantiles
from dlthink.data.tables.readers.columns import chosen, kind_of, listed, no_such_column, numbers, words
from dlthink.data.tables.readers.read_table import Source, read_table
from dlthink.data.tables.roles import ROLES, Splitting
from dlthink.data.tables.row_hash import apart, row_ties, word_ties
from dlthink.data.tables.row_leaks import fingerprint, roles_unseen, seen, twice, whole_rows
from dlthink.data.tables.rows import Rows
from dlthink.data.tables.target_leaks import copies
from dlthink.data.tables.targets import check_varies
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

FEW = 20  # rows of validation on which nothing should rest


class Table:
    """Samples are rows: x {"numbers": [n, p], "categories": [n, q]} of their features, y what `data.kind` says.

    path        .csv, .tsv, .txt (perhaps .gz) or .parquet; null: a drawn table of `rows` rows, whose truth is known
    target      the column to predict, or several
    features    columns to predict from, names or globs, whatever they look like; null: all others
    ignore      columns that are no features, names or globs (split_*)
    categories  columns of numbers that are codes
    missing     values that stand for nothing known, -99 or unknown, in any column, in whatever table
    split, group, time, blocks, fold, validation, fraction   who is train, val and test: `Splitting`
    baselines   what the examination compares with: constant, linear, boosting
    seed        of the drawn table
    state       how a run's table was prepared and split. The same table is split alike again; of any other, rows that
                the run has seen are left out, and all else is test
    elsewhere   this is another table than that of the run with that state, which is examined on it

    Subclasses say what a target is: `read`, `known`, `splits`, and in `drawn` a table of their own.
    Raises BadInput, naming the file and the column.
    """

    fixed = (
        *("target", "features", "ignore", "categories", "missing"),
        *("split", "group", "time", "blocks", "fold", "validation", "fraction"),
        *("rows", "seed"),  # of the drawn table
    )
    prepares: tuple[str, ...] = ("missing",)
    kind = ""  # of its targets
    more = "give more rows, or another data.split or data.validation"  # where a split is empty

    def __init__(
        self,
        path: str | None = None,
        target: Name | list[Name] | None = None,
        features: list[Name] | None = None,
        ignore: list[Name] | None = None,
        categories: list[Name] | None = None,
        missing: list[Name] | None = None,
        split: Name = "random",
        group: Name | None = None,
        time: Name | None = None,
        blocks: int = 20,
        fold: int = 0,
        validation: float = 0.1,
        fraction: float = 1.0,
        baselines: Sequence[Baseline] = compared.EVERY,
        rows: int = 5000,
        seed: int = 0,
        state: dict | None = None,
        elsewhere: bool = False,
    ) -> None:
        self.path, self.target, self.rows, self.seed, self.blocks = path, as_written(target), rows, seed, blocks
        self.features, self.ignore, self.categories = map(as_written, (features, ignore, categories))
        self.missing = as_written(missing)
        self.split, self.group, self.time = map(as_written, (split, group, time))
        self.fold, self.validation, self.fraction, self.baselines = fold, validation, fraction, list(baselines)
        cut = fixed(self, state, elsewhere)
        frame, source, truth = self._frame()
        source.trained = state is not None
        source.day_first |= days_first(state["columns"] if state else [])
        names = self._targets(frame, source, state)
        y = self.read(frame, names, source)
        below = f", below a header in line {source.header}" * (source.header > 1)
        self.notes = [f"read {len(frame):,} rows, {frame.shape[1]} columns{below}", *source.notes]
        self._leave_out_total(frame, y, source)
        splitting = self.splitting(names, y)
        splitting.check(frame, source)
        every = self._features(frame, [*names, *splitting.columns, *self.apart()], source, state)
        self.notes += oddities(frame, every, names, source) if self.path else []
        equal = _ties(frame, every, source)
        ties, together = apart(equal)
        roles, notes = self._roles(None if elsewhere else splitting, frame, y, ties, source, state)
        self.notes += notes
        rows_of = {role: np.flatnonzero(roles == role) for role in ROLES}
        self._refuse_empty(rows_of, source, fresh=state is None)
        if state is None and y.dtype.kind == "f":
            check_varies(y[rows_of["train"]], names, source)
        preparation = self._prepared(frame, every, names, y, rows_of["train"], source, state)
        if state is None:
            kept = {column["name"]: column["kind"] for column in preparation.columns}
            state = cut | {
                "targets": names,
                "kinds": every,
                "columns": preparation.columns,
                "table": fingerprint(ties, roles),
                "seen_rows": seen(whole_rows(_ties(frame, kept, source), y), roles) if together else {},
            }
        about = self._about(frame, preparation)
        columns = dict(frame.items())
        del frame
        x = preparation.apply(columns, rows_of, source)
        self.notes += preparation.notes
        if "facts" not in state:
            common = {"n_in": len(preparation.inputs), "category_sizes": preparation.category_sizes}
            common["quantiles"] = quantiles(x["train"])
            state["facts"] = common | self.stated(names, y[rows_of["train"]])
        self.state, self.facts = state, state["facts"]
        self.tables = {"columns.csv": about}
        made = self.splits({role: (x[role], rows_of[role]) for role in ROLES}, y, truth, ties)
        self.train, self.val, self.test = (made[role] for role in ROLES)
        sizes = " / ".join(f"{len(rows_of[role]):,}" for role in ROLES)
        self.notes.append(f"{self._said(preparation)}; rows for train / val / test: {sizes}")
        if repeated := twice(equal, roles):
            self.notes.append(repeated)
        if 0 < len(self.val) < FEW:
            self.notes.append(
                f"validation has only {len(self.val)} row{'s' * (len(self.val) > 1)}: the choice of the best weights, "
                f"one spread for all and any recalibration rest on that; give more rows or a larger data.validation"
            )

    # -------------------------------------------------------------------------------------- what a kind of target says

    @classmethod
    def targets(cls, settings: Mapping[str, Any]) -> str:
        """The kind of target that data with these settings have."""
        return cls.kind

    @classmethod
    def contents(cls, path: str) -> list[str]:
        """What is in a file, for `dlthink show`."""
        return table_contents.lines(path)

    def read(self, frame: pandas.DataFrame, names: list[str], source: Source) -> np.ndarray:
        """The targets of all rows."""
        raise NotImplementedError

    def known(self, y: np.ndarray) -> np.ndarray:
        """Rows that have a target at all: bool [n]."""
        raise NotImplementedError

    def apart(self) -> list[str]:
        """Further columns that are no features."""
        return []

    def splitting(self, names: list[str], y: np.ndarray) -> Splitting:
        """How rows are split."""
        return Splitting(self.split, self.group, self.time, self.blocks, self.fold, self.validation, self.fraction)

    def stated(self, names: list[str], y: np.ndarray) -> dict[str, Any]:
        """Facts, from the targets of training."""
        raise NotImplementedError

    def splits(
        self, x: dict[str, tuple[Features, np.ndarray]], y: np.ndarray, truth: dict[str, np.ndarray], ties: np.ndarray
    ) -> dict[str, Rows]:
        """The split of each role. x: its features, and which rows of the table they are."""
        raise NotImplementedError

    def drawn(self) -> tuple[pandas.DataFrame, str, dict[str, np.ndarray]]:
        """(a table, its target, what is known of each of its rows)."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------------------------- reading

    def _frame(self) -> tuple[pandas.DataFrame, Source, dict[str, np.ndarray]]:
        if self.path:
            return *read_table(self.path, missing=self.missing or ()), {}
        if self.rows < 50:
            raise BadInput(f"data.rows={self.rows}: 50 rows at least")
        frame, self._drawn_target, truth = self.drawn()
        return frame, Source("data=table", 1), truth

    def _targets(self, frame: pandas.DataFrame, source: Source, state: dict | None) -> list[str]:
        given = [self.target] if isinstance(self.target, str) else list(self.target or ())
        if state is not None and given and len(given) != len(state["targets"]):
            trained = listed(state["targets"])
            raise BadInput(f"data.target: the run predicts {trained}; name as many columns, in this order")
        if not given:
            given = state["targets"] if state else [self._drawn_target] if self.path is None else []
        if not given:
            raise BadInput(
                f"data.target: say which column of {source.name} to predict: {listed(list(frame.columns), 12)}"
            )
        if len({*given}) < len(given):
            raise BadInput(f"data.target=[{','.join(given)}]: one of them stands there twice: leave it out")
        for name in given:
            if name not in frame:
                raise no_such_column(name, list(frame.columns), f"data.target={name}", source)
        return given

    def _leave_out_total(self, frame: pandas.DataFrame, y: np.ndarray, source: Source) -> None:
        """A last row of sums is none to learn from; where its word alone says so, that is told."""
        if not self.path or (word := total_of(frame)) is None:
            return
        place = source.place(len(frame) - 1)
        if y.ndim == 2 and len(y) > 2 and sums_up(y):
            y[-1] = np.nan
            self.notes.append(f"left out, a row of sums: {place}, {word}")
        else:
            self.notes.append(f"{place} reads {word}: if it sums up the rows above, leave it out")

    def _features(
        self, frame: pandas.DataFrame, taken: list[str], source: Source, state: dict | None
    ) -> dict[str, str]:
        """Every feature and its kind."""
        if state is not None:
            for name in (column["name"] for column in state["columns"]):
                if name not in frame:
                    raise no_such_column(name, list(frame.columns), None, source)
            return {name: kind for name, kind in state["kinds"].items() if name in frame}
        if self.features == []:
            raise BadInput("data.features=[]: names no column to predict from: name some, or leave it out to take all")
        named = chosen(frame, self.features, "data.features", source) if self.features else list(frame.columns)
        left_out = {*taken, *chosen(frame, self.ignore or [], "data.ignore", source)}
        codes = set(chosen(frame, self.categories or [], "data.categories", source))
        names = [name for name in named if name not in left_out]
        kinds = {name: "category" if name in codes else kind_of(frame[name], source) for name in names}
        if nested := [name for name, kind in kinds.items() if kind == "nested"]:
            self.notes.append(f"left out, lists or records in its cells: {listed(nested)}")
        kinds = {name: kind for name, kind in kinds.items() if kind != "nested"}
        if not kinds:
            raise BadInput(f"{source.name}: no column is left to predict {listed(taken)} from")
        return kinds

    def _roles(
        self, splitting: Splitting | None, frame, y, ties, source: Source, state: dict | None
    ) -> tuple[np.ndarray, list]:
        """Of each row, "" for one that has none; notes. splitting: None of another table than the run's."""
        known, notes = self.known(y), []
        if not known.any():
            raise BadInput(f"{source.name}: the target is missing in all {len(frame):,} rows: take another column")
        if not known.all():
            lost = int((~known).sum())
            notes.append(f"left out, no target: {lost:,} row{'s' * (lost > 1)}")
        if state is None:
            roles, said = splitting.roles(frame, ties, source)
            return np.where(known, roles, ""), notes + said
        if splitting is not None and {*state["kinds"], *splitting.columns} <= {*frame.columns}:
            roles, said = splitting.roles(frame, ties, source)
            roles = np.where(known, roles, "")
            if fingerprint(ties, roles) == state["table"]:
                return roles, notes + said
        kept = {column["name"]: column["kind"] for column in state["columns"]}
        roles, said = roles_unseen(whole_rows(_ties(frame, kept, source), y), state["seen_rows"])
        return np.where(known, roles, ""), notes + said

    def _prepared(self, frame, every, names, y, train, source: Source, state: dict | None) -> Preparation:
        if state is not None:
            return Preparation([dict(column) for column in state["columns"]])
        same, notes = copies(frame, every, y[train], train, source)
        kinds = {name: kind for name, kind in every.items() if name not in same}
        named = set(chosen(frame, self.features or [], "data.features", source))
        made = Preparation.fit(frame, kinds, train, source, named)
        made.notes[:0] = notes
        if not made.columns:
            why = "; ".join(made.notes) or "there is no other column"
            raise BadInput(f"{source.name}: no feature is left to predict {listed(names)} from: {why}")
        return made

    def _refuse_empty(self, rows_of: dict[str, np.ndarray], source: Source, fresh: bool) -> None:
        for role in ROLES if fresh else ("test",):
            if not len(rows_of[role]):
                total = sum(map(len, rows_of.values()))
                why = "".join(f"{note}; " for note in self.notes[1:])
                raise BadInput(f"{source.name}: no row of {total:,} is left for {role}: {why}{self.more}")

    def _said(self, preparation: Preparation) -> str:
        kinds = [column["kind"] for column in preparation.columns]
        plural = {"number": "numbers", "boolean": "booleans", "date": "dates", "category": "categories"}
        each = [f"{kinds.count(kind)} {many if kinds.count(kind) > 1 else kind}" for kind, many in plural.items()]
        return f"features: {', '.join(one for one in each if not one.startswith('0'))}"

    def _about(self, frame: pandas.DataFrame, preparation: Preparation) -> list[list]:
        """columns.csv: what each column of the table was taken for."""
        kept = {column["name"]: column for column in preparation.columns}
        rows = [["column", "taken_as", "missing_in_training", "mean", "std", "categories"]]
        for name in frame.columns:
            column = kept.get(name, {})
            part = (column.get("parts") or [{}])[0]
            rows.append(
                [
                    name,
                    column.get("kind", "no feature"),
                    column.get("gaps", ""),
                    part.get("mean", ""),
                    part.get("std", ""),
                    len(column["words"]) if "words" in column else "",
                ]
            )
        return rows


def _ties(frame: pandas.DataFrame, kinds: dict[str, str], source: Source) -> np.ndarray:
    def cells() -> Iterator[tuple[str, np.ndarray]]:
        for name, kind in kinds.items():
            yield (
                name,
                word_ties(*words(frame[name])) if kind == "category" else numbers(frame[name], kind, source)[name],
            )

    return row_ties(cells(), len(frame))
