"""Checkpoints that survive a crash: whole or not there at all, and never trusted to run code.

`checkpoints/last.pt` is where training stands, `previous.pt` the one before it, `best.pt` the best on validation.
"""

import io
import os
import zipfile
from pathlib import Path

import torch

from dlthink.errors import BadInput


def save(folder: Path, state: dict, best: bool) -> None:
    """Write `last.pt` (and `best.pt`) atomically, keeping the one before until the new one is on the disk.

    Raises OSError when the disk is full or read-only; everything saved before is still there then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    new, last = folder / "new.tmp", folder / "last.pt"
    try:
        with open(new, "wb") as file:
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        new.unlink(missing_ok=True)
        raise
    if best:
        _second_name(new, folder / "best.pt")
    if last.exists():
        _second_name(last, folder / "previous.pt")
    os.replace(new, last)
    _sync(folder)


def _second_name(file: Path, name: Path) -> None:
    """`name` becomes `file`'s content in one atomic move: a hard link, or a copy where there are none."""
    link = name.with_suffix(".tmp")
    link.unlink(missing_ok=True)
    try:
        os.link(file, link)
    except OSError:
        with open(link, "wb") as copy:
            copy.write(file.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
    os.replace(link, name)


def _sync(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path) -> dict:
    """One checkpoint, on the CPU. Raises BadInput when it is missing, damaged, or not a dlthink checkpoint."""
    if not path.is_file():
        raise BadInput(f"{path}: there is no checkpoint; give the folder of a run that has saved one")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch.load alone would not notice a flipped bit
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} has a wrong checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{path}: the checkpoint is damaged or not a torch file ({reason}); use another one") from error
    if not isinstance(state, dict) or not {"model", "loss", "step"} <= state.keys():
        raise BadInput(f"{path}: not a checkpoint of dlthink (a dictionary with model, loss, step, ...)")
    return state


def load_last(folder: Path) -> tuple[dict, str | None]:
    """Where training stands: `last.pt`, or `previous.pt` with a remark if that one is damaged or gone."""
    try:
        return load(folder / "last.pt"), None
    except BadInput as error:
        if not (folder / "previous.pt").is_file():
            raise
        return load(folder / "previous.pt"), f"{error}. Going on from {folder / 'previous.pt'}"


def install(saved: dict, model: torch.nn.Module, loss: torch.nn.Module, path: Path) -> None:
    """A checkpoint's weights into network and cost; the averaged ones (EMA) where the run kept them.

    Raises BadInput in one line when they belong to another network or cost than the configuration says.
    """
    weights = saved.get("ema") or saved["model"]
    for what, module, state in (("network", model, weights), ("cost", loss, saved["loss"])):
        try:
            module.load_state_dict(state)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise BadInput(f"{path}: holds another {what} than the configuration builds: {first}") from error
