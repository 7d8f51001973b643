"""Which checks are made, and what do they come to?"""

from __future__ import annotations

import datetime as dt
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cartrial.errors import InputError
from cartrial.qualify.checks import FAILED, NOT_RUN, PASSED, Check, unbroken
from cartrial.qualify.figures import FIGURES, check_second
from cartrial.qualify.installation import check_installation, describe_machine
from cartrial.qualify.operation import check_operation

__all__ = ["PARTS", "Qualification", "qualify"]

PARTS = ("installation", "operation", "performance")
"""Installation, operation and performance qualification, in this order."""


@dataclass(frozen=True)
class Qualification:
    """What was checked on one machine.

    Parameters
    ----------
    checks : tuple of Check
    machine : tuple of (str, str)
        Versions, platform, extras.
    parts : tuple of str
        Which parts were run.
    when : datetime
        In UTC.
    seconds : float
    seed : int
        Of the random data on which second implementations are compared.
    """

    checks: tuple[Check, ...]
    machine: tuple[tuple[str, str], ...]
    parts: tuple[str, ...]
    when: dt.datetime
    seconds: float
    seed: int

    @property
    def counts(self) -> dict[str, int]:
        """How many checks passed, failed and were not run."""
        found = Counter(check.verdict for check in self.checks)
        return {verdict: found[verdict] for verdict in (PASSED, FAILED, NOT_RUN)}

    @property
    def failed(self) -> list[Check]:
        """The checks that failed."""
        return [check for check in self.checks if check.verdict == FAILED]

    @property
    def passed(self) -> bool:
        """Whether no check failed, and some passed."""
        return not self.counts[FAILED] and bool(self.counts[PASSED])

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        counts = self.counts
        left = f"; {counts[NOT_RUN]} could not be made here" if counts[NOT_RUN] else ""
        left += f"; of {' and '.join(self.parts)} alone" if len(self.parts) < len(PARTS) else ""
        if self.passed:
            return f"Passed: {counts[PASSED]:,} checks{left}."
        return f"Failed: {counts[FAILED]:,} of {counts[PASSED] + counts[FAILED]:,} checks{left}."


def qualify(
    parts: tuple[str, ...] = PARTS, *, seed: int | None = None, thorough: bool = False, say: Callable[[str], None] = lambda _: None
) -> Qualification:
    """Check an installation.

    Parameters
    ----------
    parts : tuple of str
        Of `PARTS`.
    seed : int, optional
        Of the random data; otherwise one that is drawn, and stands in the result.
    thorough : bool
        Type the commands too that take minutes.
    say : callable
        Told what is being checked.

    Returns
    -------
    Qualification

    Raises
    ------
    InputError
        If there is no such part, or the seed is below 0.

    Examples
    --------
    >>> from cartrial.qualify import qualify
    >>> found = qualify(("installation",), seed=1)
    >>> found.passed, found.counts["failed"], found.seed
    (True, 0, 1)
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(f"'{part}' is no part of a qualification", key="--only", right=f"Parts are: {', '.join(PARTS)}")
    if seed is not None and seed < 0:
        raise InputError(f"the seed {seed} is below 0", key="--seed", right="A whole number from 0")
    drawn = secrets.randbelow(10**9) if seed is None else seed
    began, when = time.monotonic(), dt.datetime.now(dt.UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory(prefix="cartrial-qualify-") as place:
        checks = tuple(check for part in PARTS if part in parts for check in _made(part, Path(place), drawn, thorough, say))
    return Qualification(checks, tuple(describe_machine()), tuple(parts), when, time.monotonic() - began, drawn)


def _made(part: str, place: Path, seed: int, thorough: bool, say: Callable[[str], None]) -> Iterator[Check]:
    if part == "installation":
        say("Files, versions and extras of the installation")
        yield from unbroken(part, "the installation", check_installation())
    elif part == "operation":
        say("Commands, formats, refusals and truth tables")
        yield from unbroken(part, "the commands", check_operation(place, thorough=thorough))
    else:
        for check in FIGURES:
            say(f"Figures: {(check.__doc__ or '').removeprefix('Yield ').split('.')[0]}")
            yield from unbroken(part, (check.__doc__ or "").removeprefix("Yield ").splitlines()[0], check())
        say(f"Figures: second implementations, seed {seed}")
        yield from unbroken(part, "second implementations", check_second(seed))
