"""What holds for the endpoints of any subject, whatever was read and whatever happened.

Random subjects (calls by committee, readers, adjudicator and investigator; transplant with or without conditioning, new therapy, death,
loss, withdrawal, any follow-up against the cutoff) as SDTM. Origin of every expectation: `independent`, properties that follow from the
rules.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import strategies as st

from cartrial.endpoints import Adam, derive
from cartrial.sdtm import Source
from cartrial.study import Study
from helpers import load_study
from properties import examples

FIRST = dt.date(2022, 1, 1)
CUTOFF = dt.date(2022, 9, 27)
LAST = (CUTOFF - FIRST).days
CALLS = ("CR", "CR", "CRi", "NR", "PD", "RELAPSE", "INDETERMINATE", "NE")
WHO = {
    "INV": ("INVESTIGATOR", None),
    "IRC": ("INDEPENDENT ASSESSOR", None),
    **{name: ("INDEPENDENT ASSESSOR", name) for name in ("READER 1", "READER 2", "ADJUDICATOR")},
}
HSCT = ("treatment-policy", "composite", "while-on-treatment", "hypothetical")

STUDY = """\
schema: 1
study: {id: properties, title: Properties, cutoff: 2022-09-27, provenance: example}
product: {name: product, type: autologous, exposure: [PRODUCT]}
disease:
  criteria: nccn
  visits:
    - {name: day 28, day: 28, minus: 7, plus: 7}
    - {name: month 3, day: 90, minus: 14, plus: 14}
    - {name: month 6, day: 180, minus: 14, plus: 14}
readers: {primary: IRC}
endpoints:
"""
RATE = """\
  - {{id: {id}, label: {id}, type: response-rate, window: {window}, population: infused,
     strategies: {{hsct: composite, new-therapy: composite}},
     sensitivity: [{{hsct: treatment-policy}}, {{hsct: while-on-treatment}}, {{reader: INV}}]}}
"""
TIME = """\
  - {{id: {id}, label: {id}, type: time-to-event, origin: {origin}, population: {population}, events: [{events}],
     strategies: {{hsct: treatment-policy, new-therapy: {new}}},
     sensitivity: [{{hsct: hypothetical}}, {{hsct: composite}}, {{hsct: while-on-treatment}}, {{missed-visits: 1}}, {{reader: INV}}]}}
