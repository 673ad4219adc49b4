"""Checkpoints that survive a crash: whole or not there at all, and never trusted to run code.

`checkpoints/last.pt` is where training stands, `previous.pt` the one before it, `best.pt` the best on validation.
"""

import io
import math
import os
import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks

from dlthink import __version__
from dlthink.errors import BadInput, out_of_memory
from dlthink.files.atomic import renamed
from dlthink.files.zip_directory import check_directory
from dlthink.training.weight_limit import WeightLimit

NEEDED = ("model", "loss", "step")  # to do anything with it
LARGEST = 4 << 30  # bytes of a checkpoint
SHOWN = 120  # letters of what torch says
LISTED = 1 << 22  # bytes of its list of tensors: some 40,000
PICKLED, STEPS = 1 << 26, 1_000_000  # bytes that say how to build its values, and in how many steps: a second or two
VALUES, DEEP = 1_000_000, 30  # in it, tensors' numbers not counted
WIDE = 20_000  # whole numbers of more than 32 bits: as keys of one hash they would take the square of their number
MORE = 1 << 26  # weights that a run may have beside those in its checkpoint: frozen networks, tables
MORE_TENSORS = 10_000  # and in how many pieces
PLAIN = (str, bytes, int, float, bool, type(None), torch.dtype, torch.device, torch.Size)


@dataclass(frozen=True)
class Checkpoint:
    """What a run was at one step, by name: weights, optimizers, generators, its data's facts. Read from `path`."""

    path: Path
    state: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.state[name]

    @property
    def fitted(self) -> dict[str, float]:
        """What the examination fitted on validation; numbers, nothing else."""
        found = self.state.get("fitted")
        return {k: v for k, v in found.items() if isinstance(v, float)} if isinstance(found, dict) else {}

    @property
    def writer(self) -> str:
        """Who wrote it, and who reads it."""
        version = self.state.get("version")
        wrote = f"dlthink {version} wrote it" if isinstance(version, str) else "it does not say which dlthink wrote it"
        return f"{wrote}, this is {__version__}"

    def require(self, *names: str) -> None:
        """Raises BadInput where it lacks what is needed, and says which version of dlthink wrote it."""
        if lacking := [name for name in names if name not in self.state]:
            raise BadInput(
                f"{self.path}: has no {', '.join(lacking)} ({self.writer}); use the version that wrote it, "
                "or train anew"
            )

    def install(self, model: nn.Module, loss: nn.Module, averaged: bool = True) -> None:
        """Its weights into network and cost; averaged: the network's mean ones (EMA) where the run kept them.

        Raises BadInput in one line when they belong to another network or cost than the configuration says.
        """
        weights = (averaged and self.state.get("ema")) or self["model"]
        for what, module, state in (("network", model, weights), ("cost", loss, self["loss"])):
            try:
                module.load_state_dict(state)
            except RuntimeError as error:
                first = shorten(str(error).splitlines()[-1].strip().rstrip("."), SHOWN, placeholder=" ...")
                raise BadInput(
                    f"{self.path}: holds another {what} than the configuration builds ({first}); leave its "
                    f"settings as they were, or train anew where a dlthink of before wrote it"
                ) from error

    def weight_limit(self) -> WeightLimit:
        """While network and cost are built for it: none of their tensors is far larger than all that it holds."""
        return WeightLimit(self._held()[0] + MORE, _far_fewer(self.path))

    def _held(self) -> tuple[int, int]:
        """How many numbers network and cost have in it, and in how many tensors."""
        held = [value for part in ("model", "loss") for value in self[part].values() if isinstance(value, torch.Tensor)]
        return sum(value.numel() for value in held), len(held)

    @contextmanager
    def fitting(self, beside: str = "") -> Iterator[None]:
        """While objects are built from it: one line where the two do not fit, and no network beyond its weights.

        beside: what else is read meanwhile, for the message. Raises BadInput; MemoryError where memory is too small.
        """
        path = self.path
        numbers, tensors = self._held()
        room = [numbers + MORE, tensors + MORE_TENSORS]
        del self  # the caller may let go of it

        def count(module: nn.Module, name: str, value: torch.Tensor | None) -> None:
            if isinstance(value, torch.Tensor):
                room[0] -= value.numel()
                room[1] -= 1
                if min(room) < 0:
                    raise BadInput(_far_fewer(path))

        handles = [
            hooks.register_module_parameter_registration_hook(count),
            hooks.register_module_buffer_registration_hook(count),
        ]
        try:
            with out_of_memory():
                yield
        except BadInput:
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            reason = (str(error).splitlines() or [""])[0]
            raise BadInput(
                f"{path}: does not fit this run's configuration{beside and f' or {beside}'}, or another version of "
                f"dlthink wrote it ({type(error).__name__}: {reason})"
            ) from error
        finally:
            for handle in handles:
                handle.remove()


