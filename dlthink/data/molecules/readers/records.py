"""One molecule of a file, and the rules by which the records of a file become such."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlthink.data.molecules.features.parent import key
from dlthink.data.molecules.features.structures import chemistry, heavy, molecule_of_block, molecule_of_smiles
from dlthink.data.molecules.readers.molecule_file import Entry
from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile

if TYPE_CHECKING:
    from rdkit.Chem import Mol

SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"} | dict.fromkeys(
    ("val", "valid", "validation", "dev"), "val"
)
UNKNOWN_SPLIT = "splits ignored, none of train, val and test"
EXAMPLES = 3  # of what cannot be read, in a message


@dataclass
class Record:
    """One molecule, before any featurization; what was measured of it stands in subclasses."""

    id: str
    molecule: Mol  # sanitized, implicit hydrogens, no stereo
    smiles: str  # not canonical: its atom order is the molecule's
    key: str  # of the parent (see `key`): duplicates, salts and charged forms share it
    split: str | None  # "train", "val" or "test" as the file says


@dataclass
class Reading:
    """What came of a file: len(records) + all ids in skipped == total."""

    records: list[Any]  # of a subclass of Record
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


def gather(
    entries: Iterable[Entry], record_of: Callable[[Entry], tuple[Record | str, list[tuple[str, str]]]]
) -> Reading:
    """What `record_of` makes of every entry: a record, or why there is none; and what of it was left out, for each
    value a phrase and how it was written.
    """
    _, BlockLogs = chemistry()
    reading, seen = Reading([], {}, 0), Counter()
    strange: dict[str, Lost] = {}  # by what was left out
    with BlockLogs():
        for entry in entries:
            reading.total += 1
            seen[entry.id] += 1
            found, lost = record_of(entry)
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


def whole(reading: Reading, file: TextFile, blocks: bool, expected: str = "") -> Reading:
    """The reading; BadInput with all reasons, and what was `expected`, where nothing is left of it; a note where
    `blocks` have no end.
    """
    if not reading.records:
        reasons = ", ".join(f"{len(ids)} {reason}" for reason, ids in reading.skipped.items())
        why = "".join(f"; {note}" for note in (*reading.notes, *([expected] if expected else [])))
        raise BadInput(f"{file.name}: none of its {reading.total} records can be used: {reasons}{why}")
    if blocks and not file.ended:
        reading.notes.append("the last record does not end in $$$$: the file may be cut short")
    return reading


def structure_of(
    entry: Entry, elements: list[str] | None, largest: int | None, tautomers: bool = False
) -> tuple[Record, Mol, list[int]] | str:
    """(record, molecule as written, new index of each written atom), or why there is none."""
    if largest and entry.atoms > largest:
        return f"more than {largest} atoms"
    if entry.text.startswith("InChI="):
        return "an InChI in place of a SMILES (rdkit's Chem.MolFromInchi and Chem.MolToSmiles make one)"
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
    return Record(entry.id, molecule, smiles, same, split), written, place


def lost_split(entry: Entry, record: Record) -> list[tuple[str, str]]:
    """What is said of a word for a split that nobody knows."""
    unknown = entry.split and entry.split.strip() and not record.split
    return [(UNKNOWN_SPLIT, repr(entry.split[:20]))] if unknown else []


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
