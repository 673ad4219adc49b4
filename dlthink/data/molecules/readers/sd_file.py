"""nmrshiftdb2's own SD layout: mol blocks followed by properties such as `Spectrum 13C 0`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dlthink.data.molecules.readers.molecule_file import NO_SPECTRUM, Entry
from dlthink.errors import BadInput
from dlthink.files.text_file import LONGEST

BLOCK_END = re.compile(r"^M  END[ \t]*$", re.MULTILINE)
HEADER = re.compile(r"^>[^<\n]*<([^\n]*)>[^>\n]*$", re.MULTILINE)
COMPUTED = ("program", "nmrmethod", "nmrprogram", "geommethod", "nmrbasisset")  # these name computed spectra
INDEX = re.compile(r"(?:^|\s)(\d+)\s*:")
V3000 = re.compile(r"^M  V30 COUNTS +(\d+)", re.MULTILINE)


def cut(lines: Iterable[str], name: str = "") -> Iterator[str]:
    """The records of an SD file, one by one; a last one without `$$$$` counts, trailing blank lines do not.

    Raises BadInput, naming the file `name`, for a record of more than 16 million characters.
    """
    record, size, number = [], 0, 1
    for line in lines:
        if line.startswith("$$$$") and not line[4:].strip(" \t"):
            yield "\n".join([*record, ""])
            record, size, number = [], 0, number + 1
            continue
        record.append(line)
        size += len(line) + 1
        if size > LONGEST:
            raise BadInput(f"{name}: record {number} has more than {LONGEST:,} characters: is its $$$$ missing?")
    if "".join(record).strip():
        yield "\n".join(record)


def block_and_properties(record: str) -> tuple[str, list[tuple[str, str]]]:
    """The mol block and the properties (name, value) of a record; a value ends at a blank line."""
    end = BLOCK_END.search(record)
    first = HEADER.search(record, end.end() if end else 0)
    rest = first.start() if first else len(record)
    block = record[: end.end() if end else rest] + "\n"
    heads = list(HEADER.finditer(record, rest))
    stops = [*(head.start() for head in heads), len(record)][1:]
    values = (record[head.end() : stop].lstrip("\n") for head, stop in zip(heads, stops, strict=False))
    return block, [
        (head[1].strip(), value.split("\n\n", 1)[0].strip()) for head, value in zip(heads, values, strict=True)
    ]


def atoms_of(block: str) -> int:
    """Atoms that the counts line announces, 0 where there is none: known before any expensive work."""
    if found := V3000.search(block):
        return int(found[1])
    lines = block.split("\n", 4)
    digits = lines[3][:3].strip() if len(lines) > 3 else ""
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def name_of(block: str, properties: list[tuple[str, str]], number: int) -> str:
    """nmrshiftdb2's ID, or else the title, or else the record's place in the file (from 1)."""
    for name, value in properties:
        if name.lower() == "nmrshiftdb2 id" and value:
            return value
    return block.split("\n", 1)[0].strip() or f"#{number}"


def entries(lines: Iterable[str], nucleus: str, name: str = "") -> Iterator[Entry]:
    """What each record says about `nucleus`, one entry per record; nothing is left out.

    `Spectrum 13C 0`: `ppm;intensity+multiplicity;atom|ppm;...|`, atoms counted from 0 in the block as written.
    Values of several spectra are collected. A spectrum whose number stands before a colon in `Program`,
    `NMRMethod`, `NMRProgram`, `GeomMethod` or `NMRBasisSet` was computed, not measured, and is skipped.
    """
    spectrum = re.compile(rf"spectrum\s*{nucleus}(?:\s*(\d+))?", re.IGNORECASE)
    for number, record in enumerate(cut(lines, name), start=1):
        block, properties = block_and_properties(record)
        entry = Entry(name_of(block, properties, number), block, is_block=True, atoms=atoms_of(block))
        computed = {
            int(index) for name, value in properties if _flat(name) in COMPUTED for index in INDEX.findall(value)
        }
        spectra = [(int(m[1] or 0), value) for name, value in properties if (m := spectrum.fullmatch(name))]
        measured = [value for index, value in spectra if index not in computed]
        entry.computed = len(spectra) - len(measured)
        if not spectra:
            entry.refused = NO_SPECTRUM.format(nucleus)
        elif not measured:
            entry.refused = f"only computed {nucleus} spectra"
        for value in measured:
            _peaks(value, entry)
        yield entry


def _flat(name: str) -> str:
    return re.sub(r"\s", "", name).lower()


def _peaks(value: str, entry: Entry) -> None:
    for peak in value.replace("\n", "").split("|"):
        if not peak.strip():
            continue
        parts = peak.split(";")
        try:
            label = float(parts[0]), int(parts[2])
        except (ValueError, IndexError):
            entry.cannot_read(peak.strip())
        else:
            entry.values.append(label)
