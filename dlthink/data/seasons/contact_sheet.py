"""What was made of photos, at a glance."""

from __future__ import annotations

from typing import Any

from dlthink.data.photos.decode import pillow

MOST = 40  # photos on a sheet
THUMBNAIL = 224  # pixels of its longer side
GAP, APART = 6, 26  # pixels between before and after, and between pairs
PAPER = (255, 255, 255)


class ContactSheet:
    """Thumbnails in pairs, before and after, in order; of more than MOST photos every few."""

    def __init__(self, photos: int) -> None:
        self.shown = {i * photos // MOST for i in range(MOST)} if photos > MOST else {*range(photos)}
        self.pairs: list[tuple[Any, Any]] = []

    def add(self, i: int, before: Any, after: Any) -> None:
        """Photo i, as pillow pictures; only a thumbnail is kept."""
        if i in self.shown:
            self.pairs.append((_thumbnail(before), _thumbnail(after)))

    def picture(self) -> Any:
        """A pillow picture, a little wider than high."""
        n = len(self.pairs)
        width, height = (max(pair[0].size[axis] for pair in self.pairs) for axis in (0, 1))
        cell = (2 * width + GAP + APART, height + APART)
        columns = min(range(1, n + 1), key=lambda k: abs(k * cell[0] / (-(-n // k) * cell[1]) - 1.5))
        size = (columns * cell[0] + APART, -(-n // columns) * cell[1] + APART)
        sheet = pillow().Image.new("RGB", size, PAPER)
        for i, (before, after) in enumerate(self.pairs):
            left, top = APART + i % columns * cell[0], APART + i // columns * cell[1]
            aside, below = width - before.width, (height - before.height) // 2  # a pair stays together
            sheet.paste(before, (left + aside, top + below))
            sheet.paste(after, (left + width + GAP, top + below))
        return sheet


def _thumbnail(image: Any) -> Any:
    scale = THUMBNAIL / max(image.size)
    size = tuple(max(1, round(side * scale)) for side in image.size)
    return image.resize(size, pillow().Image.Resampling.BICUBIC, reducing_gap=3)
