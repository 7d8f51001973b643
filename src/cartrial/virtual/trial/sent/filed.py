"""How are the records of a virtual trial filed as SDTM? Names, dates, study days, epochs and visits, and what a submission asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cartrial.sdtm.records import READERS
from cartrial.sdtm.source import DTYPES
from cartrial.sdtm.vocabulary.schema import kind_of
from cartrial.study.criteria.codes import RESPONSES
from cartrial.virtual.trial.arrivals import NEVER, Plan
from cartrial.virtual.trial.assays import HEMODILUTE, NAMED
from cartrial.virtual.trial.rows import CARE_CRS, CARE_ICANS, NEUTROPENIA, THROMBOCYTOPENIA, Rows
from cartrial.virtual.trial.sent.demography import draw_origin, load_demography
from cartrial.virtual.trial.sent.order import ORDER
from cartrial.virtual.trial.sent.weight import asks_for_weight, draw_weights
from cartrial.virtual.trial.visits import EARLY

__all__ = ["file_domains", "weights_of"]

Days = NDArray[np.int64]
# what a variable is: a column of the rows, or made of them
Columns = dict[str, str | pl.Expr | pl.Series]

_READERS = {
    "INV": ("INVESTIGATOR", None),
    "READER 1": ("INDEPENDENT ASSESSOR", "READER 1"),
    "READER 2": ("INDEPENDENT ASSESSOR", "READER 2"),
    "ADJUDICATOR": ("INDEPENDENT ASSESSOR", "ADJUDICATOR"),
}
_MILESTONES = ("INFORMED CONSENT OBTAINED", "ENROLLED", "PRODUCT RELEASED")
_MILESTONE, _EVENT = "PROTOCOL MILESTONE", "DISPOSITION EVENT"
_SCREENED, _UNTREATED = "SCREEN FAILURE", "ASSIGNED, NOT TREATED"
# samples before the infusion that are planned; the last one before exposure
_BEFORE = ("SCREENING", "BASELINE")
_LAST_BEFORE = 1


def _date(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int32).cast(pl.Date).dt.to_string("%Y-%m-%d")


def _day(column: str) -> pl.Expr:
    """Return the study day of a day: RFSTDTC is day 1, and there is no day 0; null for those never infused."""
    elapsed = pl.col(column) - pl.col("DAY0")
    return pl.when(pl.col("DAY0") < NEVER).then(elapsed + (elapsed >= 0).cast(pl.Int32)).cast(pl.Float64)


def _of(values: Sequence[object], at: pl.Series) -> pl.Series:
    return pl.Series(list(values), strict=False).gather(at)


def _known(column: str, day: Days) -> pl.Expr:
    return pl.when(pl.Series(day < NEVER)).then(_date(column))


def file_domains(plan: Plan, rows: Rows, subjects: pl.DataFrame, lab: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the domains of one trial, their variables in the order of the implementation guide, with ROW.

    Parameters
    ----------
    plan : Plan
    rows : Rows
        With all that is sent.
    subjects : polars.DataFrame
        Of `Records`, with STUDYID and USUBJID.
    lab : polars.DataFrame
        LB with its codes in words.
    """
    people, frames = rows.people, rows.domains
    infused = people.infused
    who = {
        "DAY0": np.where(infused, people.infusion, NEVER),
        "BEGUN": people.enrolled,
        "OVER": np.where(infused, people.infusion, people.lost),
    }
    about = subjects.select("STUDYID", "USUBJID", *(pl.Series(name, day.astype(np.int32)) for name, day in who.items()))
    columns: dict[str, Columns] = {
        "DM": _demographics(plan, rows, subjects),
        "DS": {"DSTERM": "KIND", "DSDECOD": "KIND", "DSCAT": _either(pl.col("KIND").is_in(_MILESTONES), _MILESTONE, _EVENT)},
        "PR": {"PRTRT": "KIND"},
        "EX": {
            **{"EXTRT": "TRT", "EXDOSE": "AMOUNT", "EXDOSU": "UNIT", "EXDOSFRQ": pl.lit("ONCE"), "EXROUTE": pl.lit("INTRAVENOUS")},
            **{"EXDOSFRM": _either(pl.col("KIND") == "PRODUCT", "SUSPENSION", "INJECTION"), "EXENDTC": _date("DAY"), "EXENDY": _day("DAY")},
        },
        "CM": _medication(plan),
        "LB": _laboratory(frames["LB"]),
        "RS": _calls(plan, frames["RS"]),
        "FA": {
            **{"FATESTCD": pl.lit("OCCUR"), "FATEST": pl.lit("Occurrence Indicator"), "FAOBJ": pl.lit("EXTRAMEDULLARY DISEASE")},
            **{name: _either(pl.col("PRESENT") == 1, "PRESENT", "ABSENT") for name in ("FAORRES", "FASTRESC")},
            "FALOBXFL": pl.when(pl.col("VISIT") == _LAST_BEFORE).then(pl.lit("Y")),
        },
        "AE": {
            **{"AETERM": "DECOD", "AEDECOD": "DECOD", "AEBODSYS": "BODSYS", "AESER": "SER", "AEREL": "REL", "AEOUT": "OUT"},
            **{"AETOXGR": pl.col("TOXGR").cast(pl.String), "AEENDTC": _date("ENDDAY"), "AEENDY": _day("ENDDAY")},
            "AECONTRT": _treated(rows),
        },
        "SS": {
            **{"SSTESTCD": pl.lit("SURVSTAT"), "SSTEST": pl.lit("Survival Status")},
            **{name: _either(pl.col("ALIVE"), "ALIVE", "DEAD") for name in ("SSORRES", "SSSTRESC")},
        },
        "DD": {
            **{"DDTESTCD": pl.lit("PRCDTH"), "DDTEST": pl.lit("Primary Cause of Death")},
            **{"DDORRES": "CAUSE", "DDSTRESC": "CAUSE"},
        },
        "MH": {
            **{"MHTERM": "TERM", "MHDECOD": "TERM", "MHCAT": pl.lit("PRIOR"), "MHPRESP": pl.lit("Y"), "MHOCCUR": "OCCUR"},
        },
    }
    made = {name: lab if name == "LB" else subjects if name == "DM" else frames[name] for name in columns}
    if asks_for_weight(plan.study):
        made["VS"], columns["VS"] = weights_of(plan, rows), _weights()
    visits = _visits(plan)
    return {name: _filed(name, frame, columns[name], about, visits) for name, frame in made.items()}


