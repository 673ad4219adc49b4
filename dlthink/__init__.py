"""dlthink: someone hands you a good network; you design the cost."""

import os

__version__ = "0.1.0"

# Both are read when torch is imported, and yield to what the user has set.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # huge pages: a full batch is gathered in a quarter of the time
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that spin: four times slower beside another busy program
