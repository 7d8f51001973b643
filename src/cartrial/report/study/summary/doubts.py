"""What makes the results doubtful? Found by rule, each point with its numbers from the results and the place to read on."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from cartrial.analysis.tables.times import LANDMARKS
from cartrial.analysis.wording import DAYS_PER_MONTH
from cartrial.report.page.rows import Cell, ResultRow, Stat, parts
from cartrial.report.study.data import ReportData
from cartrial.report.study.lacking import is_absent
from cartrial.report.study.phrases import READER_NAMES, lower_first, variant_words
from cartrial.report.study.sections.estimates import Estimate, find_rate, variant_names
from cartrial.sdtm.checks.groups import count_findings, group_findings
from cartrial.sdtm.source import SEVERITIES, many
from cartrial.study import Endpoint
from cartrial.study.attributes import RESPONSE

__all__ = ["FEW", "FEW_SHARE", "find_doubts"]

FEW, FEW_SHARE = 5, 0.1
"""Fewer subjects at risk than this, or than this share of N, say little of a curve."""
KAPPA = 0.6
"""Below this, agreement of two readers is no more than moderate (Landis and Koch, doi:10.2307/2529310)."""
NAMED = 3
ASSUMPTION = "assumption"
SEVERE = SEVERITIES[:2]
UNCALIBRATED = "Severe toxicities of virtual patients are calibrated to other products."


def find_doubts(data: ReportData) -> list[Cell]:
    """Return the points in the order of their weight: what is absent, assumed, pending, contradicted, few."""
    found: list[Cell] = []
    for rule in (_absent, _assumed, _pending, _contradicted, _range, _few, _findings, _untested):
        found.extend(rule(data))
    return found


def _absent(data: ReportData) -> Iterator[Cell]:
    """What the source lacks."""
    for note in data.notices:
        # a summary without toxicity is no summary of a trial without it
        if note.severity == "warning" or note.domain == "AE":
            yield note.message
    primary = data.primary
    if primary is None:
        return
    for note in data.notices:
        if note.severity != "warning" and note.domain != "AE" and primary.id in note.endpoints:
            yield note.message


def _assumed(data: ReportData) -> Iterator[Cell]:
    """What the study file assumes: of the data, and in the rules of the primary endpoint."""
    yield from data.assumed
    assumptions = data.study.assumptions()
    primary = data.primary
    if not assumptions:
        return
    ours = [text for where, text in assumptions if primary is not None and primary.id in where.split(".")]
    said = "; ".join(text for text in dict.fromkeys(ours) if text != ASSUMPTION)
    rules = f"{many(len(assumptions), 'rule')} of the study file {'is an assumption' if len(assumptions) == 1 else 'are assumptions'}"
    of_primary = f", {len(ours)} of them of the primary endpoint{f' ({said})' if said else ''}" if ours else ""
    yield Markup('{}{}. <a href="#study">Which</a>').format(rules, of_primary)


def _pending(data: ReportData) -> Iterator[Cell]:
    """Subjects whose primary endpoint is open, or that its reader has not read; reads that ask for an adjudication."""
    primary = data.primary
    estimate = find_rate(data, primary.id) if primary is not None and primary.type == "response-rate" else None
    if estimate is not None and not estimate.absent:
        if estimate.waiting and estimate.waiting.value:
            are = "subject is" if estimate.waiting.value == 1 else "subjects are"
            yield parts(f'{{}} more {are} not yet assessable for the primary endpoint. <a href="#primary">Primary</a>', estimate.waiting)
        # what the source lacks has said it
        told = primary is not None and any(note.rule == "not-read" and primary.id in note.endpoints for note in data.notices)
        if estimate.unread and estimate.unread.value and not told:
            one = estimate.unread.value == 1
            pattern = (
                f"{{}} of {{}} subjects {'was' if one else 'were'} not read by {{}}: {'a non-responder' if one else 'non-responders'}."
            )
            yield parts(pattern, estimate.unread, estimate.total, estimate.reader)
    if data.findings.is_empty():
        return
    asking = data.findings.filter(
        data.findings["RULE"].is_in(["reading-pending", *(f"{event}-unadjudicated" for event in ("relapse", "progression"))])
    )
    if asking.height:
        reads, subjects = asking.height, asking["USUBJID"].n_unique()
        are = "1 reading is pending" if reads == 1 else f"{reads} readings are pending"
        yield Markup(
            '{} (of {} subject{}): without an agreement they are neither an event nor a censoring date. <a href="#data">Findings</a>'
        ).format(are, subjects, "" if subjects == 1 else "s")


def _contradicted(data: ReportData) -> Iterator[Cell]:
    """Readers that contradict each other: in the primary endpoint, in agreement, and before a new therapy."""
    stat = data.rows.stat
    for row in data.rows.where("concordance", "best", statistic="kappa", level=""):
        if row["value"] is not None and row["value"] < KAPPA:
            found = data.rows.where("concordance", "best", reader=row["reader"], level="")
            pattern = '{} agree in {} % of {} best responses (kappa {}). <a href="#readers">Readers</a>'
            yield parts(pattern, _both(row["reader"]), stat(found, "agreement"), stat(found, "N"), stat(found, "kappa"))
    names = data.study.disease.family.names
    censored: dict[float, list[ResultRow]] = {}
    for row in data.rows.where("concordance", by=names.event):
        if row["value"]:
            censored.setdefault(row["value"], []).append(row)
    for number, rows in censored.items():
        words = "whom the investigator had called {} and the committee had not"
        are = "subject was" if number == 1 else "subjects were"
        pattern = f'{{}}: {{}} {are} censored for new therapy {words}. <a href="#readers">Readers</a>'
        yield parts(pattern, _each_of([row["endpoint"] for row in rows]), stat(rows[:1], "n"), names.happened)


def _each_of(names: list[str]) -> str:
    """Return the endpoints of which a number is said; of several, it is that of each."""
    return f"{', '.join(names[:-1])} and {names[-1]}, each" if len(names) > 1 else names[0]


def _both(reader: str) -> str:
    words = " and ".join(READER_NAMES.get(name, name) for name in reader.split(" and "))
    return words[:1].upper() + words[1:]


def _range(data: ReportData) -> Iterator[Cell]:
    """How far the primary rate goes with reader, population and strategies."""
    primary = data.primary
    if primary is None or primary.type != "response-rate":
        return
    found = [(name, one) for name in variant_names(data, "response", primary) if (one := find_rate(data, primary.id, name))]
    known = [(name, one, one.rate.value) for name, one in found if one.rate is not None and one.rate.value is not None and not one.absent]
    if len(known) < 2:
        return
    low, high = min(known, key=lambda item: item[2]), max(known, key=lambda item: item[2])
    if low[2] == high[2]:
        return
    pattern = 'Other readers, populations and strategies give the primary rate as {} to {}. <a href="#response">Variants</a>'
    yield parts(pattern, _variant(low[0], low[1]), _variant(high[0], high[1]))


def _variant(name: str, one: Estimate) -> Markup:
    return parts("{} % ({}/{}; {})", one.rate, one.n, one.total, variant_words(name))


def _few(data: ReportData) -> Iterator[Cell]:
    """Endpoints of which few subjects are at risk at a landmark."""
    said = []
    for endpoint in data.times():
        if endpoint.events != (RESPONSE,) and (point := _thin(data, endpoint)):
            said.append(point)
    if said:
        rest = len(said) - NAMED
        more = Markup("") if rest < 1 else Markup(" and {} more time{}").format(rest, "" if rest == 1 else "s")
        yield Markup('Few are still at risk late: {}{}. <a href="#times">Curves</a>').format(Markup("; ").join(said[:NAMED]), more)


def _thin(data: ReportData, endpoint: Endpoint) -> Markup | None:
    found = data.rows.where("survival", endpoint.id, variant="", by="", level="")
    median, total = data.rows.stat(found, "median"), data.rows.stat(found, "N")
    if total is None or not total.value or (median is not None and is_absent(median.text)):
        return None
    at: list[tuple[float, Stat]] = [(day, one) for day in LANDMARKS if (one := data.rows.stat(found, "at_risk", time=day))]
    thin = next(((day, one) for day, one in at if one.value is not None and (one.value < FEW or one.value < FEW_SHARE * total.value)), None)
    if thin is None:
        return None
    day, number = thin
    return parts("{} of {} at month {} of {}", number, total, f"{day / DAYS_PER_MONTH:.0f}", lower_first(endpoint.label))


def _findings(data: ReportData) -> Iterator[Cell]:
    """Findings of severity stop or warning."""
    if data.findings.is_empty():
        return
    counts = count_findings(data.findings)
    bad = sum(counts[severity] for severity in SEVERE)
    if not bad:
        return
    rules = sum(group.severity in SEVERE for group in group_findings(data.findings))
    worst = "warning" if not counts[SEVERE[0]] else f"{SEVERE[0]} or warning"
    words = f"The checks of the data made {many(bad, 'finding')} of severity {worst}, of {many(rules, 'kind')}."
    yield Markup('{} <a href="#data">Findings</a>').format(words)


def _untested(data: ReportData) -> Iterator[Cell]:
    """That the primary rate was not tested, and that virtual toxicity is not of this product."""
    primary = data.primary
    estimate = find_rate(data, primary.id) if primary is not None and primary.test is not None else None
    if estimate is not None and not estimate.absent and not estimate.p_value:
        yield "No hypothesis test: the rate to be exceeded is itself an assumption of the study file."
    if data.provenance == "virtual" and data.rows.where("safety"):
        yield UNCALIBRATED
