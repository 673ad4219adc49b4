"""One molecule with measured properties, as the records of a file become such: rows of a table, SD records, JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.readers import sd_file, shift_lines
from dlthink.data.molecules.readers.columns import columns
from dlthink.data.molecules.readers.molecule_file import Entry, kind_of
from dlthink.data.molecules.readers.records import Lost, Reading, Record, gather, lost_split, structure_of, whole
from dlthink.data.molecules.readers.refused_formats import refuse_other
from dlthink.data.molecules.readers.structure_file import check_one, name_column, structure_and_name, structures_in
from dlthink.data.number_parsing import BOUND, UNIT, code_for_nothing, coded, parsed, why_lost
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile
from dlthink.files.text_table import MISSING

LARGEST = 10_000  # atoms of a molecule
MOST = 1e38  # a value: float32 ends there
SHOWN = 40  # characters of a cell, in a message
NOTHING = {word.lower() for word in MISSING}
BESIDE = {"relation": ("relation", "qualifier", "operator"), "unit": ("units", "unit")}  # columns that say of another
WORDS = re.compile(r"[\s_.-]+")


@dataclass(frozen=True)
class Wanted:
    """What is read of a file: the columns of the structures, of the targets, of a split and of groups; values that
    stand for nothing known."""

    targets: tuple[str, ...]
    smiles: str | None = None
    split: str | None = None
    group: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def named(self) -> dict[str, str]:
        """Setting -> column, of those that a user has named."""
        settings = {f"data.target={target}": target for target in self.targets}
        settings |= {f"data.split={self.split}": self.split} if self.split else {}
        return settings | ({f"data.group={self.group}": self.group} if self.group else {})


@dataclass
class PropertyRecord(Record):
    """One molecule with what was measured of it."""

    written: list[str] = field(default_factory=list)  # in the order of the targets; "" where nothing was
    values: list[float] = field(default_factory=list)  # the same as numbers; nan where nothing was
    group: str = ""
    decimal_comma: bool = False  # may 3,5 stand for a number?


def read(path: str | Path, wanted: Wanted, tautomers: bool = False) -> Reading:
    """Every molecule of a file that has one of the wanted targets at least, and why the others have none.

    A table between commas, semicolons, tabs or bars (a column of SMILES, by name `smiles` or a word with that in it, if
    nothing else is said), SD records with a property field each, or JSON objects with keys; plain or .gz, told by
    content. Names of columns are found in any case. A cell that is empty, or says na, nan, none, null or -, is missing.
    No value are a bound, >10 or 10 with > in a column `relation` beside it, and what has another unit than most have.
    Raises BadInput, naming the file, the column and what to do.
    """
    chemistry()
    file = TextFile(path)
    refuse_other(file)
    lines = file.watched("reading")
    kind = kind_of(file.head)
    seen: dict[str, None] = {}  # fields of records
    if kind == "sd":
        entries = _blocks(lines, file.name, wanted, seen)
    elif kind == "json":
        entries = _objects(lines, wanted, seen)
    else:
        entries = _rows(lines, file.name, wanted)
    reading = gather(entries, lambda entry: record_of(entry, wanted, tautomers))
    _measure(reading, wanted)
    for setting, column in wanted.named.items() if seen else ():
        if _found(column, list(seen)) is None:
            raise BadInput(f"{setting}: no record of {file.name} has such a field{hint(column, seen)}")
    whole(reading, file, kind == "sd")
    _refuse_without_values(reading, wanted, file.name)
    if wanted.split and not any(record.split for record in reading.records):
        raise BadInput(f"data.split={wanted.split}: in {file.name} no record says train, val or test there")
    return reading


def record_of(entry: Entry, wanted: Wanted, tautomers: bool) -> tuple[PropertyRecord | str, list[tuple[str, str]]]:
    """The record, its values as they are written, or why there is none; and what of it was left out, as `gather` wants
    it."""
    if entry.refused:
        return entry.refused, []
    written = [entry.fields.get(target, "") for target in wanted.targets]
    written = ["" if text.strip().lower() in NOTHING else text for text in written]
    if not any(written):
        return f"no value of {' or '.join(wanted.targets)}", []
    found = structure_of(entry, None, LARGEST, tautomers)
    if isinstance(found, str):
        return found, []
    record = PropertyRecord(**vars(found[0]), written=written, group=entry.fields.get(wanted.group or "", ""))
    record.decimal_comma = entry.decimal_comma
    return record, lost_split(entry, record)


def _measure(reading: Reading, wanted: Wanted) -> None:
    """What is written, as numbers: a target's are read together, since they have one unit and one mark of decimals.
    Records without any are skipped."""
    lost: dict[str, Lost] = {}
    for place, target in enumerate(wanted.targets):
        told = [record for record in reading.records if record.written[place]]
        texts = [record.written[place] for record in told]
        comma = any(record.decimal_comma and "," in text for record, text in zip(told, texts, strict=True))
        values, unit = parsed(texts, "," if comma else ".")
        empty = coded(texts, values.tolist(), wanted.missing)
        if any(empty):
            reading.notes.append(f"taken as missing, {', '.join(wanted.missing)}: {target} ({sum(empty):,})")
        told = [record for record, nothing in zip(told, empty, strict=True) if not nothing]
        texts, values = [text for text, no in zip(texts, empty, strict=True) if not no], values[~np.array(empty, bool)]
        for record in reading.records:
            record.values.append(math.nan)
        for record, text, value in zip(told, texts, values.tolist(), strict=True):
            if abs(value) <= MOST:
                record.values[place] = value
                continue
            why, example = "infinite or too large", ""
            if math.isnan(value):
                why, example = why_lost(text, unit), repr(text[:SHOWN])
            lost.setdefault(f"values of {target} left out: {why}", Lost(record.id)).add(example)
        if (code := code_for_nothing(values)) is not None:
            said = (
                f"values of {target} that are {code}, unlike all others: if they stand for none, data.missing=[{code}]"
            )
            reading.notes.append(said)
        if unit:
            reading.notes.append(f"values of {target} are in {unit}")
    reading.notes[:0] = [one.told(what) for what, one in lost.items()]
    for record in reading.records:
        if all(map(math.isnan, record.values)):
            reading.skip(f"no value of {' or '.join(wanted.targets)}", record.id)
    reading.records = [record for record in reading.records if not all(map(math.isnan, record.values))]


def _refuse_without_values(reading: Reading, wanted: Wanted, name: str) -> None:
    for place, target in enumerate(wanted.targets):
        if all(math.isnan(record.values[place]) for record in reading.records):
            why = "".join(f"; {note}" for note in reading.notes if f"values of {target} " in note)
            raise BadInput(f"data.target={target}: {name} has no value of it in {len(reading.records)} molecules{why}")


# ------------------------------------------------------------------------------------------------- what files look like


def _rows(lines: Iterable[str], name: str, wanted: Wanted) -> Iterator[Entry]:
    def fits(head: list[str]) -> bool:
        return all(_found(column, head) is not None for column in wanted.named.values())

    head, mark, rows = columns(lines, name, lambda head: fits(head) and _structures(head, wanted) is not None)
    place = _structures(head, wanted)
    if not wanted.targets:
        raise _ask_for_targets(name, [title for at, title in enumerate(head) if at != place])
    if place is None:
        if wanted.smiles:
            raise BadInput(f"data.smiles={wanted.smiles}: {name} has no such column{hint(wanted.smiles, head)}")
        raise BadInput(f"{name}: say which column holds the molecules as SMILES, data.smiles=COLUMN{hint('', head)}")
    check_one(place, head, wanted.smiles, name)
    settings = {setting: _place(setting, column, head, name) for setting, column in wanted.named.items()}
    places = dict(zip(wanted.named.values(), settings.values(), strict=True))
    for setting, column in settings.items():
        if column == place:
            raise BadInput(f"{setting}: is the column of the structures; name a measured one{hint('', head)}")
    beside = {target: _beside(target, tuple(head)) for target in wanted.targets}
    named = name_column(head)
    for number, row in enumerate(rows, start=1):
        cells = dict(zip(head, row, strict=False))
        fields = {column: row[at] for column, at in places.items()}
        fields |= {target: _amount(fields[target], cells, beside[target]) for target in wanted.targets}
        said = row[named] if named not in (None, place, *places.values()) else ""
        smiles = structure_and_name(row[place])[1]
        entry = Entry(said or f"row {number}", smiles, atoms=shift_lines.atoms_in(smiles), fields=fields)
        entry.decimal_comma, entry.split = mark != ",", fields.get(wanted.split or "")
        yield entry


def _blocks(lines: Iterable[str], name: str, wanted: Wanted, seen: dict[str, None]) -> Iterator[Entry]:
    for number, record in enumerate(sd_file.cut(lines, name), start=1):
        block, properties = sd_file.block_and_properties(record)
        entry = Entry(sd_file.name_of(block, properties, number), block, is_block=True, atoms=sd_file.atoms_of(block))
        yield _with_fields(entry, dict(properties), wanted, seen)


def _objects(lines: Iterable[str], wanted: Wanted, seen: dict[str, None]) -> Iterator[Entry]:
    for number, found in shift_lines.objects(lines):
        if not isinstance(found, dict):
            yield Entry(f"line {number}", refused=shift_lines.BROKEN)
            continue
        fields = {str(key): "" if value is None else str(value) for key, value in found.items()}
        place = _structures(list(fields), wanted)
        if place is None:
            yield Entry(f"line {number}", refused=shift_lines.NO_SMILES)
            continue
        smiles = list(fields.values())[place].strip()
        entry = Entry(fields.get("id") or f"line {number}", smiles, atoms=shift_lines.atoms_in(smiles))
        yield _with_fields(entry, fields, wanted, seen)


def _with_fields(entry: Entry, fields: dict[str, str], wanted: Wanted, seen: dict[str, None]) -> Entry:
    """The entry with what its record says of the wanted columns; all that it says is `seen`."""
    seen |= dict.fromkeys(fields)
    if not wanted.targets:
        raise _ask_for_targets("the file", list(fields))
    for column in wanted.named.values():
        if (at := _found(column, fields)) is not None:
            entry.fields[column] = fields[at]
    for target in wanted.targets:
        if target in entry.fields:
            entry.fields[target] = _amount(entry.fields[target], fields, _beside(target, tuple(fields)))
    entry.split = entry.fields.get(wanted.split or "")
    return entry


@lru_cache(maxsize=256)
def _beside(target: str, names: tuple[str, ...]) -> dict[str, str]:
    """The columns that say how a target's number is to be taken, its relation (>) and its unit, by what they say: of
    `Standard Value` they are `Standard Relation` and `Standard Units`, of any target `relation`."""
    found = {}
    for name in names:
        *stem, last = WORDS.split(name.strip().lower())
        for what, words in BESIDE.items():
            if last in words and stem == WORDS.split(target.strip().lower())[: len(stem)] and name != target:
                found[what] = name
    return found


def _amount(text: str, fields: dict[str, str], beside: dict[str, str]) -> str:
    """A number as one would write it, with the relation and the unit that stand beside it."""
    said = {what: fields.get(name, "").strip("'\" ") for what, name in beside.items()}
    if text[-1:].isdigit() and re.fullmatch(UNIT, said.get("unit", "")):
        text = f"{text} {said['unit']}"
    bound = BOUND.match(said.get("relation", ""))
    return f"{bound[0]}{text}" if bound and text else text


def _ask_for_targets(name: str, columns: list[str]) -> BadInput:
    return BadInput(f"data.target: say which column of {name} is to be predicted{hint('', columns)}")


def _structures(names: list[str], wanted: Wanted) -> int | None:
    """The place of the structures: of the column that is named, or else of one that is called so."""
    if wanted.smiles is None:
        return structures_in(names)
    found = _found(wanted.smiles, names)
    return None if found is None else names.index(found)


def _found(column: str, names: Iterable[str]) -> str | None:
    """The name that is meant: as it is written, or else the first that is the same in another case."""
    names = list(names)
    if column in names:
        return column
    return next((name for name in names if name.strip().lower() == column.strip().lower()), None)


def _place(setting: str, column: str, head: list[str], name: str) -> int:
    found = _found(column, head)
    if found is None:
        raise BadInput(f"{setting}: {name} has no such column{hint(column, head)}")
    if head.count(found) > 1:
        raise BadInput(f"{setting}: {name} has {head.count(found)} columns of this name; rename all but one")
    return head.index(found)
