"""What a cost was found to elicit, held against what its docstring says."""

from torch import nn

from dlthink.checks.finding import Finding, Outcome
from dlthink.checks.functionals import claimed


def asks_for(loss: nn.Module, word: str, text: str, outcome: Outcome, advice: str = "") -> Finding:
    """The line of the table. outcome, advice: where the docstring says nothing; what it says decides otherwise."""
    said = claimed(type(loss).__doc__)
    if said is None:
        return Finding("asks for", outcome, text, advice)
    if said == word:
        return Finding("asks for", "passed", text)
    why = f"{text}; its docstring says that it elicits: {said}"
    return Finding("asks for", "failed", why, "mend the cost, or what is said of it")
