"""Is there room for what a configuration asks for? Said before it is allocated, in place of the system's kill."""

import os
from pathlib import Path

from dlthink.errors import BadInput

LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container


def physical() -> int | None:
    """Bytes of memory that this machine, or the container, has; None where nobody says."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows
        return None
    try:
        return min(found, int(LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return found


def check_memory(needed: float, what: str) -> None:
    """Raises BadInput where so many bytes are more than the whole memory; what: the settings that ask for them."""
    there = physical()
    if there is not None and needed > there:
        raise BadInput(
            f"{what}: takes {needed / 2**30:,.3g} GB of memory, and there are {there / 2**30:.3g}: ask for less"
        )
