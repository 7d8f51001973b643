"""With which settings does the workspace run? A function of where the database is and how it is reached; no settings file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.review.app.stores.address import MEMORY, database_of, is_server, shown

__all__ = ["IDLE_MINUTES", "LOCKED_MINUTES", "MEMORY", "SEEN_SECONDS", "TOTAL_HOURS", "Place", "open_workspace", "read_key"]

IDLE_MINUTES, TOTAL_HOURS, LOCKED_MINUTES, GUESSES, SEEN_SECONDS = 30, 12, 15, 5, 60
"""A session ends after so long without a request, and after so long in all; so many wrong passwords lock a name at an address.
That somebody was there is written once in so many seconds, so that who reads on does not wait for the disk at each page."""

_APP = "cartrial.review.app"
_PARTS = ("django", "django_htmx", "axes", "csp", "whitenoise", "waitress", "argon2")


@dataclass(frozen=True)
class Place:
    """Where the workspace is, and how it is reached.

    Parameters
    ----------
    database : str
        Path of the SQLite file, `MEMORY`, or address of a PostgreSQL database.
    key : str
        Secret by which sessions are signed.
    hosts : tuple of str
        Names by which a browser may ask for it.
    proxied : bool
        Whether a proxy with TLS stands before it.
    """

    database: str
    key: str
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    proxied: bool = False


def read_key(path: Path) -> str:
    """Return the secret that a file keeps; made, and readable by its owner alone, where there is none.

    Raises
    ------
    InputError
        If it cannot be read or written.
    """
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(50))
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(f"the key of the workspace cannot be used ({error.strerror})", file=str(path)) from None


def open_workspace(place: Place, *, fast_hasher: bool = False) -> None:
    """Tell Django where the workspace is, and bring its tables to the present form.

    Parameters
    ----------
    place : Place
    fast_hasher : bool
        Hash passwords cheaply: for tests, never for use.

    Raises
    ------
    InputError
        If a package of the extra `review` is missing, or the database cannot be opened.
    """
    for name in _PARTS:
        require(name, extra="review")
    import django
    from django.conf import settings
    from django.db import DatabaseError, connections

    if settings.configured:
        # one process serves one workspace; a second one is opened by tests and by commands that follow one another
        connections.close_all()
        settings.SECRET_KEY, settings.ALLOWED_HOSTS = place.key, list(place.hosts)
        connections.settings["default"] = connections.configure_settings({"default": database_of(place.database)})["default"]
        del connections["default"]
    else:
        settings.configure(**_settings(place, fast_hasher))
        django.setup()
    try:
        with _alone():
            _bring_up_to_date(shown(place.database))
    except DatabaseError as error:
        # the first line of what a database says: the rest explains its statement
        what = f"the database cannot be opened ({str(error).strip().splitlines()[0]})"
        raise InputError(what, file=shown(place.database), key="--db", right=_RIGHT[is_server(place.database)]) from None


_RIGHT = {
    False: "Name a file that cartrial review made, or a new one in a folder that can be written to",
    True: "Name a database that is there, and a role that may log in; its password comes from PGPASSWORD or PGPASSFILE",
}
_ONE_AT_A_TIME = 0x7265766965


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process look at, and make, the tables of a server at a time."""
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ONE_AT_A_TIME])