def _either(which: pl.Expr, one: str, other: str) -> pl.Expr:
    return pl.when(which).then(pl.lit(one)).otherwise(pl.lit(other))


def _filed(name: str, frame: pl.DataFrame, columns: Columns, about: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    """Return the variables of a domain in their order: what is said of it, who, when, at which visit and in which epoch."""
    subject = frame["SUBJ"]
    frame = frame.with_columns(about.get_columns() if name == "DM" else [column.gather(subject) for column in about.get_columns()])
    timing = {"DS": "DSST", "PR": "PRST", "EX": "EXST", "CM": "CMST", "AE": "AEST"}.get(name, name)
    common: Columns = {"STUDYID": "STUDYID", "DOMAIN": pl.lit(name), "USUBJID": "USUBJID"}
    if name != "DM":
        day = pl.col("DAY")
        epoch = pl.when(day < pl.col("BEGUN")).then(pl.lit("SCREENING")).when(day <= pl.col("OVER")).then(pl.lit("TREATMENT"))
        common |= {f"{name}SEQ": "SEQ", f"{timing}DTC": _date("DAY"), f"{timing}DY": _day("DAY")}
        common["EPOCH"] = epoch.otherwise(pl.lit("FOLLOW-UP"))
    if "VISIT" in frame.columns:
        common |= {column.name: column.gather(frame["VISIT"]) for column in visits.get_columns()}
    said = common | columns
    chosen = []
    for variable in ORDER[name]:
        value = said[variable]
        value = pl.col(value) if isinstance(value, str) else value
        chosen.append(value.cast(DTYPES[kind_of(name, variable)]).alias(variable))
    return frame.select(*chosen, (pl.int_range(pl.len(), dtype=pl.Int64) + 2).alias("ROW"))


def _visits(plan: Plan) -> pl.DataFrame:
    """Return number, name and planned study day of the samples and visits."""
    planned = plan.study.disease.visits
    start = int(plan.settings.treatment.lymphodepletion_start.value)
    names = [*_BEFORE, *(f"DAY {day}" for day in EARLY), *(visit.name.upper() for visit in planned)]
    days = [None, -start - 1, *(day + 1 for day in EARLY), *(visit.day + 1 for visit in planned)]
    return pl.DataFrame({"VISITNUM": range(1, len(names) + 1), "VISIT": names, "VISITDY": days})


def _last_contacts(rows: Rows) -> Days:
    """Return the last day of which there is a record of each subject."""
    last = rows.people.consent.copy()
    for frame in rows.domains.values():
        subject = frame["SUBJ"].to_numpy()
        for name in ("DAY", "ENDDAY"):
            if name in frame.columns:
                np.maximum.at(last, subject, frame[name].fill_null(0).to_numpy().astype(np.int64))
    return np.where(rows.deaths < NEVER, rows.deaths, last)


def _demographics(plan: Plan, rows: Rows, subjects: pl.DataFrame) -> Columns:
    """Return DM. Race and ethnic group are drawn for files alone; no endpoint reads them."""
    people, study = rows.people, plan.study
    enrolled, infused = people.enrolled < NEVER, people.infused
    race, ethnic = draw_origin(load_demography(study.study.id, plan.population.id), plan.keys(people.trial, people.subject))
    dose = rows.domains["EX"]
    first, last = np.full(len(people), NEVER), np.full(len(people), -NEVER)
    np.minimum.at(first, dose["SUBJ"].to_numpy(), dose["DAY"].to_numpy())
    np.maximum.at(last, dose["SUBJ"].to_numpy(), dose["DAY"].to_numpy())
    ended = _last_contacts(rows)

    def dated(day: Days, where: NDArray[np.bool_]) -> pl.Series:
        found = pl.Series(np.where(where, day, 0).astype(np.int32)).cast(pl.Date).dt.to_string("%Y-%m-%d")
        return found.zip_with(pl.Series(where), pl.Series([None], dtype=pl.String))

    def where(who: NDArray[np.bool_], word: str) -> pl.Series:
        return pl.Series([None, word], dtype=pl.String).gather(who.astype(np.uint32))

    died = rows.deaths < NEVER
    arm, reason = study.product.name, np.where(enrolled, np.where(infused, 0, 2), 1)
    return {
        "SUBJID": subjects["USUBJID"].str.strip_prefix(f"{subjects['STUDYID'][0]}-") if len(people) else subjects["USUBJID"],
        **{"RFSTDTC": dated(people.infusion, infused), "RFENDTC": dated(ended, infused)},
        **{"RFXSTDTC": dated(first, infused), "RFXENDTC": dated(last, infused)},
        **{"RFICDTC": dated(people.consent, people.consent < NEVER), "RFPENDTC": dated(ended, ended < NEVER)},
        **{"DTHDTC": dated(rows.deaths, died), "DTHFL": where(died, "Y"), "AGEU": pl.lit("YEARS"), "RACE": race, "ETHNIC": ethnic},
        **{name: name for name in ("SITEID", "AGE", "SEX", "ARMCD", "COUNTRY")},
        **{"ARM": where(enrolled, arm), "ACTARM": where(infused, arm), "ACTARMCD": pl.when(pl.Series(infused)).then(pl.col("ARMCD"))},
        "ARMNRS": pl.Series([None, _SCREENED, _UNTREATED], dtype=pl.String).gather(reason.astype(np.uint32)),
        **{"DMDTC": _date("CONSENT"), "DMDY": _day("CONSENT")},
    }


def _medication(plan: Plan) -> Columns:
    """Return CM: doses of what low counts and toxicities bring; other drugs are given without one."""
    care = plan.settings.support
    doses = {
        "TOCILIZUMAB": (care.tocilizumab_dose, "ONCE", "INTRAVENOUS"),
        "DEXAMETHASONE": (care.dexamethasone_dose, "QD", "INTRAVENOUS"),
        "FILGRASTIM": (care.growth_factor_dose, "QD", "SUBCUTANEOUS"),
    }

    def of(values: dict[str, object], dtype: type[pl.DataType]) -> pl.Expr:
        return pl.col("TRT").replace_strict(values, default=None, return_dtype=dtype)

    return {
        **{"CMTRT": "TRT", "CMDECOD": "TRT", "CMCAT": "KIND", "CMINDC": "INDC"},
        "CMDOSE": of({drug: dose.value for drug, (dose, _, _) in doses.items()}, pl.Float64),
        "CMDOSU": of({drug: dose.unit for drug, (dose, _, _) in doses.items()}, pl.String),
        "CMDOSFRQ": of({drug: often for drug, (_, often, _) in doses.items()}, pl.String),
        "CMROUTE": of({drug: route for drug, (_, _, route) in doses.items()}, pl.String),
        **{"CMENDTC": _date("ENDDAY"), "CMENDY": _day("ENDDAY")},
    }


def weights_of(plan: Plan, rows: Rows) -> pl.DataFrame:
    """Return the weight of each subject on the day of consent: SUBJ, DAY, VALUE, VISIT, SEQ."""
    people = rows.people
    drawn = draw_weights(plan.keys(people.trial, people.subject), people.age, people.female)
    frame = pl.DataFrame({"SUBJ": np.arange(len(people), dtype=np.int32), "DAY": people.consent.astype(np.int32), "VALUE": drawn})
    return frame.with_columns(pl.lit(0, dtype=pl.UInt32).alias("VISIT"), pl.lit(1, dtype=pl.Int64).alias("SEQ"))


def _weights() -> Columns:
    number = pl.col("VALUE").cast(pl.String).str.replace(r"\.0$", "")
    return {
        **{"VSTESTCD": pl.lit("WEIGHT"), "VSTEST": pl.lit("Weight"), "VSORRES": number, "VSSTRESC": number, "VSSTRESN": "VALUE"},
        **{name: pl.lit("kg") for name in ("VSORRESU", "VSSTRESU")},
    }


def _laboratory(coded: pl.DataFrame) -> Columns:
    """Return LB, whose number is text as collected and in standard form; below the limit as `<limit`."""
    number = pl.col("VALUE").cast(pl.String).str.replace(r"\.0$", "")
    limit = pl.lit("<") + pl.col("LLOQ").cast(pl.String).str.replace(r"\.0$", "")
    unit = pl.when(~pl.col("THIN")).then(pl.col("UNIT"))
    test = coded["TEST"]
    last = pl.Series((coded["VISIT"] == _LAST_BEFORE) & (coded["VALUE"] != HEMODILUTE))
    return {
        **{"LBTESTCD": "TEST", "LBTEST": _of([item.name for item in NAMED], test), "LBCAT": _of([item.category for item in NAMED], test)},
        **{"LBSPEC": "SPEC", "LBMETHOD": "METHOD", "LBLOD": "LOD", "LBLLOQ": "LLOQ", "LBORRESU": unit, "LBSTRESU": unit},
        "LBORRES": pl.coalesce(number, pl.when(pl.col("WORD") == "BLQ").then(limit).otherwise(pl.col("WORD"))),
        **{"LBSTRESC": pl.coalesce(number, "WORD"), "LBSTRESN": "VALUE"},
        "LBSTAT": pl.when("THIN").then(pl.lit("NOT DONE")),
        "LBREASND": pl.when("THIN").then(pl.lit("HEMODILUTE")),
        "LBLOBXFL": pl.when(last).then(pl.lit("Y")),
    }


def _calls(plan: Plan, calls: pl.DataFrame) -> Columns:
    """Return RS."""
    call = _of(RESPONSES, calls["RESP"].cast(pl.UInt32))
    who, reader = calls["READER"].cast(pl.UInt32), [_READERS[READERS[i]] for i in range(4)]
    return {
        "RSCAT": pl.lit(plan.study.disease.criteria.name.upper()),
        **{"RSTESTCD": pl.lit("OVRLRESP"), "RSTEST": pl.lit("Overall Response"), "RSORRES": call, "RSSTRESC": call},
        **{"RSEVAL": _of([item[0] for item in reader], who), "RSEVALID": _of([item[1] for item in reader], who)},
    }


def _treated(rows: Rows) -> pl.Series:
    """Say of each adverse event whether the subject was given anything for it: Y or N."""
    care, given = rows.domains["CM"], rows.domains["PR"]

    def among(frame: pl.DataFrame, where: pl.Expr) -> NDArray[np.bool_]:
        found = np.zeros(len(rows.people), bool)
        found[frame.filter(where)["SUBJ"].to_numpy()] = True
        return found

    treated = {
        CARE_CRS: among(care, pl.col("INDC") == CARE_CRS),
        CARE_ICANS: among(care, pl.col("INDC") == CARE_ICANS),
        NEUTROPENIA: among(care, pl.col("INDC") == NEUTROPENIA),
        THROMBOCYTOPENIA: among(given, pl.col("KIND") == "PLATELET TRANSFUSION"),
    }
    events = rows.domains["AE"]
    term, subject = events["DECOD"].to_numpy(), events["SUBJ"].to_numpy()
    yes = np.zeros(events.height, bool)
    for name, some in treated.items():
        yes |= (term == name) & some[subject]
    return pl.Series(["N", "Y"]).gather(yes.astype(np.uint32))
