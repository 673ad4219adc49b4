"""A step by each cost of counts against one by Poisson's: the network, data and loop of the benchmark `step`.

The costs take turns; all train a 12-64-50 network in batches of 64, 400 steps, logging every 50.
"""

from clock import repeats, report
from ours import train, windows
from step import BATCH, WORDS, X, Y

STEPS = 400

GOALS = {
    "negative_binomial": 1.5,
    "generalized_poisson": 1.5,
    "zero_inflated_poisson": 1.5,
    "zero_inflated_negative_binomial": 1.5,
    "categorical": 1.5,
    "com_poisson": 3.0,
}

if __name__ == "__main__":
    data = windows(X, Y, examined=BATCH)
    words = [word for word in WORDS if not word.startswith("loss=")]
    words += [f"trainer.steps={STEPS}", f"trainer.validate_every={STEPS}"]
    times = {name: [] for name in ("poisson", *GOALS)}
    for _ in range(1 + repeats(5)):
        for name, seconds in times.items():
            seconds.append(train([*words, f"loss={name}"], data).seconds / STEPS)
    peer = times.pop("poisson")[1:]  # the first warmed up
    for name, seconds in times.items():
        report(f"a step, {name} / poisson", GOALS[name], seconds[1:], peer)
