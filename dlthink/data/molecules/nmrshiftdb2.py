"""Measured shifts of nmrshiftdb2, or of any file in its layout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dlthink.data.molecules.features.structures import chemistry
from dlthink.data.molecules.prepared import cached
from dlthink.data.molecules.prepared_shifts import PreparedShifts, prepare
from dlthink.data.molecules.readers.shift_records import read
from dlthink.data.molecules.shift_data import ShiftData
from dlthink.errors import BadInput
from dlthink.files.cache import data_folder

LICENCE = (
    "with data of nmrshiftdb2 goes this notice: contains information from nmrshiftdb2 (www.nmrshiftdb.org), which is "
    "made available here under the nmrshiftdb2 Database License"
)
FETCHED = Path("nmrshiftdb2") / "nmrshiftdb2withsignals.sd"


class Nmrshiftdb2(ShiftData):
    """Median shift of every assigned atom of a file in nmrshiftdb2's SD layout, or in JSON lines, plain or .gz.

    path      the file; null: where `dlthink fetch nmrshiftdb2` puts it
    nucleus   13C, read out at carbons; 1H, at the atoms that bear the hydrogens
    elements  a molecule that holds another one is left out; null: none is
    largest   heavy and explicit atoms that a molecule may have; null: any number

    Computed spectra are skipped, duplicates stay on one side of the split. Elements and size as in Jonas & Kuhn 2019,
    J. Cheminformatics 11.
    """

    def __init__(
        self,
        path: str | None = None,
        nucleus: Literal["13C", "1H"] = "13C",
        elements: list[str] | None = None,
        largest: int | None = None,
        **splitting,
    ) -> None:
        self.path, self.nucleus, self.elements, self.largest = path, nucleus, elements, largest
        _check_elements(elements)
        super().__init__(**splitting)
        self.notes.append(LICENCE)

    def prepared(self) -> PreparedShifts:
        file = self._file()
        if not self.path and not file.exists():
            raise BadInput(f"{file}: is not there; get it with `dlthink fetch nmrshiftdb2`, or give data.path=FILE")
        settings = {
            "nucleus": self.nucleus,
            "elements": self.elements and sorted(self.elements),
            "largest": self.largest,
            "tautomers": self.tautomers,
        }

        def make() -> PreparedShifts:
            return prepare(read(file, self.nucleus, self.elements, self.largest, self.tautomers))

        return cached(PreparedShifts, file, settings, make)

    def source(self) -> str:
        return f"data.path={self._file()}"

    def _file(self) -> Path:
        return Path(self.path).expanduser() if self.path else data_folder() / FETCHED


def _check_elements(elements: list[str] | None) -> None:
    chemistry()
    from rdkit.Chem import GetPeriodicTable

    table = GetPeriodicTable()
    every = {table.GetElementSymbol(number) for number in range(1, 119)}
    if strange := [element for element in elements or [] if element not in every]:
        raise BadInput(f"data.elements: {strange[0]} is no element; write symbols, such as data.elements=[H,C,N,O]")
