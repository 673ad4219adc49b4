"""Chance that is the same everywhere: numbers that depend on what a thing is called, and on nothing else."""

import hashlib


def tie(key: str) -> int:
    """63 bits that depend on `key` alone."""
    return int.from_bytes(hashlib.blake2b(_bytes(key), digest_size=8).digest(), "big") >> 1


def share(key: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on `key` alone: which side of a random split it falls on.

    Numbers of another salt are independent. (Not so those of a CRC, which is linear: among keys of one length, one
    salt's number would follow from the other's.)
    """
    return int.from_bytes(hashlib.blake2b(_bytes(salt + key), digest_size=4).digest(), "big") / 2**32


def _bytes(key: str) -> bytes:
    """Also of a file's name that is no UTF-8."""
    return key.encode("utf-8", "surrogateescape")
