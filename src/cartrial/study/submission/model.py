"""What may a study file say of its submission?"""

from __future__ import annotations

import datetime as dt
import re

from pydantic import Field, field_validator

from cartrial.yamlfile import Part, raise_all, wrong

__all__ = ["Dictionaries", "Plan", "Standards", "Submission"]

_NUMBER = re.compile(r"[0-9A-Za-z]+([.-][0-9A-Za-z]+)*")
_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,7}")


class Dictionaries(Part):
    """Versions of the dictionaries by which the sponsor coded; what is not stated is said to be so."""

    meddra: str | None = Field(default=None, min_length=1, max_length=40)
    ctcae: str | None = Field(default=None, min_length=1, max_length=40)
    whodrug: str | None = Field(default=None, min_length=1, max_length=40)


class Standards(Part):
    """Versions of the standards that the files are said to keep to."""

    adamig: str = Field(default="1.3", min_length=1, max_length=20)
    occds: str = Field(default="1.1", min_length=1, max_length=20)
    sdtmig: str = Field(default="3.3", min_length=1, max_length=20)
    terminology_adam: dt.date = dt.date(2024, 3, 29)
    terminology_sdtm: dt.date = dt.date(2024, 3, 29)


class Plan(Part):
    """The statistical analysis plan: its file, and on which pages an endpoint stands."""

    file: str = Field(min_length=1, max_length=200)
    title: str = "Statistical Analysis Plan"
    version: str | None = None
    date: dt.date | None = None
    pages: dict[str, str] = Field(default_factory=dict)

    @property
    def named(self) -> str:
        """Its title, with version and date as far as they are stated."""
        version = f"version {self.version}" if self.version else ""
        return ", ".join(part for part in (self.title, version, self.date.isoformat() if self.date else "") if part)


class Submission(Part):
    """What the files of an export state of the study besides its rules; changes no value, so that the hash leaves it out.

    Parameters
    ----------
    sponsor, protocol, protocol_version : str, optional
    protocol_date : datetime.date, optional
    study_name : str, optional
        Name of the study in define.xml; without it the id.
    dictionaries : Dictionaries
    standards : Standards
    sap : Plan, optional
    numbering : dict of str to str
        Numbers of displays by their ids, where they differ from those of ICH E3.
    labels : dict of str to str
        Chinese labels of the study's own variables.

    Examples
    --------
    >>> from cartrial.study.submission import Submission
    >>> said = Submission.model_validate({"protocol": "CT-101", "dictionaries": {"meddra": "26.1"}})
    >>> said.protocol, said.dictionaries.meddra, said.standards.adamig
    ('CT-101', '26.1', '1.3')
    """

    sponsor: str | None = Field(default=None, min_length=1, max_length=200)
    protocol: str | None = Field(default=None, min_length=1, max_length=100)
    protocol_version: str | None = Field(default=None, min_length=1, max_length=100)
    protocol_date: dt.date | None = None
    study_name: str | None = Field(default=None, min_length=1, max_length=100)
    dictionaries: Dictionaries = Dictionaries()
    standards: Standards = Standards()
    sap: Plan | None = None
    numbering: dict[str, str] = Field(default_factory=dict)
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("numbering")
    @classmethod
    def _numbers(cls, said: dict[str, str]) -> dict[str, str]:
        right = "Write letters and digits with points or hyphens between them: 14.2.1.1"
        raise_all([wrong(f"'{number}' is no number of a display", name, right=right) for name, number in said.items() if not _fits(number)])
        return said

    @field_validator("labels")
    @classmethod
    def _variables(cls, said: dict[str, str]) -> dict[str, str]:
        right = "Write its name: a letter first, at most eight of A-Z, 0-9 and _"
        raise_all([wrong(f"'{name}' is no name of a variable", name, right=right) for name in said if not _NAME.fullmatch(name)])
        long = [name for name, label in said.items() if len(label.encode()) > 40]
        right = "In UTF-8 a Chinese character has three bytes: at most 13 of them"
        raise_all([wrong(f"the label of {name} has more than 40 bytes", name, right=right) for name in long])
        return said


def _fits(number: str) -> bool:
    return len(number) <= 40 and _NUMBER.fullmatch(number) is not None
