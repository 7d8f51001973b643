"""How did readers do on virtual patients? Each sees his own result once he has read all, the coordinator every reader's."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cartrial.review.app.acts.practising import Score, score_readers
from cartrial.review.app.views.agreeing import cross_table
from cartrial.review.app.views.guards import only

__all__ = ["results"]


@only("reader", "coordinator", "auditor", practice=True)
def results(request: HttpRequest) -> HttpResponse:
    """Show the results of practice."""
    own = request.user.role == "reader"
    scores = score_readers(request.user if own else None)
    return render(request, "review/practice.html", {"readers": [_row(score) for score in scores], "own": own})


def _row(score: Score) -> dict[str, Any]:
    row: dict[str, Any] = {"score": score}
    return row | {"estimate": score.estimate, "table": cross_table(score.pairs)} if score.is_done else row
