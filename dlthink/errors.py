"""The two ways a run can end badly and say so in one line."""


class BadInput(ValueError):
    """What the user gave cannot be used. The message names the file, record or key, and what to do. Exit code 2."""


class Diverged(RuntimeError):
    """The cost stopped being a finite number. The message names the step, the term and the batch. Exit code 1."""
