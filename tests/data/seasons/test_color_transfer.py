"""Colours moved to another season's mean and covariance, in Lab."""

import torch

from dlthink.data.seasons.color_transfer import ColorTransfer, linear, moments, to_lab, to_rgb

# sRGB of 8 bits -> Lab under D65, from the formulas of CIE 15:2004 worked by hand and tables of Lindbloom
KNOWN = {
    (255, 255, 255): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
    (255, 0, 0): (53.24, 80.09, 67.20),
    (0, 255, 0): (87.73, -86.18, 83.18),
    (0, 0, 255): (32.30, 79.19, -107.86),
    (119, 119, 119): (50.03, 0.0, 0.0),
}


def test_lab_of_known_colours():
    rgb = torch.tensor(list(KNOWN), dtype=torch.float64) / 255
    assert torch.allclose(to_lab(rgb), torch.tensor(list(KNOWN.values()), dtype=torch.float64), atol=0.02)


def test_there_and_back():
    rgb = torch.rand(2, 3, 5, 5, dtype=torch.float64)
    assert torch.allclose(to_rgb(to_lab(rgb)), rgb, atol=1e-5)


def test_the_map_moves_one_covariance_onto_the_other_and_is_symmetric():
    g = torch.Generator().manual_seed(0)
    a, b = (x @ x.T + torch.eye(3) for x in torch.randn(2, 3, 3, generator=g, dtype=torch.float64))
    turn = linear(a, b)
    assert torch.allclose(turn @ a @ turn.T, b, atol=1e-9)
    assert torch.allclose(turn, turn.T, atol=1e-9), "the least of all maps that do"


def season(mean, spread, n=60):
    g = torch.Generator().manual_seed(1)
    lab = torch.randn(n, 3, 16, 16, generator=g, dtype=torch.float64) * torch.tensor(spread)[:, None, None]
    return (to_rgb(lab + torch.tensor(mean)[:, None, None]) * 255).round().to(torch.uint8)


def test_photos_get_the_mean_and_covariance_of_the_other_season():
    photos = {
        "summer": season([50.0, -10.0, 20.0], [8.0, 4.0, 6.0]),
        "winter": season([70.0, 0.0, -5.0], [10.0, 2.0, 3.0]),
    }
    transfer = ColorTransfer.fit(photos)
    for source, target in (("summer", "winter"), ("winter", "summer")):
        moved = transfer(photos[source].float() / 127.5 - 1, target)
        got = moments(((moved + 1) * 127.5).round().to(torch.uint8))
        assert torch.allclose(got[0], transfer.moments[target][0], atol=0.2)
        assert torch.allclose(got[1:], transfer.moments[target][1:], rtol=0.03, atol=0.6)


def test_one_colour_everywhere_is_no_crash():
    flat = {s: torch.full((2, 3, 8, 8), tone, dtype=torch.uint8) for s, tone in (("summer", 60), ("winter", 200))}
    moved = ColorTransfer.fit(flat)(flat["summer"].float() / 127.5 - 1, "winter")
    assert torch.allclose(moved, torch.tensor(200 / 127.5 - 1), atol=0.02)


def test_it_is_rebuilt_from_its_moments():
    photos = {
        "summer": season([50.0, -10.0, 20.0], [8.0, 4.0, 6.0]),
        "winter": season([70.0, 0.0, -5.0], [9.0, 2.0, 3.0]),
    }
    first = ColorTransfer.fit(photos)
    x = torch.rand(1, 3, 8, 8) * 2 - 1
    assert torch.equal(ColorTransfer(first.moments)(x, "winter"), first(x, "winter"))
