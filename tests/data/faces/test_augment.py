"""Augmentation of whole batches: what each knob does, chance from torch's global generator, masks where a mouth is."""

import pytest
import torch

from dlthink.data.faces.augment import Augment, masked
from dlthink.errors import BadInput

NOTHING = dict(flip=0.0, shift=0.0, zoom=0.0, light=0.0, erase=0.0, mask=0.0)


def photos(n=64, channels=3, side=24):
    return torch.rand(n, channels, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def changed(seed=0, x=None, **knobs):
    torch.manual_seed(seed)
    return Augment(**(NOTHING | knobs))(photos() if x is None else x)


def test_without_knobs_nothing_changes():
    assert changed().equal(photos())


def test_flip():
    x = photos()
    assert torch.allclose(changed(flip=1.0), x.flip(3), atol=1e-5)
    some = changed(flip=0.5)
    mirrored = (some - x.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    kept = (some - x).abs().amax((1, 2, 3)) < 1e-4
    assert (mirrored ^ kept).all() and 16 < mirrored.sum() < 48


def test_shift_moves_whole_photos_and_mirrors_the_border():
    line = torch.linspace(-1, 1, 24).expand(2000, 1, 24, 24)
    moved = changed(x=line, shift=0.25)
    by = (moved - line)[:, 0, 12, 12] / (line[0, 0, 0, 1] - line[0, 0, 0, 0])
    assert 5.5 < by.abs().max() <= 6.01 and by.mean().abs() < 0.3
    assert moved.min() >= -1 and moved.max() <= 1
    right = moved[by > 3][0, 0, 12]
    assert right[-1] < right.max(), "mirrored, not stretched"


def test_zoom():
    x = torch.zeros(500, 1, 32, 32)
    x[:, :, 8:24, 8:24] = 1
    area = changed(x=x, zoom=0.2).sum((1, 2, 3)) / 256
    assert 0.66 < area.min() < 0.75 and 1.4 < area.max() < 1.6


def test_light_keeps_the_range_and_the_order_of_tones():
    ramp = torch.linspace(-0.9, 0.9, 24).expand(300, 3, 24, 24)
    lit = changed(x=ramp, light=0.3)
    assert lit.min() >= -1 and lit.max() <= 1 and (lit.diff(dim=3) >= -1e-6).all()
    assert lit.mean((1, 2, 3)).std() > 0.1 and lit.std((1, 2, 3)).std() > 0.03


def test_erasing_covers_one_rectangle_of_one_tone():
    x = photos(400)
    erased = changed(x=x, erase=1.0)
    gone = (erased != x).any(1)
    share = gone.float().mean((1, 2))
    assert share.min() > 0.005 and share.max() < 0.26 and 0.08 < share.mean() < 0.14
    for picture, hole in zip(erased[:20], gone[:20], strict=True):
        rows, columns = hole.any(1), hole.any(0)
        assert (hole == rows[:, None] & columns).all()
        assert picture[:, hole].std(1).max() < 1e-6
    few = (changed(x=x, erase=0.25) != x).any(1).any(2).any(1).float().mean()
    assert 0.17 < few < 0.33


def test_masks_lie_on_the_lower_face():
    x = photos(300, side=48)
    worn = (changed(x=x, mask=1.0) - x).abs().amax(1) > 0.05
    often = worn.float().mean(0)
    assert often[34, 24] > 0.9 and often[40, 24] > 0.7, "mouth and chin are covered"
    assert often[:20].max() < 0.02 and often[:, :6].max() < 0.02 and often[:, -6:].max() < 0.02, "eyes are not"
    share = ((changed(x=x, mask=0.3) - x).abs().amax((1, 2, 3)) > 0.05).float().mean()
    assert 0.2 < share < 0.4
    assert changed(x=x, mask=1.0).abs().max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_the_mask_of_the_audit_is_always_the_same(channels):
    x = photos(channels=channels, side=48)
    torch.manual_seed(0)
    first = masked(x)
    state = torch.get_rng_state()
    assert masked(x).equal(first) and torch.get_rng_state().equal(state)
    assert masked(x[:1]).equal(first[:1]) and first.shape == x.shape
    inside = (first[:, :, 34, 24] - first[:1, :, 34, 24]).abs().max()
    assert inside < 1e-3 and (first - x)[:, :, :18].abs().max() < 1e-3


def test_chance_is_torchs_own():
    every = dict(flip=0.5, shift=0.1, zoom=0.1, light=0.2, erase=0.5, mask=0.5)
    assert changed(seed=3, **every).equal(changed(seed=3, **every))
    assert not changed(seed=3, **every).equal(changed(seed=4, **every))
    assert changed(**every).shape == photos().shape and changed(x=photos(channels=1), **every).shape[1] == 1


def test_gradients_pass():
    x = photos(4).requires_grad_()
    torch.manual_seed(0)
    Augment(mask=0.5, erase=0.5)(x).sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize(
    "knob, value", [("flip", 1.1), ("shift", 0.6), ("zoom", -0.1), ("mask", 2.0), ("light", float("nan"))]
)
def test_a_knob_out_of_its_range(knob, value):
    with pytest.raises(BadInput, match=f"data.{knob}="):
        Augment(**{knob: value})
