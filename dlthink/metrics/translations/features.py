"""What a photo looks like in numbers: a fixed network's features, computed once for photos that come again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlthink import efficientnet_lite
from dlthink.errors import BadInput
from dlthink.metrics.translations.arena import Arena
from dlthink.metrics.translations.handcrafted_features import HandcraftedFeatures

KINDS = ("auto", "efficientnet_lite0", "embedded")
KEPT = 16_384  # photos whose features stay in memory, the latest: 84 MB of EfficientNet-Lite0's
SIDES = {
    "efficientnet_lite0": (efficientnet_lite.SIZE,) * 2,
    "inception": (299, 299),
    "embedded": (32, 128),
}  # pixels, least and most


class Features:
    """uint8 [n, 3, s, s] -> float64 [n, d]; of a photo that was there before, what was kept.

    efficientnet_lite0  1,280 pooled features, of photos made 224 x 224
    embedded            378 numbers from closed formulas: `handcrafted_features`
    auto                efficientnet_lite0 where its package is installed, else embedded
    inception           a file instead, FID's Inception as TorchScript (torch.jit.save): it maps float32
                        [n, 3, 299, 299] in 0 .. 255 to [n, 2048], as NVIDIA's inception-2015-12-05.pt does, which is
                        called with return_features=True. TorchScript can run code: take it from whom you trust.

    `name` is what is in use. Raises BadInput.
    """

    def __init__(self, kind: str = "auto", inception: str | None = None):
        if kind not in KINDS:
            raise BadInput(f"metrics.features={kind}: choose {', '.join(KINDS[:-1])} or {KINDS[-1]}")
        self.kept: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self.arena = Arena()
        self.net: nn.Module | None = None
        if inception is not None:
            self.name, self.net = "inception", _inception(Path(inception).expanduser())
        elif kind == "efficientnet_lite0" or (kind == "auto" and efficientnet_lite.installed()):
            self.name, self.net = "efficientnet_lite0", efficientnet_lite.load()
        else:
            self.name, self.net = "embedded", HandcraftedFeatures()

    @torch.no_grad()
    def __call__(self, photos: Tensor) -> np.ndarray:
        made = []
        for photo in photos.cpu():  # one at a time: no slower on a CPU, and never a matter of the photos beside it
            name = hashlib.blake2b(photo.numpy().tobytes(), digest_size=16).digest()
            if name not in self.kept:
                self.kept[name] = self.arena.put(self._of(photo[None]))
            self.kept.move_to_end(name)
            made.append(self.kept[name])
            while len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        return np.stack(made).astype(np.float64) if made else np.zeros((0, 1))

    def _of(self, photo: Tensor) -> np.ndarray:
        least, most = SIDES[self.name]
        side = min(max(photo.shape[-1], least), most)
        x = photo.float() / 255
        if side != photo.shape[-1]:
            x = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
        if self.name == "inception":
            return _answer(self.net, 255 * x)[0].float().numpy()
        return self.net(x.contiguous(memory_format=torch.channels_last))[0].numpy()


def _inception(path: Path) -> nn.Module:
    """The user's network, tried on two grey photos."""
    if not path.is_file():
        raise BadInput(f"metrics.inception={path}: no such file: give FID's Inception as a TorchScript file")
    try:
        net = torch.jit.load(path, map_location="cpu").eval()
        found = _answer(net, torch.full((2, 3, 299, 299), 127.0))
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise BadInput(
            f"metrics.inception={path}: not a TorchScript file that maps [n, 3, 299, 299] to features: {reason}"
        ) from error
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 2:
        raise BadInput(f"metrics.inception={path}: must answer [n, features] for n photos, and did not")
    return net


@torch.no_grad()
def _answer(net: nn.Module, x: Tensor) -> Tensor:
    arguments = [argument.name for argument in net.forward.schema.arguments]
    return net(x, return_features=True) if "return_features" in arguments else net(x)
