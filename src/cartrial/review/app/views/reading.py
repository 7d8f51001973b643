"""How does a reader read a case? The page, what is typed on it, and the signature."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from cartrial.review.app.access import Own, find_case, own_cases, shown_code
from cartrial.review.app.acts.signing import LONGEST, MEANING, Asked, Refused, faults_of, notice_of, sign_read, sign_with_password
from cartrial.review.app.acts.trail import change, now_utc, receipt_of, record
from cartrial.review.app.figure import draw_case
from cartrial.review.app.models import Draft, Event, Loaded, Shown
from cartrial.review.app.state import band_of, is_locked, open_queries, study_now
from cartrial.review.app.views.guards import number_of, only
from cartrial.review.compare import LIMITED, limit_lines
from cartrial.review.evidence import reach_of
from cartrial.review.limits import lesion_table
from cartrial.review.workflow import statuses_asked

__all__ = ["case", "draft", "evidence_context"]

_NAMES = {
    **LIMITED,
    "mrd": "Residual disease (MRD)",
    "lymphodepletion": "Lymphodepletion",
    "transfusion": "Transfusion",
    "growth factor": "Growth factor",
    **{"transplant": "Stem cell transplant", "new therapy": "New anticancer therapy"},
    **{"size": "Sum of products of targets", "pet": "PET, five-point score", "involvement": "Marrow", "worsened": "Clinical deterioration"},
}


def evidence_context(shown: Shown, calls: list[tuple[int, str]]) -> dict[str, Any]:
    """Return what a page shows of a case's findings."""
    study, evidence = study_now(), json.loads(shown.evidence)
    band = band_of(Loaded.objects.get(pk=shown.loaded_id))
    return {
        **{"shown": shown, "evidence": evidence, "limits": limit_lines(study, evidence), "calls": calls},
        **{"criteria": study.disease.criteria.name, "until": evidence["day"] + reach_of(evidence), "lesions": lesion_table(evidence)},
        **{"by_limits": shown.derived if study.committee.checks == "shown" else "", "charter": study.committee.charter},
        "figure": {"evidence": draw_case(study, evidence, calls, band)},
        "values": [row | {"name": row.get("name", "").capitalize() or _NAMES[row["what"]]} for row in evidence["rows"]],
    }


@only("reader")
@require_http_methods(["GET", "POST"])
def case(request: HttpRequest, code: str, day: int) -> HttpResponse:
    """Show a case to its reader; with a form that was sent, sign it."""
    own = find_case(request.user, code, day)
    if request.method == "POST":
        return _signed(request, own)
    with change():
        record("viewed", request.user, {"case": own.shown.case_id, "digest": own.shown.digest})
    # findings that changed are read anew on an empty form, unless the charter has the signed call confirmed
    anew = own.is_stale and study_now().committee.changed_findings == "read-again"
    typed = own.draft or (None if anew else own.read)
    fields = {"call": typed.call if typed else "", "reason": typed.reason if typed else ""}
    notice = own.draft.notice.split("\n") if own.draft and own.draft.notice else []
    return render(request, "review/case.html", _context(request, own, fields, notice, {}))


def _context(request: HttpRequest, own: Own, fields: dict[str, str], notice: list[str], faults: dict[str, str]) -> dict[str, Any]:
    cases = own_cases(request.user)
    place = [other.shown.pk for other in cases].index(own.shown.pk)
    mine = [
        (other.shown.day, other.read.call)
        for other in cases[:place]
        if other.read and other.shown.case.subject_id == own.shown.case.subject_id
    ]
    ways = [other for other in cases if other.is_open]
    at = [other.shown.pk for other in ways].index(own.shown.pk)
    return {
        **evidence_context(own.shown, mine),
        **{"own": own, "name": shown_code(own.shown), "fields": fields, "notice": notice, "faults": faults, "locked": is_locked()},
        **{"statuses": statuses_asked(study_now()), "meaning": MEANING, "place": place + 1, "many": len(cases)},
        **{"before": ways[at - 1] if at else None, "after": ways[at + 1] if at + 1 < len(ways) else None},
        **{"version": own.read.version + 1 if own.read else 1, "named": not request.session.get("signed"), "longest": LONGEST},
        **{"revision": own.draft.revision if own.draft else 0, "asked": (own.shown.case_id, request.user.pk) in open_queries()},
    }