"""
RATES = {"AT": "{at: month 3}", "WITHIN": "{within: month 3}", "BEST": "{best: cutoff}", "DAYS": "{within-days: 200, until: progression}"}
TIMES = {
    "DOR": {"origin": "first-response", "population": "responders", "events": "relapse, death", "new": "hypothetical"},
    "EFS": {"origin": "day-0", "population": "infused", "events": "non-response, relapse, death", "new": "composite"},
    "OS": {"origin": "day-0", "population": "infused", "events": "death", "new": "treatment-policy"},
}


@dataclass(frozen=True)
class Subject:
    """Days from day 0, which is `start` days after 2022-01-01; None: it did not happen."""

    start: int
    reads: tuple[tuple[int, str, str], ...]
    infused: bool = True
    hsct: int | None = None
    conditioning: int | None = None
    therapy: int | None = None
    death: int | None = None
    gone: tuple[str, int] | None = None
    alive: int | None = None


@st.composite
def subjects(draw: st.DrawFn) -> Subject:
    day = st.integers(1, 320)
    death = draw(st.none() | st.none() | day)
    end = 320 if death is None else death
    here = st.integers(1, end)
    sometimes = st.none() | st.none() | here
    keys = draw(
        st.lists(st.tuples(here | st.sampled_from([7, 28, 76, 85, 90, 95, 104, 180]), st.sampled_from(list(WHO))), max_size=9, unique=True)
    )
    calls = [(when, who, draw(st.sampled_from(CALLS))) for when, who in keys if when <= end]
    hsct = draw(sometimes)
    return Subject(
        start=draw(st.integers(0, 265)),
        reads=tuple(calls),
        infused=draw(st.integers(0, 9)) > 0,
        hsct=hsct,
        conditioning=draw(st.none() | st.integers(0, 16)) if hsct else None,
        therapy=draw(sometimes),
        death=death,
        gone=draw(st.none() | st.none() | st.tuples(st.sampled_from(["LOST TO FOLLOW-UP", "WITHDRAWAL BY SUBJECT"]), here)),
        alive=draw(sometimes),
    )


groups = st.lists(subjects(), min_size=8, max_size=16)
SCHEMAS = {
    "DM": ("DTHDTC", "DTHFL"),
    "EX": ("EXSEQ", "EXTRT", "EXSTDTC"),
    "RS": ("RSSEQ", "RSTESTCD", "RSSTRESC", "RSEVAL", "RSEVALID", "RSDTC"),
    "PR": ("PRSEQ", "PRTRT", "PRSTDTC"),
    "CM": ("CMSEQ", "CMTRT", "CMCAT", "CMSTDTC"),
    "DS": ("DSSEQ", "DSDECOD", "DSSTDTC"),
    "SS": ("SSSEQ", "SSTESTCD", "SSSTRESC", "SSDTC"),
}


def source_of(group: list[Subject]) -> Source:
    """Write subjects as SDTM domains."""
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in SCHEMAS}
    for at, person in enumerate(group):
        start, name = person.start, f"S-{at:03d}"

        def put(domain: str, day: int | None, start: int = start, name: str = name, **values: object) -> None:
            if day is not None:
                number = {f"{domain}SEQ": len(rows[domain]) + 1} if domain != "DM" else {}
                date = {SCHEMAS[domain][-1]: (FIRST + dt.timedelta(days=start + day)).isoformat()} if domain != "DM" else {}
                rows[domain].append({"STUDYID": "P", "USUBJID": name, **number, **values, **date})

        died = None if person.death is None else (FIRST + dt.timedelta(days=start + person.death)).isoformat()
        put("DM", 0, DTHDTC=died, DTHFL=None if died is None else "Y")
        put("DS", -30, DSDECOD="ENROLLED")
        put("PR", -25, PRTRT="LEUKAPHERESIS")
        put("EX", 0 if person.infused else None, EXTRT="PRODUCT")
        for day, who, call in person.reads:
            put("RS", day, RSTESTCD="OVRLRESP", RSSTRESC=call, RSEVAL=WHO[who][0], RSEVALID=WHO[who][1])
        put("PR", person.hsct, PRTRT="ALLOGENEIC STEM CELL TRANSPLANT")
        put("PR", None if person.conditioning is None else person.hsct - person.conditioning, PRTRT="CONDITIONING")
        put("CM", person.therapy, CMTRT="OTHER", CMCAT="SUBSEQUENT ANTICANCER THERAPY")
        if person.gone:
            put("DS", person.gone[1], DSDECOD=person.gone[0])
        put("SS", person.alive, SSTESTCD="SURVSTAT", SSSTRESC="ALIVE")
    types = {name: dict.fromkeys(("STUDYID", "USUBJID", *columns), pl.String) for name, columns in SCHEMAS.items()}
    for name, schema in types.items():
        if name != "DM":
            schema[f"{name}SEQ"] = pl.Int64
    return Source(
        {name: pl.DataFrame(found, schema=types[name]).with_row_index("ROW", 2).cast({"ROW": pl.Int64}) for name, found in rows.items()}
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    rates = "".join(RATE.format(id=name, window=window) for name, window in RATES.items())
    times = "".join(TIME.format(id=name, **parts) for name, parts in TIMES.items())
    return load_study(tmp_path_factory.mktemp("study"), STUDY + rates + times)


def holds(number: int = 12) -> object:
    """Few examples, each a whole trial; none is made smaller when it fails."""
    return examples(number, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck))


def values(adam: Adam) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both sets without the numbers of subjects and records."""
    numbers = ("SUBJ", "TRIAL", "SRCSEQ")
    return adam.adrs.drop(numbers).sort("USUBJID", "PARAMCD", "VARIANT"), adam.adtte.drop(numbers).sort("USUBJID", "PARAMCD", "VARIANT")


def assert_same(found: Adam, expected: Adam) -> None:
    for one, two in zip(values(found), values(expected), strict=True):
        assert one.equals(two), one.join(two, on=["USUBJID", "PARAMCD", "VARIANT", "AVAL"], how="anti")


@pytest.mark.slow
@given(group=groups, seed=st.integers(0, 2**31))
@holds()
def test_the_order_of_rows_does_not_matter(study: Study, group: list[Subject], seed: int) -> None:
    source = source_of(group)
    mixed = Source({name: frame.sample(fraction=1.0, shuffle=True, seed=seed) for name, frame in source.domains.items()})
    first, second = derive(study, source), derive(study, mixed)
    assert_same(second, first)
    assert second.adresp.equals(first.adresp) and second.adsl.equals(first.adsl)


@pytest.mark.slow
@given(group=groups)
@holds()
def test_trials_in_one_batch_or_each_alone(study: Study, group: list[Subject]) -> None:
    """Subjects dealt out to three trials. What a trial can show (was survival recorded?) is asked of each trial, not of the batch."""
    source = source_of(group)
    trial = pl.format("P-{}", pl.col("USUBJID").str.slice(2).cast(pl.Int64) % 3).alias("STUDYID")
    together = {name: frame.with_columns(trial) for name, frame in source.domains.items()}
    found = [
        values(derive(study, Source({name: frame.filter(pl.col("STUDYID") == f"P-{i}") for name, frame in together.items()})))
        for i in range(3)
    ]
    for i, expected in enumerate(values(derive(study, Source(together)))):
        assert pl.concat(part[i] for part in found).sort("USUBJID", "PARAMCD", "VARIANT").equals(expected)


