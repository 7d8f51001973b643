"""Which call speaks where a reader called PET and CT: rules of lymphoma, paragraph L4.

Origin of the expected values: `published`, the overall call that the authors of pharmaversesdtm 1.5.0.9001 (Apache-2.0) typed beside PET
and CT at 35 visits, and how many of them each reading of a missing PET meets (35, 34, 30); `by hand` from the rules; `independent`, a
second implementation that says the rule with lists.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cartrial.endpoints import Adam, derive
from cartrial.response.modality_kernel import CARRY, CT_CALL, CT_SET, NOT_EVALUABLE, Imaging, Spoken, assess_modality
from cartrial.sdtm import Source, check_sdtm, read_sdtm
from cartrial.sdtm.records.codes import CT, OVERALL, PET
from cartrial.study.criteria.codes import RESPONSES
from cartrial.study.criteria.lymphoma import LYMPHOMA
from helpers import data_path, load_study, needs_data
from properties import count

FOLDER = "lymphoma/pharmaversesdtm"
STUDY = """\
schema: 1
rules: 2
study: {{id: CDISCPILOT01, title: Pilot, cutoff: 2015-12-31}}
product: {{name: product, type: autologous, exposure: [PRODUCT]}}
disease:
  name: lymphoma
  criteria: lugano-2014
  options: {{missing-pet: {missing}}}
  visits:
    - {{name: week 8, day: 56, minus: 14, plus: 14}}
    - {{name: week 16, day: 112, minus: 14, plus: 14}}
    - {{name: week 24, day: 168, minus: 14, plus: 14}}
readers: {{primary: INV}}
endpoints:
  - id: BOR
    label: Best overall response
    type: best-response
    population: infused
    strategies: {{hsct: composite, new-therapy: composite}}
"""


def pilot(folder: Path, missing: str) -> tuple[Adam, Source, pl.DataFrame]:
    """Derive the pilot's calls by PET and CT; day 0 is what RSDTC and RSDY say (a study day has no 0)."""
    rs = pl.read_csv(data_path(f"{FOLDER}/rs_onco_lymphoma.csv"), infer_schema=False, null_values="NA")
    dated = rs.drop_nulls(["RSDTC", "RSDY"]).unique("USUBJID", keep="first", maintain_order=True)
    starts = {
        who: dt.date.fromisoformat(date) - dt.timedelta(days=int(day) - 1)
        for who, date, day in dated.select("USUBJID", "RSDTC", "RSDY").rows()
    }
    subjects = rs["USUBJID"].unique(maintain_order=True).to_list()
    data = folder / "data"
    data.mkdir()
    rs.write_csv(data / "rs.csv")
    keys = {"STUDYID": "CDISCPILOT01", "USUBJID": subjects}
    pl.DataFrame({**keys, "DOMAIN": "DM"}).write_csv(data / "dm.csv")
    days = [starts.get(who, dt.date(2014, 1, 1)).isoformat() for who in subjects]
    pl.DataFrame({**keys, "DOMAIN": "EX", "EXSEQ": 1, "EXTRT": "PRODUCT", "EXSTDTC": days}).write_csv(data / "ex.csv")
    study, source = load_study(folder, STUDY.format(missing=missing)), read_sdtm(data)
    return derive(study, source), source, check_sdtm(study, source)


@needs_data(FOLDER)
@pytest.mark.parametrize(("missing", "met"), [("carry", 35), ("ct", 34), ("ne", 30)])
@pytest.mark.shows("RULE-L4.2")
def test_the_overall_call_of_35_visits(missing: str, met: int, tmp_path: Path) -> None:
    adam, _, findings = pilot(tmp_path, missing)
    assert "stop" not in findings["SEVERITY"].to_list()
    rs = pl.read_csv(data_path(f"{FOLDER}/rs_onco_lymphoma.csv"), infer_schema=False, null_values="NA")
    expected = pl.read_csv(data_path(f"{FOLDER}/overall.csv"), infer_schema=False, null_values="NA")
    dates = rs.drop_nulls("RSDTC").select("USUBJID", "VISIT", pl.col("RSDTC").str.to_date().alias("ADT")).unique()
    found = adam.adresp.filter(READER="INV").select("USUBJID", "ADT", "AVALC")
    assert found.select("USUBJID", "ADT").is_duplicated().any() is False
    visits = expected.join(dates, on=["USUBJID", "VISIT"], how="left").join(found, on=["USUBJID", "ADT"], how="left")
    # one visit was not done and has no date: no assessment, which the authors call ND
    called = pl.col("AVALC").fill_null("ND")
    assert visits.height == 35 and visits.filter(called == pl.col("OVERALL")).height == met


@needs_data(FOLDER)
def test_best_responses_of_the_14(tmp_path: Path) -> None:
    """By hand from the calls: the best status until the first PD."""
    adam, _, _ = pilot(tmp_path, "carry")
    found = {who[-4:]: status for who, status in adam.adrs.filter(PARAMCD="BOR").select("USUBJID", "AVALC").rows()}
    expected = {"CR": ("1015", "1118", "1311"), "PR": ("1028", "1130", "1148", "1315"), "SD": ("1034", "1097", "1133", "1153")}
    expected |= {"PD": ("1115", "1275"), "NE": ("1023",)}
    assert found == {who: status for status, group in expected.items() for who in group}


Series = list[tuple[int, int, str]]
"""Calls of one reader: day, modality, status."""
MISSING = {"carry": CARRY, "ct": CT_CALL, "ne": NOT_EVALUABLE, "": CT_SET}


