"""What is another between two runs: which results, which subjects, by which rule or record?

Origin of every expected value: `by hand`, from the worked subjects of the rules (paragraph 8) and from the small sets written here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cartrial.analysis.results import KEY, SCHEMA, results_hash, sort_results, write_results
from cartrial.errors import InputError
from cartrial.report.compare import Run, compare_runs, compared_document, compared_lines, read_run, write_comparison_page
from cartrial.report.compare.runs import SETS
from helpers import WORKED, run_cli

FLAGS = {"CONSFL": "Y", "ENRLFL": "Y", "LEUKFL": "Y", "INFFL": "Y", "ASSFL": "Y", "EVALFL": "Y", "RESPFL": "Y", "DTHFL": None}
CUT = dt.date(2022, 5, 1)


def result(endpoint: str = "ORR3", statistic: str = "rate", value: float | None = 0.5, text: str = "50.0", **more: Any) -> dict[str, Any]:
    row = dict.fromkeys(KEY, "") | {"study": "S", "provenance": "real", "trial": 0, "time": None, "conf_level": None, "rules": 2}
    return row | {"analysis": "response", "endpoint": endpoint, "statistic": statistic, "value": value, "text": text} | more


def value(subject: str, answer: str, day: int | None, number: int | None, rule: str = "a rule", variant: str = "") -> dict[str, Any]:
    when = None if day is None else dt.date(2022, 1, 1) + dt.timedelta(days=day)
    row = {"USUBJID": subject, "PARAMCD": "ORR3", "VARIANT": variant, "AVAL": float(answer == "Y"), "AVALC": answer, "REASON": None}
    return row | {"ADT": when, "CARDAY": day, "SRCDOM": "RS" if number else None, "SRCSEQ": number, "RULE": rule, "FLAGS": None}


def run(results: list[dict[str, Any]], values: list[dict[str, Any]], subjects: list[str], **record: Any) -> Run:
    told = {"study": "S", "study_hash": "a" * 64, "rules": 2, "provenance": "real", "cutoff": CUT.isoformat(), "time": "t", "data": []}
    frame = sort_results(pl.DataFrame(results, schema=SCHEMA))
    told |= {"results": {"rows": frame.height, "sha256": results_hash(frame)}, "versions": {"cartrial": "1"}} | record
    empty = pl.DataFrame(schema={"USUBJID": pl.String, "PARAMCD": pl.String, "VARIANT": pl.String, "CNSR": pl.Int8})
    reads = pl.DataFrame(schema=dict.fromkeys(("USUBJID", "READER", "AVALC", "USABLE", "MRD", "REASON"), pl.String) | {"CARDAY": pl.Int32})
    sets = {"ADSL": pl.DataFrame([{"USUBJID": name, **FLAGS} for name in subjects]), "ADTTE": empty, "ADRESP": reads}
    return Run(Path("x"), told, frame, sets | {"ADRS": pl.DataFrame(values, infer_schema_length=None)})


def written(folder: Path, found: Run) -> Path:
    """A run as a folder."""
    (folder / "adam").mkdir(parents=True)
    write_results(found.results, folder / "results.parquet")
    (folder / "run.json").write_text(json.dumps(found.record))
    for name, frame in found.sets.items():
        frame.write_parquet(folder / "adam" / f"{name}.parquet")
    return folder


def test_each_value_says_by_what_it_is_another() -> None:
    """A later record; another record; another rule on one record; neither; a subject of one run alone; one out of a population."""
    before = [
        value("1", "N", None, None),
        value("2", "N", 90, 2),
        value("3", "Y", 90, 2, "old"),
        value("4", "N", 90, 2),
        value("6", "Y", 90, 2),
    ]
    after = [value("1", "Y", 150, 3), value("2", "Y", 88, 1), value("3", "N", 90, 2, "new"), value("4", "Y", 90, 2), value("5", "Y", 90, 2)]
    found = compare_runs(run([result()], before, ["1", "2", "3", "4", "6"]), run([result()], after, ["1", "2", "3", "4", "5", "6"]))
    assert found.new == ["5"] and found.gone == [] and found.results == [] and found.differs
    assert {moved.subject: moved.why for moved in found.moved} == {
        "1": "a record after the first cutoff decides",
        "2": "another record decides",
        "3": "another rule decides on the same record",
        "4": "the same record and rule; its value is another",
        "6": "in the first run alone",
    }
    third = next(moved for moved in found.moved if moved.subject == "3")
    assert (third.before, third.after, third.rules) == ("response", "no response", ("old", "new"))
    assert next(moved for moved in found.moved if moved.subject == "6").after == "not in the population"
    assert next(moved for moved in found.moved if moved.subject == "1").records == ("", "RS 3 (2022-05-31, day 150)")


def test_results_are_matched_by_what_they_are_of() -> None:
    """A value, a window of the same row, a row that is new, one that is gone, one that is the same; digits that are not printed count."""
    one = [result(), result("BORR"), result("OLD"), result("TINY", value=0.5, text="50.0"), result("WIN", window="day 76 to 104")]
    two = [
        result(value=0.6, text="60.0"),
        result("BORR"),
        result("NEW"),
        result("TINY", value=0.5000001),
        result("WIN", window="day 70 to 104"),
    ]
    found = compare_runs(run(one, [value("1", "Y", 9, 1)], ["1"]), run(two, [value("1", "Y", 9, 1)], ["1"]))
    assert (found.same, found.counts) == (1, {"changed": 3, "new": 1, "gone": 1})
    told = {group.endpoint: (dict(group.statistics), dict(group.attributes)) for group in found.results}
    assert told == {
        "ORR3": ({"rate": ("50.0", "60.0")}, {}),
        "OLD": ({"rate": ("50.0", None)}, {}),
        "NEW": ({"rate": (None, "50.0")}, {}),
        "TINY": ({"rate": ("50.0", "50.0")}, {}),
        "WIN": ({"rate": ("50.0", "50.0")}, {"window": ("day 76 to 104", "day 70 to 104")}),
    }
    lines = "\n".join(compared_lines(found))
    assert "response, ORR3: rate 50.0 → 60.0" in lines and "window 'day 76 to 104' → 'day 70 to 104'" in lines
    assert "response, OLD: rate 50.0 → (no such row)" in lines and "response, TINY: in digits that are not printed" in lines


@pytest.mark.shows("CMD-compare")
def test_facts_of_the_runs_are_no_difference(tmp_path: Path) -> None:
    """Another version and another file with the same results: told, exit code 0; the order of the runs is that of the words."""
    own = [value("1", "Y", 9, 1)]
    file = {"file": "rs.csv", "domain": "RS", "rows": 3, "form": "csv", "sha256": "1" * 64}
    one = written(tmp_path / "one", run([result()], own, ["1"], data=[file]))
    two = written(tmp_path / "two", run([result()], own, ["1"], data=[file | {"sha256": "2" * 64, "rows": 4}], versions={"cartrial": "2"}))
    code, out, err = run_cli("compare", one, two)
    assert (
        (code, err) == (0, "")
        and "Version of cartrial: 1, then 2." in out
        and "Source rs.csv (RS): 3 rows, 111111111111, then 4 rows" in out
    )
    assert "The results are the same: 1 rows, 1 subjects." in out
    document = json.loads(run_cli("compare", one, two, "--json")[1])
    assert document["exit"] == {"code": 0, "meaning": "the results are the same"} and len(document["facts"]) == 2


def test_a_window_that_is_another_is_told_beside_rows_that_need_theirs() -> None:
    """By hand: deaths within 30 and 90 days and at all differ by their window alone, and each keeps its own n and rate; a response whose
    window is another is the same result of another window, neither gone nor new. Printed before: n 4 beside the rate of another row."""
    death = {"analysis": "safety", "endpoint": "DEATH", "population": "infused", "statistic": "n"}

    def runs(counts: tuple[int, int], window: str) -> Run:
        rows = [result(window=window, value=0.5, text="50.0")]
        for name, count in zip(("within 30 days", ""), counts, strict=True):
            rows += [result(**death | {"window": name}, value=float(count), text=str(count))]
            rows += [result(**death | {"window": name, "statistic": "rate"}, value=count / 10, text=f"{10 * count}.0")]
        return run(rows, [value("1", "Y", 9, 1)], ["1"])

    found = compare_runs(runs((1, 3), "day 76 to 104"), runs((1, 4), "day 70 to 104"))
    assert found.counts == {"changed": 3, "new": 0, "gone": 0}
    lines = "\n".join(compared_lines(found))
    assert "response, ORR3: rate 50.0 → 50.0" not in lines and "ORR3: window 'day 76 to 104' → 'day 70 to 104'" in lines
    assert "safety, DEATH, (infused): n 3 → 4; rate 30.0 → 40.0" in lines and "within 30 days" not in lines


def test_a_subject_infused_after_the_first_cutoff_is_told_so() -> None:
    """By hand: an open window has no record of its own; of who was infused before, it is in the second run alone."""
    one, two = run([result()], [], ["1", "2"]), run([result()], [value("1", "NYA", None, None), value("2", "NYA", None, None)], ["1", "2"])
    one.sets["ADRS"] = two.sets["ADRS"].clear()
    two.sets["ADSL"] = two.sets["ADSL"].with_columns(TRTSDT=pl.Series([dt.date(2022, 6, 1), dt.date(2022, 1, 1)]))
    assert {row.subject: row.why for row in compare_runs(one, two).moved} == {
        "1": "infused after the first cutoff",
        "2": "in the second run alone",
    }


def test_each_key_of_the_study_file_that_is_another_is_named() -> None:
    """By hand: a window and an endpoint's name in a list; the cutoff is told once, as a fact; a run without a study file tells the hash."""
    file = {"study": {"cutoff": "2022-05-01"}, "endpoints": [{"id": "ORR3", "window": {"at": "month 3"}}, {"id": "OS", "role": None}]}
    later = {"study": {"cutoff": "2022-09-27"}, "endpoints": [{"id": "ORR3", "window": {"at": "month 6"}}, {"id": "EFS"}]}
    own = [value("1", "Y", 9, 1)]
    one, two = (run([result()], own, ["1"], study_file=content, study_hash=name * 64) for content, name in ((file, "a"), (later, "b")))
    assert list(compare_runs(one, two).facts) == [
        ("Hash of the study file", "a" * 12, "b" * 12),
        ("Study file, endpoints.ORR3.window.at", "month 3", "month 6"),
        ("Study file, endpoints.OS.id", "OS", "not there"),
        ("Study file, endpoints.EFS.id", "not there", "EFS"),
    ]
    old = run([result()], own, ["1"], study_hash="c" * 64)
    assert list(compare_runs(old, two).facts) == [("Hash of the study file", "c" * 12, "b" * 12)]


