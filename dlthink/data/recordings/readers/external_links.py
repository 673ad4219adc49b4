"""What an NWB file reads from others: files beside it are its own, anything else is refused before it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dlthink.data.recordings.readers.array_listing import MANY, whole
from dlthink.errors import BadInput


def check_links(path: Path) -> None:
    """Raises BadInput where the file, or one that it links to, leads out of the folder in which it lies.

    The library of HDF5 follows such links by itself: a file from a stranger could name any that its reader may open.
    """
    import h5py

    home = path.resolve().parent
    seen, waiting = set(), [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file in seen or not file.is_file():
            continue  # one that is missing is told where it is asked for
        seen.add(file)
        with whole(file), h5py.File(file, "r") as opened:
            for where, name in _others(h5py, opened, path):
                other = (file.parent / name).resolve()
                if where is None and other.parent.is_relative_to(home):
                    waiting.append(other)
                    continue
                what = f"links to {other}, outside of its folder" if where is None else f"{where} lies in {name}"
                raise BadInput(f"{path}: {what}; that is not read: save the recording as one file")


def _others(h5py, file, path: Path) -> Iterator[tuple[str | None, str]]:
    """(None, file) of every link to another file, (dataset, file) of every array whose numbers lie in another one."""
    seen, waiting = set(), [file["/"]]
    while waiting:
        group = waiting.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield None, link.filename
            if not isinstance(link, h5py.HardLink):
                continue
            node = group[name]
            if (place := h5py.h5o.get_info(node.id).addr) in seen:
                continue
            seen.add(place)
            if len(seen) > MANY:
                raise BadInput(f"{path}: holds more than {MANY:,} groups and arrays; save a part of it")
            if isinstance(node, h5py.Group):
                waiting.append(node)
            elif isinstance(node, h5py.Dataset):
                sources = [str(one.file_name) for one in node.virtual_sources()] if node.is_virtual else []
                names = [*(one[0] for one in node.external or ()), *(one for one in sources if one != ".")]
                yield from ((node.name, one) for one in names[:1])