@example(group=[Subject(0, ((30, "IRC", "CR"), (90, "IRC", "RELAPSE")))], later=1, call="NE")  # the first survival status is after it
@given(group=groups, later=st.integers(1, 400), call=st.sampled_from(CALLS))
@holds()
@pytest.mark.shows("RULE-1.5")
def test_nothing_after_the_cutoff_is_used(study: Study, group: list[Subject], later: int, call: str) -> None:
    """Each subject with what happened up to the cutoff alone, against all of it and more after."""

    def until(person: Subject, day: int | None) -> int | None:
        return day if day is not None and person.start + day <= LAST else None

    before = [
        replace(
            person,
            reads=tuple(read for read in person.reads if until(person, read[0]) is not None),
            hsct=until(person, person.hsct),
            conditioning=person.conditioning if until(person, person.hsct) is not None else None,
            therapy=until(person, person.therapy),
            death=until(person, person.death),
            gone=person.gone if person.gone and until(person, person.gone[1]) is not None else None,
            alive=until(person, person.alive),
        )
        for person in group
    ]
    after = [
        replace(
            person,
            reads=(*person.reads, *((LAST - person.start + later, who, call) for who in WHO)),
            hsct=person.hsct if person.hsct is not None else LAST - person.start + later,
            therapy=person.therapy if person.therapy is not None else LAST - person.start + later,
            death=person.death if person.death is not None else LAST - person.start + later,
            alive=person.alive if person.alive is not None else LAST - person.start + later,
        )
        for person in before
    ]
    assert_same(derive(study, source_of(after)), derive(study, source_of(before)))


@pytest.mark.slow
@given(group=groups)
@holds(25)
@pytest.mark.shows("RULE-6.16")
def test_what_each_row_says_of_itself(study: Study, group: list[Subject]) -> None:
    adam = derive(study, source_of(group))
    adtte, adrs = adam.adtte, adam.adrs
    for frame in (adtte, adrs):
        assert not frame.select("USUBJID", "PARAMCD", "VARIANT").is_duplicated().any()
        assert frame.filter(pl.col("ADT") > CUTOFF).is_empty()
    infused = sum(person.infused and person.start <= LAST for person in group)
    for name in ("EFS", "OS"):
        assert adtte.filter((pl.col("PARAMCD") == name) & (pl.col("VARIANT") == "")).height in (0, infused)
    assert (adtte["AVAL"] >= 1).all()
    assert (adtte["AVAL"] == (adtte["ADT"] - adtte["STARTDT"]).dt.total_days() + 1).all()
    assert adtte.filter(pl.col("AVAL").is_not_null())["EVNTDESC"].null_count() == 0
    assert ((adtte["CNSR"] == 0) == adtte["CNSDTDSC"].is_null()).all()
    assert adtte.filter(pl.col("CNSDTDSC").is_not_null() & (pl.col("CNSDTDSC") != pl.col("EVNTDESC"))).is_empty()
    events = adtte.filter(pl.col("CNSR") == 0)
    assert events["SRCDOM"].null_count() == 0 and events["SRCVAR"].null_count() == 0
    answer = pl.col("AVAL").replace_strict({1.0: "Y", 0.0: "N"}, default="NYA", return_dtype=pl.String)
    assert adrs.select((answer == pl.col("AVALC")).all()).item()
    assert adrs.filter((pl.col("AVALC") == "Y") != (pl.col("REASON") == "response")).is_empty()
    assert adrs.filter((pl.col("AVALC") == "NYA") != (pl.col("REASON") == "window-open")).is_empty()
    assert adrs["RULE"].null_count() + adtte["RULE"].null_count() == 0


def _side_by_side(frame: pl.DataFrame, name: str, one: str, two: str) -> pl.DataFrame:
    """Rows of two variants of an endpoint, of the subjects that have both."""
    rows = frame.filter(pl.col("PARAMCD") == name)
    return rows.filter(pl.col("VARIANT") == one).join(rows.filter(pl.col("VARIANT") == two), on="USUBJID", suffix="_2")