def spoken(series: Series, missing: str) -> list[tuple[int, str]]:
    """What the kernel says of one reader's calls, by day."""
    day, modality = (np.array([call[i] for call in series], np.int64) for i in (0, 1))
    status = np.array([RESPONSES.index(call[2]) for call in series], np.int64)
    imaging = Imaging(np.array([0, len(series)], np.int64), day, status, modality, np.zeros(1, np.int64))
    rows = len(series)
    out = Spoken(np.zeros(rows, bool), status.copy(), np.zeros(rows, np.int64), np.full(rows, -1, np.int64))
    assess_modality.function(imaging, LYMPHOMA.roles, MISSING[missing], out)
    return [(int(day[i]), RESPONSES[out.status[i]]) for i in range(rows) if out.speaks[i]]


HAND = [
    # PET decides, whatever CT says; the visit's date is that of PET
    ([(28, PET, "CR"), (30, CT, "PR")], "carry", [(28, "CR")]),
    ([(28, PET, "CR"), (30, CT, "PD")], "carry", [(28, "CR")]),
    # CT alone: progression is progression; else the last PET call, the CT call, or NE
    ([(28, PET, "PR"), (90, CT, "PD")], "carry", [(28, "PR"), (90, "PD")]),
    ([(28, PET, "CR"), (90, CT, "PR")], "carry", [(28, "CR"), (90, "CR")]),
    ([(28, PET, "PR"), (90, CT, "CR")], "carry", [(28, "PR"), (90, "PR")]),
    ([(28, PET, "CR"), (90, CT, "PR")], "ct", [(28, "CR"), (90, "PR")]),
    ([(28, PET, "CR"), (90, CT, "PR")], "ne", [(28, "CR"), (90, "NE")]),
    ([(28, PET, "CR"), (90, CT, "NE")], "carry", [(28, "CR"), (90, "NE")]),
    # before any PET the CT call; a PET before the infusion is none that stands after it
    ([(28, CT, "PR"), (90, PET, "CR")], "carry", [(28, "PR"), (90, "CR")]),
    ([(-7, PET, "PD"), (28, CT, "PR")], "carry", [(-7, "PD"), (28, "PR")]),
    # a PET that is not evaluable leaves its visit to CT
    ([(28, PET, "NE"), (28, CT, "SD")], "carry", [(28, "SD")]),
    ([(28, PET, "NE")], "carry", [(28, "NE")]),
    # 14 days apart are one visit, 15 are two
    ([(28, PET, "CR"), (42, CT, "PR")], "carry", [(28, "CR")]),
    ([(28, PET, "CR"), (43, CT, "PD")], "carry", [(28, "CR"), (43, "PD")]),
    # by criteria of CT alone no PET is read
    ([(28, PET, "CR"), (28, CT, "PR"), (90, PET, "CR")], "", [(28, "PR")]),
    # an overall call stands over those by PET and CT of its visit
    ([(28, OVERALL, "SD"), (28, PET, "PR"), (30, CT, "PR"), (90, PET, "CR")], "carry", [(28, "SD"), (90, "CR")]),
]


@pytest.mark.parametrize(("series", "missing", "expected"), HAND)
@pytest.mark.shows("RULE-L2.1", "RULE-L4.2", "STUDY-disease.options-of-calls.missing-pet")
def test_which_call_speaks_by_hand(series: Series, missing: str, expected: list[tuple[int, str]]) -> None:
    assert spoken(series, missing) == expected


def slow(series: Series, missing: str) -> list[tuple[int, str]]:
    """The same rule, said with lists."""
    overall = [day for day, modality, _ in series if modality == OVERALL]
    pairs = sorted(
        (abs(pet[0] - ct[0]), i, j)
        for i, pet in enumerate(series)
        for j, ct in enumerate(series)
        if pet[1] == PET and ct[1] == CT and abs(pet[0] - ct[0]) <= 14
    )
    partner: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in partner and j not in partner:
            partner[i], partner[j] = j, i
    said = []
    for i, (day, modality, status) in enumerate(series):
        if modality == OVERALL:
            said.append((day, status))
            continue
        if any(abs(day - other) <= 14 for other in overall):
            continue
        beside = series[partner[i]][2] if i in partner else None
        if missing == "":
            if modality == CT:
                said.append((day, status))
        elif modality == PET:
            if status != "NE" or beside is None:
                said.append((day, status))
        elif beside in (None, "NE"):
            # in the order of the records of one day a PET stands before its CT
            earlier = [call for call in series[:i] if call[1] == PET and call[2] != "NE" and (call[0] > 0) == (day > 0)]
            if status in ("PD", "NE") or missing == "ct" or (missing == "carry" and not earlier):
                said.append((day, status))
            else:
                said.append((day, earlier[-1][2] if missing == "carry" else "NE"))
    return said


@pytest.mark.shows("RULE-L4.2")
def test_the_kernel_says_what_a_slow_second_one_says() -> None:
    """`independent`: random series of up to nine calls, with visits that are close together."""
    draw = random.Random(14)
    for _ in range(count(6_000, quick=2_000)):
        days = sorted(draw.sample(range(-30, 200), draw.randint(1, 9)))
        series = [(day, draw.choice((PET, PET, CT, CT, CT, OVERALL)), draw.choice(("CR", "PR", "SD", "PD", "NE"))) for day in days]
        missing = draw.choice(list(MISSING))
        assert spoken(series, missing) == slow(series, missing), (series, missing)
