"""dlthink: someone hands you a good network; you design the cost."""

__version__ = "0.1.0"
