"""Figures by name, aligned, for the terminal."""


def table(title: str, numbers: dict[str, float]) -> str:
    """Two columns; six significant digits."""
    width = max(map(len, [title, *numbers]))
    lines = [f"{title:<{width}}  {'value':>12}"]
    lines += [f"{name:<{width}}  {value:>12.6g}" for name, value in numbers.items()]
    return "\n".join(lines)
