"""The settings of training, one set for every scenario and every cost, checked."""

import math

from dlthink.errors import BadInput
from dlthink.training.precision import Format, Precision
from dlthink.training.sampler import BatchSize
from dlthink.training.schedule import Shape

LONGEST = 100_000  # steps between two points of a curve


class Trainer:
    """Settings of training; a `Loop` trains by them, whatever the network and the cost. Raises BadInput.

    conf/trainer: length in `epochs`, but `at_least` so many steps where those are fewer (little data), or in
    `steps` (which wins); `batch` samples a step (null: all; auto: 2^k
    nearest to a 16th of the training samples, 64 to 1,024, so that as many steps are as many epochs), `accumulate` of
    them summed into one step; `schedule` and `warmup` of the learning rate; `clip` the gradient's norm;
    `l2` penalty on weight matrices, l2/2 |w|^2 over the number of targets, as the cost is a mean over them; `ema` decay
    of averaged weights; `patience` validations without a better figure; `minutes` for one launch; `validate_every`
    steps (null: each epoch), `log_every` steps (their terms are held until then), `save_minutes` between checkpoints
    when validations are rare.
    """

    def __init__(
        self,
        epochs: int | None = 30,
        steps: int | None = None,
        at_least: int | None = None,
        batch: BatchSize = 256,
        accumulate: int = 1,
        schedule: Shape = "constant",
        warmup: int = 0,
        clip: float | None = None,
        l2: float = 0.0,
        ema: float | None = None,
        patience: int | None = None,
        minutes: float | None = None,
        precision: Format = "auto",
        device: str = "auto",
        deterministic: bool = False,
        channels_last: bool = False,
        compile: bool = False,
        log_every: int = 50,
        validate_every: int | None = None,
        save_minutes: float = 5.0,
        examine_batch: int = 4096,
    ):
        if steps is None and epochs is None:
            raise BadInput("trainer.epochs and trainer.steps are both null: say how long to train")
        at_least_one = dict(epochs=epochs, steps=steps, batch=batch, accumulate=accumulate, patience=patience)
        at_least_one["at_least"] = at_least
        at_least_one |= dict(log_every=log_every, validate_every=validate_every, examine_batch=examine_batch)
        for name, value in at_least_one.items():
            if value not in (None, "auto") and value < 1:
                raise BadInput(f"trainer.{name}={value}: must be 1 or more")
        if log_every > LONGEST:
            raise BadInput(f"trainer.log_every={log_every}: must be {LONGEST:,} or less")
        for name, value in dict(clip=clip, minutes=minutes, save_minutes=save_minutes).items():
            if value is not None and not value > 0:
                raise BadInput(f"trainer.{name}={value}: must be above 0")
        if ema is not None and not 0 < ema < 1:
            raise BadInput(f"trainer.ema={ema}: a decay lies between 0 and 1, e.g. 0.999")
        if not 0 <= l2 < math.inf or warmup < 0:
            raise BadInput(f"trainer.l2={l2}, trainer.warmup={warmup}: must be numbers from 0")
        self.epochs, self.steps, self.at_least = epochs, steps, at_least
        self.batch, self.accumulate = batch, accumulate
        self.schedule, self.warmup, self.clip, self.l2 = schedule, warmup, clip, l2
        self.ema, self.patience, self.minutes = ema, patience, minutes
        self.log_every, self.validate_every = log_every, validate_every
        self.save_minutes, self.examine_batch, self.compile = save_minutes, examine_batch, compile
        self.precision = Precision(precision, device, deterministic, channels_last)
