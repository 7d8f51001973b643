"""Random sets for models: 3 to 8 subjects against 20 to 59. `python tests/model_sets.py FILE` writes them for tests/oracle/models.R."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import polars as pl

SETS = 1500


@cache
def model_set(number: int) -> pl.DataFrame:
    """One set: time, event, cause (0 censored, 1, 2), group (1 the few, 0 the many), x.

    Hazard ratios from 1 to 15; at least one event in each group. Times of even sets are whole days, with ties. The generator is
    numpy's frozen one, so that R's figures stay those of these sets.
    """
    random = np.random.RandomState(20261129 + number)
    while True:
        few, many = random.randint(3, 9), random.randint(20, 60)
        ratio = 1 + 14 * random.random_sample()
        group = np.repeat([1, 0], [few, many])
        own = -np.log(random.random_sample(few + many)) * 300 / np.where(group == 1, ratio, 1)
        censored = -np.log(random.random_sample(few + many)) * 500
        second = random.random_sample(few + many) < 0.35
        x = np.round(20 + 50 * random.random_sample(few + many), 1)
        event = own <= censored
        time = np.minimum(own, censored)
        time = np.ceil(time) if number % 2 == 0 else np.round(time, 4)
        if event[group == 1].any() and event[group == 0].any():
            cause = np.where(event, np.where(second, 2, 1), 0)
            return pl.DataFrame({"time": time, "event": event.astype(np.int8), "cause": cause, "group": group, "x": x})


if __name__ == "__main__":
    pl.concat(model_set(i).select(pl.lit(i).alias("set"), pl.all()) for i in range(SETS)).write_csv(sys.argv[1])
