"""What may be borrowed of published trials, what is it worth, and what does it cost?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.design.bayes.history import LOWER
from cartrial.design.protocol.rows import Beside
from cartrial.report.design.data import DesignData
from cartrial.report.design.rate import or_less, or_more
from cartrial.report.page.blocks import Block, Definition, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, parts

__all__ = ["history"]


def history(data: DesignData) -> Section | None:
    """Return the prior of published results with its price; None where the study file has none."""
    found, inputs = data.design.history, data.design.inputs
    if found is None:
        return None
    made = found.made
    from_ = Markup("; ").join(
        parts(
            "{} of {}: {}/{}{}",
            one.result,
            one.trial,
            data.stat("prior", one.result, "responders", n=one.of),
            str(one.of),
            f" ({one.rule})" if one.rule else "",
        )
        for one in made.results
    )
    rate = parts(
        "mean {}, median {}, 95 % {} to {}", *(data.stat("prior", "history", name) for name in ("mean", "median", "lower", "upper"))
    )
    certainty = f"{100 * (1 - inputs.alpha):g} %"
    blocks: list[Block] = [
        Text(
            f"The study file borrows from published trials. A trial that borrows succeeds more easily where the product is good, and "
            f"where it is no better than the null: the type I error stands beside the power of every prior. A success is a rate above "
            f"the null of {100 * inputs.p0:g} % with a probability of more than {certainty}."
        ),
        Definition(
            [
                ("From", from_),
                ("Endpoint", f"{inputs.endpoint.id}: {inputs.endpoint.label}"),
                ("Rate before the trial", rate),
                ("Assumed where the sources are silent", ", ".join(found.assumed) or "nothing"),
            ]
        ),
        _costs(data),
        _looks(data),
        Note(
            "Worth: effective sample size, as the expected local information ratio (ELIR) and by moments. Bias: of the posterior mean, in "
            "points. Cover: of the 95 % credible interval. Other active trials are no control: what they say of a rate is no null for it."
            + "".join(f" {note[0].upper()}{note[1:]}." for note in made.notes)
        ),
    ]
    return Section("history", "Borrowing from published trials", blocks, "Borrowing")


def _costs(data: DesignData) -> Table:
    """Return what one look at the leading design's size costs, a row a prior."""
    found = data.design.history
    assert found is not None
    null: Beside = {"variant": "null", "truth": data.design.inputs.p0}
    target: Beside = {"variant": "target", "truth": data.design.inputs.p1}
    rows: list[tuple[Cell, ...]] = []
    for cost in found.costs:
        worth = [data.stat("prior", cost.id, f"worth_{name}") or ABSENT for name in ("elir", "moment")]
        figures = [data.stat("prior", cost.id, "success", **null), data.stat("prior", cost.id, "success", **target)]
        more = [data.stat("prior", cost.id, name, **null) for name in ("bias", "cover")]
        rows.append((cost.name, *worth, or_more(data.stat("prior", cost.id, "least_responders")), *figures, *more))
    head = ("Prior", "Worth, ELIR", "Worth, moments", "Success", "Type I error", "Power", "Bias at the null", "Cover at the null")
    return Table(head, rows, f"One look at {data.design.leading.n} subjects, exact", numeric=range(1, 8), wide=True)


def _looks(data: DesignData) -> Table:
    """Return the boundaries of monitoring by the posterior, with its errors."""
    found = data.design.history
    assert found is not None
    rows: list[tuple[Cell, ...]] = []
    for item in found.monitored:
        name = f"looks-{item.id}"
        ends = [
            data.stat("prior", name, statistic, variant=truth) for statistic in ("success", "expected_n") for truth in ("null", "target")
        ]
        for look, n in enumerate(item.staged.n, 1):
            at: Beside = {"look": look, "n": n}
            low, high = (data.stat("prior", name, statistic, **at) for statistic in ("stop_if_at_most", "success_if_at_least"))
            first: list[Cell] = [item.name, data.stat("prior", name, "upper"), *ends] if look == 1 else [item.name, *[""] * 5]
            rows.append((*first[:2], str(look), str(n), or_less(low), or_more(high), *first[2:]))
    head = (
        "Prior",
        "Cut-off",
        "Look",
        "Subjects",
        "Not promising",
        "Success",
        "Type I error",
        "Power",
        "Expected n, null",
        "Expected n, target",
    )
    caption = "Monitoring by the posterior probability that the rate is above the null, exact"
    note = f"Not promising: that probability is at most {LOWER:g} (assumption). Success: it is above the cut-off."
    if not any(item.id == "history-kept" for item in found.monitored):
        note += " With this prior no cut-off keeps the type I error at these looks."
    return Table(head, rows, caption, numeric=range(1, 10), wide=True, note=note)
