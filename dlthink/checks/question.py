"""A question that the cost ends by an exception is a line of the table with its place; all others are asked."""

from collections.abc import Callable, Generator, Iterator
from functools import wraps
from typing import Any

from dlthink.checks.finding import Finding, Outcome
from dlthink.errors import BadInput
from dlthink.user_errors import blamed

Check = Callable[..., Iterator[Finding]]


def question(
    name: str, outcome: Outcome = "told", why: str = "not asked, the cost ends it"
) -> Callable[[Check], Check]:
    """A check of this name. outcome, why: what it means that the cost raises an exception when it is asked."""

    def guarded(check: Check) -> Check:
        @wraps(check)
        def asked(*args: Any, **kwargs: Any) -> Generator[Finding, None, Any]:
            try:
                return (yield from check(*args, **kwargs))
            except Exception as error:
                yield Finding(name, outcome, f"{why}: {refusal(error)}")
                return None

        return asked

    return guarded


def refusal(error: Exception) -> str:
    """What the cost says, in one line with its place. What is no mistake of the cost's is raised again."""
    mistake = error if isinstance(error, BadInput) else blamed(error)
    if mistake is None or isinstance(error, MemoryError | OSError):
        raise error
    return str(mistake)
