"""How long does the trial take, where do its subjects come from, and what does a time to event need?"""

from __future__ import annotations

from markupsafe import Markup

from cartrial.design.protocol.options import Option
from cartrial.design.protocol.time import CASES, SurvivalPlan
from cartrial.report.design.data import DesignData, with_error
from cartrial.report.page.blocks import Block, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, Stat, parts

__all__ = ["calendar", "funnel", "survival"]


def calendar(data: DesignData) -> Section:
    """Return enrolment and calendar time by number of subjects."""
    timing, inputs = data.design.timing, data.design.inputs
    names: dict[int, list[str]] = {}
    for option in data.design.options:
        if option.meets:
            names.setdefault(option.n, []).append(option.staged.name)
    own, best, leading = data.design.own, data.design.best, data.design.leading
    if own is not None and own.staged.name not in names.get(own.n, []):
        names.setdefault(own.n, []).append(own.staged.name)
    rows: list[tuple[Cell, ...]] = []
    for n in timing.milestones:
        used = ", ".join(names.get(n, [])) or _look(n, {"the study's own design": own, "the recommended design": best})
        cells: list[Cell] = [data.stat("calendar", "accrual", "screened_median", n=n)]
        cells.append(data.stat("calendar", "accrual", "to_enrol", n=n) or data.stat("calendar", "accrual", "enrolled_median", n=n))
        for name in ("last_enrolled", "last_infused", "last_assessed"):
            keys = [data.stat("calendar", "accrual", f"{name}_{end}", n=n) for end in ("median", "lower", "upper")]
            cells.append(parts("{} ({} to {})", *keys))
        rows.append((str(n), *cells, used))
    enrol = "Enrol, for 80 % certainty" if timing.enrol else "Enrolled"
    head = (f"Subjects {timing.goal}", "Consents", enrol, "Last enrolled", "Last infused", "Last response known", "For")
    plan = timing.plan

    def lost(name: str) -> Stat | None:
        return data.stat("calendar", "losses", name)

    losses = parts(
        "On the way from consent to infusion: {} are not enrolled, {} of the enrolled get no product, {} of the others drop out; {} to "
        "enrolment and {} to infusion on average"
        + (", measured on virtual subjects." if timing.simulated else ": assumption, since no virtual subject was simulated."),
        lost("screening_failure"),
        lost("manufacturing_failure"),
        lost("drop"),
        lost("screening_days"),
        lost("infusion_days"),
    )
    blocks: list[Block] = [
        Table(head, rows, "Months from the opening of the first site: median (80 % band)", numeric=range(6), wide=True),
        Text(losses),
        Text(
            Markup("The last response of {} subjects is known after {} months on average (± Monte-Carlo standard error).").format(
                "the recommended design's" if own is None else "the study's own design's",
                with_error(data, "calendar", "accrual", "last_assessed_mean", n=leading.n),
            )
        ),
        Note(
            f"{plan.sites} sites, {plan.rate:g} consents per site and month, sites opening over {plan.activation:g} days. Losses and "
            "waits: "
            f"{plan.source}. The last response is counted as known {inputs.delay.text} {inputs.delay.limit}, reads and adjudication taking "
            "no time (assumption). Enrolment is taken as uninterrupted; a pause at a look comes on top."
        ),
    ]
    return Section("calendar", "Enrolment and calendar", blocks, "Calendar")


def _look(n: int, designs: dict[str, Option | None]) -> str:
    """Return of which designs a number of subjects is a look before the last."""
    found = [f"look {option.staged.n.index(n) + 1} of {name}" for name, option in designs.items() if option and n in option.staged.n]
    return ", ".join(found)


