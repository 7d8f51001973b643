"""Lesions of lymphoma in templates, in a spreadsheet, and on dates that are not whole.

Origin of the expected values: `by hand`, from the rules of lymphoma (L2, L3, L9), written before the code ran.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial.endpoints import derive
from cartrial.sdtm import check_sdtm, read_sdtm
from helpers import ROOT, load_study, run_cli
from imaging_example import Scan, study_text, write_subjects

TEXT = (ROOT / "tests" / "truth" / "lymphoma" / "study.yaml").read_text(encoding="utf-8")
MAPPING = """
schema: 1
study-id: LYM
level: records
source: invented
table: {file: sheet.csv}
subject: A
rules:
  - {id: infusion, domain: EX, column: B, into: EXSTDTC, type: date, set: {EXTRT: AXI-CEL}}
  - id: node
    domain: TU
    test: TUMIDENT
    column: G
    set: {TULNKID: T01, TULOC: LYMPH NODE}
    map: {target: {TUORRES: target, TUSTRESC: TARGET}}
  - {id: before long, domain: TR, test: LDIAM, unit: cm, type: number, column: C, day: -7, set: {TRLNKID: T01}}
  - {id: before wide, domain: TR, test: LPERP, unit: cm, type: number, column: D, day: -7, set: {TRLNKID: T01}}
  - {id: after long, domain: TR, test: LDIAM, unit: cm, type: number, column: E, day: 28, set: {TRLNKID: T01}}
  - {id: after wide, domain: TR, test: LPERP, unit: cm, type: number, column: F, day: 28, set: {TRLNKID: T01}}
"""


@pytest.mark.shows("CMD-new")
def test_a_new_study_of_lymphoma_has_tables_of_lesions(tmp_path: Path) -> None:
    for source, expected in (("cnct19-nhl", True), ("inaticel", False)):
        code, _, error = run_cli("new", tmp_path / source, "--from", source)
        assert code == 0, error
        records = tmp_path / source / "templates" / "records"
        assert [(records / name).is_file() for name in ("tu.csv", "tr.csv")] == [expected, expected]
        assert ("## tr.csv" in (tmp_path / source / "templates" / "README.md").read_text(encoding="utf-8")) == expected


def test_a_lesion_without_a_whole_date_is_named(tmp_path: Path) -> None:
    """By hand: of a scan of February alone no day is known, so that it is no assessment; a finding says so, where nothing did."""
    data = write_subjects(tmp_path, {"01": [Scan(-7, {"A": (40, 30)}), Scan(28, {"A": (20, 15)})]})
    tr = pl.read_csv(data / "tr.csv", infer_schema=False)
    tr.with_columns(pl.col("TRDTC").str.replace("2022-01-31", "2022-01")).write_csv(data / "tr.csv")
    study, source = load_study(tmp_path, study_text(TEXT)), read_sdtm(data)
    found = check_sdtm(study, source).filter(DOMAIN="TR")["MESSAGE"].to_list()
    assert any("The date 2022-01 is partial; an assessment without a full date is not usable." in message for message in found)
    assert derive(study, source).adresp.filter(pl.col("CARDAY") > 0).is_empty()


def test_lesions_of_a_spreadsheet_by_hand(tmp_path: Path) -> None:
    """4.0 x 3.0 cm, then 2.0 x 1.5 cm: 1200 and 300 mm^2, a partial response; 4.0 x 3.0 cm again: stable."""
    rows = ["Subject,Infused,L0,W0,L1,W1,Kind", "01,2022-01-03,4.0,3.0,2.0,1.5,target", "02,2022-01-03,4.0,3.0,4.0,3.0,target"]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "sheet.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    adresp = derive(load_study(tmp_path, study_text(TEXT)), read_sdtm(folder)).adresp.filter(READER="INV")
    assert adresp.filter(pl.col("CARDAY") > 0).select("USUBJID", "CARDAY", "AVALC").rows() == [("01", 28, "PR"), ("02", 28, "SD")]
