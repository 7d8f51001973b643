"""At which addresses do the pages stand?"""

from __future__ import annotations

from django.urls import path, register_converter

from cartrial.review.app.views import adjudicating, agreeing, asking, entering, locking, overview, practising, reading, seating

__all__ = ["handler500", "urlpatterns"]

handler500 = "cartrial.review.app.frame.failed"


class Day:
    """A day from day 0, which may lie before it."""

    regex = "-?[0-9]{1,6}"

    def to_python(self, value: str) -> int:
        """Return the day of an address."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Return a day as it stands in an address."""
        return str(value)


register_converter(Day, "day")

urlpatterns = [
    path("", overview.home, name="home"),
    path("login/", entering.SignIn.as_view(), name="login"),
    path("logout/", entering.SignOut.as_view(), name="logout"),
    path("password/", entering.OwnPassword.as_view(), name="password"),
    path("case/<str:code>/<day:day>/", reading.case, name="case"),
    path("case/<str:code>/<day:day>/draft/", reading.draft, name="draft"),
    path("case/<str:code>/<day:day>/ask/", asking.ask, name="ask"),
    path("adjudication/<str:code>/<day:day>/", adjudicating.case, name="adjudication"),
    path("queries/", asking.queries, name="queries"),
    path("queries/<str:code>/<day:day>/<int:person>/", asking.answer, name="answer"),
    path("progress/", overview.progress, name="progress"),
    path("concordance/", agreeing.concordance, name="concordance"),
    path("results/", practising.results, name="results"),
    path("trail/", overview.trail, name="trail"),
    path("seats/", seating.seats, name="seats"),
    path("users/", seating.users, name="users"),
    path("lock/", locking.lock, name="lock"),
]
