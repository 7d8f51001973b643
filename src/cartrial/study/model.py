"""What may a study file say? Its parts as frozen objects."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cartrial.study.cells import CellLimits, CellModel, CellTests
from cartrial.study.criteria.families import Family, Reader, agreeing_on_responses
from cartrial.study.criteria.sets import CallCriteria, CallOptions, Criteria, LesionLimits, NamedCriteria, Options, read_options
from cartrial.study.criteria.specimens import is_cerebrospinal
from cartrial.study.dosing import DoseBand, dose_misfits
from cartrial.yamlfile import Part, raise_all, wrong

__all__ = [
    "Aplasia",
    "BaselineSource",
    "Characteristic",
    "Cytopenia",
    "Disease",
    "Events",
    "Identity",
    "Kinetics",
    "Mrd",
    "Product",
    "Readers",
    "Safety",
    "Special",
    "Visit",
]


def _capitals(value: Any) -> Any:
    """Return a name, or a list of names, as a list in capitals; anything else as it is, to be refused."""
    names = [value] if isinstance(value, str | int | float) and not isinstance(value, bool) else value
    if not isinstance(names, list | tuple):
        return value
    return tuple(name if isinstance(name, dict | list) or name is None else str(name).strip().upper() for name in names)


class Identity(Part):
    """Who the study is. `cutoff` is None when the source has study days only."""

    id: str = Field(min_length=1, max_length=40)
    title: str
    registry: str | None = None
    phase: str | None = None
    design: str | None = None
    sites: int | None = Field(default=None, ge=1)
    cutoff: dt.date | None = None
    provenance: Literal["real", "example", "virtual"] = "real"
    listing_only: str | None = None
    references: tuple[str, ...] = ()
    source: str = "assumption"

    @field_validator("cutoff", mode="before", json_schema_input_type=dt.date | Literal["none"] | None)
    @classmethod
    def _none(cls, value: Any) -> Any:
        if value == "none":
            return None
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            raise wrong("the cutoff is not a date", right="Write YYYY-MM-DD, or none when the source has study days only") from None


class Product(Part):
    """The study product. Its first record in EX is day 0."""

    name: str
    type: Literal["autologous", "allogeneic"]
    exposure: tuple[str, ...] = Field(min_length=1)
    target: str | None = None
    binder: str | None = None
    costimulation: Literal["4-1BB", "CD28"] | None = None
    dose: str | None = None
    dose_range: tuple[DoseBand, ...] = ()
    lymphodepletion: tuple[str, ...] = ()
    re_infusion: bool = False
    fraction_days: int = Field(default=0, ge=0)
    source: str = "assumption"

    @field_validator("exposure", "lymphodepletion", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return _capitals(value)

    @field_validator("dose_range")
    @classmethod
    def _bands(cls, bands: tuple[DoseBand, ...]) -> tuple[DoseBand, ...]:
        raise_all(list(dose_misfits(bands)))
        return bands


class Mrd(Part):
    """Measurable residual disease: negative below this fraction, by an assay at least as sensitive, in one of these specimens.

    With `methods`, by one of these methods alone; without, by any, the most sensitive first.
    """

    negative_below: float = Field(default=1e-4, gt=0, lt=1)
    specimens: tuple[str, ...] = Field(default=("BONE MARROW",), min_length=1)
    methods: tuple[str, ...] = ()
    source: str = "assumption"

    @field_validator("specimens")
    @classmethod
    def _of_remission(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for i, name in enumerate(names):
            if is_cerebrospinal(name):
                right = "Name bone marrow, blood or both"
                raise wrong(f"{name} is no specimen of residual disease: a remission is of marrow and blood", i, right=right)
        return names


class Visit(Part):
    """A scheduled disease assessment. Units: days from day 0."""

    name: str
    day: int = Field(ge=1)
    minus: int = Field(ge=0)
    plus: int = Field(ge=0)


class Disease(Part):
    """The disease, its criteria and the visits at which it is assessed."""

    name: str = "B-cell acute lymphoblastic leukaemia"
    criteria: NamedCriteria
    options: Options | CallOptions = Options()
    mrd: Mrd = Mrd()
    visits: tuple[Visit, ...] = Field(min_length=1)
    source: str = "assumption"

    @field_validator("options", mode="before")
    @classmethod
    def _of_family(cls, value: Any, info: ValidationInfo) -> Any:
        return read_options(info.data.get("criteria"), value)

    @field_validator("visits")
    @classmethod
    def _in_order(cls, visits: tuple[Visit, ...]) -> tuple[Visit, ...]:
        names = [visit.name for visit in visits]
        faults = [
            wrong(f"two visits are called '{name}'", i, "name", right="Their names are unique")
            for i, name in enumerate(names)
            if name in names[:i]
        ]
        for i, (first, second) in enumerate(itertools.pairwise(visits), 1):
            if second.day <= first.day:
                what = f"visit '{second.name}' (day {second.day}) is not after '{first.name}' (day {first.day})"
                faults.append(wrong(what, i, "day", right="Visits stand in the order of their days"))
            elif second.day - second.minus <= first.day + first.plus:
                days = f"'{first.name}' (to day {first.day + first.plus}) and '{second.name}' (from day {second.day - second.minus})"
                faults.append(wrong(f"the windows of {days} overlap", i, right="A day belongs to one visit"))
        raise_all(faults)
        return visits

    @property
    def family(self) -> Family:
        """What the statuses of the criteria are and do, and on what readers agree."""
        agree = isinstance(self.options, CallOptions) and self.options.agree == "response"
        return agreeing_on_responses(self.criteria.family) if agree else self.criteria.family

    @property
    def progression(self) -> tuple[str, int]:
        """When a progression counts: `final`, `overturned`, `lyric`, or `confirmed` with the days from it to a later one."""
        said = self.options.progression if isinstance(self.options, CallOptions) else "final"
        return (said, 0) if isinstance(said, str) else ("confirmed", said.confirmed)

    @property
    def confirm_days(self) -> int:
        """Days after which a remission must be seen again. Unit: days."""
        return self.criteria.confirm_days if self.options.confirm_days is None else self.options.confirm_days

    @property
    def transfusion_free_days(self) -> int:
        """Days without transfusion before a count. Unit: days."""
        if not isinstance(self.criteria, Criteria) or not isinstance(self.options, Options):
            return 0
        return self.criteria.transfusion_free_days if self.options.transfusion_free_days is None else self.options.transfusion_free_days

    @property
    def marrow(self) -> tuple[Criteria, Options] | None:
        """The limits of criteria that derive a status from marrow and counts, with their options; None where calls are collected."""
        criteria, options = self.criteria, self.options
        return (criteria, options) if isinstance(criteria, Criteria) and isinstance(options, Options) else None

    @property
    def biopsy(self) -> str:
        """Where disease outside the marrow needs a biopsy after day 0; blank where calls are collected."""
        return (self.marrow[1].biopsy or self.marrow[0].biopsy) if self.marrow else ""

    @property
    def mass(self) -> str:
        """What a mediastinal mass is; blank where calls are collected."""
        return self.marrow[1].mass if self.marrow else ""

    @property
    def remission_from(self) -> int:
        """First day of a remission: of the window that holds the day that the criteria name, else that day; 0: any. Unit: days."""
        day = self.marrow[0].remission_from if self.marrow else 0
        held = [visit.day - visit.minus for visit in self.visits if visit.day - visit.minus <= day <= visit.day + visit.plus]
        return held[0] if day and held else day

    @property
    def missing_pet(self) -> str:
        """What an assessment without PET is, of criteria whose calls are collected; blank where PET decides nothing."""
        if not isinstance(self.criteria, CallCriteria) or self.criteria.modality != "pet-ct":
            return ""
        return (self.options.missing_pet if isinstance(self.options, CallOptions) else None) or self.criteria.missing_pet

    @property
    def imaging(self) -> tuple[LesionLimits, CallOptions] | None:
        """Limits and options of criteria that derive a status from lesions and five-point scores; None where none is derived."""
        limits = self.criteria.lesions if isinstance(self.criteria, CallCriteria) and self.family.derive else None
        options = self.options if isinstance(self.options, CallOptions) else CallOptions()
        return (limits, options) if limits is not None else None


class Readers(Part):
    """Whose reading counts, and whose is shown beside it."""

    primary: Reader = "INV"
    sensitivity: tuple[Reader, ...] = ()
    source: str = "assumption"


class BaselineSource(Part):
    """Where a baseline characteristic stands in the source data."""

    domain: Literal["DM", "LB", "EX", "MH", "FA", "VS", "PR", "CM"]
    testcd: str | None = None
    specimen: str | None = None
    term: str | None = None
    variable: str | None = None


class Characteristic(Part):
    """A baseline characteristic: a column of ADSL.

    Parameters
    ----------
    cut : tuple of float
        Boundaries; a value equal to one belongs to the upper level.
    levels : tuple of str
        Names of the levels, one more than the boundaries.
    """

    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,6}$")
    label: str
    unit: str = ""
    from_: BaselineSource = Field(alias="from")
    cut: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    source: str = "assumption"

    @model_validator(mode="after")
    def _levels(self) -> Characteristic:
        faults = []
        if self.cut and len(self.levels) != len(self.cut) + 1:
            count = "1 boundary makes" if len(self.cut) == 1 else f"{len(self.cut)} boundaries make"
            what = f"{count} {len(self.cut) + 1} levels; {len(self.levels)} {'is' if len(self.levels) == 1 else 'are'} named"
            faults.append(wrong(what, right="Name one level more than there are boundaries"))
        if list(self.cut) != sorted(set(self.cut)):
            faults.append(wrong("the boundaries are not in rising order", "cut", right=f"Write {sorted(set(self.cut))}"))
        raise_all(faults)
        return self


class Kinetics(Part):
    """Which measurements of the product are summarised, up to which day, and what an area needs. Units: days.

    Parameters
    ----------
    auc_to : int
        Last day of the area under the curve.
    auc_margin : int
        How long before `auc_to` the last sample may be taken; nothing is extrapolated.
    first_by : int
        By which day the first sample must be taken.
    limit : CellLimits, optional
        Limits of quantitation that the source does not give. Without one nothing is fitted.
    model : CellModel, optional
        What `cartrial kinetics` fits.
    """

    tests: CellTests = ("CARTG",)
    auc_to: int = Field(default=28, ge=1)
    auc_margin: int = Field(default=3, ge=0)
    first_by: int = Field(default=10, ge=1)
    limit: CellLimits | None = None
    model: CellModel | None = None
    source: str = "assumption"


class Events(Part):
    """What is assumed of a source that records events alone, one row a patient.

    Parameters
    ----------
    relapse_free_until : str, optional
        `last-contact`: a responder without an event was free of relapse on the day of the last contact.
    """

    relapse_free_until: Literal["last-contact"] | None = None


class Special(Part):
    """An adverse event of special interest."""

    id: str
    label: str
    terms: tuple[str, ...] = Field(min_length=1)
    scale: str = "ASTCT"

    @field_validator("terms", mode="before", json_schema_input_type=str | tuple[str, ...])
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return _capitals(value)


class Cytopenia(Part):
    """Low counts. Units: days, 10^9/L.

    Parameters
    ----------
    after_day : int
        Prolonged cytopenia: a count after this day is below a limit, at any test and at the last.
    neutrophils_below, platelets_below : float
        Those limits.
    days : tuple of int
        Days near which the last count is asked for.
    margin : int
        Days before and after them that belong to their window.
    last_neutrophils_below, last_platelets_below : float
        Limits of the last count of a window.
    """

    after_day: int = 28
    neutrophils_below: float = 1.0
    platelets_below: float = 50.0
    days: tuple[int, ...] = (28, 60, 90)
    margin: int = Field(default=7, ge=0)
    last_neutrophils_below: float = 0.5
    last_platelets_below: float = 50.0
    source: str = "CTCAE 5.0 grade 3 limits"

    @field_validator("days")
    @classmethod
    def _once(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(days)) < len(days) or any(day < 1 for day in days):
            raise wrong("each day of a count is after the infusion and named once", right="For example days: [28, 60, 90]")
        return days


class Aplasia(Part):
    """B-cell aplasia: the test below a limit."""

    testcd: str = "BCELL"
    below: float = 50.0
    unit: str = "cells/uL"
    source: str = "assumption"


_SPECIAL = (
    Special(id="CRS", label="Cytokine release syndrome", terms=("CYTOKINE RELEASE SYNDROME",)),
    Special(
        id="ICANS",
        label="Immune effector cell-associated neurotoxicity syndrome",
        terms=("IMMUNE EFFECTOR CELL-ASSOCIATED NEUROTOXICITY SYNDROME", "ICANS"),
    ),
)


class Safety(Part):
    """What the safety sections look for."""

    special: tuple[Special, ...] = _SPECIAL
    cytopenia: Cytopenia = Cytopenia()
    aplasia: Aplasia = Aplasia()
    source: str = "assumption"
