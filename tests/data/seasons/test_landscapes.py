import numpy as np
import pytest

from dlthink.data.seasons.landscapes.cabin import build, spot_of
from dlthink.data.seasons.landscapes.noise import SIDE, at, crests, specks, waves
from dlthink.data.seasons.landscapes.picture import draw
from dlthink.data.seasons.landscapes.scene import FAR, height, scene_of
from dlthink.data.seasons.landscapes.view import NEAR, view


def drawn(scenes, size, season, seed=0):
    return np.concatenate(list(draw(scenes, size, seed, season)))


@pytest.fixture(scope="module")
def pairs():
    return tuple(drawn(range(40), 32, season) / 255 for season in ("summer", "winter"))


def psnr(a, b):
    return -10 * np.log10(((a - b) ** 2).mean())


def test_scenes_depend_on_seed_and_number_alone():
    all_ = drawn(range(6), 24, "winter", seed=3)
    assert all_.shape == (6, 3, 24, 24)
    assert all_.dtype == np.uint8
    np.testing.assert_array_equal(drawn(range(4, 6), 24, "winter", seed=3), all_[4:])
    assert not np.array_equal(drawn(range(1), 24, "winter", seed=4), all_[:1])
    assert list(draw(range(0), 24, 3, "summer")) == []


def test_drawing_leaves_the_chance_of_others_alone():
    np.random.seed(5)
    before = np.random.get_state()[1].copy()
    drawn(range(1), 16, "summer")
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("season", ["summer", "winter"])
def test_a_scene_is_the_same_at_every_size(season):
    small = drawn(range(6), 32, season) / 255
    for size in (64, 96):
        large = drawn(range(6), size, season) / 255
        large = large.reshape(6, 3, 32, size // 32, 32, size // 32).mean(axis=(3, 5))
        for k in range(6):
            others = max(psnr(small[k], large[other]) for other in range(6) if other != k)
            assert psnr(small[k], large[k]) > max(20, others + 4)


def test_winter_whitens_the_ground_not_the_sky(pairs):
    summer, winter = pairs
    ground = np.s_[:, :, 24:]
    assert ((winter[ground].mean(axis=(1, 2, 3)) - summer[ground].mean(axis=(1, 2, 3))) > 0.05).mean() > 0.8
    spread = [(p[ground].max(axis=1) - p[ground].min(axis=1)).mean() for p in pairs]
    assert spread[1] < 0.6 * spread[0]  # of the colours: grass is green, snow isn't
    assert abs(winter[:, :, :2] - summer[:, :, :2]).mean() < 0.1


def test_snow_is_no_matter_of_colour_alone(pairs):
    """The best affine map of colours, fitted to each single pair with its truth, stays far from the truth."""
    summer, winter = pairs
    untouched = np.mean([psnr(a, b) for a, b in zip(summer, winter, strict=True)])
    mapped = []
    for a, b in zip(summer, winter, strict=True):
        colours = np.vstack([a.reshape(3, -1), np.ones((1, a[0].size))]).T
        fitted = colours @ np.linalg.lstsq(colours, b.reshape(3, -1).T, rcond=None)[0]
        mapped.append(psnr(fitted.T.reshape(a.shape), b))
    assert 9 < untouched < 15
    assert untouched + 3 < np.mean(mapped) < 23


def test_lakes_freeze_and_rivers_do_not():
    change = {"lake": [], "river": []}
    for number in range(40):
        scene = scene_of(0, number)
        if not (scene.river or scene.lake[3]):
            continue
        seen = view(scene, 128)
        wet = np.zeros(128 * 128, dtype=bool)
        wet[seen.points[seen.y < -0.05]] = True
        wet = wet.reshape(64, 2, 64, 2).all(axis=(1, 3))
        if wet.sum() < 100:
            continue
        summer, winter = (drawn(range(number, number + 1), 64, season)[0] / 255 for season in ("summer", "winter"))
        change["river" if scene.river else "lake"].append((winter - summer)[:, wet].mean())
    assert min(len(of) for of in change.values()) >= 4
    assert np.mean(change["lake"]) > 0.15
    assert abs(np.mean(change["river"])) < 0.08


def test_scenes_differ(pairs):
    flat = pairs[0].reshape(40, -1)
    apart = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(axis=2))[np.triu_indices(40, 1)]
    assert apart.min() > 0.05
    assert np.median(apart) > 0.15


def test_view_shows_the_nearest_ground():
    side, scene = 48, scene_of(1, 2)
    seen = view(scene, side)
    slices = side + side // 4
    z = NEAR * (FAR / NEAR) ** (np.arange(slices) / (slices - 1))
    for column in range(0, side, 5):
        x = ((column + 0.5) / side - 0.5) * z
        rows = (scene.horizon + (np.maximum(height(scene, x, z), 0) - scene.eye) / z) * side
        for row in range(side):
            reach = np.flatnonzero(rows > side - row - 0.5)
            found = seen.depth[row, column]
            if len(reach):
                assert z[max(reach[0] - 1, 0)] * 0.999 <= found <= z[max(reach[0], 1)] * 1.001
            else:
                assert np.isinf(found)
    np.testing.assert_allclose((seen.normal**2).sum(axis=0), 1, rtol=1e-5)
    assert (seen.normal[1] > 0).all()


def test_noise_between_and_beyond_its_points():
    for table in (waves(), crests(), specks()):
        i, j = np.array([0, 3, SIDE - 1]), np.array([5, SIDE - 1, 0])
        np.testing.assert_allclose(at(table, i / SIDE, j / SIDE), table[j, i], atol=1e-5)
        np.testing.assert_allclose(at(table, i / SIDE - 2, j / SIDE + 3), table[j, i], atol=1e-5)
        middle = (table[5, 7] + table[5, 8] + table[6, 7] + table[6, 8]) / 4
        np.testing.assert_allclose(at(table, np.array([7.5 / SIDE]), np.array([5.5 / SIDE])), middle, atol=1e-5)
    assert crests().min() == 0
    assert crests().max() == 1
    assert abs(waves()[:-1, :-1].mean()) < 1e-5
    assert abs(specks()[:-1, :-1].std() - 1) < 1e-4


def test_a_cabin_stands_on_dry_ground_before_what_is_behind_it():
    with_cabin = [number for number in range(40) if spot_of(scene_of(0, number))]
    assert 3 <= len(with_cabin) <= 16
    for number in with_cabin:
        scene = scene_of(0, number)
        x, z, ground = spot_of(scene)
        assert ground > 0.12
        assert abs(x / z) < 0.31
        for winter in (False, True):
            open_ = np.full((64, 64), np.inf, dtype=np.float32)
            place, colour, light, depth = build(scene, open_, winter)
            assert colour.shape == (3, len(place))
            assert light.shape == place.shape
            assert len(place) > 20
            assert depth == z
            assert len(build(scene, open_.clip(0, z / 2), winter)[0]) == 0  # all hidden
