"""How is the workspace reached? One process on this machine, or behind one proxy with TLS."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.review.app.setup import Place, open_workspace, read_key
from cartrial.review.app.stores.address import is_server

__all__ = ["open_store", "place_of", "run"]


def place_of(db: str, *, must_exist: bool, hosts: tuple[str, ...] = (), proxied: bool = False, key: Path | None = None) -> Place:
    """Return where a workspace is, of the name that was typed.

    Parameters
    ----------
    db : str
        A file, or the address of a PostgreSQL database.
    must_exist : bool
        Whether a file must be there.
    hosts : tuple of str
        Names by which a browser may ask for it; none: those of this machine.
    proxied : bool
        Whether a proxy with TLS stands before it.
    key : Path, optional
        File of the secret that signs sessions. Of a file it stands beside it; a server without one gets a secret for this process alone.

    Raises
    ------
    InputError
        If it is no workspace, is not there, or its folder is not.
    """
    names = {"hosts": hosts} if hosts else {}
    if is_server(db):
        return Place(db, read_key(key) if key else secrets.token_urlsafe(50), proxied=proxied, **names)
    if key:
        raise InputError("the secret of a workspace in a file stands beside it", key="--key", right=f"Leave --key out: it is {db}.key")
    path = Path(db)
    if must_exist and not path.is_file():
        raise InputError("there is no such workspace", file=db, key="--db", right="cartrial review load makes one")
    if not path.parent.is_dir():
        raise InputError("the folder of the database is not there", file=str(path.parent), key="--db")
    if path.is_file() and path.stat().st_size and path.open("rb").read(16) != b"SQLite format 3\x00":
        raise InputError("this file is no workspace of cartrial review", file=db, key="--db")
    secret = read_key(path.with_name(path.name + ".key"))
    if not path.exists():
        # readable by its owner alone
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return Place(os.path.abspath(db), secret, proxied=proxied, **names)


def open_store(db: str, *, must_exist: bool = True) -> None:
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

    _log_in_lines()
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


def _log_in_lines() -> None:
    """Have the process say what fails; of a database that cannot be written a line, not its traceback."""
    from django.db import DatabaseError

    class Lines(logging.Formatter):
        def formatException(self, ei: Any) -> str:
            return str(ei[1]).strip().split("\n")[0] if isinstance(ei[1], DatabaseError) else super().formatException(ei)

    handler = logging.StreamHandler()
    handler.setFormatter(Lines("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)
