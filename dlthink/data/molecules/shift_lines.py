"""Molecules and shifts as JSON lines: one object a line with id, smiles, c13, h1 and perhaps split."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dlthink.data.molecules.molecule_file import Entry

KEYS = {"13C": "c13", "1H": "h1"}
BROKEN = "broken JSON line"
ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")


def entries(text: str, nucleus: str) -> Iterator[Entry]:
    """What each line says about `nucleus`, one entry per line that is not blank; nothing is left out.

    {"id": "2194", "smiles": "CCCC", "c13": {"0": [12.9], ...}, "h1": {...}, "split": "train"}: atoms are counted
    from 0 in the SMILES as written, explicit [H] included; for 1H the heavy atom bears the hydrogens.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _entry(line, number, nucleus)


def atoms_in(smiles: str) -> int:
    """Atoms that a SMILES writes, explicit hydrogens among them; counted in the text, no molecule is made."""
    return sum(1 for _ in ATOM.finditer(smiles))


def _entry(line: str, number: int, nucleus: str) -> Entry:
    place = f"line {number}"
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return Entry(place, refused=BROKEN)
    if not isinstance(found, dict) or not isinstance(found.get("smiles"), str):
        return Entry(place, refused=BROKEN)
    name, split = found.get("id"), found.get("split")
    entry = Entry(str(name) if isinstance(name, str | int) and name != "" else place, found["smiles"].strip())
    entry.split = split if split is None else str(split)
    entry.atoms = atoms_in(entry.text)
    shifts = found.get(KEYS[nucleus])
    if not shifts:
        entry.refused = f"no {nucleus} spectrum"
    elif not isinstance(shifts, dict):
        entry.refused = BROKEN
    else:
        _labels(shifts, entry)
    return entry


def _labels(shifts: dict, entry: Entry) -> None:
    for atom, values in shifts.items():
        for value in values if isinstance(values, list) else [values]:
            try:
                label = float(value), int(atom)
            except (ValueError, TypeError, OverflowError):
                entry.unreadable += 1
            else:
                entry.values.append(label)
