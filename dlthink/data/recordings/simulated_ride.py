"""A simulated motorcycle ride, and neurons that follow it.

The rider has three intentions: how fast to go, how hard to pull or brake, where to turn. Everything else
follows, so that twelve signals live near a low-dimensional surface. Neurons look at that surface, now and
up to half a second ago.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEP = 0.01  # s, the grid on which ride and rates are simulated
GRAVITY, WHEELBASE, CRUISE = 9.81, 1.4, 18.0  # m/s^2, m, m/s
SIGNALS = (
    "speed",
    "acceleration",
    "throttle",
    "brake_front",
    "brake_rear",
    "lean",
    "lean_rate",
    "steering",
    "yaw_rate",
    "engine_rpm",
    "pitch",
    "sway",
)
FELT = ("speed", "acceleration", "lean", "lean_rate", "steering")
DRIVES, SLOPE, FLOOR = 12, 2.5, 0.03


def behaviour(steps: int, rng: np.random.Generator) -> np.ndarray:
    """[steps, 12] SIGNALS every STEP seconds: m, s, radians, rpm, shares of full throttle or brake."""
    pull = 1.6 * _wander(steps, 0.25, rng) + 1.0 * _wander(steps, 1.5, rng)
    turn = 0.7 * _wander(steps, 0.3, rng) + 0.9 * _wander(steps, 1.2, rng)
    cruise = CRUISE + 4.0 * _wander(steps, 8.0, rng)
    # Speed forgets what the rider asked for over 3 s: drag and traffic.
    speed = 3.0 + _soft(cruise + _leaky(pull, 3.0) - 3.0, 1.0)
    acceleration = np.gradient(speed, STEP)
    lean = 0.75 * np.tanh(0.8 * turn)
    lean_rate = np.gradient(lean, STEP)
    yaw_rate = GRAVITY * np.tan(lean) / speed
    # To lean into a turn, the bar is first turned the other way.
    steering = WHEELBASE * yaw_rate / speed * np.cos(lean) - 0.03 * lean_rate
    brake = _soft(-acceleration - 0.5, 0.3) / 6.0
    signals = {
        "speed": speed,
        "acceleration": acceleration,
        "throttle": np.tanh(_soft(acceleration + 0.0015 * speed**2, 0.3) / 4.0),
        "brake_front": np.tanh(brake),
        "brake_rear": 0.4 * np.tanh(2.0 * _lag(brake, 0.15)),
        "lean": lean,
        "lean_rate": lean_rate,
        "steering": steering,
        "yaw_rate": yaw_rate,
        "engine_rpm": 1200.0 + 260.0 * speed + 350.0 * acceleration,
        "pitch": -0.015 * _lag(acceleration, 0.1),
        "sway": _lag(lean_rate * speed, 0.2),
    }
    return np.stack([signals[name] for name in SIGNALS], axis=1)


@dataclass(frozen=True)
class Tuning:
    """What a neuron wants: its mean rate in Hz, a place on the first drive, the second one above a threshold."""

    first: int
    second: int
    centre: float
    width: float
    sign: float
    threshold: float
    mean: float


class Rates(Sequence):
    """Rates of neurons, [steps] float32 in Hz each, smooth over 50 ms, from behaviour now and up to 0.5 s ago.

    rate_i = m_i (floor + exp(-((u - c_i) / w_i)^2 / 2) sigmoid(s (v - t_i))): neuron i likes a place c_i on
    one drive u, and wants a second drive v to be above a threshold t_i. The population shares DRIVES drives,
    each a mixture of a few signals at a delay of its own.

    Each is worked out when it is asked for: those of 2,000 neurons over an hour would take 2.9 GB.
    """

    def __init__(self, signals: np.ndarray, neurons: int, mean: float, rng: np.random.Generator) -> None:
        self.drives = _drives(signals, rng)
        self.tunings = [_tuning(mean, rng) for _ in range(neurons)]

    def __len__(self) -> int:
        return len(self.tunings)

    def __getitem__(self, neuron: int) -> np.ndarray:
        of = self.tunings[neuron]
        place = (self.drives[of.first] - of.centre) / of.width
        above = of.sign * self.drives[of.second] - of.threshold
        shape = FLOOR + np.exp(-0.5 * place**2) / (1.0 + np.exp(-SLOPE * above))
        return _lag(of.mean * shape / shape.mean(), 0.05).astype(np.float32)


def _tuning(mean: float, rng: np.random.Generator) -> Tuning:
    """Of a neuron of a population with this mean rate in Hz."""
    first, second = rng.choice(DRIVES, size=2, replace=False)
    centre, width = rng.uniform(-1.0, 1.0), rng.uniform(0.6, 1.0)
    sign, threshold = rng.choice([-1.0, 1.0]), rng.uniform(-0.5, 0.8)
    # Mean rates are log-normal, as in cortex; -0.08 is minus half the variance and keeps their mean.
    return Tuning(first, second, centre, width, sign, threshold, mean * rng.lognormal(-0.08, 0.4))


def _drives(signals: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """DRIVES mixtures of what the rider feels, each as it was up to 0.3 s ago; mean 0, spread 1."""
    felt = signals[:, [SIGNALS.index(name) for name in FELT]]
    felt = ((felt - felt.mean(axis=0)) / felt.std(axis=0)).astype(np.float32)
    drives = []
    for _ in range(DRIVES):
        weights = rng.normal(size=len(FELT)) * (rng.random(len(FELT)) < 0.4)
        weights[rng.integers(len(FELT))] += rng.choice([-1.5, 1.5])
        mixed = _lag(_ago(felt @ weights.astype(np.float32), rng.uniform(0.0, 0.3)), 0.05)
        drives.append(mixed / mixed.std())
    return drives


def _wander(steps: int, smooth: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise smoothed by a Gaussian of `smooth` seconds; mean 0, spread 1."""
    frequency = np.fft.rfftfreq(steps, STEP)
    shape = np.exp(-0.5 * (2 * np.pi * frequency * smooth) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=steps)) * shape, n=steps)
    return (noise - noise.mean()) / noise.std()


def _lag(values: np.ndarray, time: float) -> np.ndarray:
    """A causal smoother of mean delay `time`: two running means, a triangle of 2 * time. Sees no future."""
    width = max(round(time / STEP), 1)
    for _ in range(2):
        total = np.cumsum(values, dtype=np.float64)
        total[width:] -= total[:-width].copy()
        number = np.minimum(np.arange(1, len(values) + 1), width)  # at the very beginning there are fewer
        values = (total / number).astype(values.dtype)
    return values


def _ago(values: np.ndarray, time: float) -> np.ndarray:
    """The values `time` ago; the first one stands in for what came before it."""
    steps = round(time / STEP)
    return np.concatenate([np.full(steps, values[0], values.dtype), values[: len(values) - steps]])


def _leaky(values: np.ndarray, forget: float) -> np.ndarray:
    """dy/dt = x - y / forget."""
    total, decay, out = 0.0, 1.0 - STEP / forget, np.empty(len(values))
    for step, value in enumerate(values.tolist()):
        total = decay * total + STEP * value
        out[step] = total
    return out


def _soft(values: np.ndarray, width: float) -> np.ndarray:
    """max(x, 0) with a round corner: softplus."""
    return width * np.logaddexp(0.0, values / width)
