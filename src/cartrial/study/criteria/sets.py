"""Which response criteria are built in? Data tables; the operators differ between sets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from cartrial.study.criteria.families import Family
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from cartrial.study.criteria.lymphoma import LYMPHOMA
from cartrial.yamlfile import Part, nearest, wrong

__all__ = [
    "CRITERIA",
    "FAMILIES",
    "Bound",
    "CallCriteria",
    "CallOptions",
    "Confirmed",
    "Criteria",
    "LesionLimits",
    "NamedCriteria",
    "Options",
    "read_criteria",
    "read_options",
]

FAMILIES: dict[str, Family] = {family.name: family for family in (LEUKAEMIA, LYMPHOMA)}
"""The families of criteria by name."""

Operator = Literal["<", "<=", ">", ">="]


class Bound(Part):
    """A threshold with its operator.

    Parameters
    ----------
    op : "<", "<=", ">" or ">="
    value : float
        In the unit of the quantity: percent for blasts, 10^9/L for counts.

    Examples
    --------
    >>> from cartrial.study import CRITERIA, Bound
    >>> str(Bound(op=">", value=5))
    '> 5'
    >>> str(CRITERIA["nccn"].platelets), str(CRITERIA["nci-2010"].platelets)
    ('> 100', '>= 100')
    """

    op: Operator
    value: float

    def __str__(self) -> str:
        return f"{self.op} {self.value:g}"


class Options(Part):
    """What a criteria set may carry besides its thresholds.

    Parameters
    ----------
    confirm_days : int, optional
        A remission counts when another remission is seen at least this many days later. Unit: days.
    transfusion_free_days : int, optional
        Counts within this many days after a transfusion do not count as recovered. Unit: days.
    crh : bool
        Report CRh (ANC > 0.5 and platelets > 50) between CR and CRi.
    cri : {"and-or", "exactly-one"}
        CRi when either or both counts fail, or when exactly one does (both failing is then MLFS).
    aplastic : {"CRi", "MLFS"}
        What an aplastic marrow (both counts failing the CRh limits) is called.
    cns2 : {"flag", "twice"}
        CNS2 is flagged, or twice, at least 7 days apart, a relapse.
    mass : {"present", "third"}
        A mediastinal mass is disease, or only while it is more than a third of its first size.
    biopsy : {"testis", "every-site"}, optional
        Where disease outside the marrow needs a biopsy after day 0: of the testis, or at every site but the central nervous system.
    """

    confirm_days: int | None = Field(default=None, ge=0)
    transfusion_free_days: int | None = Field(default=None, ge=0)
    crh: bool = False
    cri: Literal["and-or", "exactly-one"] = "and-or"
    aplastic: Literal["CRi", "MLFS"] = "CRi"
    cns2: Literal["flag", "twice"] = "flag"
    mass: Literal["present", "third"] = "present"
    biopsy: Literal["testis", "every-site"] | None = None


class Criteria(Part):
    """Response criteria of acute lymphoblastic leukaemia as data.

    Parameters
    ----------
    marrow, neutrophils, platelets : Bound
        What a complete remission needs. Units: %, 10^9/L, 10^9/L.
    relapse_marrow, relapse_blood : Bound
        What is a relapse after CR or CRi; extramedullary disease always is. Unit: %.
    refractory_marrow : Bound
        Marrow blasts that are morphologic disease. Unit: %.
    confirm_days, transfusion_free_days : int
        Defaults of the options. Unit: days.
    relapse_tests : bool
        Whether a marrow below `relapse_marrow` is a relapse with other tests of at least 1 %: one from 5 % blasts, two from 1 %, or a
        second marrow with two. A remission then needs CNS1.
    biopsy : {"testis", "every-site"}
        Default of the option.
    remission_from : int
        A remission counts from the window of the visit that holds this day on; 0: from day 1. Unit: days.
    """

    name: str
    marrow: Bound
    neutrophils: Bound
    platelets: Bound
    relapse_marrow: Bound
    relapse_blood: Bound
    refractory_marrow: Bound = Bound(op=">=", value=5.0)
    confirm_days: int = 0
    transfusion_free_days: int = 0
    relapse_tests: bool = False
    biopsy: Literal["testis", "every-site"] = "testis"
    remission_from: int = Field(default=0, ge=0)
    source: str

    @property
    def family(self) -> Family:
        """What the statuses are and do."""
        return LEUKAEMIA


MissingPet = Literal["carry", "ct", "ne"]


class Confirmed(Part):
    """A progression counts when a later read is one too.

    Parameters
    ----------
    confirmed : int
        At least so many days later. Unit: days.
    """

    confirmed: int = Field(ge=1)


class CallOptions(Part):
    """What a set of criteria of imaging may carry.

    Parameters
    ----------
    missing_pet : {"carry", "ct", "ne"}, optional
        Where there is no PET: the reader's last PET call stands while CT shows no progression, the CT call, or NE.
    confirm_days : int, optional
        A response counts when another is seen at least this many days later. Unit: days.
    negative_to : {2, 3}
        Up to this five-point score a PET is negative.
    score_change : bool
        Where the change of uptake is not recorded, a lower score is decreased uptake and a higher one increased uptake.
    baseline : {"lymphodepletion", "screening"}
        The baseline is the last imaging before lymphodepletion, or before bridging.
    spleen_from : {"baseline", "nadir"}
        What half of the excess of an enlarged spleen is counted from.
    marrow : {"biopsy", "pet"}
        Whether a negative PET stands for a marrow that was not taken.
    missing_target : {"ne"}
        A visit at which a target was not evaluated is NE, unless it shows progression.
    progression : {"final", "overturned", "lyric"} or Confirmed
        When a progression counts: as it is first seen; unless the reader's next read is a response; by LYRIC 2016, where what can be a
        flare of immune cells is indeterminate until the next imaging; or when a later read is one too.
    agree : {"status", "response"}
        Whether readers agree on a status alone, or also on a response: CR and PR are then PR.
    no_disease : {"as-read", "non-responder"}
        Whether a reader's CR counts of a subject whose last call before lymphodepletion was CR, or is IR: no response, and no event.
    """

    missing_pet: MissingPet | None = None
    confirm_days: int | None = Field(default=None, ge=0)
    negative_to: Literal[2, 3] = 3
    score_change: bool = False
    baseline: Literal["lymphodepletion", "screening"] = "lymphodepletion"
    spleen_from: Literal["baseline", "nadir"] = "baseline"
    marrow: Literal["biopsy", "pet"] = "biopsy"
    missing_target: Literal["ne"] = "ne"
    progression: Literal["final", "overturned", "lyric"] | Confirmed = "final"
    agree: Literal["status", "response"] = "status"
    no_disease: Literal["as-read", "non-responder"] = "as-read"

    @field_validator("progression", mode="before")
    @classmethod
    def _of_progression(cls, value: Any) -> Any:
        if isinstance(value, dict | Confirmed) or value in ("final", "overturned", "lyric"):
            return value
        right = "Write final, overturned, lyric, or {confirmed: 28} with a number of days"
        raise wrong(f"a progression cannot count as '{value}'", right=right)


class LesionLimits(Part):
    """Limits by which measurements of lesions make a status. Lengths in mm.

    Parameters
    ----------
    node : float
        A lymph node up to this longest diameter is normal; a lesion grows only above it.
    new_node, new_extranodal : float
        A new lesion longer than this is progression; a smaller one where it is unequivocal.
    spleen, spleen_step : float
        A spleen longer than `spleen` is enlarged; one that was not progresses when it is so much longer.
    fall : float
        A partial response is a sum of products of at most this share of the one at baseline.
    growth : float
        A lesion has grown when its product is at least so many times its nadir, and a diameter is longer by a step.
    step_small, band, step_large : float
        The step of a lesion whose longest diameter at the nadir was up to `band`, and of a longer one.
    """

    node: float = Field(gt=0)
    new_node: float = Field(ge=0)
    new_extranodal: float = Field(ge=0)
    spleen: float = Field(gt=0)
    spleen_step: float = Field(gt=0)
    fall: float = Field(gt=0, lt=1)
    growth: float = Field(gt=1)
    step_small: float = Field(ge=0)
    band: float = Field(ge=0)
    step_large: float = Field(ge=0)


class CallCriteria(Part):
    """Response criteria of imaging, as data: calls as collected, and derived from measurements where limits are given.

    Parameters
    ----------
    family : str
        The family that says what the statuses do.
    modality : {"pet-ct", "ct"}
        What decides an assessment: PET where evaluable, else CT; or CT alone.
    missing_pet : {"carry", "ct", "ne"}
        Default of the option.
    statuses : dict of str to str
        What each status is, as printed.
    confirm_days : int
        Default of the option. Unit: days.
    lesions : LesionLimits, optional
        Limits by which a call is derived from lesions (TU, TR) and five-point scores (FA); without them none is derived.
    """

    name: str
    family_name: str = Field(alias="family")
    modality: Literal["pet-ct", "ct"] = "pet-ct"
    missing_pet: MissingPet = "carry"
    statuses: dict[str, str] = Field(default_factory=dict)
    confirm_days: int = 0
    lesions: LesionLimits | None = None
    source: str

    @field_validator("family_name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in FAMILIES:
            near = nearest(name, list(FAMILIES))
            right = (f"The nearest is '{near}'; k" if near else "K") + f"nown are: {', '.join(FAMILIES)}"
            raise wrong(f"no family of criteria is called '{name}'", right=right)
        return name

    @property
    def family(self) -> Family:
        """What the statuses are and do."""
        return FAMILIES[self.family_name]


def read_criteria(value: Any) -> Any:
    """Return a criteria set by its name, or as it is written out: of leukaemia by its limits, of another family by its calls."""
    if isinstance(value, str):
        if value not in CRITERIA:
            near = nearest(value, list(CRITERIA))
            right = (f"The nearest is '{near}'; b" if near else "B") + f"uilt in are: {', '.join(CRITERIA)}; or write the set out"
            raise wrong(f"no criteria set is called '{value}'", right=right)
        return CRITERIA[value]
    if isinstance(value, Criteria | CallCriteria):
        return value
    if isinstance(value, dict) and value.get("family", LEUKAEMIA.name) != LEUKAEMIA.name:
        return CallCriteria.model_validate(value)
    return Criteria.model_validate({key: item for key, item in value.items() if key != "family"} if isinstance(value, dict) else value)


def read_options(criteria: Criteria | CallCriteria | None, value: Any) -> Any:
    """Return the options of a criteria set: those of its family."""
    if isinstance(value, Options | CallOptions):
        return value
    return (CallOptions if isinstance(criteria, CallCriteria) else Options).model_validate(value)


_LUGANO = "Cheson BD et al. J Clin Oncol 2014;32:3059, as set out in the rules of this project; read in PMC5298348 (table 2)"
_BY_PET = {
    "CR": "Deauville 1 to 3, a residual mass of any size allowed, no new lesion",
    "PR": "Deauville 4 or 5 with decreased uptake",
    "SD": "Deauville 4 or 5 with unchanged uptake",
    "PD": "Deauville 4 or 5 with increased uptake, or a new avid lesion",
}
_BY_CT = {
    "CR": "nodes of at most 15 mm in longest diameter, extranodal disease gone",
    "PR": "the sum of products of up to six lesions down by at least 50 %",
    "SD": "neither PR nor PD",
    "PD": "a lesion over 15 mm, its product at least half above its nadir and a diameter up by 5 mm (10 mm if over 20 mm), or a new one",
}
_BY_LUGANO = LesionLimits(
    **{"node": 15.0, "new_node": 15.0, "new_extranodal": 10.0, "spleen": 130.0, "spleen_step": 20.0, "fall": 0.5},
    **{"growth": 1.5, "step_small": 5.0, "band": 20.0, "step_large": 10.0},
)

CRITERIA: dict[str, Criteria | CallCriteria] = {
    "nccn": Criteria(
        name="nccn",
        marrow=Bound(op="<", value=5.0),
        neutrophils=Bound(op=">", value=1.0),
        platelets=Bound(op=">", value=100.0),
        relapse_marrow=Bound(op=">", value=5.0),
        relapse_blood=Bound(op=">", value=0.0),
        source="NCCN acute lymphoblastic leukaemia response criteria, as set out in the rules of this project",
    ),
    "nci-2010": Criteria(
        name="nci-2010",
        marrow=Bound(op="<", value=5.0),
        neutrophils=Bound(op=">=", value=1.0),
        platelets=Bound(op=">=", value=100.0),
        relapse_marrow=Bound(op=">=", value=25.0),
        relapse_blood=Bound(op=">=", value=25.0),
        confirm_days=28,
        source="NCI workshop 2010, table 4 of PMC7272718",
    ),
    "ponte-di-legno-2022": Criteria(
        name="ponte-di-legno-2022",
        marrow=Bound(op="<", value=5.0),
        neutrophils=Bound(op=">", value=1.0),
        platelets=Bound(op=">", value=100.0),
        relapse_marrow=Bound(op=">=", value=25.0),
        relapse_blood=Bound(op=">=", value=25.0),
        relapse_tests=True,
        biopsy="every-site",
        remission_from=28,
        source="Ponte-di-Legno consortium, Blood 2022;139:1785, its table of relapse; counts, circulating blasts and the limit of 5 % of a "
        "remission are an assumption",
    ),
    "lugano-2014": CallCriteria(
        name="lugano-2014",
        family=LYMPHOMA.name,
        statuses={status: f"{words}; by CT {_BY_CT[status]}" for status, words in _BY_PET.items()},
        lesions=_BY_LUGANO,
        source=_LUGANO,
    ),
    "lugano-2014-ct": CallCriteria(
        name="lugano-2014-ct",
        family=LYMPHOMA.name,
        modality="ct",
        statuses=_BY_CT,
        lesions=_BY_LUGANO,
        source=_LUGANO,
    ),
    "iwg-2007": CallCriteria(
        name="iwg-2007",
        family=LYMPHOMA.name,
        statuses={
            "CR": "a mass of any size if PET-negative and avid before, else nodes of normal size, extranodal disease gone",
            "PR": "the sum of products of up to six lesions down by at least 50 %, no lesion larger, none new",
            "SD": "neither PR nor PD",
            "PD": "a new lesion of more than 15 mm, or a lesion up by at least 50 % from its nadir",
        },
        source="Cheson BD et al. J Clin Oncol 2007;25:579, as set out in the rules of this project; read in PMC8252278 (table 5)",
    ),
}
"""The built-in criteria sets by name."""

NamedCriteria = Annotated[
    Criteria | CallCriteria,
    BeforeValidator(
        read_criteria, json_schema_input_type=Annotated[str, Field(json_schema_extra={"enum": list(CRITERIA)})] | Criteria | CallCriteria
    ),
]
"""Criteria as a study file has them: the name of a built-in set, or one that is written out."""
