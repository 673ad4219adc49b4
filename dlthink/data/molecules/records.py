"""One molecule with its measured shifts, and the rules by which a file's records become such."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.data.molecules import sd_file, shift_lines
from dlthink.data.molecules.molecule_file import Entry, kind_of
from dlthink.data.molecules.parent import key
from dlthink.data.molecules.structures import chemistry, heavy, molecule_of_block, molecule_of_smiles
from dlthink.data.molecules.text_file import TextFile
from dlthink.errors import BadInput

if TYPE_CHECKING:
    from rdkit.Chem import Mol

POSSIBLE = {"13C": (-50.0, 300.0), "1H": (-20.0, 40.0)}  # ppm; beyond it is a slip of the pen
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "val"
)
UNKNOWN_SPLIT = "splits ignored, none of train, val and test"
EXAMPLES = 3  # of what cannot be read, in a message


@dataclass
class Record:
    """One molecule with its measured shifts, before any featurization."""

    id: str
    molecule: Mol  # sanitized, implicit hydrogens, no stereo; labels of explicit hydrogens are their neighbour's
    smiles: str  # not canonical: its atom order is the molecule's
    key: str  # of the parent (see `key`): duplicates, salts and charged forms share it
    shifts: dict[int, list[float]]  # atom index -> measured values, ppm; for 1H the atom that bears the hydrogens
    split: str | None  # "train", "val" or "test" as the file says


@dataclass
class Reading:
    """What came of a file: len(records) + all ids in skipped == total."""

    records: list[Record]
    skipped: dict[str, list[str]]  # reason -> ids
    total: int
    notes: list[str] = field(default_factory=list)  # one-line remarks for the user

    def skip(self, reason: str, name: str) -> None:
        self.skipped.setdefault(reason, []).append(name)


@dataclass
class Lost:
    """One kind of thing that was left out: how often, and what it looked like."""

    first: str  # the record in which it came first
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        self.count += 1
        if example and example not in self.examples and len(self.examples) < EXAMPLES:
            self.examples.append(example)

    def told(self, what: str) -> str:
        examples = f": {', '.join(self.examples)}" if self.examples else ""
        return f"{self.count} {what}{examples} (first in record {self.first})"


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
    reading = _gather(entries, nucleus, elements, largest, tautomers)
    if not reading.records:
        reasons = ", ".join(f"{len(ids)} {reason}" for reason, ids in reading.skipped.items())
        why = "".join(f"; {note}" for note in reading.notes)
        raise BadInput(f"data.path={path}: none of its {reading.total} records can be used: {reasons}{why}")
    if kind == "sd" and not file.ended:
        reading.notes.append("the last record does not end in $$$$: the file may be cut short")
    return reading


def _gather(
    entries: Iterable[Entry], nucleus: str, elements: list[str] | None, largest: int | None, tautomers: bool
) -> Reading:
    _, BlockLogs = chemistry()
    reading, seen = Reading([], {}, 0), Counter()
    strange: dict[str, Lost] = {}  # by what was left out
    with BlockLogs():
        for entry in entries:
            reading.total += 1
            seen[entry.id] += 1
            found, lost = record_of(entry, nucleus, elements, largest, tautomers)
            for what, example in lost:
                strange.setdefault(what, Lost(entry.id)).add(example)
            if isinstance(found, str):
                reading.skip(found, entry.id)
            else:
                reading.records.append(found)
    reading.notes = [lost.told(what) for what, lost in strange.items()]
    if twice := [name for name, times in seen.items() if times > 1]:
        reading.notes.append(f"{len(twice)} ids are given to several records, all kept (the first is {twice[0]})")
    return reading


def record_of(
    entry: Entry, nucleus: str, elements: list[str] | None, largest: int | None, tautomers: bool = False
) -> tuple[Record | str, list[tuple[str, str]]]:
    """The record, or why there is none; and what of it was left out: for each value a phrase and how it was written."""
    lost = [("computed spectra left out", "")] * entry.computed
    if entry.refused:
        return entry.refused, lost
    found = unlabelled(entry, elements, largest, tautomers)
    if isinstance(found, str):
        return found, lost
    record, written, place = found
    lost += [("shifts left out: no number can be read", text) for text in entry.unreadable]
    for ppm, atom in entry.values:
        if wrong := _wrong(ppm, atom, written, place, record.molecule, nucleus):
            lost.append((f"shifts left out: {wrong}", ""))
        else:
            record.shifts.setdefault(place[atom], []).append(ppm)
    record.shifts = dict(sorted(record.shifts.items()))
    if entry.split and entry.split.strip() and not record.split:
        lost.append((UNKNOWN_SPLIT, repr(entry.split[:20])))
    return (record if record.shifts else "no usable shift"), lost


def unlabelled(
    entry: Entry, elements: list[str] | None, largest: int | None, tautomers: bool = False
) -> tuple[Record, Mol, list[int]] | str:
    """(record without shifts, molecule as written, new index of each written atom), or why there is none."""
    if largest and entry.atoms > largest:
        return f"more than {largest} atoms"
    try:
        written = (molecule_of_block if entry.is_block else molecule_of_smiles)(entry.text)
        if largest and written.GetNumAtoms() > largest:  # a counts line may lie
            return f"more than {largest} atoms"
        if elements and any(atom.GetSymbol() not in elements for atom in written.GetAtoms()):
            return f"an element outside {' '.join(elements)}"
        molecule, smiles, place = in_smiles_order(written)
        same = key(molecule, tautomers)
    except (ValueError, RuntimeError):
        return "unreadable mol block" if entry.is_block else "unreadable SMILES"
    split = SPLITS.get(entry.split.strip().lower()) if entry.split else None
    return Record(entry.id, molecule, smiles, same, {}, split), written, place


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


def in_smiles_order(written: Mol) -> tuple[Mol, str, list[int]]:
    """(molecule, smiles, new index of every written atom): read back from the SMILES, so that the two agree."""
    Chem, _ = chemistry()
    bare, place = heavy(written)
    for atom in bare.GetAtoms():
        atom.SetAtomMapNum(0)
    smiles = Chem.MolToSmiles(bare, canonical=False)  # isotopes are kept: [H] for [2H] would be lost on reading
    order = list(map(int, bare.GetProp("_smilesAtomOutputOrder").strip("[],").split(",")))
    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or [a.GetAtomicNum() for a in molecule.GetAtoms()] != [
        bare.GetAtomWithIdx(old).GetAtomicNum() for old in order
    ]:
        raise ValueError("its SMILES does not read back")
    new = {old: position for position, old in enumerate(order)}
    return molecule, smiles, [new[old] for old in place]
