"""The structures in a user's file, one by one: SMILES in lines or in a table, SD records, JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.data.molecules.features.structures import chemistry, molecule_of_block, molecule_of_smiles
from dlthink.data.molecules.readers import sd_file, shift_lines
from dlthink.data.molecules.readers.columns import MARKS, columns
from dlthink.data.molecules.readers.refused_formats import CONVERTED, refuse_other
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile

if TYPE_CHECKING:
    from rdkit.Chem import Mol

TITLES = {"smiles", "smi", "canonical_smiles", "structure"}  # a word of the header of a .smi
NAMES = ("id", "name", "title")
NAMED = {*NAMES, "identifier", "molecule", "compound"}
STRUCTURES = {"structure", "structures", "struktur", "estructura", "struttura", "mol"}  # a column of SMILES, else
LINES = (".smi", ".smiles", ".ism", ".can", ".cxsmiles", ".txt")
TABLES = (".csv", ".tsv", ".tab")
BLOCKS = (".sdf", ".sd", ".mol", ".mdl")
OBJECTS = (".jsonl", ".json", ".ndjson")
ENDINGS = (*LINES, *TABLES, *BLOCKS, *OBJECTS)
LARGEST = 10_000  # atoms of a molecule
SMILES = re.compile(r'"?(?P<smiles>[^\s,;"]+)"?[,;]?(?:\s*\|[^|]*\|)?[\s,;]*(?P<name>.*)', re.DOTALL)


def read_structures(path: str | Path, watched: str = "", column: str | None = None) -> Iterator[tuple[str, Mol | str]]:
    """(name, molecule) of everything in a file, or (name, why it cannot be read): one never stops the others.

    .smi .smiles .ism .can .cxsmiles .txt  a SMILES and perhaps a name per line; blank lines, lines that start with #
           and a header are passed over; the extensions of a CXSMILES, between bars, are left out
    .csv .tsv .tab  a column with smiles in its name, perhaps one with id or name
    .sdf .sd .mol .mdl  mol blocks; the name is nmrshiftdb2's ID or the title
    .jsonl .json .ndjson  objects with smiles and perhaps id
    Any of them may be .gz. What has no name gets its number, from 1. Molecules as molecule_of_smiles makes them:
    `heavy` takes their explicit hydrogens away. A molecule of more than 10,000 atoms is not read.
    watched  what a bar says that shows how far it is; none without
    column   what the structures are called in a table, if it has such a column
    Raises BadInput, naming the file.
    """
    chemistry()
    endings = [ending.lower() for ending in Path(path).suffixes]
    ending = (endings[:-1] if endings[-1:] == [".gz"] else endings)[-1:]
    if not ending or ending[0] not in (*ENDINGS, *CONVERTED):
        raise BadInput(f"input={path}: which format is this? Name it one of {' '.join(ENDINGS)}, perhaps with .gz")
    file = TextFile(path, "input")
    refuse_other(file)
    lines = file.watched(watched) if watched else iter(file)
    if ending[0] in BLOCKS:
        return _molecules(file, _blocks(lines, file.name), sd_file.atoms_of, molecule_of_block)
    if ending[0] in TABLES:
        found = _table(lines, file.name, column=column)
    else:
        found = (_objects if ending[0] in OBJECTS else _lines)(lines, file.name)
    return _molecules(file, found, shift_lines.atoms_in, molecule_of_smiles)


def _molecules(file: TextFile, named: Iterable[tuple[str, str]], atoms, read) -> Iterator[tuple[str, Mol | str]]:
    number = 0
    for number, (name, structure) in enumerate(named, start=1):
        yield " ".join(name.splitlines()) or str(number), _or_reason(structure, atoms, read)
    if not number:
        raise BadInput(f"{file.name}: there is no molecule in this file")


class _Unread(str):
    """Why a record holds no structure, in place of one."""


def _or_reason(structure: str, atoms, read) -> Mol | str:
    if isinstance(structure, _Unread):
        return str(structure)
    if len(structure) > LARGEST and atoms(structure) > LARGEST:
        return f"more than {LARGEST:,} atoms"
    try:
        return read(structure)
    except ValueError as error:
        return str(error)


def _blocks(lines: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    for number, record in enumerate(sd_file.cut(lines, name), start=1):
        block, properties = sd_file.block_and_properties(record)
        yield sd_file.name_of(block, properties, number).removeprefix("#"), block


def _objects(lines: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    for entry in shift_lines.entries(lines, "13C"):
        no_object = entry.refused in (shift_lines.BROKEN, shift_lines.NO_SMILES)
        yield entry.id, _Unread(entry.refused) if no_object else entry.text


def _lines(lines: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    said = (line for line in map(str.strip, lines) if line and not line.startswith("#"))
    first = next(said, "")
    titles = [word.strip('",;').lower() for word in re.split(r"[\s,;]+", first)]
    if titles[0] not in TITLES and TITLES & {*titles}:  # a table whose structures do not stand first
        yield from _table(chain([first], said), name, MARKS + " ")
        return
    for line in said if titles[0] in TITLES else chain([first], said) if first else ():
        yield structure_and_name(line)


def structure_and_name(text: str) -> tuple[str, str]:
    """(name, SMILES) of `SMILES |extensions| name`; between tabs only the next cell is the name."""
    found = SMILES.match(text.strip())
    if not found:
        return "", ""
    return found["name"].split("\t")[0].strip().strip('"'), found["smiles"]


def _table(lines: Iterable[str], name: str, marks: str = MARKS, column: str | None = None) -> Iterator[tuple[str, str]]:
    head, _, rows = columns(lines, name, lambda head: structures_in(head, column) is not None, marks)
    place, named = structures_in(head, column), name_column(head)
    if place is None:
        raise BadInput(
            f"{name}: no column is called {column or 'smiles'} (there are {', '.join(head)[:80]}): name one so"
        )
    check_one(place, head, column, name)
    for row in rows:
        yield (row[named] if named is not None else ""), structure_and_name(row[place])[1]


def structures_in(head: list[str], column: str | None = None) -> int | None:
    """The place of the structures among the columns: `column`, or else smiles, or else something with smiles."""
    if column in head:
        return head.index(column)
    head = [title.lower() for title in head]
    if column and column.lower() in head:
        return head.index(column.lower())
    like = {title for title in head if "smiles" in title and not {*title} & {*MARKS, '"'}}  # else it is cut wrongly
    for wanted in ({"smiles"}, {"smi"}, like, STRUCTURES):
        for place, title in enumerate(head):
            if title in wanted:
                return place
    return None


def check_one(place: int, head: list[str], column: str | None, name: str) -> None:
    """Raises BadInput where several columns are called as that of the structures at `place`, in whatever case, unless
    `column` says which."""
    same = [title for title in head if title.lower() == head[place].lower()]
    if len(same) > 1 and (column not in head or head.count(column) > 1):
        raise BadInput(f"{name}: {len(same)} columns are called {head[place]}; rename all but that of the structures")


def name_column(head: list[str]) -> int | None:
    """That of the names: called id, name or title, or else with such a word."""
    head = [title.lower() for title in head]
    if exact := [head.index(title) for title in NAMES if title in head]:
        return exact[0]
    worded = (i for i, t in enumerate(head) if "smiles" not in t and NAMED & {*re.findall(r"[a-z]+", t)})
    return next(worded, None)
