"""A photo, whatever its kind, as a small square of bytes; or the reason why not."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from dlthink.data.photos.png_rows import lacks_rows
from dlthink.errors import BadInput

SMALLEST = 8  # pixels a side; nothing can be told from less
NEUTRAL = (128, 128, 128)  # behind a picture that is transparent
HUNGRY = {"WEBP": 32_000_000, "JPEG2000": 32_000_000, "AVIF": 32_000_000}  # pixels: their decoders take 20 bytes each
BAND = 1 << 20  # pixels that are converted at a time, so that memory is that of the picture itself
REDUCED = 0x00FE  # a TIFF's tag: its first bit says that this is a small version of another picture in the file
ORIENTATION = 0x0112


def pillow() -> Any:
    """The module PIL; BadInput when it is not installed."""
    try:
        import PIL.Image
        import PIL.ImageDraw
        import PIL.ImageFont
        import PIL.ImageOps
    except ImportError as error:
        raise BadInput(
            "reading photos needs the package pillow: pip install 'dlthink[faces]', or 'dlthink[seasons]'"
        ) from error
    return PIL


def upright(data: bytes) -> Any:
    """A pillow picture, L or RGB, at its own resolution, turned as EXIF says; of an animated one the first picture.

    Grey, palette, CMYK, 16-bit pictures become 8-bit grey or RGB, transparent ones lie on neutral grey. ValueError
    says why not.
    """
    PIL = pillow()
    with warnings.catch_warnings(), _reasons(PIL):
        warnings.simplefilter("error", PIL.Image.DecompressionBombWarning)
        warnings.filterwarnings("ignore", category=UserWarning)  # damaged EXIF
        image = PIL.Image.open(io.BytesIO(data))
    if min(image.size) < SMALLEST:
        raise ValueError(f"{image.width} x {image.height} pixels: too small, {SMALLEST} a side is the least")
    most = HUNGRY.get(image.format, math.inf)
    if image.width * image.height > most:
        raise ValueError(f"more than {most:,} pixels, too many for a {image.format}: save it as JPEG")
    with warnings.catch_warnings(), _reasons(PIL):
        warnings.filterwarnings("ignore", category=UserWarning)
        if image.format == "TIFF" and image.tag_v2.get(REDUCED, 0) in (1, (1,)):
            raise Unsuitable("a camera's raw file, or one like it, whose thumbnail alone can be read: save it as JPEG")
        image.load()
        if image.format == "PNG" and lacks_rows(data):
            raise Unsuitable("cut short")
        return _upright(_eight_bits(image))


def shorter_side(data: bytes) -> int | None:
    """Pixels of a picture's shorter side, by what its file begins with; None of what is no picture."""
    PIL = pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return min(PIL.Image.open(io.BytesIO(data)).size)
    except Exception:  # decoders raise OSError, SyntaxError, struct.error, IndexError, ... on damage
        return None


def bands(image: Any) -> Iterator[tuple[int, Any]]:
    """(top, picture): horizontal parts of a picture, one after the other."""
    high = max(1, BAND // image.width)
    for top in range(0, image.height, high):
        yield top, image.crop((0, top, image.width, min(top + high, image.height)))


class Unsuitable(ValueError):
    """Why a picture that can be opened is no photo."""


def middle(image: Any, centre: tuple[int, int] | None = None) -> Any:
    """The central square of a picture.

    centre: (side, kept): a square picture of exactly `side` pixels keeps its central `kept` only.
    """
    side = min(image.size)
    if centre is not None and image.size == (centre[0], centre[0]):
        side = centre[1]
    if image.size == (side, side):
        return image
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def resized(image: Any, size: int, grey: bool) -> np.ndarray:
    """uint8 [1 or 3, size, size] of a square picture, with averaging."""
    image = as_mode(image, "L" if grey else "RGB").resize((size, size), pillow().Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1).transpose(2, 0, 1)


@contextmanager
def _reasons(PIL: Any) -> Iterator[None]:
    """Whatever pillow says of a picture that it cannot read, as a ValueError in plain words."""
    try:
        yield
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise ValueError(f"more than {PIL.Image.MAX_IMAGE_PIXELS:,} pixels, the limit of pillow") from error
    except (Unsuitable, MemoryError):
        raise
    except PIL.UnidentifiedImageError as error:
        raise ValueError("no picture that pillow can read") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError, ... on damage
        raise ValueError("cut short" if "truncated" in str(error).lower() else "damaged") from error


def _upright(image: Any) -> Any:
    with suppress(Exception):  # damaged EXIF: as it lies
        pillow().ImageOps.exif_transpose(image, in_place=True)
    return image


def as_mode(image: Any, mode: str) -> Any:
    """The picture in this mode; no copy where it has it."""
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image: Any) -> Any:
    """L or RGB, with what EXIF says of its orientation kept."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        peak = max(float(_numbers(band).max()) for _, band in bands(image))
        times = 255 if mode == "F" and peak <= 1 else 1 / 257 if peak > 255 else 1
        made = _made("L", image, lambda band: pillow().Image.fromarray(_grey(_numbers(band), times)))
    elif mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        made = _made("RGB", image, _on_grey)
    elif mode == "LAB":
        raise Unsuitable("in the colours LAB, which cannot be read: save it as JPEG")
    else:
        made = as_mode(image, "L" if mode in ("L", "1") else "RGB")
    orientation = _orientation(image)
    if orientation != 1 and made is not image:
        made.getexif()[ORIENTATION] = orientation
    return made


def _made(mode: str, image: Any, convert: Callable[[Any], Any]) -> Any:
    """A picture of this mode, of bands of another one."""
    made = pillow().Image.new(mode, image.size)
    for top, band in bands(image):
        made.paste(convert(band), (0, top))
    return made


def _numbers(band: Any) -> np.ndarray:
    return np.nan_to_num(np.asarray(band).astype(np.float64))


def _grey(values: np.ndarray, times: float) -> np.ndarray:
    return (values * times if times >= 1 else values / round(1 / times)).clip(0, 255).round().astype(np.uint8)


def _on_grey(band: Any) -> Any:
    colours = as_mode(band, "RGBA")
    made = pillow().Image.new("RGB", band.size, NEUTRAL)
    made.paste(colours, mask=colours.getchannel("A"))
    return made


def _orientation(image: Any) -> Any:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF, in as many ways as there are
        return 1
