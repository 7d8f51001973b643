"""What is said where a source lacks what an endpoint or a table needs? It is named, and never becomes 0 %.

Expected values: by hand from rules, paragraphs A3, A4 and A5, written before the code ran.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from cartrial import Study, analyse, read_sdtm
from cartrial.endpoints import derive
from cartrial.report import write_report
from cartrial.run import Derived, derive_data, load_data
from cartrial.virtual.trial import simulate_study
from cases.case import case_path, checked, derived, value

INATICEL = Study.load("inaticel")


def copied(case: str, folder: Path, **changes: object) -> Path:
    """Copy a folder of CSV files; a change gives a domain's new text, or None to leave it out."""
    shutil.copytree(case_path(case), folder, dirs_exist_ok=True)
    for name, text in changes.items():
        path = folder / f"{name}.csv"
        path.unlink(missing_ok=True) if text is None else path.write_text(str(text), encoding="utf-8")
    return folder


def of(folder: Path, study: str | Path = "inaticel") -> Derived:
    return derive_data(load_data(study, folder))


def page(found: Derived, folder: Path, study: Study = INATICEL) -> str:
    write_report(study, None, found.adam, analyse(study, found.adam, found.records), found.findings, folder)
    return (folder / "report.html").read_text(encoding="utf-8")


