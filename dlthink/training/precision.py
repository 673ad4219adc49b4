"""Device, number format and kernels: chosen here, once, for the whole run."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import torch
from torch import nn

from dlthink.errors import BadInput
from dlthink.nested_tensors import each

Format = Literal["auto", "fp32", "tf32", "bf16", "fp16"]
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Where networks run and in which numbers. Costs always see float32 (or float64 when the data is).

    precision: auto = bf16 where the GPU has it, else fp16 with a live gradient scaler; on a CPU fp32, or bf16 where
    a run finds that quicker (`open` until then).
    device: auto = the GPU if there is one. channels_last: weights of convolutions lie as tensor cores like them.
    """

    def __init__(
        self,
        precision: Format = "auto",
        device: str = "auto",
        deterministic: bool = False,
        channels_last: bool = False,
    ):
        self.device = self._device(device)
        self._kernels = dict(deterministic=deterministic, channels_last=channels_last)
        self.open = precision == "auto" and self.device.type == "cpu"
        if precision == "auto":
            precision = self._best_format()
        if precision == "tf32" and self.device.type != "cuda":
            raise BadInput("trainer.precision=tf32 needs an NVIDIA GPU: use fp32, bf16 or auto")
        self.name, self.channels_last = precision, channels_last
        self.half = HALF.get(precision)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "fp16")
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("highest" if precision == "fp32" else "high")
            torch.backends.cudnn.allow_tf32 = precision != "fp32"
        if deterministic:
            torch.use_deterministic_algorithms(True, warn_only=True)

    def with_format(self, name: Format) -> "Precision":
        """The same device and kernels in this number format."""
        return Precision(name, str(self.device), **self._kernels)

    def of_run(self, saved: dict[str, Any]) -> "Precision":
        """What is open, as the run of this checkpoint has chosen it."""
        chosen = self.open and saved.get("device") == "cpu" and saved.get("precision") in ("fp32", "bf16")
        return self.with_format(saved["precision"]) if chosen else self

    @staticmethod
    def _device(name: str) -> torch.device:
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            device = torch.device(name)
        except RuntimeError as error:  # torch lists twenty kinds of them
            raise BadInput(f"trainer.device={name}: no such device; use auto, cpu, or cuda for a GPU") from error
        try:
            torch.zeros(1, device=device).item()
        except Exception as error:  # each of torch's backends that is not built in fails in its own way
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BadInput(f"trainer.device={name} cannot be used here ({reason}): use auto or cpu") from error
        return device

    def _best_format(self) -> Format:
        if self.device.type != "cuda":
            return "fp32"
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"

    def network(self, module: nn.Module) -> None:
        """Make every forward pass of `module` run in half precision and return wide numbers; lay its weights.

        A list or dict of networks (an adversary of several judges) is done one by one. fp32 runs as it is.
        """
        if self.channels_last:
            module.to(memory_format=torch.channels_last)
        if self.half is None:
            return
        if isinstance(module, nn.ModuleList | nn.ModuleDict):
            for child in module.children():
                self.network(child)
            return
        module.forward = partial(_in_half, module.forward, self.device.type, self.half)  # a copy has its own


def _in_half(forward: Callable, device: str, half: torch.dtype, *args: Any, **kwargs: Any) -> Any:
    with torch.autocast(device, half):
        return each(widen, forward(*args, **kwargs))


def widen(tensor: torch.Tensor) -> torch.Tensor:
    """Half-precision numbers as float32; all others as they are."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
