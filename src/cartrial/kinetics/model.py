"""What is fitted to which samples? The samples of every subject, and the model of the population."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cartrial.errors import InputError
from cartrial.kinetics.codes import ABOVE, BELOW, MEASURED, MOST_PARAMETERS
from cartrial.kinetics.curves import CURVES
from cartrial.kinetics.curves_kernel import Floats, Integers
from cartrial.kinetics.samples_kernel import Formula, Sampled
from cartrial.shown import Shown

__all__ = ["Covariate", "PopulationModel", "Problem", "SampleSet", "keys_of", "read_set", "root_of"]


@dataclass(frozen=True)
class SampleSet:
    """Samples of subjects, sorted by the subject's name, so that no number depends on the order of the rows.

    Parameters
    ----------
    subjects : tuple of str
    rows : Sampled
        `value` is what the curve predicts: of cells the logarithm.
    columns : mapping of str to ndarray, shape (subjects,)
        Covariates.
    named : bool
        Whether a subject's random numbers hang on its name; else on its samples.
    """

    subjects: tuple[str, ...]
    rows: Sampled
    columns: Mapping[str, Floats] = field(default_factory=dict)
    named: bool = True

    @property
    def never(self) -> NDArray[np.bool_]:
        """Subjects without a quantifiable sample."""
        quantified = np.concatenate([[0], np.cumsum(self.rows.side != BELOW)])
        return np.asarray(quantified[self.rows.first[1:]] == quantified[self.rows.first[:-1]])

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Of each subject what its random numbers hang on: its name; or its samples, so that a report without names has the same numbers.

        Of subjects with the same samples, which one of them, in the order of their covariates.
        """
        if self.named:
            return self.subjects
        first, parts = self.rows.first, (self.rows.time, self.rows.value, self.rows.side)
        told = [b"".join(part[a:b].tobytes() for part in parts) for a, b in pairwise(first)]
        own = [tuple(float(column[i]) for _, column in sorted(self.columns.items())) for i in range(len(told))]
        found, seen = [""] * len(told), dict.fromkeys(told, 0)
        for i in sorted(range(len(told)), key=lambda i: (told[i], own[i])):
            found[i] = f"{hashlib.sha256(told[i]).hexdigest()}-{seen[told[i]]}"
            seen[told[i]] += 1
        return tuple(found)


def read_set(
    subject: Sequence[object],
    time: ArrayLike,
    value: ArrayLike,
    side: ArrayLike | None = None,
    *,
    amount: Mapping[str, float] | None = None,
    columns: Mapping[str, Mapping[str, float]] | None = None,
    named: bool = True,
) -> SampleSet:
    """Read samples, one an entry.

    Parameters
    ----------
    subject : sequence
        The name of the subject.
    time : array_like
        Day of the sample, 0 or later.
    value : array_like
        What the curve predicts (of cells the logarithm of the measurement), or the limit that the sample lies beyond.
    side : array_like of int, optional
        0 measured, -1 below `value`, 1 at least `value`.
    amount : mapping of str to float, optional
        Dose by subject; 1 where none is given.
    columns : mapping of str to mapping of str to float, optional
        Covariates, each by subject.
    named : bool
        Whether a subject's random numbers hang on its name; else on its samples, whatever it is called.

    Raises
    ------
    InputError
        If there is no sample, or one is no finite number, or before day 0, or a subject lacks a covariate.

    Examples
    --------
    >>> from cartrial.kinetics import read_set
    >>> samples = read_set(["B", "A", "B"], [7, 7, 0], [5.0, 3.9, 3.9], [0, -1, -1])
    >>> samples.subjects, samples.rows.time.tolist(), samples.never.tolist()
    (('A', 'B'), [7.0, 0.0, 7.0], [True, False])
    """
    names = np.array([str(one) for one in subject], dtype=object)
    at, values = np.asarray(time, np.float64), np.asarray(value, np.float64)
    sides = np.zeros(len(names), np.int64) if side is None else np.asarray(side, np.int64)
    if not len(names) or not len(names) == len(at) == len(values) == len(sides):
        raise InputError("there are no samples to fit, or not as many of each column", right="Give one subject, day and value a sample")
    if not (np.isfinite(at).all() and np.isfinite(values).all() and (at >= 0).all()):
        raise InputError("a sample has no finite value, or a day before day 0", right="Leave such samples out")
    if not np.isin(sides, (BELOW, MEASURED, ABOVE)).all():
        raise InputError("a sample is below a limit, measured or above one", key="side", right="Write -1, 0 or 1")
    subjects = tuple(sorted(set(names.tolist())))
    number = {name: i for i, name in enumerate(subjects)}
    index = np.array([number[name] for name in names])
    order = np.lexsort((values, sides, at, index))
    first = np.searchsorted(index[order], np.arange(len(subjects) + 1)).astype(np.int64)
    amounts = np.array([float((amount or {}).get(name, 1.0)) for name in subjects])
    found: dict[str, Floats] = {}
    for name, by_subject in (columns or {}).items():
        lacking = [one for one in subjects if not np.isfinite(by_subject.get(one, np.nan))]
        if lacking:
            what = f"the covariate {name} is not known of {len(lacking)} subjects, {lacking[0]} for one"
            raise InputError(what, key="of", right="Record it, or take it out of the model")
        found[name] = np.array([float(by_subject[one]) for one in subjects])
    return SampleSet(subjects, Sampled(first, at[order], values[order], sides[order], amounts), found, named)


