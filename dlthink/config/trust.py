"""What the configuration of a run that came from elsewhere may name: classes of one list a part, and no files unasked.

Nothing is imported here that is not on the list of its part.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from dlthink.config import types
from dlthink.config.build import PARTS, find, settings
from dlthink.config.paths import conf_folder
from dlthink.config.types import fits, parameters
from dlthink.config.user_files import own_modules
from dlthink.errors import BadInput

GROUPS = {"metrics": "data"}  # parts that stand in the files of another group


def nodes(config: Any, where: str) -> Iterator[tuple[str, DictConfig]]:
    """Every node with a `_target_`, however deep, lists included, and its path."""
    if isinstance(config, ListConfig):
        for i, item in enumerate(config):
            yield from nodes(item, f"{where}[{i}]")
    elif isinstance(config, DictConfig):
        if "_target_" in config:
            yield where, config
        for key, value in config.items():
            yield from nodes(value, f"{where}.{key}" if where else str(key))


@cache
def permitted(part: str) -> frozenset[str]:
    """The classes that the shipped choices of a part name, nested ones too: its one list."""
    if part not in PARTS:
        return frozenset()
    files = (conf_folder() / GROUPS.get(part, part)).rglob("*.yaml")  # choices within choices, too
    loaded = [OmegaConf.load(file) for file in files]
    for config in loaded:
        config.pop("defaults", None)  # names of other files, ${member} among them
    whole = {"data", "metrics"} & {part}  # a data file sets several parts by name
    found = (nodes(config.get(part) if whole else config, part) for config in loaded)
    return frozenset(str(node["_target_"]) for nested in found for _, node in nested)


def check_classes(config: DictConfig, allow: Iterable[str] = ()) -> None:
    """Refuse any class that is not on its part's list, an optimizer of torch, or in a module of `allow`. BadInput."""
    allow = set(allow)
    for where, node in nodes(config, ""):
        name, part = node["_target_"], where.partition(".")[0].partition("[")[0]
        if not isinstance(name, str):
            raise BadInput(f"{where}._target_: must be a class's name")
        if name in permitted(part) or (part == "optim" and _optimizer(name)):
            continue
        root = name.partition(".")[0]
        if not own_modules([name]):
            moved = "; a run of dlthink 0.1, whose files lay elsewhere, must be trained again"
            raise BadInput(
                f"{where}._target_={name}: the configuration of a run may name one of dlthink's choices for "
                f"{part} here, nothing else of {root}{moved if root == 'dlthink' else ''}"
            )
        if root not in allow:
            raise BadInput(
                f"{where}._target_={name}: this run's configuration wants code from outside dlthink; "
                f"if you trust it, add allow={root}"
            )


def check_files(
    config: DictConfig, parts: Collection[str], typed: Collection[str], allow: Collection[str] = ()
) -> None:
    """Refuse values of `parts` that name files, unless their keys were `typed` or they stand in `allow`. BadInput.

    Only where any text would do: a word of a fixed list, as `cosine`, is no file whatever lies here.
    """
    for part in parts:
        for where, node in nodes(config[part], part):
            known = parameters(find(node, where))
            for key, value in settings(node).items():
                annotation = known[key].annotation if key in known else Any
                if f"{where}.{key}" in typed or not fits(_any_text(value), annotation):
                    continue
                for text in _texts(value) if key != "_target_" else ():
                    if _names_a_file(text) and text not in allow:
                        raise BadInput(
                            f"{where}.{key}={text}: this run was not made here, or its configuration was changed, and "
                            f"it names a file; if you trust that, say so: {where}.{key}={types.typed(value)}"
                        )


def _optimizer(name: str) -> bool:
    import torch

    module, _, attribute = name.rpartition(".")
    found = vars(torch.optim).get(attribute) if module == "torch.optim" else None
    optimizer = torch.optim.Optimizer
    return isinstance(found, type) and issubclass(found, optimizer) and found is not optimizer


def _names_a_file(text: str) -> bool:
    return text.startswith("~") or bool({"/", "\\", "\0"} & set(text)) or os.path.lexists(text)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value; those of nested nodes are asked for by themselves."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict) and "_target_" not in value:
        yield from (str(key) for key in value)
        for item in value.values():
            yield from _texts(item)


def _any_text(value: Any) -> Any:
    """The same value with other words in it."""
    if isinstance(value, list):
        return [_any_text(item) for item in value]
    return "\0" if isinstance(value, str) else value
