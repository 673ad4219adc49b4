"""Photos to embeddings: dlthink.models.facenet."""

import pytest
import torch

from dlthink.errors import BadInput
from dlthink.models.facenet import FaceNet


@pytest.mark.parametrize("size", [20, 48, 64, 112, 160])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_channels(size, channels):
    torch.manual_seed(0)
    model = FaceNet(channels, size, 7, width=4)
    out = model(torch.rand(5, channels, size, size) * 2 - 1)
    assert out.shape == (5, 7)
    out.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_side_is_halved_until_fewer_than_ten_pixels_are_left():
    model = FaceNet(3, 64, 7, width=4, depth=2)
    seen = []
    for module in model.stages:
        module.register_forward_hook(lambda _, __, out: seen.append(out.shape[1:]))
    model(torch.rand(2, 3, 64, 64))
    assert [tuple(s) for s in seen[::3]] == [(4, 32, 32), (8, 16, 16), (16, 8, 8)]
    assert len(seen) == 9


def test_one_photo_is_embedded_as_among_others():
    torch.manual_seed(0)
    model = FaceNet(1, 32, 8, width=8).eval()
    x = torch.rand(6, 1, 32, 32)
    torch.testing.assert_close(model(x)[2:3], model(x[2:3]), rtol=1e-4, atol=1e-5)


def test_half_precision_stays_close():
    torch.manual_seed(0)
    model = FaceNet(3, 48, 16, width=16).eval()
    x = torch.rand(4, 3, 48, 48)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(x).float()
    torch.testing.assert_close(half, model(x), rtol=0.05, atol=0.05)


@pytest.mark.parametrize("knobs", [{"width": 0}, {"depth": 0}, {"dropout": 1.0}, {"size": 9}])
def test_sizes_that_make_no_sense(knobs):
    with pytest.raises(BadInput, match="facenet"):
        FaceNet(**({"channels": 3, "size": 48, "n_out": 4} | knobs))


def test_examined_a_photo_and_its_mirror_image_are_one():
    torch.manual_seed(0)
    model, x = FaceNet(3, 24, 8, width=4, mirror=True), torch.rand(4, 3, 24, 24)
    assert not torch.allclose(model(x), model(x.flip(-1)), atol=1e-3), "in training they are two"
    model.eval()
    assert torch.allclose(model(x), model(x.flip(-1)), atol=1e-5)
    both = model(x)
    model.mirror = False
    assert torch.allclose((model(x) + model(x.flip(-1))) / 2, both, atol=1e-6)