@dataclass(frozen=True)
class Covariate:
    """What shifts a parameter: the parameter, and the column of the samples; centred at its mean."""

    on: str
    of: str


@dataclass(frozen=True)
class PopulationModel(Shown):
    """The model of a population.

    Parameters
    ----------
    curve : str
        A name of `CURVES`.
    varying : tuple of str, optional
        Parameters that vary between subjects; all where none are named.
    full : bool
        Whether random effects are correlated.
    bounds : mapping of str to pair of float
        Limits of parameters; within them the logit varies.
    classes : bool
        Whether subjects without a quantifiable sample may be of a class whose cells never expand.
    covariates : tuple of Covariate
    """

    curve: str
    varying: tuple[str, ...] = ()
    full: bool = False
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    classes: bool = True
    covariates: tuple[Covariate, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters of the curve."""
        return CURVES[self.curve].parameters

    @property
    def logarithms(self) -> bool:
        """Whether the logarithms of the parameters vary, as of all curves of cells."""
        return CURVES[self.curve].logarithms

    @property
    def random(self) -> tuple[str, ...]:
        """Parameters that vary between subjects, in the order of the curve."""
        return tuple(name for name in self.parameters if not self.varying or name in self.varying)

    def without(self, name: str) -> PopulationModel:
        """Return the model in which a parameter is the same for all."""
        return replace(self, varying=tuple(other for other in self.random if other != name))


@dataclass(frozen=True)
class Problem:
    """A model laid over samples.

    Attributes
    ----------
    design : ndarray, shape (subjects, random effects, coefficients)
        The mean of a subject's parameters is `design @ coefficients`.
    names : tuple of (parameter, column)
        Of the coefficients; column is empty for the parameter itself.
    """

    model: PopulationModel
    samples: SampleSet
    design: Floats
    names: tuple[tuple[str, str], ...]
    classes: bool

    @classmethod
    def of(cls, model: PopulationModel, samples: SampleSet) -> Problem:
        """Lay a model over samples.

        Raises
        ------
        InputError
            If a covariate does not vary, is on a parameter that does not, or cannot be told from the other covariates of its parameter.
        """
        random = model.random
        names = [(name, "") for name in random]
        names += [(one.on, one.of) for one in model.covariates]
        design = np.zeros((len(samples.subjects), len(random), len(names)))
        for j, (name, column) in enumerate(names):
            if name not in random:
                raise InputError(f"{name} does not vary between subjects, so nothing can shift it", key="on")
            values = np.ones(len(samples.subjects))
            if column:
                values = samples.columns[column] - samples.columns[column].mean()
                if np.ptp(values) == 0:
                    raise InputError(f"the covariate {column} is the same for all subjects", key="of", right="Take it out of the model")
            design[:, random.index(name), j] = values
        classes = model.classes and bool(samples.never.any())
        _require_told_apart(design, names, ~samples.never if classes else np.ones(len(samples.subjects), bool))
        return cls(model, samples, design, tuple(names), classes)

    def formula(self, common: Floats) -> Formula:
        """Return the curve with the values of parameters that all share, by place."""
        places = self.model.parameters
        random = self.model.random
        low, high = np.zeros(MOST_PARAMETERS), np.zeros(MOST_PARAMETERS)
        for name, (least, most) in self.model.bounds.items():
            low[places.index(name)], high[places.index(name)] = least, most
        slot = np.array([places.index(name) for name in random], np.int64)
        held = np.array([place for place, name in enumerate(places) if name not in random], np.int64)
        return Formula(CURVES[self.model.curve].code, slot, held, low, high, common)

    @property
    def held(self) -> tuple[str, ...]:
        """Parameters that all subjects share."""
        return tuple(name for name in self.model.parameters if name not in self.model.random)


def _require_told_apart(design: Floats, names: Sequence[tuple[str, str]], expand: NDArray[np.bool_]) -> None:
    """Refuse a covariate that follows from the others of its parameter, among the subjects whose cells are known to expand."""
    for parameter in dict.fromkeys(name for name, column in names if column):
        columns: list[Floats] = []
        for j, (name, column) in enumerate(names):
            if name != parameter:
                continue
            values = design[expand, :, j].sum(axis=1)
            columns.append(values / max(float(np.abs(values).max(initial=0.0)), 1e-300))
            if column and np.linalg.matrix_rank(np.column_stack(columns), tol=1e-8) < len(columns):
                what = f"{column} cannot be told from the other covariates of {parameter}: it follows from them, or is the same for all"
                raise InputError(f"{what} whose cells were found", key="of", right="Name one of them")


def root_of(covariance: Floats) -> Floats:
    """Return the lower triangle whose product with itself is a covariance, or each of several."""
    return np.asarray(np.linalg.cholesky(covariance), np.float64)


def keys_of(seed: int, subjects: Sequence[str], chains: int, purpose: str) -> Integers:
    """Return two numbers of 32 bits for every chain and subject, the same in whatever company a subject is."""
    keys = np.empty((chains, len(subjects), 2), np.int64)
    for c in range(chains):
        for i, name in enumerate(subjects):
            digest = hashlib.sha256(f"{seed}\x1f{purpose}\x1f{c}\x1f{name}".encode()).digest()
            keys[c, i] = np.frombuffer(digest[:8], "<u4")
    return keys
