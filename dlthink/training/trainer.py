"""The settings of training, one set for every scenario and every cost, checked."""

import math

from dlthink.errors import BadInput
from dlthink.training.precision import Format, Precision
from dlthink.training.sampler import BatchSize
from dlthink.training.schedule import Shape

LONGEST = 100_000  # steps between two points of a curve
FROM_1 = (
    *("epochs", "steps", "at_least", "at_most", "batch", "accumulate", "patience"),
    *("log_every", "validate_every", "examine_batch"),
)
ABOVE_0 = ("clip", "minutes", "save_minutes")


class Trainer:
    """Settings of training; a `Loop` trains by them, whatever the network and the cost. Raises BadInput.

    epochs          passes over the training data
    steps           or a number of steps, which wins
    at_least        so many steps, where those epochs are fewer: little data
    at_most         so many steps, where those epochs are more
    batch           samples a step; None: all; auto: 2^k nearest to a 16th of the training samples, 64 to 1,024, so that
                    as many steps are as many epochs
    accumulate      batches whose gradients are averaged into one step
    schedule        of the learning rate, with so many steps of `warmup`; below 1, that share of all steps
    clip            largest norm of the gradient
    l2              penalty l2/2 |w|^2 on weight matrices, over the number of targets, as the cost is a mean over them
    ema             decay of averaged weights, which are then examined
    patience        validations without a better figure before training ends
    minutes         limit of one launch
    precision, device, deterministic, channels_last   see `Precision`
    compile         torch.compile the network
    log_every       steps between two points of a curve; their terms are held until then
    validate_every  steps between two validations; None: an epoch
    save_minutes    between checkpoints, when validations are rare
    examine_batch   samples at a time in an examination
    """

    def __init__(
        self,
        epochs: int | None = 30,
        steps: int | None = None,
        at_least: int | None = None,
        at_most: int | None = None,
        batch: BatchSize = 256,
        accumulate: int = 1,
        schedule: Shape = "constant",
        warmup: float = 0,
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
        self.epochs, self.steps, self.at_least, self.at_most = epochs, steps, at_least, at_most
        self.batch, self.accumulate = batch, accumulate
        self.schedule, self.warmup, self.clip, self.l2 = schedule, warmup, clip, l2
        self.ema, self.patience, self.minutes = ema, patience, minutes
        self.log_every, self.validate_every = log_every, validate_every
        self.save_minutes, self.examine_batch, self.compile = save_minutes, examine_batch, compile
        self._check()
        self.precision = Precision(precision, device, deterministic, channels_last)

    def _check(self) -> None:
        if self.steps is None and self.epochs is None:
            raise BadInput("trainer.epochs and trainer.steps are both null: say how long to train")
        given = vars(self)
        for name in FROM_1:
            if given[name] not in (None, "auto") and given[name] < 1:
                raise BadInput(f"trainer.{name}={given[name]}: must be 1 or more")
        if self.log_every > LONGEST:
            raise BadInput(f"trainer.log_every={self.log_every}: must be {LONGEST:,} or less")
        for name in ABOVE_0:
            if given[name] is not None and not given[name] > 0:
                raise BadInput(f"trainer.{name}={given[name]}: must be above 0")
        if self.ema is not None and not 0 < self.ema < 1:
            raise BadInput(f"trainer.ema={self.ema}: a decay lies between 0 and 1, e.g. 0.999")
        if not 0 <= self.l2 < math.inf or self.warmup < 0:
            raise BadInput(f"trainer.l2={self.l2}, trainer.warmup={self.warmup}: must be numbers from 0")
        if self.warmup > 1 and self.warmup % 1:
            raise BadInput(f"trainer.warmup={self.warmup}: is a number of steps, or a share of them below 1, e.g. 0.1")
