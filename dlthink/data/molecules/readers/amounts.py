"""Measured values as people write them: 3,5 and 1'200.5, 12 °C, 4.1 ± 0.2; one unit for all values of a target."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from dlthink.data.tables.number_words import AMOUNT, plain_number
from dlthink.files.text_table import MISSING

NOTHING = {word.lower() for word in MISSING}
FULL = re.compile(r"[-+]?\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*")  # whole, with marks between thousands
COMMA = re.compile(r"[-+]?\d+,(?:\d{1,2}|\d{4,})(?:[eE][-+]?\d+)?")  # a decimal comma for sure


@dataclass
class Amounts:
    """Reads the values of each target; its unit is that of its first value. units: target -> unit, "" for none."""

    units: dict[str, str] = field(default_factory=dict)

    def read(self, target: str, text: str, decimal_comma: bool) -> float | str:
        """The value, nan where nothing is written; why it cannot be used, where it cannot."""
        text = plain_number(text)
        if text.lower() in NOTHING:
            return math.nan
        found = AMOUNT.fullmatch(text)
        unit = (found["money"] or "") + (found["unit"] or "") if found else ""
        value = _value(found["sign"] + found["number"] if found else text, decimal_comma)
        if value is None:
            return "no number can be read"
        if unit != self.units.setdefault(target, unit):
            return f"in another unit than {self.units[target] or 'the others, which have none'}"
        return value


def _value(text: str, decimal_comma: bool) -> float | None:
    last = max(text.rfind(","), text.rfind("."))
    if last >= 0 and text[last] == "," and "." in text[:last]:  # 1.200,5
        text = text.replace(".", "").replace(",", ".")
    elif COMMA.fullmatch(text) or (decimal_comma and text.count(",") == 1 and "." not in text):
        text = text.replace(",", ".")
    elif "," in text[:last]:  # 1,200.5
        text = text.replace(",", "")
    text = text.replace("'", "").replace(" ", "") if "'" in text or FULL.fullmatch(text.split(".")[0]) else text
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None
