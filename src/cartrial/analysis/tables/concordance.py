"""How do the readers of a study compare: cross-tables, agreement, kappa, and censoring that one reader's relapse explains?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from cartrial.analysis.estimators.agreement import estimate_agreement
from cartrial.analysis.results import build_rows
from cartrial.analysis.tables.reads import bests_of, code_reads, pairs_of
from cartrial.analysis.wording import PROPORTION
from cartrial.coded import CODED, rank_codes
from cartrial.study.criteria.codes import words_of

if TYPE_CHECKING:
    from cartrial.study import Study
    from cartrial.study.criteria.families import Family

__all__ = ["PAIRS", "concordance_rows"]

PAIRS = (("READER 1", "READER 2"), ("IRC", "INV"))
"""Which readers are compared."""


def _method(family: Family) -> str:
    """Say on what two readers are compared."""
    named = [name if name == "/".join(sorted(group)) else f"{name} ({', '.join(group)})" for name, group in family.agreement.items()]
    each = f"{', '.join(named)} and each other call" if named else "each call"
    return f"Cohen's kappa on {each}; limits by Fleiss, Cohen and Everitt"


def concordance_rows(
    study: Study, adresp: pl.DataFrame, adtte: pl.DataFrame, labels: pl.DataFrame, conf_level: float
) -> list[pl.DataFrame]:
    """Rows on the agreement of readers.

    Parameters
    ----------
    study : Study
    adresp : polars.DataFrame
        TRIAL, SUBJ, READER, CARDAY, AVALC, USABLE (Y/N).
    adtte : polars.DataFrame
        As `times.survival_rows`, with READER, EVNTDESC and CNSDTDSC.
    labels : polars.DataFrame
    conf_level : float

    Returns
    -------
    list of polars.DataFrame
        For each pair of readers, endpoint `visit` (reads after day 0 paired by date) and `best` (best response): N, agreement, kappa with
        limits, and n by cell (`by` READER 1 | READER 2, `level` CR | CRi). For each time to event by the committee: n of those censored for
        new therapy whom the investigator had called relapsed and the committee had not (`by` relapse).
    """
    frames: list[pl.DataFrame] = []
    family = study.disease.family
    coded = code_reads(adresp.filter(pl.col("CARDAY") > 0).select("TRIAL", "SUBJ", "READER", "CARDAY", "AVALC", "USABLE"))
    for first, second in PAIRS:
        for name, pairs in (("visit", pairs_of(coded, first, second)), ("best", bests_of(coded, first, second, family.best_first))):
            if pairs.height:
                frames.extend(_pair_rows(family, pairs, name, (first, second), conf_level))
    frames.extend(_informative_rows(study, coded.frame, adtte, labels))
    return frames


def _category(calls: pl.Series, family: Family) -> pl.Series:
    """Return the category of each call, found once for each call that there is."""
    codes, values = rank_codes(calls)
    return values.cast(pl.String).replace(family.categories).cast(CODED).gather(codes)


def _pair_rows(family: Family, pairs: pl.DataFrame, endpoint: str, readers: tuple[str, str], conf_level: float) -> list[pl.DataFrame]:
    first, second = readers
    categories = pairs.with_columns(_category(pairs[name], family).alias(f"{name}_CATEGORY") for name in ("FIRST", "SECOND"))
    found = estimate_agreement(categories, first="FIRST_CATEGORY", second="SECOND_CATEGORY", conf_level=conf_level)
    found = found.rename({"TRIAL": "trial"}).with_columns(pl.col("lower", "upper").clip(-1, 1))
    level = pl.concat_str("FIRST", "SECOND", separator=" | ").alias("level")
    cells = pairs.group_by("FIRST", "SECOND", trial="TRIAL").len("n").with_columns(level).sort("trial", "level")
    common = {"analysis": "concordance", "endpoint": endpoint, "reader": f"{first} and {second}", "by": f"{first} | {second}"}
    return [
        build_rows(found, ("N",), **common),
        build_rows(
            found, {"agreement": PROPORTION, "kappa": "", "lower": "", "upper": ""}, method=_method(family), conf_level=conf_level, **common
        ),
        build_rows(cells, ("n",), **common),
    ]


def _informative_rows(study: Study, reads: pl.DataFrame, adtte: pl.DataFrame, labels: pl.DataFrame) -> list[pl.DataFrame]:
    """Censoring that may be informative: the investigator saw the relapse, the committee was not asked in time."""
    if study.readers.primary != "IRC" or adtte.is_empty():
        return []
    relapse = reads.filter(pl.col("AVALC").is_in(words_of(study.disease.family.roles.ends))).select("TRIAL", "SUBJ", "READER").unique()
    seen = relapse.filter(pl.col("READER") == "INV").join(relapse.filter(pl.col("READER") == "IRC"), on=["TRIAL", "SUBJ"], how="anti")
    if seen.is_empty():
        return []
    main = adtte.filter((pl.col("VARIANT") == "") & (pl.col("CNSR") == 1) & (pl.col("CNSDTDSC").cast(pl.String) == "new-therapy"))
    found = main.join(seen, on=["TRIAL", "SUBJ"], how="semi").group_by("PARAMCD", "VARIANT", "TRIAL").len("n").sort("PARAMCD", "TRIAL")
    wide = found.join(labels, on=["PARAMCD", "VARIANT"], how="inner", maintain_order="left").rename({"TRIAL": "trial"})
    event = study.disease.family.names.event
    return [build_rows(wide, ("n",), analysis="concordance", by=event, level="by INV, then new therapy; none by IRC")]
