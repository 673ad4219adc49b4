"""Was a configuration written here? Its last line is a signature by a key that never leaves this user's cache."""

import getpass
import hmac
import os
import secrets
import stat
from pathlib import Path

from dlthink.files.cache import data_folder, user_folder

BYTES = 32
MARK = "# signed: "


def sign(text: str) -> str:
    """A configuration with its HMAC-SHA256 in a comment at its end; as it is where no key can be kept."""
    key = _key() or _new_key()
    return text if key is None else f"{text}{MARK}{_code(key, text)}\n"


def signed(text: str) -> bool:
    """Does a configuration end in what this user makes of all before it?"""
    before, mark, code = text.rpartition(MARK)
    key = _key() if mark else None
    return key is not None and hmac.compare_digest(_code(key, before).encode(), code.rstrip("\n").encode())


def _code(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _places() -> list[Path]:
    """The user's own cache; where that cannot be written, the folder of data sets."""
    try:
        name = f"signature-{getpass.getuser()}.key"
        return [folder / name for folder in dict.fromkeys((user_folder(), data_folder()))]
    except (OSError, KeyError, RuntimeError):  # a user without a name or a home
        return []


def _key() -> bytes | None:
    for path in _places():
        try:
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode) or (os.name == "posix" and (about.st_mode & 0o077)):
                continue  # a key that others could have read or written signs nothing
            if os.name == "posix" and about.st_uid != os.getuid():
                continue
            key = path.read_bytes()
        except OSError:
            continue
        if len(key) == BYTES:
            return key
    return None


def _new_key() -> bytes | None:
    for path in _places():
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(secrets.token_bytes(BYTES))
            _first_to_name(new, path)
        except OSError:
            continue
        if key := _key():
            return key
    return None


def _first_to_name(new: Path, path: Path) -> None:
    """`new` becomes `path`, unless another process was quicker."""
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        os.replace(new, path)
    new.unlink(missing_ok=True)
