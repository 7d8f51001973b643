"""Exact likelihoods of nonlinear mixed models, by quadrature in code of its own, for tests/kinetics.

    python tests/oracle/kinetics_exact.py > tests/oracle/kinetics_exact.json

Theoph: adaptive Gauss-Hermite quadrature, 15 x 15 nodes about each subject's mode, maximised by BFGS.
Cells: 40 simulated subjects, 9 days, growth to a peak and one contraction; peak and contraction vary, samples below 50 are known to be
below it. Each subject's integral on an even grid of 61 x 61 points over +- 6 standard deviations of the population, narrowed to the
posterior; the maximum is checked with 241 x 241 points. Nothing of the package is imported. About two minutes.
"""

from __future__ import annotations

import json

import external
import numpy as np
from scipy.optimize import minimize
from scipy.special import log_ndtr, logsumexp

LIMIT = 50.0
DAYS = [3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 60.0]
TRUE = {"fold": 8.269, "tmax": 2.230, "cmax": 10.086, "alpha": -1.833, "w_cmax": 0.9, "w_alpha": 0.5, "error": 0.5}


def oral(dose: np.ndarray, time: np.ndarray, ke: np.ndarray, ka: np.ndarray, cl: np.ndarray) -> np.ndarray:
    """Return the concentration; logarithms of Ke, Ka, Cl."""
    a, b = np.exp(ke), np.exp(ka)
    return dose * np.exp(ke + ka - cl) * (np.exp(-a * time) - np.exp(-b * time)) / (b - a)


def theoph(data: dict) -> dict:
    """Return the fit of Theoph with Ka and Cl varying."""
    subject = np.array(data["subject"])
    sets = [[np.array(data[key])[subject == one] for key in ("time", "conc", "dose")] for one in sorted(set(subject))]
    nodes, weights = np.polynomial.hermite_e.hermegauss(15)
    u = np.array([(x, y) for x in nodes for y in nodes])
    logw = np.log([x * y for x in weights for y in weights]) + 0.5 * (u**2).sum(axis=1)

    def joint(eta: np.ndarray, p: np.ndarray, time: np.ndarray, conc: np.ndarray, dose: np.ndarray) -> np.ndarray:
        f = oral(dose, time, p[0], p[1] + eta[:, :1], p[2] + eta[:, 1:])
        s, w = np.exp(p[5]), np.exp(p[3:5])
        like = -0.5 * (((conc - f) / s) ** 2).sum(axis=1) - len(conc) * (p[5] + 0.5 * np.log(2 * np.pi))
        return like - 0.5 * ((eta / w) ** 2).sum(axis=1) - p[3:5].sum() - np.log(2 * np.pi)

    def top_of(eta: np.ndarray, *rest: np.ndarray) -> float:
        return -joint(eta[None], *rest)[0]

    def loglik(p: np.ndarray) -> float:
        total = 0.0
        for time, conc, dose in sets:
            top = minimize(top_of, np.zeros(2), args=(p, time, conc, dose), method="BFGS", options={"gtol": 1e-7}).x
            h = 1e-4
            hess = np.empty((2, 2))
            for a in range(2):
                for b in range(2):
                    ea, eb = np.eye(2)[a] * h, np.eye(2)[b] * h
                    four = np.array([top + ea + eb, top + ea - eb, top - ea + eb, top - ea - eb])
                    v = joint(four, p, time, conc, dose)
                    hess[a, b] = -(v[0] - v[1] - v[2] + v[3]) / (4 * h * h)
            root = np.linalg.cholesky(np.linalg.inv(hess))
            at = joint(top + u @ root.T, p, time, conc, dose)
            total += logsumexp(logw + at) + np.log(np.diag(root)).sum()
        return total

    start = np.array([-2.46, 0.48, -3.227, np.log(0.66), np.log(0.167), np.log(0.708)])
    found = minimize(lambda p: -loglik(p), start, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8, "maxiter": 900})
    p = found.x
    values = [*p[:3], *np.exp(p[3:]), -found.fun]
    return dict(zip(("lke", "lka", "lcl", "w_ka", "w_cl", "sigma", "loglik"), map(float, values), strict=True))