def subjects(*calls: str, reader: str = "INVESTIGATOR", n: int = 1, to: Path, call: str = "CR") -> Path:
    """Write `n` subjects infused on 2022-01-01 and alive on 2022-09-18; `calls` name those that have a call of a reader on day 90."""
    to.mkdir(parents=True, exist_ok=True)
    names = [f"S{i + 1}" for i in range(n)]
    tables = {
        "dm": [["STUDYID", "USUBJID", "SEX", "RFICDTC"], *(["inaticel-pivotal", name, "M", "2021-11-22"] for name in names)],
        "ex": [
            ["STUDYID", "USUBJID", "EXSEQ", "EXTRT", "EXSTDTC"],
            *(["inaticel-pivotal", name, "1", "CNCT19", "2022-01-01"] for name in names),
        ],
        "ss": [
            ["STUDYID", "USUBJID", "SSSEQ", "SSTESTCD", "SSSTRESC", "SSDTC"],
            *(["inaticel-pivotal", name, "1", "SURVSTAT", "ALIVE", "2022-09-18"] for name in names),
        ],
        "rs": [
            ["STUDYID", "USUBJID", "RSSEQ", "RSTESTCD", "RSSTRESC", "RSEVAL", "RSDTC"],
            *(["inaticel-pivotal", *said.split(":")[:1], "1", "OVRLRESP", call, said.split(":")[1], "2022-04-01"] for said in calls),
        ],
    }
    for name, rows in tables.items():
        (to / f"{name}.csv").write_text("".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    return to


IRC, INV = "INDEPENDENT ASSESSOR", "INVESTIGATOR"


# a reader without a call


@pytest.mark.slow
@pytest.mark.shows("RULE-7.12")
def test_a_reader_without_a_call_is_not_recorded() -> None:
    found = derived("data/inv-only")
    for endpoint in ("ORR3", "ORRW3", "CRW3", "ORR28", "BORR", "MRDN3"):
        row = value(found.adam, endpoint)
        assert (row["AVAL"], row["AVALC"], row["REASON"]) == (None, None, "not-recorded"), endpoint
    assert value(found.adam, "ORR3", "reader=INV")["AVAL"] == 1
    assert value(found.adam, "EFS")["AVAL"] is None and value(found.adam, "EFS")["CNSR"] is None
    assert value(found.adam, "OS")["AVAL"] == 261
    results = analyse(INATICEL, found.adam, found.records)
    rate = results.filter(endpoint="ORR3", variant="", by="").filter(pl.col("statistic").is_in(["n", "rate", "lower", "upper"]))
    assert rate["value"].null_count() == rate.height == 4 and set(rate["text"]) == {"not recorded"}
    assert results.filter(endpoint="ORR3", variant="reader=INV", by="", statistic="rate")["value"].item() == 1
    flow = results.filter(pl.col("endpoint").is_in(["assessed", "evaluable", "responders"]), analysis="flow")
    assert flow["value"].null_count() == 3


@pytest.mark.slow
@pytest.mark.shows("RULE-7.12")
def test_it_is_one_warning_of_check_and_stands_at_the_head_of_the_page(tmp_path: Path) -> None:
    code, said = checked("data/inv-only")
    assert code == 0 and said.count("No call by IRC in the source") == 1
    text = page(derived("data/inv-only"), tmp_path / "out")
    assert text.index("No call by IRC in the source") < text.index('<section id="study">')
    primary = text[text.index('<section id="primary">') : text.index('<section id="response">')]
    assert "not recorded" in primary and "0.0" not in primary


def test_no_rs_at_all_is_not_recorded_for_any_reader(tmp_path: Path) -> None:
    found = of(copied("data/inv-only", tmp_path / "data", rs=None))
    assert {row["REASON"] for row in found.adam.adrs.iter_rows(named=True)} == {"not-recorded"}
    assert "(RS is absent)" in next(message for message in found.findings["MESSAGE"] if "No call by IRC" in message)


@pytest.mark.shows("RULE-7.12")
def test_an_empty_file_is_told_from_an_absent_one(tmp_path: Path) -> None:
    head = "STUDYID,USUBJID,RSSEQ,RSTESTCD,RSSTRESC,RSEVAL,RSDTC\n"
    found = of(copied("data/inv-only", tmp_path / "data", rs=head))
    assert value(found.adam, "ORR3")["AVAL"] is None
    assert any("No call by IRC in the source (RS has no record)" in message for message in found.findings["MESSAGE"])


def test_half_a_committee_is_none(tmp_path: Path) -> None:
    """One reader alone can agree with nobody: the committee has no call."""
    folder = subjects("S1:INDEPENDENT ASSESSOR", n=1, to=tmp_path / "data")
    rs = (folder / "rs.csv").read_text().splitlines()
    (folder / "rs.csv").write_text(f"{rs[0]},RSEVALID\n{rs[1]},READER 1\n")
    assert value(of(folder).adam, "ORR3")["REASON"] == "not-recorded"


def test_calls_before_the_infusion_alone_read_no_response(tmp_path: Path) -> None:
    folder = subjects(f"S1:{IRC}", n=1, to=tmp_path / "data", call="NR")
    rs = folder / "rs.csv"
    rs.write_text(rs.read_text().replace("2022-04-01", "2021-12-20"))
    assert value(of(folder).adam, "ORR3")["REASON"] == "not-recorded"


@pytest.mark.slow
def test_nobody_could_have_been_read(tmp_path: Path) -> None:
    """Infused ten days before the cutoff, or dead before the first visit: waiting and a death, not absence."""
    folder = subjects(n=1, to=tmp_path / "late")
    for name in ("ex", "ss", "dm"):
        path = folder / f"{name}.csv"
        path.write_text(path.read_text().replace("2022-01-01", "2022-09-17").replace("2021-11-22", "2022-08-01"))
    assert value(of(folder).adam, "ORR3")["AVALC"] == "NYA"
    folder = subjects(n=1, to=tmp_path / "dead")
    (folder / "ss.csv").write_text((folder / "ss.csv").read_text().replace("ALIVE,2022-09-18", "DEAD,2022-01-21"))
    assert value(of(folder).adam, "ORR3")["REASON"] == "death"


@pytest.mark.slow
def test_calls_that_could_not_be_used_record_no_reader(tmp_path: Path) -> None:
    """By hand from A3: each call by a month alone, after the cutoff, or of a subject who was never infused; S1 could have been read."""
    month = copied("data/cmoccur-n", tmp_path / "month")
    rs = (month / "rs.csv").read_text()
    (month / "rs.csv").write_text(rs.replace("2022-01-29", "2022-01").replace("2022-04-01", "2022-04").replace("2022-06-30", "2022-06"))
    late = subjects(f"S1:{IRC}", to=tmp_path / "late")
    (late / "rs.csv").write_text((late / "rs.csv").read_text().replace("2022-04-01", "2022-12-01"))
    never = subjects(f"S2:{IRC}", n=2, to=tmp_path / "never")
    (never / "ex.csv").write_text("".join((never / "ex.csv").read_text().splitlines(keepends=True)[:2]))
    for folder in (month, late, never):
        found = of(folder)
        row = value(found.adam, "ORR3", subject="S1")
        assert (row["AVAL"], row["REASON"]) == (None, "not-recorded"), folder.name
        rate = analyse(INATICEL, found.adam, found.records).filter(endpoint="ORR3", variant="", by="", statistic="rate")
        assert rate.select("value", "text").row(0) == (None, "not recorded")
        # what is after the cutoff is as if it were not there, in words too
        unusable = "with a whole date after day 0 and up to the cutoff, of an infused subject"
        said = f"No call by IRC {'in the source' if folder is late else unusable}: "
        assert found.findings["MESSAGE"].str.starts_with(said).sum() == 1
        text = page(found, tmp_path / f"page-{folder.name}")
        assert said in text[: text.index('<section id="study">')]


def test_one_whole_date_records_the_reader(tmp_path: Path) -> None:
    """By hand from A3: of two subjects one has a call that could be used, so the other is a non-responder and no absence."""
    folder = subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, to=tmp_path / "data")
    rs = (folder / "rs.csv").read_text()
    (folder / "rs.csv").write_text("2022-04-01".join(rs.split("2022-04-01")[:2]) + "2022-04" + rs.split("2022-04-01")[2])
    found = of(folder)
    assert [value(found.adam, "ORR3", subject=name)["AVAL"] for name in ("S1", "S2")] == [1, 0]


