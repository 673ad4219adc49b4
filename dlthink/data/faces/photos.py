"""Photos from a folder, a zip or a tar: each is decoded to a small square of bytes, or there is a reason why not."""

from __future__ import annotations

import io
import tarfile
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

import numpy as np

from dlthink.errors import BadInput

ENDINGS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".jp2", ".avif"}
SMALLEST = 8  # pixels a side; nobody can be told from less
LARGEST = 256 << 20  # bytes of one file
NEUTRAL = (128, 128, 128)  # behind a picture that is transparent


def pillow() -> Any:
    """The module PIL; BadInput when it is not installed."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise BadInput("reading photos needs the package pillow: pip install 'dlthink[faces]'") from error
    return PIL


class Album(AbstractContextManager):
    """The pictures of a folder, a .zip or a .tar(.gz), which are never unpacked: `names`, `texts`, `read(name)`.

    names: paths within it, "/" between folders, Unicode NFC; sorted in a folder, in an archive as they lie there (a
    .tgz cannot be read backwards). texts: its .txt files. `word` is how messages name where it came from.
    Raises BadInput when there is no such place, it holds no picture, or a member climbs out of its folder.
    """

    def __init__(self, path: str | Path, word: str = "data.path") -> None:
        self.path, self.word = Path(path).expanduser(), word
        self._close: Callable[[], None] = lambda: None
        try:
            members = self._open()
        except OSError as error:
            raise BadInput(f"{word}={path}: cannot be read ({error.strerror or error})") from error
        self._members = {unicodedata.normalize("NFC", name): member for name, member in members if _shown(name)}
        self.texts = [name for name in self._members if name.endswith(".txt")]
        pictures = [name for name in self._members if name not in self.texts]
        self.names = sorted(pictures) if self.path.is_dir() else pictures
        if not self.names:
            self._close()
            raise BadInput(f"{word}={path}: holds no photo (.jpg, .png, ...): give a folder or a zip of photos")

    def _open(self) -> list[tuple[str, Any]]:
        path = self.path
        if path.is_dir():
            self._bytes = _of_file
            return [(file.relative_to(path).as_posix(), file) for file in path.rglob("*") if file.is_file()]
        if not path.exists():
            raise BadInput(f"{self.word}={path}: there is no such folder or file")
        if zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            self._close, self._bytes = archive.close, lambda info: _of_zip(archive, info)
            return [(self._within(i.filename), i) for i in archive.infolist() if not i.is_dir()]
        if path.suffix.lower() in ENDINGS:  # one photo; is_tarfile would take its time over it
            self._bytes = _of_file
            return [(path.name, path)]
        try:
            packed = tarfile.open(path)  # noqa: SIM115, closed with the album
            self._close, self._bytes = packed.close, lambda info: _of_tar(packed, info)
            return [(self._within(i.name), i) for i in packed.getmembers() if i.isfile()]
        except (tarfile.TarError, EOFError) as error:
            raise BadInput(
                f"{self.word}={path}: is neither a folder of photos nor a whole .zip or .tgz of them"
            ) from error

    def _within(self, name: str) -> str:
        """The member's own name; BadInput when it would leave the archive's folder."""
        parts = PurePosixPath(name.replace("\\", "/"))
        if ".." in parts.parts or parts.is_absolute() or ":" in parts.parts[0]:
            self._close()
            raise BadInput(
                f"{self.word}={self.path}: its member {name} climbs out of the folder: refused, pack it anew"
            )
        return parts.as_posix()

    def read(self, name: str) -> bytes:
        """What the file holds. ValueError says why it cannot be had."""
        return self._bytes(self._members[name])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()


def _shown(name: str) -> bool:
    """Is it a picture or a text, and no file that a system hides?"""
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in ENDINGS | {".txt"} and not hidden


def _small(size: int) -> None:
    if size > LARGEST:
        raise ValueError(f"larger than {LARGEST >> 20} MB")


def _of_file(path: Path) -> bytes:
    try:
        _small(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror or type(error).__name__})") from error


def _of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    _small(info.file_size)
    try:
        return archive.read(info)
    except Exception as error:  # a wrong checksum, a password, an unknown packing: zipfile has one error for each
        raise ValueError("cannot be unpacked") from error


def _of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    _small(info.size)
    try:
        file = archive.extractfile(info)
        return file.read() if file else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError("cannot be unpacked") from error


def decode(data: bytes, size: int, grey: bool, centre: tuple[int, int] | None = None) -> np.ndarray:
    """uint8 [1 or 3, size, size]: upright, its central square, resized with averaging.

    centre: (side, kept): a square picture of exactly `side` pixels keeps its central `kept` only. Grey, palette,
    CMYK, 16-bit pictures become 8-bit grey or RGB, transparent ones lie on neutral grey. ValueError says why not.
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
    image = _upright(_eight_bits(image))
    side = min(image.size)
    if centre is not None and image.size == (centre[0], centre[0]):
        side = centre[1]
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).convert("L" if grey else "RGB")
    image = image.resize((size, size), PIL.Image.Resampling.BICUBIC)
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
