"""How far do readers agree: with one another, with the adjudicator, and each with himself where a case was asked again?"""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cartrial.analysis import estimate_agreement, pair_reads
from cartrial.review.app.state import Board, Reread, is_locked, read_board, rereads_now, study_now
from cartrial.review.app.views.guards import only
from cartrial.review.workflow import SEATS

__all__ = ["concordance", "cross_table"]


@only("coordinator", "auditor", practice=False)
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
            context |= {"agreement": found, "table": cross_table(pairs)}
    return render(request, "review/concordance.html", context | {"again": _again(rereads_now(), whole=whole)})


def _again(rereads: list[Reread], *, whole: bool) -> list[dict[str, Any]]:
    """Return how far each seat agrees with itself: how many cases were asked again and read twice; the agreement where all is shown."""
    found = []
    for seat in sorted({reread.seat for reread in rereads}):
        own = [reread for reread in rereads if reread.seat == seat]
        twice = [(reread.first.call, reread.second.call) for reread in own if reread.is_pair and reread.first and reread.second]
        row: dict[str, Any] = {"seat": SEATS[seat].capitalize(), "asked": len(own), "twice": len(twice)}
        if whole and twice:
            pairs = pl.DataFrame(twice, schema=["FIRST", "SECOND"], orient="row")
            row |= {"agreement": estimate_agreement(pairs, ()).row(0, named=True), "table": cross_table(pairs)}
        found.append(row)
    return found


def cross_table(pairs: pl.DataFrame) -> dict[str, Any]:
    """Return the calls FIRST down and SECOND across, the best first."""
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
