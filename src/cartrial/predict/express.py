"""What does a figure ask of a virtual trial? One endpoint, in so many patients of a virtual population; or why it cannot be asked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import ValidationError

from cartrial.analysis.wording import day_of_month
from cartrial.errors import InputError
from cartrial.predict.figures import Figure, is_misspelt
from cartrial.predict.known import Group, Known, Word, load_known, load_published_study
from cartrial.predict.stated import Stated
from cartrial.study.endpoint import POPULATIONS, Endpoint, resolve_variant
from cartrial.virtual.calibration.between import fitted_trials
from cartrial.virtual.patients.population import Population, load_population
from cartrial.yamlfile import nearest

__all__ = ["Question", "Unexpressed", "express_figure", "express_figures", "named_populations"]

Kind = Literal["rate", "time", "share", "toxicity", "flow"]
Named = str | Path | Population
FROM_ENROLMENT = ("enrolled", "leukapheresed")


@dataclass(frozen=True)
class Question:
    """What is asked of each virtual trial.

    Parameters
    ----------
    figure : Figure
    kind : {"rate", "time", "share", "toxicity", "flow"}
        share: of those whose time ends in an event of `what`.
    endpoint : Endpoint or None
        Of a rate, a time or a share.
    what : tuple of str
        The events of a share, the id of a toxicity, a step before infusion.
    grade : int
        Least grade of a toxicity.
    population : str
        In the words of the rules.
    of : str
        The population whose first patients n counts: `population`, or a wider one of which all members of `population` are taken.
    parts : tuple of (Population, int)
        Virtual populations and how many patients n there are of each.
    follow_up : float or None
        Median follow-up, months. None: everybody is followed as long as a virtual trial lasts.
    day : float
        At which a survival is read.
    own : str
        The fitted trial whose own results say something of this one's parameters; "" where it is new to the fit.
    said : tuple of str
        What was assumed to read the row.
    """

    figure: Figure
    kind: Kind
    endpoint: Endpoint | None
    what: tuple[str, ...]
    grade: int
    population: str
    of: str
    parts: tuple[tuple[Population, int], ...]
    follow_up: float | None
    day: float
    own: str
    said: tuple[str, ...]

    @property
    def reader(self) -> str:
        """Who reads."""
        return (self.endpoint.reader if self.endpoint else None) or "INV"

    @property
    def names(self) -> str:
        """The virtual populations in a word."""
        return " + ".join(population.id for population, _ in self.parts)


@dataclass(frozen=True)
class Unexpressed:
    """A figure that no virtual trial can be asked about, and why."""

    figure: Figure
    why: str


class _Reason(Exception):
    """Why a figure cannot be expressed."""


def named_populations(named: Named | Mapping[str, Named] | None) -> dict[str, Population]:
    """Return the populations that a caller names, by trial; under "" that for every trial which is not named.

    Raises
    ------
    InputError
        For an unknown name, or what is wrong with a file.
    """
    by_trial = {} if named is None else named if isinstance(named, Mapping) else {"": named}
    try:
        return {trial: one if isinstance(one, Population) else load_population(one) for trial, one in by_trial.items()}
    except InputError as error:
        raise InputError(error.what, key="population", right=error.right) if error.file is None else error from None


def express_figures(
    figures: tuple[Figure, ...], *, file: str = "", folder: Path | None = None, population: Mapping[str, Named] | None = None
) -> tuple[Question | Unexpressed, ...]:
    """Return what each figure asks, or why it cannot be asked.

    Parameters
    ----------
    figures : tuple of Figure
    file : str
        For messages.
    folder : Path, optional
        Where files of populations that the table names are looked for; without it where the process runs.
    population : mapping of str to str, Path or Population, optional
        Populations by trial, over those of the table; under "" for every trial that is not named.

    Raises
    ------
    InputError
        With a line for each row that cannot be understood: an unknown endpoint, window, reader or strategy, a statistic that the endpoint
        has not, a population that is not there.
    """
    chosen = named_populations(population)
    trials = {figure.trial for figure in figures}
    for trial in chosen:
        if trial and trial not in trials:
            near = nearest(trial, sorted(trials))
            right = f"The nearest one is '{near}'" if near else f"Trials are: {', '.join(sorted(trials))}"
            raise InputError(f"the table has no trial '{trial}'", key="--population", right=right)
    sizes = _sizes(figures)

    def step(figure: Figure) -> Question | Unexpressed:
        named = chosen.get(figure.trial) or chosen.get("") or figure.virtual_population
        return express_figure(figure, load_known(), size=sizes.get((figure.trial, figure.cut)), named=named, file=file, folder=folder)

    return tuple(InputError.gather([lambda figure=figure: step(figure) for figure in figures]))  # type: ignore[misc]


def express_figure(
    figure: Figure,
    known: Known,
    *,
    size: int | None = None,
    named: str | Population | None = None,
    file: str = "",
    folder: Path | None = None,
) -> Question | Unexpressed:
    """Return what one figure asks, or why it cannot be asked; parameters and errors as `express_figures`.

    `size` is the number infused in the figure's cut, where another row states it; `named` is the population that was chosen.
    """
    if figure.left_out:
        return Unexpressed(figure, figure.left_out)
    try:
        return _Row(figure, known, size, named, file, folder).question()
    except _Reason as reason:
        return Unexpressed(figure, str(reason))


def _sizes(figures: tuple[Figure, ...]) -> dict[tuple[str, str], int]:
    """Return how many were infused by trial and cut, where the rows of it say one number."""
    found: dict[tuple[str, str], set[int]] = {}
    for figure in figures:
        if figure.n is not None and not figure.left_out and figure.population in ("infused", "evaluable"):
            found.setdefault((figure.trial, figure.cut), set()).add(figure.n)
    return {key: next(iter(numbers)) for key, numbers in found.items() if len(numbers) == 1}


class _Row(Stated):
    """One figure on its way to a question."""

    def __init__(
        self, figure: Figure, known: Known, size: int | None, named: str | Population | None, file: str, folder: Path | None
    ) -> None:
        super().__init__(figure, known.trials.get(figure.trial), file)
        self.known, self.size, self.named, self.folder = known, size, named, folder

    def question(self) -> Question:
        """Return the question."""
        figure, word = self.figure, self.word()
        # what cannot be understood is said before what cannot be expressed
        window, reader, changes = self.window(word), self.reader(), self.strategies()
        self.check_statistic(word)
        if self.trial and self.trial.why and not self.named:
            raise _Reason(self.trial.why)
        if word.why:
            raise _Reason(word.why)
        if figure.statistic == "pooled":
            raise _Reason("a pooled figure is of no single trial")
        group = self.group()
        shares = self.populations(group)
        population, of = self.patients(group)
        if word.flow and population not in FROM_ENROLMENT:
            raise _Reason(f"{figure.endpoint} is a step before the infusion, of the enrolled, and the row is of the {population}")
        parts = self.parts(shares, of, population)
        endpoint, kind = None, "toxicity" if word.toxicity else "flow"
        if word.endpoint:
            endpoint, kind = self.endpoint(word, population, window, reader, changes)
        if word.toxicity:
            self.check_scale(word)
        follow_up = self.follow_up(kind)
        return Question(
            figure=figure,
            kind=kind,  # type: ignore[arg-type]
            endpoint=endpoint,
            what=tuple(item for item in (*word.ends, word.toxicity, word.flow) if item),
            grade=word.grade,
            population=population,
            of=of,
            parts=parts,
            follow_up=follow_up,
            day=day_of_month(figure.time) if figure.time else math.nan,
            own=self.own(),
            said=tuple(self.said),
        )

    def group(self) -> Group | None:
        """Return what the words for the patients mean, None where they are the rules' own."""
        text = self.figure.population
        known = get_args(POPULATIONS)
        if self.trial and text in self.trial.groups:
            return self.trial.groups[text]
        if text in known:
            return None
        near = nearest(text, list(known))
        if near and is_misspelt(text, near):
            raise self.wrong("population", f"there is no population '{text}'", f"The nearest known one is '{near}'")
        raise _Reason(f"the rules have no population '{text}'")

    def populations(self, group: Group | None) -> Mapping[str, float] | Population:
        """Return the virtual populations with their shares."""
        if self.named:
            people = self.named if isinstance(self.named, Population) else self.load(self.named)
            self.said.append(f"the virtual population was named: {people.id}")
            return people
        trial = self.trial
        if trial is None:
            near = nearest(self.figure.trial, list(self.known.trials))
            meant = f"; '{near}' may be meant" if near and is_misspelt(self.figure.trial, near) else ""
            raise _Reason(f"no virtual population is named for the trial '{self.figure.trial}'{meant}")
        if trial.source.startswith("assumption"):
            self.said.append(f"population by {trial.source}")
        return (group.populations if group else {}) or trial.populations

    def own(self) -> str:
        """Return the fitted trial that the figure's patients are of; none where another population was named."""
        names = () if self.named or self.trial is None else (*self.trial.calibration, *self.trial.shares)
        return next((name for name in names if name in fitted_trials()), "")

    def load(self, name: str) -> Population:
        """Return a population that the table names: built in, or a file."""
        path = Path(name)
        if path.suffix in (".yaml", ".yml"):
            path = self.folder / path if self.folder and not path.is_absolute() else path
            if not path.is_file():
                what = f"the file of the population '{name}' is not there"
                raise self.wrong("virtual-population", what, "Name a built-in population, or a file beside the table")
        try:
            return load_population(path if path.suffix in (".yaml", ".yml") else name)
        except InputError as error:
            where = self.file if error.file is None else None
            if where is None:
                raise
            raise self.wrong("virtual-population", error.what, error.right or "Name a built-in population or a file") from None

    def patients(self, group: Group | None) -> tuple[str, str]:
        """Return the population in the words of the rules, and the one whose first patients n counts."""
        figure = self.figure
        reading = self.known.readings.get(figure.id) if self.trial else None
        if reading and figure.trial in self.known.trials:
            self.said.append(reading.source)
            return reading.population, reading.of
        population = group.population if group else figure.population
        if figure.n is None and population == "responders":
            if self.size is None:
                raise _Reason("neither the number of responders nor that of the infused is stated")
            self.said.append(f"all responders of {self.size} infused, since their number is not stated")
            return population, "infused"
        return population, population

    def parts(self, shares: Mapping[str, float] | Population, of: str, population: str) -> tuple[tuple[Population, int], ...]:
        """Return how many patients there are of each virtual population."""
        n = self.figure.n if self.figure.n is not None or of == population else self.size
        if n is None:
            raise _Reason("the number of patients is not stated")
        if isinstance(shares, Population):
            return ((shares, n),)
        # largest remainders
        whole = {name: int(share * n) for name, share in shares.items()}
        rest = sorted(shares, key=lambda name: (whole[name] - shares[name] * n, name))
        for name in rest[: n - sum(whole.values())]:
            whole[name] += 1
        return tuple((_built_in(name), number) for name, number in whole.items() if number)

    def endpoint(
        self, word: Word, population: str, window: dict[str, str] | None, reader: str, strategies: dict[str, str]
    ) -> tuple[Endpoint, Kind]:
        """Return the endpoint of the study of published trials, as the row changes it."""
        study = load_published_study()
        main = next(endpoint for endpoint in study.endpoints if endpoint.id == word.endpoint)
        changes: dict[str, Any] = {"population": population, "reader": reader, **strategies}
        if main.type == "response-rate":
            changes |= {"window": window} if window else {}
            changes |= {"mrd": word.mrd} if word.mrd else {}
            changes |= self.counted(word)
            if word.landmark and not (window and "at" in window):
                raise _Reason(f"{self.figure.endpoint} as best response is no endpoint of the rules: a better one may stand beside it")
        else:
            changes |= self.origin(main, population)
        left = [f"{key} {getattr(main.strategies, key.replace('-', '_'))}" for key in ("hsct", "new-therapy") if key not in strategies]
        if left:
            self.said.append(f"not stated, as the main analysis: {', '.join(left)}")
        try:
            made = resolve_variant(main, changes).endpoint
        except ValidationError as error:
            fault = error.errors()[0]
            what = str(fault.get("ctx", {}).get("what", fault["msg"]))
            raise self.wrong("hsct" if strategies else "population", what, str(fault.get("ctx", {}).get("hint") or "")) from None
        kind: Kind = "rate" if main.type == "response-rate" else "share" if word.ends else "time"
        return made, kind

    def counted(self, word: Word) -> dict[str, Any]:
        """Return which statuses are the response."""
        if not word.response:
            return {}
        complete = self.trial.complete if self.trial else word.response
        if word.complete and complete != word.response:
            self.said.append(f"CR counts whatever the counts ({self.trial.complete_source if self.trial else ''})")
            return {"response": list(complete)}
        return {"response": list(word.response)}

    def origin(self, main: Endpoint, population: str) -> dict[str, Any]:
        """Return origin and events of a time for this population."""
        if population in FROM_ENROLMENT:
            if main.events != ("death",):
                raise _Reason(f"{main.id} of the {population} has no rule: non-response and relapse count from the infusion")
            return {"origin": "enrolment"}
        if main.origin == "first-response" and population != "responders":
            if main.id != "RFS":
                raise _Reason(f"{self.figure.endpoint} is of responders, and the row is of the {population}")
            self.said.append("of all patients from day 0, non-response an event")
            return {"origin": "day-0", "events": ["non-response", "relapse", "death"]}
        return {}

    def check_scale(self, word: Word) -> None:
        """Refuse grades of another scale than that of virtual patients."""
        scale = self.trial.crs_scale if self.trial else "ASTCT"
        if word.toxicity == "CRS" and word.grade > 1 and scale != "ASTCT":
            raise _Reason(f"graded on the {scale} scale; virtual patients are graded by ASTCT")
        self.said.append("grades taken as those of ASTCT")

    def follow_up(self, kind: str) -> float | None:
        """Return the median follow-up, where the answer hangs on it."""
        if kind not in ("time", "share"):
            return None
        found = self.figure.follow_up or (self.trial.follow_up.get(self.figure.cut) if self.trial else None)
        if found is None and kind == "share":
            raise _Reason("a share with an event hangs on the follow-up, which is not known")
        last = load_published_study().disease.visits[-1]
        self.said.append(
            f"median follow-up {found:g} months" if found else f"follow-up not known: everybody is followed to {last.name} or death"
        )
        return found


@cache
def _built_in(name: str) -> Population:
    return load_population(name)
