"""`make wheels`: what a machine that has torch but no network may lack for `make gpu`, as wheels in wheels/.

    python scripts/wheels.py [PYTHON, e.g. 3.12]

Everything that dlthink's scenarios and their tests need here, in the versions that are installed here, apart from torch
and what torch brings. There, only what is missing is installed.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

FOLDER = Path(__file__).resolve().parent.parent / "wheels"
EXTRAS = {"molecules", "faces", "seasons"}
ASKED = ["dlthink", "pytest"]


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else f"{sys.version_info[0]}.{sys.version_info[1]}"
    pinned = sorted(closure(ASKED) - closure(["torch"]) - {"dlthink"})
    FOLDER.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip"]
    where = ["--no-deps", "--dest", str(FOLDER), "--quiet"]
    target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", python]
    for n in (39, 34, 31, 28, 27, 24, 17, 12, 5):
        target += ["--platform", f"manylinux_2_{n}_x86_64"]
    target += ["--platform", "manylinux2014_x86_64"]
    for name in pinned:
        spec = f"{name}=={version(name)}"
        if subprocess.run([*pip, "download", *where, *target, spec], capture_output=True).returncode:
            # no wheel of it is published: it is made here, and serves there if it is pure Python
            subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(FOLDER), "--quiet", spec], check=True)
    size = sum(file.stat().st_size for file in FOLDER.glob("*.whl")) / 1e6
    print(f"{FOLDER}: {len(list(FOLDER.glob('*.whl')))} wheels, {size:.0f} MB, for Python {python}")


def closure(names: list[str]) -> set[str]:
    """The packages, and all that they need as it is installed here."""
    found: set[str] = set()
    ahead = [Requirement(name) for name in names]
    while ahead:
        one = ahead.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if name in found:
            continue
        try:
            needs = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue
        found.add(name)
        extras = EXTRAS if name == "dlthink" else one.extras
        wanted = lambda need: need.marker is None or any(need.marker.evaluate({"extra": e}) for e in ("", *extras))  # noqa: E731, B023
        ahead += [need for need in needs if wanted(need)]
    return found


if __name__ == "__main__":
    main()
