"""What a run leaves to look at: TensorBoard events, `metrics.csv` over time, figures as PNG.

Only the loop and its progress write here, and `beside` what a run is worth on other data.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from dlthink.files.atomic import renamed

LONG = 1_000  # letters of a row, at most
MESS = 10_000  # such pieces that are no rows: beyond that nothing is looked for
COLUMNS = ("step", "epoch", "split", "name", "value")


class Logger:
    """TensorBoard events, metrics.csv and figures of one run. After the step `after` a resumed run writes anew."""

    def __init__(self, folder: Path, after: int | None = None):
        self.folder = folder
        self._writer = SummaryWriter(str(folder), purge_step=None if after is None else after + 1)
        self._table = folder / "metrics.csv"
        with renamed(self._table, alone=True) as new, new.open("w", newline="") as file:
            csv.writer(file).writerow(COLUMNS)
            if after is not None and self._table.exists():
                csv.writer(file).writerows(self._rows(after))
        self._file = open(self._table, "a", newline="")  # noqa: SIM115 (open as long as the logger)
        self._csv = csv.writer(self._file)

    def _rows(self, after: int) -> Iterator[list[str]]:
        """The rows up to `after`, without what a kill may have left half-written, or a stranger put there."""
        mess = 0
        with open(self._table, newline="", errors="replace") as file:
            while mess < MESS and (line := file.readline(LONG)):
                row = [] if "\0" in line else next(csv.reader([line]), [])  # a zero ends Python 3.10's reader
                if len(row) == len(COLUMNS) and row[0].isascii() and row[0].isdigit():
                    if int(row[0]) <= after:
                        yield row
                else:
                    mess += 1

    def scalars(self, split: str, values: dict[str, float], step: int, epoch: int) -> None:
        """One point on the curve `split/name` for each value, and one row in the table."""
        for name, value in values.items():
            self._writer.add_scalar(f"{split}/{name}", value, step)
            self._csv.writerow((step, epoch, split, name, f"{value:.8g}"))
        self._file.flush()

    def figures(self, split: str, draw: Callable[[], dict], step: int) -> None:
        """What `draw` draws, into TensorBoard, and the newest of each as `figures/SPLIT_NAME.png`; once for both."""
        _figures(self._writer, self.folder, split, draw(), step)

    def projection(self, split: str, points, names: list[str], pictures, step: int) -> None:
        """Points [n, d] for TensorBoard's PROJECTOR, each with its name and its picture (uint8 [n, c, s, s])."""
        sprites = None if pictures is None else pictures.float() / 255
        self._writer.add_embedding(points, names, sprites, step, split)

    def text(self, name: str, text: str, step: int = 0) -> None:
        self._writer.add_text(name, _text(text), step)

    def hparams(self, choices: dict, step: int) -> None:
        """The run as one line of TensorBoard's HPARAMS tab, its curves' last points beside it.

        Without a list of columns, which torch's `add_hparams` writes too: of all runs below one folder TensorBoard
        takes a single one's, and what was typed for the others is not shown.
        """
        choices = {name: _text(value) if isinstance(value, str) else value for name, value in choices.items()}
        _, begin, end = hparams(choices, {})
        for summary in (begin, end):
            self._writer.file_writer.add_summary(summary, step)

    def flush(self) -> None:
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def beside(folder: Path, name: str, numbers: dict[str, float], figures: dict, step: int) -> None:
    """What a run is worth on another data set, beside its own: `NAME/...` in events of their own, `figures/NAME_*.png`.

    Nothing that was there is touched but figures of that name.
    """
    writer = SummaryWriter(str(folder), filename_suffix=f".{name}")
    for key, value in numbers.items():
        writer.add_scalar(f"{name}/{key}", value, step)
    _figures(writer, folder, name, figures, step)
    writer.close()


def _figures(writer: SummaryWriter, folder: Path, split: str, figures: dict, step: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.image import imsave

    place = folder / "figures"
    place.mkdir(exist_ok=True)
    for name, figure in figures.items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        imsave(place / f"{split}_{name}.png", pixels)
        # never under a metric's tag: TensorBoard would show neither
        writer.add_image(f"figures/{split}_{name}", pixels, step, dataformats="HWC")


def _text(text: str) -> str:
    """What TensorBoard can hold: a path need not be UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