def test_an_accepted_read_is_a_call_of_the_committee(tmp_path: Path) -> None:
    """By hand from A2: the accepted rows are the committee's calls, also where one reader alone reads."""
    folder = subjects("S1:INDEPENDENT ASSESSOR", n=1, to=tmp_path / "data")
    rs = (folder / "rs.csv").read_text().splitlines()
    (folder / "rs.csv").write_text(f"{rs[0]},RSEVALID,RSACPTFL\n{rs[1]},READER 1,Y\n")
    assert value(of(folder).adam, "ORR3")["AVAL"] == 1


# some are missing


@pytest.mark.slow
@pytest.mark.shows("RULE-7.13")
def test_subjects_not_read_are_counted_beside_n_and_stay_non_responders(tmp_path: Path) -> None:
    """Ten read by the committee, of twelve; one of the two others by the site alone: 1 of 12 is below 10 %, 2 of 12 above."""
    by_committee = [f"S{i}:{IRC}" for i in range(1, 11)]
    for others, severity in (([f"S11:{INV}"], "note"), ([f"S11:{INV}", f"S12:{INV}"], "warning")):
        found = of(subjects(*by_committee, *others, n=12, to=tmp_path / severity))
        rows = analyse(INATICEL, found.adam, found.records).filter(endpoint="ORR3", variant="", by="")
        number = dict(rows.select("statistic", "value").iter_rows())
        assert (number["n"], number["N"], number["not_read"]) == (10, 12, len(others))
        assert value(found.adam, "ORR3", subject="S11")["AVAL"] == 0
        said = found.findings.filter(pl.col("RULE") == "not-read", pl.col("MESSAGE").str.starts_with("ORR3"))
        assert said["SEVERITY"].to_list() == [severity]
        text = page(found, tmp_path / severity / "out")
        assert ("More than 10 % of N were not read by IRC" in text) == (severity == "warning")


# residual disease


@pytest.mark.shows("RULE-7.12")
def test_residual_disease_without_a_record_is_not_recorded() -> None:
    row = value(derived("data/inv-only").adam, "MRDN3", "reader=INV")
    assert (row["AVAL"], row["REASON"]) == (None, "not-recorded")


