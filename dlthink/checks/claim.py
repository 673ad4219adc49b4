"""What a cost was found to elicit, held against what its docstring says."""

from torch import nn

from dlthink.checks.finding import Finding, Outcome
from dlthink.checks.functionals import LEVEL, claimed, claimed_level

EVEN = {"quantile": "median", "expectile": "mean"}  # what these of level 1/2 are called
DISTRIBUTIONS = {"whole distribution", "quantiles"}  # what is seen only where a distribution is read out


def asks_for(
    loss: nn.Module,
    word: str,
    text: str,
    outcome: Outcome,
    advice: str = "",
    has_distribution: bool = True,
    level: float | None = None,
) -> Finding:
    """The line of the table. outcome, advice: where the docstring says nothing; what it says decides otherwise.

    has_distribution: is a distribution read out? level: of the quantile or expectile that was found.
    """
    said, wanted = claimed(type(loss).__doc__), claimed_level(type(loss).__doc__)
    if said is None:
        return Finding("asks for", outcome, text, advice)
    if said in EVEN and wanted == 0.5:
        said = EVEN[said]
    if said == word:
        if None not in (level, wanted) and abs(level - wanted) > LEVEL:
            why = f"{text}; its docstring says that it elicits: {said} {wanted:g}"
            return Finding("asks for", "failed", why, _other_level(level, wanted))
        return Finding("asks for", "passed", text)
    if said in DISTRIBUTIONS and outcome != "failed" and not has_distribution:
        why = f"{text}; its docstring says more: {said}"
        return Finding("asks for", "told", why, "read out a `distribution` with quantiles, and that is asked about")
    why = f"{text}; its docstring says that it elicits: {said}"
    cure = advice if outcome == "failed" and advice else "mend the cost"
    cure += "" if word == "nothing" else f"; or, if you want it so, say {word} in its docstring"
    return Finding("asks for", "failed", why, cure)


def _other_level(level: float, wanted: float) -> str:
    """Where to look, by the level that was found and the one that the docstring says."""
    if abs(level - (1 - wanted)) <= LEVEL:
        return "too high and too low are exchanged: with e = y - out it is max(p e, (p - 1) e)"
    return "mend the level, or say the one that it has in its docstring"
