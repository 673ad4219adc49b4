"""A cost operation by operation: where a number leaves its range, and where every sample meets every other."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from dlthink.user_errors import own, short

HERE = str(Path(__file__).parent)
WORDS = {"truediv": "division", "div": "division", "rtruediv": "division", "rdiv": "division", "rsub": "sub"}


@dataclass
class Operation:
    """One call of torch: its name, file:line where the user's own code asked for it, what went in and came out."""

    name: str
    place: str | None
    inputs: list[Tensor]
    result: Tensor

    def told(self, what: str) -> str:
        """`own.py:7: log of -3 to 2 <what>`."""
        spans = " and ".join(span(tensor) for tensor in self.inputs[:2])
        return f"{f'{self.place}: ' if self.place else ''}{self.name} of {spans} {what}"


class Operations(TorchFunctionMode):
    """Within it, every operation on tensors is noted, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Operation] = []

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for tensor in _tensors([result]):
            if tensor.is_floating_point():
                inputs = list(_tensors([*args, *(kwargs or {}).values()]))
                name = getattr(function, "__name__", "an operation").strip("_")
                self.noted.append(Operation(WORDS.get(name, name), _place(), inputs, tensor))
        return result

    def out_of_range(self) -> str | None:
        """The first operation that makes of finite numbers one that is not."""
        for operation in self.noted:
            if not _finite(operation.result) and all(_finite(tensor) for tensor in operation.inputs):
                worst = operation.result[~operation.result.isfinite()].flatten()[0].item()
                return operation.told(f"gives {worst}")
        return None

    def steep(self, total: Tensor) -> str | None:
        """The first operation on the way back from `total` that makes of a finite gradient one that is not."""
        wanted = {id(t): t for o in self.noted for t in [*o.inputs, o.result] if t.requires_grad}
        slopes = torch.autograd.grad(total, list(wanted.values()), allow_unused=True, retain_graph=True)
        slope = dict(zip(wanted, slopes, strict=True))
        for operation in reversed(self.noted):
            after = slope.get(id(operation.result))
            before = [slope.get(id(tensor)) for tensor in operation.inputs]
            if after is not None and _finite(after) and not all(g is None or _finite(g) for g in before):
                return operation.told("has no finite slope")
        return None

    def meets_itself(self, n: int) -> str | None:
        """The first operation in which [n] meets [n, 1], so that every one of n samples meets every other."""
        for operation in self.noted:
            shapes = [list(tensor.shape) for tensor in operation.inputs]
            if len(shapes) != 2 or len(shapes[0]) == len(shapes[1]):  # of as many dimensions only on purpose
                continue
            if any(shape.count(n) != 1 for shape in shapes):
                continue
            try:
                made = list(torch.broadcast_shapes(*shapes))
            except RuntimeError:
                continue
            if made.count(n) > 1:
                place = f"{operation.place}: " if operation.place else ""
                return f"{place}{operation.name} of {shapes[0]} and {shapes[1]} makes {made}"
        return None


def span(tensor: Tensor) -> str:
    """`-3 to 2`, or what there is instead."""
    if not tensor.numel():
        return "nothing"
    if tensor.is_complex():
        return "complex numbers"
    tensor = tensor.detach().double() if tensor.device.type != "mps" else tensor.detach().float()
    finite = tensor[tensor.isfinite()]
    if not len(finite):
        return f"{tensor.flatten()[0].item()}"
    low, high = (f"{value.item() + 0.0:.4g}" for value in (finite.min(), finite.max()))  # no -0
    lost = "" if len(finite) == tensor.numel() else f" with {tensor.numel() - len(finite)} not finite"
    return (low if low == high else f"{low} to {high}") + lost


def spans(value: Any) -> str:
    """The same of a batch or an output: of every tensor by name."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {spans(item)}" for name, item in value.items())
    return span(value) if isinstance(value, Tensor) else type(value).__name__


def _finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _place() -> str | None:
    """file:line of the user's own code that asks for what is being done; None where it is dlthink's."""
    frame = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if own(file):
            return f"{short(file)}:{frame.f_lineno}"
        if file.startswith(HERE) and file != __file__:
            return None  # whoever asked for the cost
        frame = frame.f_back
    return None
