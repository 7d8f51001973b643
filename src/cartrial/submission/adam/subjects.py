"""Who is each subject? ADSL as it is submitted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.tables.safety.conduct import LEFT
from cartrial.analysis.tables.safety.deaths import death_causes
from cartrial.endpoints import level_column, number_column
from cartrial.errors import InputError
from cartrial.submission.adam.shaped import Shaped, finish, relative_day, required
from cartrial.submission.variables import CODES, SETS, Variable

if TYPE_CHECKING:
    from cartrial.endpoints import Adam
    from cartrial.sdtm import Source
    from cartrial.sdtm.records import Records
    from cartrial.study import Study

__all__ = ["characteristics", "shape_adsl"]

_COPIED = ("ETHNIC", "COUNTRY", "ARMCD", "ACTARM", "ACTARMCD")
_REQUIRED = ("SUBJID", "SITEID", "SEX", "RACE", "ARM")


def characteristics(study: Study) -> tuple[Variable, ...]:
    """Return the variables of ADSL that hold the study's baseline characteristics, with the Chinese labels that the study file gives them.

    Raises
    ------
    InputError
        If `submission.labels` names another variable.
    """
    found: dict[str, Variable] = {}
    for item in study.baseline:
        where = ".".join(part for part in (item.from_.domain, item.from_.variable or item.from_.testcd or "") if part)
        said = f"{item.from_.term or where}: the last value before lymphodepletion"
        if number_column(item) != item.id:
            number = _label(f"{item.label}, {item.unit}" if item.unit else item.label)
            found[number_column(item)] = Variable(number_column(item), "float", number, number, said)
        if item.cut:
            cuts = ", ".join(f"{cut:g}" for cut in item.cut)
            label = _label(f"{item.label}, class")
            found[level_column(item)] = Variable(level_column(item), "text", label, label, f"Classes of {item.label.lower()} cut at {cuts}")
        elif level_column(item) not in ("AGE", "SEX"):
            label = _label(item.label)
            found[level_column(item)] = Variable(level_column(item), "text", label, label, said)
    standard = {variable.name for variable in SETS["ADSL"].variables}
    own = {name: variable for name, variable in found.items() if name not in standard}
    labels = study.submission.labels
    if unknown := sorted(set(labels) - set(own)):
        right = f"The study's own variables are: {', '.join(own) or 'none'}"
        raise InputError(
            f"submission.labels names {unknown[0]}, which is no variable of the study's own", key="submission.labels", right=right
        )
    return tuple(replace(variable, chinese=labels.get(name, variable.chinese)) for name, variable in own.items())


def _label(words: str) -> str:
    """Return a label that fits: cut between words, never within one."""
    while len(words.encode()) > 40:
        words = words.rsplit(" ", 1)[0].rstrip(",") if " " in words else words[:40]
    return words


def shape_adsl(study: Study, source: Source, records: Records, adam: Adam) -> Shaped:
    """Return ADSL as it is submitted.

    Raises
    ------
    InputError
        If real data lack a required variable.
    """
    invented = adam.provenance != "real"
    dm = source.domains["DM"]
    chosen = [required(dm, name, domain="DM", invented=invented) for name in _REQUIRED]
    copied = [pl.col(name) for name in _COPIED if name in dm.columns]
    people = dm.select("USUBJID", *chosen, *copied, _age_unit(study, dm, invented=invented))
    more = characteristics(study)
    names = [
        v.name for v in SETS["ADSL"].variables if v.name in adam.adsl.columns and (v.name == "USUBJID" or v.name not in people.columns)
    ]
    names += [v.name for v in more if v.name in adam.adsl.columns and v.name not in (*names, *people.columns)]
    frame = adam.adsl.select("SUBJ", *(name for name in names if name != "PROVNC")).join(people, on="USUBJID", how="left")
    product, infused = pl.lit(study.product.name), pl.col("INFFL") == "Y"
    cutoff = study.study.cutoff
    died = pl.when(pl.col("DTHFL") == "Y").then("CAUSE").alias("DTHCAUS")
    frame = (
        frame.join(_last_dose(records), on="SUBJ", how="left")
        .join(death_causes(records), on="SUBJ", how="left")
        .join(_departures(records), on="SUBJ", how="left")
        .with_columns(
            died,
            pl.when(pl.col("ENRLFL") == "Y").then(product).alias("TRT01P"),
            pl.when(infused).then(product).alias("TRT01A"),
            pl.lit(cutoff, dtype=pl.Date).alias("CUTDT"),
            pl.lit(adam.provenance).alias("PROVNC"),
        )
    )
    if frame["AGE"].dtype == pl.String:
        frame = frame.with_columns(pl.col("AGE").cast(pl.Float64, strict=False))
    lists = {v.name: {level: level for level in _levels(study, v.name)} for v in more if v.kind == "text" and _levels(study, v.name)}
    return finish(SETS["ADSL"].with_more(more, before="TRTSDT"), frame, lists)


def _levels(study: Study, name: str) -> tuple[str, ...]:
    return next((item.levels for item in study.baseline if level_column(item) == name), ())


def _age_unit(study: Study, dm: pl.DataFrame, *, invented: bool) -> pl.Expr:
    """Return AGEU: as DM has it, else the unit that the study file gives the age; of invented or simulated data else years."""
    stated = next((item.unit.upper() for item in study.baseline if item.id == "AGE"), "YEARS" if invented else "")
    unit = pl.lit(stated if stated in CODES["AGEU"] else None, dtype=pl.String)
    found = pl.coalesce(pl.col("AGEU"), unit) if "AGEU" in dm.columns else unit
    if dm.select(found.null_count()).item():
        raise InputError("DM.AGEU is required in ADaM and is not recorded", file="dm", key="AGEU", right="Record it: YEARS, for example")
    return found.alias("AGEU")


def _last_dose(records: Records) -> pl.DataFrame:
    """Return the date of the last infusion of the product by the cutoff, of sources with dates."""
    people = records.subjects.filter("DATED").select("SUBJ", "CUTOFF")
    doses = records.doses.filter(pl.col("KIND") == "PRODUCT").join(people, on="SUBJ", how="inner").filter(pl.col("DAY") <= pl.col("CUTOFF"))
    return doses.group_by("SUBJ").agg(pl.col("DAY").max().cast(pl.Date).alias("TRTEDT"))


def _departures(records: Records) -> pl.DataFrame:
    """Return the date and the relative day of the first withdrawal or loss of each infused subject: SUBJ, EOSDT, EOSDY."""
    left = records.dispositions.filter(pl.col("KIND").cast(pl.String).is_in(list(LEFT))).group_by("SUBJ").agg(pl.col("DAY").min())
    people = records.subjects.filter(pl.col("DAY0") <= pl.col("CUTOFF")).select("SUBJ", "DAY0", "DATED").join(left, on="SUBJ")
    date = pl.when("DATED").then(pl.col("DAY")).cast(pl.Int32).cast(pl.Date)
    return people.select("SUBJ", date.alias("EOSDT"), relative_day(pl.col("DAY") - pl.col("DAY0")).cast(pl.Int64).alias("EOSDY"))
