"""Which p-values remain when several hypotheses are tested? In a fixed sequence, or by Holm, Hochberg or Bonferroni."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cartrial.analysis.estimators.arguments import check_word
from cartrial.errors import InputError

__all__ = ["Adjustment", "adjust_p_values"]

Adjustment = Literal["fixed-sequence", "holm", "hochberg", "bonferroni"]
Floats = NDArray[np.float64]


def adjust_p_values(p: np.ndarray, method: Adjustment = "fixed-sequence") -> Floats:
    """Adjust p-values for several hypotheses: a hypothesis is rejected where its adjusted value is at most the type I error of all.

    Fixed sequence: Maurer W, Hothorn L, Lehmacher W, in Biometrie in der chemisch-pharmazeutischen Industrie 6, 1995; each adjusted value
    is the largest up to its place. Holm S. Scand J Stat 1979;6:65; Hochberg Y. Biometrika 1988;75:800 (doi:10.1093/biomet/75.4.800), for
    p-values that are independent or positively dependent; Bonferroni. The last three as R ``p.adjust``.

    Parameters
    ----------
    p : ndarray of float64, shape (..., hypotheses)
        In the order of testing. Not a number: a hypothesis without a p-value. None after it in a sequence can be rejected; the other
        methods count it among the hypotheses, as one that is not rejected.
    method : {"fixed-sequence", "holm", "hochberg", "bonferroni"}

    Returns
    -------
    ndarray of float64, same shape
        Not a number where there is none.

    Raises
    ------
    InputError
        For a p-value that is not between 0 and 1, or an unknown method.

    Examples
    --------
    >>> import numpy as np
    >>> from cartrial.analysis import adjust_p_values
    >>> adjust_p_values(np.array([0.01, 0.04, 0.03]), "holm").round(2).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust_p_values(np.array([0.01, 0.04, 0.03])).tolist()
    [0.01, 0.04, 0.04]
    """
    check_word(method, get_args(Adjustment), "method", "adjustment")
    p = np.asarray(p, np.float64)
    known = ~np.isnan(p)
    if ((p < 0) | (p > 1)).any():
        raise InputError("a p-value is not between 0 and 1", key="p", right="Give p-values, not a number where there is none")
    if method == "fixed-sequence":
        return np.where(np.logical_and.accumulate(known, axis=-1), np.maximum.accumulate(p, axis=-1), np.nan)
    filled, many = np.where(known, p, 1.0), p.shape[-1]
    if method == "bonferroni":
        return np.where(known, np.minimum(1.0, many * filled), np.nan)
    order = np.argsort(filled, axis=-1, kind="stable")
    ranked = np.take_along_axis(filled, order, axis=-1) * (many - np.arange(many))
    down = np.minimum.accumulate(ranked[..., ::-1], axis=-1)[..., ::-1]
    ranked = np.maximum.accumulate(ranked, axis=-1) if method == "holm" else down
    found = np.empty_like(filled)
    np.put_along_axis(found, order, np.minimum(1.0, ranked), axis=-1)
    return np.where(known, found, np.nan)
