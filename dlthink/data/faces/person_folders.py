"""Whose photo it is: folders named after people; and what is said of photos that cannot be used."""

from __future__ import annotations

import re

DATE = re.compile(r"(19|20)\d\d([-_. ]?(0[1-9]|1[0-2])([-_. ]?(0[1-9]|[12]\d|3[01]))?)?")  # 2019, 2019-05, 20190531


def people_of(names: list[str], within: str = "") -> tuple[list[str], dict[str, str]]:
    """Whose folder each photo lies in, "" for none; and why there is none.

    Folders that all photos share (what a zip was packed from) do not count; the next one is the person. But where all
    of these are called after a date, all photos show one person, after whom the folder above is called; `within`: that
    of the outermost ones.
    """
    parts, above = [name.split("/") for name in names], within
    while parts and all(len(one) > 2 for one in parts) and len({one[0] for one in parts}) == 1:
        above = parts[0][0]
        parts = [one[1:] for one in parts]
    people = [one[0] if len(one) > 1 else "" for one in parts]
    if above and any(people) and all(DATE.fullmatch(person) for person in people if person):
        people = [above if person else "" for person in people]
    return people, {name: "in no person's folder" for name, person in zip(names, people, strict=True) if not person}


def left_out(rejected: dict[str, str], total: int) -> list[str]:
    """One line that accounts for every photo without pixels or person."""
    if not rejected:
        return []
    reasons: dict[str, list[str]] = {}
    for name, why in rejected.items():
        reasons.setdefault(why, []).append(name)
    told = "; ".join(f"{len(names)} {why} ({', '.join(names[:3])})" for why, names in reasons.items())
    return [f"{len(rejected)} of {total} photos left out: {told}"]
