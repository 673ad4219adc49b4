"""Small photos of two seasons, made up for tests."""

from tests.data.photos.made_photos import packed, picture


def photos(n, season="summer", first=0, size=(40, 36)):
    """{"00.png": bytes, ...}: no two seasons, and no two numbers, show the same."""
    return {f"{i:02d}.png": packed(picture([len(season), *season.encode(), i], size)) for i in range(first, first + n)}


def inside(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


def published(train=(8, 6), test=(3, 2), **more):
    """The layout of CycleGAN's sets, with so many photos of summer (A) and of winter (B)."""
    return {
        **inside("trainA", photos(train[0], "summer", **more)),
        **inside("trainB", photos(train[1], "winter", **more)),
        **inside("testA", photos(test[0], "summer", train[0], **more)),
        **inside("testB", photos(test[1], "winter", train[1], **more)),
    }
