"""Is the registry whole? Its files are read strictly, and everything that is wrong in any of them is said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cartrial.errors import InputError
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.trial import Claim, Claims, Mark, Source, Sources, Timeline, TrialFile
from cartrial.faults import nearest
from cartrial.yamlfile import Lines, read_as

__all__ = ["DATA", "Evidence", "load_evidence", "read_evidence", "read_trial"]

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class Evidence:
    """Everything that is held of what was published.

    Parameters
    ----------
    trials : dict of str to TrialFile
        By the id of the trial.
    sources : dict of str to Source
    claims : tuple of Claim
    timeline : tuple of Mark
    product : str
        Whose way the timeline is.
    """

    trials: dict[str, TrialFile]
    sources: dict[str, Source]
    claims: tuple[Claim, ...]
    timeline: tuple[Mark, ...]
    product: str

    @property
    def results(self) -> tuple[tuple[str, Result], ...]:
        """Every result with the id of its trial, in the order of trials and files."""
        return tuple((name, result) for name, file in self.trials.items() for result in file.results)

    def find(self, result: str) -> tuple[str, Result]:
        """Return a result and the id of its trial.

        Raises
        ------
        InputError
            If there is none; the nearest is named.
        """
        held = {one.id: (trial, one) for trial, one in self.results}
        if result not in held:
            near = nearest(result, list(held))
            right = f"The nearest is '{near}'" if near else "`cartrial evidence list` has their ids"
            raise InputError(f"no result is called '{result}'", key="result", right=right)
        return held[result]

    def share_patients(self, first: str, second: str) -> bool:
        """Whether two trials are named as having the same patients, by either."""
        return second in self.trials[first].trial.overlaps or first in self.trials[second].trial.overlaps


@cache
def load_evidence() -> Evidence:
    """Read the registry that the package holds.

    Examples
    --------
    A response at month 3 in 34 of 48 patients, as printed.

    >>> from cartrial.evidence import load_evidence
    >>> trial, result = load_evidence().find("inati-48-orr3")
    >>> trial, result.count, result.of, result.value.text, result.interval.text
    ('inaticel', 34, 48, '70.8', ('55.9', '83.1'))
    """
    return read_evidence(DATA)


def read_evidence(folder: Path) -> Evidence:
    """Read a registry: a folder with `trials/*.yaml`, `sources.yaml`, `claims.yaml` and `timeline.yaml`.

    Raises
    ------
    InputError
        With a line for everything that is wrong in any file, and for every name that stands for nothing.

    Examples
    --------
    >>> from cartrial.evidence import read_evidence
    >>> from cartrial.evidence.registry.read import DATA
    >>> len(read_evidence(DATA).results)
    179
    """
    paths = sorted((folder / "trials").glob("*.yaml"))
    if not paths:
        raise InputError("the folder holds no trials", file=str(folder), right="Give a folder with trials/*.yaml")
    steps: list[Callable[[], tuple[Any, Lines]]] = [_reading(TrialFile, path) for path in paths]
    steps += [_reading(model, folder / name) for name, model in _WHOLE.items()]
    *trials, sources, claims, timeline = InputError.gather(steps)
    held = Evidence(
        {file.trial.id: file for file, _ in trials},
        {source.id: source for source in sources[0].sources},
        claims[0].claims,
        timeline[0].marks,
        timeline[0].product,
    )
    named = [(path.name, *one) for path, one in zip(paths, trials, strict=True)]
    faults = [*_unknown(named, held), *_claimed(claims, held), *_dated(timeline, held)]
    if faults:
        raise InputError.together(faults)
    return held


def read_trial(path: Path) -> TrialFile:
    """Read the file of one trial; its sources are not asked for.

    Raises
    ------
    InputError
        With a line for everything that is wrong in it.

    Examples
    --------
    >>> from cartrial.evidence import read_trial
    >>> from cartrial.evidence.registry.read import DATA
    >>> read_trial(DATA / "trials" / "calm.yaml").trial.type
    'allogeneic'
    """
    return read_as(TrialFile, path)[0]


_WHOLE: dict[str, Any] = {"sources.yaml": Sources, "claims.yaml": Claims, "timeline.yaml": Timeline}


def _reading(model: Any, path: Path) -> Callable[[], tuple[Any, Lines]]:
    return lambda: read_as(model, path, keep=True)


def _fault(what: str, file: str, lines: Lines, at: tuple[str | int, ...], right: str) -> InputError:
    return InputError(what, file=file, row=lines.get(at), key=".".join(str(part) for part in at), right=right)


def _unknown(named: list[tuple[str, TrialFile, Lines]], held: Evidence) -> Iterator[InputError]:
    """Yield trials and results that stand twice, and sources and trials that do not exist."""
    trials: set[str] = set()
    results: dict[str, str] = {}
    for name, file, lines in named:
        if file.trial.id in trials:
            yield _fault(f"two files are of the trial '{file.trial.id}'", name, lines, ("trial", "id"), "Keep one")
        trials.add(file.trial.id)
        for other in file.trial.overlaps:
            if other not in held.trials:
                yield _fault(f"there is no trial '{other}'", name, lines, ("trial", "overlaps"), "Name a trial of the registry")
        at: list[tuple[tuple[str | int, ...], str]] = [(("results", i, "source"), one.source) for i, one in enumerate(file.results)]
        at += [(("sums", i, "source"), one.source) for i, one in enumerate(file.sums)]
        at += [(("cuts", i, "follow-up", "source"), one.follow_up.source) for i, one in enumerate(file.cuts) if one.follow_up]
        for place, source in at:
            if source not in held.sources:
                yield _unknown_source(source, held, name, lines, place)
        for i, result in enumerate(file.results):
            if result.id in results:
                what = f"the id '{result.id}' stands in {results[result.id]} already"
                yield _fault(what, name, lines, ("results", i, "id"), "Give each result its own id")
            results.setdefault(result.id, name)


def _unknown_source(source: str, held: Evidence, name: str, lines: Lines, at: tuple[str | int, ...]) -> InputError:
    near = nearest(source, list(held.sources))
    right = f"The nearest is '{near}'" if near else "Write it into sources.yaml"
    return _fault(f"there is no source '{source}'", name, lines, at, right)


def _claimed(claims: tuple[Claims, Lines], held: Evidence) -> Iterator[InputError]:
    known = {result.id for _, result in held.results}
    for i, claim in enumerate(claims[0].claims):
        if claim.source not in held.sources:
            yield _unknown_source(claim.source, held, "claims.yaml", claims[1], ("claims", i, "source"))
        for result in claim.because:
            if result not in known:
                at = ("claims", i, "because")
                yield _fault(f"no result is called '{result}'", "claims.yaml", claims[1], at, "Name a result of the registry")


def _dated(timeline: tuple[Timeline, Lines], held: Evidence) -> Iterator[InputError]:
    for i, mark in enumerate(timeline[0].marks):
        if mark.source not in held.sources:
            yield _unknown_source(mark.source, held, "timeline.yaml", timeline[1], ("marks", i, "source"))
