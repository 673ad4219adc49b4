"""Which shipped data set stands for a kind of target: its examination is what a cost of that kind will sit."""

from functools import cache

from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.config.data_choices import problems
from dlthink.errors import BadInput


@cache
def example_of(kind: str) -> str:
    """The name of a data set of that kind, if possible one that needs no file. Raises BadInput where there is none."""
    if (found := next(iter(of_kind(kind)), None)) is None:
        raise BadInput(f"{kind}: there is no data set of this kind")
    return found


@cache
def of_kind(kind: str) -> list[str]:
    """The names of all data sets of that kind, those first that need no file."""
    found = []
    for name, config in problems().items():
        if build.answers(config)[0] == kind:
            data = config.data
            reads = "file" in data or OmegaConf.is_missing(data, "path") or data.get("path", "") is None
            found.append((reads, name))
    return [name for _, name in sorted(found)]
