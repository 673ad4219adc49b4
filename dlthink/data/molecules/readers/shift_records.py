"""One molecule with its measured shifts, as the records of a file become such."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.readers import sd_file, shift_lines
from dlthink.data.molecules.readers.molecule_file import NO_SPECTRUM, Entry, kind_of
from dlthink.data.molecules.readers.records import Reading, Record, gather, lost_split, structure_of, whole
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile

if TYPE_CHECKING:
    from rdkit.Chem import Mol

POSSIBLE = {"13C": (-50.0, 300.0), "1H": (-20.0, 40.0)}  # ppm; beyond it is a slip of the pen


@dataclass
class ShiftRecord(Record):
    """One molecule with its measured shifts; labels of explicit hydrogens are their neighbour's."""

    shifts: dict[int, list[float]] = field(default_factory=dict)
    """Atom index -> measured values, ppm; for 1H the atom that bears the hydrogens."""


def read(
    path: str | Path, nucleus: str, elements: list[str] | None, largest: int | None, tautomers: bool = False
) -> Reading:
    """Every record of a file that has measured shifts of `nucleus` ("13C" or "1H"), and why the others have not.

    path      SD file or JSON, plain or .gz; told by content
    elements  symbols a molecule may hold; None: any
    largest   heavy and explicit atoms that a molecule may have, as written in the file; None: any number
    tautomers whether tautomers share a key
    Raises BadInput, naming the file.
    """
    if nucleus not in POSSIBLE:
        raise BadInput(f"data.nucleus={nucleus}: give one of {', '.join(POSSIBLE)}")
    chemistry()
    file = TextFile(path)
    kind = kind_of(file.head)
    if kind is None:
        first = file.head.lstrip().split("\n", 1)[0]
        raise BadInput(
            f"data.path={path}: is neither an SD file nor JSON lines (it starts with {first[:60]!r}): give one of these"
        )
    lines = file.watched("reading")
    entries = sd_file.entries(lines, nucleus, file.name) if kind == "sd" else shift_lines.entries(lines, nucleus)
    reading = gather(entries, lambda entry: record_of(entry, nucleus, elements, largest, tautomers))
    place = f"fields called Spectrum {nucleus} 0" if kind == "sd" else f'"{shift_lines.KEYS[nucleus][0]}"'
    expected = f"shifts are read from {place}" if NO_SPECTRUM.format(nucleus) in reading.skipped else ""
    return whole(reading, file, kind == "sd", expected)


def record_of(
    entry: Entry, nucleus: str, elements: list[str] | None, largest: int | None, tautomers: bool = False
) -> tuple[ShiftRecord | str, list[tuple[str, str]]]:
    """The record, or why there is none, and what of it was left out, as `gather` wants it."""
    lost = [("computed spectra left out", "")] * entry.computed
    if entry.refused:
        return entry.refused, lost
    found = structure_of(entry, elements, largest, tautomers)
    if isinstance(found, str):
        return found, lost
    record, written, place = found
    record = ShiftRecord(**vars(record))
    lost += [("shifts left out: no number can be read", text) for text in entry.unreadable]
    for ppm, atom in entry.values:
        if wrong := _wrong(ppm, atom, written, place, record.molecule, nucleus):
            lost.append((f"shifts left out: {wrong}", ""))
        else:
            record.shifts.setdefault(place[atom], []).append(ppm)
    record.shifts = dict(sorted(record.shifts.items()))
    lost += lost_split(entry, record)
    return (record if record.shifts else "no usable shift"), lost


def _wrong(ppm: float, atom: int, written: Mol, place: list[int], molecule: Mol, nucleus: str) -> str | None:
    low, high = POSSIBLE[nucleus]
    if not 0 <= atom < len(place):
        return "atom index outside the molecule"
    if not low <= ppm <= high:  # NaN, too
        return f"NaN or beyond {low:g} to {high:g} ppm"
    if nucleus == "13C":
        return None if written.GetAtomWithIdx(atom).GetAtomicNum() == 6 else "13C on an atom that is no carbon"
    if written.GetAtomWithIdx(atom).GetIsotope() and written.GetAtomWithIdx(atom).GetAtomicNum() == 1:
        return "1H on deuterium or tritium"
    bearer = molecule.GetAtomWithIdx(place[atom])
    return None if bearer.GetTotalNumHs() or bearer.GetAtomicNum() == 1 else "1H on an atom without hydrogens"
