"""What was measured, in which unit? Residual disease, blasts, counts, and the product's cells."""

from __future__ import annotations

import re
import statistics
from typing import Any

import polars as pl

from cartrial.errors import InputError
from cartrial.sdtm.vocabulary.terms import standard_term
from cartrial.sdtm.vocabulary.units import unit_factor
from cartrial.start.ask import Option, Question, key_of_word
from cartrial.start.draft import Draft, is_counted, is_dated
from cartrial.start.sheet.grid import Cell
from cartrial.start.sheet.layout import Column, Layout
from cartrial.start.sheet.topics import is_prior, visit_of
from cartrial.start.sheet.words import legend_of, mrd_of, plain, yes_no
from cartrial.start.times import Time, row_times, time_beside

__all__ = ["ask_lesions", "read_measured", "read_mrd", "read_test"]

_TESTS = {
    "blasts": ("BLAST", "BONE MARROW", "blasts in the marrow"),
    "blood-blasts": ("BLAST", "BLOOD", "blasts in the blood"),
    "neutrophils": ("NEUT", "BLOOD", "neutrophils"),
    "platelets": ("PLAT", "BLOOD", "platelets"),
    "copies": ("CARTG", "BLOOD", "transgene copies"),
    "cells": ("CARTC", "BLOOD", "CAR-T cells"),
}
# median below which a count of these is in 10^9/L, and above which it is in cells per microlitre
_COUNTS = {"NEUT": (50.0, 100.0), "PLAT": (1500.0, 3000.0)}
_NUMBER = re.compile(r"^[<>≤≥]?=?\s*[+\-−]?(\d[\d \u00a0\u202f'’.,]*)(?:[eE][+-]?\d+)?\s*%?$")
_BLOOD = ("blood", "blut", "peripher", "pb", "外周", "血")


def read_measured(draft: Draft) -> None:
    """Read what was measured.

    Raises
    ------
    InputError
        If a unit is not known, or a cell is no result.
    """
    _mrd(draft)
    for topic in _TESTS:
        for layout, column in _columns(draft, topic):
            if is_prior(column.path) and visit_of(column.path) is None and not layout.long:
                draft.leave(layout, column, "of the time before the treatment, and no column says when")
            else:
                read_test(draft, layout, column, _times(draft, layout, column))
    lesions = [_lesions(draft, layout, column) for layout, column in _columns(draft, "emd")]
    draft.facts["lesions"] = any(lesions)


def ask_lesions(draft: Draft) -> None:
    """Ask of disease outside the marrow where responses come from blasts and no column holds it."""
    if draft.facts.get("no-calls") and "BLAST" in draft.facts.get("tests", ()) and not draft.facts["lesions"]:
        text = "Responses come from the blasts, and no column holds disease outside the marrow. Was it absent in all patients?"
        options = (
            Option("absent", "it was absent in all patients at every visit", "extramedullary disease was absent in all patients"),
            Option("unknown", "not known: no response is derived"),
        )
        draft.facts["emd"] = draft.answers.ask(Question("emd", text, options, "unknown"))


def _lesions(draft: Draft, layout: Layout, column: Column) -> bool:
    """Read whether there was disease outside the marrow."""
    legend = legend_of(column.header)
    said = {cell.text: yes_no(legend.get(cell.text, cell.text)) for cell in column.filled}
    times = _times(draft, layout, column)
    if None in said.values() or not times or is_prior(column.path):
        why = "no column says when" if None not in said.values() else "neither a yes nor a no"
        draft.leave(layout, column, "of the time before the treatment, without a date" if is_prior(column.path) else why)
        return False
    words = {text: "PRESENT" if yes else "ABSENT" for text, yes in said.items()}
    for time, when in times:
        draft.use(
            layout,
            column,
            f"extramedullary disease{time.how and ', ' + time.how}",
            ", ".join(f"{text} = {word.lower()}" for text, word in words.items()),
        )
        rule = {"id": "extramedullary disease", "domain": "FA", "column": draft.ref(layout, column), "test": "OCCUR", "map": words}
        more = {"set": {"FAOBJ": "EXTRAMEDULLARY DISEASE"}, "when": when, **time.rule, "missing": draft.missing(column, *time.columns)}
        draft.add(layout, {**rule, **more}, *time.assumed)
    return True