def save(folder: Path, state: dict, best: bool) -> None:
    """Write `last.pt` (and `best.pt`) atomically, keeping the one before until the new one is on the disk.

    Raises OSError when the disk is full or read-only; everything saved before is still there then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = folder / "last.pt"
    with renamed(last, alone=True) as new:
        _write(new, state)
        if best:
            _second_name(new, folder / "best.pt")
        if last.exists():
            _second_name(last, folder / "previous.pt")
    _sync(folder)


def replace(saved: Checkpoint, state: dict) -> None:
    """Write `state` where `saved` lies, atomically; a second name of that file keeps what it had."""
    with renamed(saved.path, alone=True) as new:
        _write(new, state)
    _sync(saved.path.parent)


def _write(file: Path, state: dict) -> None:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with file.open("wb") as handle:
        handle.write(buffer.getbuffer())
        handle.flush()
        os.fsync(handle.fileno())


def _second_name(file: Path, name: Path) -> None:
    """`name` becomes `file`'s content in one atomic move: a hard link, or a copy where there are none."""
    with renamed(name, alone=True) as link:
        link.unlink(missing_ok=True)
        try:
            os.link(file, link)
        except OSError:
            with link.open("wb") as copy:
                copy.write(file.read_bytes())
                copy.flush()
                os.fsync(copy.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path, mapped: bool = True) -> Checkpoint:
    """One checkpoint, on the CPU, of tensors and plain values that take no more memory than the file is large.

    mapped: what is not asked for stays on the disk; the file must then stay as it is for as long as this is in use.
    Raises BadInput when it is missing, damaged, or not a dlthink checkpoint.
    """
    if not path.is_file():
        raise BadInput(f"{path}: there is no checkpoint; give the folder of a run that has saved one")
    size = path.stat().st_size
    if size > LARGEST:
        raise BadInput(f"{path}: {size / 2**30:.1f} GB are more than a checkpoint of dlthink has; use another one")
    try:
        _check_archive(path, size)
        mapped = mapped and os.name == "posix"  # elsewhere a mapped file cannot be replaced
        state = torch.load(str(path), map_location="cpu", weights_only=True, mmap=mapped)
        _check_values(state, size)
    except Exception as error:
        reason = _named(error) or (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInput(f"{path}: the checkpoint is damaged or not a torch file ({reason}); use another one") from error
    if not isinstance(state, dict) or not {*NEEDED, "version"} & state.keys():
        raise BadInput(f"{path}: not a checkpoint of dlthink (a dictionary with {', '.join(NEEDED)}, ...)")
    Checkpoint(path, state).require(*NEEDED)
    step, parts = state["step"], (state["model"], state["loss"], state.get("facts", {}), state.get("data", {}))
    if not isinstance(step, int) or not 0 <= step < 2**53 or not all(isinstance(part, dict) for part in parts):
        raise BadInput(f"{path}: not a checkpoint of dlthink (model, loss, data and facts by name, a step from 0)")
    recent = state.get("recent", [])
    if not isinstance(recent, list) or not all(isinstance(terms, dict) for terms in recent):
        raise BadInput(f"{path}: not a checkpoint of dlthink (recent should be terms by name, step for step)")
    numbers = [value for terms in recent for value in terms.values()]
    if len(recent) > step or not all(isinstance(value, int | float) and math.isfinite(value) for value in numbers):
        raise BadInput(f"{path}: not a checkpoint of dlthink (recent terms should be finite numbers, of steps taken)")
    return Checkpoint(path, state)


def _far_fewer(path: Path) -> str:
    return f"{path}: holds far fewer weights than the network or cost of the configuration has"


def _named(error: Exception) -> str | None:
    """What a checkpoint would have run, where that is why torch refuses it: its own words advise to let it."""
    if not isinstance(error, pickle.UnpicklingError):
        return None
    named = re.search(r"GLOBAL (\S+)", str(error))
    return f"it wants {named[1]} to be called" if named else "it holds more than tensors and plain values"


def _check_archive(path: Path, size: int) -> None:
    """A zip as torch writes it: nothing compressed, nothing twice, every checksum right. Raises BadZipFile.

    So it cannot unfold into more than its size. It begins at the file's first byte: all readers see one archive.
    """
    check_directory(path, LISTED)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise zipfile.BadZipFile("it is compressed, which torch's own are not")
        names = {entry.filename for entry in entries}
        stored = sum(entry.file_size for entry in entries)
        if not entries or len(names) < len(entries) or stored > size or min(e.header_offset for e in entries):
            raise zipfile.BadZipFile("it holds more than the file has")
        if damaged := archive.testzip():  # torch.load alone would not notice a flipped bit
            raise zipfile.BadZipFile(f"{damaged} has a wrong checksum")
        for entry in entries:
            if entry.filename.endswith("data.pkl"):
                _check_steps(archive, entry)


def _check_steps(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """torch takes each step by itself, in Python: a million dictionaries would take it half a minute. ValueError."""
    if entry.file_size > PICKLED:
        raise ValueError("it holds too many values")
    wide = 0
    for step, (code, _, _) in enumerate(pickletools.genops(archive.read(entry))):
        wide += code.name in ("LONG", "LONG1", "LONG4")
        if step >= STEPS or wide > WIDE:
            raise ValueError("it holds too many values")


def _check_values(state: Any, size: int) -> None:
    """Tensors that lie in the file, and plain values, each met once a path to it. Raises ValueError.

    A list that holds itself twice, and so on, would have no end; a stretched tensor claims what it has not got.
    """
    count, waiting = 0, [(state, 0)]
    storages: dict[int, int] = {}
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > VALUES or depth > DEEP:
            raise ValueError("it holds too many values")
        if isinstance(value, dict):
            if not all(isinstance(key, PLAIN) for key in value):
                raise ValueError("it holds other keys than words and numbers")
            waiting += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, torch.Tensor):
            if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
                raise ValueError("it holds other tensors than plain ones")
            storage = value.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            if value.numel() * value.element_size() > storage.nbytes():
                raise ValueError("a tensor claims more numbers than there are")
        elif not isinstance(value, PLAIN):
            raise ValueError(f"it holds a {type(value).__name__}")
    if sum(storages.values()) > size:
        raise ValueError("it holds more numbers than the file has")


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint, if something is."""
    try:
        load(path)
    except BadInput as error:
        return str(error)
    return None


def load_last(folder: Path) -> tuple[Checkpoint, str | None]:
    """Where training stands: `last.pt`, or `previous.pt` with a remark if that one is damaged or gone."""
    try:
        return load(folder / "last.pt", mapped=False), None
    except BadInput as error:
        if not (folder / "previous.pt").is_file():
            raise
        return load(folder / "previous.pt", mapped=False), f"{error}. Going on from {folder / 'previous.pt'}"
