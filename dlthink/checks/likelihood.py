"""Is the value of a cost minus a log probability, whole, so that it can be compared with other families?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlthink.checks import elicitation
from dlthink.checks.finding import Finding
from dlthink.checks.kinds.kind import made
from dlthink.checks.minimum import Minimum, read
from dlthink.checks.question import question
from dlthink.distributions.optional_formulas import log_prob
from dlthink.training.terms import twin

if TYPE_CHECKING:
    from dlthink.checks.kinds.kind import Kind, Make
    from dlthink.checks.truth import Truth

SAME = 2e-3  # nats
NEARLY = 0.15  # nats: an approximation of the log probability, and not another cost


@question("log score")
def check_log_score(kind: Kind, make: Make, truth: Truth, minimum: Minimum, whole: bool) -> Iterator[Finding]:
    """The cost of one target at several answers against the log probability that is read out there.

    The difference may be nothing, a constant, a function of the target alone (a missing log k!, or an approximation of
    it), a function of the answer alone (a missing normalizer), or neither: then the cost is no likelihood.
    minimum: where the cost is smallest on this truth. whole: are targets whole numbers?
    """
    name = "log score"
    loss = elicitation.prepared(made(make, kind.facts()), truth.y).eval()
    first = elicitation.first(minimum.answers[:2])  # where a minimum is wrong, too, counts have a probability
    answers = torch.cat((minimum.answers, first))
    read_out = read(loss, answers)
    says = _log_prob(read_out, whole)
    if says is None:
        return
    y, said = _targets(read_out, whole, truth.y), []
    for row in y:
        said.append(says(row.expand(len(answers), -1)))
    said = torch.stack(said).mean(2)  # [targets, answers]: a mean over the columns of y, as the cost is one
    cost = _costs(loss, answers, y)
    off = cost + said
    seen = (said > -25) & cost.isfinite()
    if not seen.any():
        return
    apart = (off - off[seen].mean()).masked_fill(~seen, 0.0)
    by_target = torch.where(seen, off, torch.nan).nanmean(1, keepdim=True)
    alone = (off - by_target).masked_fill(~seen, 0.0)
    if float(apart.abs().max()) <= SAME:
        exact = abs(float(off[seen].mean())) <= SAME
        yield Finding(
            name,
            "passed",
            "its value is minus the log probability itself, in nats: it can be compared with other families"
            if exact
            else "its value is minus the log probability but for a constant (the unit of the target)",
        )
    elif float(alone.abs().max()) <= SAME and whole:
        error = by_target.flatten()
        if float(error.abs().max()) <= NEARLY:
            k = int(error.abs().argmax())
            yield Finding(
                name,
                "failed",
                f"log k! is an approximation (Stirling's), off by {abs(error[k]):.3f} nats at a count of "
                f"{int(y[k, 0])}: small counts are most of what there is, and no log score can be compared",
                "torch.lgamma(k + 1) is exact",
            )
        else:
            yield Finding(
                name,
                "told",
                "minus the log probability but for a function of the counts alone (log k! is missing): it trains the "
                "same, and its value is no log score",
                "add torch.lgamma(k + 1) to compare it with other families",
            )


def _log_prob(read_out: dict, whole: bool):
    if "distribution" in read_out:
        return lambda y: log_prob(read_out["distribution"], y).double()
    if whole:
        rate = elicitation.centre(read_out).clamp(min=1e-30)
        return lambda y: y * rate.log() - rate - torch.lgamma(y + 1)
    if "std" in read_out:
        normal = torch.distributions.Normal(elicitation.centre(read_out), read_out["std"].double(), validate_args=False)
        return normal.log_prob
    return None


def _targets(read_out: dict, whole: bool, seen: Tensor) -> Tensor:
    """[targets, n_targets] that answers will be asked about, none beyond those that were seen."""
    if whole:
        few = min(9, int(seen.max()) + 1)
        return torch.arange(few, dtype=torch.float64)[:, None].expand(-1, elicitation.centre(read_out).shape[1])
    middle = elicitation.centre(read_out).mean(0)
    wide = elicitation.spread(read_out)
    wide = seen.std(0) if wide is None or not wide.isfinite().all() else wide.mean(0)
    y = middle + wide * torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    return y.clamp(seen.amin(0), seen.amax(0))


def _costs(loss: nn.Module, answers: Tensor, y: Tensor) -> Tensor:
    """The cost of each target at each answer alone: [targets, answers]."""
    rows = []
    with torch.no_grad():
        for row in y:
            rows.append([float(reduce(add, twin(loss)(a.expand(2, -1), row.expand(2, -1)).values())) for a in answers])
    return torch.tensor(rows, dtype=torch.float64)
