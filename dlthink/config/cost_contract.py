"""What the class of a cost must have, asked before anything is loaded: kinds, methods, outputs per target."""

import inspect
from collections.abc import Iterable
from typing import Any

from dlthink.errors import BadInput
from dlthink.protocols import Loss, lacks, methods
from dlthink.user_errors import written


def kinds(cost: type) -> set[str]:
    """The kinds of targets that a cost says it fits. Raises BadInput where it says none, or not as a set of words."""
    if "targets" in lacks(cost, Loss):
        raise BadInput(f'loss: {written(cost)} does not say what it fits; add a line like targets = {{"counts"}}')
    said = cost.targets
    if not isinstance(said, set | frozenset | list | tuple) or not all(isinstance(kind, str) for kind in said):
        meant = f'{{"{said}"}}' if isinstance(said, str) else '{"counts"}'
        raise BadInput(f"loss: {written(cost)} must say targets = {meant}, not {said!r}")
    return set(said)


def check_cost(cost: type, needs: Iterable[str]) -> None:
    """Has the class what every cost must have, taking what it will be given? needs: what the examination asks for."""
    from torch import nn

    if not issubclass(cost, nn.Module):
        raise BadInput(f"{written(cost)} must be a torch.nn.Module: class {cost.__name__}(nn.Module)")
    if cost.forward is nn.Module.forward:
        raise BadInput(f"{written(cost)} has no forward(self, out, y)")
    if "predict" in lacks(cost, Loss) or not callable(cost.predict):
        names = " or ".join(needs) or "mean"
        raise BadInput(
            f"{written(cost)} has no predict(self, out): it must return what was predicted, by name; "
            f"the examination of this data asks for {names}"
        )
    for method, given in methods(cost, Loss):
        try:
            inspect.signature(method).bind(*given)
        except TypeError as error:
            raise BadInput(f"{written(method)} must take ({', '.join(given)}): {error}") from error
        except ValueError:
            continue  # written in C: it will be asked soon enough


def check_made(cost: Any) -> None:
    """Was it made as a module, and does it say how many numbers it wants for each target? Raises BadInput."""
    if "_modules" not in vars(cost):
        raise BadInput(f"{written(type(cost).__init__)} must begin with super().__init__()")
    outputs_per_target = None if "outputs_per_target" in lacks(cost, Loss) else cost.outputs_per_target
    if not isinstance(outputs_per_target, int) or isinstance(outputs_per_target, bool) or outputs_per_target < 1:
        said = (
            "must say"
            if outputs_per_target is None
            else f"says outputs_per_target = {outputs_per_target!r} and must say"
        )
        raise BadInput(
            f"{written(type(cost))} {said} how many numbers it wants from the network for each "
            "target: outputs_per_target = 1, say"
        )
