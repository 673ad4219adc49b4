"""A photo, whatever its kind, as a small square of bytes; or the reason why not."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from dlthink.errors import BadInput

SMALLEST = 8  # pixels a side; nothing can be told from less
NEUTRAL = (128, 128, 128)  # behind a picture that is transparent


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
    with warnings.catch_warnings(), _reasons(PIL):
        warnings.filterwarnings("ignore", category=UserWarning)
        image.load()
    return _upright(_eight_bits(image))


def middle(image: Any, centre: tuple[int, int] | None = None) -> Any:
    """The central square of a picture.

    centre: (side, kept): a square picture of exactly `side` pixels keeps its central `kept` only.
    """
    side = min(image.size)
    if centre is not None and image.size == (centre[0], centre[0]):
        side = centre[1]
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def resized(image: Any, size: int, grey: bool) -> np.ndarray:
    """uint8 [1 or 3, size, size] of a square picture, with averaging."""
    image = image.convert("L" if grey else "RGB").resize((size, size), pillow().Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1).transpose(2, 0, 1)


@contextmanager
def _reasons(PIL: Any) -> Iterator[None]:
    """Whatever pillow says of a picture that it cannot read, as a ValueError in plain words."""
    try:
        yield
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning) as error:
        raise ValueError(f"more than {PIL.Image.MAX_IMAGE_PIXELS:,} pixels, the limit of pillow") from error
    except PIL.UnidentifiedImageError as error:
        raise ValueError("no picture that pillow can read") from error
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError, ... on damage
        raise ValueError("cut short" if "truncated" in str(error).lower() else "damaged") from error


def _upright(image: Any) -> Any:
    try:
        return pillow().ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF: as it lies
        return image


def _eight_bits(image: Any) -> Any:
    """L or RGB, with what EXIF says of its orientation kept."""
    PIL = pillow()
    about, mode = image.info, image.mode
    if mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        peak = values.max()
        values = values * 255 if mode == "F" and peak <= 1 else values / 257 if peak > 255 else values
        turned = PIL.Image.fromarray(values.clip(0, 255).round().astype(np.uint8))
    elif mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in about:
        colours = image.convert("RGBA")
        turned = PIL.Image.new("RGB", image.size, NEUTRAL)
        turned.paste(colours, mask=colours.getchannel("A"))
    elif mode in ("L", "1"):
        turned = image.convert("L")
    else:
        turned = image.convert("RGB")
    orientation = image.getexif().get(0x0112, 1)
    if orientation != 1:
        turned.getexif()[0x0112] = orientation
    return turned