@pytest.mark.parametrize(
    ("result", "date", "subject"),
    [("", "2022-04-01", "S1"), ("NEGATIVE", "2022-04", "S1"), ("NEGATIVE", "2022-04-01", "S2")],
)
def test_residual_disease_that_could_not_be_used_is_not_recorded(tmp_path: Path, result: str, date: str, subject: str) -> None:
    """By hand from A3: a blank result, a month alone, or a subject who was never infused: no result."""
    folder = subjects(f"S1:{IRC}", n=2, to=tmp_path / "data")
    (folder / "ex.csv").write_text("".join((folder / "ex.csv").read_text().splitlines(keepends=True)[:2]))
    lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBORRES,LBSTRESC,LBSPEC,LBDTC\n"
    (folder / "lb.csv").write_text(f"{lb}inaticel-pivotal,{subject},1,MRD,{result},{result},BONE MARROW,{date}\n")
    found = of(folder)
    row = value(found.adam, "MRDN3", subject="S1")
    assert (row["AVAL"], row["REASON"]) == (None, "not-recorded")
    assert value(found.adam, "ORR3", subject="S1")["AVAL"] == 1
    said = "No MRD result of bone marrow that can be read, with a whole date after day 0 and up to the cutoff, of an infused subject"
    assert found.findings["MESSAGE"].str.starts_with(said).sum() == 1


@pytest.mark.shows("RULE-7.12")
def test_without_a_remission_an_absent_sample_is_no_absence(tmp_path: Path) -> None:
    found = of(subjects(f"S1:{IRC}", n=1, to=tmp_path / "data", call="NR"))
    row = value(found.adam, "MRDN3")
    assert (row["AVAL"], row["REASON"]) == (0, "no-response")


# other domains


@pytest.mark.slow
@pytest.mark.shows("RULE-7.12")
def test_domains_that_an_endpoint_uses_are_named(tmp_path: Path) -> None:
    found = derived("data/inv-only")
    notes = found.findings.filter(pl.col("RULE") == "domain-not-recorded").sort("DOMAIN")
    assert notes["DOMAIN"].to_list() == ["AE", "CM", "DS", "PR"]
    assert notes.filter(DOMAIN="CM")["MESSAGE"].item().startswith("CM is absent: that no new therapy was given is not known")
    text = page(found, tmp_path / "out")
    response = text[text.index('<section id="response">') : text.index('<section id="readers">')]
    assert "CM is absent" in response and "PR is absent" in response
    safety = text[text.index('<section id="safety">') :]
    assert "adverse events are not recorded" in safety and "Worst grade" not in safety


@pytest.mark.slow
def test_no_survival_and_no_follow_up_are_not_recorded(tmp_path: Path) -> None:
    found = of(copied("data/inv-only", tmp_path / "data", ss=None))
    row = value(found.adam, "OS")
    assert (row["AVAL"], row["CNSR"]) == (None, None) and str(row["RULE"]).startswith("not recorded: no survival status")
    rows = analyse(INATICEL, found.adam, found.records).filter(endpoint="OS", by="", statistic="median")
    assert rows.select("value", "text").row(0) == (None, "not recorded")


def test_two_trials_are_told_apart(tmp_path: Path) -> None:
    """The committee read the first trial alone."""
    folder = subjects(f"S1:{IRC}", f"S2:{INV}", n=2, to=tmp_path / "data")
    for name in ("dm", "ex", "ss", "rs"):
        path = folder / f"{name}.csv"
        path.write_text(path.read_text().replace("inaticel-pivotal,S2", "other,S2"))
    adam = derive(INATICEL, read_sdtm(folder))
    assert value(adam, "ORR3", subject="S1")["AVAL"] == 1
    assert value(adam, "ORR3", subject="S2")["REASON"] == "not-recorded"