def test_what_differs_is_told_where_no_main_analysis_does() -> None:
    """By hand: rows of a fitted model are by covariate or of no endpoint's main analysis; they are no "0 of n groups"."""
    model = {"analysis": "cell-model", "endpoint": "CARTG", "by": "parameter", "level": "growth", "statistic": "typical"}
    own = [value("1", "Y", 9, 1)]
    pair = [run([result(), result(**model, value=number, text=str(number))], own, ["1"]) for number in (2.0, 3.0)]
    assert "cell-model, CARTG, by parameter, growth: typical 2.0 → 3.0" in "\n".join(compared_lines(compare_runs(*pair)))
    many = [[result(**model | {"level": f"k{i:02d}"}, value=number, text=str(number)) for i in range(15)] for number in (2.0, 3.0)]
    said = "\n".join(compared_lines(compare_runs(*(run([result(), *rows], own, ["1"]) for rows in many))))
    assert said.count("typical 2.0 → 3.0") == 12 and "Of 15 groups of results 12 are shown, the first; none is a main analysis" in said


def test_strategies_and_reasons_are_said_in_words() -> None:
    """By hand, from the table of strategies in the rules (paragraph 5)."""
    ends = "hsct=treatment-policy;reader=INV"
    codes = [{"strategies": "hsct=composite"}, {"strategies": "hsct=treatment-policy"}]
    one, two = ([result(**code), result(variant=ends, value=number)] for code, number in zip(codes, (0.5, 0.6), strict=True))
    before, after = value("1", "N", 9, 1) | {"REASON": "no-usable-assessment"}, value("1", "Y", 9, 1) | {"REASON": None}
    said = "\n".join(compared_lines(compare_runs(run(one, [before], ["1"]), run(two, [after], ["1"])), every=True))
    assert "strategies 'transplant: no response after it' → 'transplant: ignored'" in said
    assert "response, ORR3, with transplant: ignored, reader: investigator" in said
    assert "no response (no usable assessment) → response" in said


