"""Numbers as people write them: marks between thousands, a currency before them, a unit behind, minus signs of all
kinds. One unit for a whole column; what has another is no number."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from dlthink.data.tables.read_table import tables

SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f]")  # no-break, thin and other spaces
WRITTEN = str.maketrans({"\u2212": "-", "\u2019": "'", "\ufe63": "-", "\uff0d": "-"})  # minus signs; an apostrophe
MONEY = r"[$€£¥₹]|(?:[A-Z]{3}|US\$)(?=[ \d])"
UNIT = r"[%‰$€£¥₹]|°\s?[CFK]?|[^\W\d_][\w.*/^²³·%-]{0,11}"
DIGITS = r"[-+]?[\d.,' ]*\d[\d.,' ]*?(?:[eE][-+]?\d+)?"
AMOUNT = re.compile(rf"(?P<sign>[-+]?)\s?(?P<money>{MONEY})?\s?(?P<number>{DIGITS})\s?(?P<unit>{UNIT})?")
SHARED = 0.9  # of the amounts have the unit of a column


def parsed(texts: list[str], decimal: str) -> tuple[np.ndarray, str]:
    """(float64, nan for what is no number; the currency or unit that all share, "" for none)."""
    plain = [SPACES.sub(" ", text).translate(WRITTEN).strip() for text in texts]
    plain = [f"-{text[1:-1]}" if text[:1] == "(" and text[-1:] == ")" else text for text in plain]  # as bookkeepers do
    found = _numbers(plain, decimal)
    lost = np.flatnonzero(np.isnan(found))
    amounts = {int(i): amount for i in lost if (amount := AMOUNT.fullmatch(plain[i]))}
    units = Counter((amount["money"] or "", amount["unit"] or "") for amount in amounts.values())
    if not units:
        return found, ""
    unit, times = units.most_common(1)[0]
    if times < SHARED * (len(texts) - len(lost) + len(amounts)):
        return found, ""
    meant = [i for i, amount in amounts.items() if (amount["money"] or "", amount["unit"] or "") == unit]
    found[meant] = _numbers([amounts[i]["sign"] + amounts[i]["number"] for i in meant], decimal)
    return found, "".join(unit)


def _numbers(texts: list[str], decimal: str) -> np.ndarray:
    """Plain numbers, also with marks between thousands."""
    other = "." if decimal == "," else ","
    thousands = re.compile(rf"\s*[-+]?\d{{1,3}}(?:[{other}' ]\d{{3}})+(?:[{decimal}]\d*)?\s*")
    plain = [re.sub(rf"[{other}' ]", "", text) if thousands.fullmatch(text) else text for text in texts]
    if decimal == ",":
        plain = [text.replace(",", ".") if "." not in text else "" for text in plain]
    return tables().to_numeric(np.array(plain, dtype=object), errors="coerce").astype(np.float64)
