"""What happened to one subject, and how did each of its values come about? For the terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from cartrial.errors import InputError
from cartrial.report.study.phrases import variant_words
from cartrial.report.study.sections.primary import estimand_items
from cartrial.report.study.subject.course import derive_courses, measure_lines
from cartrial.report.study.subject.history import Histories
from cartrial.report.study.subject.places import Places, reader_name
from cartrial.report.study.subject.values import value_sentence
from cartrial.sdtm.records import derive_records
from cartrial.study import Endpoint, Study

if TYPE_CHECKING:
    from rich.console import Console

    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source

__all__ = ["explain_subject", "find_subject"]


def find_subject(adsl: pl.DataFrame, name: str) -> dict[str, Any]:
    """Return the row of ADSL of a subject, named by USUBJID or by its end (``07`` for ``WORKED-07``).

    Raises
    ------
    InputError
        If no subject, or more than one, has that name.
    """
    names = adsl["USUBJID"].to_list()
    found = [row for row in names if row == name] or [row for row in names if row.endswith(name) and not row[: -len(name)][-1:].isalnum()]
    if len(found) == 1:
        return adsl.filter(pl.col("USUBJID") == found[0]).row(0, named=True)
    if found:
        raise InputError(f"more than one subject is called '{name}': {', '.join(found[:4])}", key="subject", right="Give the whole USUBJID")
    shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
    raise InputError(f"no subject is called '{name}'", key="subject", right=f"Subjects are: {shown}")


def explain_subject(
    study: Study,
    adam: Adam,
    source: Source | None,
    usubjid: str,
    endpoint: str | None = None,
    *,
    colour: bool = False,
    width: int | None = None,
) -> str:
    """Explain one subject: its timeline, its assessments by reader, its samples, its endpoint values with rule, reason and source row.

    Parameters
    ----------
    study : Study
    adam : Adam
        Derived data.
    source : Source or None
        Recorded data: the row of the file is shown beside each value.
    usubjid : str
        USUBJID, or its last part.
    endpoint : str, optional
        Only this endpoint; its definition in words is shown too.
    colour : bool
        Whether the text carries terminal colours.
    width : int, optional
        Columns of the terminal; as wide as it is, at most 150, unless said.

    Raises
    ------
    InputError
        If the subject or the endpoint does not exist.

    Examples
    --------
    >>> import polars as pl
    >>> from cartrial import Study, derive
    >>> from cartrial.report import explain_subject
    >>> from cartrial.sdtm import Source
    >>> who = {"STUDYID": "S", "USUBJID": ["S-01", "S-02"], "ROW": [2, 3]}
    >>> ex = {"EXSEQ": [1, 1], "EXTRT": "CNCT19", "EXSTDTC": "2022-01-01"}
    >>> rs = {"RSSEQ": [1, 1], "RSTESTCD": "OVRLRESP", "RSSTRESC": ["CR", "NR"]}
    >>> rs |= {"RSEVAL": "INDEPENDENT ASSESSOR", "RSDTC": "2022-04-01"}
    >>> tables = {"DM": who, "EX": who | ex, "RS": who | rs}
    >>> source = Source({name: pl.DataFrame(table) for name, table in tables.items()})
    >>> study = Study.load("inaticel")
    >>> print(explain_subject(study, derive(study, source), source, "02", "ORR3", width=100))
    Subject S-02, study inaticel-pivotal.
    ...
      First infusion: 2022-01-01, day 0.
    ...
    ORR3: Overall response rate at month 3
    ...
      No response (assessed, no response), 2022-04-01, day 90. Rule: no response at month 3: NR.
    ...
    """
    from io import StringIO

    from rich.console import Console

    known = [item.id for item in study.endpoints]
    if endpoint is not None and endpoint not in known:
        raise InputError(f"no endpoint is called '{endpoint}'", key="endpoint", right=f"Endpoints are: {', '.join(known)}")
    row = find_subject(adam.adsl, usubjid)
    subject = row["SUBJ"]
    width = width or min(150, shutil.get_terminal_size((110, 40)).columns)
    text = StringIO()
    console = Console(file=text, force_terminal=colour, width=width, highlight=False, no_color=not colour, markup=False, emoji=False)
    console.print(_headline(study, row), style="bold", markup=False)
    console.print()
    places = Places(source)
    records = derive_records(study, source) if source is not None else None
    for said in Histories(study, adam, records, places).of(row):
        _say(console, said)
    _assessments(console, study, adam, places, subject)
    lines = measure_lines(derive_courses(study, adam, records, {}), subject)
    if lines:
        console.print("Samples", style="bold")
        for title, words in lines:
            _say(console, f"{title[:1].upper()}{title[1:]}: {words}.")
        console.print()
    for item in study.endpoints:
        if endpoint in (None, item.id):
            _endpoint(console, study, adam, places, subject, item, full=endpoint is not None)
    return text.getvalue()


def _say(console: Console, text: str) -> None:
    console.print(
        textwrap.fill(text, console.width - 1, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False), markup=False
    )


def _headline(study: Study, row: Mapping[str, object]) -> str:
    band = {"example": " Example data: invented, not patients.", "virtual": " Virtual patient."}.get(study.study.provenance, "")
    who = ", ".join(
        str(part)
        for part in (
            _age(row),
            row["SEX"],
            f"site {row['SITEID']}" if row["SITEID"] else None,
        )
        if part
    )
    return f"Subject {row['USUBJID']}{f' ({who})' if who else ''}, study {study.study.id}.{band}"


def _age(row: Mapping[str, object]) -> str | None:
    years = row["AGE"]
    return None if years is None else f"{years:g} years"


def _assessments(console: Console, study: Study, adam: Adam, places: Places, subject: int) -> None:
    """Print the assessments: a table, or a sentence each where the terminal is too narrow for it. No date or call is cut short."""
    from rich import box
    from rich.table import Table

    frame = adam.adresp.filter(pl.col("SUBJ") == subject).sort("CARDAY", "READER")
    console.print()
    if frame.is_empty():
        console.print("No disease assessment was recorded.")
        return
    table = Table(title="Assessments", box=box.SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    # residual disease is of a remission
    of_remission = study.disease.marrow is not None
    names = ("Day", "Date", "Reader", "Status", "As collected", "Usable", *(["MRD"] if of_remission else []), "Source", "Flags")
    for name in names:
        bends = name in ("Usable", "Source", "Flags")
        table.add_column(name, justify="right" if name == "Day" else "left", no_wrap=not bends, overflow="fold")
    usubjid = adam.adsl.filter(pl.col("SUBJ") == subject)["USUBJID"][0]
    rows = []
    for row in frame.iter_rows(named=True):
        usable = "yes" if row["USABLE"] == "Y" else f"no: {row['REASON']}" if row["REASON"] else "no"
        values = [
            row["CARDAY"],
            row["ADT"],
            reader_name(row["READER"], study.disease.family.names.derived),
            row["AVALC"],
            row["ORRES"],
            usable,
        ]
        values += [row["MRD"]] if of_remission else []
        said = tuple("" if value is None else str(value) for value in values)
        rows.append((*said, places.of(row["SRCDOM"], usubjid, row["SRCSEQ"]), row["FLAGS"] or ""))
        table.add_row(*rows[-1])
    if console.measure(table, options=console.options.update(width=1_000)).minimum <= console.width:
        console.print(table)
        return
    console.print("Assessments", style="bold")
    for cells in rows:
        _say(console, ". ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell) + ".")
    console.print()


def _endpoint(console: Console, study: Study, adam: Adam, places: Places, subject: int, item: Endpoint, *, full: bool) -> None:
    rate = item.type != "time-to-event"
    frame = (adam.adrs if rate else adam.adtte).filter((pl.col("SUBJ") == subject) & (pl.col("PARAMCD") == item.id))
    console.print(f"{item.id}: {item.label}", style="bold", markup=False)
    usubjid = adam.adsl.filter(pl.col("SUBJ") == subject)["USUBJID"][0]
    variants = {variant.name: variant for variant in study.variants(item)}
    if full:
        for name, words in estimand_items(study, variants[""]):
            _say(console, f"{name}: {words}")
    if frame.is_empty():
        _say(console, f"Not in the population ({item.population}), so no value.")
        console.print()
        return
    rows = {row["VARIANT"]: row for row in frame.iter_rows(named=True)}
    main = rows.get("")
    if main is not None:
        _say(console, value_sentence(study, places, usubjid, main, rate=rate))
    same = []
    for name in [name for name in (*variants, *(name for name in rows if name not in variants)) if name and name in rows]:
        said = value_sentence(study, places, usubjid, rows[name], rate=rate)
        if main is not None and not full and said == value_sentence(study, places, usubjid, main, rate=rate):
            same.append(name)
        else:
            _say(console, f"Variant ({variant_words(name, item.type)}): {said}")
    outside = [name for name in variants if name and name not in rows]
    if outside:
        _say(console, f"Not in the population of the variants ({_listed(outside, item)}), so no value.")
    if same:
        _say(console, f"The same in the variants ({_listed(same, item)}).")
    console.print()


def _listed(names: list[str], item: Endpoint) -> str:
    """Return variants in words; a variant that changes several things has commas of its own."""
    return "; ".join(variant_words(name, item.type) for name in names)
