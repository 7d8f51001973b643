"""Which response criteria are built in? Data tables; the operators differ between sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cartrial.study.criteria.families import Family
from cartrial.study.criteria.leukaemia import LEUKAEMIA
from cartrial.yamlfile import Part

__all__ = ["CRITERIA", "Bound", "Criteria", "Options"]

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
    """

    confirm_days: int | None = Field(default=None, ge=0)
    transfusion_free_days: int | None = Field(default=None, ge=0)
    crh: bool = False
    cri: Literal["and-or", "exactly-one"] = "and-or"
    aplastic: Literal["CRi", "MLFS"] = "CRi"


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
    source: str

    @property
    def family(self) -> Family:
        """What the statuses are and do."""
        return LEUKAEMIA


CRITERIA: dict[str, Criteria] = {
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
        source="Ponte-di-Legno consortium, Blood 2022;139:1785, its table of relapse; counts, circulating blasts and the limit of 5 % of a "
        "remission are an assumption",
    ),
}
"""The built-in criteria sets by name."""