@pytest.mark.slow
@given(group=groups)
@holds(25)
@pytest.mark.shows("STUDY-endpoints.strategies", "STUDY-endpoints.strategies.hsct")
def test_strategies_order_times_and_responses(study: Study, group: list[Subject]) -> None:
    adam = derive(study, source_of(group))
    both = _side_by_side(adam.adtte, "DOR", "", "hsct=hypothetical")
    assert (both["AVAL"] >= both["AVAL_2"]).all(), "ignoring the transplant never shortens a response"
    both = _side_by_side(adam.adtte, "DOR", "hsct=while-on-treatment", "hsct=hypothetical")
    assert (both["AVAL"] >= both["AVAL_2"]).all(), "censored at the transplant, not before the last assessment"
    for name in ("WITHIN", "BEST", "DAYS"):
        both = _side_by_side(adam.adrs, name, "", "hsct=treatment-policy")
        assert both.filter((pl.col("AVAL") == 1) & (pl.col("AVAL_2").fill_null(0) != 1)).is_empty(), "composite implies treatment policy"
    for variant in ("", "hsct=treatment-policy", "reader=INV"):
        rows = adam.adrs.filter(pl.col("VARIANT") == variant).pivot("PARAMCD", index="USUBJID", values="AVAL")
        if not rows.is_empty():
            assert rows.filter((pl.col("AT") == 1) & (pl.col("WITHIN").fill_null(0) != 1)).is_empty(), "a response at is one within"
            assert rows.filter((pl.col("WITHIN") == 1) & (pl.col("BEST").fill_null(0) != 1)).is_empty(), "a response within is a best one"
    # without a survival status and a death in the whole trial OS is not derived, and DOR only where somebody was assessed later
    survival = any(person.start + day <= LAST for person in group for day in (person.death, person.alive) if day is not None)
    main = adam.adtte.filter(pl.col("VARIANT") == "").pivot("PARAMCD", index="USUBJID", values="AVAL")
    if survival and "EFS" in main.columns:
        assert (main["EFS"] <= main["OS"]).all(), "event-free survival is not longer than survival"
    responders = set(adam.adtte.filter((pl.col("PARAMCD") == "DOR") & (pl.col("VARIANT") == ""))["USUBJID"])
    best = adam.adrs.filter((pl.col("PARAMCD") == "BEST") & (pl.col("VARIANT") == "hsct=treatment-policy") & (pl.col("AVAL") == 1))
    if survival:
        assert set(best["USUBJID"]) <= responders, "who responded has a duration of response"


@pytest.mark.slow
@given(group=groups, days=st.integers(1, 90))
@holds()
def test_a_later_death_never_undoes_a_response(study: Study, group: list[Subject], days: int) -> None:
    """A death put off, or one added after everything that is recorded."""

    def last(person: Subject) -> int:
        return max(
            [0, *(read[0] for read in person.reads), *(day for day in (person.hsct, person.therapy, person.alive) if day is not None)]
        )

    later = [replace(person, death=(last(person) if person.death is None else person.death) + days) for person in group]
    before, after = derive(study, source_of(group)).adrs, derive(study, source_of(later)).adrs
    both = before.join(after, on=["USUBJID", "PARAMCD", "VARIANT"], suffix="_2")
    assert both.filter((pl.col("AVAL") == 1) & (pl.col("AVAL_2").fill_null(0) != 1)).is_empty()


@pytest.mark.slow
@given(group=groups)
@holds()
def test_without_a_transplant_every_strategy_for_it_is_the_same(study: Study, group: list[Subject]) -> None:
    adam = derive(study, source_of([replace(person, hsct=None, conditioning=None) for person in group]))
    for frame, keys in ((adam.adrs, ("AVALC", "REASON", "ADT")), (adam.adtte, ("AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "ADT", "STARTDT"))):
        rows = frame.select("USUBJID", "PARAMCD", "VARIANT", *keys).sort("PARAMCD", "USUBJID")
        main = rows.filter(pl.col("VARIANT") == "").drop("VARIANT")
        for strategy in HSCT:
            other = rows.filter(pl.col("VARIANT") == f"hsct={strategy}").drop("VARIANT")
            names = other["PARAMCD"].unique().implode()
            assert other.equals(main.filter(pl.col("PARAMCD").is_in(names))), strategy


@pytest.mark.slow
@given(group=groups)
@holds()
def test_the_same_reads_by_two_readers_are_those_of_the_committee(study: Study, group: list[Subject]) -> None:
    """Two readers who read every sample alike agree: what the committee says does not depend on how it was recorded."""
    alone = [
        replace(person, reads=tuple((day, "IRC", call) for day, call in sorted({day: call for day, _, call in person.reads}.items())))
        for person in group
    ]
    pairs = [
        replace(person, reads=tuple((day, who, call) for day, _, call in person.reads for who in ("READER 1", "READER 2")))
        for person in alone
    ]
    names = ["USUBJID", "PARAMCD", "VARIANT", "AVAL"]
    for one, two in zip(values(derive(study, source_of(alone))), values(derive(study, source_of(pairs))), strict=True):
        rows = pl.col("VARIANT") != "reader=INV"
        assert one.filter(rows).select(names).equals(two.filter(rows).select(names))