def test_virtual_trials_share_the_declaration_of_their_sources() -> None:
    """Two subjects a trial: that a trial has no relapse, death or sample is chance, and no absence."""
    records = simulate_study(INATICEL, n=2, trials=12)
    adam = derive(INATICEL, records)
    assert not adam.notices
    for frame in (adam.adrs, adam.adtte):
        assert not frame.filter(pl.col("RULE").str.starts_with("not ")).height


# baseline


@pytest.mark.slow
@pytest.mark.shows("RULE-7.14", "STUDY-baseline")
def test_a_requested_characteristic_is_always_in_the_table(tmp_path: Path) -> None:
    found = derived("data/inv-only")
    rows = analyse(INATICEL, found.adam, found.records).filter(analysis="baseline")
    assert set(rows["endpoint"]) == {item.id for item in INATICEL.baseline}
    missing = dict(rows.filter(statistic="missing").select("endpoint", "value").iter_rows())
    assert missing == {"AGE": 0, "SEX": 0, "BURDEN": 1, "PRHSCT": 1, "EMD": 1}
    assert set(rows.filter(endpoint="PRHSCT", by="recorded")["text"]) == {"not recorded"}
    text = page(found, tmp_path / "out")
    baseline = text[text.index('<section id="baseline">') : text.index('<section id="primary">')]
    for item in INATICEL.baseline:
        assert item.label in baseline
    assert "Prior transplant (PRHSCT)" in text[: text.index('<section id="study">')]


@pytest.mark.slow
@pytest.mark.shows("RULE-7.14")
def test_no_is_printed_of_what_was_asked_alone(tmp_path: Path) -> None:
    """Three subjects: a history of two, one with a transplant; then the third is asked and denies it."""
    folder = subjects(f"S1:{IRC}", n=3, to=tmp_path / "data")
    head, term = "STUDYID,USUBJID,MHSEQ,MHTERM,MHOCCUR\n", "ALLOGENEIC STEM CELL TRANSPLANT"
    volunteered = f"inaticel-pivotal,S1,1,{term},\ninaticel-pivotal,S2,1,ASTHMA,\n"
    for rows, expected, n in ((volunteered, ["Y", None, None], [("Y", 1.0, None)]),):
        (folder / "mh.csv").write_text(head + rows)
        found = of(folder)
        assert found.adam.adsl.sort("USUBJID")["PRHSCT"].to_list() == expected
        results = analyse(INATICEL, found.adam, found.records).filter(analysis="baseline", endpoint="PRHSCT", by="PRHSCT")
        levels = results.pivot("statistic", index="level", values="value")
        assert levels.select("level", "n", "rate").rows() == n
    (folder / "mh.csv").write_text(f"{head}{volunteered}inaticel-pivotal,S3,1,{term},N\n")
    assert of(folder).adam.adsl.sort("USUBJID")["PRHSCT"].to_list() == ["Y", None, "N"]


# spreadsheets


@pytest.fixture(scope="module")
def responders() -> Derived:
    """Six complete remissions in the table for events only, by the investigator."""
    return derive_data(load_data(case_path("sheets/template-all-responders"), case_path("sheets/template-all-responders/data")))


@pytest.mark.slow
def test_a_sheet_of_the_investigator_shows_his_responses_as_such(responders: Derived) -> None:
    study = Study.load(case_path("sheets/template-all-responders"))
    results = analyse(study, responders.adam, responders.records).filter(by="")
    found = {variant: text for variant, text in results.filter(endpoint="ORRW3", statistic="rate").select("variant", "text").iter_rows()}
    assert found == {"": "not recorded", "hsct=treatment-policy": "not recorded", "reader=INV": "100.0"}
    assert results.filter(endpoint="ORRW3", variant="reader=INV", statistic="n")["value"].item() == 6


