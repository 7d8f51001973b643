"""What is to be done, how far are all, and what happened?"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import polars as pl
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cartrial.analysis import estimate_agreement, pair_reads
from cartrial.review.app.access import adjudications, own_cases
from cartrial.review.app.acts.locks import conditions
from cartrial.review.app.models import Event
from cartrial.review.app.state import Board, current_cut, is_locked, open_queries, read_board, study_now
from cartrial.review.app.views.guards import only
from cartrial.review.app.views.seating import users
from cartrial.review.workflow import SEATS

__all__ = ["concordance", "home", "progress", "trail"]


def home(request: HttpRequest) -> HttpResponse:
    """Show each role what it starts with."""
    pages = {"reader": _worklist, "adjudicator": _adjudications, "auditor": trail, "administrator": users}
    return pages.get(request.user.role, progress)(request)


def _worklist(request: HttpRequest) -> HttpResponse:
    cases, asked = own_cases(request.user), open_queries()
    rows = [{"own": own, "asked": (own.shown.case_id, request.user.pk) in asked} for own in cases]
    signed = sum(own.state == "Signed" for own in cases)
    return render(
        request, "review/worklist.html", {"rows": rows, "signed": signed, "many": len(cases), "locked": is_locked(), "cut": current_cut()}
    )


def _adjudications(request: HttpRequest) -> HttpResponse:
    rows = [{"shown": shown, "judged": judged} for shown, judged, _, _ in adjudications(request.user)]
    return render(
        request, "review/adjudications.html", {"rows": rows, "waiting": sum(row["judged"] is None for row in rows), "cut": current_cut()}
    )


@only("coordinator", "monitor", "auditor")
def progress(request: HttpRequest) -> HttpResponse:
    """Show how far the reads are: states, never calls; the monitor sees numbers alone."""
    board = read_board()
    states = Counter(_state(board, shown) for shown in board.shown)
    rows = [] if request.user.role == "monitor" else [{"shown": shown, "state": _state(board, shown)} for shown in board.shown]
    context = {"rows": rows, "states": sorted(states.items()), "many": len(board.shown), "cut": current_cut(), "locked": is_locked()}
    return render(request, "review/progress.html", {**context, "conditions": conditions(board, whole=False) if board.shown else []})


def _state(board: Board, shown: Any) -> str:
    if any(board.is_stale(shown, seat) for seat in (1, 2)):
        return "to be read again"
    number = sum((shown.case_id, seat) in board.reads for seat in (1, 2))
    if number < 2:
        return f"{number} of 2 reads signed"
    return "to be adjudicated" if board.settled[shown.case_id].state == "differs" else "settled"


@only("coordinator", "auditor")
def concordance(request: HttpRequest) -> HttpResponse:
    """Show how far the readers agree: counts before the lock, the table after it; the auditor sees it at any time."""
    board, whole = read_board(), is_locked() or request.user.role == "auditor"
    reads = [
        {"TRIAL": 0, "SUBJ": shown.case.subject_id, "READER": SEATS[seat], "CARDAY": shown.day, "AVALC": read.call}
        for shown in board.shown
        for seat in (1, 2, 3)
        if (read := board.reads.get((shown.case_id, seat))) is not None and not board.is_stale(shown, seat)
    ]
    context: dict[str, Any] = {"whole": whole, "quality": _quality(board), "pairs": 0}
    if reads:
        pairs = pair_reads(pl.DataFrame(reads), SEATS[1], SEATS[2])
        context["pairs"] = pairs.height
        if pairs.height and whole:
            found = estimate_agreement(pairs).row(0, named=True)
            context |= {"agreement": found, "table": _cross_table(pairs)}
    return render(request, "review/concordance.html", context)


def _cross_table(pairs: pl.DataFrame) -> dict[str, Any]:
    best = study_now().disease.family.best_first
    there = set(pairs["FIRST"]) | set(pairs["SECOND"])
    names = [status for status in best if status in there]
    cells = Counter(pairs.select("FIRST", "SECOND").iter_rows())
    return {"names": names, "rows": [(one, [cells[one, two] for two in names]) for one in names]}


def _quality(board: Board) -> list[dict[str, Any]]:
    """Return of each seat how often the adjudicator went against it, of the cases that both have signed, and changes after a notice."""
    both = [shown for shown in board.shown if all((shown.case_id, seat) in board.reads for seat in (1, 2))]
    judged = [shown for shown in both if (shown.case_id, 3) in board.reads and not board.is_stale(shown, 3)]
    found = []
    for seat in (1, 2):
        against = sum(board.reads[shown.case_id, 3].call != board.reads[shown.case_id, seat].call for shown in judged)
        noticed = [read for (_, at), read in board.reads.items() if at == seat and read.notice]
        changed = sum(read.first != read.call for read in noticed)
        share = f"{100 * against / len(both):.1f} %" if both else "not known"
        more = {"adjudicated": len(judged), "against": against, "read": len(both), "share": share}
        found.append({"seat": SEATS[seat].capitalize(), **more, "noticed": len(noticed), "changed": changed})
    return found


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
    rows = [{"event": event, "detail": json.loads(event.detail)} for event in page]
    kinds = Event.objects.order_by("kind").values_list("kind", flat=True).distinct()
    people = Event.objects.order_by("who").values_list("who", flat=True).distinct()
    return render(request, "review/trail.html", {"rows": rows, "page": page, "kinds": kinds, "people": people, "kind": kind, "who": who})
