"""One step of training: every player in turn, terms -> backward on its own parameters only -> its optimizer.

It knows nothing of epochs, logging, validation and checkpoints, and waits for no device.
"""

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from dlthink.nested_tensors import each
from dlthink.protocols import Model
from dlthink.training.players import Player, Terms


@dataclass
class Taken:
    """What a step leaves, on its device."""

    terms: Terms  # of every player, by name; the mean over the step's batches
    norms: list[torch.Tensor]  # of each player's gradient before clipping, where it was asked for
    seen: tuple[Any, Any] | None  # outputs, detached, and y of the last batch, where they are looked at once more
    converged: bool  # has a search along lines come to its end?


class Step:
    """Players x batches -> terms.

    model: what the first player's cost judges. scaler: of gradients, for float16; idle otherwise.
    clip: largest norm of a player's gradient. l2: weight of the penalty l2/2 |w|^2 on the network's matrices, a term of
    the first player's cost, as are penalties of the network's own. watched: keep what the network answered, for
    `Loss.watch`.
    """

    def __init__(
        self,
        model: nn.Module,
        players: list[Player],
        scaler: torch.amp.GradScaler,
        clip: float | None = None,
        l2: float = 0.0,
        watched: bool = False,
    ):
        self.model, self.players, self.scaler, self.clip, self.l2 = model, players, scaler, clip, l2
        self._penalized = [p for p in model.parameters() if p.ndim > 1] if l2 else []
        self._penalties = [module.penalty for module in model.modules() if Model.penalty.given(module)]
        self._keeps = watched or len(players) > 1

    def __call__(self, batches: list[tuple[Any, Any]], measure: bool = False) -> Taken:
        """Take one step on (x, y) batches, their gradients averaged. measure: norms are wanted, clipped or not."""
        outputs: list = []  # of the network, detached: what the adversary judges is what the network just made
        terms, norms, converged = {}, [], False
        for player in self.players:
            if player.searches:
                found, converged = self._search(player, batches, outputs)
                terms |= found
                continue
            terms |= self.backward(player, batches, outputs)[1]
            if self.clip or measure:
                self.scaler.unscale_(player.optimizer)
                norms.append(self._clip(player))
            self.scaler.step(player.optimizer)
        self.scaler.update()
        seen = (outputs[-1], batches[-1][1]) if outputs else None
        return Taken(terms, norms, seen, converged)

    def backward(self, player: Player, batches: list, outputs: list) -> tuple[torch.Tensor, Terms]:
        """The player's cost over the batches and its gradients; the terms by name.

        outputs: what the network answered; filled by the first player, read by the others.
        """
        for parameter in player.parameters:  # zero_grad, but for its note to the profiler: 20 us a step
            parameter.grad = None
        alone, leads = len(self.players) == 1, player is self.players[0]
        if leads:
            outputs.clear()
        totals, records = [], []
        for i, (x, y) in enumerate(batches):
            out = self.model(x) if leads else outputs[i]
            terms = player.cost(out, y)
            if leads:
                terms = terms | self._of_weights()
            total = reduce(add, terms.values())
            if len(batches) > 1:
                total = total / len(batches)
            self.scaler.scale(total).backward(inputs=None if alone else player.parameters)
            if leads and self._keeps:
                outputs.append(each(torch.Tensor.detach, out))
            totals.append(total)
            records.append({player.prefix + name: term.detach() for name, term in terms.items()})
        if len(batches) == 1:
            return totals[0], records[0]
        mean = {name: torch.stack([r[name] for r in records]).mean() for name in records[0]}
        return reduce(add, totals), mean

    def _of_weights(self) -> Terms:
        """What the network's weights cost by themselves."""
        terms = {}
        if self._penalized:
            terms["l2"] = self.l2 / 2 * reduce(add, [p.square().sum() for p in self._penalized])
        penalties = [value for penalty in self._penalties if (value := penalty()) is not None]
        return terms | {"penalty": reduce(add, penalties)} if penalties else terms

    def _search(self, player: Player, batches: list, outputs: list) -> tuple[Terms, bool]:
        """A step that asks for the cost as often as it likes: the terms it began with, and whether it found the end."""
        records: list[Terms] = []

        def cost() -> torch.Tensor:
            total, record = self.backward(player, batches, outputs)
            records.append(record)
            return total

        limits, state = player.optimizer.param_groups[0], player.optimizer.state[player.parameters[0]]
        before = state.get("n_iter", 0)
        player.optimizer.step(cost)
        iterations = state["n_iter"] - before
        return records[0], iterations < limits["max_iter"] and len(records) < limits["max_eval"]

    def _clip(self, player: Player) -> torch.Tensor:
        norm = get_total_norm([p.grad for p in player.parameters if p.grad is not None])
        if self.clip:
            clip_grads_with_norm_(player.parameters, self.clip, norm)
        return norm
