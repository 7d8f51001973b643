"""How is the workspace reached? One process on this machine, or behind one proxy with TLS."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.review.app.setup import Place, open_workspace, read_key
from cartrial.review.app.stores.address import is_server

__all__ = ["check_proxy", "open_store", "place_of", "run"]


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
    if path.is_file() and not _is_workspace(path, must_exist=must_exist):
        raise InputError("this file is no workspace of cartrial review", file=db, key="--db", right="It was left as it is; name another")
    secret = read_key(path.with_name(path.name + ".key"))
    if not path.exists():
        # readable by its owner alone
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return Place(os.path.abspath(db), secret, proxied=proxied, **names)


def _is_workspace(path: Path, *, must_exist: bool) -> bool:
    """Whether a file holds a workspace, or, where one may be made, nothing of anything else. It is looked at, never changed."""
    if path.stat().st_size == 0:
        return not must_exist
    try:
        link = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            tables = {str(name) for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        finally:
            link.close()
    except sqlite3.DatabaseError as error:
        # one that is in use just now is a database
        return "locked" in str(error)
    if must_exist:
        return "review_event" in tables
    # one whose first start was broken off has tables of Django alone
    return "review_event" in tables or ("auth_user" not in tables and all(name.startswith(_OURS) for name in tables))


_OURS = ("django_", "auth_", "axes_", "review_", "sqlite_")


def check_proxy(proxy: str, host: str) -> None:
    """Refuse a proxy that is no one address, and a name that stands for more than one host: whoever asks could then write headers.

    Raises
    ------
    InputError

    Examples
    --------
    >>> from cartrial.review.app.serve import check_proxy
    >>> check_proxy("10.0.0.5", "review.example.org")
    """
    try:
        ipaddress.ip_address(proxy)
    except ValueError:
        what = f"'{proxy}' is no address"
        raise InputError(what, key="--behind-proxy", right="The one address from which the proxy asks, as 10.0.0.5") from None
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", host):
        raise InputError(
            f"'{host}' is no name of a host", key="--host-name", right="The name in the browser's address, as review.example.org"
        )


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
    except ValueError:
        raise InputError(f"'{listen}' is no address of this machine", key="--listen", right="An address of its own, as 10.0.0.6") from None
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
