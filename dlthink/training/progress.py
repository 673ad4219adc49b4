"""What a run tells while it trains: its terms, rates and speed as curves, a bar, and what its cost remarks."""

import sys
import time
from pathlib import Path

import torch
from torch import nn

from dlthink.advice import apt
from dlthink.errors import Diverged, plain
from dlthink.progress_bar import Bar, Lines
from dlthink.protocols import Loss
from dlthink.training.logger import Logger
from dlthink.training.players import Player, Terms
from dlthink.training.step import Taken


class Progress:
    """The terms of each step since the last log line, still on the device, and the line itself.

    Between two lines nothing waits for the device; a cost that is not finite is found at the line. `checkpoints`: where
    the run's last good state lies, for the message that names the step, the term and the batch.
    """

    def __init__(self, logger: Logger, bar: Bar | Lines, loss: nn.Module, checkpoints: Path, step: int):
        self.logger, self.bar, self.loss, self.checkpoints = logger, bar, loss, checkpoints
        self._watches = Loss.watch.given(loss)
        self.paused = 0.0  # seconds since the last line that were no steps
        self.shown: dict[str, str] = {}  # beside the bar
        self.logged_at, self.logged_step = time.monotonic(), step
        self._terms: list[Terms] = []
        self._indices: list[list[torch.Tensor]] = []  # the batches of each step, to name one that goes wrong
        self._remarks: set[str] = set()  # what was said already

    def add(self, step: int, taken: Taken, indices: list[torch.Tensor]) -> None:
        """Note step number `step`; nothing is waited for, unless half a minute is over and no bar is seen."""
        self._terms.append(taken.terms)
        self._indices.append(indices)
        if self.bar.due():
            self._show(self.means(step), step)

    def state(self) -> list[dict[str, float]]:
        """The terms that are in no curve yet."""
        return [{name: term.item() for name, term in terms.items()} for terms in self._terms]

    def restore(self, saved: list[dict[str, float]], device: torch.device) -> None:
        self._terms = [{name: torch.tensor(value, device=device) for name, value in terms.items()} for terms in saved]

    def means(self, step: int) -> dict[str, float]:
        """The terms since the last line, averaged, after step number `step`. Raises Diverged if one is not finite."""
        if not self._terms:
            return {}
        flat = [(row, name, term) for row, terms in enumerate(self._terms) for name, term in terms.items()]
        values = torch.stack([term for *_, term in flat]).double().cpu()
        for place in (~values.isfinite()).nonzero().flatten().tolist()[:1]:
            row, name, _ = flat[place]
            samples = torch.cat(self._indices[row - len(self._terms)]).tolist()
            raise self.diverged(
                step - len(self._terms) + row + 1,
                f"the term {name} is {values[place].item()} on the batch of training samples "
                f"{', '.join(map(str, samples[:8]))}{', ...' if samples[8:] else ''}",
            )
        found: dict[str, list[float]] = {}  # a resumed run may have other terms than before
        for (_, name, _), value in zip(flat, values.tolist(), strict=True):
            found.setdefault(name, []).append(value)
        return {name: sum(each) / len(each) for name, each in found.items()}

    def diverged(self, step: int, what: str) -> Diverged:
        """The error that says where the run stopped being finite, what is kept of it, and what to try."""
        kept = f"{self.checkpoints} keeps the last good checkpoint"
        if not (self.checkpoints / "last.pt").exists():
            kept = "before the first checkpoint"
        return Diverged(f"step {step}: {what}; training stops, {kept}. {Loss.advice.of(self.loss)}")

    def log(self, step: int, epoch: int, taken: Taken, players: list[Player], samples: int) -> None:
        """One point on every curve. samples: in a step. Raises Diverged if a term since the last line is not finite."""
        means = self.means(step)
        now = time.monotonic()
        per_second = (step - self.logged_step) / max(now - self.logged_at - self.paused, 1e-9)
        optim = {f"{p.prefix}learning_rate": p.optimizer.param_groups[0]["lr"] for p in players}
        optim |= {f"{p.prefix}gradient_norm": float(n) for p, n in zip(players, taken.norms, strict=False)}
        self.logger.scalars("train", means, step, epoch)
        self.logger.scalars("optim", optim, step, epoch)
        speed = {"steps_per_second": per_second, "samples_per_second": samples * per_second}
        self.logger.scalars("speed", speed, step, epoch)
        if self._watches:
            self._watch(step, epoch, *taken.seen)
        self._show(means, step)
        self.logged_at, self.logged_step, self.paused = now, step, 0.0
        self._terms, self._indices = [], []

    def _show(self, means: dict[str, float], step: int) -> None:
        self.bar.set_postfix({name: f"{value:.4g}" for name, value in means.items()} | self.shown, refresh=False)
        self.bar.update(step - self.bar.n)

    @torch.no_grad()
    def _watch(self, step: int, epoch: int, out, y) -> None:
        """What the cost sees going wrong in the latest batch: figures, and a remark, said once."""
        seen = {name: float(value) for name, value in self.loss.watch(out, y).items()}
        self.logger.scalars("watch", seen, step, epoch)
        if remark := Loss.remark.of(self.loss)(seen):
            self.remark(apt(remark, self.loss), step)

    def remark(self, text: str, step: int, once: str = "") -> None:
        """A line beside the bar, said once in a launch; `once`: one line of all that are given this word."""
        if (once or text) not in self._remarks:
            self._remarks.add(once or text)
            self.bar.write(plain(f"step {step}: {text}"), file=sys.stderr)
