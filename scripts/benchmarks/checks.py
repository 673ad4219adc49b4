"""`dlthink check` of every cost that is shipped, after its imports: CPU seconds, the slowest last.

    python scripts/benchmarks/checks.py [REPEATS [NAME ...]]

A cost whose frozen network is not on this machine is left out.
"""

import sys

from clock import now, repeats, report

from dlthink.api import check
from dlthink.config.paths import conf_folder, options
from dlthink.errors import BadInput

GOAL = 5.0
NOT_ASKED = {"poisson_expected"}  # on moments of counts no truth is known

if __name__ == "__main__":
    times: dict[str, list] = {}
    check("mse")  # imports
    for name in sys.argv[2:] or sorted(options("loss", conf_folder()).keys() - NOT_ASKED):
        try:
            for _ in range(repeats(1)):
                began = now()
                check(name)
                times.setdefault(name, []).append(now() - began)
        except BadInput as why:
            print(f"{name} left out: {why}", file=sys.stderr)
    for name, seconds in sorted(times.items(), key=lambda item: max(cpu for cpu, _ in item[1])):
        report(f"check {name}", GOAL, seconds)