def _columns(draft: Draft, topic: str) -> list[tuple[Layout, Column]]:
    return [
        (layout, column)
        for layout in draft.layouts
        for column in layout.columns
        if column.topic == topic
        and column.filled
        and column is not layout.key
        and not is_dated(column)
        and not (topic == "mrd" and is_counted(column))
    ]


def _times(draft: Draft, layout: Layout, column: Column) -> list[tuple[Time, dict[str, Any]]]:
    """Return when the results of a column were taken; nothing where the sheet does not say."""
    if layout.long and visit_of(column.path) is None:
        return row_times(draft, layout)
    time = time_beside(draft, layout, column, topics=("mrd", "blasts", "response", "date", "visit", "study-day"))
    return [(time, {})] if time.rule else []


def _decimal(draft: Draft, layout: Layout, column: Column) -> str:
    """Return the decimal sign of the texts of a column; blank for a point.

    Raises
    ------
    InputError
        If some cells have a comma and others a point, or a comma may group thousands.
    """
    texts = [cell.text for cell in column.filled if cell.number is None and _NUMBER.match(cell.text)]
    commas = [text for text in texts if re.search(r"\d,\d", text) and not re.search(r"\d,\d{3}(,\d{3})*\.\d", text)]
    points = [text for text in texts if re.search(r"\d\.\d", text) and not re.search(r"^\D*\d{1,3}(\.\d{3})+(,\d+)?\D*$", text)]
    if commas and points:
        what = f"{layout.grid.lead}{column.label}: '{commas[0]}' has a decimal comma and '{points[0]}' a decimal point"
        raise InputError(what, file=layout.grid.file, right="Write all numbers of the column in one way")
    if not commas:
        return ""
    if all(re.fullmatch(r"\D*[1-9]\d{0,2},\d{3}\D*", text) for text in commas):
        word = draft.answers.ask(
            Question(
                f"comma-{column.letter.lower()}",
                f"Does the comma of '{commas[0]}' in {column.label} part the decimals, or thousands?",
                (Option("decimal", "decimals"), Option("thousands", "thousands")),
            )
        )
        if word == "thousands":
            what = f"{layout.grid.lead}{column.label}: numbers such as '{commas[0]}' have a comma between thousands"
            raise InputError(what, file=layout.grid.file, right="Write them without it")
    return "comma"


def _value(cell: Cell, decimal: str) -> float | None:
    """Return the number of a cell, or the number behind its limit."""
    if cell.number is not None:
        return cell.number
    if not _NUMBER.match(cell.text):
        return None
    text = re.sub(r"[<>≤≥=%\s\u00a0\u202f'’]", "", cell.text).replace("−", "-")
    text = text.replace(".", "").replace(",", ".") if decimal == "comma" else text.replace(",", "")
    try:
        return float(text)
    except ValueError:
        return None


def _mrd(draft: Draft) -> None:
    columns = _columns(draft, "mrd")
    for layout, column in columns:
        if is_prior(column.path):
            draft.leave(layout, column, "of the time before the treatment")
    columns = [(layout, column) for layout, column in columns if not is_prior(column.path)]
    if draft.facts.get("level") == "events":
        here = [(layout, column) for layout, column in columns if visit_of(column.path) is None]
        if len(here) > 1:
            options = tuple(Option(column.letter.lower(), column.header) for _, column in here)
            word = draft.answers.ask(
                Question("mrd-column", "Several columns hold residual disease. Which is that at the best response?", options)
            )
            here = [pair for pair in here if pair[1].letter.lower() == word] or here[:1]
        for layout, column in columns:
            if (layout, column) not in here:
                draft.leave(layout, column, "of a visit, and the responses are best ones")
        columns = here
    times: list[tuple[Time, dict[str, Any]]]
    for layout, column in columns:
        best = draft.facts.get("best")
        if best and best[0] is layout and not layout.long:
            near = time_beside(draft, layout, column, topics=("mrd",))
            times = [(near if near.columns else Time(best[2].rule, best[2].assumed, "at the best response", best[2].columns), {})]
        else:
            times = _times(draft, layout, column)
        if not times:
            draft.leave(layout, column, "no column says when it was measured")
        for time, when in times:
            read_mrd(draft, layout, column, time, when)
    for layout, column, said, own, more in draft.facts.get("mrd-words", ()):
        if not columns:
            draft.facts["mrd"] = True
            lod = _limit(draft, layout, column, negative="NEGATIVE" in said.values(), unit="fraction")
            rule = {"id": "residual disease", "domain": "LB", "column": draft.ref(layout, column), "test": "MRD", "specimen": "BONE MARROW"}
            filled = {"map": said, "unit": "fraction", **lod, "missing": draft.missing(column, *own.columns), **more}
            draft.add(
                layout,
                {**rule, **filled, **own.rule},
                "residual disease was looked for in bone marrow",
                draft.answers.assumption("mrd-limit"),
            )


