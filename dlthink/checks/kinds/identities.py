"""Identities: photos of known people, as points that are to lie near each other or far apart."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from dlthink.checks import ranking
from dlthink.checks.claim import asks_for
from dlthink.checks.cost_on_batch import CostOnBatch
from dlthink.checks.distances import over_distances
from dlthink.checks.finding import Finding, Report
from dlthink.checks.kinds.kind import Case, Kind, Make, made, noise
from dlthink.checks.landscape import Landscape
from dlthink.checks.question import question
from dlthink.checks.reduction import check_pairs, check_row_by_row

PEOPLE, PHOTOS = 8, 4  # of a batch
FOUND = {  # what may be wanted
    "ranking": ("passed", ""),
    "neighbours": (
        "told",
        "a person may lie in several places: enough to find somebody, not for one threshold, as loss=triplet asks",
    ),
}


class Identities(Kind):
    """y [n] who is on each photo; answers [n, outputs_per_target], an embedding."""

    name = "identities"
    pictured_as = "Cost of photos of eight people, over how far they lie apart"
    beside = ("triplet", "contrastive", "no_margin")

    def facts(self) -> dict[str, Any]:
        return {"n_targets": 1, "n_identities": 2 * PEOPLE, "channels": 3, "size": 32}

    def case(self, make: Make) -> Case:
        loss = made(make, self.facts())
        return Case(loss, self.answers(loss, PEOPLE), self.people(PEOPLE))

    def people(self, people: int) -> Tensor:
        """Who is on each photo, in a random order."""
        y = torch.arange(people).repeat_interleave(PHOTOS)
        return y[torch.randperm(len(y), generator=torch.Generator().manual_seed(people))]

    def answers(self, loss: Any, people: int) -> Tensor:
        """Answers of a network with its first weights."""
        return noise(people * PHOTOS, loss.outputs_per_target, seed=people, size=0.5).float()

    def landscape(self, make: Make, name: str) -> Landscape:
        return over_distances(self.case(make).asked, name)

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        asked = case.asked
        more = CostOnBatch(case.loss, self.answers(case.loss, 2 * PEOPLE), self.people(2 * PEOPLE))
        yield from check_pairs(asked, more)
        yield from check_row_by_row(case.single)
        yield from ranking.check_pull(asked)
        yield from ranking.check_push(asked)
        yield from ranking.check_length(asked)
        yield from ranking.check_hard(asked)
        collapses = yield from ranking.check_constant(asked)
        yield from self._elicited(case, bool(collapses), report)

    @question("asks for")
    def _elicited(self, case: Case, collapses: bool, report: Report) -> Iterator[Finding]:
        word, text = ranking.elicited(case.asked)
        if collapses:
            word, text = "nearness", "nearness alone: all photos of all people may be one point"
        report.elicits = word
        outcome, advice = FOUND.get(word, ("failed", "the same person near, others far: compare with loss=triplet"))
        yield asks_for(case.loss, word, text, outcome, advice)
