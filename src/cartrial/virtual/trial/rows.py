"""Which records would a site have written? One frame a domain, keyed by integers, days since 1970-01-01, nothing after the cutoff."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.sdtm.records.codes import INV
from cartrial.sdtm.vocabulary.specimens import methods_of
from cartrial.virtual.engine.kernel_codes import STEROID_DAYS
from cartrial.virtual.patients.population import load_model
from cartrial.virtual.patients.randomness import draw_normal, draw_uniform
from cartrial.virtual.patients.toxicity import NONE
from cartrial.virtual.trial.arrivals import NEVER, Accrued, Plan
from cartrial.virtual.trial.assays import CD19, CD19_STATUS, NAMED, SEQUENCED, TESTS, measure_before
from cartrial.virtual.trial.follow import CONDITIONING, Followed, follow_infused
from cartrial.virtual.trial.sent.collect import Collector, in_sequence
from cartrial.virtual.trial.sent.second import phenotype, sequence
from cartrial.virtual.trial.sent.weight import product_dose
from cartrial.virtual.trial.visits import EARLY, last_day

__all__ = ["DISEASE", "TOXICITY_CARE", "TRANSPLANT", "Rows", "make_rows"]

WAITING, CONTACTS, NAMES = range(1500, 1503)
TRANSPLANT, DISEASE = "ALLOGENEIC STEM CELL TRANSPLANT", "B-CELL ACUTE LYMPHOBLASTIC LEUKAEMIA"
TOXICITY_CARE = "CYTOKINE RELEASE SYNDROME TREATMENT"
# Dose and unit of the usual drugs of lymphodepletion; any other is given without an amount.
_DOSES = {"FLUDARABINE": (30.0, "mg/m2"), "CYCLOPHOSPHAMIDE": (500.0, "mg/m2"), "ALEMTUZUMAB": (20.0, "mg")}
_NEW = ("INOTUZUMAB OZOGAMICIN", "BLINATUMOMAB", "CHEMOTHERAPY")
_PLATELETS, _RED_CELLS, _GROWTH_FACTOR = "PLATELET TRANSFUSION", "RED BLOOD CELL TRANSFUSION", "GROWTH FACTOR"
CARE_CRS, CARE_ICANS = "CYTOKINE RELEASE SYNDROME", "IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME"
NEUTROPENIA, THROMBOCYTOPENIA = "NEUTROPHIL COUNT DECREASED", "PLATELET COUNT DECREASED"
_SYSTEMS = {
    CARE_CRS: "Immune system disorders",
    CARE_ICANS: "Nervous system disorders",
    "ACUTE GRAFT VERSUS HOST DISEASE IN SKIN": "Immune system disorders",
    NEUTROPENIA: "Investigations",
    THROMBOCYTOPENIA: "Investigations",
}
Days = NDArray[np.int64]
Flags = NDArray[np.bool_]
# subject, visit, test, value and limit of detection of second results
Second = tuple[Days, Days, Days, NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Rows:
    """Records by domain with SUBJ, DAY (Int32) and SEQ (Int64), sorted by SUBJ, DAY, SEQ.

    Parameters
    ----------
    people : Accrued
        Subject SUBJ is its row.
    deaths : ndarray of int64, shape (subjects,)
        Day, `NEVER` where none is known by the cutoff.
    domains : dict of str to polars.DataFrame
        DS, PR, CM (KIND, TRT, ENDDAY), EX, LB (TEST: position in `NAMED`, VALUE with its codes; LOD where a sample has its own), RS
        (READER, RESP), FA (PRESENT), AE, SS, DD (CAUSE), MH. If all is sent, VISIT in LB, RS and FA: 0 screening, 1 before
        lymphodepletion, then the early samples and the visits.
    followed : Followed
        The infused subjects, in the order of their rows.
    """

    people: Accrued
    deaths: Days
    domains: dict[str, pl.DataFrame]
    followed: Followed


def make_rows(plan: Plan, people: Accrued, *, threads: int | None = None, sent: bool = False) -> Rows:
    """Follow everyone who gave consent, and write down what a site would.

    Parameters
    ----------
    plan : Plan
    people : Accrued
    threads : int, optional
        As in `simulate_course`.
    sent : bool
        Write down what no rule reads too, for files: the visit of a record, and second results of a sample.
    """
    here = np.flatnonzero(people.infused)
    followed = follow_infused(plan, people.take(here), threads=threads)
    out = Collector()
    death, end, close = _ends(plan, people, here, followed)
    _before(plan, people, out)
    _after(plan, people, here, followed, out)
    _contacts(plan, people, death, end, close, out)
    dead = death < NEVER
    out.add("DS", dead, death, KIND="DEATH")
    _causes(people, here, followed, dead, death, out)
    out.add("MH", np.ones(len(people), bool), people.consent, TERM=DISEASE, OCCUR="Y")
    # sites ask for an earlier transplant: who had none has a record that says so
    out.add("MH", people.prior_transplant, people.consent, TERM=TRANSPLANT, OCCUR="Y")
    out.add("MH", ~people.prior_transplant, people.consent, TERM=TRANSPLANT, OCCUR="N")
    domains = {name: out.frame(name) for name in ("DS", "PR", "EX", "CM", "FA", "AE", "SS", "DD", "MH")}
    if not sent:
        domains["FA"] = domains["FA"].drop("VISIT")
    later = [_sequenced(plan, people, here, followed)] if sent or _sequencing_read(plan) else []
    later += [_phenotypes(plan, people, here, followed)] if sent else []
    domains |= {"LB": _samples(plan, people, here, followed, later, sent), "RS": _calls(people, here, followed, sent)}
    return Rows(people, death, domains, followed)


def _ends(plan: Plan, people: Accrued, here: Days, followed: Followed) -> tuple[Days, Days, Days]:
    """Return days of death (`NEVER`: none known), the last day known alive at most, and the end of the study or the cutoff."""
    keys = plan.keys(people.trial, people.subject)
    constants = load_model().constants
    u = draw_uniform(keys, WAITING, 2)
    hazard = people.after_failure * plan.settings.survival.after_ineligible.value
    saved = u[:, 0] < constants["salvaged-child" if plan.population.patients.child else "salvaged-adult"]
    stopped = (people.outcome == 1) | (people.outcome == 3)
    later = people.lost + np.ceil(-np.log(u[:, 1]) / hazard).astype(np.int64)
    death = np.where(people.outcome == 2, people.lost, np.where(stopped & ~saved, later, NEVER))
    close = np.minimum(people.enrolled + last_day(plan.study), plan.cutoff)
    death[here] = np.where(followed.death < NONE, people.infusion[here] + followed.death, NEVER)
    close[here] = people.infusion[here] + followed.follow
    death = np.where(death <= close, death, NEVER)
    end = np.minimum(death - 1, close)
    gone = np.minimum(followed.lost, followed.withdrawn)
    end[here] = np.minimum(end[here], np.where(gone < NONE, people.infusion[here] + gone - 1, NEVER))
    return death, end, close


def _causes(people: Accrued, here: Days, followed: Followed, dead: Flags, death: Days, out: Collector) -> None:
    """Write the cause of each death of the infused: the disease, or another of which the model knows no more."""
    of_disease = np.zeros(len(people), bool)
    of_disease[here] = followed.of_disease
    for which, word in ((of_disease, "DISEASE PROGRESSION"), (~of_disease, "OTHER")):
        out.add("DD", dead & people.infused & which, death, CAUSE=word)


def _before(plan: Plan, people: Accrued, out: Collector) -> None:
    """Write consent to infusion."""
    study, settings = plan.study, plan.settings
    everyone = np.ones(len(people), bool)
    enrolled, infused = people.enrolled < NEVER, people.infused
    keys = plan.keys(people.trial, people.subject)
    u = draw_uniform(keys, NAMES, 3)
    start = int(settings.treatment.lymphodepletion_start.value)
    out.add("DS", everyone, people.consent, KIND="INFORMED CONSENT OBTAINED")
    out.add("DS", ~enrolled, people.consent + 2, KIND="SCREEN FAILURE")
    out.add("DS", enrolled, people.enrolled, KIND="ENROLLED")
    out.add("DS", people.released <= plan.cutoff, people.released, KIND="PRODUCT RELEASED")
    for outcome, word in ((1, "PRODUCT FAILURE"), (3, "PHYSICIAN DECISION")):
        out.add("DS", (people.outcome == outcome) & (people.lost <= plan.cutoff), people.lost, KIND=word)
    own = study.product.type == "autologous"
    out.add("PR", enrolled & own, people.enrolled, KIND="LEUKAPHERESIS")
    close = np.minimum(people.released, people.lost)
    out.add("PR", enrolled & own & (people.attempts > 1), people.enrolled + (close - people.enrolled) // 2, KIND="LEUKAPHERESIS")
    bridge = people.enrolled + 1 + np.floor(4 * u[:, 0]).astype(np.int64)
    last = np.where(infused, people.infusion - start - 2, np.minimum(people.lost, plan.cutoff))
    # those whose blasts it lowers were bridged; of the others so many that the share is that of the settings
    answers = plan.population.supply.bridging_response
    lower = answers.value if answers else 0.0
    others = max(settings.treatment.bridging.value - lower, 0.0) / max(1.0 - lower, 1e-9)
    bridged = enrolled & (people.lowered | (u[:, 1] < others)) & (bridge < last)
    out.add("CM", bridged, bridge, KIND="BRIDGING THERAPY", TRT="VINCRISTINE AND DEXAMETHASONE", ENDDAY=None, INDC=DISEASE)
    for drug in study.product.lymphodepletion:
        amount, unit = _DOSES.get(drug, (None, None))
        for day in range(int(settings.treatment.lymphodepletion_days.value)):
            given = people.infusion - start + day
            out.add("EX", infused & (given < people.infusion), given, KIND="LYMPHODEPLETION", TRT=drug, AMOUNT=amount, UNIT=unit)
    dose = settings.treatment.product_dose
    cells, of = product_dose(study.product.dose_range, plan.keys(people.trial, people.subject), people.age, people.female)
    if cells is not None:
        out.add("EX", infused, people.infusion, KIND="PRODUCT", TRT=study.product.exposure[0], AMOUNT=cells[infused], UNIT=of)
    else:
        out.add("EX", infused, people.infusion, KIND="PRODUCT", TRT=study.product.exposure[0], AMOUNT=dose.value, UNIT=dose.unit)


def _after(plan: Plan, people: Accrued, here: Days, f: Followed, out: Collector) -> None:
    """Write infusion to cutoff, without samples and calls."""

    def spread(days: Days) -> Days:
        wide = np.full(len(people), NEVER)
        wide[here] = np.where(days < NONE, people.infusion[here] + days, NEVER)
        return wide

    complete = np.where((f.end == f.follow) & (f.death > f.follow) & (f.follow == f.schedule.visit[:, -1]), f.follow, NONE)
    complete = np.where((f.lost < NONE) | (f.withdrawn < NONE), NONE, complete)
    for days, word in ((f.lost, "LOST TO FOLLOW-UP"), (f.withdrawn, "WITHDRAWAL BY SUBJECT"), (complete, "COMPLETED")):
        when = spread(days)
        out.add("DS", when < NEVER, when, KIND=word)
    when = spread(f.transplant)
    out.add("PR", when < NEVER, when - CONDITIONING, KIND="CONDITIONING")
    out.add("PR", when < NEVER, when, KIND=TRANSPLANT)
    alive = np.where(f.end == f.death, f.end - 1, f.end)
    neural = f.events[CARE_ICANS]
    for_icans = (neural.grade >= 2) & (f.steroids == neural.start)
    for days, drug, lasts, why in (
        (f.tocilizumab, "TOCILIZUMAB", 1, CARE_CRS),
        (np.where(for_icans, NONE, f.steroids), "DEXAMETHASONE", int(STEROID_DAYS), CARE_CRS),
        (np.where(for_icans, f.steroids, NONE), "DEXAMETHASONE", int(STEROID_DAYS), CARE_ICANS),
    ):
        given, last = days < NONE, np.minimum(days + lasts - 1, alive)
        stop = (people.infusion[here] + last)[given].astype(np.int32)
        when = spread(days)
        out.add("CM", when < NEVER, when, KIND=TOXICITY_CARE, TRT=drug, ENDDAY=stop, INDC=why)
    when = spread(f.therapy)
    which = np.floor(draw_uniform(plan.keys(people.trial, people.subject), NAMES, 3)[:, 2] * len(_NEW)).astype(int)
    for i, drug in enumerate(_NEW):
        out.add("CM", (when < NEVER) & (which == i), when, KIND="SUBSEQUENT ANTICANCER THERAPY", TRT=drug, ENDDAY=None, INDC=DISEASE)
    _support(people, here, f, out)
    _lesions(plan, people, here, f, out)
    for term, event in f.events.items():
        alive = np.where(f.end == f.death, f.end - 1, f.end)
        seen = (event.grade > 0) & (event.start <= alive)
        start = spread(np.where(seen, event.start, NONE))
        stop = spread(np.where(seen & (event.end <= alive), event.end, NONE))
        grade = np.zeros(len(people), np.int64)
        grade[here] = event.grade
        for open_ended in (False, True):
            for level in range(1, 5):
                who = (start < NEVER) & ((stop == NEVER) == open_ended) & (grade == level)
                out.add(
                    "AE",
                    who,
                    start,
                    ENDDAY=None if open_ended else stop[who].astype(np.int32),
                    DECOD=term,
                    BODSYS=_SYSTEMS[term],
                    TOXGR=level,
                    SER="Y" if level >= 3 and not term.endswith("DECREASED") else "N",
                    REL="RELATED",
                    OUT="NOT RECOVERED/NOT RESOLVED" if open_ended else "RECOVERED/RESOLVED",
                )


def _support(people: Accrued, here: Days, f: Followed, out: Collector) -> None:
    """Write transfusions and growth factor. They are numbered last: the subject's other records keep their numbers."""
    given = f.support
    for what, some in ((_PLATELETS, given.platelets), (_RED_CELLS, given.red_cells)):
        who, at = np.nonzero(some & (given.days <= f.supported[:, None]))
        out.put("PR", here[who], people.infusion[here[who]] + given.days[at], last=True, KIND=what)
    some = given.start <= f.supported[given.subject]
    who, zero = given.subject[some], people.infusion[here[given.subject[some]]]
    stop = np.minimum(given.stop[some], f.supported[who])
    last = (zero + stop).astype(np.int32)
    start = zero + given.start[some]
    out.put("CM", here[who], start, last=True, KIND=_GROWTH_FACTOR, TRT="FILGRASTIM", ENDDAY=last, INDC=NEUTROPENIA)


