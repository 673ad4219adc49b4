"""A table as people have it: text in any dialect, plain or gzip, or Parquet -> a pandas frame with plain names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.data.tables.readers.dialect import Dialect
from dlthink.data.tables.readers.missing_codes import emptied as without_codes
from dlthink.data.tables.readers.refused_formats import refuse_other
from dlthink.data.tables.readers.table_end import rows_of_the_table
from dlthink.errors import BadInput
from dlthink.files.text_file import HEAD, RATIO, TextFile
from dlthink.files.text_table import MISSING
from dlthink.memory_limit import check_memory

if TYPE_CHECKING:
    import pandas
    from pyarrow import DataType
    from pyarrow.parquet import ParquetFile

ROWS = 100_000  # read at a time
LARGE = 1 << 30  # bytes of a Parquet file's columns, below which nobody asks how they were packed


@dataclass
class Source:
    """Where rows come from, for messages.

    first      how the first of them is counted there, behind a header, whose line is `header`, or not
    decimal    the mark of decimals in cells that were left as words
    coded      columns of numbers that begin with 0
    dotted     those whose points may part thousands
    notes      what of the file is no row, and what was guessed
    day_first  of columns of dates whose order is known beforehand, as training had it
    trained    are its features those of a run, of which none can be left out any more?
    parsed     numbers and unit of columns of text, once they have been asked for (`columns`)
    """

    name: str
    first: int = 2
    header: int = 1
    decimal: str = "."
    coded: tuple[str, ...] = ()
    dotted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    day_first: dict[str, bool] = field(default_factory=dict)
    trained: bool = False
    parsed: dict[str, tuple] = field(default_factory=dict)

    def without(self, column: str) -> str:
        """How training can do without a column, the end of a line; nothing where a run has been trained with it."""
        return "" if self.trained else f", or data.ignore=[{column}]"

    def place(self, row: int) -> str:
        """Where the row number `row`, from 0, is found: line 9."""
        return f"{'line' if self.first > 1 else 'row'} {row + self.first}"


def tables():
    """pandas. Raises BadInput where it is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise BadInput("tables need the packages of the extra table: pip install 'dlthink[table]'") from error
    return pandas


def read_table(
    path: str | Path, key: str = "data.path", as_written: bool = False, missing: Sequence[str] = ()
) -> tuple[pandas.DataFrame, Source]:
    """The table in a file, and how messages name it.

    text     a header, cells between `,` `;` tab `|` or blanks, perhaps .gz, in any common encoding; what stands between
             cells, before decimals and for thousands is found out (`dialect`). Footnotes are no rows (`table_end`)
    Parquet  told by its content, whatever it is called

    key: the setting that named the file. as_written: cells as text, as they stand there, nothing missing, footnotes too
    missing: codes whose cells are emptied, and told
    Raises BadInput, naming the file: missing, empty, cut short, damaged, another format, without a header, one column,
    two columns of one name, a quote that is never closed, a row too long, a header in the middle.
    """
    path = Path(path).expanduser()
    pandas = tables()
    start = refuse_other(path, key)
    if start.startswith(b"PAR1"):
        frame, source = _parquet(pandas, path, key), Source(f"{key}={path}", 1)
    else:
        frame, source = _text(pandas, path, key, as_written)
    if not len(frame):
        raise BadInput(f"{source.name}: holds no row below its header: save or download it again")
    if source.first == 1 and as_written:
        frame = frame.astype(object).where(frame.notna(), "").astype(str)
    if missing:
        frame, emptied = without_codes(frame, list(missing), source.decimal)
        each = ", ".join(f"{name} ({cells:,})" for name, cells in emptied.items()) or "in no cell"
        source.notes = (*source.notes, f"taken as missing, {', '.join(missing)}: {each}")
    return frame, source


