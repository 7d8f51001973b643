"""Who may open a page? A page that is not for a role does not exist for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from cartrial.review.app.state import is_practice

__all__ = ["number_of", "only"]

View = Callable[..., HttpResponse]


def only(*roles: str, practice: bool | None = None) -> Callable[[View], View]:
    """Keep a page for some roles; to all others it is as an address that does not exist.

    Parameters
    ----------
    *roles : str
    practice : bool, optional
        Whether it is a page of practice alone, or of a study alone; otherwise of both.
    """

    def kept(view: View) -> View:
        @functools.wraps(view)
        def asked(request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
            if request.user.role not in roles or (practice is not None and practice != is_practice()):
                raise Http404
            return view(request, *args, **more)

        return asked

    return kept


def number_of(text: str) -> int | None:
    """Return the number that a form says, None where it says none, or one that no column holds."""
    return int(text) if text.isdecimal() and len(text) < 10 else None
