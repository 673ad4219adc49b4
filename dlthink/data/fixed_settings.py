"""Settings that are part of a trained run: other ones would make a test of what was training."""

from __future__ import annotations

from typing import Any

from dlthink.errors import BadInput
from dlthink.protocols import Data


def fixed(data: Any, state: dict | None, elsewhere: bool = False) -> dict[str, Any]:
    """The settings named in `data.fixed`, by name, for the state. BadInput where a run's `state` has others.

    elsewhere: of another data set, which the run was not split by, only those of `data.prepares` are the run's.
    """
    settings = {name: getattr(data, name) for name in data.fixed}
    for name, value in settings.items() if state is not None else ():
        if elsewhere and name not in Data.prepares.of(data):
            continue
        if state.get(name, value) != value:  # a run of before there was such a setting has none
            why = "" if elsewhere else ", or what is training and what is test"
            raise BadInput(
                f"data.{name}={_word(value)}: the run was trained with {_word(state[name])}, which decides what the "
                f"network sees{why}; leave it, or train anew"
            )
    return settings


def _word(value: Any) -> str:
    """As it is typed on the command line."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_word, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
