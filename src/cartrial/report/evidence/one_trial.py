"""Why has one trial several rates with one name? Its rates on one scale, and what changes from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cartrial.evidence import Result, TrialFile, is_response_rate
from cartrial.evidence.registry.stated import NOT_STATED
from cartrial.evidence.registry.words import number_words, population_words, response_words, window_words
from cartrial.report.evidence.data import ContextData
from cartrial.report.evidence.forest import known_of
from cartrial.report.figures.known import Known, draw_known
from cartrial.report.page.blocks import Block, Details, Figure, Section, Table, Text

__all__ = ["build", "changes"]

# trials beside this one that are shown: of so many rates with one name at least
_MANY = 3


def build(data: ContextData) -> Section:
    """Return this trial's rates side by side, and those of other trials that have several, folded away."""
    blocks: list[Block] = []
    if data.trial is None:
        blocks.append(Text(f"Nothing of this trial ({data.study.study.registry or 'no registry number'}) is in the registry."))
    else:
        rates = _rates(data.trial)
        if len(rates) > 1:
            blocks += _blocks(data, data.trial, rates)
        else:
            words = "one response rate" if rates else "no response rate"
            blocks.append(Text(f"Of this trial the registry has {words}."))
    others: list[Block] = []
    for file in data.evidence.trials.values():
        rates = _rates(file)
        if file is not data.trial and len(rates) >= _MANY:
            others += _blocks(data, file, rates)
    if others:
        blocks.append(Details("Other trials with three rates and more", others))
    return Section("one-trial", "One trial, several rates", blocks, "One trial")


def _rates(file: TrialFile) -> list[Result]:
    return [one for one in file.results if is_response_rate(one)]


def _blocks(data: ContextData, file: TrialFile, rates: list[Result]) -> list[Block]:
    """Return the figure of a trial's rates and the table of what changes between them."""
    ordered = sorted(rates, key=lambda one: (response_words(one.measure) != "CR+CRi", response_words(one.measure), one.cut))
    lines: list[Known] = []
    for response in dict.fromkeys(response_words(one.measure) for one in ordered):
        lines.append(Known(response))
        for one in (one for one in ordered if response_words(one.measure) == response):
            known = known_of(data, file.trial.id, one)
            window = "window not stated" if one.window == NOT_STATED else window_words(one.window)
            where = f"{window}, {population_words(one)}"
            lines.append(Known(where, known.text, known.value, known.printed, known.exact, known.method, known.stated, False, known.doubt))
    name = file.trial.name
    cuts = {cut.id: cut for cut in file.cuts}
    used = [cuts[cut] for cut in dict.fromkeys(one.cut for one in ordered)]
    told = "; ".join(
        f"{cut.id}: "
        + (f"data of {cut.date}, " if cut.date else "date of its data not stated, ")
        + (f"median follow-up {cut.follow_up.median} {cut.follow_up.unit}" if cut.follow_up else "follow-up not stated")
        for cut in used
    )
    figure = Figure(
        draw_known(lines, title=f"Response rates of {name}", xlabel="Response rate"),
        f"{name}: {len(ordered)} response rates of {len(used)} cut{'s' if len(used) > 1 else ''} of its data ({told}).",
        f"one-{file.trial.id}",
    )
    rows = [row for first, second in pairwise(ordered) for row in [_change(first, second)]]
    head = ("From", "To", "What changes")
    return [figure, Table(head, rows, f"{name}: why the rates differ", wide=True)]


def _change(first: Result, second: Result) -> tuple[str, str, str]:
    def told(one: Result) -> str:
        return f"{response_words(one.measure)}: {number_words(one)}"

    return told(first), told(second), "; ".join(changes(first, second)) or "nothing that is stated"


def changes(first: Result, second: Result) -> Iterator[str]:
    """Yield what differs between two rates of one trial.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.report.evidence.one_trial import changes
    >>> held = load_evidence()
    >>> list(changes(held.find("inati-48-orr3")[1], held.find("inati-48-best")[1]))
    ['window: at month 3 to best', 'reader: IRC to not-stated']
    """
    pairs = {
        "response": (response_words(first.measure), response_words(second.measure)),
        "window": (window_words(first.window), window_words(second.window)),
        "population": (population_words(first), population_words(second)),
        "cut": (first.cut, second.cut),
        "n": (str(first.of or NOT_STATED), str(second.of or NOT_STATED)),
        "reader": (first.reader, second.reader),
    }
    for name, (left, right) in pairs.items():
        if left != right:
            yield f"{name}: {left} to {right}"