def read_mrd(draft: Draft, layout: Layout, column: Column, time: Time, when: dict[str, Any]) -> None:
    """Read residual disease: numbers in a unit, and words."""
    decimal = _decimal(draft, layout, column)
    legend = legend_of(column.header)
    negated = any(word in plain(column.header) for word in ("negativ", "阴性", "neg."))
    # a minus beside a plus is a result, and alone a blank
    signs = {plain(cell.text) for cell in column.cells}
    cells = column.cells if {"-", "+"} <= signs or {"–", "+"} <= signs else column.filled
    words: dict[str, Any] = {}
    numbers: list[Cell] = []
    for cell in cells:
        if _value(cell, decimal) is not None and not legend and not _flagged(column):
            numbers.append(cell)
            continue
        result = mrd_of(legend.get(cell.text, cell.text))
        if result is None and _flagged(column):
            yes = yes_no(legend.get(cell.text, cell.text))
            result = None if yes is None else "NEGATIVE" if yes == negated else "POSITIVE"
        if result is None:
            options = (Option("negative", "it is negative"), Option("positive", "it is positive"), Option("missing", "it is not known"))
            word = draft.answers.ask(
                Question(
                    key_of_word(plain(cell.text), layout.grid.place(column.number, cell.row)),
                    f"'{cell.text}' in {column.label}: what does it say of residual disease?",
                    options,
                )
            )
            result = {"negative": "NEGATIVE", "positive": "POSITIVE"}.get(word)
        words[cell.text] = result
    assumed = list(time.assumed)
    specimen = "BLOOD" if any(word in plain(column.header) for word in _BLOOD) else "BONE MARROW"
    if specimen == "BONE MARROW" and not any(word in plain(column.header) for word in ("marrow", "bm", "骨髓", "knochenmark", "km")):
        assumed.append("residual disease was looked for in bone marrow")
    if _flagged(column) and words and not legend:
        assumed.append(f"yes in {column.label} means MRD-{'negative' if negated else 'positive'}")
    unit = _mrd_unit(draft, layout, column, numbers, decimal) if numbers else ""
    low = [
        value
        for cell in numbers
        if (value := _value(cell, decimal)) is not None
        and value * (0.01 if unit == "%" else float(f"1e{unit[3:]}") if unit.startswith("10^-") else 1) < 1e-4
    ]
    spoken = "NEGATIVE" in words.values()
    lod = _limit(draft, layout, column, negative=spoken or bool(low), unit=unit or "fraction")
    rule = {"domain": "LB", "column": draft.ref(layout, column), "test": "MRD", "specimen": specimen, **lod, "when": when, **time.rule}
    rule["visit"] = visit[0].upper() if (visit := visit_of(column.path)) else ""
    assumed += [draft.answers.assumption(key) for key in (f"mrd-unit-{column.letter.lower()}", "mrd-limit")]
    shown = ", ".join(
        [
            *([f"in {unit}" if unit != "fraction" else "as a fraction"] if unit else []),
            *(f"{word} = {said}" for word, said in words.items() if said),
        ]
    )
    draft.use(layout, column, f"residual disease{time.how and ', ' + time.how}", shown)
    draft.facts["mrd"] = True
    gone = draft.missing(column, *time.columns)
    gone = [word for word in gone if word not in words]
    if numbers:
        draft.add(layout, {"id": "residual disease", **rule, "unit": unit, "decimal": decimal, "missing": [*gone, *words]}, *assumed)
    if words:
        only = {"only": list(words)} if numbers else {}
        draft.add(
            layout, {"id": "residual disease in words", **rule, "unit": unit or "fraction", "map": words, "missing": gone, **only}, *assumed
        )


