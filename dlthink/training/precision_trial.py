"""Is bfloat16 quicker than float32 here? The run's own network, cost and batch are asked, on copies."""

import copy
import time
from collections.abc import Callable
from typing import Any

from torch import nn

from dlthink.training import rng
from dlthink.training.players import networks_of, players
from dlthink.training.precision import Format, Precision
from dlthink.training.step import Step

LONG = 100  # steps of a run for which it is worth looking
SLOW = 0.1  # seconds of a step below which little is won
GAIN = 0.8  # bfloat16 must need less than this share of float32's time
TIMES = 3  # the best of these counts, taken in turns
HOPELESS = 3.0  # times float32's a first step, which has much to set up: a CPU without bfloat16 takes some ten


def quickest(
    precision: Precision, model: nn.Module, loss: nn.Module, optim: Callable, draw: Callable[[], tuple[Any, Any]]
) -> tuple[Format, str | None]:
    """The format in which a step takes less time, and a line that says so; float32 without a line where nothing is won.

    What the copies draw, learn and remember is forgotten: the run is as if nobody had asked. Float32, too, for a search
    along lines, which needs its digits, and for what cannot be copied or does not run in bfloat16.
    """
    kept = rng.state()
    try:
        batch = draw()
        wide = _step(precision.with_format("fp32"), model, loss, optim)
        wide([batch])
        if any(player.searches for player in wide.players) or (first := _seconds(wide, batch)) < SLOW:
            return "fp32", None
        half = _step(precision.with_format("bf16"), model, loss, optim)
        rounds = [(first, _seconds(half, batch))]
        if rounds[0][1] < HOPELESS * first:
            rounds = [(_seconds(wide, batch), _seconds(half, batch)) for _ in range(TIMES)]
    except Exception:  # what is wrong with a cost is said by whoever checks it
        return "fp32", None
    finally:
        rng.restore(kept)
    slow, fast = map(min, zip(*rounds, strict=True))
    name = "bf16" if fast < GAIN * slow else "fp32"
    return name, f"trainer.precision=auto: {name}, as a step takes {slow:.2g} CPU s in fp32 and {fast:.2g} in bf16 here"


def _step(precision: Precision, model: nn.Module, loss: nn.Module, optim: Callable) -> Step:
    model, loss = copy.deepcopy((model, loss))
    for network in (model, *networks_of(loss)):
        precision.network(network)
    model.train()
    loss.train()
    return Step(model, players(model, loss, optim, precision), precision.scaler)


def _seconds(step: Step, batch: tuple[Any, Any]) -> float:
    """CPU time: what else runs on the machine is not in it."""
    began = time.process_time()
    step([batch])
    return time.process_time() - began
