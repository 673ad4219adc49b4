"""`dlthink.models._guided_filter`: the affine part of a change, against a slow loop; what it lets through."""

import numpy as np
import pytest
import torch

from dlthink.errors import BadInput
from dlthink.models._guided_filter import MOST, RIDGE, STEP, guided_filter
from dlthink.models.cyclegan import CycleGAN

DOMAINS = ["summer", "winter"]


def photos(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def mirrored(i, n):
    while not 0 <= i < n:
        i = -i if i < 0 else 2 * (n - 1) - i
    return i


def by_loop(change, photo, radii):
    """One photo [c, h, w]: a ridge regression for each window, then bilinear between the middles."""
    high, wide = radii
    c, h, w = photo.shape
    maps = np.zeros((h // STEP, w // STEP, c, c + 1))
    for i in range(h // STEP):
        for j in range(w // STEP):
            down = [mirrored(y, h) for y in range(STEP * i - high, STEP * (i + 1) + high)]
            across = [mirrored(x, w) for x in range(STEP * j - wide, STEP * (j + 1) + wide)]
            x, t = (pixels[:, down][:, :, across].reshape(c, -1) for pixels in (photo, change))
            mean_x, mean_t = x.mean(1, keepdims=True), t.mean(1, keepdims=True)
            x, t = x - mean_x, t - mean_t
            a = (t @ x.T) @ np.linalg.inv(x @ x.T + RIDGE * x.shape[1] * np.eye(c))
            maps[i, j] = np.concatenate([a, mean_t - a @ mean_x], 1)
    made = np.zeros_like(photo)
    for y in range(h):
        for x in range(w):
            a = sum(
                wy * wx * maps[i, j]
                for i, wy in between((y + 0.5) / STEP - 0.5, h // STEP)
                for j, wx in between((x + 0.5) / STEP - 0.5, w // STEP)
            )
            made[:, y, x] = a[:, :c] @ photo[:, y, x] + a[:, c]
    return made


def between(at, n):
    at = min(max(at, 0), n - 1)
    low = int(at)
    return [(low, low + 1 - at), (min(low + 1, n - 1), at - low)]


@pytest.mark.parametrize("radius", [1, 4, 5])
def test_it_is_the_loop(radius):
    photo, change = photos(2, 3, 16, 24), photos(2, 3, 16, 24, seed=1)
    expected = [by_loop(t.numpy(), x.numpy(), (radius, radius)) for t, x in zip(change, photo, strict=True)]
    assert np.allclose(guided_filter(change, photo, radius), np.stack(expected), atol=1e-10)


def test_a_map_of_colours_passes_and_noise_does_not():
    photo = photos(1, 3, 64, 64)
    recoloured = torch.einsum("ij,njhw->nihw", photos(3, 3, seed=2), photo) + 0.2
    assert (guided_filter(recoloured, photo, 8) - recoloured).abs().max() < 2e-3
    noise = photos(1, 3, 64, 64, seed=3)
    left = guided_filter(noise, photo, 8).var() / noise.var()
    assert left < 3 * 4 / (2 * 8 + STEP) ** 2, "4 numbers for each colour are fitted to the pixels of a window"


def test_a_spot_in_a_clear_sky_is_spread():
    sky = torch.full((1, 3, 64, 64), 0.4)
    spot = torch.zeros_like(sky)
    spot[..., 30:34, 30:34] = 1.0
    made = guided_filter(spot, sky, 8)
    assert made.max() < 2 * 16 / (2 * 8 + STEP) ** 2
    assert float(made.sum()) == pytest.approx(float(spot.sum()), rel=1e-4), "but what it adds is not lost"


def test_gradients():
    photo, change = photos(1, 2, 8, 8).requires_grad_(), photos(1, 2, 8, 8, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda t, x: guided_filter(t, x, 3), (change, photo))


def test_half_precision_stays_outside():
    """Variances of a bright photo of low contrast are small differences of squares."""
    photo, change = 0.8 + 0.1 * photos(1, 3, 32, 32), photos(1, 3, 32, 32, seed=1)
    exact = guided_filter(change, photo, 8)
    with torch.autocast("cpu", torch.bfloat16):
        made = guided_filter(change.float(), photo.float(), 8)
        rounded = guided_filter(change.bfloat16(), photo.float(), 8)
    assert made.dtype == rounded.dtype == torch.float32
    assert torch.allclose(made.double(), exact, atol=2e-4)
    assert torch.allclose(rounded.double(), guided_filter(change.bfloat16().double(), photo, 8), atol=2e-4)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_windows_larger_than_the_photo_end_where_it_was_mirrored_once(layout):
    photo, change = (photos(1, 3, 8, 12, seed=s).contiguous(memory_format=layout) for s in (0, 1))
    expected = by_loop(change[0].numpy(), photo[0].numpy(), (7, 11))
    assert np.allclose(guided_filter(change, photo, 50)[0], expected, atol=1e-10)


def test_a_generator_that_moves_colours_only():
    torch.manual_seed(0)
    make = CycleGAN(3, DOMAINS, 3, width=4, blocks=1, guided_filter=8).double().make["winter"]
    photo = photos(1, 3, 32, 32)
    assert torch.equal(make(photo), photo), "it begins with the photo as it is"
    torch.nn.init.normal_(make.paint[0].weight)
    make.guided_filter = 0
    free = make(photo)
    make.guided_filter = 8
    assert torch.allclose(make(photo), (photo + guided_filter(free - photo, photo, 8)).clamp(-1, 1), atol=1e-12)
    make.paint[0].bias.data.fill_(9.0)
    assert make(photo).abs().max() <= 1


def test_all_that_a_generator_can_be_asked_together():
    photo, whole = photos(1, 3, 32, 32), photos(1, 3, 32, 32, seed=1)
    torch.manual_seed(0)
    model = CycleGAN(3, DOMAINS, 3, width=4, blocks=1, guided_filter=8, skip=False, checkpoint=True).double()
    make = model.make["winter"]
    make.guided_filter = 0
    free, beside = make(photo), make(photo, whole)
    make.guided_filter = 8
    for made, before in ((make(photo), free), (make(photo, whole), beside)):
        assert torch.allclose(made, (photo + guided_filter(before - photo, photo, 8)).clamp(-1, 1), atol=1e-12)
    assert not torch.allclose(free, beside)
    make(photo).square().sum().backward()
    assert all(p.grad.isfinite().all() for p in make.parameters())


@pytest.mark.parametrize("radius", [-1, MOST + 1])
def test_an_impossible_radius_is_refused(radius):
    with pytest.raises(BadInput, match=rf"model\.guided_filter={radius}"):
        CycleGAN(3, DOMAINS, 3, guided_filter=radius)
