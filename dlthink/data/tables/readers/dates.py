"""Dates as people write them, in seven languages: days, months, weeks and quarters. One order, day first or month
first, for a whole column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.readers.read_table import tables

if TYPE_CHECKING:
    import pandas

NAMES = (  # of months, with what they are shortened to: English, German, French, Spanish, Italian, Dutch, Portuguese
    "january jan januar jänner jän janvier janv enero ene gennaio gen januari janeiro",
    "february feb februar feber février fevrier févr fevr fév febrero febbraio febr februari fevereiro fev",
    "march mar märz maerz mär mrz mars marzo maart mrt março marco",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag mei maio",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juil juillet julio luglio lug julho",
    "august aug août aout agosto ago augustus ags",
    "september sep sept septembre septiembre settembre set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro",
)
MONTHS = {name: number for number, names in enumerate(NAMES, 1) for name in names.split()}
SHORT = 30  # years of two digits are 1930 to 2029, as spreadsheets take them
ISO = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ][\d:.+Zz-]*)?")

WORD, YEAR, DAY = r"(?P<word>[^\W\d_]{3,10})\.?", r"'?(?P<year>\d{4}|\d\d)", r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|\.|º)?"
REST = r"(?P<rest>[T ,].*)?"
NUMERIC = re.compile(rf"(?P<one>\d{{1,2}})([-/.])(?P<two>\d{{1,2}})\2(?P<year>\d{{4}}|\d\d){REST}")
PATTERNS = [
    re.compile(pattern + r"\s*", re.IGNORECASE)
    for pattern in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){REST}",
        r"(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])",
        rf"(?P<year>\d{{4}})年(?P<month>\d{{1,2}})月(?:(?P<day>\d{{1,2}})日)?{REST}",
        rf"{DAY}[ .-]*(?:de |of )?{WORD}[ ,.-]+(?:de |del )?{YEAR}{REST}",
        rf"{WORD} {DAY},? (?P<year>\d{{4}}){REST}",
        rf"{WORD}[ /-]+(?:de )?{YEAR}",
        r"(?P<year>\d{4})-?W(?P<week>\d\d)(?:-?(?P<weekday>[1-7]))?",
        r"(?:KW|CW|week) ?(?P<week>\d{1,2})[ ./-]+(?P<year>\d{4})",
        r"(?:Q|quarter )(?P<quarter>[1-4])[ /-]?(?P<year>\d{4})",
        r"(?P<quarter>[1-4])\. ?(?:Quartal|Q)[ /]?(?P<year>\d{4})",
        r"(?P<year>\d{4})[ -/]?Q(?P<quarter>[1-4])",
        r"(?P<year>(?:19|20)\d\d)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])",
    )
]
WEEKDAY = re.compile(r"[^\W\d_]{2,10}\.?,? +")


@dataclass
class Order:
    """day_first: 31/12/2020, not 12/31/2020. sure: does any of the dates say so? short: have some years two digits?"""

    day_first: bool = True
    sure: bool = True
    short: bool = False


def look_like_dates(texts: Sequence[str], counts: Sequence[int], share: float) -> bool:
    """Are so many of the cells dates? counts: how many cells hold each text."""
    total = sum(counts)
    allowed = (1 - share) * total
    if total <= 0 or not texts:
        return False
    for text, count in zip(texts, counts, strict=True):
        if not ISO.fullmatch(text) and _day(text, True) is None and _day(text, False) is None:
            allowed -= count
            if allowed < -1e-9:
                return False
    return True


def order_of(texts: Sequence[str], decimal: str) -> Order:
    """How the days of a column are written; decimal: its file's mark of decimals, where nothing else decides."""
    found = [found for text in texts if (found := NUMERIC.fullmatch(_bare(text)))]
    made = _order(found, decimal)
    made.short = any(len(one["year"]) == 2 for one in found) or any(
        len(year) == 2
        for text in texts
        if not ISO.fullmatch(text) and (year := (_match(_bare(text)) or {}).get("year"))
    )
    return made


def moments(texts: Sequence[str], day_first: bool) -> pandas.Series:
    """Moments in universal time, NaT for what is no date."""
    written = [text if ISO.fullmatch(text) else _day(text, day_first) or "" for text in texts]
    return (
        tables()
        .to_datetime(tables().Series(written, dtype=object), errors="coerce", utc=True, format="mixed")
        .dt.tz_convert(None)
    )


def is_compact(numbers: np.ndarray) -> bool:
    """Are all of these numbers days of two centuries, as 20240131?"""
    numbers = np.asarray(numbers, np.float64)  # 20240131 is no float16
    if len(numbers) < 2 or not ((numbers >= 19000101) & (numbers <= 20991231)).all() or (numbers % 1).any():
        return False
    month, day = numbers // 100 % 100, numbers % 100
    return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())


def _order(found: list[re.Match], decimal: str) -> Order:
    if not found:
        return Order()
    if any(int(one["one"]) > 12 for one in found):
        return Order(True)
    if any(int(one["two"]) > 12 for one in found):
        return Order(False)
    pointed = sum(one[2] == "." for one in found) > len(found) / 2
    return Order(pointed or decimal == ",", sure=pointed)


def _bare(text: str) -> str:
    """Without a day of the week before it."""
    text = text.strip()
    week = WEEKDAY.match(text)
    if week and (rest := text[week.end() :]) and (NUMERIC.fullmatch(rest) or _match(rest)):
        return rest
    return text


def _match(text: str) -> dict[str, str] | None:
    for pattern in PATTERNS:
        if found := pattern.fullmatch(text):
            parts = {name: value for name, value in found.groupdict().items() if value is not None}
            if "word" not in parts or parts["word"].lower() in MONTHS:
                return parts
    return None


def _day(text: str, day_first: bool) -> str | None:
    """2024-01-31, and the time that is written behind it; None for what is no date."""
    text = _bare(text)
    if found := NUMERIC.fullmatch(text):
        day, month = (found["one"], found["two"]) if day_first else (found["two"], found["one"])
        parts = {"day": day, "month": month, "year": found["year"], "rest": found["rest"] or ""}
    elif (parts := _match(text)) is None:
        return None
    year, rest = int(parts["year"]), parts.get("rest", "").replace("Uhr", "").strip(", ")
    if len(parts["year"]) == 2:
        year += 2000 if year < SHORT else 1900
    try:
        if "week" in parts:
            when = date.fromisocalendar(year, int(parts["week"]), int(parts.get("weekday", 1)))
        elif "quarter" in parts:
            when = date(year, 3 * int(parts["quarter"]) - 2, 1)
        else:
            month = MONTHS[parts["word"].lower()] if "word" in parts else int(parts["month"])
            when = date(year, month, int(parts.get("day", 1)))
    except ValueError:
        return None
    return f"{when.isoformat()} {rest.lstrip('T')}".strip()
