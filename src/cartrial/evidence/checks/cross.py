"""Do the results of one cut agree with each other? Orders that must hold, parts that must add up, and one name with two numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations

from cartrial.evidence.checks.counts import possible_counts
from cartrial.evidence.checks.findings import Finding
from cartrial.evidence.checks.survival import read_limits
from cartrial.evidence.registry.model import Result
from cartrial.evidence.registry.stated import NOT_REACHED, decimals, exact
from cartrial.evidence.registry.trial import Cut, Sum, TrialFile
from cartrial.evidence.registry.words import measure_words, population_words, response_words, window_words
from cartrial.study.endpoint import Window

__all__ = ["check_sum", "check_trial"]

_MONTHS = {
    "days": Fraction(1) / Fraction("30.4375"),
    "weeks": Fraction(7) / Fraction("30.4375"),
    "months": Fraction(1),
    "years": Fraction(12),
}


def check_trial(file: TrialFile) -> Iterator[Finding]:
    """Yield what the results of a trial say of each other, cut by cut, and whether its sums add up.

    Examples
    --------
    >>> from cartrial.evidence import load_evidence
    >>> from cartrial.evidence.checks.cross import check_trial
    >>> [found.said for found in check_trial(load_evidence().trials["uk"]) if found.verdict == "contradictory"]
    ['leukapheresed: 128 satisfactory product + 5 manufacturing failure = 133, not 134']
    """
    cuts = {cut.id: cut for cut in file.cuts}
    groups: dict[tuple[str, str, str, int | None], list[Result]] = defaultdict(list)
    for result in file.results:
        if result.measure.type == "survival":
            yield from _beyond(result, cuts[result.cut])
        if result.value is not None or (result.count is not None and result.of is not None):
            groups[result.cut, result.population, result.group, result.of].append(result)
    for alike in groups.values():
        for first, second in combinations(alike, 2):
            yield from _same(first, second)
            yield from _over_time(first, second)
            yield from _windows(first, second)
            yield from _subsets(first, second)
        yield from _parts(alike)
    for total in file.sums:
        yield check_sum(total)


def check_sum(total: Sum) -> Finding:
    """Check whether parts make up their total.

    Examples
    --------
    >>> from cartrial.evidence.registry.trial import Sum
    >>> parts = {"infused": 79, "failed": 8, "died": 10}
    >>> check_sum(Sum(id="flow", what="enrolled", total=97, parts=parts, source="a paper")).said
    'enrolled: 79 infused + 8 failed + 10 died = 97'
    """
    made = sum(total.parts.values())
    said = f"{total.what}: {' + '.join(f'{number} {what}' for what, number in total.parts.items())} = {made}"
    if made == total.total:
        return Finding("consistent", "sum", (total.id,), said)
    return Finding("contradictory", "sum", (total.id,), f"{said}, not {total.total}")


def _percent(result: Result) -> tuple[Fraction, Fraction]:
    """Return a share in per cent and how far its print may be from it."""
    if result.count is not None and result.of is not None:
        return Fraction(100 * result.count, result.of), Fraction(0)
    assert result.value is not None
    return exact(result.value.text), Fraction(1, 2 * 10 ** decimals(result.value.text))


def _is_rate(result: Result) -> bool:
    return result.measure.type == "response-rate"


def _time(text: str, unit: str) -> Fraction:
    return exact(text) * _MONTHS[unit]


def _beyond(result: Result, cut: Cut) -> Iterator[Finding]:
    """Yield a rate that was read after half of the patients had left follow-up."""
    if cut.follow_up is None or result.measure.time is None:
        return
    read = _time(result.measure.time, str(result.measure.unit))
    if read > _time(cut.follow_up.median, cut.follow_up.unit):
        median = f"{cut.follow_up.median} {cut.follow_up.unit}"
        text = f"read at {result.measure.time} {result.measure.unit}, beyond the median follow-up of {median}"
        yield Finding("consistent", "follow-up", (result.id,), text)


def _same(first: Result, second: Result) -> Iterator[Finding]:
    """Yield one measure of the same patients with two values, where nothing stated tells them apart."""
    one = (first.measure, first.window, first.reader, first.strategies, first.criteria)
    if one != (second.measure, second.window, second.reader, second.strategies, second.criteria):
        return
    if first.value is None or second.value is None or first.value.text == second.value.text:
        return
    if first.is_share and decimals(first.value.text) != decimals(second.value.text) and _close(first, second):
        return
    of = "" if first.of is None else f" of the same {first.of}"
    said = f"{measure_words(first.measure)}, {population_words(first)}: {first.value.text} and {second.value.text} {first.value.unit}{of}"
    yield Finding("contradictory", "same", (first.id, second.id), said + "".join(_worths(first, second)))


def _close(first: Result, second: Result) -> bool:
    (a, half), (b, other) = _percent(first), _percent(second)
    return abs(a - b) <= half + other


def _worths(first: Result, second: Result) -> Iterator[str]:
    """Yield of how many patients the limits of two survival rates are worth: more of them stay where nobody is censored for therapy."""
    if first.measure.type != "survival" or not first.interval or not second.interval or not first.value or not second.value:
        return
    worths = [
        next((one.effective for one in read_limits(result.value.text, *result.interval.text, result.level) if one.fits), None)
        for result in (first, second)
        if result.value and result.interval
    ]
    if None not in worths:
        yield f"; their limits are worth {worths[0]:.0f} and {worths[1]:.0f} patients, so that one may censor what the other does not"


def _over_time(first: Result, second: Result) -> Iterator[Finding]:
    """Yield survival that rises, or that contradicts its median."""
    same = all(getattr(first.measure, name) == getattr(second.measure, name) for name in ("endpoint", "origin")) and (
        first.reader,
        first.strategies,
    ) == (second.reader, second.strategies)
    types = (first.measure.type, second.measure.type)
    if not same or not first.value or not second.value or not set(types) <= {"survival", "median"}:
        return
    ids = (first.id, second.id)
    if types == ("survival", "survival"):
        early, late = sorted((first, second), key=lambda one: _time(str(one.measure.time), str(one.measure.unit)))
        if early.measure.time == late.measure.time or not early.value or not late.value:
            return
        rises = exact(late.value.text) > exact(early.value.text)
        text = f"{measure_words(early.measure)} {early.value.text} %, {measure_words(late.measure)} {late.value.text} %"
        yield Finding("contradictory" if rises else "consistent", "order", ids, text + (": survival rises" if rises else ""))
    elif set(types) == {"survival", "median"}:
        yield from _median(*(first, second) if types[0] == "survival" else (second, first), ids)


def _median(rate: Result, median: Result, ids: tuple[str, ...]) -> Iterator[Finding]:
    assert rate.value is not None and median.value is not None
    share, half = _percent(rate)
    text = f"{measure_words(rate.measure)} {rate.value.text} %, median {median.value.text}"
    if median.value.text in NOT_REACHED:
        wrong = False
    else:
        at, middle = _time(str(rate.measure.time), str(rate.measure.unit)), _time(median.value.text, median.value.unit)
        wrong = (at < middle and share + half < 50) or (at > middle and share - half > 50)
    if median.value.text not in NOT_REACHED:
        text += f" {median.value.unit}"
    yield Finding("contradictory" if wrong else "consistent", "order", ids, text)


def _windows(first: Result, second: Result) -> Iterator[Finding]:
    """Yield a response at a visit above that within it, or either above the best."""
    if not (_is_rate(first) and _is_rate(second)) or (first.measure.response, first.measure.mrd) != (
        second.measure.response,
        second.measure.mrd,
    ):
        return
    if not isinstance(first.window, Window) or not isinstance(second.window, Window):
        return
    low, high = (first, second) if _narrower(first.window, second.window) else (second, first)
    if not _narrower(low.window, high.window):
        return
    yield _ordered(low, high, f"{window_words(low.window)} and {window_words(high.window)}")


def _narrower(window: Window | str, other: Window | str) -> bool:
    """Whether each response in a window is one in the other."""
    if not isinstance(window, Window) or not isinstance(other, Window):
        return False
    return (window.at is not None and (window.at == other.within or other.best is not None)) or (
        window.within is not None and other.best is not None
    )


def _subsets(first: Result, second: Result) -> Iterator[Finding]:
    """Yield a set of responses whose rate is above that of a larger set."""
    if not (_is_rate(first) and _is_rate(second)) or first.window != second.window or first.reader != second.reader:
        return
    for low, high in ((first, second), (second, first)):
        inside = set(low.measure.response) <= set(high.measure.response) and (low.measure.mrd is not None or high.measure.mrd is None)
        if inside and (low.measure.response, low.measure.mrd) != (high.measure.response, high.measure.mrd):
            yield _ordered(low, high, f"{response_words(low.measure)} and {response_words(high.measure)}")


def _ordered(low: Result, high: Result, of: str) -> Finding:
    (less, half), (more, other) = _percent(low), _percent(high)
    said = f"{of}: {_shown(low)} and {_shown(high)}"
    if less - half > more + other:
        return Finding("contradictory", "order", (low.id, high.id), f"{said}: the part is above the whole")
    return Finding("consistent", "order", (low.id, high.id), said)


def _shown(result: Result) -> str:
    if result.count is not None and result.of is not None:
        return f"{result.count}/{result.of}"
    return f"{result.value.text} %" if result.value else ""


def _parts(alike: Sequence[Result]) -> Iterator[Finding]:
    """Yield whether the parts of a response set make it up, by some of the counts that print them."""
    rates = [one for one in alike if _is_rate(one) and one.of is not None and one.measure.mrd is None]
    for whole in rates:
        parts = [one for one in rates if (one.window, one.reader) == (whole.window, whole.reader) and len(one.measure.response) == 1]
        kinds = [one.measure.response[0] for one in parts]
        if len(whole.measure.response) < 2 or sorted(kinds) != sorted(whole.measure.response):
            continue
        counts = [_counted(one) for one in (*parts, whole)]
        sums = {0}
        for held in counts[:-1]:
            sums = {made + count for made in sums for count in held}
        words = " + ".join(f"{response_words(one.measure)} {_shown(one)}" for one in parts)
        agrees = bool(sums & counts[-1])
        said = f"{words} make {response_words(whole.measure)} {_shown(whole)} of {whole.of}"
        ids = tuple(one.id for one in (*parts, whole))
        yield Finding("consistent" if agrees else "contradictory", "sum", ids, said if agrees else f"{said} by no counts")


def _counted(result: Result) -> set[int]:
    if result.count is not None:
        return {result.count}
    return {one.count for one in possible_counts(result.value.text, result.of)} if result.value and result.of else set()
