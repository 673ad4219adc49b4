"""A drawn table of fields and their harvest, its truth known: numbers, a category, a date, gaps, a changing spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlthink.data.tables.readers.read_table import tables

if TYPE_CHECKING:
    import pandas

SOILS = {"loam": (1.2, 0.6), "clay": (0.5, 1.0), "sand": (-0.8, 1.7), "peat": (0.2, 1.2)}  # t/ha; spread by drought
NITROGEN = 0.6  # t/ha for one standard deviation of nitrogen in the soil
PESTS = 0.35  # log count for the same
UNKNOWN = 0.15  # share of fields whose nitrogen nobody has measured


def fields(rows: int, rng: np.random.Generator) -> tuple[pandas.DataFrame, np.ndarray]:
    """(features of fields; nitrogen in standard deviations, 0 where nobody has measured it, then it is N(0, 1))."""
    pandas = tables()
    rain = rng.gamma(6.0, 55.0, rows)  # mm
    temperature = rng.normal(16.0, 2.5, rows)  # C
    nitrogen = rng.normal(0.0, 1.0, rows)
    measured = rng.random(rows) >= UNKNOWN
    day = rng.integers(0, 45, rows)
    frame = pandas.DataFrame(
        {
            "rain": rain.round(1),
            "temperature": temperature.round(2),
            "nitrogen": np.where(measured, (40 + 12 * nitrogen).round(6), np.nan),  # kg/ha
            "soil": rng.choice(list(SOILS), rows, p=[0.4, 0.3, 0.2, 0.1]),
            "irrigated": rng.random(rows) < 0.3,
            "sown": np.datetime64("2024-03-15") + day.astype("timedelta64[D]"),
            "area": (0.5 + rng.gamma(2.0, 3.0, rows)).round(2),  # ha
        }
    )
    return frame, np.where(measured, nitrogen, 0.0)


def harvest(rows: int, seed: int) -> tuple[pandas.DataFrame, str, dict[str, np.ndarray]]:
    """Tons per hectare with their true mean and standard deviation, given what the table holds: [rows, 1] each.

    Where nitrogen is unknown, its part of the harvest is part of the spread.
    """
    rng = np.random.default_rng(seed)
    frame, nitrogen = fields(rows, rng)
    bonus, thirst = (np.array([SOILS[soil][i] for soil in frame["soil"]]) for i in (0, 1))
    dry = np.exp(-(frame["rain"].to_numpy() + 250 * frame["irrigated"].to_numpy()) / 220)
    day = (frame["sown"].to_numpy() - np.datetime64("2024-03-15")) / np.timedelta64(1, "D")
    mean = 6.5 + bonus - 4.0 * dry - 0.06 * (frame["temperature"].to_numpy() - 16.5) ** 2 + NITROGEN * nitrogen
    mean -= 1.5 * ((day - 20) / 25) ** 2 * dry
    unknown = frame["nitrogen"].isna().to_numpy()
    std = np.sqrt((0.2 + 1.2 * thirst * dry) ** 2 + NITROGEN**2 * unknown)
    frame["harvest"] = mean + std * rng.standard_normal(rows)
    return frame, "harvest", {"mean": mean[:, None], "std": std[:, None]}


def pests(rows: int, seed: int) -> tuple[pandas.DataFrame, str, dict[str, np.ndarray]]:
    """Insects counted in a field, as many more as it is larger (`area`), with their true mean: {"rate": [rows, 1]}."""
    rng = np.random.default_rng(seed)
    frame, nitrogen = fields(rows, rng)
    log_rate = 0.3 + 0.12 * (frame["temperature"].to_numpy() - 16) - frame["rain"].to_numpy() / 500
    log_rate += np.where(frame["soil"] == "clay", 0.6, 0.0) + np.where(frame["irrigated"], 0.4, 0.0)
    unknown = frame["nitrogen"].isna().to_numpy()
    hidden = np.where(unknown, rng.standard_normal(rows), 0.0)
    rate = frame["area"].to_numpy() * np.exp(log_rate + PESTS * nitrogen)
    frame["pests"] = rng.poisson(rate * np.exp(PESTS * hidden))
    return frame, "pests", {"rate": (rate * np.where(unknown, np.exp(PESTS**2 / 2), 1.0))[:, None]}


def varieties(rows: int, seed: int) -> tuple[pandas.DataFrame, str, dict[str, np.ndarray]]:
    """Plants of many varieties, twenty of each, by 16 measures: what tells them apart lies in six directions of little
    spread, and weather moves all plants along the others."""
    pandas = tables()
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((max(10, rows // 20), 6))
    of = np.arange(rows) % len(own)
    hidden = np.concatenate([own[of] + 0.4 * rng.standard_normal((rows, 6)), 3 * rng.standard_normal((rows, 10))], 1)
    turn = np.linalg.qr(rng.standard_normal((16, 16)))[0]
    measures = hidden @ turn
    frame = pandas.DataFrame({f"measure_{i}": measures[:, i].round(4) for i in range(16)})
    frame["variety"] = [f"variety {number}" for number in of]
    return frame, "variety", {}
