"""How are the reads locked? What a lock needs, and the two signatures."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cartrial.review.app.acts.locks import NEXT, add_step, conditions, next_step
from cartrial.review.app.acts.signing import LONGEST, sign_with_password
from cartrial.review.app.acts.wording import fault_of_text
from cartrial.review.app.models import LockStep
from cartrial.review.app.state import current_cut, is_locked
from cartrial.review.app.views.guards import only

__all__ = ["lock"]


@only("coordinator", "monitor", practice=False)
@require_http_methods(["GET", "POST"])
def lock(request: HttpRequest) -> HttpResponse:
    """Show what a lock needs; with a form that was sent, sign."""
    cut, faults, status = current_cut(), {}, 200
    kind = next_step() if cut else "lock"
    fields = {name: request.POST.get(name, "")[:LONGEST] for name in ("reason", "name", "kind")}
    if request.method == "POST" and cut:
        status = 422
        why = fault_of_text(fields["reason"]) if fields["reason"].strip() else "Say what it is for."
        if why:
            faults = {"reason": why}
        else:
            why = sign_with_password(request, {"name": fields["name"], "password": request.POST.get("password", "")})
            faults = {"password": why} if why else {}
        if not why:
            try:
                step = add_step(fields["kind"], request.user, fields["reason"])
            except ValueError as error:
                faults, status = {"top": str(error)}, 409
            else:
                messages.success(request, f"Signed, event {step.event}.")
                return redirect("lock")
    context = {
        **{
            "cut": cut,
            "conditions": conditions() if cut else [],
            "kind": kind,
            "step": NEXT[kind],
            "mine": NEXT[kind][0] == request.user.role,
        },
        **{
            "steps": LockStep.objects.select_related("person").order_by("-event"),
            "locked": is_locked(),
            "fields": fields,
            "faults": faults,
        },
        **{"named": not request.session.get("signed"), "longest": LONGEST},
    }
    return render(request, "review/lock.html", context, status=status)