@contextmanager
def _at_once() -> Iterator[None]:
    """Write the tables of a new file, which holds nothing that could be lost, to the disk once: not at each of forty steps."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=OFF")
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
    path = Path(str(connection.settings_dict["NAME"]))
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _bring_up_to_date(name: str) -> None:
    """Make the tables, or bring those of an earlier version to the present form; mostly there is nothing to do."""
    from django.core.management import call_command
    from django.db import ProgrammingError, connection
    from django.db.migrations.exceptions import MigrationSchemaMissing
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    known, applied = executor.loader.disk_migrations, executor.loader.applied_migrations
    if any(app == "review" and (app, step) not in known for app, step in applied):
        raise InputError("the workspace was made by a later version of cartrial", file=name, key="--db", right="Install that version")
    if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    try:
        with _at_once() if not applied and connection.vendor == "sqlite" else nullcontext():
            call_command("migrate", verbosity=0, interactive=False)
    except (ProgrammingError, MigrationSchemaMissing) as error:
        if connection.vendor != "postgresql":
            raise
        what = f"the tables are not there, or of an earlier version, and this role may not make them ({str(error).strip().splitlines()[0]})"
        raise InputError(what, file=name, key="--db", right="Run cartrial review prepare with the role that owns the database") from None


def _settings(place: Place, fast_hasher: bool) -> dict[str, Any]:
    hasher = "MD5PasswordHasher" if fast_hasher else "Argon2PasswordHasher"
    scripts = Path(str(resources.files("cartrial.report") / "templates" / "scripts"))
    return {
        "SECRET_KEY": place.key,
        "DEBUG": False,
        "ALLOWED_HOSTS": list(place.hosts),
        "ROOT_URLCONF": f"{_APP}.urls",
        "INSTALLED_APPS": [
            *("django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages"),
            *("django.contrib.staticfiles", "axes", "csp", "django_htmx", f"{_APP}.config.Workspace"),
        ],
        "MIDDLEWARE": _middleware(),
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        *("django.template.context_processors.request", "django.contrib.auth.context_processors.auth"),
                        *("django.contrib.messages.context_processors.messages", f"{_APP}.frame.frame"),
                    ]
                },
            }
        ],
        "DATABASES": {"default": database_of(place.database)},
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "AUTH_USER_MODEL": "review.Person",
        "AUTHENTICATION_BACKENDS": ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"],
        "PASSWORD_HASHERS": [f"django.contrib.auth.hashers.{hasher}"],
        "AUTH_PASSWORD_VALIDATORS": _validators(),
        "LOGIN_URL": "login",
        "LOGIN_REDIRECT_URL": "home",
        "LOGOUT_REDIRECT_URL": "login",
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "LANGUAGE_CODE": "en-gb",
        "USE_I18N": False,
        "STATIC_URL": "/static/",
        "STATICFILES_DIRS": [("vega", str(scripts))],
        "WHITENOISE_USE_FINDERS": True,
        "SILENCED_SYSTEM_CHECKS": [],
        "LOGGING_CONFIG": None,
        **_sessions(place.proxied),
        **_guards(place.proxied),
    }


def _middleware() -> list[str]:
    return [
        "django.middleware.security.SecurityMiddleware",
        "csp.middleware.CSPMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        f"{_APP}.frame.TextAlone",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{_APP}.frame.SessionEnds",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
        f"{_APP}.frame.OwnPasswordFirst",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "axes.middleware.AxesMiddleware",
    ]


def _validators() -> list[dict[str, Any]]:
    path = "django.contrib.auth.password_validation."
    return [
        {"NAME": f"{path}MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        *(
            {"NAME": f"{path}{name}"}
            for name in ("CommonPasswordValidator", "NumericPasswordValidator", "UserAttributeSimilarityValidator")
        ),
    ]


def _sessions(proxied: bool) -> dict[str, Any]:
    # the prefix binds a cookie to this host; browsers take it over TLS alone
    prefix = "__Host-" if proxied else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}review",
        "SESSION_COOKIE_AGE": IDLE_MINUTES * 60,
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_SECURE": proxied,
        "CSRF_COOKIE_NAME": f"{prefix}token",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_SECURE": proxied,
        "CSRF_FAILURE_VIEW": f"{_APP}.frame.forged",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
    }


def _guards(proxied: bool) -> dict[str, Any]:
    from csp.constants import NONE, SELF

    own = ("script-src", "style-src", "img-src", "connect-src", "font-src", "form-action")
    rest = ("default-src", "frame-ancestors", "base-uri", "object-src")
    secure: dict[str, Any] = {"SECURE_HSTS_SECONDS": 31_536_000, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_HSTS_PRELOAD": True}
    # whether a request came by TLS is what the server says, which believes one proxy alone
    secure |= {"SECURE_SSL_REDIRECT": True}
    return {
        "CONTENT_SECURITY_POLICY": {"DIRECTIVES": {**{name: [SELF] for name in own}, **{name: [NONE] for name in rest}}},
        "SECURE_CONTENT_TYPE_NOSNIFF": True,
        "SECURE_REFERRER_POLICY": "same-origin",
        "X_FRAME_OPTIONS": "DENY",
        "AXES_FAILURE_LIMIT": GUESSES,
        "AXES_COOLOFF_TIME": LOCKED_MINUTES / 60,
        "AXES_LOCKOUT_PARAMETERS": [["username", "ip_address"]],
        "AXES_RESET_ON_SUCCESS": True,
        "AXES_CLIENT_IP_CALLABLE": f"{_APP}.frame.address",
        "AXES_LOCKOUT_CALLABLE": f"{_APP}.frame.locked_out",
        "AXES_VERBOSE": False,
        "AXES_ENABLE_ACCESS_FAILURE_LOG": False,
        **(secure if proxied else {}),
    }
