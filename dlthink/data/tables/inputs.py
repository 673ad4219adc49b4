"""A user's own table, prepared as a run's was: its predictions go to a CSV beside the columns that were given."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dlthink.data.tables.preparation import Preparation, days_first
from dlthink.data.tables.readers.columns import no_such_column
from dlthink.data.tables.readers.read_table import Source, read_table
from dlthink.data.tables.targets import exposure, log_exposure
from dlthink.files.atomic import atomic

if TYPE_CHECKING:
    import pandas

LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


class Inputs:
    """Rows of a table: x as `Rows` has it; written are the table's own columns as they stand there, then what `columns`
    of a subclass makes of the predictions.

    A feature that the table lacks is taken as missing where training had gaps in it, else refused; unknown categories
    and values far beyond training are told. Raises BadInput, naming the file.
    """

    def __init__(self, path: str, state: dict) -> None:
        self.path, self.names = path, state["targets"]
        frame, source = read_table(path, "input", missing=state.get("missing") or ())
        source.trained = True
        source.day_first |= days_first(state["columns"])
        preparation = Preparation([dict(column) for column in state["columns"]])
        lacking = self._filled(frame, preparation, source)
        self.x = self.further(frame, state, source)
        rows, columns = np.arange(len(frame)), dict(frame.items())
        del frame
        x = preparation.apply(columns, {"input": rows}, source)["input"]
        self.x |= {"numbers": x.numbers, "categories": x.categories}
        self.notes = [*source.notes, *lacking, *preparation.notes]

    def __len__(self) -> int:
        return len(self.x["numbers"])

    def take(self, index: Tensor) -> tuple[dict[str, Tensor], None]:
        return {name: of.index_select(0, index) for name, of in self.x.items()}, None

    def known(self, index: Tensor) -> dict[str, Any]:
        return {"row": index.cpu() + 1}

    def to(self, device: torch.device | str) -> Inputs:
        moved = copy.copy(self)
        moved.x = {name: of.to(device) for name, of in self.x.items()}
        return moved

    def summary(self) -> str:
        """What was predicted, for the terminal."""
        return "; ".join([*(f"note: {note}" for note in self.notes), f"{len(self):,} row{'s' * (len(self) != 1)}"])

    def further(self, frame: pandas.DataFrame, state: dict, source: Source) -> dict[str, Tensor]:
        """What else x holds."""
        return {}

    def columns(self, predicted: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
        """(name, [n, n_targets]) of what is written."""
        raise NotImplementedError

    def write(self, predicted: dict[str, Any], path: str | Path) -> None:
        """A CSV, whole or not at all."""
        frame, _ = read_table(self.path, "input", as_written=True)
        frame = frame.iloc[: len(self)].copy()  # footnotes are no rows
        for name, values in self.columns(predicted):
            for target, column in zip(self._called(values), values.detach().cpu().double().T, strict=True):
                header = f"{name}[{target}]" if target else name
                frame[header if header not in frame else f"predicted {header}"] = [f"{x:.8g}" for x in column.tolist()]
        with atomic(path) as file:
            frame.to_csv(file, index=False, lineterminator="\n")

    def _called(self, values: Tensor) -> list[str]:
        """What the columns of a prediction are called after its own name: the targets, where there are several."""
        return self.names if values.shape[1] == len(self.names) > 1 else [""] * values.shape[1]

    def _filled(self, frame: pandas.DataFrame, preparation: Preparation, source: Source) -> list[str]:
        """Columns of nothing, where a feature is not there and training had gaps in it."""
        lacking = [column for column in preparation.columns if column["name"] not in frame]
        for column in lacking:
            if not column.get("gaps") and "" not in column.get("words", ()):
                raise no_such_column(column["name"], list(frame.columns), None, source)
            frame[column["name"]] = np.nan
        return [f"no column {column['name']}: taken as missing in all rows" for column in lacking]


class CountInputs(Inputs):
    """mean and quantiles; the table must hold the exposure, where the run had one."""

    def further(self, frame: pandas.DataFrame, state: dict, source: Source) -> dict[str, Tensor]:
        name = state["exposure"]
        if name is None:
            return {}
        if name not in frame:
            raise no_such_column(name, list(frame.columns), None, source)
        return {"offset": log_exposure(exposure(frame, name, source), state["mean_exposure"])}

    def columns(self, predicted: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
        mean = predicted["rate"] if "rate" in predicted else predicted["mean"]
        yield "mean", mean
        yield from _quantiles(predicted, mean)


class RealInputs(Inputs):
    """mean, std, and quantiles where the cost says a distribution; aleatoric and epistemic of an ensemble."""

    def columns(self, predicted: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
        mean = predicted["mean"]
        yield "mean", mean
        if "std" in predicted:
            yield "std", predicted["std"]
        yield from _quantiles(predicted, mean)
        for name in ("aleatoric", "epistemic"):
            if name in predicted:
                yield name, predicted[name]


class VectorInputs(Inputs):
    """embedding[0], embedding[1], ...: the place of each row."""

    def columns(self, predicted: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
        embedding = predicted["embedding"]
        for place in range(embedding.shape[1]):
            yield f"embedding[{place}]", embedding[:, place : place + 1]


def _quantiles(predicted: dict[str, Any], mean: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Those of a distribution, where the cost says one that has them."""
    for name, level in LEVELS.items() if "distribution" in predicted else ():
        try:
            yield name, predicted["distribution"].icdf(torch.full_like(mean, level))
        except NotImplementedError:  # so torch's families say it
            return
