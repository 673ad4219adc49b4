"""What a cost was found to elicit, held against what its docstring says."""

from torch import nn

from dlthink.checks.finding import Finding, Outcome
from dlthink.checks.functionals import claimed

DISTRIBUTIONS = {"whole distribution", "quantiles"}  # what is seen only where a distribution is read out


def asks_for(
    loss: nn.Module, word: str, text: str, outcome: Outcome, advice: str = "", has_distribution: bool = True
) -> Finding:
    """The line of the table. outcome, advice: where the docstring says nothing; what it says decides otherwise.

    has_distribution: is a distribution read out?
    """
    said = claimed(type(loss).__doc__)
    if said is None:
        return Finding("asks for", outcome, text, advice)
    if said == word:
        return Finding("asks for", "passed", text)
    if said in DISTRIBUTIONS and word in ("mean", "median") and not has_distribution:
        why = f"{text}; its docstring says more: {said}"
        return Finding("asks for", "told", why, "read out a `distribution`, too, and that is asked about")
    why = f"{text}; its docstring says that it elicits: {said}"
    cure = "mend the cost" if word == "nothing" else f"mend the cost, or say {word} in its docstring"
    return Finding("asks for", "failed", why, cure)
