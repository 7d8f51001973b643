"""When does a committee stop for toxicity, and what does it decide while responses are awaited?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from cartrial.design.protocol.delayed import DelayedPlan
from cartrial.design.protocol.inputs import DAYS_PER_MONTH
from cartrial.design.protocol.joint import ALPHA_TOXICITY, JointPlan
from cartrial.design.protocol.rows import Beside, Row
from cartrial.design.protocol.safety import FALSE_STOP, FIRST_LOOK, steps_of
from cartrial.report.design.data import DesignData, with_error
from cartrial.report.page.blocks import Block, Details, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, parts

if TYPE_CHECKING:
    from cartrial.design.exact.bryant_day import BryantDay

__all__ = ["awaited", "safety", "toxicity"]


def awaited(data: DesignData) -> Section | None:
    """Return the decisions while responses are still awaited."""
    plan = data.design.delayed
    if plan is None:
        return None
    inputs = data.design.inputs
    early, names = plan.delayed.early, inputs.study.disease.family.names
    window = data.stat("delayed", "top", "window")
    words = parts(
        "A response of {} is known {} {}, {} after its subject is counted. TOP decides at a look without waiting: "
        "a subject who is still followed counts as the share of its window that is over. {} {}",
        inputs.endpoint.id,
        inputs.delay.text,
        inputs.delay.limit,
        window,
        f"Here failures show early ({names.event}, death, new therapy), and a response only at the visit: a subject in {names.response} "
        "before it is pending."
        if early == "failure"
        else "Here responses show early, and a failure only at the end of the window.",
        "A look is made as soon as its decision can no longer change, which may be before all its results are known. "
        "A look suspends enrolment while more than n²/N of its n subjects are pending (N: most subjects), unless the pending cannot change "
        "the decision: with so few known, credit alone would decide. The last look waits for all.",
    )
    rows: list[tuple[Cell, ...]] = []
    for row in plan.operating.iter_rows(named=True):
        key = {"variant": row["strategy"], "truth": row["p"]}
        named = {"credit": "decides with pending subjects", "wait": "waits until the decision is certain"}[row["strategy"]]
        figures = [
            with_error(data, "delayed", "top", name, **key) for name in ("success", "early_stop", "expected_n", "duration", "suspended")
        ]
        rows.append((f"{100 * row['p']:g} %", named, *figures))
    head = (
        "True rate",
        "The look",
        "Success",
        "Early stop",
        f"{data.design.timing.goal.capitalize()}, mean",
        "Months, mean",
        "Months without enrolment, mean",
    )
    trials = plan.operating["trials"][0]
    decisions = []
    for n in plan.delayed.n:
        found = [(row.text,) for _, row in data.rows.where("delayed", statistic="decision", n=n)]
        decisions.append(Table(("Decision",), found, f"Look at {n} subjects enrolled", small=True))
    blocks: list[Block] = [
        Text(words),
        Table(
            head,
            rows,
            "BOP2 with credit for pending subjects against waiting for them (± Monte-Carlo standard error)",
            numeric=range(2, 7),
            wide=True,
        ),
        Note(
            f"{trials} simulated trials, {plan.rate * DAYS_PER_MONTH:.1f} subjects {data.design.timing.goal} a month from the start (all "
            "sites open), early outcomes spread evenly over the window, reads and adjudication taking no time: assumptions. "
            "What is gained in months is paid with subjects enrolled and with some power."
            + (" Responses that come sooner than evenly make a look stop less often." if early == "response" else "")
        ),
        *_missed(data, plan),
        Details(f"Decisions at the {len(plan.delayed.n)} looks", decisions),
    ]
    return Section("awaited", "While responses are awaited", blocks, "Awaited")


def _missed(data: DesignData, plan: DelayedPlan) -> list[Block]:
    """Return where deciding with pending subjects misses an error, said plainly."""
    inputs = data.design.inputs
    pieces = []
    for row in plan.operating.iter_rows(named=True):
        target = row["p"] == inputs.p1
        wanted = inputs.power if target else inputs.alpha
        if row["strategy"] != "credit" or (row["success"] >= wanted if target else row["success"] <= wanted):
            continue
        figure = with_error(data, "delayed", "top", "success", variant="credit", truth=row["p"])
        what = "TOP misses the power wanted" if target else "TOP exceeds the type I error wanted"
        far = abs(row["success"] - wanted) > 2 * row["success_error"]
        sure = "" if far else ", within two standard errors of it"
        pieces.append(Markup("<strong>{}</strong>: {} against {} %{}.").format(what, figure, f"{100 * wanted:g}", sure))
    return [Text(Markup(" ").join(pieces))] if pieces else []


def safety(data: DesignData) -> Section | None:
    """Return the stopping rules for toxicity."""
    if not data.design.safety:
        return None
    blocks: list[Block] = [
        Text(
            f"Each rule looks after every subject from the {FIRST_LOOK}rd on and may stop a product of the acceptable rate with a "
            "probability of "
            f"at most {100 * FALSE_STOP:g} % (assumption). The Bayesian rule stops when the rate is too probably above the acceptable "
            "one; Pocock's "
            "is exact and has the same level at each look."
        )
    ]
    rows = []
    for plan in data.design.safety:
        for rule in plan.rules:
            figures = [
                data.stat("safety", plan.id, name, variant=rule.name, truth=rate)
                for rate in (plan.limits.acceptable, plan.limits.unacceptable)
                for name in ("stop", "expected_events")
            ]
            limits = (data.stat("safety", plan.id, "acceptable"), data.stat("safety", plan.id, "unacceptable"))
            rows.append((f"{plan.label[0].upper()}{plan.label[1:]}", *limits, rule.name, *figures))
    head = (
        "Event",
        "Acceptable",
        "Unacceptable",
        "Rule",
        "Stops, if acceptable",
        "Events, if acceptable",
        "Stops, if unacceptable",
        "Events, if unacceptable",
    )
    caption = f"Stopping rules over {data.design.leading.n} subjects, exact"
    blocks.append(Table(head, rows, caption, numeric=(1, 2, 4, 5, 6, 7), wide=True))
    blocks.append(_steps(data))
    blocks.append(
        Note(
            "Events are counted among subjects whose time at risk is over. These rules do not use virtual patients, whose toxicity is not "
            "that of this product."
        )
    )
    return Section("safety", "Stopping for toxicity", blocks, "Safety")


def _steps(data: DesignData) -> Table:
    """Return the boundaries of all events side by side: so many events stop among at most so many subjects."""
    found = {plan.id: dict(steps_of(plan.rules[0])) for plan in data.design.safety}
    counts = sorted({events for steps in found.values() for events in steps})
    rows: list[tuple[Cell, ...]] = []
    for events in counts:
        cells = [
            data.stat("safety", plan.id, "stop_up_to", variant=f"{plan.rules[0].name}, {events} events")
            if events in found[plan.id]
            else ABSENT
            for plan in data.design.safety
        ]
        rows.append((str(events), *cells))
    rules = " ".join(f"{plan.id}: {plan.rules[0].method}" for plan in data.design.safety)
    head = ("Events", *(plan.id for plan in data.design.safety))
    caption = f"Stop as soon as so many events are seen among so many subjects or fewer, from {FIRST_LOOK} subjects on (Bayesian rule)"
    return Table(head, rows, caption, numeric=range(len(head)), small=True, note=rules)


def toxicity(data: DesignData) -> Section | None:
    """Return the designs of response and toxicity together."""
    plan = data.design.joint
    if plan is None or not (plan.two_stage or plan.bop2):
        return None
    blocks: list[Block] = [
        Text(
            f"Response and {plan.label} judged together in the same subjects: the trial goes on, and succeeds, only with enough "
            "responders and few enough "
            "toxicities. "
            "A product with the target response but the unacceptable toxicity may, where the two are independent, succeed "
            "with a probability of at most "
            f"{100 * ALPHA_TOXICITY:g} % in "
            "Bryant and Day's two stages (assumption), and of at most the type I error in BOP2."
        )
    ]
    designs: list[tuple[str, tuple[int, ...]]] = [(design.name, design.n) for design in plan.two_stage]
    if plan.bop2 is not None:
        designs.append((plan.bop2.name, plan.bop2.n))
    rows = []
    for name, sizes in designs:
        for look, n in enumerate(sizes, 1):
            key: Beside = {"variant": name, "look": look, "n": n}
            low = data.stat("toxicity", plan.event, "stop_if_responders_at_most", **key)
            high = data.stat("toxicity", plan.event, "stop_if_toxicities_at_least", **key)
            rows.append((name if look == 1 else "", str(look), str(n), parts("{} or fewer", low), parts("{} or more", high)))
    head = ("Design", "Look", "Subjects", "Stop or fail: responders", "Stop or fail: toxicities")
    blocks.append(Table(head, rows, "Boundaries of response and toxicity", numeric=(1, 2, 3, 4), small=True))
    for design in plan.two_stage:
        blocks.append(_corners(data, plan, design))
    if plan.bop2 is not None:
        found = [
            (row.statistic.removeprefix("success, "), data.stat("toxicity", plan.event, row.statistic, variant=plan.bop2.name))
            for row in _bop2(data, plan)
        ]
        blocks.append(Table(("Product", "Success"), found, "BOP2: probability of success (exact, independent)", numeric=(1,), small=True))
        cut = [data.stat("toxicity", plan.event, name, variant=plan.bop2.name) for name in ("lambda", "gamma")]
        prior = [
            data.stat("toxicity", plan.event, f"prior, {cell}", variant=plan.bop2.name)
            for cell in ("response and toxicity", "response alone", "toxicity alone", "neither")
        ]
        made = (
            "BOP2 of both: lambda {}, gamma {}; Dirichlet prior of response and toxicity {}, response alone {}, toxicity alone {}, "
            "neither {}."
        )
        blocks.append(Text(Markup("{} {}").format(parts(made, *cut, *prior), plan.bop2.method)))
    blocks.append(Note("The odds ratio is of response and no toxicity: below 1, responders have more toxicity."))
    return Section("toxicity", "Response and toxicity together", blocks, "Toxicity")


def _bop2(data: DesignData, plan: JointPlan) -> list[Row]:
    assert plan.bop2 is not None
    found = data.rows.where("toxicity", variant=plan.bop2.name)
    return [row for _, row in found if row.statistic.startswith("success, ") or row.statistic == "power"]


def _corners(data: DesignData, plan: JointPlan, design: BryantDay) -> Table:
    from cartrial.design.protocol.joint import ODDS_RATIOS

    rows = []
    for response in design.response_rates:
        for safe in design.safe_rates:
            cells = []
            for odds in ODDS_RATIOS:
                key: Beside = {"variant": f"{design.name}; toxicity {1 - safe:g}; odds ratio {odds:g}", "truth": response}
                cells.append(data.stat("toxicity", plan.event, "success", **key))
            rows.append((f"{100 * response:g} %", f"{100 * (1 - safe):g} %", *cells))
    head = ("Response", "Toxicity", *(f"Odds ratio {odds:g}" for odds in ODDS_RATIOS))
    return Table(head, rows, f"{design.name}: probability of success (exact)", numeric=range(5), small=True)
