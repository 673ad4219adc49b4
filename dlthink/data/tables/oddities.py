"""What looks strange in a file, a line each: a row of totals, codes that look like numbers, a unit of the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dlthink.data.tables.columns import listed, unit_of
from dlthink.data.tables.read_table import Source

if TYPE_CHECKING:
    import pandas

TOTAL = re.compile(
    r"\s*(?:grand |sub)?(?:totals?|sums?|mean|average|summe|gesamt|insgesamt|total général|somme)\s*:?\s*"
)


def oddities(frame: pandas.DataFrame, kinds: dict[str, str], targets: list[str], source: Source) -> list[str]:
    """kinds: of each feature."""
    found = []
    last = [str(value) for value in frame.iloc[-1] if isinstance(value, str)]
    if total := next((word for word in last if TOTAL.fullmatch(word.lower())), None):
        found.append(f"{source.place(len(frame) - 1)} reads {total}: if it sums up the rows above, leave it out")
    coded = [name for name in source.coded if kinds.get(name) == "number"]
    if coded:
        others = f"; also {listed(coded[1:])}" if coded[1:] else ""
        said = f"numbers that begin with 0, taken as numbers: are they codes? Then data.categories=[{coded[0]}]{others}"
        found.append(said)
    if dotted := [name for name in source.dotted if kinds.get(name) == "number" or name in targets]:
        said = f"numbers like 1.234, read as decimals: if points part thousands in {listed(dotted)}, take them out"
        found.append(said)
    units = [f"{name} ({unit})" for name in targets if (unit := unit_of(frame[name], source))]
    if units:
        found.append(f"the target has a unit, and is read and predicted in it: {listed(units)}")
    return found
