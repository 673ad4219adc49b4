"""Did you mean ...?"""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 40  # words that are listed


def hint(word: str, known: Iterable[str], before: str = "") -> str:
    """`; did you mean X?` when a known word is near, else the known words, else nothing."""
    known = sorted(str(name) for name in known if not str(name).startswith("_"))
    alike = {name.lower(): name for name in known}
    near = [alike[name] for name in get_close_matches(word.lower(), alike, n=1, cutoff=0.6)]
    if near:
        return f"; did you mean {before}{near[0]}?"
    more = f" and {len(known) - MOST} more" if len(known) > MOST else ""
    return f"; there is {', '.join(known[:MOST])}{more}" if known else ""
