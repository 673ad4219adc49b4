"""Formats that are no table of text and no Parquet: what they are, and how one is made of them."""

from __future__ import annotations

from pathlib import Path

from dlthink.errors import BadInput

SHEET = "save its sheet as CSV in the program that made it (Save as, CSV UTF-8)"
BOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers")
ARROW = "an Arrow file (Feather)"
BY_PANDAS = {  # what reads it: {ending: what it is}
    "read_feather": {".feather": ARROW, ".arrow": ARROW, ".ipc": ARROW},
    "read_json": {".json": "JSON"},
    "read_stata": {".dta": "a file of Stata"},
    "read_spss": {".sav": "a file of SPSS", ".zsav": "a file of SPSS"},
    "read_sas": {".sas7bdat": "a file of SAS", ".xpt": "a file of SAS"},
    "read_pickle": {".pkl": "a pickle, which may run code", ".pickle": "a pickle, which may run code"},
    "read_html": {".html": "a web page", ".htm": "a web page"},
    "read_xml": {".xml": "XML"},
    "read_hdf": {".h5": "HDF5", ".hdf5": "HDF5"},
}
LINES = (".jsonl", ".ndjson")
OF_R = (".rds", ".rda", ".rdata")
MOLECULES = (".sdf", ".sd", ".mol", ".mol2", ".pdb")
AS_TEXT = (*LINES, *MOLECULES, ".json", ".html", ".htm", ".xml", ".arff")  # others hold bytes: text is no such file
BYTES = {*range(32)} - {*b"\t\n\r"}
BEGINS = {  # {first bytes: an ending of its kind}
    b"ARROW1": ".feather",
    b"FEA1": ".feather",
    b"$FL2": ".sav",
    b"$FL3": ".sav",
    b"\x89HDF": ".h5",
    b"SQLite format 3": ".sqlite",
    b"<stata_dta>": ".dta",
    b"\xd0\xcf\x11\xe0": ".xls",
}


def refuse_other(path: Path, key: str) -> bytes:
    """The first bytes of a file that may be a table; BadInput, with what to do, where it is of another format."""
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError:
        return b""  # which is told when it is read
    begun = next((one for begins, one in BEGINS.items() if start.startswith(begins)), None)
    unpacked = Path(path.name.lower().removesuffix(".gz")).suffix
    ending = unpacked if unpacked in MOLECULES else begun or path.suffix.lower()
    utf16 = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = begun is None and ending not in AS_TEXT and (utf16 or not BYTES & {*start})
    if text or start.startswith(b"PAR1") or not (said := _said(ending, path)):
        return start
    raise BadInput(f"{key}={path}: is {said[0]}, no table of text or Parquet: {said[1]}")


def _said(ending: str, path: Path) -> tuple[str, str] | None:
    """What it is and what to do; None of what may be text."""
    if ending in BOOKS:
        return "a workbook", SHEET
    if ending in LINES:
        return "JSON", _made("read_json", path, ", lines=True")
    if ending in OF_R:
        return "a file of R", "in R, write.csv(x, 'x.csv', row.names = FALSE)"
    if ending in (".sqlite", ".sqlite3", ".db"):
        return "a database", "save the table as CSV (sqlite3 -header -csv FILE 'select * from NAME')"
    if ending in MOLECULES:
        return "a file of molecules", "data=molecule_table reads .sdf, and any table with a column of SMILES"
    if ending == ".arff":
        return "a file of Weka", "save it as CSV there, or keep what follows @data below a line of names"
    for reader, endings in BY_PANDAS.items():
        if ending in endings:
            return endings[ending], _made(reader, path, "", "[0]" if reader == "read_html" else "")
    return None


def _made(reader: str, path: Path, more: str = "", part: str = "") -> str:
    made = f"pandas.{reader}('{path.name}'{more}){part}.to_csv('{path.stem}.csv', index=False)"
    return f'python -c "import pandas; {made}" makes one'
