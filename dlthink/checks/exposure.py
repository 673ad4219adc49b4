"""Counts with an exposure: is what is predicted in proportion to how long was counted?"""

import math
from collections.abc import Iterator

from torch import Tensor, nn

from dlthink.checks.elicitation import centre
from dlthink.checks.finding import Finding
from dlthink.checks.minimum import read
from dlthink.checks.question import question

NEAR = 1e-3


@question("exposure")
def check_exposure(loss: nn.Module, out: Tensor) -> Iterator[Finding]:
    """Networks add the log of an exposure to the first number of each target: half as long, half the rate?

    Not twice, since a family may have a largest mean.
    """
    shorter = out.unflatten(1, (-1, loss.outputs_per_target)).clone()
    shorter[..., 0] -= math.log(2)
    times = centre(read(loss, shorter.flatten(1))) / centre(read(loss, out))
    least, most = times.min().item(), times.max().item()
    if max(abs(least - 0.5), abs(most - 0.5)) <= NEAR:
        yield Finding("exposure", "passed", "half as long is half the rate, whatever the network says")
        return
    said = " to ".join(dict.fromkeys(f"{one:.2g}" for one in (least, most)))
    yield Finding(
        "exposure",
        "failed",
        f"it is for counts with exposure, and what was counted half as long is predicted {said} of the rate: "
        f"log(exposure) is added to the first number of each target",
        'that number must be the log of the rate, rate = exp(out); or leave "counts with exposure" out of targets',
    )