@pytest.mark.slow
def test_a_grade_of_0_was_asked_and_a_blank_column_was_not(tmp_path: Path) -> None:
    """ICANS grade 0 in all six: none had it. The column blank: not recorded."""
    place = shutil.copytree(case_path("sheets/template-all-responders"), tmp_path / "sheet")
    for blank, expected in ((False, (0.0, "0")), (True, (None, "not recorded"))):
        if blank:
            text = (place / "data/events.csv").read_text()
            (place / "data/events.csv").write_text(text.replace(",0,\n", ",,\n"))
        data = load_data(place, place / "data")
        found = derive_data(data)
        rows = analyse(data.study, found.adam, found.records).filter(endpoint="ICANS", level="any", statistic="n")
        assert rows.select("value", "text").row(0) == expected


# extramedullary disease


@pytest.mark.slow
@pytest.mark.shows("RULE-3.19", "STUDY-emd")
def test_extramedullary_disease_never_recorded_is_one_warning_and_an_assumption_can_stand_in_its_place(tmp_path: Path) -> None:
    place = Path(shutil.copytree(case_path("sheets/records-emd-missing"), tmp_path / "sheet"))
    for assumed, responders, severities in ((False, None, ["warning"]), (True, 20, [])):
        if assumed:
            path = place / "study.yaml"
            path.write_text(path.read_text(encoding="utf-8") + "\nemd: absent\n", encoding="utf-8")
        data = load_data(place, place / "data")
        found = derive_data(data)
        assert found.findings.filter(RULE="emd-not-recorded")["SEVERITY"].to_list() == severities
        results = analyse(data.study, found.adam, found.records)
        assert results.filter(endpoint="BORR", variant="", by="", statistic="n")["value"].item() == responders
        # A3: never 0 %, and one warning says it
        rate = results.filter(endpoint="BORR", variant="", by="", statistic="rate")
        assert (rate["value"].item() is None, rate["text"].item() == "not recorded") == (not assumed, not assumed)
        assert not found.findings["MESSAGE"].str.contains("needs it").any()
        write_report(data.study, data.source, found.adam, results, found.findings, tmp_path / "out")
        text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        first = text[: text.index('<section id="study">')]
        said = "which was never recorded, was absent" if assumed else "Extramedullary disease was never recorded (FA is absent)"
        assert said in first
        flagged = found.adam.adresp["FLAGS"].str.contains("absent by assumption of the study file").fill_null(False)
        assert flagged.any() == assumed


# adverse events that do not say what, or how


AE = "STUDYID,USUBJID,AESEQ,AEDECOD,AETOXGR,AESTDTC,AESER,AEREL\n"


def safety(to: Path, *rows: str) -> dict[tuple[str, str, str], float | None]:
    """Return endpoint, level and statistic of two infused subjects with these adverse events (subject, term, serious, related)."""
    folder = subjects(f"S1:{IRC}", f"S2:{IRC}", n=2, to=to / "data")
    lines = [
        f"inaticel-pivotal,{who},{i},{term},3,2022-01-05,{serious},{related}\n"
        for i, row in enumerate(rows)
        for who, term, serious, related in [row.split(":")]
    ]
    (folder / "ae.csv").write_text(AE + "".join(lines), encoding="utf-8")
    found = of(folder)
    results = analyse(INATICEL, found.adam, found.records, analyses=("safety",))
    return {
        (endpoint, level, statistic): value
        for endpoint, level, statistic, value in results.select("endpoint", "level", "statistic", "value").iter_rows()
    }


@pytest.mark.slow
def test_adverse_events_without_a_term_are_no_absence_of_special_ones(tmp_path: Path) -> None:
    """A3: a variable that is absent is told; of CRS nothing is known, and of any event both subjects had one."""
    rows = safety(tmp_path, "S1::Y:RELATED", "S2::N:RELATED")
    assert rows["CRS", "any", "n"] is None and rows["CRS", ">=3", "rate"] is None
    assert rows["ANY", "any", "n"] == 2


def test_what_does_not_say_whether_it_was_serious_is_not_known(tmp_path: Path) -> None:
    """A3: S1 serious; S2 does not say (a word of no list, blank). Related: nobody says, so it is not recorded."""
    rows = safety(tmp_path, "S1:FEVER:Y:", "S1:RASH::", "S2:RASH:ja:UNKNOWN")
    assert (rows["SERIOUS", "", "n"], rows["SERIOUS", "unknown", "n"], rows["SERIOUS", "", "N"]) == (1, 1, 2)
    assert rows["RELATED", "", "n"] is None and rows["RELATED", "", "rate"] is None and ("RELATED", "unknown", "n") not in rows


