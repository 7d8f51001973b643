"""Which design does the study state itself, and what are its errors? Shown before whatever is recommended."""

from __future__ import annotations

from markupsafe import Markup

from cartrial.design.protocol.inputs import Inputs
from cartrial.design.protocol.options import OWN, Option
from cartrial.design.protocol.rows import Beside
from cartrial.report.design.data import DesignData
from cartrial.report.design.rate import in_words, or_less, or_more
from cartrial.report.page.blocks import Big, Block, Note, Section, Table, Text
from cartrial.report.page.rows import ABSENT, Cell, Stat, parts

__all__ = ["own"]


def own(data: DesignData) -> Section | None:
    """Return the study's own design with its exact errors; None where its file states none."""
    option, inputs = data.design.own, data.design.inputs
    if option is None:
        return None

    def of(statistic: str) -> Stat | None:
        return data.stat("design", OWN, statistic)

    power, alpha = parts("{} power at the target", of("power")), parts("{} type I error", of("alpha"))
    blocks: list[Block] = [
        Big(
            of("n"),
            f"subjects ({inputs.endpoint.population})",
            Markup("{}; {}").format(inputs.endpoint.label, in_words(data, option)),
            Markup("As the study file states it: {}, {} (exact)").format(alpha, power),
            "design",
        ),
        Text(Markup("{}: {}").format(inputs.endpoint.id, data.stat("input", "endpoint", "definition"))),
        Text(Markup("{} {}").format(option.staged.method, _verdict(data, option))),
        _looks(data, option),
    ]
    if option.beyond_futility is not None:
        bound = "counts on" if inputs.own is not None and inputs.own.binding else "does not count on"
        words = "The type I error {} the stops for futility. If a committee goes on past them it is {}."
        blocks.append(Text(Markup(words).format(bound, of("alpha_beyond_futility"))))
    blocks.append(Note(_sources(inputs)))
    return Section("own", "The study's own design", blocks, "Own design")


def _looks(data: DesignData, option: Option) -> Table:
    """Return boundaries and what they spend, a row a look; columns for which there is no rule are left out."""
    shown = [
        ("alpha_allowed", "Alpha allowed so far"),
        ("level", "Level of the test"),
        ("p_at_boundary", "Exact p at the boundary"),
        ("alpha_spent", "Alpha spent so far"),
        ("beta_allowed", "Beta allowed so far"),
        ("beta_spent", "Beta spent so far"),
        ("power_so_far", "Power so far"),
    ]
    shown = [item for item in shown if next(data.rows.where("own", statistic=item[0]), None)]
    rows: list[tuple[Cell, ...]] = []
    for look, n in enumerate(option.staged.n, 1):
        at: Beside = {"look": look, "n": n}
        low, high = (data.stat("boundary", OWN, name, **at) for name in ("stop_if_at_most", "success_if_at_least"))
        figures = [data.stat("own", OWN, name, **at) or ABSENT for name, _ in shown]
        rows.append((str(look), str(n), or_less(low), or_more(high), *figures))
    head = ("Look", "Subjects", "Not promising", "Success", *(words for _, words in shown))
    note = (
        "All one-sided. Exact p at the boundary: of the fewest responders that are a success at this look, as if there were no other. "
        "Responders are whole, so that less is spent than allowed; what is left goes on to the next look."
        if any(name == "alpha_allowed" for name, _ in shown)
        else "All one-sided. Exact p at the boundary: of the fewest responders that are a success at this look, as if there were no other."
    )
    return Table(head, rows, "Boundaries of the study's own design, exact", numeric=range(len(head)), wide=True, note=note)


def _verdict(data: DesignData, option: Option) -> Markup:
    """Return whether both errors are kept, and how the recommended design compares."""
    best = data.design.best
    wanted = {name: data.stat("input", name, "value") for name in ("alpha", "power")}
    kept = "keeps both errors" if option.meets else "misses an error"
    said = Markup("It {}: a type I error of at most {} and a power of at least {} are wanted.").format(
        kept, wanted["alpha"], wanted["power"]
    )
    if best is option:
        return said
    n = data.stat("design", best.id, "n")
    other = f" The design recommended below for the same errors, {best.staged.name}, has "
    return Markup("{}{}{} subjects at most.").format(said, other, n)


def _sources(inputs: Inputs) -> str:
    """Return where the numbers of the design are from."""
    stated = {item.id: item for item in inputs.items}
    pieces = [f"{stated[name].label}: {stated[name].text} ({stated[name].source})" for name in ("own", "null", "target", "alpha", "power")]
    return ". ".join(pieces) + "."
