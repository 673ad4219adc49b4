"""Deep copy of a module, as `copy.deepcopy` makes it, in a fraction of its time: hooks and settings are most of it."""

import copy
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

Module = TypeVar("Module", bound=nn.Module)
PLAIN = (int, float, bool, str, type(None))  # what is its own copy
ASKED = ("__deepcopy__", "__copy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__")


def deep_copy(module: Module, shared: Iterable[Tensor] = ()) -> Module:
    """All of it is the copy's own but the tensors in `shared`. Raises what a part raises that cannot be copied."""
    copied: dict[int, Any] = {id(tensor): tensor for tensor in shared}
    parts = [part for part in module.modules() if _plain(part)]
    copied |= {id(part): type(part).__new__(type(part)) for part in parts}  # before any is filled: they may be tied
    for part in parts:
        vars(copied[id(part)]).update({name: _copy(value, copied) for name, value in vars(part).items()})
    return copy.deepcopy(module, copied)


def _plain(part: nn.Module) -> bool:
    """Is it copied as torch copies modules?"""
    own = type(part).__mro__[1] if is_parametrized(part) else type(part)  # torch makes a class for each of these
    return all(getattr(own, name, None) is getattr(nn.Module, name, None) for name in ASKED)


def _copy(value: Any, copied: dict[int, Any]) -> Any:
    if type(value) in PLAIN:
        return value
    if type(value) in (dict, OrderedDict) and not value:
        return type(value)()
    return copy.deepcopy(value, copied)
