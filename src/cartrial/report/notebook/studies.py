"""How are a study and its data sets shown? The rules in words, and what must be told before any number is read."""

from __future__ import annotations

from cartrial.endpoints import Adam
from cartrial.report.notebook.parts import band, count, heading, joined, table
from cartrial.study import Study, describe_endpoint, reader_words
from cartrial.study.words import criteria_words

__all__ = ["adam_html", "study_html"]

SETS = {
    "ADSL": "a row a subject: populations, baseline, the ends of observation",
    "ADRS": "response: a row an endpoint, variant and reader, with reason and rule",
    "ADTTE": "times to event, with what ended each and why",
    "ADAE": "adverse events with grade and onset",
    "ADCK": "cellular kinetics: samples and what they come to",
    "ADRESP": "each reader's statuses by date",
    "ADTR": "lesions and what was measured of them",
}


def study_html(study: Study) -> str:
    """Return a study file as HTML: who it is, its criteria, and each endpoint in words."""
    who, product = study.study, study.product
    cutoff = f"data cutoff {who.cutoff}" if who.cutoff else "study days only, no data cutoff"
    facts = heading(
        who.title,
        who.id,
        who.registry,
        who.phase and f"phase {who.phase}",
        cutoff,
        f"provenance: {who.provenance}",
        f"rules version {study.rules}",
    )
    said = [
        ("product", f"{product.name}, {product.type}"),
        ("criteria", criteria_words(study)),
        ("primary reader", reader_words(study.readers.primary, study.disease.family)),
        ("visits", ", ".join(f"{v.name} (day {v.day}, -{v.minus} to +{v.plus})" for v in study.disease.visits)),
    ]
    rows = []
    for endpoint in study.endpoints:
        variants = study.variants(endpoint)
        words = describe_endpoint(study, variants[0])
        named = ", ".join(variant.name for variant in variants[1:])
        rows.append(
            (
                endpoint.id,
                endpoint.label,
                words["variable"],
                words["population"],
                words["reader"],
                words["window"],
                words["strategies"],
                named,
            )
        )
    head = ("endpoint", "label", "what counts", "among", "reader", "window", "intercurrent events", "variants")
    return joined(band(who.provenance), facts, table(("", ""), said), table(head, rows, what="endpoint"))


def adam_html(adam: Adam) -> str:
    """Return data sets as HTML: warnings first, then what each set holds."""
    sets = adam.sets()
    subjects, infused = adam.adsl.height, adam.adsl.filter(INFFL="Y").height if "INFFL" in adam.adsl.columns else None
    who = f"{count(subjects, 'subject')}" + (f", {infused:,} infused" if infused is not None else "")
    trials = adam.adsl["TRIAL"].n_unique()
    told = heading(
        "Analysis data sets", adam.study_id, who, count(trials, "trial") if trials > 1 else None, f"provenance: {adam.provenance}"
    )
    notices = [(notice.severity, notice.message, ", ".join(notice.endpoints)) for notice in adam.notices]
    first = table(("severity", "what must be told before any number is read", "endpoints"), notices, what="notice") if notices else None
    rows = [
        (name, SETS.get(name, ""), data.height, data["SUBJ"].n_unique() if trials == 1 else None, data.width) for name, data in sets.items()
    ]
    return joined(band(adam.provenance), told, first, table(("set", "what it holds", "rows", "subjects", "columns"), rows))
