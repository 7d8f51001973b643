"""How does an adjudicator decide between two reads? Unnamed, in drawn order, on the findings that both readers saw."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cartrial.review.app.access import find_adjudication, shown_code
from cartrial.review.app.acts.signing import (
    ADJUDICATION,
    LONGEST,
    Asked,
    Refused,
    both_reads,
    faults_of,
    sign_read,
    sign_with_password,
)
from cartrial.review.app.acts.trail import change, receipt_of, record
from cartrial.review.app.models import Event, Read, Shown
from cartrial.review.app.state import current_cut, is_locked, study_now
from cartrial.review.app.views.guards import number_of, only
from cartrial.review.app.views.reading import evidence_context
from cartrial.review.evidence import digest_of
from cartrial.review.workflow import SEATS, statuses_asked

__all__ = ["case"]


def _in_drawn_order(shown: Shown, one: Read, two: Read) -> list[tuple[str, Read]]:
    """Return both reads as X and Y: which of them is first was drawn with the secret of the data cut, and stays for the case.

    Where the charter has names shown, they are those of reader 1 and reader 2, in that order.
    """
    if study_now().committee.adjudicator.names == "shown":
        return [(SEATS[read.seat].capitalize(), read) for read in (one, two)]
    cut = current_cut()
    turned = int(digest_of([cut.salt if cut else "", shown.case_id])[:2], 16) % 2
    return list(zip("XY", (two, one) if turned else (one, two), strict=True))


@only("adjudicator", practice=False)
@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, code: str, day: int) -> HttpResponse:
    """Show a case to an adjudicator; with a form that was sent, sign the decision."""
    shown, judged, one, two = find_adjudication(request.user, code, day)
    last = Read.objects.filter(case=shown.case_id, seat=3).order_by("-version").first()
    version = last.version + 1 if last else 1
    fields = {name: request.POST.get(name, "")[: LONGEST + 1] for name in ("call", "reason", "changed", "name", "digest", "between")}
    faults, status = {}, 200
    if request.method == "POST":
        given = number_of(request.POST.get("version", "")) or 0
        asked = Asked(fields["call"], fields["reason"], fields["changed"], fields["digest"], given, fields["between"])
        faults, status = faults_of(asked, [], between=(one.call, two.call)), 422
        why = "" if faults else sign_with_password(request, {"name": fields["name"], "password": request.POST.get("password", "")})
        if why:
            faults, status = {"password": why}, 429 if getattr(request, "axes_locked_out", False) else 422
        if not faults:
            try:
                read = sign_read(request.user, shown, 3, asked)
            except Refused as refused:
                faults, status = {"top": str(refused)}, 409
            else:
                receipt = receipt_of(Event.objects.get(pk=read.event))
                messages.success(request, f"Signed {read.call} for {shown_code(shown)}, version {read.version}: receipt {receipt}.")
                return redirect("home")
    else:
        with change():
            record("viewed", request.user, {"case": shown.case_id, "digest": shown.digest, "adjudication": True})
        if judged is not None:
            fields |= {"call": judged.call, "reason": judged.reason}
    reads = _in_drawn_order(shown, one, two)
    asked_of = statuses_asked(study_now())
    if study_now().committee.adjudicator.decision == "one-of-two":
        asked_of = tuple(status for status in asked_of if status in (one.call, two.call))
    context = {
        **evidence_context(shown, []),
        **{"name": shown_code(shown), "reads": reads, "fields": fields, "faults": faults, "version": version, "locked": is_locked()},
        **{"statuses": asked_of, "meaning": ADJUDICATION, "named": not request.session.get("signed")},
        **{"said": {read.call for _, read in reads}, "longest": LONGEST, "judged": judged, "between": both_reads(one, two)},
        "unnamed": study_now().committee.adjudicator.names == "hidden",
    }
    return render(request, "review/adjudication.html", context, status=status)
