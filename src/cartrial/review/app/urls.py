"""At which addresses do the pages stand?"""

from __future__ import annotations

from django.urls import path

from cartrial.review.app.views import adjudicating, asking, entering, locking, overview, reading, seating

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", overview.home, name="home"),
    path("login/", entering.SignIn.as_view(), name="login"),
    path("logout/", entering.SignOut.as_view(), name="logout"),
    path("password/", entering.OwnPassword.as_view(), name="password"),
    path("case/<str:code>/<int:day>/", reading.case, name="case"),
    path("case/<str:code>/<int:day>/draft/", reading.draft, name="draft"),
    path("case/<str:code>/<int:day>/ask/", asking.ask, name="ask"),
    path("adjudication/<str:code>/<int:day>/", adjudicating.case, name="adjudication"),
    path("queries/", asking.queries, name="queries"),
    path("queries/<str:code>/<int:day>/<int:person>/", asking.answer, name="answer"),
    path("progress/", overview.progress, name="progress"),
    path("concordance/", overview.concordance, name="concordance"),
    path("trail/", overview.trail, name="trail"),
    path("seats/", seating.seats, name="seats"),
    path("users/", seating.users, name="users"),
    path("lock/", locking.lock, name="lock"),
]
