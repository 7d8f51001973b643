"""What is summarised stands in one unit: a median of milligrams and micromoles is no number.

Expected values: by hand. Rules, paragraph 7 (a characteristic is summarised) and A3.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from cartrial import Study, check_sdtm, read_sdtm
from cartrial.study import builtin_studies
from cases.test_absent import IRC, subjects

CHARACTERISTICS = [
    {"id": "CREA", "label": "Creatinine", "from": {"domain": "LB", "testcd": "CREAT", "specimen": "BLOOD"}},
    {"id": "HEIGHT", "label": "Height", "from": {"domain": "VS", "testcd": "HEIGHT"}},
    {"id": "DOSE", "label": "Dose", "from": {"domain": "EX", "variable": "EXDOSE"}},
]
LB = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC\n"
VS = "STUDYID,USUBJID,VSSEQ,VSTESTCD,VSSTRESC,VSSTRESN,VSSTRESU,VSDTC\n"
EX = "STUDYID,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXSTDTC\n"


def several(tmp_path: Path, domain: str, header: str, *rows: str) -> list[str]:
    """Return the variables of which a check says that they stand in several units."""
    study = yaml.safe_load(builtin_studies()["inaticel"].read_text(encoding="utf-8"))
    study |= {"baseline": CHARACTERISTICS, "subgroups": []}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    folder = subjects(f"S1:{IRC}", n=2, to=tmp_path / "data")
    text = header + "".join(f"inaticel-pivotal,{row}\n" for row in rows)
    (folder / f"{domain}.csv").write_text(text, encoding="utf-8")
    found = check_sdtm(Study.load(tmp_path / "study.yaml"), read_sdtm(folder)).filter(pl.col("RULE") == "unit-mixed")
    assert set(found["SEVERITY"]) <= {"stop"}
    return found["VARIABLE"].to_list()


@pytest.mark.parametrize(
    ("domain", "header", "rows", "variable"),
    [
        ("lb", LB, ["S1,1,CREAT,BLOOD,0.9,0.9,mg/dL,2021-12-20", "S2,1,CREAT,BLOOD,80,80,umol/L,2021-12-20"], "LBSTRESU"),
        ("lb", LB, ["S1,1,CREAT,BLOOD,0.9,0.9,mg/dL,2021-12-20", "S2,1,CREAT,BLOOD,80,80,umol/L,2022-02-20"], None),  # after treatment
        ("lb", LB, ["S1,1,UREA,BLOOD,9,9,mg/dL,2021-12-20", "S2,1,UREA,BLOOD,80,80,mmol/L,2021-12-20"], None),  # asked for by nobody
        ("vs", VS, ["S1,1,HEIGHT,170,170,cm,2021-12-20", "S2,1,HEIGHT,70,70,in,2021-12-20"], "VSSTRESU"),
        ("vs", VS, ["S1,1,HEIGHT,170,170,cm,2021-12-20", "S2,1,HEIGHT,180,180,CM,2021-12-20"], None),
        ("ex", EX, ["S1,1,CNCT19,50,10^6 cells,2022-01-01", "S2,1,CNCT19,1.2,10^6 cells/kg,2022-01-01"], "EXDOSU"),
        ("ex", EX, ["S1,1,CNCT19,50,10^6 cells,2022-01-01", "S2,1,CNCT19,40,10^6 Cells,2022-01-01"], None),
    ],
)
def test_a_characteristic_in_several_units_stops(tmp_path: Path, domain: str, header: str, rows: list[str], variable: str | None) -> None:
    assert several(tmp_path, domain, header, *rows) == ([variable] if variable else [])
