"""How are reconstructed individuals kept, so that nobody takes them for data?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cartrial.errors import InputError
from cartrial.evidence.curves.reconstruct import PROVENANCE, Reconstruction
from cartrial.evidence.registry.stated import NOT_STATED
from cartrial.faults import nearest
from cartrial.files import built_beside

__all__ = ["FILES", "UNITS", "check_unit", "read_written", "require_unit", "write_reconstruction"]

FILES = ("quality.json", "curve.csv", "ipd.csv", "ensemble.parquet")
"""What is written: how good the reading is, the curve as read, and, where counts may be taken, individuals and further ones as likely."""

UNITS = ("days", "weeks", "months", "years")
"""Of times; else `not-stated`."""


def check_unit(unit: str) -> None:
    """Refuse a unit of times that is none.

    Examples
    --------
    >>> from cartrial.evidence.curves.written import check_unit
    >>> check_unit("months")
    """
    if unit not in (*UNITS, NOT_STATED):
        near = nearest(unit, list(UNITS))
        right = f"The nearest is '{near}'" if near else f"Write one of {', '.join(UNITS)}"
        raise InputError(f"no unit of times is '{unit}'", key="--unit", right=right)


def require_unit(folder: str | Path, unit: str) -> None:
    """Refuse a unit that is not the one in which a reconstruction was written: a ratio of days and months is none.

    What is not stated on either side is not compared.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from cartrial.evidence.curves.written import require_unit
    >>> with TemporaryDirectory() as folder:
    ...     require_unit(folder, "months")
    """
    quality = Path(folder) / "quality.json"
    written = _quality(quality).get("unit", NOT_STATED) if quality.is_file() else NOT_STATED
    if NOT_STATED not in (written, unit) and written != unit:
        raise InputError(f"its times are in {written}, and {unit} are asked", file=str(folder), key="unit", right="Compare like units")


def _quality(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"it cannot be read ({str(error)[:80]})", file=str(path), right="Write the curve again") from None
    return held if isinstance(held, dict) else {}


def write_reconstruction(found: Reconstruction, out: str | Path, *, about: dict[str, Any] | None = None) -> list[str]:
    """Write a reconstruction to a folder; where counts are refused, the curve and its quality alone.

    Parameters
    ----------
    found : Reconstruction
    out : str or Path
    about : dict, optional
        What else stands in quality.json: the figure, its unit.

    Returns
    -------
    list of str
        The names of the files.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from cartrial.evidence.curves import Reading, read_written, reconstruct_curve, write_reconstruction
    >>> reading = Reading("vector", np.array([1.0, 2.0]), np.array([0.5, 0.0]), 2.0, None, 0.001, 1e-5)
    >>> with TemporaryDirectory() as folder:
    ...     names = write_reconstruction(reconstruct_curve(reading, 2, events=2), folder)
    ...     frame = read_written(folder)
    >>> names, frame["AVAL"].to_list()
    (['quality.json', 'curve.csv', 'ipd.csv'], [1.0, 2.0])
    """
    reading = found.reading
    with built_beside(Path(out)) as new:
        text = json.dumps((about or {}) | found.quality(), indent=2, allow_nan=False)
        (new / "quality.json").write_text(text + "\n", encoding="utf-8")
        pl.DataFrame({"time": reading.time, "survival": reading.survival}).with_columns(provenance=pl.lit("digitised")).write_csv(
            new / "curve.csv"
        )
        if not found.refused:
            found.frame().write_csv(new / "ipd.csv")
            if found.ensemble is not None:
                time, status = found.ensemble
                member = np.repeat(np.arange(len(time), dtype=np.int32), time.shape[1])
                frame = pl.DataFrame({"MEMBER": member, "AVAL": time.ravel(), "CNSR": status.ravel()})
                frame.with_columns(PROVENANCE=pl.lit(PROVENANCE)).write_parquet(new / "ensemble.parquet")
        names = [name for name in FILES if (new / name).is_file()]
    # what an earlier run left there is of another reading
    for name in set(FILES) - set(names):
        (Path(out) / name).unlink(missing_ok=True)
    return names


def read_written(folder: str | Path) -> pl.DataFrame:
    """Read the individuals of a folder that `write_reconstruction` wrote: AVAL, CNSR, PROVENANCE.

    Raises
    ------
    InputError
        If there are none, or they are not marked as reconstructed.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from cartrial.evidence.curves import Reading, read_written, reconstruct_curve, write_reconstruction
    >>> reading = Reading("vector", np.array([1.0, 2.0]), np.array([0.5, 0.0]), 2.0, None, 0.001, 1e-5)
    >>> with TemporaryDirectory() as folder:
    ...     names = write_reconstruction(reconstruct_curve(reading, 2, events=2), folder)
    ...     frame = read_written(folder)
    >>> names, frame["AVAL"].to_list()
    (['quality.json', 'curve.csv', 'ipd.csv'], [1.0, 2.0])
    """
    path = Path(folder) / "ipd.csv"
    if not path.is_file():
        quality = Path(folder) / "quality.json"
        refused = _quality(quality).get("refused") if quality.is_file() else None
        what = f"no individuals were written ({refused})" if refused else "no reconstruction is there"
        raise InputError(what, file=str(folder), right="Name a folder that `cartrial evidence curve` wrote, with numbers at risk or events")
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        said = str(error).split("\n")[0][:80]
        raise InputError(f"it cannot be read ({said})", file=str(path), right="Write the curve again") from None
    if frame.columns != ["AVAL", "CNSR", "PROVENANCE"] or frame["PROVENANCE"].unique().to_list() != [PROVENANCE]:
        raise InputError("these are no reconstructed individuals", file=str(path), right=f"Each row says {PROVENANCE}")
    frame = frame.with_columns(pl.col("AVAL").cast(pl.Float64, strict=False), pl.col("CNSR").cast(pl.Int8, strict=False))
    quality = Path(folder) / "quality.json"
    whole = _quality(quality).get("n") if quality.is_file() else None
    if whole not in (None, frame.height):
        raise InputError(f"it has {frame.height} of {whole} individuals", file=str(path), right="Write the curve again")
    good = frame["AVAL"].is_finite() & (frame["AVAL"] >= 0) & frame["CNSR"].is_in([0, 1])
    if not good.fill_null(False).all():
        row = int((~good.fill_null(False)).arg_true()[0]) + 2
        raise InputError("a time or a status is none", file=str(path), row=row, right="AVAL is 0 or later, CNSR 0 (event) or 1 (censored)")
    return frame
