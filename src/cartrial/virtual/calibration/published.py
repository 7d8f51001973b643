"""Which number of the registry of evidence is a target? It stands there once; what it leaves open stands at the target, with its rule."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from cartrial.errors import InputError
from cartrial.evidence import Result, load_evidence
from cartrial.evidence.pooling.pool import count_of
from cartrial.evidence.registry.stated import NOT_REACHED, exact
from cartrial.yamlfile import wrong

__all__ = ["published_numbers"]

_MONTHS = {"days": Fraction(16, 487), "weeks": Fraction(112, 487), "months": Fraction(1), "years": Fraction(12)}


def published_numbers(data: dict[str, Any]) -> dict[str, Any]:
    """Return a target with the numbers of the result that it names.

    A share of patients of whom the number is stated is a count, unless the target gives limits of its own; another share, or a survival,
    is a value with limits. Times are months of 30.4375 days.

    Raises
    ------
    PydanticCustomError
        If the registry has no such result, a number stands at the target although the registry has it, or what the registry leaves open
        stands nowhere, or without a rule.

    Examples
    --------
    >>> from cartrial.virtual.calibration.published import published_numbers
    >>> published_numbers({"result": "inati-48-orr3"})
    {'result': 'inati-48-orr3', 'n': 34, 'of': 48}
    >>> published_numbers({"result": "eliana-79-os60"})
    {'result': 'eliana-79-os60', 'value': 0.55, 'interval': [0.43, 0.66]}
    """
    name = data["result"]
    try:
        one = load_evidence().find(name)[1]
    except InputError as error:
        raise wrong(error.what, "result", right=error.right) from None
    held = dict(data)
    if one.is_share and one.of is not None and not {"value", "interval"} & set(data):
        return _counted(held, one)
    if one.value is None or one.value.text in NOT_REACHED:
        raise wrong(f"{name} has no value", "result", right="Name a result with a number")
    if "value" in data or "n" in data:
        raise wrong(f"the number of {name} stands in the registry", "value", right="Leave it out here")
    held["value"] = _scaled(one.value.text, one)
    ends = [None if text in NOT_REACHED else _scaled(text, one) for text in one.interval.text] if one.interval else [None, None]
    if None not in ends:
        if "interval" in data:
            raise wrong(f"the limits of {name} stand in the registry", "interval", right="Leave them out here")
        held["interval"] = ends
    elif "interval" not in data:
        raise wrong(
            f"the limits of {name} were not read, or not reached", "interval", right="Give an interval, and its rule under `derived`"
        )
    elif not data.get("derived"):
        raise wrong("an interval that is not printed needs a rule", "derived", right="For example: of binomial size for 255")
    return held


def _counted(held: dict[str, Any], one: Result) -> dict[str, Any]:
    if "of" in held:
        raise wrong(f"the patients of {one.id} stand in the registry", "of", right="Leave them out here")
    try:
        count, _ = count_of(one)
    except InputError as error:
        if "n" not in held:
            raise wrong(error.what, "n", right="Choose a count, and say under `derived` of which") from None
        if not held.get("derived"):
            raise wrong("a count that is not the only one needs a rule", "derived", right="For example: one of 203 to 205") from None
        return held | {"of": one.of}
    if "n" in held:
        raise wrong(f"the count of {one.id} follows from the registry", "n", right="Leave it out here")
    return held | {"n": count, "of": one.of}


def _scaled(text: str, one: Result) -> float:
    number = exact(text)
    if one.unit == "%":
        return float(number / 100)
    return float(number * _MONTHS[one.unit]) if one.unit in _MONTHS else float(number)
