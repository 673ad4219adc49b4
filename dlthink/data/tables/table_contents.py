"""What is in a table, for `dlthink show`: every column, as it would be read, and the words that train on it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.identifiers import YEAR, names_rows, repeats
from dlthink.data.tables.oddities import oddities
from dlthink.data.tables.preparation import Preparation
from dlthink.data.tables.readers.columns import kind_of, listed, numbers
from dlthink.data.tables.readers.read_table import Source, read_table
from dlthink.data.tables.targets import LARGEST
from dlthink.errors import BadInput

if TYPE_CHECKING:
    import pandas

MANY = 40  # columns shown
SHOWN = 40  # letters of a word


def lines(path: str) -> list[str]:
    """A line for the file, one for each column, and how to go on. Raises BadInput for what is no table."""
    frame, source = read_table(path, "FILE")
    names = [str(name) for name in frame.columns]
    kinds = {name: kind_of(frame[name], source) for name in names}
    wide = max(map(len, names[:MANY]))
    told = [f"  {name:<{wide}}  {kinds[name]:<8}  {_held(frame[name], kinds[name], source)}" for name in names[:MANY]]
    more = [f"  and {len(names) - MANY} more"] if len(names) > MANY else []
    notes = [f"note: {note}" for note in _notes(frame, kinds, source)]
    head = f"{path}: {len(frame):,} row{'s' * (len(frame) > 1)}, {len(names)} columns"
    return [head, *told, *more, *notes, *_next(path, frame, kinds, source)]


def _notes(frame: pandas.DataFrame, kinds: dict[str, str], source: Source) -> list[str]:
    """What can be said of the file and of these columns before one is the target and rows are split."""
    readable, refused = {}, []
    for name, kind in kinds.items():
        try:
            if kind not in ("category", "nested"):
                numbers(frame[name], kind, source)
        except BadInput as error:
            refused.append(str(error))
        else:
            readable |= {name: kind} if kind != "nested" else {}
    prepared = Preparation.fit(frame, readable, None, source)
    return [*refused, *source.notes, *oddities(frame, readable, [], source), *prepared.notes]


def _held(column: pandas.Series, kind: str, source: Source) -> str:
    """The range of numbers, the most frequent words, and how many are missing."""
    if kind == "number":
        try:
            values = numbers(column, kind, source)[str(column.name)]
        except BadInput:  # a note says why
            return "cannot be read"
        known = values[np.isfinite(values)]
        text = f"{known.min():.6g} to {known.max():.6g}" if len(known) else "none is known"
        gaps = len(values) - len(known)
    elif kind == "nested":
        return "lists or records, which cannot be used"
    else:
        found = column.value_counts()
        gaps = len(column) - int(found.sum())
        words = [shorten(str(word), SHOWN, placeholder="...") for word in found.index[:3]]
        text = f"{len(found):,} different: {listed([*words, *found.index[3:]], 3)}"
    return f"{text}; {gaps:,} missing" if gaps else text


def _next(path: str, frame: pandas.DataFrame, kinds: dict[str, str], source: Source) -> Iterator[str]:
    """The command that predicts the last column of numbers, as an example; what else columns could be asked."""
    begin = f"dlthink train data=table data.path={shlex.quote(path)} data.target="
    differ = [name for name, kind in kinds.items() if kind != "nested" and frame[name].nunique() > 1]
    by_number = [name for name in differ if kinds[name] == "number" and not names_rows(frame[name])]
    words = [name for name in differ if kinds[name] == "category" and frame[name].duplicated().any()]
    if by_number:
        last = by_number[-1]
        yield f"train on it, to predict {last}: {begin}{_typed(last)}"
        if whole := [name for name in by_number if _may_count(frame[name], source)]:
            counts = f"{begin}{_typed(whole[-1])} data.kind=counts"
            yield f"where {whole[-1]} counts something: {counts}" + f"; so with {listed(whole[:-1])}" * (len(whole) > 1)
    if words:
        yield f"who is like whom, by {words[-1]}: {begin}{_typed(words[-1])} data.kind=identities"
    for name, different in ((name, repeats(frame[name])) for name, kind in kinds.items() if kind != "nested"):
        if different:
            yield (
                f"{name}: {different:,} different, each in several rows; where those of one belong together, "
                f"data.group={_typed(name)} tests on others than it trains on"
            )
    structures = [name for name in kinds if "smiles" in name.lower()]
    if structures:
        yield f"{structures[0]} holds molecules: data=molecule_table in place of data=table reads them as such"
    yield "what else can be set, which costs fit: dlthink train data=table --help"


def _may_count(column: pandas.Series, source: Source) -> bool:
    """Are all that are known whole numbers from 0, and not years?"""
    try:
        values = numbers(column, "number", source)[str(column.name)]
    except BadInput:
        return False
    known = values[~np.isnan(values)]
    if not len(known) or known.min() < 0 or not 1 < known.max() <= LARGEST:  # 0 and 1 are yes and no
        return False
    return bool((known == known.round()).all()) and not YEAR.search(str(column.name))


def _typed(name: str) -> str:
    """A name as it is typed: one with a comma or brackets in quotes of its own, which the shell leaves alone."""
    return shlex.quote(f"'{name}'" if {*name} & {*",[]{}"} or name[:1] == "~" else name)
