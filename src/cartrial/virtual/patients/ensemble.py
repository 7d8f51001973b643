"""Which parameter sets does the published evidence accept? The ensemble, as data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.virtual.patients.population import DATA, Model, load_model

__all__ = ["Ensemble", "load_ensemble", "write_ensemble"]


@dataclass(frozen=True)
class Ensemble:
    """Accepted parameter sets.

    Parameters
    ----------
    values : ndarray of float64, shape (members, parameters)
        On the transformed scale of the model.
    model : Model
    about : dict
        Version, seed and size of the calibration.
    """

    values: NDArray[np.float64]
    model: Model
    about: dict[str, Any]

    def __len__(self) -> int:
        return len(self.values)

    def natural(self, member: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Return the parameters of some members on their natural scale, by name, each of shape (len(member),)."""
        return self.model.natural(self.values[member])


def write_ensemble(path: Path, ensemble: Ensemble) -> None:
    """Write the parameter sets as CSV: one comment line about them, the names, one row for each member."""
    head = "# " + json.dumps(ensemble.about, sort_keys=True) + "\n" + ",".join(ensemble.model.names) + "\n"
    rows = "".join(",".join(f"{value:.6g}" for value in row) + "\n" for row in ensemble.values)
    path.write_text(head + rows, encoding="utf-8")


@cache
def load_ensemble(path: Path = DATA / "ensemble.csv") -> Ensemble:
    """Read an ensemble; without a path, the built-in one.

    Raises
    ------
    InputError
        If the file is missing, or is not of the present model.

    Examples
    --------
    Of the parameter sets that were started 85 % were kept.

    >>> from cartrial.virtual import load_ensemble
    >>> ensemble = load_ensemble()
    >>> len(ensemble) == int(0.85 * ensemble.about["started"])
    True
    """
    model = load_model()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        about = json.loads(lines[0].removeprefix("# "))
        names = tuple(lines[1].split(","))
        values = np.array([[float(word) for word in line.split(",")] for line in lines[2:]])
    except (OSError, ValueError, IndexError) as error:
        raise InputError("the ensemble cannot be read", file=path.name, right="Make it again with `cartrial calibrate`") from error
    if names != model.names or values.ndim != 2 or not np.isfinite(values).all():
        raise InputError("the ensemble is not of the present model", file=path.name, right="Make it again with `cartrial calibrate`")
    return Ensemble(values, model, about)
