"""Domains: photos of summers and of winters, and what makes one of the other."""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from dlthink.checks.claim import asks_for
from dlthink.checks.cost_on_batch import CostOnBatch, names_of
from dlthink.checks.finding import Finding, Report
from dlthink.checks.kinds.kind import Case, Kind, Make, made
from dlthink.checks.landscape import Landscape, Place
from dlthink.checks.question import question
from dlthink.checks.reduction import check_reduction, check_row_by_row
from dlthink.protocols import Loss
from dlthink.training.terms import twin

DOMAINS = ["summer", "winter"]
PHOTOS, SIDE = 2, 32  # of a batch; pixels
LEARNS, OFTEN, RATE = 60, 6, 1e-3  # steps of an adversary by Adam, at most; after how many it is asked
SEES = 0.05  # of the cost of a network that changes nothing: it lies as far above the truth's once that is seen
SHARES, ERRORS = (0.0, 1.4), (0.0, 0.4)  # of a landscape: of the way to the truth; of photos that have come back
SEEN = 1e-3  # of what is at stake: a smaller difference is none
GRID = 9
NO_LOOK = "nothing in the cost asks for the other domain: a discriminator sees it"
NO_JUDGE = "its adversary_loss must ask for something else of real photos than of made ones"
SWAPPED = (
    "the adversary learns, and the cost rewards what it takes for unchanged: are real and made the wrong way round in "
    "forward or adversary_loss, or is the other domain's discriminator asked?"
)
OUTWEIGHED = "does another term ask for the photo as it is, or the adversary the same of real and made photos?"
COMPARED = "is it out[name] that is compared with y[name], and back_name with y[name]?"
SAME = "an identity compares out[same_name] with y[name], of the same name"
NO_WAY_BACK = "nothing in the cost asks for the photo itself: a way back does"
OTHER_WAY_BACK = (
    "it looks at what came back, and does not ask for the photo that it was made of: is back_name compared with "
    "y[name], of the same name?"
)


def photos(seed: int) -> dict[str, Tensor]:
    """Other scenes each time: [n, 3, side, side] of each domain in [-1, 1]. What a winter is, `winter` says."""
    chance = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, PHOTOS, 3, 8, 8, generator=chance) * 1.2 - 0.9
    scenes = [interpolate(one, SIDE, mode="bilinear", align_corners=False) for one in coarse]
    return {"summer": scenes[0], "winter": winter(scenes[1])}


def winter(summer: Tensor) -> Tensor:
    """What a summer's photo looks like in winter: paler, brighter, with stripes of snow."""
    stripes = (torch.arange(SIDE) % 4 < 2).to(summer) * 0.3
    return 0.4 * summer + 0.3 + stripes


def summer(winter: Tensor) -> Tensor:
    """The way back."""
    stripes = (torch.arange(SIDE) % 4 < 2).to(winter) * 0.3
    return (winter - 0.3 - stripes) / 0.4


def answered(y: dict[str, Tensor], share: float = 1.0, error: float = 0.0) -> dict[str, Tensor]:
    """What a network makes that goes `share` of the way to the truth, and comes back with that mean error."""
    true = {"winter": winter(y["summer"]), "summer": summer(y["winter"])}
    unchanged = {"winter": y["summer"], "summer": y["winter"]}
    out = {domain: unchanged[domain] + share * (true[domain] - unchanged[domain]) for domain in DOMAINS}
    chance = torch.Generator().manual_seed(5)
    off = {domain: torch.randn(y[domain].shape, generator=chance).to(y[domain]).sign() * error for domain in DOMAINS}
    return out | {f"{word}_{domain}": y[domain] + off[domain] for word in ("back", "same") for domain in DOMAINS}


