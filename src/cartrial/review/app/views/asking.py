"""How does a reader ask for what is missing, and the coordinator answer?"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from cartrial.review.app.access import find_case
from cartrial.review.app.acts.signing import LONGEST
from cartrial.review.app.acts.trail import change, record
from cartrial.review.app.acts.wording import fault_of_text
from cartrial.review.app.models import Message, Person, Shown
from cartrial.review.app.state import current_cut, open_queries
from cartrial.review.app.views.guards import only

__all__ = ["answer", "ask", "queries"]


def _say(person: Person, case: int, asked_by: Person, kind: str, text: str) -> None:
    with change():
        event = record("query" if kind == "ask" else "query-answered", person, {"case": case, "asked_by": asked_by.pk, "text": text})
        Message(
            case_id=case, person=person, asked_by=asked_by, kind=kind, text=text, at=parse_datetime(event.at), event=event.number
        ).save()


@only("reader")
@require_POST
def ask(request: HttpRequest, code: str, day: int) -> HttpResponse:
    """Ask the coordinator for what is missing in a case."""
    own = find_case(request.user, code, day)
    text = request.POST.get("text", "").strip()[:LONGEST]
    if not text:
        messages.error(request, "Nothing was asked: write what is missing.")
    elif why := fault_of_text(text):
        messages.error(request, f"Nothing was asked. {why}")
    else:
        _say(request.user, own.shown.case_id, request.user, "ask", text)
        messages.success(request, "Asked. The coordinator answers; you can sign meanwhile.")
    return redirect("case", code, day)


@only("reader", "coordinator")
def queries(request: HttpRequest) -> HttpResponse:
    """List the queries: a reader his own, the coordinator all."""
    said = Message.objects.select_related("case__subject", "person", "asked_by").order_by("event")
    if request.user.role == "reader":
        said = said.filter(asked_by=request.user)
    return render(request, "review/queries.html", {"threads": list(_threads(said, request.user.role)), "longest": LONGEST})


def _threads(said: Iterable[Message], whose: str) -> Iterable[dict[str, object]]:
    waiting, cut = open_queries(), current_cut()
    days = {shown.case_id: shown.day for shown in Shown.objects.filter(loaded=cut).only("case_id", "day")} if cut else {}
    threads: dict[tuple[int, int], list[Message]] = {}
    for message in said:
        threads.setdefault((message.case_id, message.asked_by_id), []).append(message)
    for (case, person), thread in threads.items():
        first = thread[0]
        again = getattr(first.case.subject, "again", None) if whose == "coordinator" else None
        at = {"again": again.of.code if again else "", "code": first.case.subject.code, "day": days.get(case), "person": person}
        yield {**at, "messages": thread, "open": (case, person) in waiting, "asked_by": first.asked_by}


@only("coordinator")
@require_POST
def answer(request: HttpRequest, code: str, day: int, person: int) -> HttpResponse:
    """Answer a query; what changes data comes back through a new data cut."""
    shown = Shown.objects.filter(loaded=current_cut(), case__subject__code=code, day=day).first()
    if shown is None or (shown.case_id, person) not in open_queries():
        raise Http404
    text = request.POST.get("text", "").strip()[:LONGEST]
    if why := fault_of_text(text):
        messages.error(request, f"Nothing was answered. {why}")
    elif text:
        _say(request.user, shown.case_id, Person.objects.get(pk=person), "answer", text)
        messages.success(request, "Answered.")
    else:
        messages.error(request, "Write the answer.")
    return redirect("queries")