def funnel(data: DesignData) -> Section:
    """Return the way from all leukaemia to the infused."""
    table, title = data.design.timing.funnel, "Where the subjects come from"
    if table.is_empty():
        said = f"No published shares of the way from a case to an infusion are at hand for {data.design.inputs.study.disease.name}."
        return Section("funnel", title, [Text(said)], "Feasibility")
    rows: list[tuple[Cell, ...]] = []
    for row in table.iter_rows(named=True):
        step = row["step"]
        share: Cell = ""
        if row["share"] is not None:
            share = parts("{} ({} to {})", *(data.stat("funnel", step, name) for name in ("share", "share_low", "share_high")))
        count = parts("{} ({} to {})", *(data.stat("funnel", step, name) for name in ("count", "low", "high")))
        rows.append((row["label"], share, count, row["source"]))
    head = ("Step", "Share of the step before", f"Of {CASES:,} cases".replace(",", " "), "Source")
    blocks: list[Block] = [
        Table(head, rows, "From leukaemia to infusion: share and number (80 % band)", numeric=(1, 2), wide=True),
        Note(
            "The number of cases is a scale, not a fact: put the new leukaemia cases of a year of the sites' region in its place. "
            + (
                "Shares are of published programmes, the last one of the study's own virtual patients, as the losses of the calendar above."
                if data.design.timing.simulated
                else "Shares are of published programmes; the losses of the calendar above have another origin, and need not agree."
            )
        ),
    ]
    return Section("funnel", title, blocks, "Feasibility")


def survival(data: DesignData) -> Section | None:
    """Return designs of times to event."""
    if not data.design.survival:
        return None
    blocks: list[Block] = []
    for item in data.design.survival:
        name = item.test.endpoint
        hypotheses = parts(
            "{}: {} free of an event at {} under the null, {} hoped for.",
            item.label,
            *(data.stat("survival", name, key) for key in ("null", "at", "alternative")),
        )
        shape = "exponential" if item.test.shape == 1 else f"Weibull with shape {item.test.shape:g}"
        rows = []
        for words, _ in item.designs:
            figures = [data.stat("survival", name, key, variant=words) for key in ("n", "events", "power")]
            simulated: list[Cell] = ["exact", ABSENT]
            if words in item.errors:
                simulated = [with_error(data, "survival", name, f"{key}_simulated", variant=words) for key in ("size", "power")]
            months = [data.stat("survival", name, key, variant=words) for key in ("accrual", "duration")]
            rows.append((words, *figures, *simulated, *months))
        head = (
            "Test",
            "Subjects",
            "Events expected",
            "Power",
            "Type I error, simulated",
            "Power, simulated",
            "Months of enrolment",
            "Months in all",
        )
        trials = next((int(found["trials"]) for found in item.errors.values()), 0)
        blocks += [
            Text(hypotheses),
            Table(
                head,
                rows,
                f"Designs of {name}, {shape}, type I error {100 * data.design.inputs.alpha:g} % one-sided wanted"
                + (f"; simulated: {trials} trials, ± Monte-Carlo standard error" if trials else ""),
                numeric=range(1, 8),
                small=True,
                wide=True,
            ),
            *_caveats(data, item),
        ]
    blocks.append(
        Note(
            "The exact test of events ends with its last event and keeps its error exactly. The sizes of the others are found by a normal "
            "approximation, and a small sample can miss its power and its error: the simulated columns show by how much. Everyone is "
            "followed at least to the landmark. A single arm against a curve from elsewhere also carries that curve's own uncertainty, "
            "which no number here holds."
        )
    )
    return Section("survival", "Time to event", blocks, "Time to event")


def _caveats(data: DesignData, item: SurvivalPlan) -> list[Block]:
    """Return which tests miss the error or the power that is wanted by more than twice the standard error of their simulation."""
    inputs = data.design.inputs
    pieces = []
    for words, found in item.errors.items():

        def shown(name: str, words: str = words) -> Stat | Markup:
            return with_error(data, "survival", item.test.endpoint, f"{name}_simulated", variant=words)

        if found["size"] - 2 * found["size_error"] > inputs.alpha:
            wanted = f"{100 * inputs.alpha:g} %"
            pieces.append(Markup("{} has a type I error of {}, above the {} wanted.").format(words, shown("size"), wanted))
        if found["power"] + 2 * found["power_error"] < inputs.power:
            wanted = f"{100 * inputs.power:g} %"
            pieces.append(Markup("{} has a power of {}, below the {} wanted.").format(words, shown("power"), wanted))
    return [Text(Markup(" ").join(pieces))] if pieces else []
