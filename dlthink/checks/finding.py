"""What a check of a cost found: passed, failed or told, what it is, and what to do."""

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["passed", "failed", "told"]
WIDEST = 140  # columns of a table that is still read with pleasure
NOTEBOOK = 96  # of one that a notebook shows without breaking its lines


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    passed: as it should be. failed: whoever trains with this cost will not get what was wanted. told: nothing is
    wrong, and whoever designs the cost should know it.
    """

    check: str
    outcome: Outcome
    why: str
    advice: str = ""


@dataclass
class Report:
    """All that was found about a cost of one kind of target."""

    cost: str
    kind: str
    findings: list[Finding] = field(default_factory=list)
    elicits: str | None = None  # what it asks for, in the words of `functionals`

    @property
    def failed(self) -> list[Finding]:
        """The findings that make it fail."""
        return [finding for finding in self.findings if finding.outcome == "failed"]

    @property
    def passed(self) -> bool:
        """Has nothing failed?"""
        return not self.failed

    def __getitem__(self, check: str) -> Finding:
        """The finding of that check. Raises KeyError where it was not asked."""
        found = {finding.check: finding for finding in self.findings}
        return found[check]

    def __str__(self) -> str:
        return table(self, shutil.get_terminal_size((NOTEBOOK, 24)).columns)


class Reports(list[Report]):
    """What was found for each kind of target that a cost fits."""

    @property
    def passed(self) -> bool:
        """Has nothing failed?"""
        return all(report.passed for report in self)

    def __repr__(self) -> str:
        return "\n\n".join(map(str, self))


def table(report: Report, width: int) -> str:
    """The findings as a table of so many columns: check, outcome, what was found, what to do."""
    width = max(60, min(width, WIDEST))
    first = max(len(finding.check) for finding in report.findings)
    rest = width - first - 2 - 6 - 2 - 2
    advice = max(20, rest * 3 // 8)
    why = rest - advice
    rows = [("check", "", "what was found", "what to do")]
    rows += [(finding.check, finding.outcome, finding.why, finding.advice) for finding in report.findings]
    lines = [f"{report.cost} on {report.kind}"]
    for check, outcome, *texts in rows:
        widths = (why, advice) if texts[1] else (rest + 2, advice)
        columns = [textwrap.wrap(text, wide) or [""] for text, wide in zip(texts, widths, strict=True)]
        for i in range(max(map(len, columns))):
            left, right = (column[i] if i < len(column) else "" for column in columns)
            name, said = (check, outcome) if i == 0 else ("", "")
            lines.append(f"{name:<{first}}  {said:<6}  {left:<{why}}  {right}".rstrip())
    return "\n".join([*lines, summary(report.findings)])


def summary(findings: Iterable[Finding]) -> str:
    """`11 passed, 1 told, 2 failed: gradient, elicits`."""
    findings = list(findings)
    counts = {outcome: sum(f.outcome == outcome for f in findings) for outcome in ("passed", "told", "failed")}
    failed = ", ".join(finding.check for finding in findings if finding.outcome == "failed")
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count or outcome == "failed")
    return said + (f": {failed}" if failed else "")
