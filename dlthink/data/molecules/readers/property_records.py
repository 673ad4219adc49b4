"""One molecule with measured properties, as the records of a file become such: rows of a table, SD records, JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.readers import sd_file, shift_lines
from dlthink.data.molecules.readers.amounts import Amounts
from dlthink.data.molecules.readers.columns import columns
from dlthink.data.molecules.readers.molecule_file import Entry, kind_of
from dlthink.data.molecules.readers.other_formats import refuse_other
from dlthink.data.molecules.readers.records import Reading, Record, gather, lost_split, structure_of, whole
from dlthink.data.molecules.readers.structure_file import name_column, structure_and_name, structures_in
from dlthink.did_you_mean import hint
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile

LARGEST = 10_000  # atoms of a molecule
MOST = 1e38  # a value: float32 ends there
SHOWN = 40  # characters of a cell, in a message


@dataclass(frozen=True)
class Wanted:
    """What is read of a file: the columns of the structures, of the targets, of a split and of groups."""

    targets: tuple[str, ...]
    smiles: str | None = None
    split: str | None = None
    group: str | None = None

    @property
    def named(self) -> dict[str, str]:
        """Setting -> column, of those that a user has named."""
        settings = {f"data.target={target}": target for target in self.targets}
        settings |= {f"data.split={self.split}": self.split} if self.split else {}
        return settings | ({f"data.group={self.group}": self.group} if self.group else {})


@dataclass
class PropertyRecord(Record):
    """One molecule with what was measured of it."""

    values: list[float] = field(default_factory=list)  # in the order of the targets; nan where nothing was
    group: str = ""


def read(path: str | Path, wanted: Wanted, tautomers: bool = False) -> Reading:
    """Every molecule of a file that has one of the wanted targets at least, and why the others have none.

    A table between commas, semicolons, tabs or bars (a column of SMILES, by name `smiles` or a word with that in it, if
    nothing else is said), SD records with a property field each, or JSON objects with keys; plain or .gz, told by
    content. Names of columns are found in any case. A cell that is empty, or says na, nan, none, null or -, is missing.
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
    amounts = Amounts()
    reading = gather(entries, lambda entry: record_of(entry, wanted, tautomers, amounts))
    reading.notes += [f"values of {target} are in {unit}" for target, unit in amounts.units.items() if unit]
    for setting, column in wanted.named.items() if seen else ():
        if _found(column, list(seen)) is None:
            raise BadInput(f"{setting}: no record of {file.name} has such a field{hint(column, seen)}")
    whole(reading, file, kind == "sd")
    _refuse_without_values(reading, wanted, file.name)
    if wanted.split and not any(record.split for record in reading.records):
        raise BadInput(f"data.split={wanted.split}: in {file.name} no record says train, val or test there")
    return reading


def record_of(
    entry: Entry, wanted: Wanted, tautomers: bool, amounts: Amounts
) -> tuple[PropertyRecord | str, list[tuple[str, str]]]:
    """The record, or why there is none, and what of it was left out, as `gather` wants it."""
    if entry.refused:
        return entry.refused, []
    values, lost = [], []
    for target in wanted.targets:
        text = entry.fields.get(target, "")
        value = amounts.read(target, text, entry.decimal_comma)
        if isinstance(value, str):
            lost.append((f"values of {target} left out: {value}", repr(text[:SHOWN])))
        elif abs(value) > MOST:
            lost.append((f"values of {target} left out: infinite or too large", ""))
            value = math.nan
        values.append(math.nan if isinstance(value, str) else value)
    if all(map(math.isnan, values)):
        return f"no value of {' or '.join(wanted.targets)}", lost
    found = structure_of(entry, None, LARGEST, tautomers)
    if isinstance(found, str):
        return found, lost
    record = PropertyRecord(**vars(found[0]), values=values, group=entry.fields.get(wanted.group or "", ""))
    return record, lost + lost_split(entry, record)


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
    settings = {setting: _place(setting, column, head, name) for setting, column in wanted.named.items()}
    places = dict(zip(wanted.named.values(), settings.values(), strict=True))
    for setting, column in settings.items():
        if column == place:
            raise BadInput(f"{setting}: is the column of the structures; name a measured one{hint('', head)}")
    named = name_column(head)
    for number, row in enumerate(rows, start=1):
        fields = {column: row[at] for column, at in places.items()}
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
    entry.split = entry.fields.get(wanted.split or "")
    return entry


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