def _text(pandas, path: Path, key: str, as_written: bool) -> tuple[pandas.DataFrame, Source]:
    file = TextFile(path, key)
    if len(file.head) == HEAD and "\n" not in file.head:
        raise BadInput(f"{file.name}: its first line has more than {HEAD:,} characters: save it with fewer columns")
    dialect = Dialect.of(file.head, file.name)
    names = _names(dialect.header, file.name)
    if as_written:
        kinds = {"dtype": str, "keep_default_na": False, "na_filter": False}
    else:
        kinds = {"na_values": MISSING, "decimal": dialect.decimal}
    try:
        parts = pandas.read_csv(
            path,
            sep=dialect.separator,
            header=0,
            names=names,
            index_col=False,
            skiprows=[*range(dialect.before), *range(dialect.before + 1, dialect.before + 1 + len(dialect.below))],
            encoding=file.encoding,
            encoding_errors="strict" if file.encoding == "utf-8" else "replace",
            compression="gzip" if file.packed else None,
            skipinitialspace=True,
            on_bad_lines="error",
            chunksize=ROWS,
            **kinds,
        )
        with parts:
            frame = _together(pandas, parts, names)
    except pandas.errors.ParserError as error:
        raise BadInput(f"{file.name}: {_said(error, dialect.before)}") from error
    empty = [name for name in names if name.startswith(UNNAMED) and (frame[name].isna() | (frame[name] == "")).all()]
    frame = frame.drop(columns=empty)  # a separator at the end of each line
    if frame.shape[1] < 2:
        raise BadInput(f"{file.name}: has one column, {names[0]}: a table to learn from has a target and a feature")
    first = dialect.before + 2 + len(dialect.below)
    notes = [f"left out, below the header: line {dialect.before + 2 + i}, {row}" for i, row in enumerate(dialect.below)]
    if not as_written:
        _no_header_inside(frame, file.name, first)
        rows, said = rows_of_the_table(frame, first)
        frame, notes = frame.iloc[:rows], notes + said
    if file.encoding == "cp1252":
        notes.append("read as Windows-1252, as it is no UTF-8: if its letters look wrong, save it as UTF-8")
    return frame, Source(
        file.name, first, dialect.before + 1, dialect.decimal, dialect.coded, dialect.dotted, tuple(notes)
    )


def _together(pandas, parts: Iterable[pandas.DataFrame], names: list[str]) -> pandas.DataFrame:
    """One frame, each column by itself: no more memory than it takes, however it was read."""
    pieces: dict[str, list] = {name: [] for name in names}
    for part in parts:
        for name in names:
            pieces[name].append(part[name].copy())
    columns = {name: pandas.concat(pieces.pop(name), ignore_index=True) for name in names}
    return pandas.DataFrame(columns, copy=False)


def _parquet(pandas, path: Path, key: str) -> pandas.DataFrame:
    if not path.is_file():
        raise BadInput(f"{key}={path}: there is no such file: check the path")
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise BadInput("Parquet needs pyarrow, of the extra table: pip install 'dlthink[table]'") from error
    try:
        with ParquetFile(path) as file:
            _names(file.schema_arrow.names, f"{key}={path}")
            _check_size(file, f"{key}={path}", path.stat().st_size)
            frame = file.read().to_pandas(split_blocks=True, self_destruct=True, ignore_metadata=True)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError, OSError) as error:
        raise BadInput(
            f"{key}={path}: is no Parquet file, cut short or damaged ({str(error).splitlines()[0]}): save or download "
            f"it again"
        ) from error
    if frame.shape[1] < 2:
        raise BadInput(f"{key}={path}: has one column: a table to learn from has a target and a feature")
    return frame


def _check_size(file: ParquetFile, name: str, packed: int) -> None:
    """BadInput where few bytes say one value again and again until memory ends; asked before anything is unpacked."""
    needed = file.metadata.num_rows * sum(map(_width, file.schema_arrow.types))
    if needed > max(LARGE, RATIO * packed):
        raise BadInput(
            f"{name}: unpacks to {needed / 2**30:.3g} GB from {packed / 2**20:.3g} MB, as no real table does: save it "
            f"as CSV if it is one"
        )
    check_memory(needed, name)


def _width(kind: DataType) -> float:
    """Bytes of a value; of a text its place."""
    try:
        return kind.bit_width / 8
    except ValueError:  # of no fixed width
        return 8


UNNAMED = "column "


def _names(header: list[str], source: str) -> list[str]:
    """Names of the columns; one without gets its number. Raises BadInput where two are called alike."""
    names = [" ".join(str(name).split()) or f"{UNNAMED}{i}" for i, name in enumerate(header, 1)]
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        places = [str(i) for i, name in enumerate(names, 1) if name == twice[0]]
        raise BadInput(f"{source}: columns {' and '.join(places)} are both called {twice[0]}: give each its own name")
    return names


def _said(error: Exception, before: int) -> str:
    """What pandas says of a text that is no table, in our words."""
    import re

    text = str(error)
    if found := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", text):
        expected, line, saw = found.groups()
        return f"line {line} has {saw} cells where the header has {expected}: mend that line"
    if found := re.search(r"EOF inside string starting at row (\d+)", text):
        return f"a quote in line {int(found[1]) + before + 1} or before is never closed: close it, or leave it out"
    return f"cannot be read as a table ({' '.join(text.split())[:200]})"


def _no_header_inside(frame: pandas.DataFrame, source: str, first: int) -> None:
    """BadInput where a row repeats the header, as in files that were put together."""
    words = [name for name in frame if frame[name].dtype.kind not in "biufM"]
    if len(words) < frame.shape[1]:  # with a name in it, a column of numbers would be one of words
        return
    rows = None
    for name in words:
        same = (frame[name] == name).fillna(False).to_numpy(bool)
        rows = same if rows is None else rows & same
    if rows is not None and rows.any():
        place = int(rows.argmax()) + first
        raise BadInput(
            f"{source}: line {place} repeats the header: are these several tables in one file? Leave that line out"
        )
