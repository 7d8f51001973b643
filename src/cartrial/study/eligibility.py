"""Who may enter the study? What a virtual trial asks of a subject at screening."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from cartrial.yamlfile import Part, wrong

__all__ = ["Ages", "Blasts", "Eligibility"]

Years = Annotated[float, Field(ge=0, le=120)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Ages(Part):
    """Youngest and oldest age. Unit: completed years."""

    from_: Years = Field(default=0.0, alias="from")
    to: Years = 120.0
    source: str = "assumption"

    @model_validator(mode="after")
    def _someone(self) -> Ages:
        if self.from_ > self.to:
            raise wrong(f"nobody is eligible: the ages are {self.from_:g} to {self.to:g} years", "to", right="Give from <= to")
        return self


class Blasts(Part):
    """Least and most blasts in the marrow at screening. Unit: %."""

    from_: Percent = Field(default=0.0, alias="from")
    to: Percent = 100.0
    source: str = "assumption"

    @model_validator(mode="after")
    def _someone(self) -> Blasts:
        if self.from_ > self.to:
            raise wrong(f"nobody is eligible: the marrow blasts are {self.from_:g} to {self.to:g} %", "to", right="Give from <= to")
        return self


class Eligibility(Part):
    """What the protocol asks of a subject. What is left out, a virtual trial takes from its own settings, as an assumption."""

    age: Ages | None = None
    marrow_blasts: Blasts | None = None
