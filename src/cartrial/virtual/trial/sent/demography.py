"""Of which country, race and ethnic group are the subjects? No endpoint reads it; a submission asks for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import polars as pl
from pydantic import Field, model_validator

from cartrial.virtual.patients.randomness import Keys, draw_uniform
from cartrial.yamlfile import Part, read_as, wrong

__all__ = ["Demography", "draw_origin", "load_demography"]

# stream of random numbers
ORIGIN = 1610
_UNKNOWN, _HISPANIC, _NOT = "UNKNOWN", "HISPANIC OR LATINO", "NOT HISPANIC OR LATINO"
Share = Annotated[float, Field(ge=0, le=1)]
Race = Literal[
    "ASIAN",
    "BLACK OR AFRICAN AMERICAN",
    "WHITE",
    "AMERICAN INDIAN OR ALASKA NATIVE",
    "NATIVE HAWAIIAN OR OTHER PACIFIC ISLANDER",
    "OTHER",
    "UNKNOWN",
]


class Demography(Part):
    """Where subjects come from: shares of race, and of Hispanic or Latino origin (None: not known)."""

    country: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    race: dict[Race, Share]
    hispanic: Share | None
    source: Annotated[str, Field(min_length=1)]
    sure: Literal["high", "medium", "low"]

    @model_validator(mode="after")
    def _whole(self) -> Demography:
        total = sum(self.race.values())
        if abs(total - 1) > 1e-9:
            raise wrong(f"the shares of race add up to {total:g}", "race", right="Give shares that add up to 1")
        return self


class _File(Part):
    schema_version: Literal[1] = Field(alias="schema")
    studies: dict[str, Demography]
    populations: dict[str, Demography]
    others: Demography


@cache
def _file() -> _File:
    return read_as(_File, Path(__file__).parents[2] / "data" / "demography.yaml")[0]


def load_demography(study: str, population: str) -> Demography:
    """Return where the subjects of a study come from: what is said of the study, else of the population, else of all others.

    Parameters
    ----------
    study, population : str
        Their ids.

    Examples
    --------
    >>> from cartrial.virtual.trial.sent.demography import load_demography
    >>> load_demography("inaticel-pivotal", "inaticel").race
    {'ASIAN': 1.0}
    >>> load_demography("mine", "eliana").race
    {'UNKNOWN': 1.0}
    """
    known = _file()
    return known.studies.get(study) or known.populations.get(population) or known.others


def draw_origin(demography: Demography, keys: Keys) -> tuple[pl.Series, pl.Series]:
    """Return RACE and ETHNIC of some subjects, in CDISC's words."""
    chance = draw_uniform(keys, ORIGIN, 2)
    names, shares = list(demography.race), np.cumsum(list(demography.race.values()))
    race = np.minimum(np.searchsorted(shares, chance[:, 0], side="right"), len(names) - 1)
    ethnic = np.full(len(keys), 2) if demography.hispanic is None else np.where(chance[:, 1] < demography.hispanic, 0, 1)
    return pl.Series("RACE", names).gather(race), pl.Series("ETHNIC", [_HISPANIC, _NOT, _UNKNOWN]).gather(ethnic)
