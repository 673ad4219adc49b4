"""Which shipped data set stands for a kind of target: its examination is what a cost of that kind will sit."""

from functools import cache

from omegaconf import OmegaConf

from dlthink.config import build
from dlthink.config.data_choices import problems
from dlthink.errors import BadInput


@cache
def example_of(kind: str) -> str:
    """The name of a data set of that kind, if possible one that needs no file. Raises BadInput where there is none."""
    found = []
    for name, config in problems().items():
        if build.answers(config)[0] == kind:
            found.append((OmegaConf.is_missing(config.data, "path") or config.data.get("path", "") is None, name))
    if not found:
        raise BadInput(f"{kind}: there is no data set of this kind")
    return min(found)[1]
