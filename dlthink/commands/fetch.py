"""Download a public data set, checked by checksum; an interrupted download goes on where it stopped.

dlthink fetch NAME

It goes to $DLTHINK_DATA/NAME, or to the user's cache where that is not set.
"""

import os
from pathlib import Path


def main(words: list[str]) -> int:
    from dlthink.files.downloads import DOWNLOADS

    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        print("\n".join(f"  {name:<14} {download.terms}" for name, download in DOWNLOADS.items()))
        return 0
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput, plain
    from dlthink.files.cache import data_folder

    (name,) = words[:1]
    if len(words) > 1 or name not in DOWNLOADS:
        raise BadInput(f"fetch {' '.join(words)}: give one name that is known here{hint(name, DOWNLOADS)}")
    download = DOWNLOADS[name]
    folder = data_folder() / name
    print(plain(f"terms: {download.terms}"))
    for file in download.files:
        print(fetch(file, folder))
        if file.sha256 is None:
            print(remember(folder / file.name))
    print(plain(f"use it: {download.use}"))
    return 0


def fetch(file, folder: Path) -> Path:
    """The file in `folder`, downloaded if it is not there. Raises BadInput when it cannot be had or is another one."""
    import logging

    import pooch
    import requests

    from dlthink.errors import BadInput

    pooch.get_logger().setLevel(logging.ERROR)
    path = folder / file.name
    try:
        pooch.retrieve(file.url, known_hash=file.sha256, fname=file.name, path=folder, downloader=Resuming(path))
    except requests.RequestException as error:
        reason = str(error) if isinstance(error, requests.HTTPError) else "the connection failed"
        raise BadInput(
            f"{file.url}: cannot be downloaded ({reason}); what has come is kept, the same command goes on"
        ) from error
    except ValueError as error:
        raise BadInput(f"{file.url}: is not the file we know ({error}); it was deleted, try again later") from error
    return path


def remember(path: Path) -> str:
    """Compare a file that has no published checksum with what was seen last time, and note what is seen now."""
    import pooch

    seen = pooch.file_hash(str(path))
    note = path.with_name(path.name + ".sha256")
    before = note.read_text().split()[0] if note.is_file() else None
    note.write_text(f"{seen}  {path.name}\n")
    if before in (None, seen):
        return f"sha256 {seen}: none is published to compare with; it is noted in {note.name}"
    return f"warning: {path.name} is another file than before (sha256 {seen}, it was {before}): figures may differ"


class Resuming:
    """Pooch's downloader with a memory: what has come is kept in FILE.part, and asked for no second time."""

    def __init__(self, path: Path):
        self.part = path.with_name(path.name + ".part")

    def __call__(self, url: str, output_file: str, pooch, check_only: bool = False) -> None:
        import requests

        from dlthink.progress_bar import progress_bar

        have = self.part.stat().st_size if self.part.exists() else 0
        ask = {"Range": f"bytes={have}-"} if have else {}
        ask["Accept-Encoding"] = "identity"  # bytes as they lie on the server, so that they can be counted
        with requests.get(url, headers=ask, stream=True, timeout=60) as answer:
            complete = answer.status_code == requests.codes.requested_range_not_satisfiable and have > 0
            if not complete:
                answer.raise_for_status()
                if answer.status_code != requests.codes.partial_content:
                    have = 0  # the server does not resume: from the beginning
                total = have + int(answer.headers.get("content-length", 0))
                with (
                    open(self.part, "ab" if have else "wb") as file,
                    progress_bar(
                        total=total or None, initial=have, desc=self.part.stem, unit="B", unit_scale=True
                    ) as bar,
                ):
                    for chunk in answer.iter_content(1 << 16):
                        bar.update(file.write(chunk))
        os.replace(self.part, output_file)
