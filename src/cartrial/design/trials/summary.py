"""What do the trials say together? Rates and means over trials, each with its Monte-Carlo error, beside the exact binomial."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cartrial.design.exact.binomial import SLACK
from cartrial.design.exact.inference import estimate_bias
from cartrial.design.exact.single import estimate_sawtooth
from cartrial.design.exact.staged import operate
from cartrial.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from cartrial.design.exact.staged import Staged
    from cartrial.design.trials.truth import Truths
    from cartrial.study import Study

__all__ = ["UNITS", "summarise"]

KEYS = ("design", "accrual", "setting", "variant", "quantity", "look")
_PROBABILITY, _SUBJECTS = "probability", "subjects"
UNITS = {
    "success": _PROBABILITY,
    "stop_futility": _PROBABILITY,
    "stop_efficacy": _PROBABILITY,
    "early_stop": _PROBABILITY,
    "estimate": "rate",
    "bias": "rate",
    "adjusted": "rate",
    "adjusted_bias": "rate",
    "subjects": _SUBJECTS,
    "enrolled": _SUBJECTS,
    "infused": _SUBJECTS,
    "evaluable": _SUBJECTS,
    "overrun": _SUBJECTS,
    "duration": "days",
    "rate": "rate",
    "difference": "rate",
    "needed_n": _SUBJECTS,
    "needed_n_restated": _SUBJECTS,
}
# needed numbers are looked for up to here
_MOST = 400


def summarise(
    rows: pl.DataFrame,
    study: Study,
    designs: tuple[Staged, ...],
    truths: Truths,
    *,
    alpha: float | None = None,
    power: float | None = None,
) -> pl.DataFrame:
    """Summarise the trials of operating characteristics.

    Parameters
    ----------
    rows : polars.DataFrame
        Of `CharacteristicsJob.run`, of any number of batches.
    study : Study
    designs : tuple of Staged
    truths : Truths
        Of the job.
    alpha, power : float, optional
        One-sided type I error and power of the needed numbers; those of the study without them.

    Returns
    -------
    polars.DataFrame
        study, endpoint, design, accrual (`continued`, `paused`, blank: a comparison), truth, setting, variant (blank: as the study has
        it), quantity (of `UNITS`), look (of the probabilities of stopping), value, error, mc_error, calibration_error, exact, unit, trials.

        `error` is the standard error of the value as a figure under its truth: sqrt(mc_error^2 + calibration_error^2). It holds both what
        chance the trials have and what the calibration leaves open of the truth itself; with one truth alone it is that of the trials.

        `mc_error` is the standard error over trials; of a probability sqrt(p (1 - p) / trials) with p = (x + 1) / (trials + 2), so that
        none is zero; of a needed number half the distance between those at the rate one error (of both kinds) lower and higher: zero
        where all three are the same number. `calibration_error` is what the error of the truth's calibration adds: its size times the
        slope over the truths (null where there is one truth, or the quantity is a needed number). A stop that the boundaries do not
        have is 0 without any error. `exact` is the binomial figure of
        the same design at the truth.

        Comparisons: `rate`; `difference` from the main analysis of the same trials (its error from the paired differences); `success`
        of a single stage with the design's last n and critical value; `needed_n`, the smallest n of a single stage that meets both
        errors for the design's null and the rate (null: the rate is not above it, or n above 400); `needed_n_restated`, the same with
        the null restated as the variant's rate under the truth that is the design's null.

    Raises
    ------
    InputError
        If neither the study nor the call says alpha.
    """
    import polars as pl

    alpha, power = _errors(study, alpha, power)
    frames = [_means(_course(rows, designs), truths)]
    compared = rows.filter(pl.col("accrual") == "")
    if compared.height:
        means = _means(_compared(compared), truths)
        frames += [means, _needed(means, designs, alpha, power)]
    frame = pl.concat(frames, how="diagonal")
    exact = _exact(designs, truths)
    frame = frame.join(exact, on=["design", "accrual", "truth", "setting", "variant", "quantity", "look"], how="left", nulls_equal=True)
    never = pl.col("never").fill_null(False)
    both = ("mc_error", "calibration_error")
    frame = frame.join(_impossible(designs), on=["design", "quantity", "look"], how="left", nulls_equal=True)
    frame = frame.with_columns(pl.when(never).then(0.0).otherwise(name).alias(name) for name in both)
    frame = frame.with_columns((pl.col("mc_error") ** 2 + pl.col("calibration_error").fill_null(0.0) ** 2).sqrt().alias("error"))
    order = {name: i for i, name in enumerate(UNITS)}
    place = {design.name: i for i, design in enumerate(designs)}
    units = pl.col("quantity").replace_strict(UNITS).alias("unit")
    labels = [pl.lit(study.study.id).alias("study"), pl.lit(truths.endpoint).alias("endpoint"), units]
    frame = frame.with_columns(labels).sort(
        pl.col("design").replace_strict(place), "accrual", "setting", "variant", pl.col("quantity").replace_strict(order), "look", "truth"
    )
    return frame.select(
        *("study", "endpoint", "design", "accrual", "truth", "setting", "variant", "quantity", "look"),
        *("value", "error", "mc_error", "calibration_error", "exact", "unit", "trials"),
    )


def _errors(study: Study, alpha: float | None, power: float | None) -> tuple[float, float]:
    if alpha is None:
        if study.testing is None:
            raise InputError("the study has no type I error", key="testing.alpha", right="Write it, or give alpha")
        alpha = study.testing.alpha.value / study.testing.alpha.sides
    if power is None:
        planned = study.design.power if study.design else None
        power = planned.value if planned else 0.8
    return alpha, power


def _impossible(designs: tuple[Staged, ...]) -> pl.DataFrame:
    """Return the stops that no trial of a design can have."""
    import polars as pl

    rows: list[tuple[str, str, int | None]] = []
    for design in designs:
        for name, bounds in (("stop_futility", design.futility), ("stop_efficacy", design.efficacy)):
            rows += [(design.name, name, look) for look, bound in enumerate(bounds, start=1) if bound is None]
        if all(bound is None for bound in (*design.futility[:-1], *design.efficacy[:-1])):
            rows.append((design.name, "early_stop", None))
    frame = pl.DataFrame(rows, schema={"design": pl.String, "quantity": pl.String, "look": pl.Int32}, orient="row")
    return frame.with_columns(pl.lit(True).alias("never"))


def _course(rows: pl.DataFrame, designs: tuple[Staged, ...]) -> pl.DataFrame:
    """Return the trials of the designs, one row for each trial and quantity."""
    import polars as pl

    keys = ["design", "accrual", "truth", "setting", "variant", "trial"]
    names = ["success", "early_stop", "estimate", "bias", "adjusted", "adjusted_bias"]
    names += ["subjects", "enrolled", "infused", "evaluable", "overrun", "duration"]
    frames = []
    for design in designs:
        run = rows.filter((pl.col("accrual") != "") & (pl.col("design") == design.name))
        run = run.with_columns(
            (pl.col("look") < design.looks).alias("early_stop"),
            (pl.col("estimate") - pl.col("truth")).alias("bias"),
            (pl.col("adjusted") - pl.col("truth")).alias("adjusted_bias"),
        )
        whole = run.select(*keys, pl.col(names).cast(pl.Float64)).unpivot(names, index=keys, variable_name="quantity")
        frames.append(whole.with_columns(pl.lit(None, pl.Int32).alias("look")))
        for look in range(1, design.looks + 1):
            here = pl.col("look") == look
            sides = [
                (here & won).cast(pl.Float64).alias(name)
                for name, won in (("stop_futility", ~pl.col("success")), ("stop_efficacy", pl.col("success")))
            ]
            stops = run.select(*keys, *sides).unpivot(["stop_futility", "stop_efficacy"], index=keys, variable_name="quantity")
            frames.append(stops.with_columns(pl.lit(look, pl.Int32).alias("look")))
    return pl.concat(frames)


def _compared(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the comparisons, one row for each trial and quantity."""
    import polars as pl

    keys = ["design", "accrual", "truth", "setting", "variant", "trial"]
    rows = rows.with_columns((pl.col("responders") / pl.col("subjects")).alias("rate"))
    main = rows.filter((pl.col("setting") == "") & (pl.col("variant") == "")).select(
        "design", "truth", "trial", pl.col("rate").alias("of_main")
    )
    rows = rows.join(main, on=["design", "truth", "trial"]).with_columns((pl.col("rate") - pl.col("of_main")).alias("difference"))
    names = ["rate", "difference", "success"]
    long = rows.select(*keys, pl.col(names).cast(pl.Float64)).unpivot(names, index=keys, variable_name="quantity")
    return long.with_columns(pl.lit(None, pl.Int32).alias("look"))