def test_a_page_holds_the_comparison(tmp_path: Path) -> None:
    one = run([result()], [value("<b>1", "N", None, None), value("<b>1", "N", None, None, variant="reader=INV")], ["<b>1"])
    two = run([result(value=1.0, text="100.0")], [value("<b>1", "Y", 150, 3), value("<b>1", "Y", 150, 3, variant="reader=INV")], ["<b>1"])
    found = compare_runs(one, two)
    text = write_comparison_page(found, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "rate 50.0 → 100.0" in text and "a record after the first cutoff decides" in text and "with reader: investigator" in text
    assert "reader=INV" not in text
    assert "<b>1" not in text and "&lt;b&gt;1" in text
    assert compared_document(found)["exit"]["code"] == 1


def refused(tmp_path: Path) -> dict[str, tuple[Path, Path, str]]:
    own = [value("1", "Y", 9, 1)]
    good = written(tmp_path / "good", run([result()], own, ["1"]))
    other = written(tmp_path / "other", run([result(study="T")], own, ["1"], study="T"))
    virtual = written(tmp_path / "virtual", run([result()], own, ["1"], provenance="virtual"))
    coded = written(tmp_path / "coded", run([result()], own, ["1"], deidentified={"codes": "abc"}))
    mixed = written(tmp_path / "mixed", run([result()], own, ["1"]))
    write_results(sort_results(pl.DataFrame([result(value=0.9)], schema=SCHEMA)), mixed / "results.parquet")
    torn = written(tmp_path / "torn", run([result()], own, ["1"]))
    (torn / "adam" / "ADRS.parquet").write_bytes(b"PAR1")
    bare = written(tmp_path / "bare", run([result()], own, ["1"]))
    (bare / "run.json").write_text("[]")
    (tmp_path / "empty").mkdir()
    return {
        "nowhere": (good, tmp_path / "nowhere", "there is no such folder"),
        "file": (good, good / "run.json", "this is a file"),
        "empty": (tmp_path / "empty", good, "there is no run.json"),
        "bare": (good, bare, "run.json does not say"),
        "mixed": (good, mixed, "not those that run.json tells of"),
        "torn": (good, torn, "the derived set cannot be read"),
        "other": (good, other, "of different studies: 'S'"),
        "virtual": (good, virtual, "the data are real in"),
        "coded": (good, coded, "their codes were drawn apart"),
    }


@pytest.mark.slow
@pytest.mark.shows("CMD-compare")
def test_what_is_no_run_of_the_study_is_refused(tmp_path: Path) -> None:
    """One message that names the folder, exit code 2, nothing printed, no page."""
    for name, (one, two, what) in refused(tmp_path).items():
        code, out, err = run_cli("compare", one, two, "--to", tmp_path / "page.html")
        assert (code, out) == (2, "") and what in err and len(err.strip().splitlines()) == 1, (name, err)
        assert str(tmp_path) in err and not (tmp_path / "page.html").exists()


def test_a_derived_set_that_is_another_is_refused(tmp_path: Path) -> None:
    """By hand: one set in the place of another has not its columns; one that was changed has not the bytes that run.json tells of."""
    folder = written(tmp_path / "one", run([result()], [value("1", "Y", 9, 1)], ["1"]))
    path = folder / "adam" / "ADRS.parquet"
    right = path.read_bytes()
    read_run(folder)
    path.write_bytes((folder / "adam" / "ADSL.parquet").read_bytes())
    with pytest.raises(InputError, match="has no PARAMCD"):
        read_run(folder)
    record = json.loads((folder / "run.json").read_text())
    record["derived"] = {
        name: hashlib.sha256(right if name == "ADRS" else (folder / "adam" / f"{name}.parquet").read_bytes()).hexdigest() for name in SETS
    }
    (folder / "run.json").write_text(json.dumps(record))
    pl.DataFrame([value("1", "N", 9, 1)]).write_parquet(path)
    with pytest.raises(InputError, match=r"not the one that run\.json tells of"):
        read_run(folder)
    path.write_bytes(right)
    assert read_run(folder).sets["ADRS"]["AVALC"].to_list() == ["Y"]


@pytest.mark.slow
def test_a_later_cut_of_the_worked_subjects(tmp_path: Path) -> None:
    """Rules, paragraph 8. Cut on 2022-05-01 and 2022-09-27: 2 died on 2022-05-21; 6 relapsed on day 180; 11 was infused in between;
    5, 10 and 14 are as they were."""
    from cartrial.run import report

    outs = []
    for cut in ("2022-05-01", "2022-09-27"):
        folder = tmp_path / cut
        (folder / "data").mkdir(parents=True)
        (folder / "study.yaml").write_text((WORKED / "study.yaml").read_text().replace("2022-09-27", cut))
        for path in (WORKED / "data").glob("*.csv"):
            head, *rows = path.read_text().splitlines()
            place = head.split(",").index("USUBJID")
            kept = [row for row in rows if row.split(",")[place] in {f"WORKED-{k:02d}" for k in range(1, 17)}]
            (folder / "data" / path.name).write_text("\n".join([head, *kept]) + "\n")
        report(folder, folder / "data", folder / "out")
        outs.append(read_run(folder / "out"))
    found = compare_runs(*outs)
    told = {(moved.subject, moved.what): moved for moved in found.moved if not moved.variant}
    death = told["WORKED-02", "OS"]
    assert death.after == "event: death, 141 days" and death.why == "a record after the first cutoff decides"
    assert told["WORKED-06", "DOR"].after == "event: relapse, 153 days" and told["WORKED-11", "standing: infused"].after == "yes"
    assert told["WORKED-11", "ORR3"].before == "not in the population"
    assert not {"WORKED-05", "WORKED-10", "WORKED-14"} & {moved.subject for moved in found.moved}
    assert compare_runs(outs[0], outs[0]).differs is False