class Domains(Kind):
    """y and answers are photos by name, as `protocols` and losses/translations say."""

    name = "domains"
    beside = ("cyclegan", "cycle")
    pictured_as = "Cost of photos of two made-up seasons, after the adversary has learned that nothing was changed"

    def facts(self) -> dict[str, Any]:
        return {"n_targets": 3, "colors": 3, "domains": DOMAINS}

    def case(self, make: Make) -> Case:
        y = photos(0)
        chance = torch.Generator().manual_seed(1)
        out = {name: 0.5 * torch.randn(x.shape, generator=chance) for name, x in answered(y).items()}
        return Case(made(make, self.facts()), out, y)

    def examined(self, make: Make, case: Case, report: Report) -> Iterator[Finding]:
        yield from check_reduction(case.asked)
        yield from check_row_by_row(case.single)
        yield from self._elicited(case, report)

    @question("asks for")
    def _elicited(self, case: Case, report: Report) -> Iterator[Finding]:
        asked, gained = learned(case.loss)
        y = asked.y
        lazy = {
            "a winter of another summer, and back to the mean photo": _forgets(y, _mean_photo),
            "a winter of another summer, and back to the photo with its halves exchanged": _forgets(y, _shifted),
        }
        ways = (answered(y), answered(y, share=0.0), *lazy.values())
        true, nothing, *forgets = (asked.value(one) for one in ways)
        more = SEEN * max(abs(one) for one in (true, nothing, *forgets))
        if gained < 0 < nothing - true:
            why = "the adversary does not learn to tell true photos of the other domain from photos left as they are"
            yield Finding("changing nothing", "failed", why, NO_JUDGE)
            true = nothing
        else:
            cure = SWAPPED if gained < 0 else OUTWEIGHED if gained > 0 else _mixed_up(asked, more) or NO_LOOK
            yield _against("changing nothing", nothing, true, more, "a network that changes nothing", cure)
        forgets, how = min(zip(forgets, lazy, strict=True))
        cure = OTHER_WAY_BACK if forgets <= true + more and _looks_back(asked) else NO_WAY_BACK
        yield _against("forgetting the photo", forgets, true, more, how, cure)
        if asked.value(_as_other(y)) < true - more:
            why = "a photo that is of its domain already costs less where it becomes one of the other domain"
            yield Finding("as it is", "failed", why, SAME)
        seen = true + more
        word = "translation" if seen < min(nothing, forgets) else "way back" if seen < forgets else "nothing"
        text = {
            "translation": "a translation: a true winter of each photo costs less than the photo itself, or another's",
            "way back": "a way back alone: whatever leads back to the photo it came from is as good",
            "nothing": "nothing: a true winter of each photo costs no less than another photo's",
        }[word]
        report.elicits = word
        good = word == "translation"
        yield asks_for(case.loss, word, text, "passed" if good else "failed", "compare with loss=cyclegan" * (not good))

    def landscape(self, make: Make, name: str) -> Landscape:
        asked, _ = learned(made(make, self.facts()))
        shares, errors = (torch.linspace(*ends, GRID, dtype=torch.float64) for ends in (SHARES, ERRORS))
        values = torch.tensor([[asked.value(answered(asked.y, float(s), float(e))) for s in shares] for e in errors])
        x, y = torch.meshgrid(shares, errors, indexing="xy")
        slopes = -torch.gradient(values[0], spacing=(shares,))[0]
        at = (shares - 1).abs().argmin()
        places = [Place("unchanged", 0, 0, float(slopes[0])), Place("truth", 1, 0, float(slopes[at]))]
        return Landscape(
            name,
            x,
            y,
            values,
            (shares, values[0], slopes),
            places,
            ("share of the way to a true winter", "error of what came back"),
            "share of the way, without that error",
        )


def _against(check: str, cost: float, true: float, more: float, what: str, cure: str) -> Finding:
    if cost > true + more:
        return Finding(check, "passed", f"{what} costs more than true winters and summers do")
    return Finding(
        check,
        "failed",
        f"{what} wins: it costs {cost:.3g}, true winters and summers {true:.3g}",
        cure,
    )


def _mixed_up(asked: CostOnBatch, more: float) -> str | None:
    """Which terms cost the truth more than photos left as they are."""
    unchanged, true = asked.terms(answered(asked.y, share=0.0)), asked.terms()
    if terms := [term for term, cost in unchanged.items() if cost + more < true[term]]:
        return f"{' and '.join(terms)} asks for photos as they are: {COMPARED}"
    return None


def _looks_back(asked: CostOnBatch) -> bool:
    """Does the cost depend on what has come back?"""
    slopes = zip(names_of(asked.out), asked.slopes(), strict=True)
    return any(bool(slope.any()) for name, slope in slopes if name.startswith("back_"))


def _forgets(y: dict[str, Tensor], back: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """A true photo of the other domain, but another's, so that a discriminator sees nothing; and what comes back."""
    true = answered(y)
    others = {domain: true[domain].roll(1, 0) for domain in DOMAINS}
    return true | others | {f"back_{domain}": back(y[domain]) for domain in DOMAINS}


def _as_other(y: dict[str, Tensor]) -> dict[str, Tensor]:
    """The truth, but for photos of each domain that shall stay as they are: they become those of the other."""
    a, b = DOMAINS
    return answered(y) | {f"same_{a}": y[b], f"same_{b}": y[a]}


def _mean_photo(photos: Tensor) -> Tensor:
    """The mean of all, for each."""
    return photos.mean(0, keepdim=True).expand_as(photos)


def _shifted(photos: Tensor) -> Tensor:
    """Each with its halves at each other's place: its colours are all there."""
    return photos.roll((SIDE // 2, SIDE // 2), (2, 3))


def learned(loss: nn.Module) -> tuple[CostOnBatch, float]:
    """The cost, and photos it has not seen, after its adversary has learned against a network that changes nothing;
    and by how much that has set changing nothing apart from the truth.

    It learns until it sees that, if it can.
    """
    cost = twin(loss).train()
    opponent, y = Loss.adversary.of(cost), photos(7)
    weights = [] if opponent is None else [p for p in opponent.parameters() if p.requires_grad]
    search = torch.optim.Adam(weights, lr=RATE, betas=(0.5, 0.999)) if weights else None
    first = last = _lead(cost, y)[0] if search else 0.0
    for step in range(LEARNS if search else 0):
        search.zero_grad()
        others = photos(100 + step)
        reduce(add, Loss.adversary_loss.of(cost)(answered(others, share=0.0), others).values()).backward()
        search.step()
        if step % OFTEN == OFTEN - 1:
            last, nothing = _lead(cost, y)
            if last > SEES * abs(nothing) and last > first:
                break
    return CostOnBatch(twin(cost).eval(), answered(y), y, torch.float32), last - first


def _lead(cost: nn.Module, y: dict[str, Tensor]) -> tuple[float, float]:
    """(what changing nothing costs more than the truth, what it costs)."""
    asked = CostOnBatch(cost, answered(y), y, torch.float32)
    nothing, true = asked.value(answered(y, share=0.0)), asked.value(asked.out)
    return nothing - true, nothing
