"""Which virtual patients does the study ask for? Read by virtual trials alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator

from cartrial.errors import InputError
from cartrial.yamlfile import Part, wrong

__all__ = ["MOST_SUBJECTS", "Virtual", "beside", "is_file_name"]

MOST_SUBJECTS = 20_000
"""Most subjects infused in a virtual trial."""
_SUFFIXES = (".yaml", ".yml")
# a root, a drive, or a step up, written with either kind of slash
_OUTSIDE = re.compile(r"^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_file_name(name: str | Path) -> bool:
    """Say whether a population is named by its file rather than by a built-in name."""
    return str(name).lower().endswith(_SUFFIXES)


class Virtual(Part):
    """Where the virtual patients of the study come from, and how many they are.

    Parameters
    ----------
    population : str, optional
        A built-in population, or a YAML file beside the study file.
    n : int, optional
        Subjects infused by the cutoff, in each trial.
    seed : int, optional
    """

    farthest: ClassVar[int] = 2**63 - 1

    population: str | None = Field(default=None, min_length=1, max_length=200)
    n: int | None = Field(default=None, ge=1, le=MOST_SUBJECTS, strict=True)
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, strict=True)

    @field_validator("population")
    @classmethod
    def _beside(cls, name: str | None) -> str | None:
        if name is not None and (_CONTROL.search(name) or _OUTSIDE.search(name)):
            raise wrong("the population lies outside the folder of the study file", right="Name a built-in population, or a file beside it")
        return name


def beside(name: str, folder: Path | None) -> Path:
    """Return the population's file in the folder of the study file.

    Raises
    ------
    InputError
        If the study was read from no folder, there is no such file in it, or a link leads out of it.
    """
    key = "virtual.population"
    if folder is None:
        right = "Read the study from its file, or give the population's file itself"
        raise InputError(f"the study was read from no file, so that '{name}' stands beside none", key=key, right=right)
    path = folder / name
    try:
        inside, there = path.resolve().is_relative_to(folder.resolve()), path.is_file()
    except (OSError, RuntimeError):
        inside, there = True, False
    if not inside:
        right = "Put the file itself into the folder of the study file"
        raise InputError(f"'{name}' is a link that leads out of the folder of the study file", key=key, right=right)
    if not there:
        what = f"'{name}' is a folder or no plain file" if path.exists() else f"there is no file '{name}' beside the study file"
        raise InputError(what, key=key, right="Name a built-in population, or a YAML file in the folder of the study file")
    return path