def _lesions(plan: Plan, people: Accrued, here: Days, f: Followed, out: Collector) -> None:
    start = int(plan.settings.treatment.lymphodepletion_start.value)
    before = np.zeros(len(people), bool)
    before[here] = f.measured.lesions_before
    for present in (True, False):
        out.add("FA", people.infused & (before == present), people.infusion - start - 1, PRESENT=int(present), VISIT=1)
    for v in range(f.attended.shape[1]):
        day, state, came = (np.zeros(len(people), np.int64) for _ in range(3))
        day[here] = people.infusion[here] + f.schedule.visit[:, v]
        came[here] = f.attended[:, v]
        state[here] = f.measured.lesions[:, v]
        out.add("FA", came == 1, day, PRESENT=state[came == 1], VISIT=2 + len(EARLY) + v)


def _contacts(plan: Plan, people: Accrued, death: Days, end: Days, close: Days, out: Collector) -> None:
    """Write contacts at which a subject was known alive, from enrolment on, and the one that told of the death."""
    enrolled = people.enrolled < NEVER
    visits = plan.settings.visits
    every, margin = int(visits.contact.value), int(visits.last_contact.value)
    longest = int((plan.cutoff - people.enrolled[enrolled]).max(initial=0))
    number = max(longest // every, 1)
    keys = plan.keys(people.trial, people.subject)
    jitter = np.clip(np.rint(2 * draw_normal(keys, CONTACTS, number)), -7, 7).astype(np.int64)
    for k in range(number):
        day = people.enrolled + every * (k + 1) + jitter[:, k]
        out.add("SS", enrolled & (day <= end) & (day < close - margin - 7), day, ALIVE=True)
    last = close - np.floor(draw_uniform(keys, CONTACTS + 10, 1)[:, 0] * (margin + 1)).astype(np.int64)
    out.add("SS", enrolled & (end == close) & (last > people.enrolled), last, ALIVE=True)
    out.add("SS", death < NEVER, death, ALIVE=False)


def _sequencing_read(plan: Plan) -> bool:
    """Whether the rules of the study read residual disease by sequencing: it names that method."""
    return NAMED[SEQUENCED].method in methods_of(plan.study.disease.mrd.methods)


def _sequenced(plan: Plan, people: Accrued, here: Days, f: Followed) -> Second:
    """Return residual disease by sequencing at the visits that took place."""
    keys = plan.keys(people.trial[here], people.subject[here])
    result, limit = sequence(plan.settings, f.measured, keys)
    who, visit = np.nonzero(f.attended & ~np.isnan(result))
    return here[who], visit, np.full(len(who), SEQUENCED), result[who, visit], limit[who, visit]


def _phenotypes(plan: Plan, people: Accrued, here: Days, f: Followed) -> Second:
    """Return CD19 at relapse: the share of cells, and what that is called."""
    keys = plan.keys(people.trial[here], people.subject[here])
    who, visit, share, status, specimen = phenotype(plan.settings, f.schedule, f.course, f.measured, f.calls[..., INV], keys)
    twice = np.repeat(np.arange(len(who)), 2)
    test = np.stack([CD19 + specimen, CD19_STATUS + specimen], axis=1).ravel()
    return here[who[twice]], visit[twice], test, np.stack([share, status], axis=1).ravel(), np.full(len(test), np.nan)


def _samples(plan: Plan, people: Accrued, here: Days, f: Followed, later: list[Second], sent: bool) -> pl.DataFrame:
    """Return LB: screening, before lymphodepletion, early samples and visits, in the order of days and tests.

    Second results are numbered after all others of the subject, which keep their numbers.
    """
    n, visits = len(people), f.attended.shape[1]
    slots = 2 + len(EARLY) + visits
    values = np.full((n, slots, len(TESTS)), np.nan)
    day = np.zeros((n, slots), np.int64)
    values[:, 0] = measure_before(plan.settings, people.marrow, plan.keys(people.trial, people.subject), 0)
    day[:, 0] = people.consent + 1
    zero = people.infusion[here]
    values[here, 1] = f.before
    day[here, 1] = zero - int(plan.settings.treatment.lymphodepletion_start.value) - 1
    early, visit = slice(2, 2 + len(EARLY)), slice(2 + len(EARLY), slots)
    values[here, early] = np.where(f.sampled[..., None], f.measured.early, np.nan)
    day[here, early] = zero[:, None] + np.array(EARLY)
    values[here, visit] = np.where(f.attended[..., None], f.measured.visit, np.nan)
    day[here, visit] = zero[:, None] + f.schedule.visit
    who, slot, test = np.nonzero(~np.isnan(values))
    # a number that rounds to zero from below would be written as -0
    found = values[who, slot, test] + 0.0
    parts = [{"SUBJ": who, "SLOT": slot, "TEST": test, "VALUE": found, "LOD": np.full(len(who), np.nan)}]
    parts += [{"SUBJ": w, "SLOT": 2 + len(EARLY) + v, "TEST": t, "VALUE": x, "LOD": limit} for w, v, t, x, limit in later]
    made = {name: np.concatenate([part[name] for part in parts]) if later else parts[0][name] for name in parts[0]}
    columns = {
        "SUBJ": made["SUBJ"].astype(np.int32),
        "DAY": day[made["SUBJ"], made["SLOT"]].astype(np.int32),
        "TEST": made["TEST"].astype(np.uint32),
        "VALUE": made["VALUE"],
    }
    columns |= {"LOD": made["LOD"]} if later else {}
    columns |= {"VISIT": made["SLOT"].astype(np.int32)} if sent else {}
    frame = pl.DataFrame(columns)
    if not later:
        return in_sequence(frame)
    frame = in_sequence(frame.sort("SUBJ", maintain_order=True))
    return frame.sort("SUBJ", "DAY", "SEQ").with_columns(pl.col("LOD").fill_nan(None))


def _calls(people: Accrued, here: Days, f: Followed, sent: bool) -> pl.DataFrame:
    """Return RS in the order of days and readers."""
    who, visit, reader = np.nonzero(f.calls >= 0)
    columns = {
        "SUBJ": here[who].astype(np.int32),
        "DAY": (people.infusion[here[who]] + f.schedule.visit[who, visit]).astype(np.int32),
        "READER": reader.astype(np.int8),
        "RESP": f.calls[who, visit, reader].astype(np.int8),
    }
    columns |= {"VISIT": (2 + len(EARLY) + visit).astype(np.int32)} if sent else {}
    return in_sequence(pl.DataFrame(columns))
