"""`make bench`: dlthink's speed against loops written by hand and against peers, as ratios.

    python scripts/bench.py [NAME ...] [--repeats N] [--threads N]

Each benchmark (scripts/benchmarks/) is a process of its own with pinned threads; dlthink and its peer take
turns. The goal is held against the median ratio of CPU seconds, which a busy machine disturbs least; "wall"
is the ratio of wall seconds. The table goes to the terminal, every repetition to outputs/bench.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
NAMES = (
    *("step", "counts", "glm", "moments", "molecules", "shifts", "triplet", "faces", "seasons", "layers", "gpu"),
    *("tables", "uci", "properties", "cli", "sweep", "checks"),
)
# What slows numpy and sklearn down where it is set, and what keeps Python from compiling a module only once
UNFAIR = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "PYTHONDONTWRITEBYTECODE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"{', '.join(NAMES)}; all if none is given")
    parser.add_argument("--repeats", type=int, help="repetitions; if not given, as each benchmark needs")
    parser.add_argument("--threads", type=int, default=1, help="OMP_NUM_THREADS; 1 if not given")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(NAMES)}")
    setting = describe(asked.threads)
    print("\n".join(f"{key:<10}{value}" for key, value in setting.items()), flush=True)
    rows = [row for name in asked.names or NAMES for row in run(name, asked.repeats, asked.threads)]
    print("\n" + "\n".join(table(rows)))
    file = HERE.parent / "outputs" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(setting | {"rows": rows}, indent=1) + "\n")


def describe(threads: int) -> dict[str, str]:
    """Everything that a figure depends on."""
    packages = [f"{name} {version(name)}" for name in ("dlthink", "torch", "numpy", "scikit-learn")]
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    processors = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return {
        "command": " ".join(["python", *sys.argv]),
        "versions": ", ".join([*packages, f"Python {platform.python_version()}"]),
        "threads": f"OMP_NUM_THREADS={threads}",
        "processor": f"{os.cpu_count()} x {processors[0] if processors else platform.processor()}",
    }


def run(name: str, repeats: int | None, threads: int) -> list[dict]:
    """The rows of one benchmark."""
    print(f"running   {name} ...", flush=True)
    environment = {key: value for key, value in os.environ.items() if key not in UNFAIR}
    environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, HERE / "benchmarks" / f"{name}.py", *([str(repeats)] if repeats else [])]
    done = subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(rows: list[dict]) -> list[str]:
    """A line for each row: medians of CPU time, the ratio and its spread, the goal and whether it is met."""
    form = "{:<43}{:>9}{:>9}{:>19}{:>7}{:>11}  {}"
    lines = [form.format("CPU time", "ours", "peer", "ratio (min-max)", "wall", "goal", "")]
    for row in rows:
        figures = [cpu for cpu, _ in row["ours"]]
        peer, spread, wall, limit = "", "", "", f"<= {row['goal']} s"
        if row["peer"]:
            pairs = list(zip(row["ours"], row["peer"], strict=True))
            figures = [ours[0] / theirs[0] for ours, theirs in pairs]
            peer, limit = seconds(median(cpu for cpu, _ in row["peer"])), f"<= {row['goal']}"
            spread = f"{median(figures):.2f} ({min(figures):.2f}-{max(figures):.2f})"
            wall = f"{median(ours[1] / theirs[1] for ours, theirs in pairs):.2f}"
        limit, verdict = (limit, ("MISSED", "met")[median(figures) <= row["goal"]]) if row["goal"] else ("", "")
        ours = seconds(median(cpu for cpu, _ in row["ours"]))
        lines.append(form.format(row["name"], ours, peer, spread, wall, limit, verdict).rstrip())
    return lines


def seconds(time: float) -> str:
    return f"{time * 1e6:.0f} us" if time < 0.01 else f"{time:.2f} s"


if __name__ == "__main__":
    main()
