"""What was made of photos, at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlthink.data.photos.decode import pillow

MOST = 40  # photos on a sheet
THUMBNAIL = 224  # pixels of its longer side
GAP, APART = 6, 26  # pixels between before and after, and between pairs
PAPER, INK = (255, 255, 255), (90, 90, 90)
LETTERS = 13  # pixels


class ContactSheet:
    """Thumbnails in pairs, before and after, over their names, in order; of more than MOST photos every few."""

    def __init__(self, photos: int) -> None:
        self.shown = {i * photos // MOST for i in range(MOST)} if photos > MOST else {*range(photos)}
        self.pairs: list[tuple[str, Any, Any]] = []

    def add(self, i: int, name: str, before: Any, after: Any) -> None:
        """Photo i, as pillow pictures; only a thumbnail is kept."""
        if i in self.shown:
            self.pairs.append((name, _thumbnail(before), _thumbnail(after)))

    def picture(self) -> Any:
        """A pillow picture, a little wider than high."""
        n = len(self.pairs)
        width, height = (max(before.size[axis] for _, before, _ in self.pairs) for axis in (0, 1))
        cell = (2 * width + GAP + APART, height + APART)
        columns = min(range(1, n + 1), key=lambda k: abs(k * cell[0] / (-(-n // k) * cell[1]) - 1.5))
        size = (columns * cell[0] + APART, -(-n // columns) * cell[1] + APART)
        sheet = pillow().Image.new("RGB", size, PAPER)
        pen, letters = pillow().ImageDraw.Draw(sheet), _letters()
        for i, (name, before, after) in enumerate(self.pairs):
            left, top = APART + i % columns * cell[0], APART + i // columns * cell[1]
            aside, below = width - before.width, (height - before.height) // 2  # a pair stays together
            sheet.paste(before, (left + aside, top + below))
            sheet.paste(after, (left + width + GAP, top + below))
            shown = _shortened(name, letters, 2 * width + GAP)
            pen.text((left + width + GAP / 2, top + height + APART / 2), shown, INK, letters, anchor="mm")
        return sheet


def _thumbnail(image: Any) -> Any:
    scale = THUMBNAIL / max(image.size)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, pillow().Image.Resampling.BICUBIC, reducing_gap=3)


def _letters() -> Any:
    """The face of matplotlib's figures, which has more of the world's letters than pillow's own."""
    import matplotlib

    face = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return pillow().ImageFont.truetype(str(face), LETTERS)


def _shortened(name: str, letters: Any, width: int) -> str:
    """The end of a name says which photo it is."""
    cuts = ["…" * bool(k) + name[k:] for k in range(len(name) + 1)]
    return next((cut for cut in cuts if letters.getlength(cut) <= width), "")
