"""How is the workspace reached? One process on this machine, or behind one proxy with TLS."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.review.app.setup import Place, open_workspace, read_key

__all__ = ["back_up", "open_file", "place_of", "restore", "run"]


def place_of(db: str, *, must_exist: bool, hosts: tuple[str, ...] = (), proxied: bool = False) -> Place:
    """Return where a workspace is, of the name that was typed.

    Raises
    ------
    InputError
        If it is an address of a server, is not there, or its folder is not.
    """
    if "://" in db:
        raise InputError(
            f"'{db}' is an address of a database server", key="--db", right="This version keeps the workspace in one file: name it"
        )
    path = Path(db)
    if must_exist and not path.is_file():
        raise InputError("there is no such workspace", file=db, key="--db", right="cartrial review load makes one")
    if not path.parent.is_dir():
        raise InputError("the folder of the database is not there", file=str(path.parent), key="--db")
    if path.is_file() and path.stat().st_size and path.open("rb").read(16) != b"SQLite format 3\x00":
        raise InputError("this file is no workspace of cartrial review", file=db, key="--db")
    names = {"hosts": hosts} if hosts else {}
    if not path.exists():
        # readable by its owner alone
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return Place(os.path.abspath(db), read_key(path), proxied=proxied, **names)


def open_file(db: str, *, must_exist: bool = True) -> None:
    """Open a workspace for a command."""
    open_workspace(place_of(db, must_exist=must_exist))


def run(place: Place, *, port: int, listen: str, proxy: str, ready: Callable[[str], None]) -> None:
    """Serve until the process is ended.

    Parameters
    ----------
    place : Place
        Of the workspace, which is open already.
    port : int
    listen : str
        Address to listen at.
    proxy : str
        Address of the proxy whose headers are believed; blank: none.
    ready : callable
        Told the address once it can be reached.
    """
    import waitress
    from django.core.wsgi import get_wsgi_application

    trusted: dict[str, Any] = {"trusted_proxy": proxy, "trusted_proxy_count": 1} if proxy else {}
    if proxy:
        trusted["trusted_proxy_headers"] = {"x-forwarded-for", "x-forwarded-proto"}
    try:
        server = waitress.create_server(
            get_wsgi_application(), host=listen, port=port, threads=4, ident=None, clear_untrusted_proxy_headers=True, **trusted
        )
    except OSError as error:
        raise InputError(
            f"nothing can listen at {listen}, port {port} ({error.strerror})", key="--port", right="Name another port"
        ) from None
    ready(f"http://{listen}:{server.effective_port}/")
    try:
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def back_up(db: str, to: Path) -> None:
    """Copy a workspace whole, while it is in use, with its key beside it.

    Raises
    ------
    InputError
        If something stands at that place already.
    """
    place_of(db, must_exist=True)
    if to.exists():
        raise InputError("a file stands there already", file=str(to), key="--to", right="A backup never replaces another: name a new file")
    part = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        with sqlite3.connect(f"file:{Path(db).absolute()}?mode=ro", uri=True) as source, sqlite3.connect(part) as copy:
            source.backup(copy)
        copy.close()
        source.close()
        key = Path(f"{db}.key")
        shutil.copyfile(key, to.with_name(f"{to.name}.key"))
        os.chmod(to.with_name(f"{to.name}.key"), 0o600)
        os.chmod(part, 0o600)
        os.replace(part, to)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise InputError(f"the backup cannot be written ({error})", file=str(to), key="--to") from None


def restore(backup: Path, db: str) -> list[str]:
    """Put a backup in the place of a workspace that is not there, and return what of it does not hold.

    Raises
    ------
    InputError
        If a workspace stands there already, or there is no such backup.
    """
    if not backup.is_file():
        raise InputError("there is no such backup", file=str(backup), key="--from")
    if Path(db).exists():
        raise InputError("a workspace stands there already", file=db, key="--db", right="Move it away first: it is never replaced")
    back_up(str(backup), Path(db))
    open_file(db)
    from django.db import transaction

    from cartrial.review.app.acts.trail import record
    from cartrial.review.app.acts.verify import find_damage

    damage = find_damage()
    if not damage:
        with transaction.atomic():
            record(
                "restored", "cartrial review restore", {"from": backup.name, "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds")}
            )
    return damage
