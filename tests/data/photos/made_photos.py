"""Small photos made up for tests: noise that differs from person to person and from photo to photo."""

import io
import tarfile
import zipfile
from functools import cache

import numpy as np
import pytest

from dlthink.data.photos.decode import middle, resized, upright

Image = pytest.importorskip("PIL.Image", reason="photos need pillow")


def picture(seed, size=(32, 32), mode="RGB"):
    """A smooth random picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def packed(image, kind="PNG", **more):
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def decode(data, size, grey, centre=None):
    """A file's photo as `photos_of` keeps it: uint8 [1 or 3, size, size]."""
    return resized(middle(upright(data), centre), size, grey)


def people(counts):
    """{"Name/Name_0001.png": bytes} for {name: how many}."""
    return {f"{name}/{name}_{i + 1:04d}.png": photo_of(name, i) for name, count in counts.items() for i in range(count)}


@cache
def photo_of(name, i):
    return packed(picture([len(name), *name.encode(), i]))


def laid(folder, files):
    """The files, laid into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def tarred(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


FILES = people({"Zoë Ünlü": 2, "Ann": 1}) | {"Ann/bad one.jpg": b"no", "Ann/.hidden.png": b"", "Ann/readme.md": b""}
