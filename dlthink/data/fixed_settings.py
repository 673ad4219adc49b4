"""Settings that are part of a trained run: other ones would make a test of what was training."""

from __future__ import annotations

import inspect
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
        was = state.get(name, _default(type(data), name, value))  # a run of before there was such a setting
        if was != value:
            why = "" if elsewhere else ", what it answers, or what is training and what is test"
            so = "without it" if was is None else f"with {_word(was)}"
            raise BadInput(
                f"data.{name}={_word(value)}: the run was trained {so}, which decides what the network sees{why}; "
                f"leave it, or train anew"
            )
    return settings


def _default(data: type, name: str, otherwise: Any) -> Any:
    """What a setting is where nobody says it."""
    for kind in data.__mro__:
        found = inspect.signature(kind.__init__).parameters.get(name) if "__init__" in vars(kind) else None
        if found is not None and found.default is not found.empty:
            return found.default
    return otherwise


def _word(value: Any) -> str:
    """As it is typed on the command line."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_word, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{name}:{_word(inner)}' for name, inner in value.items())}}}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
