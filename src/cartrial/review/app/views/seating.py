"""How are seats given and users kept?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cartrial.errors import InputError
from cartrial.review.app.acts.people import add_person, disable_person, give_seat, list_people, reset_password
from cartrial.review.app.acts.wording import fault_of_text
from cartrial.review.app.models import ROLES, Person, Subject
from cartrial.review.app.state import seats_now
from cartrial.review.app.views.guards import number_of, only

__all__ = ["seats", "users"]


@only("coordinator", practice=False)
@require_http_methods(["GET", "POST"])
def seats(request: HttpRequest) -> HttpResponse:
    """Give seats of one subject, or of all that have nobody there."""
    if request.method == "POST":
        _give(request)
        return redirect("seats")
    names = dict(Person.objects.values_list("pk", "full_name"))
    held = seats_now()
    subjects = [
        {"code": subject.code, "seats": [names.get(held.get((subject.pk, seat), 0), "") for seat in (1, 2)]}
        for subject in Subject.objects.filter(again=None).order_by("code")
    ]
    readers = Person.objects.filter(role="reader", is_active=True).order_by("full_name")
    return render(request, "review/seats.html", {"subjects": subjects, "readers": readers})


def _give(request: HttpRequest) -> None:
    person = Person.objects.filter(username=request.POST.get("person", "")).first()
    seat = number_of(request.POST.get("seat", "")) or 0
    code, reason = request.POST.get("subject", ""), request.POST.get("reason", "")[:2000]
    held = seats_now()
    if code == "all":
        subjects = [subject for subject in Subject.objects.filter(again=None).order_by("code") if (subject.pk, seat) not in held]
    else:
        subjects = list(Subject.objects.filter(code=code, again=None))
    if person is None or not subjects:
        messages.error(request, "Choose a reader, and a subject that has nobody on this seat.")
        return
    if why := fault_of_text(reason):
        messages.error(request, f"No seat was given. {why}")
        return
    given = 0
    for subject in subjects:
        try:
            give_seat(subject, seat, person, reason, request.user)
            given += 1
        except InputError as error:
            messages.error(request, f"{subject.code}: {error}.")
            if code != "all":
                return
    if given:
        messages.success(request, f"Seat {seat} of {given} subject{'' if given == 1 else 's'} given to {person.full_name}.")


@only("administrator")
@require_http_methods(["GET", "POST"])
def users(request: HttpRequest) -> HttpResponse:
    """Add a person, give a new password, or end an access."""
    if request.method == "POST":
        act, name = request.POST.get("act", ""), request.POST.get("user", "").strip()
        try:
            if act == "add":
                password = add_person(name, request.POST.get("name", ""), request.POST.get("role", ""), request.user)
                messages.success(request, f"Added {name}. The first password, shown once: {password}")
            elif act == "reset":
                messages.success(request, f"The new password of {name}, shown once: {reset_password(name, request.user)}")
            elif act == "disable":
                disable_person(name, request.POST.get("reason", "")[:2000], request.user)
                messages.success(request, f"{name} can log in no more.")
        except InputError as error:
            messages.error(request, f"{error}.")
        return redirect("users" if request.path.endswith("users/") else "home")
    return render(request, "review/users.html", {"people": list_people(), "roles": ROLES})
