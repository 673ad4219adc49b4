"""The domains of an unpaired translation: their names, and which one is made of which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from torch import nn

from dlthink.errors import BadInput

PACKED = re.compile(r"\.(zip|tgz|tar(\.\w+)?)$", re.IGNORECASE)
# a network's answers are called back_NAME and same_NAME, all of a photo is "whole", and torch's containers have names
RESERVED = {"whole", *dir(nn.ModuleDict())}
HOW = "data.domains=[horse,zebra], say"

Value = TypeVar("Value")


def checked(domains: Sequence[str]) -> list[str]:
    """Two names that figures, columns of tables and the weights of networks can be called after. Raises BadInput."""
    said = f"data.domains=[{','.join(domains)}]"
    if len(domains) != 2 or domains[0].casefold() == domains[1].casefold():
        raise BadInput(f"{said}: must be two different names, {HOW}")
    for name in domains:
        if not re.fullmatch(r"[^\W_][\w-]*", name):
            raise BadInput(f"{said}: a name is of letters, digits, - and _, and begins with a letter or digit; {HOW}")
        if name in RESERVED or name.startswith(("back_", "same_")):
            raise BadInput(f"{said}: {name} already means something else here; give another name, {HOW}")
    return list(domains)


def named_after(a: str, b: str) -> list[str]:
    """What two folders or archives are called, but for what no name may have in it. Raises BadInput."""
    ends = (re.split(r"[/\\]", place.rstrip("/\\"))[-1] for place in (a, b))
    names = [re.sub(r"[^\w-]+", "_", PACKED.sub("", end)).strip("_-") for end in ends]
    try:
        return checked(names)
    except BadInput as error:
        raise BadInput(f"{a} and {b} do not give two names: say {HOW}") from error


def swapped(both: dict[str, Value]) -> dict[str, Value]:
    """What belongs to one domain by the name of the other, which is made of it: {"zebra": a, "horse": b}."""
    (a, of_a), (b, of_b) = both.items()
    return {b: of_a, a: of_b}