def _signed(request: HttpRequest, own: Own) -> HttpResponse:
    fields = {name: request.POST.get(name, "")[: LONGEST + 1] for name in ("call", "reason", "changed", "name", "digest")}
    version = number_of(request.POST.get("version", "")) or 0
    asked = Asked(fields["call"], fields["reason"], fields["changed"], fields["digest"], version)
    if asked.digest != own.shown.digest:
        return _again(
            request, own, fields, [], {"top": "The findings have changed since this page was made. They are shown anew: read them."}, 409
        )
    notice = notice_of(own.shown, asked.call)
    draft = own.draft
    first = draft.first if draft and draft.first else asked.call if notice else ""
    said = draft.notice if draft and draft.notice and not notice else "\n".join(notice)
    faults = faults_of(asked, notice)
    if faults:
        if notice:
            _keep_notice(request, own, asked, first, notice)
        return _again(request, own, fields, notice, faults, 422)
    why = sign_with_password(request, {"name": fields["name"], "password": request.POST.get("password", "")})
    if why:
        return _again(request, own, fields, notice, {"password": why}, 429 if getattr(request, "axes_locked_out", False) else 422)
    try:
        read = sign_read(request.user, own.shown, own.seat, asked, first=first if said else "", notice=said)
    except Refused as refused:
        return _again(request, own, fields, notice, {"top": str(refused)}, 409)
    receipt = receipt_of(Event.objects.get(pk=read.event))
    messages.success(request, f"Signed {read.call} for {shown_code(own.shown)}, version {read.version}: receipt {receipt}.")
    waiting = [other for other in own_cases(request.user) if other.state in ("To read", "To read again", "Draft")]
    same = [other for other in waiting if other.shown.case.subject_id == own.shown.case.subject_id]
    after = next(iter(same or waiting), None)
    return redirect("case", after.shown.case.subject.code, after.shown.day) if after else redirect("home")


def _again(request: HttpRequest, own: Own, fields: dict[str, str], notice: list[str], faults: dict[str, str], status: int) -> HttpResponse:
    return render(request, "review/case.html", _context(request, own, fields, notice, faults), status=status)


def _keep_notice(request: HttpRequest, own: Own, asked: Asked, first: str, notice: list[str]) -> None:
    """Keep what was said after a call, so that a later signature says what it was before."""
    values = {"call": asked.call, "reason": asked.reason, "first": first, "notice": "\n".join(notice), "saved": now_utc()}
    Draft.objects.update_or_create(case_id=own.shown.case_id, person=request.user, defaults=values)


@only("reader")
@require_POST
def draft(request: HttpRequest, code: str, day: int) -> HttpResponse:
    """Keep what is typed, and say where the call differs from the limits."""
    own = find_case(request.user, code, day)
    revision = number_of(request.POST.get("revision", ""))
    call, reason = request.POST.get("call", ""), request.POST.get("reason", "")[:LONGEST]
    if call and call not in statuses_asked(study_now()):
        return HttpResponse("This is no status.", status=422)
    if revision is None:
        return HttpResponse("The page is too old. Load it again.", status=422)
    notice = notice_of(own.shown, call) if call else []
    said = "\n".join(notice) or (own.draft.notice if own.draft else "")
    first = (own.draft.first if own.draft else "") or (call if notice else "")
    values = {"call": call, "reason": reason, "saved": now_utc(), "first": first, "notice": said, "revision": revision + 1}
    with transaction.atomic():
        if revision == 0:
            _, made = Draft.objects.get_or_create(case_id=own.shown.case_id, person=request.user, defaults=values)
            kept = made or Draft.objects.filter(case_id=own.shown.case_id, person=request.user, revision=0).update(**values)
        else:
            kept = Draft.objects.filter(case_id=own.shown.case_id, person=request.user, revision=revision).update(**values)
    if not kept:
        return HttpResponse(
            "Another window has saved this case meanwhile: your text here is not saved. Copy it and load the page again.", status=409
        )
    return render(request, "review/saved.html", {"notice": notice, "revision": revision + 1, "saved": values["saved"]})
