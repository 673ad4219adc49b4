"""Files of molecules that are neither a table, SMILES, SD records nor JSON: what they are, and the way out."""

from __future__ import annotations

import re

from dlthink.errors import BadInput
from dlthink.files.text_file import TextFile
from dlthink.files.text_table import WEB_PAGE

CONVERTED = {  # {ending: what it is}; Open Babel reads them
    ".mol2": "MOL2",
    ".pdb": "PDB",
    ".pdbqt": "PDBQT",
    ".xyz": "XYZ",
    ".cif": "CIF",
    ".cdx": "ChemDraw",
    ".cdxml": "ChemDraw",
}
BEGINS = {
    re.compile(r"@<TRIPOS>"): ".mol2",
    re.compile(r"(?:HEADER|HETATM|ATOM  |COMPND|REMARK) "): ".pdb",
    re.compile(r"data_\S*\n(?:.*\n)*?_cell"): ".cif",
    re.compile(r"VjCD0100"): ".cdx",
}
OTHERS = {
    WEB_PAGE: "a web page (HTML) or XML: download it again, as CSV or SDF",
    re.compile(
        r"PAR1"
    ): "Parquet: python -c \"import pandas; pandas.read_parquet('{0}').to_csv('{1}.csv', index=False)\" makes a CSV",
    re.compile(
        r"(?:\x80\x04|.{0,8}\x95.{0,80}pandas|.{0,40}\u2022.{0,80}pandas)", re.DOTALL
    ): "a pickle: save it as CSV where it was made",
}


def refuse_other(file: TextFile) -> None:
    """BadInput, with what to do, where the file is of another format, by its beginning or its name."""
    for begins, what in OTHERS.items():
        if begins.match(file.head):
            raise BadInput(f"{file.name}: is {what.format(file.path.name, file.path.stem)}")
    ending = next((one for begins, one in BEGINS.items() if begins.match(file.head)), file.path.suffix.lower())
    if ending in CONVERTED:
        raise BadInput(
            f"{file.name}: is {CONVERTED[ending]}: save it as SDF or SMILES "
            f"(obabel {file.path.name} -O {file.path.stem}.sdf)"
        )