def _means(long: pl.DataFrame, truths: Truths) -> pl.DataFrame:
    """Return means over trials with their errors; a quantity that some trials do not have has none."""
    import polars as pl

    found = long.group_by(*KEYS, "truth").agg(
        pl.col("value").mean(),
        pl.col("value").std().alias("sd"),
        pl.col("value").sum().alias("sum"),
        pl.len().alias("trials"),
        pl.col("value").null_count().alias("missing"),
    )
    p = (pl.col("sum") + 1) / (pl.col("trials") + 2)
    chance = pl.col("quantity").replace_strict(UNITS) == _PROBABILITY
    error = pl.when(chance).then((p * (1 - p)).sqrt()).otherwise("sd") / pl.col("trials").sqrt()
    whole = pl.col("missing") == 0
    found = found.with_columns(pl.when(whole).then("value").alias("value"), pl.when(whole).then(error).alias("mc_error"))
    found = found.sort(*KEYS, "truth").select(*KEYS, "truth", "value", "mc_error", "trials")
    if len(truths.rates) == 1:
        return found.with_columns(pl.lit(None, pl.Float64).alias("calibration_error"))
    rates = np.array(truths.rates)
    slope = np.gradient(found["value"].fill_null(np.nan).to_numpy().reshape(-1, len(rates)), rates, axis=1)
    bias = found["quantity"].is_in(["bias", "adjusted_bias"]).to_numpy().reshape(slope.shape)
    # a bias is counted from the rate asked for: what the calibration misses stands in the estimate alone
    error = np.abs(slope + bias) * truths.mc_error
    return found.with_columns(pl.Series("calibration_error", error.ravel()).fill_nan(None))


