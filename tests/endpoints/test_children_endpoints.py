"""Sustained remissions, B-cell recovery, persistence and relapse by antigen. Origin of every expected value: `by hand` (P5 and P6)."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from cartrial.analysis import analyse
from cartrial.errors import InputError
from cartrial.run import derive_data
from cartrial.study import Study
from children_example import STUDY_YAML, infused, loaded

DAY0 = dt.date(2022, 1, 3)
COMPETING = "competing: [relapse, death, hsct, new-therapy, re-infusion]"
ENDED = "strategies: {hsct: composite, new-therapy: composite, re-infusion: composite}"
STUDY = STUDY_YAML.replace("readers: {primary: IRC}", "readers: {primary: INV}").split("endpoints:")[0] + (
    f"""\
endpoints:
  - id: ORR28
    label: CR or CRi within 3 months, maintained 28 days
    type: response-rate
    window: {{within: month 3}}
    sustained-days: 28
    population: infused
    strategies: {{hsct: composite, new-therapy: composite}}
    sensitivity:
      - {{sustained-by: no-relapse}}
      - {{sustained-days: 0}}
      - {{hsct: treatment-policy}}
  - id: BREC
    label: B-cell recovery
    type: time-to-event
    population: responders
    origin: day-0
    events: [b-cell-recovery]
    samples: {{test: BCELL, limit: 50}}
    {ENDED}
    analysis: {{{COMPETING}}}
    sensitivity: [{{origin: aplasia}}]
  - id: EARLY
    label: Early loss of aplasia
    type: response-rate
    population: responders
    events: [b-cell-recovery]
    samples: {{test: BCELL, limit: 50}}
    window: {{within-days: 180}}
    {ENDED}
  - id: PERS
    label: Loss of persistence
    type: time-to-event
    population: infused
    origin: day-0
    events: [loss-of-persistence]
    samples: {{test: CARTG}}
    {ENDED}
    analysis: {{{COMPETING}}}
  - id: CIRNEG
    label: Relapse without CD19
    type: time-to-event
    population: responders
    origin: first-response
    events: [relapse, death]
    antigen: negative
    strategies: {{hsct: composite, new-therapy: treatment-policy}}
    analysis: {{competing: [death, hsct]}}
    sensitivity: [{{antigen: positive}}, {{antigen: unknown}}]
