"""What cannot be true? Statements of texts with their verdicts, and the numbers of the registry that do not agree."""

from __future__ import annotations

from cartrial.evidence import VERDICTS, Claim, check_statement
from cartrial.evidence.registry.words import result_line
from cartrial.report.evidence.data import ContextData
from cartrial.report.page.blocks import Block, Section, Table, Text

__all__ = ["build"]

# the worst first
_VERDICTS = {
    "contradicted": "Contradicted",
    "unsupported": "Unsupported",
    "not-read": "Its source was not read",
    "source-only": "Read in this text alone",
    "supported": "Supported",
}


def build(data: ContextData) -> Section:
    """Return the section that stands first: what was said and cannot be, and what was printed and does not agree."""
    claims = sorted(data.evidence.claims, key=lambda claim: list(_VERDICTS).index(claim.verdict))
    wrong = sum(claim.verdict in ("contradicted", "unsupported") for claim in claims)
    found = data.findings
    counts = [f"{sum(one.verdict == verdict for _, one in found)} {verdict}" for verdict in VERDICTS if verdict != "consistent"]
    blocks: list[Block] = [
        Text(
            f"Of {len(claims)} statements of two texts, the announcement of an approval and the record of a trial of a donor's cells, "
            f"{wrong} cannot stand. Of {len(data.evidence.results)} published numbers, checked alone and together: {', '.join(counts)}."
        ),
        Table(
            ("Statement", "Verdict", "Arithmetic", "Judged by", "Said in"),
            [_claim(data, claim) for claim in claims],
            "What two texts say, and what published numbers say of it",
            wide=True,
        ),
        Table(
            ("", "Verdict", "Published", "Arithmetic, and what would make it true", "Source"),
            [_finding(data, number, i) for i, (number, _) in enumerate(found)],
            "Published numbers that cannot be true as printed, contradict each other, or are not explained",
            numeric=(0,),
            note="; ".join(f"{verdict}: {words}" for verdict, words in VERDICTS.items() if verdict != "consistent")
            + ". A number that is not consistent is held as it was printed.",
            wide=True,
        ),
    ]
    return Section("contradictions", "What cannot be true", blocks, "Contradictions")


def _claim(data: ContextData, claim: Claim) -> tuple[str, ...]:
    said = claim.arithmetic or (check_statement(claim.statement)[0].said if claim.statement else "")
    because = "; ".join(f"{data.evidence.find(name)[0]}: {result_line(data.evidence.find(name)[1])}" for name in claim.because)
    return (claim.text, _VERDICTS[claim.verdict], said, because, data.evidence.sources[claim.source].citation)


def _finding(data: ContextData, number: str, at: int) -> tuple[str, ...]:
    found = data.findings[at][1]
    held = {one.id: (trial, one) for trial, one in data.evidence.results}
    rows = [held[name] for name in found.results if name in held]
    names = "; ".join(f"{data.evidence.trials[trial].trial.name}: {result_line(one)}" for trial, one in rows)
    sources = [data.evidence.sources[one.source].citation for _, one in rows]
    for file in data.evidence.trials.values():
        for total in file.sums:
            if total.id in found.results:
                names = f"{file.trial.name}: {total.what}"
                sources.append(data.evidence.sources[total.source].citation)
    return (number, found.verdict, names, found.said, "; ".join(dict.fromkeys(sources)))