def _needed(means: pl.DataFrame, designs: tuple[Staged, ...], alpha: float, power: float) -> pl.DataFrame:
    """Return the numbers that comparisons would need."""
    import polars as pl
    from scipy.special import bdtrc

    @cache
    def critical(null: float) -> pl.DataFrame:
        # the power at any rate follows from the critical values of the null
        return estimate_sawtooth(null, (1 + null) / 2, alpha, n_max=_MOST).drop_nulls("r")

    def needed(null: float, rate: float) -> float | None:
        if not 0 < null < rate < 1:
            return None
        n, r = (critical(null)[name].to_numpy() for name in ("n", "r"))
        met = np.flatnonzero(bdtrc(r - 1.0, n, rate) >= power - SLACK)
        return float(n[met[0]]) if len(met) else None

    nulls = pl.DataFrame({"design": [design.name for design in designs], "null": [design.p0 for design in designs]})
    rates = means.filter(pl.col("quantity") == "rate").join(nulls, on="design")
    same = ["design", "setting", "variant"]
    own = rates.filter((pl.col("truth") - pl.col("null")).abs() < SLACK).select(*same, pl.col("value").alias("restated"))
    rates = rates.join(own, on=same, how="left")
    rows = []
    for row in rates.iter_rows(named=True):
        kept = {name: row[name] for name in (*KEYS, "truth", "trials")}
        for quantity, null in (("needed_n", row["null"]), ("needed_n_restated", row["restated"])):
            if row["truth"] <= row["null"] or null is None or row["value"] is None:
                continue
            error = np.hypot(row["mc_error"], row["calibration_error"] or 0.0)
            value, few, many = (needed(null, round(row["value"] + side * error, 6)) for side in (0, 1, -1))
            half = None if few is None or many is None else abs(many - few) / 2
            rows.append({**kept, "quantity": quantity, "value": value, "mc_error": half})
    schema: dict[str, Any] = {
        **{name: means.schema[name] for name in (*KEYS, "truth", "trials")},
        "value": pl.Float64,
        "mc_error": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def _exact(designs: tuple[Staged, ...], truths: Truths) -> pl.DataFrame:
    """Return what the exact binomial says of each design, and of a single stage with its last n and critical value."""
    import polars as pl

    rates = np.array(truths.rates)
    frames = []
    for design in designs:
        exact, bias = operate(design, rates), estimate_bias(design, rates)["bias"].to_numpy()
        wanted: list[tuple[str, int | None, np.ndarray]] = [
            ("success", None, exact.success),
            ("early_stop", None, exact.early_stop),
            ("subjects", None, exact.expected_n),
            ("estimate", None, rates + bias),
            ("bias", None, bias),
            ("adjusted", None, rates),
            ("adjusted_bias", None, np.zeros(len(rates))),
        ]
        for look in range(design.looks):
            wanted += [("stop_futility", look + 1, exact.stop_futility[:, look]), ("stop_efficacy", look + 1, exact.stop_efficacy[:, look])]
        alone = replace(design, n=design.n[-1:], futility=design.futility[-1:], efficacy=design.efficacy[-1:])
        single: list[tuple[str, int | None, np.ndarray]] = [("success", None, operate(alone, rates).success)]
        for accrual, figures in (("continued", wanted), ("paused", wanted), ("", single)):
            labels = {"design": design.name, "accrual": accrual, "setting": "", "variant": ""}
            for quantity, at, values in figures:
                named = [pl.lit(value).alias(key) for key, value in (labels | {"quantity": quantity}).items()]
                frames.append(pl.DataFrame({"truth": rates, "exact": values}).with_columns(*named, pl.lit(at, pl.Int32).alias("look")))
    return pl.concat(frames)