"""
)


def date(day):
    return (DAY0 + dt.timedelta(days=day)).isoformat()


def call(name, day, status):
    return {"USUBJID": name, "RSTESTCD": "OVRLRESP", "RSEVAL": "INVESTIGATOR", "RSSTRESC": status, "RSDTC": date(day)}


def calls(name, **by_status):
    """Return calls: CR=[28, 60]."""
    return [call(name, day, status) for status, days in by_status.items() for day in days]


def lab(name, day, test, value, unit, specimen="BLOOD", **more):
    number = value if isinstance(value, int | float) else None
    row = {"USUBJID": name, "LBTESTCD": test, "LBSPEC": specimen, "LBSTRESC": str(value), "LBSTRESN": number, "LBSTRESU": unit}
    return {**row, "LBDTC": date(day), **more}


def cells(name, by_day, test="BCELL", unit="cells/uL", **more):
    return [lab(name, day, test, value, unit, **more) for day, value in by_day.items()]


def hsct(name, day):
    return {"USUBJID": name, "PRTRT": "ALLOGENEIC STEM CELL TRANSPLANT", "PRSTDTC": date(day)}


def derived(folder, names, **tables):
    return derive_data(loaded(folder, {"EX": [infused(name) for name in names], **tables}, STUDY))


def rates(of, endpoint, variant=""):
    rows = of.adam.adrs.filter(PARAMCD=endpoint, VARIANT=variant).sort("USUBJID")
    return {name: (value, reason) for name, value, reason in rows.select("USUBJID", "AVALC", "REASON").rows()}


def times(of, endpoint, variant=""):
    rows = of.adam.adtte.filter(PARAMCD=endpoint, VARIANT=variant).sort("USUBJID")
    return {name: (days, event) for name, days, event in rows.select("USUBJID", "AVAL", "EVNTDESC").rows()}


LATER = [90, 180, 270, 360]


@pytest.mark.shows("RULE-6.15", "STUDY-endpoints.sustained-days", "STUDY-endpoints.sustained-by")
def test_a_remission_maintained_28_days(tmp_path):
    """Subjects 1, 2, 3, 5, 17 and 18 of P6, and 18 without what came after day 60."""
    rs = [
        *calls("S01", CR=[28, 60, *LATER]),
        *calls("S02", CR=[28, 50], RELAPSE=[90]),
        *calls("S03", NR=[28], CR=[100, 130, 180, 270, 360]),
        *calls("S05", CR=[28, *LATER]),
        *calls("S17", CR=[28]),
        *calls("S18", CR=[28, *LATER], NE=[60]),
        *calls("S18B", CR=[28], NE=[60]),
        *calls("S18C", CR=[28], RELAPSE=[50], NE=[60]),
    ]
    ds = [{"USUBJID": "S17", "DSDECOD": "LOST TO FOLLOW-UP", "DSSTDTC": date(45)}]
    blood = [lab(name, 60, "BLAST", 0, "%") for name in ("S18", "S18B", "S18C", "S05")]
    names = ["S01", "S02", "S03", "S05", "S17", "S18", "S18B", "S18C"]
    of = derived(tmp_path, names, RS=rs, DS=ds, LB=blood, PR=[hsct("S05", 50)])
    main = {"S01": "Y", "S02": "N", "S03": "Y", "S05": "N", "S17": "N", "S18": "Y", "S18B": "N", "S18C": "N"}
    assert {name: value for name, (value, _) in rates(of, "ORR28").items()} == main
    assert rates(of, "ORR28")["S02"] == ("N", "not-confirmed") == rates(of, "ORR28")["S17"]
    # blood without blasts on day 60 is a sign of no relapse; after a transplant (S05) or a relapse (S18C) it is none
    free = rates(of, "ORR28", "sustained-by=no-relapse")
    assert {name: value for name, (value, _) in free.items()} == {**main, "S18B": "Y"}
    once = rates(of, "ORR28", "sustained-days=0")
    assert {name: value for name, (value, _) in once.items()} == dict.fromkeys(main, "Y")
    assert rates(of, "ORR28", "hsct=treatment-policy")["S05"][0] == "Y"


@pytest.mark.slow
@pytest.mark.shows("STUDY-endpoints.sustained-by")
def test_blood_says_nothing_beside_disease_outside_the_marrow(tmp_path):
    fa = [{"USUBJID": "A", "FAOBJ": "EXTRAMEDULLARY DISEASE", "FATESTCD": "OCCUR", "FASTRESC": "PRESENT", "FADTC": date(58)}]
    of = derived(tmp_path, ["A"], RS=calls("A", CR=[28]), LB=[lab("A", 60, "BLAST", 0, "%")], FA=fa)
    assert rates(of, "ORR28", "sustained-by=no-relapse") == {"A": ("N", "not-confirmed")}


@pytest.mark.shows("STUDY-endpoints.sustained-days")
def test_one_key_holds_both(tmp_path):
    text = STUDY.replace("    sustained-days: 28\n", "    sustained: {days: 28, by: no-relapse}\n")
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    endpoint = Study.load(path).endpoints[0]
    assert (endpoint.sustained_days, endpoint.sustained_by) == (28, "no-relapse")
    path.write_text(STUDY.replace("    sustained-days: 28\n", "    sustained-by: no-relapse\n"), encoding="utf-8")
    with pytest.raises(InputError, match="sustained-days"):
        Study.load(path)


@pytest.mark.slow
@pytest.mark.shows(
    "RULE-P5.1", "STUDY-endpoints.origin", "STUDY-endpoints.samples", "STUDY-endpoints.samples.limit", "STUDY-endpoints.samples.apart"
)
def test_recovery_of_b_cells(tmp_path):
    """Subjects 13 and 14 of P6, and siblings."""
    samples = {
        "S13": {28: 0, 90: 60, 104: 80},
        "S14": {28: 0, 60: 0, 90: 0, 190: 0},
        # one sample above the limit is none; the last sample is of day 120
        "ONCE": {28: 0, 90: 60, 120: 20},
        # two samples less than 7 days apart are one
        "NEAR": {28: 0, 90: 60, 96: 70},
        # exactly the limit is recovered; the sample nearest to day 28 is of day 30
        "EDGE": {20: 70, 30: 49, 90: 50, 97: 50},
        "NOAPLASIA": {28: 50, 90: 60, 104: 80},
        "NOLANDMARK": {13: 0, 43: 0, 90: 60, 104: 80},
        # no sample after the transplant counts
        "HSCT": {28: 0, 90: 60, 104: 80},
        "DEAD": {28: 0, 90: 0},
        "LIMIT": {28: "<1", 90: ">50", 104: ">=50"},
    }
    rs = [row for name in samples for row in calls(name, CR=[28, 60])]
    rs += [*calls("S13", RELAPSE=[180]), *calls("S14", RELAPSE=[200])]
    lb = [row for name, by_day in samples.items() for row in cells(name, by_day)]
    dm = [{"USUBJID": "DEAD", "AGE": 12, "AGEU": "YEARS", "DTHDTC": date(150), "DTHFL": "Y"}]
    of = derived(tmp_path, list(samples), RS=rs, LB=lb, DM=dm, PR=[hsct("HSCT", 100)])
    assert times(of, "BREC") == {
        "S13": (91, "b-cell-recovery"),
        "S14": (201, "relapse"),
        "ONCE": (121, "cutoff"),
        "NEAR": (97, "cutoff"),
        "EDGE": (91, "b-cell-recovery"),
        "HSCT": (101, "hsct"),
        "DEAD": (151, "death"),
        "LIMIT": (91, "b-cell-recovery"),
    }
    assert times(of, "BREC", "origin=aplasia")["S13"] == (63, "b-cell-recovery")
    codes = dict(of.adam.adtte.filter(PARAMCD="BREC", VARIANT="").select("USUBJID", "CNSR").rows())
    assert codes["S13"] == 0 and codes["ONCE"] == 1 and min(codes[name] for name in ("S14", "HSCT", "DEAD")) >= 20
    source = of.adam.adtte.filter(PARAMCD="BREC", VARIANT="", USUBJID="S13").select("SRCDOM", "SRCVAR", "SRCSEQ")
    asked = of.records.extra["LB"].filter(USUBJID="S13", LBSTRESN=60)["LBSEQ"][0]
    assert source.row(0) == ("LB", "LBSTRESN", asked)
    early = {name: value for name, (value, _) in rates(of, "EARLY").items()}
    recovered = {"S13", "EDGE", "LIMIT"}
    assert early == {name: "Y" if name in recovered else "N" for name in times(of, "BREC")}


@pytest.mark.slow
@pytest.mark.shows(
    "STUDY-endpoints.samples.percent", "STUDY-endpoints.samples.day", "STUDY-endpoints.samples.from", "STUDY-endpoints.samples.to"
)
def test_the_landmark_and_a_limit_in_per_cent_are_those_of_the_study(tmp_path):
    """Landmark day 60 (50 to 70): A has B cells on day 28 and none on day 60, and recovers on day 90. P has 1 % of lymphocytes on day 60,
    then 4 and 5 %: with a limit of 3 % that is a recovery on day 90, and without one such samples are not used."""
    own = STUDY.replace("id: BREC", "id: BREC").replace(
        "samples: {test: BCELL", "samples: {day: 60, from: 50, to: 70, percent: 3, test: BCELL", 1
    )
    samples = {"A": {28: 70, 60: 0, 90: 60, 104: 80}}
    share = {"P": {60: 1, 90: 4, 104: 5}}
    rs = [row for name in (*samples, *share) for row in calls(name, CR=[28, 60, 90, 180])]
    lb = [row for name, by_day in samples.items() for row in cells(name, by_day)]
    lb += [row for name, by_day in share.items() for row in cells(name, by_day, unit="%")]
    found = {}
    for key, text in (("study", STUDY), ("own", own)):
        (tmp_path / key).mkdir()
        of = derive_data(loaded(tmp_path / key, {"EX": [infused(name) for name in ("A", "P")], "RS": rs, "LB": lb}, text))
        found[key] = times(of, "BREC")
    assert found["study"] == {}
    assert found["own"] == {"A": (91, "b-cell-recovery"), "P": (91, "b-cell-recovery")}


@pytest.mark.shows("RULE-P5.3")
def test_a_recovery_on_day_180_is_not_early(tmp_path):
    lb = [*cells("A", {28: 0, 179: 60, 190: 60}), *cells("B", {28: 0, 180: 60, 190: 60})]
    of = derived(tmp_path, ["A", "B"], RS=[*calls("A", CR=[28]), *calls("B", CR=[28])], LB=lb)
    assert {name: value for name, (value, _) in rates(of, "EARLY").items()} == {"A": "Y", "B": "N"}


@pytest.mark.shows("RULE-P5.2", "STUDY-endpoints.samples", "STUDY-endpoints.samples.test")
def test_loss_of_persistence(tmp_path):
    samples = {
        # below the limit before the peak is no loss; the first of two below it, 10 days apart
        "A": {7: "<50", 14: 5000, 28: 300, 60: "<50", 70: "<50"},
        # less than 7 days apart; then quantifiable again, then lost
        "B": {14: 5000, 60: "<50", 64: "<50", 90: 100, 180: "<50", 270: "<50"},
        "C": {14: 5000, 90: 200},
        "NEVER": {14: "<50", 28: "<50"},
        # a run of three samples that spans 7 days
        "RUN": {14: 5000, 60: "<50", 64: "<50", 67: "<50"},
    }
    lb = [row for name, by_day in samples.items() for row in cells(name, by_day, "CARTG", "copies/ug", LBLLOQ=50)]
    of = derived(tmp_path, list(samples), RS=[row for name in samples for row in calls(name, CR=[28, 60])], LB=lb)
    assert times(of, "PERS") == {
        "A": (61, "loss-of-persistence"),
        "B": (181, "loss-of-persistence"),
        "C": (91, "cutoff"),
        "RUN": (61, "loss-of-persistence"),
    }


def test_a_source_without_samples_gives_no_value(tmp_path):
    of = derived(tmp_path, ["A"], RS=calls("A", CR=[28, 60]))
    rows = of.adam.adtte.filter(pl.col("PARAMCD").is_in(["BREC", "PERS"]) & (pl.col("VARIANT") == ""))
    assert rows["AVAL"].to_list() == [None, None]
    assert all(rule.startswith("not recorded: no sample of ") for rule in rows["RULE"])


@pytest.mark.shows("RULE-P5.4", "STUDY-endpoints.antigen")
def test_relapse_by_antigen(tmp_path):
    names = ["NEG", "POS", "NONE", "DEAD", "HSCT", "FREE", "SHARE"]
    rs = [row for name in names for row in calls(name, CR=[28, 60])]
    rs += [row for name in ("NEG", "POS", "NONE", "SHARE") for row in calls(name, RELAPSE=[90])]
    lb = [
        lab("NEG", 92, "CD19STAT", "NEGATIVE", None, "BONE MARROW"),
        # the one before lymphodepletion says nothing of the relapse
        lab("NONE", -10, "CD19STAT", "POSITIVE", None, "BONE MARROW"),
        lab("POS", 90, "CD19STAT", "POSITIVE", None, "BONE MARROW"),
        # a share of cells alone is no status
        lab("SHARE", 90, "CD19", 97, "%", "BONE MARROW"),
    ]
    dm = [{"USUBJID": "DEAD", "AGE": 12, "AGEU": "YEARS", "DTHDTC": date(150), "DTHFL": "Y"}]
    of = derived(tmp_path, names, RS=rs, LB=lb, DM=dm, PR=[hsct("HSCT", 100)])
    assert times(of, "CIRNEG") == {
        "NEG": (63, "relapse, CD19-negative"),
        "POS": (63, "relapse, CD19-positive"),
        "NONE": (63, "relapse, CD19 unknown"),
        "SHARE": (63, "relapse, CD19 unknown"),
        "DEAD": (123, "death"),
        "HSCT": (73, "hsct"),
        "FREE": (33, "lost"),
    }
    for variant, interest in (("", {"NEG"}), ("antigen=positive", {"POS"}), ("antigen=unknown", {"NONE", "SHARE"})):
        codes = dict(of.adam.adtte.filter(PARAMCD="CIRNEG", VARIANT=variant).select("USUBJID", "CNSR").rows())
        assert {name for name, code in codes.items() if code == 0} == interest
        assert all(codes[name] >= 20 for name in {*names} - interest - {"FREE"})
    results = analyse(Study.load(tmp_path), of.adam, analyses=["incidence"])
    rows = results.filter((pl.col("endpoint") == "CIRNEG") & (pl.col("variant") == "") & (pl.col("statistic") == "events"))
    # of seven: one relapse without CD19, five that compete
    assert sorted(rows["value"].to_list()) == [1, 5]
