"""Which code does each subject get? Drawn at random, or by a secret salt, so that a later cut has the same."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cartrial.errors import InputError

__all__ = ["Codes", "draw_codes", "read_salt", "require_key_place", "write_key"]

SHORTEST = 16
LETTERS = 8


@dataclass(frozen=True)
class Codes:
    """Codes by USUBJID, and a mark that is the same for codes of one salt and tells nothing of it."""

    of: Mapping[str, str]
    mark: str


def draw_codes(subjects: Iterable[str], salt: bytes | None = None) -> Codes:
    """Draw a code for each subject: by the salt, else at random.

    Parameters
    ----------
    subjects : iterable of str
        USUBJID.
    salt : bytes, optional
        Who has it can draw the same codes again, and find out whose they are from a list of names.

    Examples
    --------
    >>> from cartrial.report.study.hidden.draw import draw_codes
    >>> one, two = (draw_codes(["S-01", "S-02"], b"a secret of many letters") for _ in range(2))
    >>> one == two, draw_codes(["S-01"]).of == draw_codes(["S-01"]).of, len(set(one.of.values()))
    (True, False, 2)
    """
    key = secrets.token_bytes(32) if salt is None else salt

    def drawn(text: str, purpose: str) -> bytes:
        return hmac.new(key, f"cartrial {purpose}\0{text}".encode(), hashlib.sha256).digest()

    length, names = LETTERS, sorted(set(subjects))
    while True:
        found = {name: "P-" + base64.b32encode(drawn(name, "subject")).decode()[:length] for name in names}
        if len(set(found.values())) == len(names):
            return Codes(found, drawn("", "codes").hex()[:16])
        length += 1


def read_salt(path: str | Path) -> bytes:
    """Read a salt from a file.

    Raises
    ------
    InputError
        If it cannot be read, or is so short that it could be guessed.
    """
    place = Path(path)
    right = f"Keep a secret of at least {SHORTEST} random letters in a file, such as `openssl rand -hex 32` prints"
    try:
        salt = place.read_bytes().strip()
    except OSError as error:
        raise InputError(f"the salt cannot be read ({error.strerror or error})", file=str(place), key="--salt", right=right) from error
    if len(salt) < SHORTEST:
        raise InputError(f"the salt has {len(salt)} bytes, and could be guessed", file=str(place), key="--salt", right=right)
    return salt


def require_key_place(path: str | Path, out: str | Path) -> None:
    """Refuse a key in the folder that is given away, or over a file that is there.

    Raises
    ------
    InputError
    """
    place, folder = Path(os.path.abspath(path)), Path(os.path.abspath(out))
    if place.resolve().is_relative_to(folder.resolve()):
        raise InputError(
            "the key would lie in the folder that is given away", file=str(path), key="--key", right="Name a file outside --out"
        )
    if place.exists():
        raise InputError("the file for the key is there already", file=str(path), key="--key", right="Name a new file")
    if not place.parent.is_dir():
        raise InputError("there is no folder for the key", file=str(path), key="--key", right="Name a file in a folder that exists")


def write_key(codes: Codes, path: str | Path) -> None:
    """Write which code is whose, readable by its owner alone."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("CODE", "USUBJID"))
        writer.writerows(sorted((code, name) for name, code in codes.of.items()))
