"""Is it hidden whose data a de-identified report is of, in every byte of what it leaves?

Origin of every expected value: `by hand`; the words that must not be found are those put into the source here.
"""

from __future__ import annotations

import csv
import json
import re
import stat
from pathlib import Path

import polars as pl
import pytest

from cartrial.errors import InputError
from cartrial.report.study.hidden.draw import draw_codes, read_salt
from cartrial.report.study.hidden.hide import code_source, hide_adam, hide_findings
from cartrial.report.study.hidden.search import require_hidden, telling_words
from cartrial.sdtm import Source
from cartrial.sdtm.source import finding, findings_frame
from cartrial.study import Study
from helpers import WORKED, run_cli
from report_example import invent

SITE, DOCTOR = "Hospital-Harbin7", "Dr Zhaoxin"
SALT = "a secret that is long enough to be none"


def spoilt(folder: Path, count: int = 8) -> Path:
    """The first worked subjects with names, sites and words of a site that could be found again."""
    (folder / "data").mkdir(parents=True)
    (folder / "study.yaml").write_text((WORKED / "study.yaml").read_text())
    names = {f"WORKED-{k:02d}": f"WORKED-{SITE}-Q{k:02d}Z" for k in range(1, count + 1)}
    written = {"AETERM": f"fever, seen by {DOCTOR} on 2022-01-07", "CMTRT": f"Tocilizumab of {DOCTOR}", "DSTERM": f"asked {DOCTOR}"}
    for path in (WORKED / "data").glob("*.csv"):
        rows = list(csv.DictReader(path.open()))
        kept = [row | {"USUBJID": names[row["USUBJID"]]} for row in rows if row["USUBJID"] in names]
        for row in kept:
            if path.stem == "dm":
                row |= {"SUBJID": row["USUBJID"][-4:], "SITEID": SITE, "INVNAM": DOCTOR, "COUNTRY": "CHN"}
            row |= {column: words for column, words in written.items() if column[:2] == path.stem.upper()}
        if kept:
            with (folder / "data" / f"{SITE}_{path.name}" if path.stem == "xx" else folder / "data" / path.name).open(
                "w", newline=""
            ) as file:
                writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(key for row in kept for key in row)))
                writer.writeheader()
                writer.writerows(kept)
    return folder


