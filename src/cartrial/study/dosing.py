"""Which dose of the product does the protocol ask for? A table of bands of weight."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cartrial.yamlfile import Part, wrong

__all__ = ["DoseBand", "dose_misfits"]


class DoseBand(Part):
    """Least and most cells for a band of weight, the lightest band first. Units: kg; cells, or cells/kg.

    Parameters
    ----------
    to : float, optional
        Weight up to which the band reaches; the last one has none.
    boundary : {"lower", "upper"}, optional
        Which band holds the weight `to` itself: this one, or the next.
    dose : {"per-kg", "total"}
        What `low` and `high` bound: cells for each kilogram, or in all. Both ends are in range.

    Examples
    --------
    >>> from cartrial.study.dosing import DoseBand
    >>> DoseBand(to=50, boundary="lower", dose="per-kg", low=2e5, high=5e6).high
    5000000.0
    """

    to: float | None = Field(default=None, gt=0)
    boundary: Literal["lower", "upper"] | None = None
    dose: Literal["per-kg", "total"]
    low: float = Field(ge=0)
    high: float = Field(gt=0)
    source: str = "assumption"

    @model_validator(mode="after")
    def _whole(self) -> DoseBand:
        if self.low > self.high:
            raise wrong(f"no dose is in range: low {self.low:g} is above high {self.high:g}", "low", right="Give low <= high")
        if (self.to is None) != (self.boundary is None):
            right = "Write boundary: lower where this band holds the weight, or upper where the next one does; the last band has neither"
            raise wrong("a band of weight has both to and boundary, or neither", "boundary", right=right)
        return self


def dose_misfits(bands: Sequence[DoseBand]) -> Iterator[PydanticCustomError]:
    """Yield what is wrong with the order of the bands."""
    for i, band in enumerate(bands[:-1]):
        if band.to is None:
            yield wrong(
                "a band without to holds every weight, and another follows it", i, "to", right="Give the weight up to which it reaches"
            )
    if bands and bands[-1].to is not None:
        right = "Add a band without to for those who weigh more"
        yield wrong(f"the last band ends at {bands[-1].to:g} kg, and nothing is said of who weighs more", len(bands) - 1, "to", right=right)
    ends = [band.to for band in bands if band.to is not None]
    if any(second <= first for first, second in itertools.pairwise(ends)):
        yield wrong(f"the weights do not rise: {', '.join(f'{end:g}' for end in ends)}", right="Put the lightest band first")
