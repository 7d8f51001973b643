"""Which two-stage design of each size expects the fewest subjects? A search that leaves out only what cannot win."""

from __future__ import annotations

from typing import Any

from cartrial.kernels import kernel

__all__ = ["search_simon"]


@kernel
def search_simon(
    mass0: Any,
    mass1: Any,
    tail0: Any,
    tail1: Any,
    mass: Any,
    alpha: float,
    power: float,
    n1_low: int,
    n1_high: int,
    stop: bool,
    tie: float,
    best: Any,
) -> None:
    """Fill the best design of each number of subjects, where it beats every design of fewer subjects.

    Parameters
    ----------
    mass0, mass1 : ndarray of float64, shape (subjects + 1, subjects + 2)
        Binomial probabilities `mass[n, x]` at the null and at the alternative.
    tail0, tail1 : ndarray of float64, same shape
        `tail[n, x]`: so many responders or more; 0 from x = n + 1 on.
    mass : ndarray of float64, same shape
        Binomial probabilities at the rate at which few subjects are wanted.
    alpha, power : float
        Type I error at most, power at least.
    n1_low, n1_high : int
        Subjects of the first stage, from and to.
    stop : bool
        Whether the first stage may end with success.
    tie : float
        Expected numbers of subjects this near are equal.
    best : ndarray of float64, shape (subjects + 1, 5)
        Filled where a design of n subjects expects fewer subjects than all designs of fewer: r1, n1, e1 (n1 + 1: no stop for
        efficacy), r, expected subjects. Elsewhere 0.

    Notes
    -----
    What is left out cannot win: an n of which even the most powerful test (Neyman and Pearson's, randomised) lacks the power; a
    futility stop that alone spends the type II error; an efficacy stop that alone spends the type I error; a first stage as long as
    the expected number of the best so far; without efficacy stop, a last boundary without the power even in a single stage, and
    lower r1 once one expects more subjects than the best (with n1 given, the number rises as r1 falls). Of designs that differ in r
    alone, the highest r with the power is tried: no other has a smaller type I error.
    """
    least = 1e300
    for n in range(n1_low + 1, mass0.shape[0]):
        r = n + 1
        while r > 0 and tail0[n, r - 1] <= alpha:
            r -= 1
        if r > 0 and tail1[n, r] + mass1[n, r - 1] * (alpha - tail0[n, r]) / mass0[n, r - 1] < power:
            continue
        top = n  # success needs at most so many
        while not stop and tail1[n, top] < power:
            top -= 1
        for n1 in range(n1_low, min(n1_high, n - 1) + 1):
            if n1 >= least - tie:
                break
            n2 = n - n1
            r1 = -1
            futile = mass1[n1, 0]
            while futile <= 1.0 - power and r1 + 1 < n1:
                r1 += 1
                futile += mass1[n1, r1 + 1]
            while r1 >= 0:
                # the first stage goes on with r1 + 1 to e1 - 1 responders
                e1 = r1 + 2 if stop else n1 + 1
                inside = 0.0
                for x in range(r1 + 1, e1):
                    inside += mass[n1, x]
                if not stop and n1 + inside * n2 >= least - tie:
                    break
                while e1 <= n1 + 1 and n1 + inside * n2 < least - tie:
                    lost = tail0[n1, e1]
                    if lost <= alpha:
                        for x in range(r1 + 1, e1):
                            lost += mass0[n1, x] * tail0[n2, min(max(top - x, 0), n2 + 1)]
                    if lost <= alpha:
                        low, high = r1 + 1, top
                        while low < high:
                            middle = (low + high + 1) // 2
                            won = tail1[n1, e1]
                            for x in range(r1 + 1, e1):
                                won += mass1[n1, x] * tail1[n2, min(max(middle - x, 0), n2 + 1)]
                            if won >= power:
                                low = middle
                            else:
                                high = middle - 1
                        if low > r1 + 1:
                            lost = tail0[n1, e1]
                            for x in range(r1 + 1, e1):
                                lost += mass0[n1, x] * tail0[n2, min(max(low - x, 0), n2 + 1)]
                            if lost <= alpha:
                                least = n1 + inside * n2
                                best[n, 0] = r1
                                best[n, 1] = n1
                                best[n, 2] = e1
                                best[n, 3] = low - 1
                                best[n, 4] = least
                                break
                    inside += mass[n1, e1]
                    e1 += 1
                r1 -= 1
