"""What do published rates say of this trial? Of those alone that estimate its primary endpoint; otherwise why nothing is said."""

from __future__ import annotations

from collections import Counter

import numpy as np

from cartrial.errors import InputError
from cartrial.evidence import Comparison, HistoryPrior, compare_endpoint, derive_prior, is_response_rate
from cartrial.evidence.registry.words import result_line
from cartrial.report.evidence.data import ContextData
from cartrial.report.page.blocks import Block, Definition, Note, Section, Table, Text
from cartrial.study import Endpoint

__all__ = ["build", "predict_counts", "require_beside"]

_SHOWN = 8


def require_beside(data: ContextData) -> None:
    """Refuse results from which this trial may not be predicted.

    Raises
    ------
    InputError
        With a line for each reason: the study has no rate, a result is of this very trial, an attribute differs or is not established.
    """
    if not data.beside:
        return
    endpoint = data.primary
    if endpoint is None:
        raise InputError("the study has no response rate", key="--from", right="Leave --from out")
    faults = []
    for name in data.beside:
        trial, one = data.evidence.find(name)
        if data.is_own(trial):
            what = f"{name} is of this very trial: it would predict itself"
            faults.append(InputError(what, key="--from", right="Name results of other trials"))
        compared = compare_endpoint(data.study, endpoint, one, assume=data.assume)
        faults += [InputError(reason, key="--from") for reason in compared.reasons()]
        faults += [InputError(f"{name} is {note}", key="--from", right="Name a result of the whole population") for note in compared.notes]
    if faults:
        raise InputError.together(faults)


def build(data: ContextData) -> Section:
    """Return the prediction, or what stands against one."""
    title, short = "What published rates say of this trial", "Prediction"
    endpoint = data.primary
    if endpoint is None:
        return Section("prediction", title, [Text("The study has no response rate, so nothing is predicted.")], short)
    require_beside(data)
    blocks: list[Block] = _predicted(data, endpoint) if data.beside else [*_refused(data, endpoint)]
    return Section("prediction", title, blocks, short)


def _refused(data: ContextData, endpoint: Endpoint) -> list[Block]:
    others = [(trial, one) for trial, one in data.evidence.results if is_response_rate(one) and not data.is_own(trial)]
    compared = [(trial, one, compare_endpoint(data.study, endpoint, one, assume=data.assume)) for trial, one in others]
    well = [one.id for _, one, each in compared if each.status == "comparable" and not each.notes]
    status = Counter(each.status for _, _, each in compared)
    said = (
        f"Of {len(others)} published response rates of other trials {status['different']} differ from {endpoint.id} in a stated attribute, "
    )
    said += f"{status['not established']} cannot be decided, {status['comparable']} estimate the same."
    if data.assume:
        said += f" Assumed: {', '.join(f'{name}={word}' for name, word in data.assume.items())}."
    if well:
        end = f"Name those from which this trial is to be predicted: --from {' --from '.join(well)}."
    else:
        end = "So nothing is predicted. What a source leaves open can be assumed by name (--assume hsct=composite), what it states cannot."
    differs: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    for _, _, each in compared:
        differs.update(one.name for one in each.attributes if one.status == "different")
        silent.update(one.name for one in each.attributes if one.status == "not established")
    names = dict.fromkeys(one.name for _, _, each in compared for one in each.attributes)
    rows = [(name, str(differs[name]), str(silent[name])) for name in names if differs[name] or silent[name]]
    near = sorted(compared, key=lambda row: (sum(one.status == "different" for one in row[2].attributes), -(row[1].of or 0)))[:_SHOWN]
    return [
        Text(f"{said} {end}"),
        Table(
            ("Attribute", "Different", "Not established"), rows, f"Why: against {endpoint.id}, of {len(others)}", numeric=(1, 2), small=True
        ),
        Table(
            ("Trial", "Published", "Different", "Not established"),
            [(data.evidence.trials[trial].trial.name, result_line(one), *_reasons(each)) for trial, one, each in near],
            f"The {len(near)} that are nearest to {endpoint.id}",
            wide=True,
        ),
    ]


