"""Many trials from one: records of an invented trial, repeated with new keys. Used by the benchmarks and by the tests of equality."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from cartrial.sdtm.records import READERS, Records
from cartrial.study.criteria.codes import RESPONSES

TABLES = ("calls", "labs", "lesions", "doses", "procedures", "therapies", "dispositions", "survival", "adverse", "deaths")
VISIT_DAYS = (28, 60, 90, 135, 180, 225, 270, 360, 540, 720)
EPOCH = dt.date(1970, 1, 1)


def tile_records(records: Records, trials: int, first: int = 0) -> Records:
    """Repeat the records of one trial: TRIAL from `first` on, SUBJ renumbered within what is returned."""
    subjects = records.subjects.height

    def tiled(frame: pl.DataFrame) -> pl.DataFrame:
        copies = pl.DataFrame({"COPY": np.arange(trials, dtype=np.int32)})
        repeated = copies.join(frame, how="cross", maintain_order="left_right")
        return repeated.with_columns((pl.col("SUBJ") + pl.col("COPY") * subjects).cast(pl.Int32).alias("SUBJ"))

    people = (
        tiled(records.subjects)
        .with_columns((pl.col("COPY") + first).cast(pl.Int32).alias("TRIAL"))
        .drop("COPY", "STUDYID", "USUBJID", strict=False)
    )
    return Records(people, *(tiled(getattr(records, name)).drop("COPY") for name in TABLES), provenance=records.provenance)


def one_trial(subjects: int = 48, seed: int = 1) -> Records:
    """Return an invented trial: 10 visits, each read by the investigator, two readers and, where they differ, an adjudicator."""
    rng = np.random.default_rng(seed)
    cutoff, start = (dt.date(2024, 6, 30) - EPOCH).days, (dt.date(2021, 3, 1) - EPOCH).days
    day0 = start + np.sort(rng.integers(0, 700, subjects))
    remission, relapse = rng.random(subjects) < 0.8, rng.exponential(500, subjects)
    rows: list[tuple[int, int, str, str]] = []
    for s in range(subjects):
        for day in VISIT_DAYS:
            truth = ("RELAPSE" if day > relapse[s] else ("CR" if rng.random() < 0.7 else "CRi")) if remission[s] else "NR"
            reads = [truth if rng.random() < 0.95 else rng.choice(["CR", "CRi", "NR", "NE"]) for _ in range(4)]
            rows += [(s, day0[s] + day, reader, str(call)) for reader, call in zip(READERS[:4], reads, strict=True)]
    who, when, reader, call = zip(*rows, strict=True)
    calls = pl.DataFrame(
        {
            "SUBJ": np.array(who, np.int32),
            "DAY": np.array(when, np.int32),
            "DAYX": np.array(when, np.int32),
            "READER": np.array([READERS.index(name) for name in reader], np.int8),
            "RESP": np.array([RESPONSES.index(name) for name in call], np.int8),
            "SEQ": np.arange(len(rows)),
        }
    ).sort("SUBJ", "DAY", "SEQ")
    ids = np.arange(subjects, dtype=np.int32)
    no_text = pl.Series([None] * subjects, dtype=pl.String)
    people = pl.DataFrame(
        {
            "SUBJ": ids,
            "TRIAL": np.zeros(subjects, np.int32),
            "STUDYID": ["INVENTED"] * subjects,
            "USUBJID": [f"INVENTED-{i + 1:03d}" for i in range(subjects)],
            "SITEID": [f"{i % 10:02d}" for i in range(subjects)],
            "AGE": rng.integers(18, 70, subjects).astype(float),
            "SEX": rng.choice(["F", "M"], subjects),
            "COUNTRY": no_text,
            "ARMCD": no_text,
            "DATED": [True] * subjects,
            **{
                name: (day0 - back).astype(np.int32)
                for name, back in (
                    ("DAY0", 0),
                    ("CONSENT", 45),
                    ("ENROLLED", 40),
                    ("LEUK", 35),
                    ("RELEASED", 10),
                    ("LDSTART", 5),
                    ("RFST", 0),
                )
            },
            "CUTOFF": np.full(subjects, cutoff, np.int32),
        }
    )
    dead = np.flatnonzero(rng.random(subjects) < 0.3)
    death = (day0[dead] + rng.integers(150, 900, len(dead))).astype(np.int32)
    transplanted = np.flatnonzero(rng.random(subjects) < 0.2)
    transplant = (day0[transplanted] + rng.integers(60, 200, len(transplanted))).astype(np.int32)
    seq = pl.lit(1, dtype=pl.Int64).alias("SEQ")
    deaths = pl.DataFrame({"SUBJ": ids[dead], "DAY": death, "DAYX": death}).with_columns(
        pl.lit("DM").alias("SRCDOM"), pl.lit("DTHDTC").alias("SRCVAR"), seq
    )
    kind = pl.lit("ALLOGENEIC STEM CELL TRANSPLANT").alias("KIND")
    procedures = pl.DataFrame({"SUBJ": ids[transplanted], "DAY": transplant, "DAYX": transplant}).with_columns(kind, seq)
    dosed = pl.DataFrame({"SUBJ": ids, "DAY": day0.astype(np.int32), "DAYX": day0.astype(np.int32)})
    doses = dosed.with_columns(
        pl.lit("PRODUCT").alias("KIND"), pl.lit("PRODUCT").alias("TRT"), pl.lit(1.0).alias("AMOUNT"), pl.lit("CELLS").alias("UNIT"), seq
    )
    alive = pl.DataFrame({"SUBJ": ids, "DAY": np.minimum(cutoff, day0 + 900).astype(np.int32)}).join(
        deaths.select("SUBJ"), on="SUBJ", how="anti"
    )
    survival = alive.select("SUBJ", "DAY", pl.col("DAY").alias("DAYX"), pl.lit(True).alias("ALIVE"), seq)
    base = {"SUBJ": pl.Int32, "DAY": pl.Int32, "DAYX": pl.Int32}
    labs = {
        "TEST": pl.String,
        "SPEC": pl.String,
        "VALUE": pl.Float64,
        "REL": pl.Int8,
        "LIMIT": pl.Float64,
        "LLOQ": pl.Float64,
        "LOD": pl.Float64,
    }
    labs |= {"DONE": pl.Boolean, "TAKEN": pl.Boolean, "METHOD": pl.String}
    adverse = {
        "ENDDAY": pl.Int32,
        "ENDDAYX": pl.Int32,
        "DECOD": pl.String,
        "BODSYS": pl.String,
        "TOXGR": pl.Int8,
        "SER": pl.String,
        "REL": pl.String,
        "OUT": pl.String,
    }
    end = {"SEQ": pl.Int64}
    return Records(
        subjects=people,
        calls=calls,
        labs=pl.DataFrame(schema={**base, **labs, **end}),
        lesions=pl.DataFrame(schema={**base, "PRESENT": pl.Int8, **end}),
        doses=doses,
        procedures=procedures,
        therapies=pl.DataFrame(schema={**base, "KIND": pl.String, "TRT": pl.String, **end}),
        dispositions=pl.DataFrame(schema={**base, "KIND": pl.String, **end}),
        survival=survival,
        adverse=pl.DataFrame(schema={**base, **adverse, **end}),
        deaths=deaths,
        provenance="example",
    )
