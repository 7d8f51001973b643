"""What stands around every page, and which requests go no further?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.defaults import server_error

from cartrial.review.app.acts import trail
from cartrial.review.app.models import Loaded
from cartrial.review.app.setup import LOCKED_MINUTES, SEEN_SECONDS, TOTAL_HOURS
from cartrial.review.app.state import band_of
from cartrial.review.practice import PRACTICE

__all__ = ["LINKS", "OwnPasswordFirst", "SessionEnds", "TextAlone", "address", "failed", "forged", "frame", "locked_out"]

Answer = Callable[[HttpRequest], HttpResponse]

LINKS = {
    "reader": [("home", "Your cases"), ("queries", "Queries")],
    "adjudicator": [("home", "Adjudications")],
    "coordinator": [("home", "Progress"), ("seats", "Seats"), ("queries", "Queries"), ("concordance", "Concordance"), ("lock", "Lock")],
    "monitor": [("home", "Progress"), ("lock", "Lock")],
    "auditor": [("home", "Trail"), ("progress", "Progress"), ("concordance", "Concordance")],
    "administrator": [("home", "Users")],
}
"""What each role finds in the head of a page; the first is where it starts."""

PRACTICE_LINKS = {
    "reader": [("home", "Your cases"), ("queries", "Queries"), ("results", "Result")],
    "coordinator": [("home", "Results"), ("queries", "Queries")],
    "auditor": [("home", "Trail"), ("results", "Results")],
    "administrator": [("home", "Users")],
}
"""The same where readers practise."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return what every page shows: whose data these are, who is signed in, and where to go."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    loaded = Loaded.objects.order_by("-event").first()
    links = PRACTICE_LINKS if loaded is not None and loaded.provenance == PRACTICE else LINKS
    return {"band": band_of(loaded), "links": links.get(request.user.role, []), "loaded": loaded}


def address(request: HttpRequest) -> str:
    """Return the address that a request came from: what the server says, never a header that anybody can write."""
    return str(request.META.get("REMOTE_ADDR", ""))


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any], *_: object) -> HttpResponse:
    """Say that a name is locked for a while."""
    words = f"Too many wrong passwords. Try again in {LOCKED_MINUTES} minutes, or ask the administrator."
    return render(request, "review/said.html", {"title": "Locked for a while", "words": words}, status=429)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form did not come from a page of this workspace."""
    words = "This form did not come from a page of this workspace, or the page is too old. Go back, load it again and repeat."
    return render(request, "review/said.html", {"title": "Not accepted", "words": words}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """Say that something failed; where it is the database (a full disk, a server that is away), that nothing was kept."""
    if not isinstance(sys.exc_info()[1], DatabaseError):
        return server_error(request)
    words = "The workspace cannot be read or written at present: nothing of this was kept. Tell the administrator, and try again later."
    if request.headers.get("HX-Request"):
        return HttpResponse(words, status=503, content_type="text/plain; charset=utf-8")
    # no page of the workspace: each asks the database who is there
    return HttpResponse(render_to_string("503.html", {"words": words}), status=503)


class SessionEnds:
    """A session ends after so many hours, however busy; a page that asks on its own is told so in words, never sent to the log-in."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = trail.now_utc().timestamp()
            if now - request.session.get("began", 0) > TOTAL_HOURS * 3600:
                logout(request)
            elif not 0 <= now - request.session.get("seen", 0) < SEEN_SECONDS:
                # what is changed is kept, and lives for as long again as a session may rest
                request.session["seen"] = now
        if not request.user.is_authenticated and request.headers.get("HX-Request"):
            return HttpResponse("Your session has ended. Your text is still here: copy it, or sign in again in another window.", status=401)
        response = self.get_response(request)
        if not request.path.startswith("/static/"):
            # nothing is kept in the browser of a shared tablet
            response.headers["Cache-Control"] = "no-store"
        return response


class TextAlone:
    """What is typed is text: a zero byte is none, and no database keeps it alike."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        typed = (value for given in (request.GET, request.POST) for name, values in given.lists() for value in (name, *values))
        if "\0" in request.path or any("\0" in value for value in typed):
            return HttpResponse("This is no text: it has a zero byte.", status=400, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class OwnPasswordFirst:
    """Who was given a password chooses another before anything else."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.user.is_authenticated and not request.user.own_password
        if given and request.path not in (reverse("password"), reverse("logout")):
            return redirect("password")
        return self.get_response(request)


def refuse(request: HttpRequest, kind: str, **detail: Any) -> None:
    """Record what was refused."""
    with trail.change():
        trail.record(kind, request.user, detail)
