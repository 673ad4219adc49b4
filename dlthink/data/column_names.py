"""Names of columns as they are typed: a column may be called 0, and then YAML reads its name as a number."""

from __future__ import annotations

Name = str | int | float


def as_written(names: Name | list[Name] | None) -> str | list[str] | None:
    """The name, or the names, as words; None stays."""
    if isinstance(names, list | tuple):
        return [str(name) for name in names]
    return None if names is None else str(names)
