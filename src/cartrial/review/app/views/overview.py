"""What is to be done, how far are all, and what happened?"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cartrial.review.app.access import adjudications, own_cases
from cartrial.review.app.acts.locks import conditions
from cartrial.review.app.acts.trail import receipt_of
from cartrial.review.app.models import Event
from cartrial.review.app.state import Board, current_cut, is_locked, is_practice, open_queries, read_board, study_now
from cartrial.review.app.views.filters import chosen_rows
from cartrial.review.app.views.guards import only
from cartrial.review.app.views.practising import results
from cartrial.review.app.views.seating import users

__all__ = ["home", "progress", "trail"]


def home(request: HttpRequest) -> HttpResponse:
    """Show each role what it starts with."""
    pages = {"reader": _worklist, "adjudicator": _adjudications, "auditor": trail, "administrator": users}
    if is_practice():
        pages = {"reader": _worklist, "auditor": trail, "administrator": users}
        return pages.get(request.user.role, results)(request)
    return pages.get(request.user.role, progress)(request)


def _worklist(request: HttpRequest) -> HttpResponse:
    cases, asked = own_cases(request.user), open_queries()
    rows = [{"own": own, "asked": (own.shown.case_id, request.user.pk) in asked} for own in cases]
    signed = sum(own.state == "Signed" for own in cases)
    rows, filters = chosen_rows(
        request,
        rows,
        {
            "state": ("State", lambda row: [row["own"].state, *(["Query open"] if row["asked"] else [])]),
            "visit": ("Visit", lambda row: [row["own"].shown.visit or "no scheduled visit"]),
            "subject": ("Subject", lambda row: [row["own"].shown.case.subject.code]),
        },
    )
    context = {"rows": rows, "filters": filters, "signed": signed, "many": len(cases), "locked": is_locked(), "cut": current_cut()}
    return render(request, "review/worklist.html", context | {"charter": study_now().committee.charter})


def _adjudications(request: HttpRequest) -> HttpResponse:
    rows = [{"shown": shown, "judged": judged} for shown, judged, _, _ in adjudications(request.user)]
    waiting = sum(row["judged"] is None for row in rows)
    state = ("State", lambda row: ["To decide" if row["judged"] is None else "Signed"])
    rows, filters = chosen_rows(request, rows, {"state": state})
    return render(request, "review/adjudications.html", {"rows": rows, "filters": filters, "waiting": waiting, "cut": current_cut()})


@only("coordinator", "monitor", "auditor", practice=False)
def progress(request: HttpRequest) -> HttpResponse:
    """Show how far the reads are: states, never calls; the monitor sees numbers alone."""
    board = read_board()
    states = Counter(_state(board, shown) for shown in board.shown)
    rows = [] if request.user.role == "monitor" else [{"shown": shown, "state": _state(board, shown)} for shown in board.shown]
    keys = {"state": ("State", lambda row: [row["state"]]), "subject": ("Subject", lambda row: [row["shown"].case.subject.code])}
    rows, filters = chosen_rows(request, rows, keys)
    context = {
        "rows": rows,
        "filters": filters,
        "states": sorted(states.items()),
        "many": len(board.shown),
        "cut": current_cut(),
        "locked": is_locked(),
    }
    return render(request, "review/progress.html", {**context, "conditions": conditions(board, whole=False) if board.shown else []})


def _state(board: Board, shown: Any) -> str:
    if any(board.is_stale(shown, seat) for seat in (1, 2)):
        return "to be read again"
    number = sum((shown.case_id, seat) in board.reads for seat in (1, 2))
    if number < 2:
        return f"{number} of 2 reads signed"
    return "to be adjudicated" if board.settled[shown.case_id].state == "differs" else "settled"


@only("auditor")
def trail(request: HttpRequest) -> HttpResponse:
    """Show what happened, the last first, by kind or person."""
    events = Event.objects.order_by("-number")
    kind, who = request.GET.get("kind", ""), request.GET.get("who", "")
    if kind:
        events = events.filter(kind=kind)
    if who:
        events = events.filter(who=who)
    page = Paginator(events, 100).get_page(request.GET.get("page"))
    rows = [{"event": event, "detail": json.loads(event.detail), "receipt": receipt_of(event)} for event in page]
    kinds = Event.objects.order_by("kind").values_list("kind", flat=True).distinct()
    people = Event.objects.order_by("who").values_list("who", flat=True).distinct()
    return render(request, "review/trail.html", {"rows": rows, "page": page, "kinds": kinds, "people": people, "kind": kind, "who": who})
