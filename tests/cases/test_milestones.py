"""Milestones: Y of what is recorded or follows from what is recorded, N of what was asked, blank of what a trial records of nobody.

Origin of the expected values: `by hand`, from paragraph 2 and amendments A3 and A5 of the rules, written before the code was run.
"""

from __future__ import annotations

import polars as pl
import pytest

from cartrial.analysis.tables.flow import flow_rows
from cartrial.endpoints import derive
from cartrial.sdtm import Source
from cartrial.study import Study

FLAGS = ("CONSFL", "ENRLFL", "LEUKFL", "RELFL", "LDFL", "INFFL")


def milestones(
    consent: dict[str, str], enrolled: tuple[str, ...] = (), leukapheresed: tuple[str, ...] = ()
) -> tuple[dict[str, str], set[str]]:
    """Flags (Y, N, - for blank) of A, infused, and of B and C, who are not; and the milestones that the flow shows."""
    who = [{"STUDYID": "S", "USUBJID": name, "RFICDTC": consent.get(name)} for name in "ABC"]
    ds = [{"STUDYID": "S", "USUBJID": name, "DSSEQ": 1, "DSDECOD": "ENROLLED", "DSSTDTC": "2021-11-25"} for name in enrolled]
    pr = [{"STUDYID": "S", "USUBJID": name, "PRSEQ": 1, "PRTRT": "LEUKAPHERESIS", "PRSTDTC": "2021-12-01"} for name in leukapheresed]
    ex = [{"STUDYID": "S", "USUBJID": "A", "EXSEQ": 1, "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}]
    tables = {"DM": pl.DataFrame(who, schema_overrides={"RFICDTC": pl.String}), "EX": pl.DataFrame(ex)}
    tables |= {name: pl.DataFrame(rows) for name, rows in (("DS", ds), ("PR", pr)) if rows}
    source = Source({name: table.with_row_index("ROW", 2).cast({"ROW": pl.Int64}) for name, table in tables.items()})
    adsl = derive(Study.load("inaticel"), source).adsl.sort("USUBJID")
    flags = {row["USUBJID"]: "".join(row[flag] or "-" for flag in FLAGS) for row in adsl.iter_rows(named=True)}
    rows = pl.concat(flow_rows(adsl), how="diagonal_relaxed").filter(pl.col("endpoint") != "status")
    return flags, set(rows["endpoint"])


@pytest.mark.shows("RULE-2.1")
def test_a_consent_that_is_recorded_of_nobody_is_not_counted() -> None:
    """A is infused: enrolled and infused, and nothing is known of consents; the flow does not begin with `1 consented`."""
    flags, shown = milestones({})
    assert flags == {"A": "-Y---Y", "B": "-N---N", "C": "-N---N"}
    assert "consented" not in shown and "leukapheresed" not in shown and "infused" in shown


@pytest.mark.shows("RULE-2.1")
def test_a_consent_follows_from_an_infusion_where_consents_are_recorded() -> None:
    """B's consent is recorded; A must have consented before the infusion; nothing says so of C."""
    flags, shown = milestones({"B": "2021-11-20"})
    assert flags == {"A": "YY---Y", "B": "YN---N", "C": "NN---N"}
    assert "consented" in shown


@pytest.mark.shows("RULE-2.1")
def test_what_is_recorded_of_one_is_n_of_another() -> None:
    """B was leukapheresed, hence enrolled and, consents being recorded, consented; C has a consent alone."""
    flags, _ = milestones({"C": "2021-11"}, leukapheresed=("B",))
    assert flags == {"A": "YYN--Y", "B": "YYY--N", "C": "YNN--N"}


def test_a_consent_after_the_cutoff_is_none() -> None:
    """Paragraph 1: no record after the cutoff is used."""
    study = Study.load("inaticel")
    assert study.study.cutoff is not None
    after = study.study.cutoff.replace(year=study.study.cutoff.year + 1).isoformat()
    flags, shown = milestones({"B": after})
    assert flags["B"] == "-N---N" and "consented" not in shown
