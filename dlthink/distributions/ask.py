"""Ask a distribution of anybody's: dlthink's, torch's, or one of the user's own, which may know less."""

from __future__ import annotations

from typing import Any


def ask(distribution: Any, name: str, *given: Any) -> Any:
    """What it says of `given` by that method, or by that attribute; None where its family has no such formula.

    Torch's families have every method, and raise NotImplementedError for what they cannot do.
    """
    try:
        answer = getattr(distribution, name, None)
        return answer(*given) if callable(answer) else answer
    except NotImplementedError:
        return None
