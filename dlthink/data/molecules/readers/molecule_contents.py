"""What is in a file of molecules, SD or JSON, for `dlthink show`: its fields, and the words that train on them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dlthink.data.molecules.readers import sd_file, shift_lines
from dlthink.data.molecules.readers.molecule_file import kind_of
from dlthink.data.molecules.readers.property_records import NOTHING
from dlthink.data.number_parsing import parsed
from dlthink.errors import BadInput, OtherFormat
from dlthink.files.text_file import TextFile

MANY = 40  # fields shown
MOST = 1000  # fields kept in mind
AT_ONCE = 4096  # values read as numbers together
SHOWN = 40  # letters of a value
SPECTRUM = re.compile(r"spectrum\s*(13C|1H)(?:\s*\d+)?", re.IGNORECASE)


@dataclass
class Field:
    """What the records say in one field."""

    filled: int = 0
    examples: list[str] = field(default_factory=list)  # the first that differ
    numbers: int = 0
    low: float = float("inf")
    high: float = float("-inf")
    waiting: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        if text.strip().lower() in NOTHING:
            return
        self.filled += 1
        if len(self.examples) < 3 and text not in self.examples:
            self.examples.append(text)
        self.waiting.append(text)
        if len(self.waiting) >= AT_ONCE:
            self.count()

    def count(self) -> None:
        """How many of those that wait are numbers, and in which range."""
        if not self.waiting:
            return
        values, _ = parsed(self.waiting, ".")
        values = values[values == values]
        if len(values):
            self.numbers += len(values)
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.waiting = []

    @property
    def measured(self) -> bool:
        """Are these numbers that differ? All but a few in a hundred, which may be bounds and words."""
        return self.numbers > 0.9 * self.filled and self.low < self.high

    def told(self, records: int) -> str:
        if self.numbers > 0.9 * self.filled and self.numbers:
            text = f"number    {self.low:.6g} to {self.high:.6g}"
        else:
            words = ", ".join(_short(" ".join(one.split())) for one in self.examples)
            text = f"text      {words}" if self.filled else "empty"
        missing = records - self.filled
        return f"{text}; {missing:,} missing" if missing and self.filled else text


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def lines(path: str) -> list[str]:
    """A line for the file, one for each field, and how to go on. Raises OtherFormat for what is neither SD nor JSON."""
    try:
        file = TextFile(path, "FILE")
    except BadInput as error:  # what is no text may be a recording
        raise OtherFormat(str(error)) from error
    kind = kind_of(file.head)
    if kind is None:
        raise OtherFormat(f"{file.name}: holds neither SD records nor JSON objects")
    found: dict[str, Field] = {}
    records = 0
    for said in _records(file, kind):
        records += 1
        for name, text in said:
            if name in found or len(found) < MOST:
                found.setdefault(name, Field()).add(text)
    if not records:
        raise BadInput(f"{file.name}: has no record that can be read")
    for one in found.values():
        one.count()
    spectra = _spectra(found)
    wide = max((len(name) for name in list(found)[:MANY]), default=0)
    told = [f"  {name:<{wide}}  {_told(name, one, records)}" for name, one in list(found.items())[:MANY]]
    more = [f"  and {len(found) - MANY:,} more"] if len(found) > MANY else []
    head = f"{path}: {records:,} {kind.upper()} record{'s' * (records > 1)}, {len(found):,} fields"
    return [head, *told, *more, *_next(path, found, spectra)]


def _records(file: TextFile, kind: str) -> Iterator[Iterable[tuple[str, str]]]:
    """(name, text) of each field of each record."""
    if kind == "sd":
        for record in sd_file.cut(file.watched("reading"), file.name):
            yield sd_file.block_and_properties(record)[1]
        return
    for _, found in shift_lines.objects(file.watched("reading")):
        if isinstance(found, dict):
            yield [(str(name), "" if value in (None, {}, []) else str(value)) for name, value in found.items()]


def _nucleus(name: str) -> str | None:
    """Of which nucleus a field holds shifts."""
    if spectrum := SPECTRUM.fullmatch(name):
        return spectrum[1].upper()
    return next((nucleus for nucleus, keys in shift_lines.KEYS.items() if name.lower() in keys), None)


def _told(name: str, found: Field, records: int) -> str:
    if nucleus := _nucleus(name):
        return f"spectrum  {nucleus} shifts of {found.filled:,} record{'s' * (found.filled != 1)}"
    return found.told(records)


def _spectra(found: dict[str, Field]) -> list[str]:
    """Nuclei of which there are shifts, the most frequent first."""
    many: dict[str, int] = {}
    for name, one in found.items():
        if (nucleus := _nucleus(name)) and one.filled:
            many[nucleus] = many.get(nucleus, 0) + one.filled
    return sorted(many, key=lambda nucleus: -many[nucleus])


def _next(path: str, found: dict[str, Field], spectra: list[str]) -> Iterator[str]:
    """The commands that train on its shifts and on its last field of numbers."""
    place = shlex.quote(path)
    for nucleus in spectra:
        yield f"shifts of {nucleus}: dlthink train data=nmrshiftdb2 data.path={place} data.nucleus={nucleus}"
    measured = [name for name, one in found.items() if one.measured and not _nucleus(name) and not _numbered(name)]
    if measured:
        name = f"'{measured[-1]}'" if {*measured[-1]} & {*",[]{} "} else measured[-1]
        yield (
            f"train on it, to predict {measured[-1]}: dlthink train data=molecule_table data.path={place} "
            f"data.target={shlex.quote(name)}"
        )
    if not measured and not spectra:
        yield "no field holds numbers to predict, and none shifts; dlthink predict reads its structures"
    choice = "molecule_table" if measured else "nmrshiftdb2"
    yield f"what else can be set, which costs fit: dlthink train data={choice} --help"


def _numbered(name: str) -> bool:
    """Does a field only count or name records?"""
    return bool(re.search(r"(?:^|[\s_])(?:id|no|nr|number|index|cid|cas|split\w*|fold)\b", name, re.IGNORECASE))
