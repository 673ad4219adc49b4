"""The figure of docs/course/faces.md: harder faces, groups, masks and attacks, as the audit of one network sees them.

dlthink train experiment=face_costs into=RUN
dlthink evaluate run=RUN audit=true output=RUN/audit.json
dlthink evaluate run=RUN on=faces name=hardness_200 data.hardness=2 data.seed=1 data.identities=120  # and 50, 100, 150
python scripts/course/faces.py RUN docs/course/faces.png
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlthink.style import GROUPS, PREDICTED, QUIET, TRUE, canvas, quiet

EPSILONS = (1, 2, 4, 8)  # grey levels of 255
Numbers = dict[str, float]


def bars(ax: Axes, numbers: Numbers, names: list[str], at: np.ndarray, colour: str) -> None:
    """Points with their 95 % intervals, where they have some."""
    value = np.array([numbers[name] for name in names])
    ends = [
        [abs(numbers.get(f"{name}_{end}", numbers[name]) - numbers[name]) for name in names] for end in ("low", "high")
    ]
    ax.errorbar(at, value, ends, fmt="o", ms=4, lw=1, color=colour)


@quiet()
def draw(harder: dict[float, Numbers], audit: Numbers) -> Figure:
    """Four panels, one a question."""
    figure = canvas(9.0, 2.6)
    hard, groups, masks, attacks = figure.subplots(1, 4)
    at = np.array(sorted(harder))
    for name, colour, label in (
        ("one_shot_accuracy", PREDICTED, "network"),
        ("one_shot_accuracy_pixels", QUIET, "pixels"),
    ):
        hard.plot(at, [harder[h][name] for h in at], "o-", ms=4, color=colour, label=label)
    hard.set(title="harder faces: one photo each", xlabel="data.hardness", ylabel="right", ylim=(0, 1), xticks=at)
    hard.legend(loc="upper right")
    names = sorted(name.removeprefix("far_") for name in audit if name.startswith("far_group_") and name[-1].isdigit())
    bars(groups, audit, [f"far_{name}" for name in names], np.arange(len(names)), TRUE)
    groups.axhline(0.01, color=QUIET, lw=0.7)
    groups.set(
        title="groups: strangers accepted", xticks=range(len(names)), ylim=(0, None), xlim=(-0.5, len(names) - 0.5)
    )
    groups.set_xticklabels([name.replace("_", " ") for name in names])
    bars(masks, audit, ["val_at_far_1e-2_unmasked", "val_at_far_1e-2_masked"], np.arange(2), PREDICTED)
    masks.set(title="masks: own photos accepted", xlim=(-0.5, 1.5), ylim=(0, 1))
    masks.set_xticks((0, 1), ["bare", "masked"])
    for k, kind in enumerate(("dodging", "impersonation")):
        attacks.plot(EPSILONS, [audit[f"{kind}_{e}"] for e in EPSILONS], "o-", ms=4, color=GROUPS[2 + k])
    attacks.set(title="attacks that succeed", xlabel="grey levels of 255", xscale="log", ylim=(0, 1.02))
    attacks.set_xticks(EPSILONS, EPSILONS)
    attacks.minorticks_off()
    attacks.text(2.3, 0.8, "dodging", color=GROUPS[2])
    attacks.text(2.7, 0.06, "impersonation", color=GROUPS[3])
    return figure


def main() -> None:
    folder, output = map(Path, sys.argv[1:])
    files = sorted(folder.glob("metrics_hardness_*.json"))
    harder = {int(file.stem.rpartition("_")[2]) / 100: json.loads(file.read_text())["test"] for file in files}
    draw(harder, json.loads((folder / "audit.json").read_text())).savefig(output, dpi=150)


if __name__ == "__main__":
    main()
