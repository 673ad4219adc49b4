"""Amounts as people write them: marks between thousands, a currency before them, a unit behind, an error, minus signs
of all kinds, times of day and durations. One unit for a whole column; what has another is no number."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection

import numpy as np

SPACES = re.compile(r"[\u00a0\u2000-\u200a\u202f\u205f]")  # no-break, thin and other spaces
UNSEEN = "\u200b\u200e\u200f\u2060\ufeff"  # joins, directions, the mark that begins a file
WRITTEN = str.maketrans(
    {
        **dict.fromkeys("\u2212\ufe63\uff0d\u2013", "-"),  # minus signs
        **{"\u066b": ".", "\u066c": "'", "\uff0e": ".", "\uff0c": ",", "\u2019": "'"},  # decimals and thousands
    }
)
MONEY = r"[$€£¥₹₽₩₺]|(?:[A-Z]{3}|US\$|R\$|S?Fr\.|Rs\.?|kr\.?|zł)(?=[ \d])"
UNIT = r"[%‰$€£¥₹₽₩₺℃℉]|°\s?[CFK]?|[^\W\d_][\w.*/^²³·%-]{0,11}"
DIGITS = r"[-+]?[\d.,' ]*\d[\d.,' ]*?(?:[eE][-+]?\d+)?"
AMOUNT = re.compile(rf"(?P<sign>[-+]?)\s?(?P<money>{MONEY})?\s?(?P<number>{DIGITS})\s?(?P<unit>{UNIT})?")
PLAIN = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?inf(?:inity)?", re.IGNORECASE)
BOUND = re.compile(r"\s*(?:[<>\u2264\u2265]|&[lg]t;)")
CODES = [sign * code for code in (9, 77, 88, 99, 777, 888, 999, 8888, 9999, 99999) for sign in (-1, 1)]
FAR = 2.0  # spans of all other numbers
BOTH = re.compile(r"[^\d]*[1-9]\d{0,2}(?:(?:,\d{3})+(?P<point>\.)|(?:\.\d{3})+(?P<comma>,))\d+[^\d.,]*")
UNREADABLE = "no number can be read"
SHARED = 0.9  # of the amounts have one unit: then those without any are in it, too
WHOLE = re.compile(r"(?<=\d)[.,][-\u2013\u2014]+$")  # 120.-, as the Swiss write whole amounts
ERROR = re.compile(r"(?<=\d)\s?(?:\u00b1|\+/-|\+-)\s?[\d.,]+(?:[eE][-+]?\d+)?")
HOURS = re.compile(
    r"(?:(?P<days>\d+) days? )?(?P<hours>\d{1,3}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:[.,]\d+)?))?"
    r"\s?(?P<half>[AP]\.?M\.?)?(?: ?(?:Uhr|h))?",
    re.IGNORECASE,
)
LAP = re.compile(r"(?P<minutes>\d{1,3}):(?P<seconds>[0-5]\d[.,]\d+)")


def parsed(texts: list[str], decimal: str) -> tuple[np.ndarray, str]:
    """(float64, nan for what is no number; its currency or unit, "" for none). Of several units it is the most frequent
    one, and what has another is no number.

    decimal: the mark before decimals in the file, unless the column itself says otherwise.
    """
    plain = [plain_number(text) for text in texts]
    if plain and ":" in plain[0] and (clock := _clock(plain)):
        return clock
    decimal = _decimal(plain, decimal)
    found = _numbers(plain, decimal)
    bare = ~np.isnan(found)
    amounts = {int(i): amount for i in np.flatnonzero(~bare) if (amount := AMOUNT.fullmatch(plain[i]))}
    amounts = {i: amount for i, amount in amounts.items() if _unit(amount)}
    units = Counter(map(_unit, amounts.values()))
    if not units:
        return found, ""
    unit, times = units.most_common(1)[0]
    if times < bare.sum():
        return found, ""
    if times < SHARED * (bare.sum() + len(amounts)):
        found[bare] = np.nan
    meant = [i for i, amount in amounts.items() if _unit(amount) == unit]
    found[meant] = _numbers([amounts[i]["sign"] + amounts[i]["number"] for i in meant], decimal)
    return found, unit


def why_lost(text: str, unit: str) -> str:
    """Why `parsed` found no number in a text, where that of the column is `unit`."""
    if BOUND.match(text):
        return "a bound (< or >), no value"
    amount = AMOUNT.fullmatch(plain_number(text))
    if amount and _unit(amount) != unit:
        return f"in another unit than {unit or 'the others, which have none'}"
    return UNREADABLE


def code_for_nothing(values: np.ndarray) -> int | None:
    """A number like -99 or 9999 that stands twice or more among values [n], below zero where no other is, or farther
    from all others than twice their span, as people write that nothing is known. None where there is none."""
    known = values[~np.isnan(values)]
    ends = {known.min(), known.max()} if len(known) else set()  # what is unlike all others is one of these
    for code in (one for one in CODES if one in ends):
        others = known[known != code]
        if len(known) - len(others) < 2 or len(others) < 2:
            continue
        low, high = others.min(), others.max()
        if code < 0 <= low < high or max(low - code, code - high) > FAR * (high - low) > 0:
            return code
    return None


def coded(texts: list[str], values: list[float], codes: Collection[str]) -> list[bool]:
    """Which cells hold one of the codes for nothing that the user names: the same word, or the same number, however it
    is written (-99,0). values: the number in each, nan for none."""
    words, numbers = {*codes}, {number for code in codes if not np.isnan(number := _numbers([code], ".")[0])}
    return [text.strip() in words or value in numbers for text, value in zip(texts, values, strict=True)]


def plain_number(text: str) -> str:
    """With plain blanks and signs, without the error that stands behind a value (4.1 ± 0.2)."""
    text = text if text.isascii() else _latin_digits(text)
    text = ERROR.sub("", WHOLE.sub("", SPACES.sub(" ", text).translate(WRITTEN).strip()))
    return f"-{text[1:-1]}" if text[:1] == "(" and text[-1:] == ")" else text  # as bookkeepers do


def _latin_digits(text: str) -> str:
    """Digits of another script, or of full width, as 0 to 9; marks that are not seen left out."""
    return "".join(str(unicodedata.decimal(letter, letter)) for letter in text if letter not in UNSEEN)


def _unit(amount: re.Match[str]) -> str:
    return (amount["money"] or "") + (amount["unit"] or "")


def _clock(texts: list[str]) -> tuple[np.ndarray, str] | None:
    """Times of day and durations, 14:35, 2:35 PM, 26:10:05, in hours; laps, 1:23.45, in seconds. None where few are."""
    for pattern, unit, scale in ((HOURS, "h", 1.0), (LAP, "s", 3600.0)):
        found = [pattern.fullmatch(text) for text in texts]
        if sum(map(bool, found)) >= SHARED * len(texts):
            return scale * np.array([_in_hours(one.groupdict()) if one else np.nan for one in found]), unit
    return None


def _in_hours(parts: dict[str, str | None]) -> float:
    days, hours, minutes = (float(parts.get(name) or 0) for name in ("days", "hours", "minutes"))
    if half := parts.get("half"):
        hours = hours % 12 + 12 * (half[0] in "pP")
    return 24 * days + hours + minutes / 60 + float((parts.get("seconds") or "0").replace(",", ".")) / 3600


def _decimal(texts: list[str], decimal: str) -> str:
    """The mark of decimals of one column: that of its file, unless its own numbers say otherwise."""
    other = "." if decimal == "," else ","
    for text in texts:
        if both := BOTH.fullmatch(text):
            return both["point"] or both["comma"]
    own, others = (
        [text for text in texts if re.fullmatch(rf"[^\d]*\d*{re.escape(mark)}\d+[^\d{re.escape(mark)}]*", text)]
        for mark in (decimal, other)
    )
    thousands = re.compile(rf"[^\d]*[1-9]\d{{0,2}}{re.escape(other)}\d{{3}}[^\d]*")
    return other if others and not own and not all(map(thousands.fullmatch, others)) else decimal


def _numbers(texts: list[str], decimal: str) -> np.ndarray:
    """Plain numbers, also with marks between thousands."""
    other = "." if decimal == "," else ","
    thousands = re.compile(rf"\s*[-+]?\d{{1,3}}(?:[{other}' ]\d{{3}})+(?:[{decimal}]\d*)?\s*")
    plain = [re.sub(rf"[{other}' ]", "", text) if thousands.fullmatch(text) else text for text in texts]
    if decimal == ",":
        plain = [text.replace(",", ".") if "." not in text else "" for text in plain]
    return np.array([float(text) if PLAIN.fullmatch(text.strip()) else np.nan for text in plain], np.float64)
