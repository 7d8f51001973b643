"""How is a published result told? In one line, or with every attribute that it has or lacks."""

from __future__ import annotations

from collections.abc import Iterator

from cartrial.evidence.registry.model import Measure, Result
from cartrial.evidence.registry.read import Evidence
from cartrial.evidence.registry.stated import NOT_REACHED, NOT_STATED
from cartrial.study.endpoint import Window

__all__ = ["is_named", "measure_words", "number_words", "population_words", "response_words", "result_line", "result_lines", "window_words"]


def response_words(measure: Measure) -> str:
    """Return the remissions that a rate counts, e.g. `MRD-negative CR+CRi`.

    Examples
    --------
    >>> response_words(Measure(type="response-rate", response=("CR", "CRp")))
    'CR+CRp'
    """
    return ("MRD-negative " if measure.mrd else "") + "+".join(measure.response)


def measure_words(measure: Measure) -> str:
    """Return what was measured.

    Examples
    --------
    >>> measure_words(Measure(type="survival", endpoint="OS", time="24", unit="months", origin="not-stated"))
    'OS at 24 months'
    """
    match measure.type:
        case "response-rate":
            return response_words(measure)
        case "pooled-rate":
            return f"{response_words(measure)}, pooled"
        case "survival":
            return f"{measure.endpoint} at {measure.time} {measure.unit}"
        case "median":
            return f"median {measure.endpoint}"
        case "hazard-ratio":
            return f"hazard ratio of {measure.endpoint} against {measure.against}"
    return str(measure.what)


def window_words(window: Window | str) -> str:
    """Return a window as it is written, e.g. `at month 3`.

    Examples
    --------
    >>> window_words(Window(at="month 3")), window_words("not-stated")
    ('at month 3', 'not-stated')
    """
    if isinstance(window, str):
        return window
    if window.at:
        return f"at {window.at}"
    if window.within:
        return f"within {window.within}"
    return "best" if window.best else f"within {window.within_days} days from {window.from_}"


def population_words(result: Result) -> str:
    """Return of whom a result is."""
    if result.population == "other":
        return result.group
    return result.population if result.group == "all" else f"{result.population}, {result.group}"


def number_words(result: Result) -> str:
    """Return a number as it was printed, with its count and its limits.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> number_words(load_evidence().find("inati-48-orr3")[1])
    '34/48, 70.8 % (55.9-83.1)'
    """
    if result.of is None:
        words = [f"{'n' if result.count is None else f'{result.count} of n'} not stated"]
    else:
        words = [f"n {result.of}" if result.count is None else f"{result.count}/{result.of}"]
    if result.value:
        bare = result.value.unit == "ratio" or result.value.text in NOT_REACHED
        value = result.value.text if bare else f"{result.value.text} {result.value.unit}"
        words.append(value + (f" ({result.interval.text[0]}-{result.interval.text[1]})" if result.interval else ""))
    return ", ".join(words)


def result_line(result: Result) -> str:
    """Return a result in one line, without the name of its trial.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> result_line(load_evidence().find("inati-48-orr3")[1])
    'CR+CRi at month 3, infused: 34/48, 70.8 % (55.9-83.1)'
    """
    window = window_words(result.window)
    words = measure_words(result.measure) + (f" {window}" if isinstance(result.window, Window) else "")
    return f"{words}, {population_words(result)}: {number_words(result)}"


def result_lines(evidence: Evidence, trial: str, result: Result) -> Iterator[tuple[str, str]]:
    """Yield everything that is held of a result, each with its name."""
    file = evidence.trials[trial]
    cut = next(cut for cut in file.cuts if cut.id == result.cut)
    follow_up = f"median {cut.follow_up.median} {cut.follow_up.unit}" if cut.follow_up else NOT_STATED
    yield "result", f"{result.id}: {result_line(result)}"
    yield "trial", f"{file.trial.name} ({file.trial.product}; {file.trial.type}; {file.trial.ages})"
    yield "cut", f"{cut.id}, data of {cut.date or NOT_STATED}, follow-up {follow_up}"
    yield "window", window_words(result.window)
    yield "reader", result.reader
    yield from result.strategies.items()
    yield "criteria", result.criteria
    if result.measure.origin:
        yield "origin", result.measure.origin
    if result.interval:
        yield "limits", f"{result.interval.level or NOT_STATED} %, method {result.interval.method}"
    source = evidence.sources[result.source]
    yield "source", f"{source.citation} ({result.where}; {', '.join(f'{kind} {text}' for kind, text in source.locator.items())})"
    yield "sure", result.sure + (f"; {result.kind}: {result.rule}" if result.rule else f"; {result.kind}")
    if result.note:
        yield "note", result.note
    if file.trial.overlaps:
        yield "shares", f"patients with {', '.join(file.trial.overlaps)}"


def is_named(result: Result, word: str) -> bool:
    """Whether a word names what a result measures: an endpoint, a response set, or a proportion."""
    measure = result.measure
    return word.lower() in {text.lower() for text in (measure.endpoint, measure.what, response_words(measure)) if text}
