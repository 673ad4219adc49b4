"""Which validation was the best, and for how long there has been no better one."""

import math

EARLY = 0.1  # of a run: where a best validation lies so early, the rest was in vain
FEW = 8  # validations that are enough to say so
LATE = 0.25  # of a run: what it gained there tells how fast it still goes


class Best:
    """The choice among validations by one figure, `name`, of which more ("max") or less ("min") is better.

    A figure that is infinite or not a number never wins, whatever its sign, and counts as one that is not better.
    `value` is nan and `step` 0 as long as no figure was finite.
    """

    def __init__(self, name: str, direction: str):
        self.name, self.direction = name, direction
        self.value, self.step = math.nan, 0
        self.stale = 0  # validations since the best one
        self.infinite = 0  # validations whose figure was not finite
        self.records: list[tuple[int, float]] = []  # (step, value) of each that was better than all before

    def better(self, value: float, step: int) -> bool:
        """Take note of a validation. Is it the best so far, or, where none was finite yet, at least the latest?"""
        if not math.isfinite(value):
            self.infinite += 1
            self.stale += 1
            return not self.known
        wins = not self.known or (value > self.value if self.direction == "max" else value < self.value)
        self.stale = 0 if wins else self.stale + 1
        if wins:
            self.value, self.step = value, step
            self.records.append((step, value))
        return wins

    @property
    def known(self) -> bool:
        """Has there been a finite figure?"""
        return math.isfinite(self.value)

    def summary(self, step: int) -> dict[str, float | None]:
        """At the end of a run, after `step` steps: when the best was, and what it gained in the last quarter, at the
        pace since the best of the first three; None where there was none then."""
        found: dict[str, float | None] = {"steps": step, "best": self.step, "late_gain": None}
        if before := [record for record in self.records if record[0] <= (1 - LATE) * step]:
            at, value = before[-1]
            found["late_gain"] = abs(self.value - value) * min(1.0, LATE * step / max(1, self.step - at))
        return found

    def remark(self) -> str | None:
        """At the end of a run: what validations with a figure that is not finite mean for the weights that are kept."""
        if not self.infinite:
            return None
        if not self.known:
            return (
                f"validation's {self.name}, which picks the best weights, was never finite: "
                f"the last ones are kept and tested; look at the other figures"
            )
        return (
            f"validation's {self.name}, which picks the best weights, was not finite {_times(self.infinite)}; "
            f"those of step {self.step} are kept"
        )

    def lateness(self, step: int, total: int, patience: int | None) -> str | None:
        """At the end of a run, after `step` of `total` steps: that what came after the best was in vain, and which
        setting ends it sooner, or later; None where the best came late enough."""
        if not self.known or not self.step:
            return None
        if patience is not None and self.stale >= patience and step < total:
            return (
                f"ended after {step:,} of {total:,} steps: none of the {self.stale} validations since step "
                f"{self.step:,} was better (trainer.patience={patience})"
            )
        if self.step > EARLY * step:
            return None
        sooner = min(FEW, self.stale) if patience is None else max(1, patience // 2)
        return (
            f"the best validation was that of step {self.step:,}: none of {self.stale} until step {step:,} was better; "
            f"trainer.patience={sooner} ends sooner"
        )

    def state(self) -> dict:
        records = [list(one) for one in self.records]
        return {
            "name": self.name,
            "value": self.value,
            "step": self.step,
            "infinite": self.infinite,
            "records": records,
        }

    def restore(self, saved: dict, stale: int) -> str | None:
        """Go on from a checkpoint's. Returns a note where that chose by another figure, and the choice begins anew."""
        if saved.get("name", self.name) != self.name:
            return f"the best weights are chosen by {self.name} from here on, no longer by {saved['name']}"
        self.value, self.step, self.stale = float(saved["value"]), int(saved["step"]), int(stale)
        self.infinite = int(saved.get("infinite", 0))
        self.records = [(int(at), float(value)) for at, value in saved.get("records", [])]
        return None


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
