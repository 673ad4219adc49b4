"""Did you mean ...?"""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import accumulate

LETTERS = 200  # of the words that are listed: a line that is longer nobody reads


def hint(word: str, known: Iterable[str], before: str = "") -> str:
    """`; did you mean X?` when a known word is near, else the known words, else nothing."""
    known = sorted(str(name) for name in known if not str(name).startswith("_"))
    alike = {name.lower(): name for name in known}
    near = [alike[name] for name in get_close_matches(word.lower(), alike, n=1, cutoff=0.6)]
    if near:
        return f"; did you mean {before}{near[0]}?"
    lengths = accumulate(len(name) + 2 for name in known)
    listed = [name for name, letters in zip(known, lengths, strict=True) if letters <= LETTERS] or known[:1]
    more = f" and {len(known) - len(listed)} more" if len(known) > len(listed) else ""
    return f"; there is {', '.join(listed)}{more}" if known else ""
