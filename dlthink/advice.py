"""What a note says to try, without what its run does already or cannot do."""

from __future__ import annotations

import re

from torch import nn

from dlthink.cost_name import cost_name

WAYS = re.compile(r"(?P<before>[;:] try )(?P<ways>.*)")
BETWEEN = re.compile(r",? and |,? or |, ")
OTHER = "; is all of it here what it was in training, in the same units? Else train on samples like these"
SETTING, CHOICE = re.compile(r"loss\.(\w+)=(\w+)"), re.compile(r"loss=(\w+)")


def apt(line: str, loss: nn.Module) -> str:
    """`what is wrong; try one, another` with the ways that are left to a run with this cost.

    loss.KEY=VALUE goes where the cost has no such setting, or has that value; loss=NAME where it is that cost.
    """
    found = WAYS.search(line)
    if found is None:
        return line
    ways = BETWEEN.split(found["ways"])
    left = [way for way in ways if not _idle(way, loss)]
    if len(left) == len(ways):
        return line
    return line[: found.start()] + (found["before"] + ", ".join(left) if left else "")


def on_other_data(line: str) -> str:
    """`what is wrong; try one, another` of other data than those of training: what can be done there."""
    found = WAYS.search(line)
    return (line[: found.start()] if found else line) + OTHER


def _idle(way: str, loss: nn.Module) -> bool:
    """Would each of its words change nothing?"""
    choices = [cost_name(loss) == choice for choice in CHOICE.findall(way)]
    settings = [str(vars(loss).get(key, value)) == value for key, value in SETTING.findall(way)]
    return bool(choices + settings) and all(choices + settings)
