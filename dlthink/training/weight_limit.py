"""No tensor beyond a size is made while networks are built for weights that are there: refused, not allocated."""

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from dlthink.errors import BadInput

MAKERS = {torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.ones, torch.rand, torch.randn}
MAKERS |= {torch.randint, torch.randperm, torch.zeros}


class WeightLimit(TorchFunctionMode):
    """most: numbers of one tensor. what: the message of a BadInput where more are asked for.

    A hook on weights comes late: zeros of 10^10 targets have filled 40 GB before a cost has them for its own.
    """

    def __init__(self, most: int, what: str) -> None:
        super().__init__()
        self.most, self.what = most, what

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function in MAKERS and "out" not in kwargs:
            asked = {name: value for name, value in kwargs.items() if name not in ("generator", "pin_memory")}
            if function(*args, **asked | {"device": "meta"}).numel() > self.most:
                raise BadInput(self.what)
        return function(*args, **kwargs)
