"""What does `cartrial qualify` ship to be compared with? Made of R's figures and of the truth tables, which stand in the tests.

python tests/qualify_data.py      writes src/cartrial/qualify/data anew
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ORACLE = ROOT / "tests" / "oracle"
TRUTH = ROOT / "tests" / "truth"
DATA = ROOT / "src" / "cartrial" / "qualify" / "data"


def stored_figures() -> dict[str, Any]:
    """Return R's figures of what needs no data set of others, and Simon's tables."""
    held = json.loads((ORACLE / "oracle.json").read_text(encoding="utf-8"))
    design = json.loads((ORACLE / "design_exact.json").read_text(encoding="utf-8"))
    kept = {key: held[key] for key in ("meta", "proportions", "kappa", "random_sets", "random_competing")}
    return {**kept, "design": {**{key: design[key] for key in ("single", "two_stage", "looks")}, "simon": _simon()}}


def _simon() -> list[dict[str, Any]]:
    import sys

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