def _reasons(compared: Comparison) -> tuple[str, str]:
    different = "; ".join(f"{one.name}: {one.right or 'not stated'}" for one in compared.attributes if one.status == "different")
    return different, ", ".join(one.name for one in compared.attributes if one.status == "not established")


def _predicted(data: ContextData, endpoint: Endpoint) -> list[Block]:
    made = derive_prior(data.evidence, data.beside, assume=data.assume, robust=0)
    low, middle, high = (100 * made.exact.quantile(q) for q in (0.025, 0.5, 0.975))
    from_ = "; ".join(
        f"{data.evidence.trials[one.trial].trial.name} {one.count}/{one.of}" + (f" ({one.rule})" if one.rule else "")
        for one in made.results
    )
    spread = f"{made.exact.spread_mean:.2f} ({made.exact.spread_low:.2f} to {made.exact.spread_high:.2f})"
    items: list[tuple[str, str]] = [
        ("From", from_),
        ("Endpoint", f"{endpoint.id}: {endpoint.label}, {endpoint.population}, {endpoint.reader or data.study.readers.primary}"),
        ("Rate of a new trial", f"median {middle:.1f} %, 95 % {low:.1f} to {high:.1f} %, mean {100 * made.exact.mean:.1f} %"),
        (
            "Between trials",
            f"standard deviation of the log odds {spread}",
        ),
    ]
    own = data.own.where("response", endpoint.id, variant="", by="") if data.own is not None else []
    count = data.own.stat(own, "n") if data.own is not None else None
    total = data.own.stat(own, "N") if data.own is not None else None
    n = data.n or (int(total.value) if total and total.value else None)
    if n:
        least, most = predict_counts(made, n)
        shares = f"{100 * least / n:.1f} to {100 * most / n:.1f} %"
        items.append((f"Responses of {n}", f"{least} to {most} ({shares}) in at least 95 of 100 such trials"))
        if count and count.value is not None and total and total.value == n:
            where = "within" if least <= count.value <= most else "outside"
            items.append(("This study", f"{count.text} of {total.text}: {where} what was predicted"))
    else:
        items.append(("Responses", "not predicted: the number of subjects is not given (--n, or --results)"))
    against = [compare_endpoint(data.study, endpoint, data.evidence.find(name)[1], assume=data.assume) for name in data.beside]
    assumed = dict.fromkeys((*made.assumed, *(text for each in against for text in each.assumed)))
    items.append(("Assumed", ", ".join(assumed) or "nothing"))
    notes = [*made.notes]
    blocks: list[Block] = [Definition(items)]
    if notes:
        blocks.append(Note("; ".join(notes) + "."))
    blocks.append(
        Note(
            "Meta-analytic-predictive: the log odds of trials are normal around a mean (prior: normal, standard deviation 2), their "
            "standard deviation has a half-normal prior (scale 1). It predicts a further trial like these, and is no control for one."
        )
    )
    return blocks


def predict_counts(made: HistoryPrior, n: int) -> tuple[int, int]:
    """Return the counts of n between which a new trial's responses lie with a probability of 95 % at least, 2.5 % on either side at most.

    Examples
    --------
    >>> from cartrial.evidence import derive_prior, load_evidence
    >>> from cartrial.report.evidence.prediction import predict_counts
    >>> least, most = predict_counts(derive_prior(load_evidence(), ["mskcc-cr"], robust=0), 20)
    >>> 0 <= least < most <= 20
    True
    """
    from scipy.stats import betabinom

    counts = np.arange(n + 1)
    parts = zip(made.mixture.weights, made.mixture.a, made.mixture.b, strict=True)
    cumulative = np.cumsum(sum(w * betabinom.pmf(counts, n, a, b) for w, a, b in parts))
    return int(np.searchsorted(cumulative, 0.025, side="right")), int(np.searchsorted(cumulative, 0.975))
