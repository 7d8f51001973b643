"""How does every random number depend on its key alone? Philox 4x32-10, keyed by study and seed, counted by trial, subject and stream.

Salmon et al. 2011, doi:10.1145/2063384.2063405. No state: the number of patients, their order, threads and batches change nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError

__all__ = ["Keys", "draw_normal", "draw_uniform", "philox"]

_MULTIPLY = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_CHUNK = 32_768


@dataclass(frozen=True)
class Keys:
    """Who the random numbers are for.

    Parameters
    ----------
    study : str
        Any text that names the study; its content hash serves.
    seed : int
        Not negative.
    trial, subject : ndarray of int64, shape (patients,)
        0 to 2**32 - 2.
    """

    study: str
    seed: int
    trial: NDArray[np.int64]
    subject: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError("the seed is negative", right="Give a seed of 0 or more")
        if len(self.trial) != len(self.subject):
            raise InputError("trials and subjects do not pair", right="Give one trial for each subject")

    @classmethod
    def trials(cls, study: str, seed: int, trials: int, patients: int, *, first: int = 0) -> Keys:
        """Return the keys of so many trials of so many patients, counted from `first`."""
        if trials < 1 or patients < 1:
            raise InputError("there is no trial or no patient", right="Give at least one of each")
        return cls(study, seed, np.repeat(np.arange(first, first + trials), patients), np.tile(np.arange(patients), trials))

    def __len__(self) -> int:
        return len(self.trial)

    @property
    def words(self) -> tuple[int, int]:
        """The two 32-bit words of the key."""
        digest = hashlib.blake2b(f"{self.study}\x00{self.seed}".encode(), digest_size=8).digest()
        return int.from_bytes(digest[:4], "little"), int.from_bytes(digest[4:], "little")


def philox(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Return Philox 4x32-10 of counters.

    Parameters
    ----------
    counter : ndarray of uint64, shape (4, n)
        32-bit words.
    key : tuple of int
        Two 32-bit words.

    Returns
    -------
    ndarray of uint64, shape (4, n)
        32-bit words.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        left = _MULTIPLY[0] * c0
        right = _MULTIPLY[1] * c2
        c0, c1, c2, c3 = (right >> _HALF) ^ c1 ^ np.uint64(k0), right & _LOW, (left >> _HALF) ^ c3 ^ np.uint64(k1), left & _LOW
        k0 = (k0 + _WEYL[0]) & 0xFFFFFFFF
        k1 = (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


def draw_uniform(keys: Keys, stream: int, draws: int) -> NDArray[np.float64]:
    """Return uniform numbers inside (0, 1), 53 bits each.

    Parameters
    ----------
    keys : Keys
    stream : int
        What the numbers are for, 0 to 2**32 - 1: each use has its own.
    draws : int
        Numbers per patient; the first ones do not depend on how many follow.

    Returns
    -------
    ndarray of float64, shape (patients, draws)
    """
    n = len(keys)
    blocks = (draws + 1) // 2
    out = np.empty((n, 2 * blocks))
    words = keys.words
    step = max(1, _CHUNK // max(blocks, 1))
    block = np.arange(blocks, dtype=np.uint64)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        trial = keys.trial[rows].astype(np.uint64)
        shape = (len(trial), blocks)
        counter = np.empty((4, *shape), np.uint64)
        counter[0] = trial[:, None]
        counter[1] = keys.subject[rows].astype(np.uint64)[:, None]
        counter[2] = stream
        counter[3] = block
        r = philox(counter.reshape(4, -1), words)
        bits = np.stack([(r[0] << _HALF) | r[1], (r[2] << _HALF) | r[3]], axis=-1) >> np.uint64(11)
        out[rows] = ((bits.astype(np.float64) + 0.5) * 2.0**-53).reshape(len(trial), 2 * blocks)
    return out[:, :draws]


def draw_normal(keys: Keys, stream: int, draws: int) -> NDArray[np.float64]:
    """Return standard normal numbers by the inverse of their distribution, shape (patients, draws)."""
    from scipy.special import ndtri

    return np.asarray(ndtri(draw_uniform(keys, stream, draws)))