@pytest.mark.slow
def test_missing_counts_contradict_no_reader(tmp_path: Path) -> None:
    """3: a remission of which the counts are missing is CRi, flagged; it says nothing against a reader's CR."""
    folder = subjects(f"S1:{IRC}", to=tmp_path / "data")
    lb = "STUDYID,USUBJID,LBSEQ,LBTESTCD,LBSPEC,LBSTRESC,LBSTRESN,LBSTRESU,LBDTC\n"
    lb += "inaticel-pivotal,S1,1,BLAST,BONE MARROW,1,1,%,2022-04-01\n"
    fa = "STUDYID,USUBJID,FASEQ,FATESTCD,FAOBJ,FASTRESC,FADTC\ninaticel-pivotal,S1,1,OCCUR,EXTRAMEDULLARY DISEASE,ABSENT,2022-04-01\n"
    (folder / "lb.csv").write_text(lb, encoding="utf-8")
    (folder / "fa.csv").write_text(fa, encoding="utf-8")
    assert "call-against-lab" not in of(folder).findings["RULE"].to_list()
    (folder / "lb.csv").write_text(lb.replace(",1,1,%", ",30,30,%"), encoding="utf-8")
    assert "call-against-lab" in of(folder).findings["RULE"].to_list()


# events without a day


def warned(folder: Path) -> list[str]:
    return [notice.message for notice in of(folder).adam.notices if notice.severity == "warning"]


@pytest.mark.slow
def test_an_event_without_a_date_is_told(tmp_path: Path) -> None:
    """1, A3: what has no day is not used; that a transplant, a therapy or a loss is left out stands at the head of the page."""
    folder = subjects(f"S1:{IRC}", to=tmp_path / "data")
    for name, columns, row, words in (
        ("pr", "PRSEQ,PRTRT,PRSTDTC", "1,HSCT,", "A transplant of 1 infused subject has no date in PR"),
        ("cm", "CMSEQ,CMTRT,CMCAT,CMSTDTC", "1,X,NEW THERAPY,", "A new therapy of 1 infused subject has no date in CM"),
        ("ds", "DSSEQ,DSDECOD,DSSTDTC", "1,LOST TO FOLLOW-UP,", "A withdrawal or a loss of 1 infused subject has no date in DS"),
    ):
        (folder / f"{name}.csv").write_text(f"STUDYID,USUBJID,{columns}\ninaticel-pivotal,S1,{row}\n", encoding="utf-8")
        assert any(message.startswith(words) for message in warned(folder)), name


@pytest.mark.parametrize(
    ("call", "date", "words"),
    [
        ("RELAPSE", "2022-08", "A relapse of 1 infused subject by IRC has no whole date and is not used"),
        ("RELAPSE", "2023-08", None),  # after the cutoff
        (
            "CR",
            "2022-01",
            "The response of 1 infused subject by IRC has no whole date and is not used; without one it counts as no response (ORR28).",
        ),
        ("CR", "2022-06", None),  # in no window that lacks a response
    ],
)
@pytest.mark.shows("RULE-1.10")
def test_a_call_without_a_whole_date_is_told_where_it_could_count(tmp_path: Path, call: str, date: str, words: str | None) -> None:
    """1: an assessment without a full date is not usable. S1 is in CR on day 90; January lies in the window of day 28 (days 21 to 35)."""
    folder = subjects(f"S1:{IRC}", to=tmp_path / "data")
    with (folder / "rs.csv").open("a", encoding="utf-8") as file:
        file.write(f"inaticel-pivotal,S1,2,OVRLRESP,{call},{IRC},{date}\n")
    told = [message for message in warned(folder) if "whole date" in message]
    assert [message.startswith(words) for message in told] == [True] if words else not told
