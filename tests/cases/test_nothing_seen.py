"""What is not known where nobody could have been counted: no pair of reads, no population, no limit, no call that is evaluable (A3, A8).

Expected values: by hand from rules, paragraphs 3, 4, A3 and A8, written before the code ran.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cartrial import Study, analyse, derive, read_sdtm
from cartrial.endpoints import Adam
from cases.case import value
from cases.test_absent import IRC, page, subjects
from cases.test_absent import of as derived_of

TRIAL = "inaticel-pivotal"
INATICEL = Study.load("inaticel")


def read(to: Path, *reads: tuple[str, str, str, str], n: int = 2) -> Adam:
    """Derive subjects of whom these reads are recorded: subject, reader (`INV` or RSEVALID), call, date."""
    folder = subjects(n=n, to=to)
    rows = [
        f"{TRIAL},{who},{i},OVRLRESP,{call},{'INVESTIGATOR,' if by == 'INV' else f'{IRC},{by}'},{date}\n"
        for i, (who, by, call, date) in enumerate(reads)
    ]
    (folder / "rs.csv").write_text("STUDYID,USUBJID,RSSEQ,RSTESTCD,RSSTRESC,RSEVAL,RSEVALID,RSDTC\n" + "".join(rows))
    return derive(INATICEL, read_sdtm(folder))


def evaluable(to: Path) -> Path:
    """Write the study with ORR3 among the evaluable."""
    text = (Path(__file__).parents[2] / "src/cartrial/study/builtin/inaticel.yaml").read_text(encoding="utf-8")
    to.mkdir(parents=True, exist_ok=True)
    (to / "study.yaml").write_text(text.replace("population: infused", "population: evaluable", 1), encoding="utf-8")
    return to / "study.yaml"


MARCH, APRIL = "2022-03-20", "2022-04-01"


@pytest.mark.parametrize(
    "reads",
    [
        (("S1", "READER 1", "CR", APRIL), ("S2", "READER 2", "CR", APRIL)),  # each read other subjects
        (("S1", "READER 1", "CR", MARCH), ("S1", "READER 2", "CR", APRIL)),  # 12 days apart: no pair
        (("S1", "READER 1", "CR", APRIL), ("S1", "READER 2", "NR", APRIL)),  # differ, and nobody has decided
    ],
)
def test_a_committee_that_never_made_a_call_is_not_recorded(tmp_path: Path, reads: tuple[tuple[str, str, str, str], ...]) -> None:
    adam = read(tmp_path / "data", *reads)
    row = value(adam, "ORR3", subject="S1")
    assert (row["AVAL"], row["REASON"]) == (None, "not-recorded")
    assert value(adam, "EFS", subject="S1")["AVAL"] is None
    assert any(note.message.startswith("No call by IRC was made: every reading is pending") for note in adam.notices)


def test_what_is_pending_is_no_call_of_that_subject(tmp_path: Path) -> None:
    """4, A3: S1 by both readers; S2 by one reader and the site: pending, so not read by the committee, and a non-responder."""
    both = [("S1", f"READER {i}", "CR", APRIL) for i in (1, 2)]
    adam = read(tmp_path / "data", *both, ("S2", "READER 1", "CR", APRIL), ("S2", "INV", "CR", APRIL))
    assert [value(adam, "ORR3", subject=name)["AVAL"] for name in ("S1", "S2")] == [1, 0]
    assert "not read by IRC" in str(value(adam, "ORR3", subject="S2")["FLAGS"])


def test_a_pair_that_an_adjudicator_decides_is_a_call(tmp_path: Path) -> None:
    reads = [("S1", "READER 1", "CR", APRIL), ("S1", "READER 2", "NR", APRIL), ("S1", "ADJUDICATOR", "NR", APRIL)]
    assert value(read(tmp_path / "data", *reads), "ORR3", subject="S1")["AVAL"] == 0


@pytest.mark.slow
@pytest.mark.shows("RULE-2.3")
def test_nobody_is_known_to_be_evaluable(tmp_path: Path) -> None:
    """2, A3: without a marrow or a call before lymphodepletion who is evaluable is not known: no estimate, and one warning."""
    folder = subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, to=tmp_path / "data")
    (folder / "fa.csv").write_text(
        f"STUDYID,USUBJID,FASEQ,FATESTCD,FAOBJ,FASTRESC,FADTC\n{TRIAL},S1,1,OCCUR,EXTRAMEDULLARY DISEASE,ABSENT,2021-12-20\n"
    )
    study = evaluable(tmp_path)
    found = derived_of(folder, study)
    assert value(found.adam, "ORR3", subject="S1")["REASON"] == "not-recorded"
    assert found.adam.adsl["EVALFL"].to_list() == [None, None]
    rows = analyse(Study.load(study), found.adam, found.records)
    main = rows.filter(endpoint="ORR3", variant="", by="").filter(pl.col("statistic").is_in(["n", "N", "rate"]))
    assert (main["value"].null_count(), set(main["text"])) == (3, {"not recorded"})
    assert rows.filter(analysis="flow", endpoint="evaluable")["text"].to_list() == ["not recorded"]
    text = page(found, tmp_path / "out", Study.load(study))
    assert "who is evaluable is not known" in text[: text.index('<section id="study">')]


LB = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESC,LBSTRESN,LBSTRESU,LBLOD,LBDTC\n"


@pytest.mark.parametrize(("marrow", "expected"), [((60,), {"S1": 1}), ((60, 1), {"S1": 1}), ((1, 1), {})])
@pytest.mark.shows("RULE-2.3", "STUDY-endpoints.population")
def test_evaluable_by_the_marrow(tmp_path: Path, marrow: tuple[int, ...], expected: dict[str, int]) -> None:
    """2: marrow of 5 % or more is disease. Known and 1 %: not evaluable, and where that is so of all, nobody is, which is said."""
    folder = subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, to=tmp_path / "data")
    rows = [f"{TRIAL},S{i},1,BLAST,BONE MARROW,{x},{x},%,,2021-12-20\n" for i, x in enumerate(marrow, 1)]
    (folder / "lb.csv").write_text(LB + "".join(rows))
    adam = derive(Study.load(evaluable(tmp_path)), read_sdtm(folder))
    main = adam.adrs.filter(PARAMCD="ORR3", VARIANT="")
    assert dict(main.select("USUBJID", "AVAL").iter_rows()) == expected
    said = [note.message for note in adam.notices if note.rule == "population-empty"]
    assert any("so ORR3 is not estimated" in message for message in said) == (not expected)


@pytest.mark.parametrize(
    ("samples", "expected", "warned"),
    [
        ((("NEGATIVE", ""), ("NEGATIVE", "")), None, "not-recorded"),
        ((("POSITIVE", ""), ("NEGATIVE", "")), None, "not-recorded"),
        ((("NEGATIVE", "0.00001"), ("NEGATIVE", "")), [1, 0], "mrd-not-evaluable"),
        ((("NEGATIVE", "0.001"), ("NEGATIVE", "")), [0, 0], "mrd-not-evaluable"),
        ((("POSITIVE", ""), ("POSITIVE", "")), [0, 0], ""),
        ((("<0.0001", ""), ("<0.00001", "")), [1, 1], ""),
    ],
)
def test_negative_without_any_limit(tmp_path: Path, samples: tuple[tuple[str, str], ...], expected: list[int] | None, warned: str) -> None:
    """3, A3, A8: negative by an unknown limit is not evaluable, a non-responder; where every negative is so, it is not recorded."""
    folder = subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, to=tmp_path / "data")
    rows = [f"{TRIAL},S{i},1,MRD,BONE MARROW,{said},,fraction,{lod},2022-04-01\n" for i, (said, lod) in enumerate(samples, 1)]
    (folder / "lb.csv").write_text(LB + "".join(rows))
    adam = derive(INATICEL, read_sdtm(folder))
    found = [value(adam, "MRDN3", subject=name)["AVAL"] for name in ("S1", "S2")]
    assert found == (expected or [None, None])
    told = [note.rule for note in adam.notices if note.severity == "warning" and note.domain == "LB" and "MRDN3" in note.endpoints]
    assert told == ([warned] if warned else [])


@pytest.mark.slow
def test_a_reader_who_could_evaluate_nothing_is_told_first(tmp_path: Path) -> None:
    """3, 4: NE is a call, so nobody responded; that no response could have been seen is a warning at the head of the page."""
    found = derived_of(subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, call="NE", to=tmp_path / "data"))
    assert [value(found.adam, "ORR3", subject=name)["AVAL"] for name in ("S1", "S2")] == [0, 0]
    text = page(found, tmp_path / "out")
    assert "Every call by IRC after the infusion is NE" in text[: text.index('<section id="study">')]
