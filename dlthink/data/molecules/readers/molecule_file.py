"""One entry of a file of molecules as it is written, before rdkit has seen it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

SD_MARK = re.compile(r"^(?:M  END|\$\$\$\$|.{0,60}V[23]000)[ \t]*$", re.MULTILINE)
OBJECT = re.compile(r"^\s*\{", re.MULTILINE)
JSON = re.compile(r"\s*\[?\s*\{")
NO_SPECTRUM = "no {} spectrum"  # of a nucleus
SHOWN = 40  # characters of what cannot be read


@dataclass
class Entry:
    """What one record of a file says about one nucleus, nothing checked yet."""

    id: str
    text: str = ""  # a mol block or a SMILES
    is_block: bool = False
    atoms: int = 0  # heavy and explicit atoms, counted in the text
    values: list[tuple[float, int]] = field(default_factory=list)  # (ppm, atom index as written)
    unreadable: list[str] = field(default_factory=list)  # labels of which no number could be read, as written
    computed: int = 0  # spectra that were not measured
    refused: str | None = None  # why the record cannot be used at all
    split: str | None = None
    fields: dict[str, str] = field(default_factory=dict)  # what else it says, by name, as written
    decimal_comma: bool = False  # may 3,5 stand for a number in them?

    def cannot_read(self, label: object) -> None:
        """One label that is no number."""
        text = repr(label)
        self.unreadable.append(text if len(text) <= SHOWN else f"{text[:SHOWN]}...")


def kind_of(head: str) -> str | None:
    """ "sd", "json" or None, from the first lines: an ending proves nothing."""
    if JSON.match(head) and not SD_MARK.search(head):
        return "json"
    if SD_MARK.search(head):
        return "sd"
    return "json" if OBJECT.search(head) else None
