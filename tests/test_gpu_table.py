"""`make gpu` on a machine without a GPU: its script runs, measures what a CPU can, and writes what it could not."""

import json
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.slow
def test_the_script_measures_a_scenario_and_writes_down_the_rest(tmp_path):
    output = tmp_path / "gpu.json"
    command = [sys.executable, "scripts/gpu.py", "--device", "cpu", "--scenario", "spikes", "--steps", "2"]
    done = subprocess.run(
        [*command, "--minutes", "2", "--output", output], cwd=REPOSITORY, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text())
    kinds = {row["kind"] for row in found["rows"]}
    assert {"fp32", "bf16"} <= kinds and all(row["steps_per_second"] > 0 for row in found["rows"])
    assert "steps / s" in done.stdout and found["setting"]["device"] == "cpu"
