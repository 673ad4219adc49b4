"""dlthink: someone hands you a good network; you design the cost."""

import os

__version__ = "0.1.0"

# torch reads it when it is imported: huge pages for large tensors, a quarter of the time to gather a full batch
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