def _flagged(column: Column) -> bool:
    """Say whether a column answers yes or no; of zeros and ones alone too, unless its header has a unit."""
    texts = {cell.text for cell in column.filled}
    if "%" in column.header or not all(yes_no(text) is not None for text in texts):
        return False
    return not texts <= {"0"} and not texts & {"+", "positive"}


def _mrd_unit(draft: Draft, layout: Layout, column: Column, numbers: list[Cell], decimal: str) -> str:
    """Return the unit of numbers: per cent where the header or every cell says so; a share of one where it is asked for."""
    header = plain(column.header)
    if column.unit and _known("MRD", column.unit):
        return column.unit
    signed = [cell.percent or cell.text.endswith("%") for cell in numbers]
    if "%" in header or "percent" in header or "prozent" in header or all(signed):
        return "%"
    if any(signed):
        bare = next(cell for cell, said in zip(numbers, signed, strict=True) if not said)
        place = layout.grid.place(column.number, bare.row)
        what = f"{layout.grid.lead}{column.label}: some cells say per cent, and cell {place} ({bare.text}) does not"
        raise InputError(what, file=layout.grid.file, right="Write all of them with a % sign, or none")
    if found := re.search(r"10 ?\^? ?[-−⁻]([3-6⁴⁵⁶])", header):
        power = found[1].translate(str.maketrans("⁴⁵⁶", "456"))
        return f"10^-{power}"
    if "fraction" in header or "anteil" in header:
        return "fraction"
    most = max(value for cell in numbers if (value := _value(cell, decimal)) is not None)
    key = f"mrd-unit-{column.letter.lower()}"
    shown = ", ".join(cell.text for cell in numbers[:4])
    word = draft.answers.ask(
        Question(
            key,
            f"In which unit are the numbers of residual disease in {column.label} ({shown})?",
            (
                Option("percent", "per cent: 0.01 is 1 in 10,000", f"numbers in {column.label} are per cent, since one is above 1"),
                *(() if most > 1 else (Option("fraction", "a share of one: 0.0001 is 1 in 10,000"),)),
            ),
            "percent" if most > 1 else None,
        )
    )
    return "%" if word == "percent" else "fraction"


def _limit(draft: Draft, layout: Layout, column: Column, *, negative: bool, unit: str) -> dict[str, Any]:
    """Return the limit of detection of negative results in the unit of their rule: from a column of its own, or as it is asked for."""
    beside = next((other for other in layout.columns if other.topic == "mrd-limit" and other.filled), None)
    if beside is not None:
        signed = all(cell.percent or cell.text.endswith("%") for cell in beside.filled)
        shares = "%" not in beside.header and all(0 < (cell.number or 1) < 0.01 for cell in beside.filled)
        if signed or ("%" in beside.header and unit == "%") or (shares and unit == "fraction"):
            draft.use(layout, beside, "limit of detection of residual disease", "%" if signed or unit == "%" else "as a fraction")
            return {"also": {"LBLOD": {"column": draft.ref(layout, beside), "type": "number"}}}
        draft.leave(layout, beside, "it is not plain whether it is per cent or a share of one; write each with a % sign")
    if not negative:
        return {}
    unknown = "the limit of detection of residual disease is not known, so that negative results are not evaluable"
    word = draft.answers.ask(
        Question(
            "mrd-limit",
            "Which limit of detection has the assay of residual disease? A negative result counts only where it is 1e-4 (0.01 %) or lower.",
            (
                Option("1e-4", "1 in 10,000, 0.01 %"),
                Option("1e-5", "1 in 100,000"),
                Option("1e-6", "1 in a million"),
                Option("unknown", "not known: negative results are not evaluable", unknown),
            ),
            "unknown",
        )
    )
    factor = 100 if unit == "%" else 10.0 ** int(unit[4:]) if unit.startswith("10^-") else 1
    return {} if word == "unknown" else {"lod": float(f"{float(word) * factor:.6g}")}