def cells(fold: float, tmax: float, cmax: np.ndarray, alpha: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return the logarithm of the number of cells; arguments are logarithms."""
    peak = np.exp(tmax)
    return cmax + np.where(time < peak, fold * (time / peak - 1.0), -np.exp(alpha) * (time - peak))


def simulate() -> dict:
    """Return simulated samples, the same each time."""
    g = np.random.default_rng(20)
    t = TRUE
    eta = g.standard_normal((40, 2)) * [t["w_cmax"], t["w_alpha"]]
    f = cells(t["fold"], t["tmax"], t["cmax"] + eta[:, :1], t["alpha"] + eta[:, 1:], np.array(DAYS))
    y = np.round(f + t["error"] * g.standard_normal(f.shape), 6)
    return {"limit": LIMIT, "days": DAYS, "value": [[None if v < np.log(LIMIT) else float(v) for v in row] for row in y]}


def grid_loglik(p: np.ndarray, data: dict, points: int) -> float:
    """Return the log likelihood at (fold, tmax, cmax, alpha, ln w_cmax, ln w_alpha, ln error), all logarithms."""
    time, bound = np.array(data["days"]), np.log(data["limit"])
    w, s = np.exp(p[4:6]), np.exp(p[6])

    def logs(y: np.ndarray, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        e1, e2 = np.meshgrid(x1, x2, indexing="ij")
        f = cells(p[0], p[1], p[2] + e1[..., None], p[3] + e2[..., None], time)
        z = (np.where(np.isnan(y), bound, y) - f) / s
        like = np.where(np.isnan(y), log_ndtr(z), -0.5 * z * z - np.log(s) - 0.5 * np.log(2 * np.pi)).sum(axis=-1)
        return like - 0.5 * (e1 / w[0]) ** 2 - 0.5 * (e2 / w[1]) ** 2 - np.log(w).sum() - np.log(2 * np.pi)

    total = 0.0
    for row in data["value"]:
        y = np.array([np.nan if v is None else v for v in row])
        x1, x2 = (np.linspace(-6 * one, 6 * one, 61) for one in w)
        for _ in range(2):
            at = logs(y, x1, x2)
            near = at > at.max() - 30
            a, b = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
            d1, d2 = x1[1] - x1[0], x2[1] - x2[0]
            x1 = np.linspace(x1[a[0]] - d1, x1[a[-1]] + d1, points)
            x2 = np.linspace(x2[b[0]] - d2, x2[b[-1]] + d2, points)
        total += logsumexp(logs(y, x1, x2)) + np.log((x1[1] - x1[0]) * (x2[1] - x2[0]))
    return float(total)


def grid(data: dict) -> dict:
    """Return the fit of simulated cells by grids."""
    t = TRUE
    true = np.array([t["fold"], t["tmax"], t["cmax"], t["alpha"], np.log(t["w_cmax"]), np.log(t["w_alpha"]), np.log(t["error"])])
    options = {"xatol": 2e-5, "fatol": 1e-7, "maxiter": 2500, "maxfev": 2500, "adaptive": True}
    found = minimize(lambda p: -grid_loglik(p, data, 41), true, method="Nelder-Mead", options=options)
    names = ("fold", "tmax", "cmax", "alpha", "w_cmax", "w_alpha", "error")
    top, at_true = (dict(zip(names, map(float, [*p[:4], *np.exp(p[4:])]), strict=True)) for p in (found.x, true))
    ends = {"at_true": grid_loglik(true, data, 241), "at_maximum": grid_loglik(found.x, data, 241)}
    return {"data": data, "true": at_true, "maximum": top, "evaluations": found.nfev, **ends}


if __name__ == "__main__":
    frame = external.theoph()
    print(json.dumps({"theoph": theoph({name: frame[name].tolist() for name in frame}), "grid": grid(simulate())}, indent=1))
