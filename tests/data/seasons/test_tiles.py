"""`dlthink.data.seasons.tiles`: what is cut and put together again is what it was, whatever its size."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from dlthink.data.seasons.tiles import OVERLAP, PIECE, STEP, TILE, WHOLE, Mosaic, along


def picture(height, width):
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, height, width)).astype(np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (7, 5), (8, 9), (31, 33), (97, 20), (130, 71)])
def test_tiles_put_together_are_the_picture(size):
    whole = picture(*size)
    mosaic = Mosaic(whole, piece=32, tile=24, overlap=9)
    shapes = {mosaic.tile(i).shape for i in range(len(mosaic))}
    assert len(shapes) == 1 and all(side % STEP == 0 and side >= 8 for side in next(iter(shapes))[1:])
    assert (len(mosaic) == 1) == (size[0] * size[1] <= 32 * 32 - 32)
    height, width = mosaic.whole.shape[1:]
    assert mosaic.whole.dtype == torch.uint8 and height * width <= 32 * 32 + 8 * max(size)
    assert height % STEP == width % STEP == 0 and min(height, width) >= 8
    for i in range(len(mosaic)):
        mosaic.add(i, mosaic.tile(i).double())
    assert mosaic.made().shape == whole.shape
    assert torch.allclose(mosaic.made(), whole.float(), atol=1e-3)


def test_borders_are_mirrored():
    whole = picture(10, 9)
    assert torch.equal(
        Mosaic(whole).tile(0), torch.from_numpy(np.pad(whole.numpy(), [(0, 0), (0, 2), (0, 3)], "reflect"))
    )


@pytest.mark.parametrize("side", [724, 1100, 1240, 1244, 2048, 9000])
def test_neighbours_overlap_and_lie_on_the_grid(side):
    starts, weights = along(side, TILE, OVERLAP)
    tile = weights.shape[1]
    assert starts[0] == 0 and starts[-1] + tile == side and tile <= TILE and tile % STEP == 0
    assert all(start % STEP == 0 for start in starts)
    assert all(tile - (b - a) >= OVERLAP - STEP for a, b in pairwise(starts))
    assert tile * len(starts) <= side + (len(starts) - 1) * OVERLAP + 2 * STEP * len(starts), "no larger than needed"
    assert len(starts) == -(-(side - OVERLAP) // (TILE - OVERLAP)), "no more of them than it takes"
    total = torch.zeros(side, dtype=torch.float64)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + tile] += weight
    assert torch.allclose(total, torch.ones(()).double(), atol=1e-6) and weights.min() > 0


def test_two_tiles_fade_into_each_other_linearly():
    starts, weights = along(40, 24, 8)
    assert starts == [0, 16]
    assert torch.allclose(weights[0, 16:], (torch.arange(8).flip(0) + 0.5) / 8)
    assert torch.allclose(weights[1, :8], (torch.arange(8) + 0.5) / 8)
    assert torch.all(weights[0, :16] == 1) and torch.all(weights[1, 8:] == 1)


def test_a_small_picture_is_one_piece():
    assert len(Mosaic(picture(PIECE, PIECE))) == 1
    assert len(Mosaic(picture(PIECE // 2, 2 * PIECE))) == 1
    assert len(Mosaic(picture(PIECE + 1, PIECE))) == 4


def test_tiles_of_a_large_picture_are_little_more_than_the_picture():
    mosaic = Mosaic(torch.zeros(3, 1536, 1792, dtype=torch.uint8))
    assert len(mosaic) * mosaic.tile(0)[0].numel() < 1.75 * 1536 * 1792
    height, width = mosaic.whole.shape[1:]
    assert height * width <= WHOLE**2 and width / height == pytest.approx(1792 / 1536, rel=0.02)
