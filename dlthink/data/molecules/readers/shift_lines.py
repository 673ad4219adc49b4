"""Molecules and shifts as JSON: one object a line, or over several lines, or a list of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from dlthink.data.molecules.readers.molecule_file import NO_SPECTRUM, Entry

KEYS = {"13C": ("c13", "13c"), "1H": ("h1", "1h")}
BROKEN = "broken JSON"
NO_SMILES = 'not an object with a text "smiles"'
LAYOUT = '{} is neither {{"atom": ppm}} nor a list of one entry for each atom of the SMILES (null: not measured)'
ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")
LONGEST = 200_000  # characters of an object that is spread over several lines


def entries(lines: Iterable[str], nucleus: str) -> Iterator[Entry]:
    """What each object says about `nucleus`, one entry each; nothing is left out.

    {"id": "2194", "smiles": "CCCC", "c13": {"0": [12.9], ...}, "h1": {...}, "split": "train"}: atoms are counted
    from 0 in the SMILES as written, explicit [H] included; for 1H the heavy atom bears the hydrogens. "c13" may also be
    a list of one entry for each atom: a value, several, or null.
    """
    for number, found in objects(lines):
        yield _entry(found, f"line {number}", nucleus)


def objects(lines: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """(line, what stands there), None where it is broken: a broken one takes no other with it."""
    open_: list[tuple[int, str]] = []  # the lines of an object that is not closed yet
    depth = size = 0
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not open_:
            if text in ("", "[", "]", ","):  # nothing, or where a list begins or ends
                continue
            found = _parsed(text.removeprefix("[") if text.startswith("[{") and not text.endswith("]") else text)
            if found is not None:
                yield from ((number, one) for one in (found if _is_list_of_objects(found) else [found]))
                continue
            if not text.startswith(("{", "[{")):
                yield number, None
                continue
            depth = size = 0
        elif text.startswith("{") and _is_molecule(found := _parsed(text)):
            yield from _given_up(open_)  # an object for itself: what stands before it was never closed
            yield number, found
            open_ = []
            continue
        open_.append((number, text))
        depth += text.count("{") - text.count("}")
        size += len(text)
        if depth <= 0 and (found := _parsed("\n".join(one for _, one in open_).removeprefix("["))) is not None:
            yield open_[0][0], found
            open_ = []
        elif size > LONGEST:
            yield from _given_up(open_)
            open_ = []
    yield from _given_up(open_)


def atoms_in(smiles: str) -> int:
    """Atoms that a SMILES writes, explicit hydrogens among them; counted in the text, no molecule is made."""
    return sum(1 for _ in ATOM.finditer(smiles))


def _given_up(lines: list[tuple[int, str]]) -> Iterator[tuple[int, None]]:
    yield from ((number, None) for number, text in lines if text.startswith(("{", "[{")))


def _parsed(text: str) -> Any:
    text = text.rstrip(", ")
    for one in (text, text.removesuffix("]")):  # with the end of a list, perhaps
        try:
            return json.loads(one)
        except (ValueError, RecursionError):
            continue
    return None


def _is_list_of_objects(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _is_molecule(found: Any) -> bool:
    return isinstance(found, dict) and any(name.lower() == "smiles" for name in found)


def _entry(found: Any, place: str, nucleus: str) -> Entry:
    if found is None:
        return Entry(place, refused=BROKEN)
    found = {name.lower(): value for name, value in found.items()} if isinstance(found, dict) else {}
    if not isinstance(found.get("smiles"), str):
        return Entry(place, refused=NO_SMILES)
    name, split = found.get("id"), found.get("split")
    entry = Entry(str(name) if isinstance(name, str | int) and name != "" else place, found["smiles"].strip())
    entry.split = split if split is None else str(split)
    entry.atoms = atoms_in(entry.text)
    key, shifts = next(((key, found[key]) for key in KEYS[nucleus] if found.get(key)), ("", None))
    if isinstance(shifts, list) and len(shifts) == entry.atoms:
        shifts = dict(enumerate(shifts))
    if not shifts:
        entry.refused = NO_SPECTRUM.format(nucleus)
    elif not isinstance(shifts, dict):
        entry.refused = LAYOUT.format(json.dumps(key))
    else:
        _labels(shifts, entry)
    return entry


def _labels(shifts: dict, entry: Entry) -> None:
    for atom, values in shifts.items():
        for value in values if isinstance(values, list) else [values]:
            if value is None:
                continue
            try:
                label = float(value), int(atom)
            except (ValueError, TypeError, OverflowError):
                entry.cannot_read({atom: value})
            else:
                if isinstance(value, bool):
                    entry.cannot_read({atom: value})
                else:
                    entry.values.append(label)
