"""Data cleaning: copies, flat, tiny and unreadable photos are found before anything is trained or measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FLAT = 2.0  # standard deviation, of 255, below which a photo shows nothing
HEADER = ["photo", "domain", "split", "finding", "kept", "same as"]
REPEATED, ACROSS, BOTH = "repeated", "in train and test", "in both domains"
TOLD = {REPEATED: REPEATED, ACROSS: ACROSS, BOTH: f"{BOTH}, where none stays"}


@dataclass(frozen=True)
class Photo:
    """What is looked at of a photo.

    name     no other photo has it
    split    train, test, or "" before there is one
    shown    hash of its pixels; sides: width and height before it was resized
    spread   standard deviation of its pixels, of 255
    problem  why it cannot be read; then the rest is unknown
    """

    name: str
    domain: str
    split: str = ""
    shown: str = ""
    sides: tuple[int, int] = (0, 0)
    spread: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Cleaned:
    """stay: numbers of the photos that do; finding: {number: what it is, of any that goes or has a copy}.

    note: one line, or ""; table: rows of all findings, a header first.
    """

    stay: list[int]
    finding: dict[int, str]
    note: str
    table: list[list[str]]


def cleaned(photos: list[Photo], size: int, thorough: bool = True, near: Iterable[tuple[int, int]] = ()) -> Cleaned:
    """Which of these photos stay, none of whose sides may be below `size` pixels, and what is wrong with the others.

    Unreadable, tiny and flat ones go. Of pictures that are identical, however they are packed, or nearly so (near:
    pairs of their numbers): in both domains, all go; in train and test of one domain, those of train go; else the
    first stays. Not thorough: unreadable and tiny.
    """
    finding = {i: why for i, photo in enumerate(photos) if (why := _unusable(photo, size, thorough))}
    gone = set(finding)
    same: dict[int, list[int]] = {}
    copies: Counter[str] = Counter()
    for alike in _alike(photos, gone, near) if thorough else ():
        first, told = _judged(photos, alike)
        finding |= told
        same |= {i: [j for j in alike if j != i] if first in (None, i) else [first] for i in alike}
        leave = [i for i in alike if i != first]
        gone.update(leave)
        copies.update(told[i] for i in leave)
    rows = [
        [
            photos[i].name,
            photos[i].domain,
            photos[i].split,
            why,
            "no" if i in gone else "yes",
            "; ".join(photos[j].name for j in same.get(i, ())),
        ]
        for i, why in sorted(finding.items())
    ]
    counted = _told(photos, finding, copies)
    who, see = ("clean: ", ", see clean.csv") if thorough else ("", "")
    note = f"{who}{len(gone):,} of {len(photos):,} photos left out{see}: {counted}" if gone else ""
    return Cleaned([i for i in range(len(photos)) if i not in gone], finding, note, [HEADER, *rows])


def _unusable(photo: Photo, size: int, thorough: bool) -> str:
    if photo.problem:
        return f"unreadable ({photo.problem})"
    if min(photo.sides) < size:
        return f"tiny ({photo.sides[0]} x {photo.sides[1]})"
    return "flat" if thorough and photo.spread < FLAT else ""


def _alike(photos: list[Photo], gone: set[int], near: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Numbers of the photos that share their pixels with others, or nearly do."""
    first: dict[str, int] = {}
    same = [(first.setdefault(photo.shown, i), i) for i, photo in enumerate(photos) if i not in gone]
    group = {i: [i] for i in range(len(photos)) if i not in gone}
    for i, j in [*same, *near]:
        if i in group and j in group and group[i] is not group[j]:
            one = sorted(group[i] + group[j])
            group |= dict.fromkeys(one, one)
    return [one for i, one in group.items() if len(one) > 1 and i == one[0]]


def _judged(photos: list[Photo], alike: list[int]) -> tuple[int | None, dict[int, str]]:
    """Of identical photos: the one that stays, and what each of them is."""
    if len({photos[i].domain for i in alike}) > 1:
        return None, dict.fromkeys(alike, BOTH)
    test = [i for i in alike if photos[i].split == "test"]
    if not test or len(test) == len(alike):
        return alike[0], dict.fromkeys(alike, REPEATED)
    return test[0], dict.fromkeys(alike, ACROSS) | dict.fromkeys(test[1:], REPEATED)


def _told(photos: list[Photo], finding: dict[int, str], copies: Counter[str]) -> str:
    told = []
    if copies:
        kinds = ", ".join(f"{copies[why]} {words}" for why, words in TOLD.items() if copies[why])
        told.append(f"{copies.total()} copies ({kinds})")
    for kind in ("flat", "tiny", "unreadable"):
        names = [photos[i].name for i, why in sorted(finding.items()) if why.startswith(kind)]
        if names:
            told.append(f"{len(names)} {kind} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})")
    return "; ".join(told)
