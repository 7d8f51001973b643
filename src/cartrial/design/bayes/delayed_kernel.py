"""What does a trial do whose outcomes are late? One trial after the other, event by event."""

from __future__ import annotations

from typing import Any

import numpy as np

from cartrial.kernels import kernel

__all__ = ["run_delayed"]


@kernel
def run_delayed(
    n: Any,
    go: Any,
    edge: Any,
    early: int,
    wait: bool,
    gaps: Any,
    happens: Any,
    delay: Any,
    success: Any,
    enrolled: Any,
    end: Any,
    paused: Any,
) -> None:
    """Run trials; time is in assessment windows.

    Parameters
    ----------
    n : ndarray of int64, shape (looks,)
        Subjects enrolled at each look.
    go : ndarray of int64, shape (looks,)
        Go on with so many responders or more, all outcomes known.
    edge : ndarray of float64, shape (looks, last n + 1)
        By events seen: stop with an effective number of subjects above it (`early` 1) or below it (`early` 0).
    early : int
        1: responses show when they happen and count as events; 0: failures do.
    wait : bool
        Suspend accrual at a look until the decision with all outcomes is certain, instead of giving credit to the pending.
    gaps : ndarray of float64, shape (trials, last n)
        Time from one enrolment, or from the end of a suspension, to the next.
    happens : ndarray of bool, shape (trials, last n)
        Whether the event happens.
    delay : ndarray of float64, shape (trials, last n)
        Time from enrolment until the outcome is known.
    success : ndarray of bool, shape (trials,)
        Filled: all looks passed.
    enrolled : ndarray of int64, shape (trials,)
        Filled.
    end, paused : ndarray of float64, shape (trials,)
        Filled: time of the last decision, and time during which accrual was suspended.
    """
    looks, most = len(n), n[-1]
    start = np.zeros(most)
    for t in range(len(success)):
        clock, idle = 0.0, 0.0
        before = 0
        verdict = 0
        for k in range(looks):
            for i in range(before, n[k]):
                clock += gaps[t, i]
                start[i] = clock
            before = n[k]
            now = clock
            if k == looks - 1:
                for i in range(n[k]):
                    now = max(now, start[i] + delay[t, i])
            verdict = -1
            while verdict < 0:
                known, events = 0, 0
                followed, soonest = 0.0, np.inf
                for i in range(n[k]):
                    if start[i] + delay[t, i] <= now:
                        known += 1
                        if happens[t, i]:
                            events += 1
                    else:
                        followed += now - start[i]
                        soonest = min(soonest, start[i] + delay[t, i])
                pending = n[k] - known
                responders = events if early == 1 else known - events
                if responders >= go[k]:
                    verdict = 1
                elif responders + pending < go[k]:
                    verdict = 0
                elif wait or pending * most > n[k] * n[k]:
                    now = soonest
                else:
                    effective = known + followed
                    if early == 1:
                        verdict = 0 if effective > edge[k, events] else 1
                    else:
                        verdict = 0 if effective < edge[k, events] else 1
            if k < looks - 1:
                idle += now - clock
            clock = now
            if verdict == 0:
                break
        success[t] = verdict == 1
        enrolled[t] = before
        end[t] = clock
        paused[t] = idle
