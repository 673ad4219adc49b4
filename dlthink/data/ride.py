"""A simulated motorcycle ride, and neurons that follow it.

The rider has three intentions: how fast to go, how hard to pull or brake, where to turn. Everything else follows from them,
so that twelve signals live near a low-dimensional surface. Neurons look at that surface, now and up to half a second ago.
"""

from __future__ import annotations

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


def behaviour(steps: int, rng: np.random.Generator) -> np.ndarray:
    """[steps, 12] signals named in SIGNALS, every STEP seconds; m, s, radians, rpm and shares of full throttle or brake."""
    pull = 1.6 * _wander(steps, 0.25, rng) + 1.0 * _wander(steps, 1.5, rng)
    turn = 0.7 * _wander(steps, 0.3, rng) + 0.9 * _wander(steps, 1.2, rng)
    cruise = CRUISE + 4.0 * _wander(steps, 8.0, rng)
    # Speed forgets what the rider asked for over 3 s: drag and traffic.
    speed = 3.0 + _soft(cruise + _leaky(pull, 3.0) - 3.0, 1.0)
    acceleration = np.gradient(speed, STEP)
    lean = 0.75 * np.tanh(0.8 * turn)
    lean_rate = np.gradient(lean, STEP)
    yaw_rate = GRAVITY * np.tan(lean) / speed
    steering = WHEELBASE * yaw_rate / speed * np.cos(lean) - 0.03 * lean_rate  # the bar first turns the other way
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


def rates(signals: np.ndarray, neurons: int, mean: float, rng: np.random.Generator) -> np.ndarray:
    """[steps, neurons] rates in Hz, smooth over 50 ms, from behaviour now and up to 0.5 s ago.

    Neuron i likes a place on the surface of what it sees: rate = floor + peak * exp(-(a'z)^2 / 2) * sigmoid(b'z), where z holds
    speed, acceleration, lean, lean rate and steering, each seen through the neuron's own delay, and a, b are its own directions.
    """
    columns = [SIGNALS.index(name) for name in ("speed", "acceleration", "lean", "lean_rate", "steering")]
    seen = signals[:, columns]
    seen = (seen - seen.mean(axis=0)) / seen.std(axis=0)
    delays = (0.0, 0.1, 0.2, 0.3)
    views = np.stack([_lag(_shift(seen, delay), 0.05) for delay in delays]).astype(np.float32)
    fire = np.empty((len(signals), neurons), dtype=np.float32)
    for neuron in range(neurons):
        hill, slope = _direction(views, rng), _direction(views, rng)
        hill = (hill - rng.uniform(-1.0, 1.0)) / rng.uniform(0.6, 1.0)
        drive = np.exp(-0.5 * hill**2) / (1.0 + np.exp(-2.0 * (slope - rng.uniform(-0.5, 0.8)))) + 0.03
        wanted = mean * rng.lognormal(-0.08, 0.4)
        fire[:, neuron] = wanted * drive / drive.mean()
    return _lag(fire, 0.05)


def _direction(views: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one neuron follows: two or so signals mixed, at its own delay."""
    view = views[rng.integers(len(views))]
    weights = rng.normal(size=view.shape[1]) * (rng.random(view.shape[1]) < 0.5)
    weights[rng.integers(len(weights))] += rng.choice([-1.5, 1.5])
    mixed = view @ (weights / np.linalg.norm(weights)).astype(np.float32)
    return mixed / mixed.std()


def _wander(steps: int, smooth: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise smoothed by a Gaussian of `smooth` seconds; mean 0, spread 1."""
    frequency = np.fft.rfftfreq(steps, STEP)
    shape = np.exp(-0.5 * (2 * np.pi * frequency * smooth) ** 2)
    noise = np.fft.irfft(np.fft.rfft(rng.normal(size=steps)) * shape, n=steps)
    return (noise - noise.mean()) / noise.std()


def _lag(values: np.ndarray, time: float) -> np.ndarray:
    """A causal smoother of mean delay `time`: two running means in a row, a triangle of 2 * time seconds. Never looks ahead."""
    width = max(round(time / STEP), 1)
    for _ in range(2):
        total = np.cumsum(values, axis=0, dtype=np.float64)
        total[width:] -= total[:-width].copy()
        # At the very beginning there is less to average over.
        number = np.minimum(np.arange(1, len(values) + 1), width)
        values = (total / number.reshape(-1, *(1,) * (values.ndim - 1))).astype(values.dtype)
    return values


def _shift(values: np.ndarray, time: float) -> np.ndarray:
    return _shift_steps(values, round(time / STEP))


def _shift_steps(values: np.ndarray, steps: int) -> np.ndarray:
    """The values `steps` ago; the first one stands in for what came before it."""
    return values if steps == 0 else np.concatenate([np.repeat(values[:1], steps, axis=0), values[:-steps]])


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
