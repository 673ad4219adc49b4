"""Numbers that a cost wants from the network without shaping it: read from its last layer, and no further back."""

import torch
from torch import Tensor, nn

from dlthink.errors import BadInput
from dlthink.protocols import Loss


def stop_gradient(model: nn.Module, loss: nn.Module) -> None:
    """Stop the gradient of `loss.detached` (columns of its outputs per target) before the last layer.

    The last layers are the modules called `readout`. Outputs are the same; only their gradient is cut. The cost is told
    by `loss.gradient_stopped`. Raises BadInput when the network has no such layer.
    """
    columns = Loss.detached.of(loss)
    if not columns:
        return
    layers = [module for name, module in model.named_modules() if name.split(".")[-1] == "readout"]
    if not layers:
        raise BadInput(
            f"loss {type(loss).__name__} reads some numbers beside the network; "
            f"{type(model).__name__} needs a last layer called `readout` for that"
        )
    for layer in layers:
        layer.register_forward_hook(_Detached(loss.outputs_per_target, columns))
    loss.gradient_stopped = True


class _Detached:
    def __init__(self, outputs_per_target: int, columns: tuple[int, ...]):
        self.apart = torch.tensor([column in columns for column in range(outputs_per_target)])

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor], out: Tensor) -> Tensor:
        if not out.requires_grad:
            return out
        apart = self.apart.to(out.device).repeat(out.shape[-1] // len(self.apart))
        return torch.where(apart, layer.forward(inputs[0].detach()), out)