def read_test(draft: Draft, layout: Layout, column: Column, times: list[tuple[Time, dict[str, Any]]]) -> None:
    """Read what was counted or measured: a number in a unit."""
    test, specimen, what = _TESTS[column.topic or ""]
    if "max" in plain(column.header) or "peak" in plain(column.header) or "峰" in column.header:
        draft.leave(layout, column, "a peak: it is derived from the samples by day")
        return
    decimal = _decimal(draft, layout, column)
    unread = [cell for cell in column.filled if _value(cell, decimal) is None and standard_term(cell.text, "LBSTRESC") is None]
    if unread:
        draft.leave(layout, column, f"'{unread[0].text}' in cell {layout.grid.place(column.number, unread[0].row)} is no number")
        return
    unit, assumed = _unit(draft, column, test, [value for cell in column.filled if (value := _value(cell, decimal)) is not None])
    if not unit:
        draft.leave(layout, column, "no unit that is known stands in its header")
        return
    if not times:
        draft.leave(layout, column, "no column says when it was measured")
        return
    for time, when in times:
        draft.use(layout, column, f"{what}{time.how and ', ' + time.how}", unit, assumed=bool(assumed))
        rule = {"id": what, "domain": "LB", "column": draft.ref(layout, column), "test": test, "specimen": specimen, "unit": unit}
        more = {"decimal": decimal, "when": when, **time.rule, "missing": draft.missing(column, *time.columns)}
        draft.add(layout, {**rule, **more}, *assumed, *time.assumed)
    draft.facts.setdefault("tests", set()).add(test)


def _known(test: str, unit: str) -> bool:
    frame = pl.DataFrame({"T": [test], "U": [unit]})
    return frame.select(unit_factor(pl.col("T"), pl.col("U"))).item() is not None


def _unit(draft: Draft, column: Column, test: str, values: list[float]) -> tuple[str, list[str]]:
    """Return the unit that a header says; of counts and percentages without one, that which the numbers tell, asked for."""
    parts = re.findall(r"[\[(（]([^\])）]+)[\])）]", column.header) + re.split(r"[,;]", column.header)[1:] + [column.path[-1].split()[-1]]
    parts += [found[0] for found in re.finditer(r"(?:x ?)?10\S*/\S+|[Gg]/[lL]|/[µμu][lL]|%|copies\S*/ ?\S+( DNA)?", column.header)]
    for part in (column.unit, *parts):
        if part and _known(test, part.strip()):
            return part.strip(), []
    if column.unit:
        return "", []
    if not values:
        return "", []
    key = f"unit-{column.topic}"
    if test == "BLAST":
        text = f"In which unit are the blasts in {column.label} ({values[0]:g}, ...)?"
        options = (Option("percent", "per cent of cells", f"blasts in {column.label} are per cent"), Option("fraction", "a share of one"))
        word = draft.answers.ask(Question(key, text, options, "percent" if max(values) > 1 else None))
        return ("%" if word == "percent" else "fraction"), [draft.answers.assumption(key)]
    if test in _COUNTS:
        middle, (low, high) = statistics.median(values), _COUNTS[test]
        litre = Option("10^9/l", "10^9 per litre", f"numbers in {column.label} are 10^9 per litre")
        micro = Option("/ul", "per microlitre", f"numbers in {column.label} are per microlitre")
        likely = "10^9/l" if middle < low else "/ul" if middle > high else None
        word = draft.answers.ask(
            Question(key, f"In which unit are the numbers in {column.label} ({values[0]:g}, ...)?", (litre, micro), likely)
        )
        return ("10^9/L" if word == "10^9/l" else "/uL"), [draft.answers.assumption(key)]
    return "", []
