"""What happens in a patient after infusion? Draws and events in, a course out."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from cartrial.errors import InputError
from cartrial.extras import require
from cartrial.kernels import kernel_cache
from cartrial.processes import cores
from cartrial.virtual.engine import kernel_codes as codes

__all__ = ["Course", "Draws", "Events", "compiled", "infuse", "simulate_course"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]

_CHUNK = 256
"""Patients that a thread takes at once: so many that lanes are seldom without one."""
_LANES = (0, 1, 2, 3)
"""Four patients side by side: as many float64 as a vector of 256 bits has."""
KINDS = {
    "infusion": codes.INFUSION,
    "lymphodepletion": codes.LYMPHODEPLETION,
    "tocilizumab": codes.TOCILIZUMAB,
    "corticosteroids": codes.STEROIDS,
    "transplant": codes.TRANSPLANT,
    "new-therapy": codes.NEW_THERAPY,
}


@dataclass(frozen=True)
class Draws:
    """Patients as drawn: everything about them that chance decides before day 0.

    Parameters
    ----------
    parameters : ndarray of float64, shape (patients, 26)
        Parameters of the equations, in the order of `kernel_codes.PARAMETERS`.
    initial : ndarray of float64, shape (patients, 17)
        State at day 0, after lymphodepletion and before infusion, in the order of `kernel_codes.STATES`.
    alive : ndarray of bool, shape (patients, 3)
        Which clones of blasts exist: sensitive and sanctuary (CD19-positive), CD19-negative.
    thresholds : ndarray of float64, shape (patients, 3)
        Natural logarithm of cells/uL at which a clone is lost: one cell times Exp(1), drawn once for each clone.
    covariates : mapping of str to ndarray, shape (patients,)
        `age` (years), `marrow` (fraction of blasts before lymphodepletion), `poor_product` (bool), `durable_memory` (bool),
        `prior_transplant` (bool), `quality` (standard normal: the apheresis' quality), `child` (bool).
    member : ndarray of int64, shape (patients,)
        Which parameter set of the ensemble a patient has.
    hazards : mapping of str to float or ndarray
        Clinical rates of the member: `after_failure` (deaths/day after relapse or non-response), `severe_crs` (ln IL-6 of 50 % severe CRS),
        `icans` (logit of neurotoxicity from cytokine release), `before_infusion` (deaths or loss of eligibility/day while waiting).
    """

    parameters: Floats
    initial: Floats
    alive: Flags
    thresholds: Floats
    covariates: Mapping[str, NDArray[np.generic]]
    member: NDArray[np.int64]
    hazards: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parameters)

    def take(self, rows: NDArray[np.generic] | slice) -> Draws:
        """Return the patients of some rows."""
        return Draws(
            self.parameters[rows],
            self.initial[rows],
            self.alive[rows],
            self.thresholds[rows],
            {name: values[rows] for name, values in self.covariates.items()},
            self.member[rows],
            {name: values[rows] for name, values in self.hazards.items()},
        )


@dataclass(frozen=True)
class Events:
    """What is done to each patient, and when.

    Parameters
    ----------
    day : ndarray of float64, shape (patients, events)
        Days from day 0; infinite where a patient has no such event.
    kind : ndarray of int64, shape (patients, events)
        `INFUSION`, `LYMPHODEPLETION`, ... of `kernel_codes`.
    value : ndarray of float64, shape (patients, events)
        Infusion: fraction of the dose. Lymphodepletion: ln-kill of host T cells (blasts: a third of it, reserve: one logit).
        Transplant: log10-kill of blasts; it is done only if the true fraction of blasts in the marrow is then below 1e-4. New therapy:
        log10-kill of blasts.
        Tocilizumab and corticosteroids: ignored.
    tocilizumab_at, steroids_at : ndarray of float64, shape (patients,)
        IL-6 (pg/mL) at whose first crossing the drug is given; infinite: only at a day named above.
    """

    day: Floats
    kind: NDArray[np.int64]
    value: Floats
    tocilizumab_at: Floats
    steroids_at: Floats

    @classmethod
    def none(cls, patients: int) -> Events:
        """Return no events for so many patients."""
        empty = np.empty((patients, 0))
        never = np.full(patients, np.inf)
        return cls(empty, np.empty((patients, 0), np.int64), empty, never, never)

    def add(self, kind: str, day: float | Floats, value: float | Floats = 0.0) -> Events:
        """Return the events with one more for each patient.

        Parameters
        ----------
        kind : str
            `infusion`, `lymphodepletion`, `tocilizumab`, `corticosteroids`, `transplant` or `new-therapy`.
        day : float or ndarray, shape (patients,)
            Days from day 0, not negative; infinite for patients without it.
        value : float or ndarray, shape (patients,)
            See `Events`.

        Raises
        ------
        InputError
            For an unknown kind, a day before day 0 or a value below 0.
        """
        if kind not in KINDS:
            raise InputError(f"'{kind}' is no event", right="Known events are: " + ", ".join(KINDS))
        n = len(self.day)
        days = np.broadcast_to(np.asarray(day, float), (n,))
        values = np.broadcast_to(np.asarray(value, float), (n,))
        if np.isnan(days).any() or (days < 0).any():
            raise InputError(f"an event '{kind}' stands before day 0", right="Give days from day 0, or infinity for none")
        if np.isnan(values).any() or (values < 0).any():
            raise InputError(f"an event '{kind}' has a negative value", right="Give a value of 0 or more")
        return replace(
            self,
            day=np.column_stack([self.day, days]),
            kind=np.column_stack([self.kind, np.full(n, KINDS[kind])]),
            value=np.column_stack([self.value, values]),
        )

    def treat(self, *, tocilizumab_at: float | Floats = np.inf, steroids_at: float | Floats = np.inf) -> Events:
        """Return the events with drugs against cytokine release, given when IL-6 (pg/mL) first crosses a level."""
        n = len(self.day)
        levels = [np.array(np.broadcast_to(np.asarray(level, float), (n,))) for level in (tocilizumab_at, steroids_at)]
        if any(not (level > 0).all() for level in levels):
            raise InputError("a level of IL-6 is not positive", right="Give a level above 0 pg/mL, or infinity for none")
        return replace(self, tocilizumab_at=levels[0], steroids_at=levels[1])

    def take(self, rows: NDArray[np.generic] | slice) -> Events:
        """Return the events of some patients."""
        return Events(self.day[rows], self.kind[rows], self.value[rows], self.tocilizumab_at[rows], self.steroids_at[rows])


def infuse(draws: Draws, fractions: tuple[float, ...] = (1.0,), days: tuple[float, ...] = (0.0,)) -> Events:
    """Return the events of an infusion, at once or in fractions.

    Raises
    ------
    InputError
        If there are not as many days as fractions.

    Examples
    --------
    >>> from cartrial.virtual import Keys, draw_patients, infuse, load_ensemble, load_population
    >>> draws = draw_patients(load_population("inaticel"), load_ensemble(), Keys.trials("example", 1, 1, 2))
    >>> events = infuse(draws, fractions=(0.1, 0.3, 0.6), days=(0, 1, 2))
    >>> events.day.tolist(), events.value.tolist()
    ([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], [[0.1, 0.3, 0.6], [0.1, 0.3, 0.6]])
    """
    if len(fractions) != len(days):
        raise InputError("fractions of the dose and their days do not pair", right="Give one day for each fraction")
    events = Events.none(len(draws))
    for fraction, day in zip(fractions, days, strict=True):
        events = events.add("infusion", day, fraction)
    return events


@dataclass(frozen=True)
class Course:
    """What could be observed, without any assay's error or limit.

    Parameters
    ----------
    days : ndarray of float64, shape (days,)
        Days from day 0; events of a day have happened.
    values : ndarray of float32, shape (patients, days, 11)
        In the order of `kernel_codes.QUANTITIES`; also by name: `course["anc"]`, shape (patients, days). Blasts, B cells, CAR-T
        cells and host T cells in cells/uL of blood equivalent, IL-6 pg/mL, ferritin ng/mL, CRP mg/L, ANC and platelets 1e9/L.
    info : ndarray of float64, shape (patients, 14)
        What the solver noted, in the order of `kernel_codes.I_*`.
    genomes : ndarray of float64, shape (patients,)
        Vector copies per CAR-T cell, marrow and blood taken together.
    """

    days: Floats
    values: Singles
    info: Floats
    genomes: Floats

    def __getitem__(self, quantity: str) -> Singles:
        return self.values[:, :, codes.QUANTITIES.index(quantity)]

    @cached_property
    def blasts(self) -> Singles:
        """All blasts, cells/uL, shape (patients, days)."""
        return self["blasts_positive"] + self["blasts_negative"]

    @cached_property
    def marrow(self) -> Singles:
        """True fraction of blasts among marrow cells (0 to 0.97); also the true MRD. Shape (patients, days). Mapping: Liu 2022."""
        return np.float32(codes.MARROW_TOP) * self.blasts / (self.blasts + np.float32(codes.MARROW_SCALE))

    @cached_property
    def blood_blasts(self) -> Singles:
        """Blasts in blood, cells/uL: 5 % of blasts times their marrow fraction (assumption: an infiltrated marrow sheds more)."""
        return np.float32(codes.BLOOD_SHARE) * self.blasts * self.marrow

    @cached_property
    def negative_share(self) -> Singles:
        """CD19-negative share of the blasts (0 to 1), 0 where there are none. Shape (patients, days)."""
        total = self.blasts
        return np.divide(self["blasts_negative"], total, out=np.zeros_like(total), where=total > 0)

    @cached_property
    def leukocytes(self) -> Singles:
        """Leukocytes, cells/uL: neutrophils as 65 % of those that are no T cells, host T, CAR-T, B cells and blasts in blood."""
        return self["anc"] * np.float32(1000 / 0.65) + self["host_t"] + self["car_cells"] + self["b_cells"] + self.blood_blasts

    @cached_property
    def copies(self) -> Singles:
        """Vector copies per ug of DNA, shape (patients, days): 151,515 diploid genomes per ug; a ratio to all leukocytes."""
        return np.float32(151_515.0) * self.genomes.astype(np.float32)[:, None] * self["car_cells"] / self.leukocytes

    @property
    def extinct(self) -> Floats:
        """Day on which each clone was lost, NaN: never (or never there). Shape (patients, 3)."""
        return self.info[:, : codes.I_EXTINCT_NEGATIVE + 1]

    @property
    def rejected(self) -> Floats:
        """Day on which host-versus-graft activity passed 0.35/day, NaN: never. Shape (patients,)."""
        return self.info[:, codes.I_REJECTED]

    @property
    def transplanted(self) -> Floats:
        """Day of a transplant that was done, NaN: none. Shape (patients,)."""
        return self.info[:, codes.I_TRANSPLANTED]

    @property
    def tocilizumab(self) -> Floats:
        """Day of the first tocilizumab, NaN: none. Shape (patients,)."""
        return self.info[:, codes.I_TOCILIZUMAB]

    @property
    def steroids(self) -> Floats:
        """Day of the first corticosteroids, NaN: none. Shape (patients,)."""
        return self.info[:, codes.I_STEROIDS]

    @property
    def peak_il6(self) -> Floats:
        """Highest IL-6 at the solver's steps, pg/mL. Shape (patients,)."""
        return self.info[:, codes.I_PEAK_IL6]


@cache
def compiled(name: str) -> ModuleType:
    """Return a module of compiled kernels of this room, cached on disk beside the package's other kernels.

    Raises
    ------
    InputError
        If Numba is not installed.
    """
    import importlib

    with kernel_cache(require("numba", extra="fast")):
        return importlib.import_module(f"cartrial.virtual.{name}")


def simulate_course(draws: Draws, days: Floats, events: Events | None = None, *, rtol: float = 1e-4, threads: int | None = None) -> Course:
    """Solve the equations for every patient.

    Parameters
    ----------
    draws : Draws
    days : ndarray of float64, shape (days,)
        Days from day 0 at which the course is wanted, increasing, not negative.
    events : Events, optional
        Without: one infusion of the whole dose at day 0.
    rtol : float, default 1e-4
        Tolerance of a step on the logarithm of cells and relative on the rest. 1e-4 kept every observed quantity of 300 patients
        within 4e-3, of half of them within 4e-4; 1e-6 within 1e-5.
    threads : int, optional
        Threads; one for each core without it. The result does not depend on it.

    Returns
    -------
    Course

    Raises
    ------
    InputError
        For days or a tolerance that cannot be, or if a patient cannot be solved.

    Notes
    -----
    Rodas5P (Steinebach 2023, doi:10.1007/s10543-023-00967-x), order 5, L-stable, adaptive, with an analytic Jacobian, four patients side by
    side. A patient's bits do not depend on who stands beside, on the order or on threads.

    Examples
    --------
    Two patients with and without the infusion: both have fewer blasts with it on day 28.

    >>> from cartrial.virtual import Events, Keys, draw_patients, load_ensemble, load_population, simulate_course
    >>> draws = draw_patients(load_population("inaticel"), load_ensemble(), Keys.trials("example", 1, 1, 2))
    >>> course = simulate_course(draws, [0, 14, 28])
    >>> without = simulate_course(draws, [0, 14, 28], Events.none(2))
    >>> course["car_cells"].shape
    (2, 3)
    >>> (course.blasts[:, 2] < without.blasts[:, 2]).tolist()
    [True, True]
    """
    days = np.ascontiguousarray(days, dtype=float)
    if days.ndim != 1 or not len(days) or (np.diff(days) <= 0).any() or days[0] < 0 or not np.isfinite(days).all():
        raise InputError("the days of a course are not increasing from day 0", right="Give increasing days, 0 or later")
    if not 1e-12 <= rtol <= 0.1:
        raise InputError(f"a tolerance of {rtol:g} cannot be used", right="Give one between 1e-12 and 0.1")
    events = infuse(draws) if events is None else events
    if len(events.day) != len(draws):
        raise InputError(f"there are events for {len(events.day)} patients but {len(draws)} patients", right="Give events for each patient")
    solver = compiled("engine.solver_kernel")
    n = len(draws)
    values = np.empty((n, len(days), codes.N_QUANTITIES), np.float32)
    info = np.empty((n, codes.N_INFO))
    arrays = [np.ascontiguousarray(a) for a in (draws.initial, draws.parameters, draws.alive, draws.thresholds)]
    order = np.argsort(events.day, axis=1, kind="stable")
    arrays += [np.take_along_axis(a, order, axis=1) for a in (events.day, events.kind, events.value)]
    arrays += [np.column_stack([events.tocilizumab_at, events.steroids_at])]
    padded = np.append(days, np.repeat(days[-1], solver.PADDING))

    threads = threads or cores()
    size = _CHUNK if threads == 1 else max(4 * len(_LANES), min(_CHUNK, -(-n // (2 * threads))))

    def chunk(start: int) -> None:
        rows = slice(start, start + size)
        who = solver.Patients(*(a[rows] for a in arrays), padded, values[rows], info[rows])
        solver.solve(who, solver.make_bench(len(_LANES)), rtol, _LANES)

    starts = range(0, n, size)
    if threads == 1 or len(starts) <= 1:
        for start in starts:
            chunk(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(chunk, starts))
    if (failed := int(info[:, codes.I_FAILED].sum())) > 0:
        first = int(info[:, codes.I_FAILED].argmax())
        raise InputError(
            f"{failed} of {n} patients cannot be solved, the first is number {first + 1}",
            right="Check the population's parameters for extreme values",
        )
    return Course(days, values, info, draws.parameters[:, codes.Q_GENOMES])
