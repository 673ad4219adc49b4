"""`make gpu`: the tests marked gpu, and each scenario in each precision, on a machine with torch and no network.

    python scripts/gpu.py [--minutes 8] [--device cuda]

What this Python lacks is taken from wheels/ (`make wheels` on a machine with a network). The time is shared: tests
first, at most a third of it; then one scenario after the other, each a process that is ended when its share is over.
The table goes to the terminal; all that was measured, and why the rest was not, to outputs/gpu.json.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SCENARIOS = ("spikes", "molecules", "faces", "seasons", "seasons by 8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8.0, help="for all of it; 8 if not given")
    parser.add_argument("--device", default="cuda", help="cpu shows that it would run")
    parser.add_argument("--scenario", choices=SCENARIOS, action="append", help="only these")
    parser.add_argument("--steps", type=int, help="of each measurement; if not given, as each scenario needs")
    parser.add_argument("--output", type=Path, default=ROOT / "outputs" / "gpu.json")
    asked = parser.parse_args()
    end = time.monotonic() + 60 * asked.minutes
    with tempfile.TemporaryDirectory() as place:
        environment = os.environ | {"DLTHINK_DATA": f"{place}/data"}
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *missing(Path(place) / "site")])
        found = {"setting": setting(environment, asked.device), "tests": None, "rows": [], "not_measured": []}
        print("\n".join(f"{key:<9}{value}" for key, value in found["setting"].items()), flush=True)
        if asked.device.startswith("cuda"):
            found["tests"] = tests(environment, (end - time.monotonic()) / 3)
            print(f"tests    {found['tests']['summary']}", flush=True)
        names = asked.scenario or SCENARIOS
        for i, name in enumerate(names):
            share = (end - time.monotonic()) / (len(names) - i)
            rows, why = scenario(name, asked.device, asked.steps, environment, share)
            found["rows"] += rows
            found["not_measured"] += why
            asked.output.parent.mkdir(parents=True, exist_ok=True)
            asked.output.write_text(json.dumps(found, indent=1) + "\n")  # what is there is there, whatever comes
    print("\n".join(table(found["rows"]) + found["not_measured"]))
    return 0 if found["rows"] and (found["tests"] is None or found["tests"]["code"] == 0) else 1


def missing(site: Path) -> list[str]:
    """Install those of wheels/ that this Python has no package of into `site`; the folders to look in."""
    lacking = []
    for wheel in sorted((ROOT / "wheels").glob("*.whl")):
        try:
            importlib.metadata.version(wheel.name.split("-")[0])
        except importlib.metadata.PackageNotFoundError:
            lacking.append(str(wheel))
    if not lacking:
        return []
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run([*pip, "--target", str(site), *lacking], check=True)
    return [str(site)]


def setting(environment: dict[str, str], device: str) -> dict[str, str]:
    """Everything that a figure depends on."""
    code = (
        "import torch; cuda = torch.cuda.is_available()\n"
        "print(torch.__version__, torch.cuda.get_device_name() if cuda else 'no CUDA', sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    torch, _, name = done.stdout.strip().partition("|")
    return {
        "device": name if device.startswith("cuda") else device,
        "torch": torch or f"cannot be imported ({done.stderr.strip().splitlines()[-1:]})",
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
    }


def tests(environment: dict[str, str], seconds: float) -> dict:
    """Exit code and last line of the tests marked gpu; what failed stands before it."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-rf", "--tb=line", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "tests/test_gpu.py"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"code": 124, "summary": f"not over after {seconds:.0f} s", "failed": []}
    lines = (done.stdout + done.stderr).strip().splitlines() or ["nothing was said"]
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return {"code": done.returncode, "summary": lines[-1].strip("= "), "failed": failed}


def scenario(
    name: str, device: str, steps: int | None, environment: dict[str, str], seconds: float
) -> tuple[list[dict], list[str]]:
    """The rows of a scenario that came in time, and for each of the rest why it was not measured."""
    command = [sys.executable, str(HERE / "benchmarks" / "gpu.py"), "--scenario", name, "--device", device]
    command += ["--steps", str(steps)] if steps else []
    process = subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said: list[str] = []
    listening = threading.Thread(target=lambda: said.extend(process.stderr))
    listening.start()
    late = threading.Event()
    limit = threading.Timer(max(0.0, seconds), lambda: (late.set(), process.kill()))
    limit.start()
    rows = [json.loads(line) for line in process.stdout if line.startswith("{")]
    code = process.wait()
    limit.cancel()
    listening.join()
    why = [line.strip() for line in said if "not measured" in line]
    if late.is_set():
        why.append(f"{name}: not measured any further, its {seconds:.0f} s were over")
    elif code:
        why.append(f"{name}: not measured any further, {said[-1].strip() if said else f'exit {code}'}")
    print(f"{name}: {len(rows)} measured", flush=True)
    return rows, why


def table(rows: list[dict]) -> list[str]:
    """A line for each scenario and precision: steps and samples a second, how much quicker than fp32, memory."""
    form = "{:<14}{:<28}{:>12}{:>13}{:>9}{:>10}"
    lines = [form.format("scenario", "precision", "steps / s", "samples / s", "x fp32", "peak GB")]
    wide = {row["scenario"]: row["steps_per_second"] for row in rows if row["kind"] == "fp32"}
    for row in rows:
        speed = row["steps_per_second"]
        ratio = f"{speed / wide[row['scenario']]:.2f}" if row["scenario"] in wide else ""
        figures = f"{speed:.4g}", f"{row['samples_per_second']:.4g}", ratio, f"{row['peak_gb']:.2f}"
        lines.append(form.format(row["scenario"], row["kind"], *figures))
    return lines


if __name__ == "__main__":
    sys.exit(main())
