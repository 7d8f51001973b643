"""Of which tables are rows only ever added to, and what may the role do by which the server logs in to PostgreSQL?"""

from __future__ import annotations

import re

from cartrial.errors import InputError

__all__ = ["APPEND_ONLY", "role_sql"]

APPEND_ONLY = ("event", "read", "shown", "case", "subject", "loaded", "seat", "message", "lockstep", "again")
"""Tables, without the prefix `review_`, of which no row is ever changed or removed; the database refuses it."""

# what passes, of Django and of axes: drafts, sessions, wrong passwords
_PASSING = ("review_draft", "django_session", "axes_accessattempt", "axes_accessattemptexpiration", "axes_accesslog")


def role_sql(role: str) -> str:
    """Return the statements that make a role for the server: it adds what is signed, and can neither alter nor remove it.

    Parameters
    ----------
    role : str
        Its name: letters, digits and underscores.

    Raises
    ------
    InputError
        If it is no such name.

    Notes
    -----
    Who owns the tables runs them, in the database of the workspace, after its tables were made.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        raise InputError(f"'{role}' is no name of a role", key="role", right="Small letters, digits and underscores")
    added = ", ".join(f"review_{table}" for table in APPEND_ONLY)
    passing = ", ".join(_PASSING)
    return f"""\
CREATE ROLE {role} LOGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role};
-- what was signed, and what happened: rows are added, never altered or removed
GRANT INSERT ON {added} TO {role};
-- the end of the trail; persons, whose names and roles a guard keeps
GRANT UPDATE ON review_head TO {role};
GRANT INSERT, UPDATE ON review_person TO {role};
-- what passes: drafts, sessions, wrong passwords
GRANT INSERT, UPDATE, DELETE ON {passing} TO {role};
"""