def every_text(folder: Path) -> dict[str, str]:
    """All bytes of a folder as text by file, and every text and date of its Parquet files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes().decode("utf-8", "replace")
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path)
            found[f"{path.name}, read"] = " ".join(str(value) for row in frame.rows() for value in row) + " ".join(frame.columns)
    return found


@pytest.mark.slow
def test_no_byte_tells_whose_the_data_are(tmp_path: Path) -> None:
    """No USUBJID, SUBJID, site, name or ISO date of the source, whole or as a part of an id, in page, data, results, pictures; the numbers
    are those of the report with names; a later run by the same salt has the same codes, another drawing others."""
    study = spoilt(tmp_path / "study")
    salt = tmp_path / "salt"
    salt.write_text(SALT)
    dates = {date for path in (study / "data").iterdir() for date in re.findall(r"\d{4}-\d\d-\d\d", path.read_text())}
    words = [SITE, "Harbin7", DOCTOR, "Zhaoxin", *(f"Q{k:02d}Z" for k in range(1, 9))]
    asked = ("report", study, "--data", study / "data")
    try:
        import vl_convert  # noqa: F401

        figures: tuple[str, ...] = ("--figures", "svg")
    except ImportError:
        figures = ()
    code, _, error = run_cli(*asked, "--out", tmp_path / "out", "--deidentify", "--salt", salt, "--key", tmp_path / "key.csv", *figures)
    assert code == 0, error
    texts = every_text(tmp_path / "out")
    assert len(texts) > 20
    for name, text in texts.items():
        assert not [word for word in words if word in text], name
        assert not (set(re.findall(r"(?<!\d)\d{4}-\d\d-\d\d", text)) & (dates | {"2022-09-27"})), name
    record = json.loads(texts["run.json"])
    # all else of the study file is known: its hash with the cutoff would tell the date to who tries each
    assert record["study_hash"] not in (Study.load(study).hash, "") and record["study_file"]["study"]["cutoff"] is None
    assert record["cutoff"] is None and record["time"] is None and all(file["file"] == file["domain"].lower() for file in record["data"])
    key = {row["USUBJID"]: row["CODE"] for row in csv.DictReader((tmp_path / "key.csv").open())}
    assert len(key) == 8 and stat.S_IMODE((tmp_path / "key.csv").stat().st_mode) == 0o600
    assert set(pl.read_parquet(tmp_path / "out" / "adam" / "ADSL.parquet")["USUBJID"]) == set(key.values())
    assert run_cli(*asked, "--out", tmp_path / "named")[0] == 0
    shown = [json.loads((tmp_path / name / "results.json").read_text()) for name in ("out", "named")]
    assert [(row["statistic"], row["value"], row["text"]) for row in shown[0]] == [
        (row["statistic"], row["value"], row["text"]) for row in shown[1]
    ]
    assert run_cli(*asked, "--out", tmp_path / "again", "--deidentify", "--salt", salt)[0] == 0
    assert run_cli("compare", tmp_path / "out", tmp_path / "again")[0] == 0
    assert run_cli("compare", tmp_path / "out", tmp_path / "named")[0] == 2
    assert run_cli(*asked, "--out", tmp_path / "drawn", "--deidentify")[0] == 0
    assert not set(pl.read_parquet(tmp_path / "drawn" / "adam" / "ADSL.parquet")["USUBJID"]) & set(key.values())


def test_codes_hang_on_the_salt_alone() -> None:
    """The same of one salt whoever else there is; the mark tells of which salt, and not which."""
    one, two = draw_codes(["a", "b"], SALT.encode()), draw_codes(["b", "c"], SALT.encode())
    assert one.of["b"] == two.of["b"] and one.mark == two.mark != draw_codes(["b"], b"another secret of letters").mark
    assert all(re.fullmatch("P-[A-Z2-7]{8}", code) for code in one.of.values())
    assert len(set(draw_codes([str(k) for k in range(3000)]).of.values())) == 3000


def test_a_source_under_codes_has_no_word_of_a_site() -> None:
    """Codes and known reasons stay, free words go; what did not happen stays what it was."""
    who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    tables = {
        "DM": who | {"SUBJID": ["01", "02"], "SITEID": SITE, "COUNTRY": "CHN"},
        "AE": who | {"AETERM": [f"cold, {DOCTOR}", "none"], "AEDECOD": ["NASOPHARYNGITIS", None]},
        "DS": who | {"DSDECOD": ["LOST TO FOLLOW-UP", f"moved, says {DOCTOR}"]},
        "DD": who | {"DDORRES": ["PROGRESSIVE DISEASE", f"fell at {SITE}"]},
        "DV": who | {"DVCAT": ["Major", f"late at {SITE}"], "DVTERM": ["late", None]},
    }
    source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    codes = draw_codes(["S-01", "S-02"], SALT.encode())
    hidden = code_source(source, codes).domains
    assert hidden["AE"]["AETERM"].to_list() == ["UNCODED", "none"] and hidden["AE"]["AEDECOD"][0] == "NASOPHARYNGITIS"
    assert hidden["DS"]["DSDECOD"].to_list() == ["LOST TO FOLLOW-UP", "OTHER"]
    assert hidden["DD"]["DDORRES"].to_list() == ["PROGRESSIVE DISEASE", "OTHER CAUSE"]
    assert hidden["DV"]["DVCAT"].to_list() == ["Major", "OTHER"] and hidden["DV"]["DVTERM"].to_list() == ["UNCODED", None]
    assert hidden["DM"].select("SUBJID", "SITEID", "COUNTRY").null_count().row(0) == (2, 2, 2)
    assert hidden["DS"]["USUBJID"].to_list() == [codes.of["S-01"], codes.of["S-02"]]


def test_a_unit_that_a_site_wrote_is_no_unit() -> None:
    """By hand: units of cells and of drugs stay, with or without a power; a word that is none goes."""
    units = ["10^6 CELLS/kg", "cells", "mg/m2", "MG", None, "bags of Dr Zhaoxin"]
    ex = pl.DataFrame({"USUBJID": ["A"] * 6, "EXTRT": "PRODUCT", "EXDOSU": units})
    hidden = code_source(Source({"EX": ex}), draw_codes(["A"]))
    assert hidden.domains["EX"]["EXDOSU"].to_list() == [*units[:5], None]


def test_a_picture_is_searched_by_what_it_is_drawn_of(tmp_path: Path) -> None:
    """By hand: the words of a PNG or PDF cannot be read; those of its document can. A picture without one is refused; a file's name tells
    as well."""
    source = Source({"DM": pl.DataFrame({"USUBJID": ["WARD-7-01"], "RFSTDTC": ["2022-03-04"]})})
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "swimmer.png").write_bytes(b"\x89PNG")
    require_hidden(tmp_path, source, pictures={"swimmer": '{"label":"P-AAAA"}'})
    for text, what in (('{"label":"WARD-7-01"}', "the name of a subject"), ('{"label":"2022-03-04"}', "a date")):
        with pytest.raises(InputError, match=what):
            require_hidden(tmp_path, source, pictures={"swimmer": text})
    with pytest.raises(InputError, match="nobody can say what the picture"):
        require_hidden(tmp_path, source)
    (tmp_path / "figures" / "swimmer.png").rename(tmp_path / "figures" / "WARD-7-01.png")
    with pytest.raises(InputError, match="the name of a subject"):
        require_hidden(tmp_path, source, pictures={"WARD-7-01": ""})


def test_derived_sets_keep_days_alone() -> None:
    """No date, place or word as collected has a value; days and values stay."""
    adam = invent(Study.load("inaticel"), 5)
    hidden = hide_adam(adam)  # type: ignore[arg-type]
    for name in ("adsl", "adrs", "adtte", "adae", "adresp"):
        frame, before = getattr(hidden, name), getattr(adam, name)
        assert all(frame[column].is_null().all() for column, dtype in frame.schema.items() if dtype == pl.Date)
        assert frame["USUBJID"].equals(before["USUBJID"])
    assert hidden.adsl["SITEID"].is_null().all() and hidden.adresp["ORRES"].is_null().all()
    assert hidden.adtte["AVAL"].equals(adam.adtte["AVAL"]) and hidden.adsl["DTHDAY"].equals(adam.adsl["DTHDAY"])


def test_a_finding_says_what_its_rule_looks_for() -> None:
    told = findings_frame([finding("study-mismatch", "warning", f"{DOCTOR} wrote S-01", file=f"{SITE}.csv", row=3, usubjid="S-01")])
    hidden = hide_findings(told, draw_codes(["S-01"], SALT.encode())).row(0, named=True)
    assert DOCTOR not in hidden["MESSAGE"] and hidden["MESSAGE"].endswith("Details are withheld.") and len(hidden["MESSAGE"]) > 30
    assert hidden["FILE"] is None and hidden["ROW"] is None and hidden["USUBJID"].startswith("P-")


@pytest.mark.parametrize(("name", "text"), [("page.html", f"<p>{SITE}</p>"), ("a.csv", "x,2022-01-07T08:00"), ("t.svg", "ABC-0001")])
def test_what_still_tells_is_not_given_away(name: str, text: str, tmp_path: Path) -> None:
    """The last look finds a site, a date, a subject in any file, and says what without saying it."""
    dm = {"USUBJID": ["ABC-0001"], "SITEID": [SITE], "RFSTDTC": ["2022-01-07"], "AGE": [4.0]}
    source = Source({"DM": pl.DataFrame(dm)})
    require_hidden(tmp_path, source)
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        require_hidden(tmp_path, source)
    assert name in str(caught.value) and text not in str(caught.value)
    require_hidden(tmp_path, source, "2022-01-07") if "2022" in text else None


@pytest.mark.parametrize("word", [SITE.lower(), SITE.upper(), f"visit at {SITE.lower()}, missed"])
def test_a_site_in_other_letters_is_found_in_results(word: str, tmp_path: Path) -> None:
    """By hand: results have kinds of deviation in small letters. A part of a longer word is no name of a site."""
    source = Source({"DM": pl.DataFrame({"USUBJID": ["ABC-0001"], "SITEID": [SITE]})})
    pl.DataFrame({"level": [f"x{SITE.lower()}y"]}).write_parquet(tmp_path / "results.parquet")
    require_hidden(tmp_path, source)
    pl.DataFrame({"level": [word]}).write_parquet(tmp_path / "results.parquet")
    with pytest.raises(InputError, match="name of a subject or a site"):
        require_hidden(tmp_path, source)


def test_a_name_as_a_page_writes_it_is_found(tmp_path: Path) -> None:
    """By hand: `St. Mary's` is `St. Mary&#x27;s` on a page."""
    (tmp_path / "page.html").write_text("<p>St. Mary&#x27;s</p>")
    with pytest.raises(InputError, match="name of a subject or a site"):
        require_hidden(tmp_path, Source({"DM": pl.DataFrame({"USUBJID": ["1"], "SITEID": ["St. Mary's"]})}))


def test_numbers_are_no_names() -> None:
    """By hand: patients 1, 2 and site 12345 are found in any text; A1 is too short."""
    dm = pl.DataFrame({"USUBJID": ["1", "2"], "SUBJID": ["A1", "B2"], "SITEID": ["12345", None]})
    assert telling_words(Source({"DM": dm})) == (frozenset(), frozenset())


@pytest.mark.slow
def test_what_cannot_be_hidden_is_refused_before_any_work(tmp_path: Path) -> None:
    """One message, exit code 2, nothing written."""
    (tmp_path / "salt").write_text("short")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "report.html").write_text("named")
    (tmp_path / "key").write_text("there")
    out = tmp_path / "out"
    asked = ("report", WORKED, "--data", WORKED / "data")
    tried = {
        "could be guessed": (*asked, "--out", out, "--deidentify", "--salt", tmp_path / "salt"),
        "cannot be read": (*asked, "--out", out, "--deidentify", "--salt", tmp_path / "nowhere"),
        "is not empty": (*asked, "--out", tmp_path / "full", "--deidentify"),
        "is there already": (*asked, "--out", out, "--deidentify", "--key", tmp_path / "key"),
        "given away": (*asked, "--out", out, "--deidentify", "--key", out / "key.csv"),
        "no folder for the key": (*asked, "--out", out, "--deidentify", "--key", tmp_path / "no" / "key.csv"),
        "are of codes": (*asked, "--out", out, "--key", tmp_path / "k"),
    }
    for what, typed in tried.items():
        code, said, error = run_cli(*typed)
        assert (code, said) == (2, "") and what in error and len(error.strip().splitlines()) == 1, (what, error)
    assert not out.exists() and (tmp_path / "key").read_text() == "there"
    with pytest.raises(InputError):
        read_salt(tmp_path)
