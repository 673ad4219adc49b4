"""Arrow behind the name of a figure: is more of it better, or less?"""

import sys

ARROWS = {"max": "↑", "min": "↓", None: ""}


def arrow(better: str | None) -> str:
    """Of "max" or "min", "" where nobody says; as what stands for the terminal can show it, else the word itself."""
    try:
        ARROWS[better].encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return f"({better})"
    return ARROWS[better]
