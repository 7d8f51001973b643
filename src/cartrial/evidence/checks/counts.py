"""Which counts, and which denominators, could have printed a percentage? In whole numbers: no half is decided by a float."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from cartrial.errors import InputError
from cartrial.evidence.registry.stated import decimals
from cartrial.shown import Shown

__all__ = ["MOST", "PRINTS", "Printing", "possible_counts", "possible_denominators", "possible_splits", "printed_by", "printing"]

PRINTS = ("half-up", "half-even", "rounded twice", "truncated")
"""Ways in which a number becomes its print, the usual ones first."""
ROUNDED = PRINTS[:2]
MOST = 200
"""Denominators up to this are searched, unless said."""
# combinations of a search over splits
_LARGEST = 2_000_000


@dataclass(frozen=True)
class Printing(Shown):
    """A count of patients that could have printed a percentage, and the ways in which it would.

    Parameters
    ----------
    count, of : int
    ways : tuple of str
        Of `PRINTS`.
    """

    count: int
    of: int
    ways: tuple[str, ...]

    @property
    def rounded(self) -> bool:
        """Whether it needs nothing but one rounding."""
        return any(way in ROUNDED for way in self.ways)

    def __str__(self) -> str:
        return f"{self.count}/{self.of}"


def _half_up(value: Fraction) -> int:
    return int((2 * value.numerator + value.denominator) // (2 * value.denominator))


def _units(value: Fraction, way: str, places: int) -> int:
    """Return a number in units of its last printed decimal."""
    scaled = value * 10**places
    if way == "half-even":
        units: int = round(scaled)
        return units
    if way == "truncated":
        return int(scaled.numerator // scaled.denominator)
    if way == "rounded twice":
        return _half_up(Fraction(_half_up(scaled * 10), 10))
    return _half_up(scaled)


def printed_by(value: Fraction, text: str) -> tuple[str, ...]:
    """Return the ways in which a number, known exactly, becomes a print.

    Parameters
    ----------
    value : Fraction
        In the unit of the print.
    text : str
        As printed, with its decimals.

    Examples
    --------
    157 of 200 is 78.5 per cent: Python and R round it to 78, a journal to 79.

    >>> from fractions import Fraction
    >>> from cartrial.evidence.checks.counts import printed_by
    >>> printed_by(Fraction(157, 2), "79"), printed_by(Fraction(157, 2), "78")
    (('half-up', 'rounded twice'), ('half-even', 'truncated'))
    """
    places = decimals(text)
    wanted = int(text.replace(".", ""))
    return tuple(way for way in PRINTS if _units(value, way, places) == wanted)


def printing(count: int, of: int, text: str) -> Printing:
    """Return the ways in which a count of n prints a percentage; none where it does not.

    Examples
    --------
    >>> from cartrial.evidence.checks.counts import printing
    >>> printing(14, 19, "67").ways
    ()
    """
    return Printing(count, of, printed_by(Fraction(100 * count, of), text))


def possible_counts(text: str, of: int) -> tuple[Printing, ...]:
    """Return every count of n that could have printed a percentage.

    Parameters
    ----------
    text : str
        The percentage as printed.
    of : int
        Patients, at least 1.

    Returns
    -------
    tuple of Printing
        In the order of counts.

    Raises
    ------
    InputError
        If there are no patients.

    Examples
    --------
    >>> from cartrial.evidence import possible_counts
    >>> [str(one) for one in possible_counts("85.4", 48)], possible_counts("67", 19)
    (['41/48'], ())
    """
    if of < 1:
        raise InputError(f"{of} patients cannot have a percentage", key="of", right="Give at least 1")
    unit = Fraction(1, 10 ** decimals(text))
    low, high = (Fraction(text) + step * unit for step in (-1, 1))
    counts = range(max(int(low * of / 100), 0), min(int(high * of / 100) + 1, of) + 1)
    return tuple(one for one in (printing(count, of, text) for count in counts) if one.ways)


def possible_denominators(text: str, count: int, most: int = MOST) -> tuple[Printing, ...]:
    """Return every number of patients up to `most` of whom a count could have printed a percentage by one rounding.

    Examples
    --------
    >>> from cartrial.evidence import possible_denominators
    >>> [one.of for one in possible_denominators("67", 14)]
    [21]
    """
    found = (printing(count, of, text) for of in range(max(count, 1), most + 1))
    return tuple(one for one in found if one.rounded)


def possible_splits(texts: Iterable[str], count: int, of: int, sizes: Iterable[int | None] | None = None) -> Iterator[tuple[Printing, ...]]:
    """Yield every way to split patients into groups that print these percentages, by one rounding each.

    Parameters
    ----------
    texts : iterable of str
        A percentage for each group.
    count, of : int
        With the outcome and in all, over the groups.
    sizes : iterable of int or None, optional
        Of each group, where it is known.

    Raises
    ------
    InputError
        If there are more ways to try than can be searched.

    Examples
    --------
    >>> from cartrial.evidence import possible_splits
    >>> [" ".join(map(str, split)) for split in possible_splits(["67", "42", "43"], 12, 25)]
    ['4/6 5/12 3/7']
    """
    texts = tuple(texts)
    known = tuple(sizes) if sizes is not None else (None,) * len(texts)
    groups = [
        [one for size in ([n] if n else range(1, of)) for one in possible_counts(text, size) if one.rounded and one.count <= count]
        for text, n in zip(texts, known, strict=True)
    ]
    ways = 1
    for group in groups[:-1]:
        ways *= len(group)
    if ways > _LARGEST:
        raise InputError(f"{len(texts)} groups of {of} patients are too many to search", key="of", right="Give the sizes that are known")
    last: dict[tuple[int, int], Printing] = {(one.count, one.of): one for one in groups[-1]}
    for chosen in product(*groups[:-1]):
        rest = (count - sum(one.count for one in chosen), of - sum(one.of for one in chosen))
        if rest in last:
            yield (*chosen, last[rest])
