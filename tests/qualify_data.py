"""What does `cartrial qualify` ship to be compared with? Made of R's figures and of the truth tables, which stand in the tests.

python tests/qualify_data.py      writes src/cartrial/qualify/data anew
"""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ORACLE = ROOT / "tests" / "oracle"
TRUTH = ROOT / "tests" / "truth"
DATA = ROOT / "src" / "cartrial" / "qualify" / "data"


SETS = [
    "camis10",
    "half",
    "half_gap",
    "half_flat_end",
    "half_float_above",
    "half_float_below",
    "quartile_exact",
    "ties",
    "event_censor_tie",
    "all_censored",
    "no_censoring",
    "single_event",
    "single_censored",
    "one_event_last",
    "late_entry_of_event",
    "day_one",
    "two_groups_ties",
    "separated",
    "tg_test1",
    "cr8",
    "cr_ties",
    "cr_one_cause",
    "kinetics",
    "weighted",
]
"""Data sets that were made by hand or drawn for the tests: they may be shipped, unlike those of others."""
ONE_OF = 25
"""Of the 1,500 random sets of few against many, one in so many."""


def stored_figures() -> dict[str, Any]:
    """Return R's figures of what needs no data set of others, and Simon's tables."""
    held, design, survival, models, evidence, weighted = (
        json.loads((ORACLE / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("oracle", "design_exact", "design_survival", "models", "evidence", "weighted")
    )
    kept = {key: held[key] for key in ("meta", "proportions", "kappa", "random_sets", "random_competing", "kinetics_summary")}
    curves = ("km_quantile", "km_landmark", "reverse_km", "rmst", "aalen_johansen", "cuminc_gray")
    tests = {"logrank": "two_groups_ties", "cox": "two_groups_ties tg_test1", "cox_firth": "separated two_groups_ties", "fine_gray": "cr"}
    return {
        **kept,
        "sets": {name: _columns(name) for name in SETS},
        **{key: {name: one for name, one in held[key].items() if name in SETS} for key in curves},
        **{key: {name: one for name, one in held[key].items() if name.startswith(tuple(of.split()))} for key, of in tests.items()},
        "models": _models(models),
        "no_censoring": models["no_censoring"],
        "near_ties": models["near_ties"],
        "rate_methods": evidence["rate_methods"],
        "pooled_exact": evidence["pooled_exact"],
        "pooled_normal": evidence["pooled_normal"],
        "weighted": weighted,
        "design": {
            **{key: design[key] for key in ("single", "two_stage", "looks", "spending", "fleming", "inference", "bryant_day")},
            "simon": _simon(),
        },
        "survival": survival,
    }


def _columns(name: str) -> dict[str, list[Any]]:
    rows = list(csv.DictReader((ORACLE / "data" / f"{name}.csv").read_text(encoding="utf-8").splitlines()))
    return {key: [_cell(row[key]) for row in rows] for key in rows[0]}


def _cell(text: str) -> Any:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _models(models: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one in `ONE_OF` of the random sets, with R's Cox models of one covariate and of two, and its Fine-Gray model."""
    sys.path[:0] = [str(ROOT / "tests")]
    from model_sets import SETS as RANDOM
    from model_sets import model_set

    def of(key: str, at: int) -> dict[str, Any]:
        one = models[key]
        return {"coef": [row[at] for row in one["coef"]], "se": [row[at] for row in one["se"]], "warned": one["warned"][at]}

    return [
        {"number": i, "data": model_set(i).to_dict(as_series=False)}
        | {"cox": of("random_cox", i), "cox_two": of("random_cox_two", i // 5), "fine_gray": of("random_fine_gray", i)}
        for i in range(0, RANDOM, ONE_OF)
    ]


def _simon() -> list[dict[str, Any]]:
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "design")]
    from test_exact_simon import C1

    rows = []
    for line in C1.strip().splitlines():
        parts = line.split()
        rows.append({"errors": [float(part) for part in parts[:4]], "optimal": _printed(parts[4:8]), "minimax": _printed(parts[8:])})
    return rows


def _printed(parts: list[str]) -> list[float]:
    first, both, expected, stop = parts
    return [*(float(part) for pair in (first, both) for part in pair.split("/")), float(expected), float(stop)]


def truth_archive() -> bytes:
    """Return the studies of the truth tables with their expected values, the same bytes each time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in _files():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return held.getvalue()


def _files() -> list[tuple[str, Path]]:
    """Return what the archive holds, by name: study file, data and expected values of each study that is derived."""
    examples = {name: TRUTH / f"{name.replace('-', '_')}_expected.csv" for name in ("worked", "worked-children", "worked-lymphoma")}
    own = {path.parent.name: path for path in TRUTH.glob("*/expected.csv") if path.parent.name != "death_nodate"}
    found = []
    for name, expected in sorted((examples | own).items()):
        folder = ROOT / "examples" / name if name in examples else TRUTH / name
        found += [(f"{name}/{path.name}", path) for path in [folder / "study.yaml"]]
        found += [(f"{name}/data/{path.name}", path) for path in sorted((folder / "data").iterdir()) if path.is_file()]
        found.append((f"{name}/expected.csv", expected))
        status = expected.with_name(expected.name.replace("expected.csv", "expected_status.csv"))
        found += [(f"{name}/expected_status.csv", status)] if status.is_file() else []
    return found


def members(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive by name."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    (DATA / "figures.json").write_text(json.dumps(stored_figures(), separators=(",", ":")) + "\n", encoding="utf-8")
    (DATA / "truth.zip").write_bytes(truth_archive())
