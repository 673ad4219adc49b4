"""dlthink: someone hands you a good network; you design the cost."""

import os
from typing import Any

__all__ = ["check", "compose", "open_run"]
__version__ = "0.1.0"

# Both are read when torch is imported, and yield to what the user has set.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages: a full batch is gathered in a quarter of the time
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin: four times slower beside another busy program


def __getattr__(name: str) -> Any:
    """`dlthink.compose`, `open_run` and `check`, loaded when they are asked for: they need torch, `--help` does not."""
    if name in __all__:
        from dlthink import api

        return getattr(api, name)
    raise AttributeError(f"module dlthink has no attribute {name}")
